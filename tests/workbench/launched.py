"""Run in several processes: `seglib train` in float32, with every draw of every process written down."""

import json
import os
import sys
from pathlib import Path

from seglib.training import batches, device
from workbench.cli import main


def run(folder, arguments):
    """Train as the arguments say; write the draws to FOLDER/drawn_RANK.json and return the exit status."""
    device.cpu_has_bfloat16 = lambda: False  # rounding to bfloat16 would drown what is compared
    original, drawn = batches.Stream.__getitem__, []

    def recorded(stream, draw):
        drawn.append(draw)
        return original(stream, draw)

    batches.Stream.__getitem__ = recorded
    status = main(arguments)
    Path(folder, f"drawn_{os.environ.get('RANK', 0)}.json").write_text(json.dumps(drawn))
    return status


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
