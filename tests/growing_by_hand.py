"""Region growing pixel by pixel: slow, plain, and what seglib's must equal. Grey (H, W) or colour (H, W, 3) in 0..1."""

from collections import deque

import numpy as np

BESIDE = ((-1, 0), (0, -1), (0, 1), (1, 0))
DIAGONAL = ((-1, -1), (-1, 1), (1, -1), (1, 1))


def grow_by_hand(image, seeds, tolerance, criterion="seed", connectivity=4):
    grow = {"seed": by_seed, "neighbour": by_neighbour, "mean": by_mean}[criterion]
    return grow(image, [tuple(seed) for seed in np.reshape(seeds, (-1, 2)).tolist()], tolerance, connectivity)


def near(a, b, tolerance):
    return (abs(a - b) if a.ndim == 0 else sum((a - b) ** 2) ** 0.5) <= tolerance + 1e-6


def around(place, shape, connectivity):
    row, column = place
    for down, right in BESIDE if connectivity == 4 else BESIDE + DIAGONAL:
        if 0 <= row + down < shape[0] and 0 <= column + right < shape[1]:
            yield row + down, column + right


def by_seed(image, seeds, tolerance, connectivity):
    union = np.zeros(image.shape[:2], bool)
    for seed in seeds:
        union |= flooded(image, [seed], lambda here, seed=seed: image[seed], tolerance, connectivity)
    return union


def by_neighbour(image, seeds, tolerance, connectivity):
    return flooded(image, seeds, lambda here: image[here], tolerance, connectivity)


def flooded(image, seeds, wanted, tolerance, connectivity):
    """Grow from pixel to pixel: a neighbour of ``here`` joins if it is near ``wanted(here)``."""
    region, queue = np.zeros(image.shape[:2], bool), deque(seeds)
    for seed in seeds:
        region[seed] = True
    while queue:
        here = queue.popleft()
        for place in around(here, region.shape, connectivity):
            if not region[place] and near(image[place], wanted(here), tolerance):
                region[place] = True
                queue.append(place)
    return region


def by_mean(image, seeds, tolerance, connectivity):
    region = np.zeros(image.shape[:2], bool)
    rim, joining = set(), set(seeds)
    total = 0
    while joining:
        for place in joining:
            region[place] = True
            total = total + image[place]
        for place in joining:
            rim.update(each for each in around(place, region.shape, connectivity) if not region[each])
        rim -= joining
        mean = total / region.sum()
        joining = {place for place in rim if near(image[place], mean, tolerance)}
    return region


def compete_by_hand(image, seeds, connectivity=4):
    """Adams and Bischof's algorithm with a list of waiting pixels that is searched from end to end."""
    image = image.reshape(*image.shape[:2], -1)
    labels = np.zeros(image.shape[:2], int)
    sums = [[0.0] * image.shape[2] for _ in seeds]
    waiting, begun = [], []

    def join(place, region):
        labels[place] = region
        sums[region - 1] = [a + float(b) for a, b in zip(sums[region - 1], image[place], strict=True)]

    def meet(place, region):
        size = (labels == region).sum()
        mean = [each / int(size) for each in sums[region - 1]]
        for each in around(place, labels.shape, connectivity):
            difference = sum((float(a) - b) ** 2 for a, b in zip(image[each], mean, strict=True))
            if labels[each] == 0:
                waiting.append((difference, each, region))

    for i, places in enumerate(seeds):
        for place in sorted({tuple(seed) for seed in np.reshape(places, (-1, 2)).tolist()}):
            join(place, i + 1)
            begun.append((place, i + 1))
    for place, region in begun:
        meet(place, region)
    while waiting:
        first = min(range(len(waiting)), key=lambda i: waiting[i][0])  # of equal ones, the one that was met first
        _, place, region = waiting.pop(first)
        if labels[place] == 0:
            join(place, region)
            meet(place, region)
    return labels
