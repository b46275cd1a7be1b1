"""Cells beside real nuclei: the figures that the generator's ranges were set by, for both.

    python -m benchmarks.cells_beside_real

Needs the 2018 Data Science Bowl pictures under the folder that SEGLIB_DATA names; uses those of 256x256.
"""

import numpy as np
from scipy import ndimage
from skimage.measure import regionprops

from benchmarks.record import write_rows
from seglib.datasets import DSB2018
from seglib.scenes import Cells

SHARES = (5, 25, 50, 75, 95)
EDGE = range(-4, 5)  # pixels from the outline, negative outside


def figures(image, instances):
    """One picture's figures: lists over its nuclei, or single numbers."""
    regions = regionprops(instances)
    background = np.median(image[instances == 0])
    brightness = np.array([image[instances == r.label].mean() - background for r in regions])
    touching = ndimage.maximum_filter(instances, 3) != instances
    lowest = ndimage.minimum_filter(np.where(instances == 0, instances.max() + 1, instances), 3) != instances
    meeting = np.unique(instances[(instances > 0) & (touching | lowest)])
    found = {
        "nuclei in a picture": [len(regions)],
        "radius, px": [np.sqrt(r.area / np.pi) for r in regions],
        "elongation": [r.axis_major_length / max(r.axis_minor_length, 1) for r in regions],
        "share of foreground": [(instances > 0).mean()],
        "share of nuclei that touch": [len(meeting) / max(len(regions), 1)],
        "background grey": [background],
        "nucleus grey above background": brightness,
        "texture: deviation inside / brightness": [
            image[instances == r.label].std() / max(b, 1e-3) for r, b in zip(regions, brightness, strict=True)
        ],
    }
    if len(regions) > 7:
        found["spread of log brightness in a picture"] = [np.log(np.maximum(brightness, 0.005)).std()]
    depth = ndimage.distance_transform_edt(instances) - ndimage.distance_transform_edt(instances == 0)
    bright = np.median(brightness) if len(regions) else 1
    for d in EDGE:
        ring = (depth > d - 0.5) & (depth <= d + 0.5)
        if ring.any() and d:
            found[f"brightness {abs(d)} px {'inside' if d > 0 else 'outside'}"] = [
                (image[ring].mean() - background) / bright
            ]
    return found


def collect(pictures):
    gathered = {}
    for image, instances in pictures:
        for name, values in figures(image, instances).items():
            gathered.setdefault(name, []).extend(values)
    return gathered


def main():
    sources = {
        "real": (s for s in DSB2018(split="all", size=(256, 256))),
        "Cells": (s for s in Cells(104, size=256, seed=0)),
    }
    rows = []
    for source, samples in sources.items():
        pictures = ((s["image"].mean(0).numpy(), s["instances"].numpy()) for s in samples)
        for name, values in collect(pictures).items():
            percentiles = {f"p{share}": round(float(np.percentile(values, share)), 4) for share in SHARES}
            rows.append({"figure": name, "source": source, **percentiles, "seed": 0})
    rows.sort(key=lambda row: row["figure"])
    for row in rows:
        print(f"{row['figure']:42s}{row['source']:7s}" + "".join(f"{row[f'p{share}']:9.3f}" for share in SHARES))
    write_rows("results/cells_beside_real.csv", rows, packages=("numpy", "scipy"))


if __name__ == "__main__":
    main()
