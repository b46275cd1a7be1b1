"""Pictures a second of the generated scenes, 96 and 192 px, on one core.

Seconds are processor time, the best of several runs, so that other programs on the machine hardly matter; cutting
the textures, once per process, is timed apart.

    python -m benchmarks.scene_speed
"""

import time

import torch

from benchmarks.record import write_rows
from seglib.scenes import Cells, Digits, Streets

COUNT, RUNS, SEED = 100, 10, 0


def seconds(function):
    """Processor time that a call takes."""
    start = time.process_time()
    function()
    return time.process_time() - start


def main():
    torch.set_num_threads(1)
    rows = []
    for scene in (Streets, Cells, Digits):
        first = seconds(lambda scene=scene: scene(1, seed=SEED)[0])
        for size in (96, 192):
            data = scene(RUNS * COUNT, size=size, seed=SEED)
            runs = [range(k * COUNT, (k + 1) * COUNT) for k in range(RUNS)]
            best = min(seconds(lambda run=run, data=data: [data[i] for i in run]) for run in runs)
            row = {"scene": scene.__name__, "size": size, "pictures_per_second": round(COUNT / best)}
            rows.append({**row, "first_picture_seconds": round(first, 2), "seed": SEED})
            print("{scene:8s} {size:4d} px {pictures_per_second:6d} pictures a second".format(**row))
    write_rows("results/scene_speed.csv", rows, packages=("numpy", "pillow", "scipy"))


if __name__ == "__main__":
    main()
