"""Every classical method on every photo, one setting for all of them, scored with one ruler.

    python -m benchmarks.classical

Each method tries a few settings; the one with the best mean overlap over all photos is kept, so no setting depends on
the photo, and all methods are tuned alike (on the photos that they are scored with: the figures are upper limits).
The methods of lessons 1 and 2 see the picture alone, so does the graph; the others of lesson 3 also get one click for
each region and each large piece of background: its innermost pixel, taken from the truth.
"""

import time
from itertools import product

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label

from benchmarks.record import write_rows
from seglib import classical, metrics
from seglib.inputs import as_picture
from seglib.scenes import photos

SMALLEST = 50  # px; smaller pieces are not counted as objects, smaller pieces of background get no click


def otsu(image):
    """Two classes by grey value alone (Otsu 1979): what every other method has to beat."""
    grey = as_picture(image, grey=True)
    return (grey > threshold_otsu(grey)).astype(np.int64)


def one_region(image):
    """The picture as it is: what a method gets for doing nothing."""
    return np.ones(image.shape[:2], np.int64)


def merged_superpixels(image, count, threshold):
    return classical.merge_regions(image, classical.slic_superpixels(image, count), threshold)


def clicks(instances, void):
    """(row, column) of the innermost pixel of each region, then of each large piece of background."""
    pieces = label((instances == 0) & ~void, connectivity=1)
    large = np.flatnonzero(np.bincount(pieces.ravel()) >= SMALLEST)
    masks = [instances == number for number in range(1, instances.max() + 1)]
    masks += [pieces == number for number in large if number > 0]
    depths = [ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1] for mask in masks]
    return [tuple(int(i) for i in np.unravel_index(depth.argmax(), depth.shape)) for depth in depths]


def grown_alone(image, seeds, **setting):
    """Each seed grows for itself; where regions overlap, the earlier one keeps the pixel."""
    labels = np.zeros(image.shape[:2], np.int64)
    for number, seed in enumerate(seeds, start=1):
        labels[classical.grow_region(image, seed, **setting) & (labels == 0)] = number
    return labels


def discs(image, seeds, radius=3):
    """Clicks as markers of a few pixels: one pixel says little about a texture."""
    rows, columns = np.indices(image.shape[:2])
    markers = np.zeros(image.shape[:2], np.int64)
    for number, (row, column) in enumerate(seeds, start=1):
        markers[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = number
    return markers


def nearest_click(image, seeds):
    """What clicks alone give, without a look at the picture."""
    rows, columns = np.indices(image.shape[:2])
    return np.argmin([(rows - row) ** 2 + (columns - column) ** 2 for row, column in seeds], axis=0) + 1


def flooded(image, seeds, sigma):
    return classical.watershed_segment(image, discs(image, seeds), sigma=sigma)


def walked(image, seeds, beta):
    return classical.random_walker_segment(image, discs(image, seeds), beta=beta)


def settings(**choices):
    """All combinations of the choices, as keyword arguments."""
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


# name -> (lesson, needs clicks, method, settings to try)
METHODS = {
    "nothing: one region": (0, False, one_region, settings()),
    "Otsu threshold": (1, False, otsu, settings()),
    "Canny, closed": (1, False, classical.canny_regions, settings(sigma=[1, 2, 3], high=[0.1, 0.2], low=[0.05])),
    "edges + watershed": (1, False, classical.watershed_segment, settings(sigma=[1, 2, 3])),
    "k-means, colour": (2, False, classical.kmeans_segment, settings(k=[2, 3, 4, 6])),
    "k-means, colour + position": (
        2,
        False,
        classical.kmeans_segment,
        settings(k=[2, 3, 4, 6], position=[0.25, 0.5, 1]),
    ),
    "mean shift": (2, False, classical.mean_shift_segment, settings(colour_bandwidth=[6, 8, 10, 12, 14, 20])),
    "superpixels, merged": (2, False, merged_superpixels, settings(count=[200, 400], threshold=[12, 16, 20, 25])),
    "graph-based": (3, False, classical.graph_segment, settings(scale=[100, 300, 1000, 3000], min_size=[50, 200])),
    "nothing: nearest click": (3, True, nearest_click, settings()),
    "growing, each alone": (
        3,
        True,
        grown_alone,
        settings(tolerance=[0.1, 0.15, 0.2, 0.25, 0.3], criterion=["seed", "mean"]),
    ),
    "growing, competing": (3, True, classical.grow_regions, settings()),
    "watershed, clicked": (3, True, flooded, settings(sigma=[1, 2, 3, 4])),
    "random walker, clicked": (3, True, walked, settings(beta=[130, 1000, 3000, 10000])),
}


def objects(labels):
    """Instance map: the pieces of all labels but the one that covers most of the picture's frame."""
    frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    ids, counts = np.unique(frame, return_counts=True)
    pieces = label(np.where(labels == ids[counts.argmax()], -1, labels), background=-1, connectivity=1)
    large = np.bincount(pieces.ravel()) >= SMALLEST
    return np.where(large[pieces], pieces, 0)


def score(labels, sample):
    """Figures of one label map: best overlap and boundaries for all photos, objects counted on the coins."""
    truth = np.where(sample["mask"] == 255, -1, sample["instances"].astype(np.int64))
    row = {
        "objects": "",
        "objects_f1": "",
        "overlap": round(float(metrics.best_overlap(labels, truth).mean()), 4),
        "boundary_f1": round(metrics.label_boundary_f1(labels, truth), 4),
    }
    if sample["name"] == "coins":
        found = objects(labels)
        row["objects"] = len(np.unique(found)) - 1
        row["objects_f1"] = round(metrics.instance_f1(found, sample["instances"]).f1, 4)
    return row


def run(segment, setting, samples, hints):
    """One row for each photo."""
    rows = []
    for name, sample in samples.items():
        start = time.process_time()
        labels = segment(sample["image"], *hints[name], **setting)
        seconds = time.process_time() - start
        rows.append({"photo": name} | score(labels, sample) | {"seconds": round(seconds, 2)})
    return rows


def main():
    samples, rows = photos(), []
    seeds = {name: [clicks(sample["instances"], sample["mask"] == 255)] for name, sample in samples.items()}
    nothing = dict.fromkeys(samples, ())
    for method, (lesson, clicked, segment, tried) in METHODS.items():
        best = -1
        for setting in tried:
            found = run(segment, setting, samples, seeds if clicked else nothing)
            mean = np.mean([row["overlap"] for row in found])
            text = ", ".join(f"{key} {value}" for key, value in setting.items()) or "none"
            print(f"{method:28s} {mean:.3f}  {text}", flush=True)
            if mean > best:
                best, kept = mean, [{"setting": text} | row for row in found]
        rows += [{"lesson": lesson, "method": method, "tried": len(tried), "seed": 0} | row for row in kept]
    write_rows("results/classical.csv", rows, packages=("numpy", "scipy", "scikit-image", "scikit-learn"))


if __name__ == "__main__":
    main()
