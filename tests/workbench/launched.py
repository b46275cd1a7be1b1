"""Run in several processes: `seglib train` in float32, each process's draws and final weights written down."""

import json
import os
import sys
from pathlib import Path

from seglib import training
from seglib.training import batches, device
from workbench.cli import main


def run(folder, arguments):
    """Train as the arguments say; write draws and sums of weights to FOLDER/told_RANK.json; return the exit status."""
    device.cpu_has_bfloat16 = lambda: False  # rounding to bfloat16 would drown what is compared
    original, drawn = batches.Stream.__getitem__, []

    def recorded(stream, draw):
        drawn.append(draw)
        return original(stream, draw)

    def and_weighed(network, *sets, **options):
        history = fit(network, *sets, **options)
        weighed.extend(float(value.double().sum()) for value in network.state_dict().values())
        return history

    batches.Stream.__getitem__, training.fit, weighed, fit = recorded, and_weighed, [], training.fit
    status = main(arguments)
    told = {"draws": drawn, "weights": weighed}
    Path(folder, f"told_{os.environ.get('RANK', 0)}.json").write_text(json.dumps(told))
    return status


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
