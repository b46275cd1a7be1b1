"""The masks that exercise 4 of lesson 04, a ruler for an expert, is tried on."""

import numpy as np
from scipy import ndimage

EXPERT_ORDER = ("close", "thin", "missed", "swapped", "specks", "bridged")


def coin_masks(seed=0):
    """Six discs and six masks of them.

    Returns
    -------
    instances : (72, 96) integer array, 0 = none, 1..6
    masks : dict of name -> (72, 96) bool array; EXPERT_ORDER has their names, best first
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((72, 96))
    instances = np.zeros((72, 96), int)
    for i in range(6):
        y, x, radius = 18 + 36 * (i // 3), 16 + 32 * (i % 3), rng.uniform(10, 13)
        instances[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = i + 1
    full = instances > 0
    specks, bridged = full.copy(), full.copy()
    specks[35:37, [2, 48, 90]] = True
    first = 18 + 36 * rng.integers(2)
    missed = full & (instances != rng.integers(1, 7))
    swapped = missed.copy()
    swapped[35:37, 48] = True
    bridged[first, 16:81] = True
    masks = {
        "bridged": bridged,
        "close": ndimage.binary_erosion(full),
        "missed": missed,
        "specks": specks,
        "swapped": swapped,
        "thin": ndimage.binary_erosion(full, iterations=2),
    }
    return instances, masks


def unshown_masks(instances):
    """Two masks of the discs that the lesson doesn't show: all too large, and one only to 48 %, in its middle."""
    full, first = instances > 0, instances == 1
    depth = ndimage.distance_transform_edt(first)
    core = full.copy()
    core.flat[np.flatnonzero(first)[np.argsort(depth[first], kind="stable")][: round(0.52 * first.sum())]] = False
    return {"wide": ndimage.binary_dilation(full, iterations=2), "core": core}


def dozen():
    """Twelve coins, and two masks: all of them with 3/4 of their radius and a speck; eleven of them."""
    upper, lower = coin_masks(8)[0], coin_masks(9)[0]
    instances = np.concatenate([upper, np.where(lower > 0, lower + 6, 0)])
    depth = ndimage.distance_transform_edt(instances > 0)
    radius = ndimage.maximum(depth, instances, np.arange(13))[instances]
    small = (instances > 0) & (depth > radius / 4)
    small[35:37, 48] = True
    return instances, (small, (instances > 0) & (instances != 7))
