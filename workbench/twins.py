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
    signs = np.zeros((len(pictures), 64), np.float32)  # of flat pictures 0, which is far from all
    for row, picture in enumerate(pictures):
        if picture.bits is not None:
            signs[row] = np.where(picture.bits, 1, -1)
    _, files = np.unique([picture.digest for picture in pictures], return_inverse=True)
    _, splits = np.unique([picture.split for picture in pictures], return_inverse=True)
    for row in range(1, len(pictures)):
        distances = (64 - signs[:row] @ signs[row]) / 2
        distances[files[:row] == files[row]] = -1
        own = splits[:row] == splits[row]
        for among in (own, ~own):
            within = np.where(among, distances, np.inf)
            nearest = within.argmin()
            if within[nearest] <= NEAR:
                distance = int(within[nearest])
                yield pictures[row], pictures[nearest], distance if distance >= 0 else None
