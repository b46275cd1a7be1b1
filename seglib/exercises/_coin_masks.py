"""The masks that exercise 4 of lesson 04, a ruler for an expert, is tried on."""

import numpy as np
from scipy import ndimage

EXPERT_ORDER = ("close", "thin", "missed", "swapped", "specks", "bridged")
WHY = {  # a mask's name -> what it is
    "close": "all six coins, one pixel too small",
    "thin": "all six coins, two pixels too small",
    "missed": "one coin of six is missing",
    "swapped": "one coin is missing and one speck counts as a coin: as many as there are, and two errors",
    "specks": "three specks count as coins",
    "bridged": "one row of pixels makes three coins one: three lost, one invented",
    "wide": "all six coins, two pixels too large",
    "core": "of one coin only the middle, IoU 0.48. So object F1 counts it as missed, and the middle as a false alarm",
    "aside": "one coin lies aside, IoU 0.43. So object F1 counts it as missed, and what lies there as a false alarm",
    "holes": "all six coins, with a hole in each",
    "small": "of the smallest coin only the middle, IoU 0.52",
    "large": "of the largest coin only the middle, IoU 0.56. As it is large, the IoU of the whole mask loses more",
    "glued": "all coins glued, so no object is right, object F1 is 0, and the IoU decides",
    "flooded": "the whole picture, object F1 0 as well, and a lower IoU",
}
UNSHOWN = (  # pairs that the lesson doesn't show, the better one first
    ("close", "wide"),
    ("wide", "thin"),
    ("missed", "core"),
    ("missed", "aside"),
    ("close", "holes"),
    ("small", "large"),
    ("glued", "flooded"),
)
RINGS = (  # where it isn't so; the answers for the two masks of rings() go in
    "Of six coins, all without the inner 60 %, none is found: IoU 0.4 each. You give {1}. One coin alone, exact, is "
    "found, and gets {0}. If you fill holes: score the mask as it is."
)
HALVES = (  # likewise for halves()
    "Three pairs of equal coins touch. A mask that glues each pair has an IoU of exactly 0.5 with either coin, and a "
    "coin is found *above* 0.5. So none is found; you give {1}. One coin of each pair, exact, gets {0}."
)


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
    """Masks of the discs that the lesson doesn't show.

    All too large; one only to 48 %, in its middle; one aside, so that truth and mask share three fifths of each other;
    all with a hole; the smallest cut to 52 %, the largest to 56 %; each row of three glued; the whole picture.
    """
    full, first = instances > 0, instances == 1
    aside = round(0.64 * np.sqrt(first.sum() / np.pi))
    core, glued = full.copy(), full.copy()
    core[instances == 1] = _middles(instances, 0.48)[instances == 1]
    glued[[18, 54], 16:81] = True
    sizes = np.bincount(instances.ravel())[1:]
    smallest, largest = instances == sizes.argmin() + 1, instances == sizes.argmax() + 1
    return {
        "wide": ndimage.binary_dilation(full, iterations=2),
        "core": core,
        "aside": (full & ~first) | np.roll(first, aside, axis=0),
        "holes": full & ~_middles(instances, 0.2),
        "small": full & (~smallest | _middles(instances, 0.52)),
        "large": full & (~largest | _middles(instances, 0.56)),
        "glued": glued,
        "flooded": np.ones_like(full),
    }


def dozen():
    """Twelve coins, and two masks: the inner 51 % of each of them and a speck; eleven of them, whole."""
    upper, lower = coin_masks(8)[0], coin_masks(9)[0]
    instances = np.concatenate([upper, np.where(lower > 0, lower + 6, 0)])
    small = _middles(instances, 0.51)
    small[35:37, 48] = True
    return instances, (small, (instances > 0) & (instances != 7))


def specked(fewer, more):
    """Twelve coins, and two masks: the inner 51 % of eleven of them and `fewer` specks; all, exact, and `more` specks.

    The specks are single pixels, or up to eleven of four pixels, in the gaps between the rows of coins.
    """
    instances, (small, _) = dozen()
    whole, small = instances > 0, small & (instances > 0) & (instances != 7)
    size, step = (2, 8) if more < 12 else (1, 3)
    for mask, count in ((whole, more), (small, fewer)):
        for i in range(count):
            row, column = (35, 71, 107, 139)[i * step // 93], 2 + i * step % 93
            mask[row : row + size, column : column + size] = True
    return instances, (small, whole)


def touching():
    """Six coins that touch the next one, and two masks: all of them cut apart by lines one pixel wide; all glued.

    First two rows of three, then a diagonal, where the cut coins touch with their corners.
    """
    rows, columns = np.indices((96, 96))
    for diagonal in (False, True):
        instances, cuts = np.zeros((96, 96), int), np.zeros((96, 96), bool)
        for i in range(6):
            y, x = (13 + 14 * i,) * 2 if diagonal else (24 + 48 * (i // 3), 16 + 32 * (i % 3))
            disc = (rows - y) ** 2 + (columns - x) ** 2 <= (10 if diagonal else 16) ** 2
            instances[disc & (instances == 0)] = i + 1
            cuts |= rows + columns == 2 * y + 14 if diagonal else columns == x + 16
        yield instances, ((instances > 0) & ~cuts, instances > 0)


def rings():
    """Six coins, and two masks: one coin, exact; all six, without the inner 60 % of each, so that its IoU is 0.4."""
    instances, _ = coin_masks(8)
    return instances, (instances == 1, (instances > 0) & ~_middles(instances, 0.6))


def halves():
    """Three pairs of equal coins that touch, and two masks: one coin of each pair; all, so each pair is glued."""
    rows, columns = np.indices((72, 96))
    instances = np.zeros((72, 96), int)
    for i in range(6):
        y, x = 12 + 24 * (i // 2), (30, 51)[i % 2]
        instances[(rows - y) ** 2 + (columns - x) ** 2 <= 10**2] = i + 1
    return instances, (instances % 2 == 1, instances > 0)


def _middles(instances, share):
    """Of every coin the pixels farthest from its rim, so many that they are at least this share of it."""
    depth = ndimage.distance_transform_edt(instances > 0)
    middles = np.zeros(instances.shape, bool)
    for coin in range(1, instances.max() + 1):
        inside = np.flatnonzero(instances == coin)
        count = int(np.ceil(share * len(inside)))
        middles.flat[inside[np.argsort(-depth.flat[inside], kind="stable")[:count]]] = True
    return middles
