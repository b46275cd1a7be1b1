"""What every part of seglib does with arrays: take them from tensors, number labels, mirror at the edges."""

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


def mirror(places, length):
    """Fold coordinates (array or tensor) into 0..length - 1, as between two mirrors: -1 becomes 1.

    >>> mirror(np.arange(-2, 5), 3).tolist()
    [2, 1, 0, 1, 2, 1, 0]
    """
    period = max(2 * (length - 1), 1)
    places = places % period
    returning = places > period / 2  # the others stay as they are, to the last bit
    return abs(places - returning * period)
