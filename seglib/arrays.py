"""What every part of seglib does with arrays: from tensors, numbered, mirrored; neighbours and places of regions."""

import numpy as np


def to_numpy(values):
    """Array of anything array-like; tensors are taken off their graph and device, their floats become float64."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if values.is_floating_point():
            values = values.double()  # NumPy has no bfloat16
        return values.numpy()
    return np.asarray(values)


def relabel(labels):
    """Number the values of a label map 0..n-1 in ascending order.

    Returns
    -------
    numbered : int64 array of the same shape
    values : (n,) array
        ``values[numbered]`` is the given map.

    >>> numbered, values = relabel([[7, 0], [7, 9]])
    >>> numbered.tolist(), values.tolist()
    ([[1, 0], [1, 2]], [0, 7, 9])
    """
    labels = np.asarray(labels)
    if labels.dtype.kind in "iu" and labels.size and labels.min() >= 0 and labels.max() <= labels.size:
        places = labels.astype(np.intp, copy=False)
        used = np.bincount(places.ravel()) > 0  # many times as fast as sorting
        return (np.cumsum(used) - 1)[places], np.flatnonzero(used).astype(labels.dtype)
    values, numbered = np.unique(labels, return_inverse=True)
    return numbered.reshape(labels.shape), values


def renumber(instances):
    """Number the objects of a map (0 = none) 1..n without gaps, in the order of their ids: int64; 0 stays 0.

    >>> renumber(np.array([[7, 0], [7, 9]])).tolist()
    [[1, 0], [1, 2]]
    """
    with_none = np.append(0, instances)  # even where no pixel is left without an object
    return relabel(with_none)[0][1:].reshape(instances.shape)


def mirror(places, length):
    """Fold coordinates (array or tensor) into 0..length - 1, as between two mirrors: -1 becomes 1.

    >>> mirror(np.arange(-2, 5), 3).tolist()
    [2, 1, 0, 1, 2, 1, 0]
    """
    period = max(2 * (length - 1), 1)
    places = places % period
    returning = places > period / 2  # the others stay as they are, to the last bit
    return abs(places - returning * period)


def neighbours(labels, corners=False):
    """The neighbours of each region of a label map (H, W): a dict of label -> set of labels, its own not among them.

    Regions touch if two of their pixels do, side by side or, with ``corners``, diagonally as well.

    >>> neighbours(np.array([[1, 1, 2], [3, 3, 3]]))
    {1: {2, 3}, 2: {1, 3}, 3: {1, 2}}
    """
    beside = [(labels[:-1], labels[1:]), (labels[:, :-1], labels[:, 1:])]
    if corners:
        beside += [(labels[:-1, :-1], labels[1:, 1:]), (labels[:-1, 1:], labels[1:, :-1])]
    pairs = np.concatenate([np.stack([here, there], axis=-1)[here != there] for here, there in beside])
    found = {label: set() for label in np.unique(labels).tolist()}
    for one, other in np.unique(pairs, axis=0).tolist():
        found[one].add(other)
        found[other].add(one)
    return found


def windows(masks):
    """The boxes that hold the pixels of masks (n, H, W): int (n, 4), left, top, right, bottom.

    Right and bottom are past the last pixel; a mask without any has 0, 0, 0, 0.

    >>> windows(np.array([[[False, True], [False, True]]])).tolist()
    [[1, 0, 2, 2]]
    """
    if masks.size == 0:
        return np.zeros((len(masks), 4), np.int64)
    columns, rows = masks.any(1), masks.any(2)
    first = [line.argmax(1) for line in (columns, rows)]
    last = [line.shape[1] - line[:, ::-1].argmax(1) for line in (columns, rows)]
    return np.where(rows.any(1)[:, None], np.stack(first + last, axis=1), 0)
