"""IoU of every predicted with every true object, as boxes, masks and boundaries, the crowds by COCO's rule.

All functions take the `Objects` of a picture's prediction and target, and `asked` (D, G) bool, the pairs that matter;
the rest stays 0. All return (D, G) float64. A crowd, a region with objects too many to outline one by one, is not
asked to be covered: its "IoU" is the share of the detection that lies in it. An empty region has IoU 0 with anything.
"""

import numpy as np

from seglib.arrays import windows

from .boundary import boundary_iou


def box_iou(prediction, target, asked):
    """IoU of boxes."""
    low, high = _intersections(prediction.regions, target.regions)
    shared = np.where(asked, np.maximum(high - low, 0).prod(-1), 0)
    return _iou(shared, prediction.extents, target.extents, target.crowd)


def mask_iou(prediction, target, asked):
    """IoU of masks."""
    shared = _shared(prediction.regions, target.regions, asked)
    return _iou(shared, prediction.extents, target.extents, target.crowd)


def mask_and_boundary_iou(prediction, target, asked):
    """The smaller one of mask IoU and boundary IoU (Cheng et al. 2021); of crowds the mask's alone."""
    iou = mask_iou(prediction, target, asked)
    for row, column in np.argwhere((iou > 0) & ~target.crowd):
        boundary = boundary_iou(prediction.regions[row], target.regions[column])
        iou[row, column] = min(iou[row, column], boundary)
    return iou


def _iou(shared, predicted, true, crowd):
    whole = np.where(crowd, predicted[:, None], predicted[:, None] + true - shared)
    return np.divide(shared, whole, out=np.zeros(shared.shape), where=shared > 0)


def _shared(predicted, true, asked):
    """Pixels that masks share, counted where their windows meet."""
    low, high = _intersections(windows(predicted), windows(true))
    shared = np.zeros(asked.shape)
    rows, columns = np.nonzero(asked & (low < high).all(-1))
    corners = np.concatenate([low[rows, columns], high[rows, columns]], axis=1).tolist()
    for row, column, (left, top, right, bottom) in zip(rows.tolist(), columns.tolist(), corners, strict=True):
        both = predicted[row, top:bottom, left:right] & true[column, top:bottom, left:right]
        shared[row, column] = np.count_nonzero(both)
    return shared


def _intersections(first, second):
    """Corners (D, G, 2) of where boxes meet; low is not below high where they do not."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    return low, np.minimum(first[:, None, 2:], second[None, :, 2:])
