"""Regions that grow from seeds: a pixel joins its neighbours if it is like them."""

from heapq import heappop, heappush

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from skimage.segmentation import flood

from ._inputs import as_picture

# Added to every tolerance, so that a difference of exactly `tolerance` joins whatever the rounding: uint8 pictures
# stored as float32 are off by 6e-8; neighbouring levels of uint16 differ by 1.5e-5.
ROUNDING = 1e-6
_CRITERIA = ("seed", "neighbour", "mean")


def grow_region(image, seeds, tolerance, criterion="seed", connectivity=4):
    """Grow one region from its seeds: pixels join that touch it and are alike, until none is left.

    Alike is Euclidean distance over the channels, at most ``tolerance`` (1e-6 is granted for rounding), measured

    - "seed": to the value of the seed. Each of several seeds grows with its own value; the region is the union.
    - "neighbour": to a neighbour that is in the region already, so that values may drift along a smooth slope.
    - "mean": to the mean value of the region, which begins as all seeds together. It grows in rounds: all alike
      pixels along its rim join at once, then the mean is renewed. So no order of visits can change the result.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
    seeds : (row, column), or a sequence of such pairs, (n, 2)
    tolerance : float
        In units of the picture as float, 0..1: ten levels of a uint8 picture are 10 / 255.
    criterion : "seed", "neighbour" or "mean"
    connectivity : 4 or 8
        Which pixels touch: those beside, above and below, or the diagonal ones as well.

    Returns
    -------
    (H, W) bool array; the seeds are always in it.

    Raises
    ------
    ValueError
        For a picture as `as_picture` refuses it, a seed outside the picture, a negative tolerance or one above 2,
        another criterion or connectivity.
    """
    image = np.asarray(image)
    if image.size == 0 or (image.ndim != 2 and image.shape[2:] != (3,)):
        as_picture(image)  # raises: seeds cannot be judged before the shape is right
    seeds = _as_seeds(seeds, image.shape[:2])
    _check(tolerance, "tolerance", connectivity)
    if criterion not in _CRITERIA:
        raise ValueError(f"criterion is {criterion!r}; one of {', '.join(map(repr, _CRITERIA))} is wanted")
    grow = {"seed": _by_seed, "neighbour": _by_neighbour, "mean": _by_mean}[criterion]
    return grow(image, seeds, (tolerance + ROUNDING) ** 2, connectivity)


def _by_seed(image, seeds, limit, connectivity):
    """Flood fill among all pixels that are alike, wherever they lie."""
    region = np.zeros(image.shape[:2], bool)
    alike = np.empty(image.shape[:2], bool)
    rows = max(1, 2**14 // image.shape[1])  # in strips: large temporary arrays would cost more than the flood itself
    done = set()
    for seed in map(tuple, seeds.tolist()):
        value = _channels(image[seed[0] : seed[0] + 1, seed[1] : seed[1] + 1])[0, 0]
        if region[seed] and value.tobytes() in done:
            continue
        done.add(value.tobytes())
        for top in range(0, len(image), rows):
            alike[top : top + rows] = _squared(_channels(image[top : top + rows]), value) <= limit
        region |= flood(alike.view(np.uint8), seed, connectivity=connectivity // 4)
    return region


def _by_neighbour(image, seeds, limit, connectivity):
    """Connected components: runs along the rows first, then runs of neighbouring rows joined as a graph."""
    image = np.moveaxis(np.ascontiguousarray(np.moveaxis(_channels(image), 2, 0)), 0, 2)  # each channel in one piece
    height, width = image.shape[:2]
    goes_on = np.zeros((height, width), bool)
    goes_on[:, 1:] = _squared(image[:, 1:], image[:, :-1]) <= limit
    runs = np.cumsum(~goes_on, dtype=np.int32).reshape(height, width) - 1
    left, right = slice(None, -1), slice(1, None)
    links = []
    for here, there in ((slice(None),) * 2, (left, right), (right, left))[: 1 if connectivity == 4 else 3]:
        here, there = (left, here), (right, there)
        alike = _squared(image[here], image[there]) <= limit
        again = alike[:, :-1] & goes_on[here][:, 1:] & goes_on[there][:, 1:]  # the step before joins the same runs
        alike[:, 1:] &= ~again
        links.append((runs[here][alike], runs[there][alike]))
    first, second = np.concatenate(links, axis=1)
    count = int(runs[-1, -1]) + 1
    graph = sparse.coo_array((np.ones(first.size, np.int8), (first, second)), shape=(count, count))
    component = connected_components(graph, directed=False)[1]
    return np.isin(component, component[runs[tuple(seeds.T)]])[runs]


def _by_mean(image, seeds, limit, connectivity):
    image = _channels(image)
    values, offsets, free = _padded(image, connectivity)
    region = np.zeros(len(free), bool)
    joined = np.unique((seeds + 1) @ (image.shape[1] + 2, 1))
    free[joined] = False
    candidates, total, count = joined[:0], 0, 0
    turn = np.empty(len(free), np.int64)
    while joined.size:
        region[joined] = True
        total, count = total + values[joined].sum(0), count + joined.size
        around = (joined[:, None] + offsets).ravel()
        around = around[free[around]]
        turn[around] = order = np.arange(around.size)
        around = around[turn[around] == order]  # each once
        free[around] = False
        candidates = np.concatenate([candidates, around])
        alike = _squared(values[candidates], total / count) <= limit
        joined, candidates = candidates[alike], candidates[~alike]
    return region.reshape(image.shape[0] + 2, -1)[1:-1, 1:-1].copy()


def grow_regions(image, seeds, max_difference=None, connectivity=4):
    """Competitive growing from several seeds: seeded region growing (Adams and Bischof 1994).

    Of all pixels that touch a region, the one that is most like it joins first; like means the Euclidean distance to
    the mean value of the region at the time when the two came into touch. Equal ones join in the order in which they
    were met. All regions together fill the picture, unless ``max_difference`` stops them.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
    seeds : sequence
        Entry i begins region i + 1: one (row, column), or several of them, (n, 2).
    max_difference : float, optional
        Pixels that differ from the region beside them by more join no region, in units of 0..1.
    connectivity : 4 or 8

    Returns
    -------
    (H, W) int64 label map, 1..n, and 0 for pixels of no region

    Raises
    ------
    ValueError
        As `grow_region`; also for two regions with the same seed.
    """
    image = as_picture(image)
    seeds = [_as_seeds(each, image.shape[:2], f"seeds[{i}]") for i, each in enumerate(seeds)]
    if not seeds:
        raise ValueError("there are no seeds; one (row, column) for each region is wanted")
    _check(2 if max_difference is None else max_difference, "max_difference", connectivity)
    limit = np.inf if max_difference is None else (max_difference + ROUNDING) ** 2
    height, width = image.shape[:2]
    image = image.reshape(height, width, -1)
    values, offsets, free = _padded(image, connectivity)
    labels = np.where(free, 0, -1)
    sums = [[0.0, 0.0, 0.0, 0] for _ in range(len(seeds) + 1)]
    # Single numbers are read and written three times as fast through memory views as through arrays.
    red, green, blue = (memoryview(values[:, k % values.shape[1]] * (k < values.shape[1])) for k in range(3))
    label_of, best = memoryview(labels), memoryview(np.full(len(free), np.inf))
    offsets = offsets.tolist()
    queue, met = [], 0
    for region, places in enumerate(seeds, start=1):
        for place in np.unique((places + 1) @ (width + 2, 1)).tolist():
            if label_of[place]:
                raise ValueError(f"a seed of region {region} is a seed of region {label_of[place]} as well")
            label_of[place] = region
            queue.append((-1.0, met, place, region))
            met += 1
    for _, _, place, region in list(queue):
        _add(sums[region], red[place], green[place], blue[place])
    while queue:
        difference, _, place, region = heappop(queue)
        if difference >= 0:
            if label_of[place]:
                continue
            label_of[place] = region
            _add(sums[region], red[place], green[place], blue[place])
        r, g, b, n = sums[region]
        r, g, b = r / n, g / n, b / n
        for offset in offsets:
            beside = place + offset
            if not label_of[beside]:
                difference = (red[beside] - r) ** 2 + (green[beside] - g) ** 2 + (blue[beside] - b) ** 2
                if difference <= limit and difference < best[beside]:
                    best[beside] = difference
                    heappush(queue, (difference, met, beside, region))
                    met += 1
    return labels.reshape(height + 2, width + 2)[1:-1, 1:-1].copy()


def _add(sums, red, green, blue):
    sums[0] += red
    sums[1] += green
    sums[2] += blue
    sums[3] += 1


def _squared(a, b):
    """Squared Euclidean distance over the last axis; channel by channel, which is faster than a sum over so few."""
    total = 0
    for k in range(a.shape[-1]):
        difference = a[..., k] - b[..., k]
        difference *= difference
        total = difference if k == 0 else np.add(total, difference, out=total)
    return total


def _padded(image, connectivity):
    """Picture with a frame of one pixel, flat: values (n, C), steps to the neighbours, which pixels are free."""
    width = image.shape[1] + 2
    free = np.pad(np.ones(image.shape[:2], bool), 1).ravel()
    values = np.pad(image, ((1, 1), (1, 1), (0, 0))).reshape(len(free), -1)
    steps = [-width, -1, 1, width] + ([-width - 1, -width + 1, width - 1, width + 1] if connectivity == 8 else [])
    return values, np.array(steps), free


def _as_seeds(seeds, shape, name="seeds"):
    """Seeds as (n, 2) integers, all inside the picture."""
    array = np.asarray(seeds)
    if array.dtype.kind not in "iu" or array.ndim not in (1, 2) or array.shape[-1] != 2 or array.size == 0:
        raise ValueError(
            f"{name} is {seeds!r}; one (row, column) or a sequence of such pairs of whole numbers is wanted. "
            "Usual cause: a grey value in the place of coordinates"
        )
    array = array.reshape(-1, 2).astype(np.int64)
    outside = ((array < 0) | (array >= shape)).any(1)
    if outside.any():
        row, column = array[outside][0].tolist()
        raise ValueError(
            f"the seed (row {row}, column {column}) lies outside the picture of {shape[0]} rows and {shape[1]} "
            "columns. Usual cause: (x, y) in the place of (row, column)"
        )
    return array


def _check(tolerance, name, connectivity):
    if not 0 <= tolerance <= 2:  # the farthest colours, black and white, are 1.74 apart
        raise ValueError(
            f"{name} is {tolerance}; a distance between values of 0..1 is wanted, 0 or more. "
            "Usual cause: levels of 0..255 (divide by 255)"
        )
    if connectivity not in (4, 8):
        raise ValueError(f"connectivity is {connectivity}; 4 or 8 is wanted (scikit-image calls them 1 and 2)")


def _channels(image):
    """The checked picture as (H, W, C), C = 1 or 3."""
    image = as_picture(image)
    return image.reshape(*image.shape[:2], -1)
