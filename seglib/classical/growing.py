"""Regions that grow from seeds: a pixel joins its neighbours if it is like them."""

from heapq import heappop, heappush
from itertools import count

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse.csgraph import connected_components

from seglib.inputs import as_picture

# Added to every tolerance, so that a difference of exactly `tolerance` joins whatever the rounding: uint8 pictures
# stored as float32 are off by 6e-8; neighbouring levels of uint16 differ by 1.5e-5.
ROUNDING = 1e-6


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
    image = as_picture(image)
    seeds = _as_seeds(seeds, image.shape[:2])
    if not 0 <= tolerance <= 2:  # the farthest colours, black and white, are 1.74 apart
        raise ValueError(
            f"tolerance is {tolerance}; a distance between values of 0..1 is wanted, 0 or more. "
            "Usual cause: levels of 0..255 (divide by 255)"
        )
    _check_connectivity(connectivity)
    methods = {"seed": _by_seed, "neighbour": _by_neighbour, "mean": _by_mean}
    if criterion not in methods:
        raise ValueError(f"criterion is {criterion!r}; one of {', '.join(map(repr, methods))} is wanted")
    image = image.reshape(*image.shape[:2], -1)
    return methods[criterion](image, seeds, (tolerance + ROUNDING) ** 2, connectivity)


def _by_seed(image, seeds, limit, connectivity):
    """Of all pixels like the seed, wherever they lie, the connected piece that holds the seed."""
    region = np.zeros(image.shape[:2], bool)
    structure = ndimage.generate_binary_structure(2, connectivity // 4)
    for seed in map(tuple, seeds):
        pieces, _ = ndimage.label(_squared(image, image[seed]) <= limit, structure)
        region |= pieces == pieces[seed]
    return region


def _by_neighbour(image, seeds, limit, connectivity):
    """Pixels as a graph, with a link between neighbours that are alike: its components that hold a seed."""
    values, width = _framed(image, np.nan)  # a frame that is like nothing
    here, there = [], []
    for step in _steps(width, connectivity):
        if step > 0:  # the others are the same links seen from the other end
            alike = np.flatnonzero(_squared(values[:-step], values[step:]) <= limit)
            here.append(alike)
            there.append(alike + step)
    here, there = np.concatenate(here), np.concatenate(there)
    graph = sparse.coo_array((np.ones(here.size, bool), (here, there)), shape=(len(values), len(values)))
    _, component = connected_components(graph, directed=False)
    region = np.isin(component, component[(seeds + 1) @ (width, 1)])
    return region.reshape(-1, width)[1:-1, 1:-1].copy()


def _by_mean(image, seeds, limit, connectivity):
    """In rounds. Only the rim is looked at: pixels that touch the region and have not joined yet."""
    values, width = _framed(image, 0)
    unmet = np.pad(np.ones(image.shape[:2], bool), 1).ravel()
    region = np.zeros(unmet.shape, bool)
    joining = np.unique((seeds + 1) @ (width, 1))
    unmet[joining] = False
    rim, total, size = joining[:0], 0, 0
    while joining.size:
        region[joining] = True
        total, size = total + values[joining].sum(0), size + joining.size
        touching = (joining[:, None] + _steps(width, connectivity)).ravel()
        touching = np.unique(touching[unmet[touching]])
        unmet[touching] = False
        rim = np.concatenate([rim, touching])
        alike = _squared(values[rim], total / size) <= limit
        joining, rim = rim[alike], rim[~alike]
    return region.reshape(-1, width)[1:-1, 1:-1].copy()


def grow_regions(image, seeds, connectivity=4):
    """Competitive growing from several seeds: seeded region growing (Adams and Bischof 1994).

    Of all pixels that touch a region, the one that is most like it joins first; like means the Euclidean distance to
    the mean value of the region at the time when the two came into touch. Equal ones join in the order in which they
    were met. All regions together fill the picture.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
    seeds : sequence
        Entry i begins region i + 1: one (row, column), or several of them, (n, 2).
    connectivity : 4 or 8

    Returns
    -------
    (H, W) int64 label map, 1..n

    Raises
    ------
    ValueError
        As `grow_region`; also for two regions with the same seed.
    """
    image = as_picture(image)
    seeds = [_as_seeds(each, image.shape[:2], f"seeds[{i}]") for i, each in enumerate(seeds)]
    if not seeds:
        raise ValueError("there are no seeds; one (row, column) for each region is wanted")
    _check_connectivity(connectivity)
    if image.ndim == 2:
        image = np.stack([image, np.zeros_like(image), np.zeros_like(image)], axis=2)
    values, width = _framed(image, 0)  # the frame belongs to region -1
    # Lists, because Python reads and writes single numbers of a list several times as fast as those of an array.
    red, green, blue = values.T.tolist()
    region_of = np.pad(np.zeros(image.shape[:2], int), 1, constant_values=-1).ravel().tolist()
    steps = _steps(width, connectivity).tolist()
    sums = [(0.0, 0.0, 0.0, 0)] * (len(seeds) + 1)  # of each region: red, green, blue, pixels
    queue, order = [], count()

    def join(place, region):
        region_of[place] = region
        r, g, b, n = sums[region]
        sums[region] = r + red[place], g + green[place], b + blue[place], n + 1

    def meet_neighbours(place, region):
        r, g, b, n = sums[region]
        r, g, b = r / n, g / n, b / n
        for step in steps:
            beside = place + step
            if region_of[beside] == 0:
                difference = (red[beside] - r) ** 2 + (green[beside] - g) ** 2 + (blue[beside] - b) ** 2
                heappush(queue, (difference, next(order), beside, region))

    begun = []
    for region, places in enumerate(seeds, start=1):
        for place in np.unique((places + 1) @ (width, 1)).tolist():
            if region_of[place] != 0:
                raise ValueError(f"a seed of region {region} is a seed of region {region_of[place]} as well")
            join(place, region)
            begun.append((place, region))
    for place, region in begun:
        meet_neighbours(place, region)
    while queue:
        _, _, place, region = heappop(queue)
        if region_of[place] == 0:
            join(place, region)
            meet_neighbours(place, region)
    return np.array(region_of).reshape(-1, width)[1:-1, 1:-1].copy()


def _framed(image, fill):
    """(n, channels) values of a picture in a frame of one pixel, and its width: every pixel then has all neighbours."""
    framed = np.pad(image, ((1, 1), (1, 1), (0, 0)), constant_values=fill)
    return framed.reshape(-1, image.shape[2]), framed.shape[1]


def _squared(a, b):
    """Squared Euclidean distance over the last axis; channel by channel, which is faster than a sum over so few."""
    return sum((a[..., k] - b[..., k]) ** 2 for k in range(a.shape[-1]))


def _steps(width, connectivity):
    """What to add to a pixel's place in the flat picture to get to its neighbours."""
    beside = [-width, -1, 1, width]
    diagonal = [-width - 1, -width + 1, width - 1, width + 1]
    return np.array(beside if connectivity == 4 else beside + diagonal)


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


def _check_connectivity(connectivity):
    if connectivity not in (4, 8):
        raise ValueError(f"connectivity is {connectivity}; 4 or 8 is wanted (scikit-image calls them 1 and 2)")
