"""``seglib train`` on real nuclei, then ``seglib predict`` and ``seglib score`` on those held back.

    python -m benchmarks.command_line            ten minutes of training; twelve minutes on 2 cores
    python -m benchmarks.command_line minute     a minute, three seeds; eight minutes

Needs DSB2018 under the folder that SEGLIB_DATA names; seconds count on the machine that the results name. All of its
pictures are used, stained tissue and large ones too. The runs and their overlays stay in build/command_line.
"""

import json
import shutil
import sys
from pathlib import Path

from benchmarks.record import write_rows
from workbench.cli import main as seglib

FOLDER = Path("build/command_line")
RUNS = {(): [(600, 0)], ("minute",): [(60, seed) for seed in range(3)]}  # seconds, seed


def call(*arguments):
    """Run a command of seglib; leave if it fails."""
    if seglib([str(argument) for argument in arguments]):
        sys.exit(f"seglib {arguments[0]} failed")


def measure(seconds, seed):
    """Train, predict and score; return the rows of results."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    run, predicted, scores = FOLDER / "run", FOLDER / "predicted", FOLDER / "scores.json"
    call("train", "--model", "unet", "--data", "dsb2018", "--out", run, "--seconds", seconds, "--seed", seed)
    call("predict", "dsb2018", "--weights", run, "--out", predicted)
    call("score", predicted, "dsb2018", "--json", scores)
    report = json.loads(scores.read_text())
    steps = (run / "metrics.csv").read_text().count("\n") - 1
    facts = {"data": "dsb2018", "model": "unet", "weights": "random", "seconds": seconds, "steps": steps}
    rows = []
    for name, figures in (("nucleus", report["classes"]["nucleus"]), ("mean", report["mean"])):
        rounded = {key: round(value, 4) for key, value in figures.items() if value is not None}
        rows.append({"of": name, "pictures": len(report["pictures"]), **rounded, **facts, "seed": seed})
    return rows


def main():
    runs = RUNS[tuple(sys.argv[1:])]
    write_rows("results/command_line.csv", [row for run in runs for row in measure(*run)])


if __name__ == "__main__":
    main()
