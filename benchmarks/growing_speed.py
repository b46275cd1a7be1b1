"""Time grow_region beside scikit-image's compiled flood and beside growing pixel by pixel, on 512x512 pictures.

Grey: scikit-image's camera; colour: its astronaut. Tolerances are chosen so that a small region grows, a middle one,
and one that fills the picture: flood and the pixel loop pay for the region, grow_region for the picture, too. Results
are compared before they are timed. Seconds are processor time on one core; between the runs of one row grow_region
and flood take turns, and the best of each counts, so that other programs on the machine hardly matter.

    python -m benchmarks.growing_speed
"""

import time

import numpy as np
from skimage import data
from skimage.segmentation import flood

from benchmarks.record import write_rows
from seglib.classical import grow_region, grow_regions
from tests.growing_by_hand import grow_by_hand

RUNS = 15
TASKS = (  # picture, seed of the growth, criterion, tolerances for a small, a middle and a full region, in levels
    ("camera", (300, 300), "seed", (12, 76, 255)),
    ("camera", (300, 300), "neighbour", (8, 12, 255)),
    ("camera", (300, 300), "mean", (25, 76, 255)),
    ("astronaut", (450, 60), "seed", (60, 120, 442)),
    ("astronaut", (450, 60), "neighbour", (20, 30, 442)),
    ("astronaut", (450, 60), "mean", (60, 120, 442)),
)
COMPETITORS = [(50, 400), (300, 300), (450, 60)]


def best(functions, runs=RUNS):
    """Least processor time of each function, in turns, and what each returned."""
    taken, result = [float("inf")] * len(functions), [None] * len(functions)
    for _ in range(runs):
        for i, function in enumerate(functions):
            start = time.process_time()
            result[i] = function()
            taken[i] = min(taken[i], time.process_time() - start)
    return taken, result


def measure(name, seed, criterion, levels, connectivity):
    levels_picture = getattr(data, name)()
    picture, tolerance = levels_picture / 255, levels / 255
    shared = criterion == "seed" and picture.ndim == 2
    functions = [lambda: grow_region(levels_picture, seed, tolerance, criterion, connectivity)]
    if shared:
        functions.append(lambda: flood(levels_picture, seed, tolerance=levels, connectivity=connectivity // 4))
    taken, regions = best(functions)
    (loop,), (by_hand,) = best([lambda: grow_by_hand(picture, seed, tolerance, criterion, connectivity)], runs=1)
    for region in regions:
        assert np.array_equal(region, by_hand)
    row = {"picture": name, "criterion": criterion, "connectivity": connectivity, "tolerance": f"{tolerance:.3f}"}
    row |= {"region": f"{by_hand.mean():.3f}", "milliseconds": f"{1e3 * taken[0]:.2f}"}
    row |= {"times_flood": f"{taken[0] / taken[1]:.2f}" if shared else ""}
    return {**row, "loop_seconds": f"{loop:.3f}", "loop_times": f"{loop / taken[0]:.0f}", "seed": 0}


def main():
    rows = []
    for name, seed, criterion, tolerances in TASKS:
        for levels in tolerances:
            for connectivity in (4, 8):
                rows.append(measure(name, seed, criterion, levels, connectivity))
                line = "{picture:9} {criterion:9} {connectivity}  region {region}  {milliseconds:>6} ms"
                line += "  flood x {times_flood:4}  loop {loop_seconds} s = x {loop_times}"
                print(line.format(**rows[-1]))
    for name in ("camera", "astronaut"):
        for connectivity in (4, 8):
            picture = getattr(data, name)()
            (taken,), _ = best([lambda p=picture, c=connectivity: grow_regions(p, COMPETITORS, connectivity=c)], runs=2)
            row = {"picture": name, "criterion": "competition", "connectivity": connectivity, "region": "1.000"}
            rows.append({**row, "milliseconds": f"{1e3 * taken:.0f}", "seed": 0})
            print("{picture:9} {criterion} {connectivity}  {milliseconds} ms".format(**rows[-1]))
    write_rows("results/growing_speed.csv", rows, packages=("numpy", "scipy", "scikit-image"))


if __name__ == "__main__":
    main()
