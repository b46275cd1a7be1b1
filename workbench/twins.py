"""Pictures that are in a set twice, to the byte or nearly."""

import numpy as np

NEAR = 4  # of 64 bits of the difference hash


def find_twins(pictures):
    """Yield (picture, earlier picture, distance) of pictures that were there before; distance is None for equal files.

    A picture is told of once for its own split and once for the others, with the most similar one there. Similar are
    pictures whose hashes differ in at most NEAR bits.

    Parameters
    ----------
    pictures : list
        Each with "split", "digest" and "bits", bool (64,) or None.
    """
    # Flat pictures have no bits; zeros in their place are far from all.
    signs = [np.zeros(64) if each.bits is None else np.where(each.bits, 1, -1) for each in pictures]
    signs = np.array(signs, np.float32)
    _, files = np.unique([picture.digest for picture in pictures], return_inverse=True)
    _, splits = np.unique([picture.split for picture in pictures], return_inverse=True)
    for row in range(1, len(pictures)):
        distances = (64 - signs[:row] @ signs[row]) / 2
        distances[files[:row] == files[row]] = -1
        own = splits[:row] == splits[row]
        for among in (own, ~own):
            nearest = np.where(among, distances, np.inf).argmin()
            if among[nearest] and distances[nearest] <= NEAR:
                yield pictures[row], pictures[nearest], int(distances[nearest]) if distances[nearest] >= 0 else None
