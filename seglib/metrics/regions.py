"""Scores of a whole partition: label maps whose labels mean nothing, as clustering and superpixels give them.

Pixels where `target_map` is negative are void and never counted.
"""

import numpy as np
from scipy import ndimage
from skimage.measure import label

from seglib.arrays import relabel

from ._inputs import map_pair, pair_counts


def best_overlap(prediction_map, target_map):
    """IoU of every true region with the predicted region that fits it best.

    A prediction offers its labels (0 among them) and the 4-connected pieces of each label, so k-means may win
    with a cluster or with one blob of it. It is an upper limit: nothing has to say which region is which object.

    Parameters
    ----------
    prediction_map : (H, W) integer or bool array or tensor
    target_map : (H, W) integer array or tensor
        0 = outside all regions, 1.. = regions, below 0 = void.

    Returns
    -------
    (n,) float64 array in 0..1, in the order of the true regions' ids; empty if there are none.

    Examples
    --------
    >>> best_overlap([[3, 3, 3, 5], [3, 3, 3, 3]], [[1, 1, 1, 2], [1, 1, 0, 0]]).round(3).tolist()
    [0.714, 1.0]
    """
    prediction, target = _map_pair(prediction_map, target_map)
    best = 0.0
    for offered in (prediction, label(prediction, background=-1, connectivity=1)):
        table, ids = _shared(offered, target)
        union = table.sum(1, keepdims=True) + table.sum(0, keepdims=True) - table
        best = np.maximum(best, (table / union).max(1, initial=0.0))
    return best[ids > 0]


def boundary_recall(prediction_map, target_map, tolerance=2):
    """Share of the true boundary that has a predicted boundary within `tolerance` pixels.

    A pixel is on a boundary if its right or lower neighbour has another label. Swap the arguments for the
    precision.

    Parameters
    ----------
    prediction_map, target_map : (H, W) integer arrays or tensors
    tolerance : float
        Pixels, Euclidean, inclusive.

    Returns
    -------
    float in 0..1; 1.0 if there is no true boundary.
    """
    prediction, target = _map_pair(prediction_map, target_map)
    if tolerance < 0:
        raise ValueError(f"tolerance is {tolerance}; a distance in pixels, 0 or more, is wanted.")
    wanted, found = _boundaries(target), _boundaries(prediction)
    if not wanted.any():
        return 1.0
    return float((ndimage.distance_transform_edt(~found)[wanted] <= tolerance).mean()) if found.any() else 0.0


def label_boundary_f1(prediction_map, target_map, tolerance=2):
    """Harmonic mean of the boundaries' precision and recall (Martin, Fowlkes & Malik 2004, without their matching).

    Parameters and range are those of `boundary_recall`. `boundary_f1` does the same for one binary mask.
    """
    prediction, target = _map_pair(prediction_map, target_map)
    prediction[target < 0] = -1  # what is predicted inside void is neither right nor wrong
    precision = boundary_recall(target, prediction, tolerance)
    recall = boundary_recall(prediction, target, tolerance)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def undersegmentation_error(prediction_map, target_map):
    """Share of pixels that leak over a true boundary (Neubert & Protzel 2012): superpixels should not straddle one.

    Where a superpixel lies in several true regions (outside counts as one), the smaller of its parts inside
    and outside of each is the leak.

    Parameters
    ----------
    prediction_map, target_map : (H, W) integer arrays or tensors

    Returns
    -------
    float, 0 = no superpixel crosses a boundary; it can pass 1 only for superpixels that cross many.

    Examples
    --------
    >>> undersegmentation_error([[1, 1, 1, 2, 2]], [[1, 1, 2, 2, 2]])
    0.4
    """
    table, _ = _shared(*_map_pair(prediction_map, target_map))
    return float(np.minimum(table, table.sum(0) - table).sum() / table.sum()) if table.sum() else 0.0


def _map_pair(prediction_map, target_map):
    return (labels.astype(np.int64) for labels in map_pair(prediction_map, target_map))


def _shared(prediction, target):
    """Pixels shared by (true, predicted) labels, dense, and the true labels; void left out, truth 0 kept."""
    counted = target >= 0
    rows, ids = relabel(target[counted])
    columns, labels = relabel(prediction[counted])
    return pair_counts(rows, columns, (len(ids), len(labels))), ids


def _boundaries(labels):
    """Pixels with another label to the right or below; steps into and out of void are none."""
    found = np.zeros(labels.shape, bool)
    found[:-1] |= _differ(labels[:-1], labels[1:])
    found[:, :-1] |= _differ(labels[:, :-1], labels[:, 1:])
    return found


def _differ(here, there):
    return (here != there) & (here >= 0) & (there >= 0)
