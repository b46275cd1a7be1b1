"""Scores of a binary mask's outline. Plain IoU hardly notices the outline of a large object; these do."""

import numpy as np
from scipy import ndimage

from seglib.arrays import windows

from ._inputs import binary_pair, map_pair, mean_of_known
from .semantic import binary_iou


def boundary_f1(prediction, target, tolerance):
    """Boundary F1 (Csurka et al. 2013): how much of either outline lies close to the other one.

    The outline is made of the mask's pixels that have a neighbour (up, down, left, right) outside the mask.
    The picture's frame is no outline: an object that leaves the picture has none there. Precision is the
    share of predicted outline pixels within `tolerance` of the target's outline, recall the reverse.

    Parameters
    ----------
    prediction, target : (H, W) arrays or tensors of bool or of 0 and 1
    tolerance : float
        Largest distance in pixels, Euclidean, inclusive. SegNet uses 0.75 % of the picture's diagonal:
        ``0.0075 * np.hypot(height, width)``, about 1 px at 96 px, and averages over pictures.

    Returns
    -------
    float in 0..1
        With one outline missing 0.0; with both missing (masks that are empty or fill the picture) 1.0 if the masks
        are equal, else 0.0.
    """
    prediction, target = binary_pair(*map_pair(prediction, target))
    if tolerance < 0:
        raise ValueError(f"tolerance is {tolerance}; a distance in pixels, 0 or more, is wanted.")
    predicted, wanted = _outline(prediction), _outline(target)
    if not predicted.any() and not wanted.any():
        return float(np.array_equal(prediction, target))
    if not predicted.any() or not wanted.any():
        return 0.0
    precision = (ndimage.distance_transform_edt(~wanted)[predicted] <= tolerance).mean()
    recall = (ndimage.distance_transform_edt(~predicted)[wanted] <= tolerance).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def mean_boundary_f1(prediction, target, tolerance=None, ignore_index=255):
    """Boundary F1 of one picture: the mean over the classes that its target shows.

    The SegNet paper's tables hold the mean of such scores over pictures, but its authors' program differs in two
    ways, so the figures are not quite the same. It also counts classes that are only predicted, with an F1 of 0; here
    these are left out. And it matches outline pixels one to one; here one pixel may serve several. Pixels whose
    target is `ignore_index` are taken out of the prediction, too; the border of such a region is an outline of the
    classes beside it in both.

    Parameters
    ----------
    prediction, target : (H, W) integer arrays or tensors
        Class ids; the target may also hold `ignore_index`.
    tolerance : float, optional
        As for `boundary_f1`; by default 0.75 % of the picture's diagonal.

    Returns
    -------
    float in 0..1, NaN for a target that shows no class.
    """
    prediction, target = map_pair(prediction, target)
    if tolerance is None:
        tolerance = 0.0075 * float(np.hypot(*target.shape))
    prediction = np.where(target == ignore_index, ignore_index, prediction)
    shown = [k for k in np.unique(target) if k != ignore_index]
    return mean_of_known([boundary_f1(prediction == k, target == k, tolerance) for k in shown])


def boundary_iou(prediction, target, dilation_ratio=0.02):
    """Boundary IoU (Cheng et al. 2021): IoU of the bands inside the two masks along their outlines.

    A band is d = max(1, round(dilation_ratio * diagonal)) pixels wide: 2, 4, 7 px for squares of 64, 128,
    256 px. The world outside the picture counts as background, so here, as the paper has it, an object cut
    by the frame has its band there too.

    Parameters
    ----------
    prediction, target : (H, W) arrays or tensors of bool or of 0 and 1
    dilation_ratio : float
        Width of the band as a share of the picture's diagonal.

    Returns
    -------
    float in 0..1
        A band is empty only if its mask is: 1.0 for two empty masks, 0.0 for one.
    """
    prediction, target = binary_pair(*map_pair(prediction, target))
    if dilation_ratio <= 0:
        raise ValueError(f"dilation_ratio is {dilation_ratio}; a share of the diagonal above 0 is wanted.")
    width = max(1, round(dilation_ratio * float(np.hypot(*target.shape))))
    left, top, right, bottom = windows((prediction | target)[None])[0]
    window = slice(top, bottom), slice(left, right)  # around it is background anyway
    return binary_iou(_band(prediction[window], width), _band(target[window], width))


def _band(mask, width):
    """Pixels of a boolean mask (H, W) within `width` pixels of its outline, in the maximum norm."""
    # `width` erosions by 3x3 with zeros outside are one minimum over a square
    kept = ndimage.minimum_filter(mask.astype(np.uint8), size=2 * width + 1, mode="constant", cval=0)
    return mask & (kept == 0)


def _outline(mask):
    return mask & ~ndimage.binary_erosion(mask, border_value=1)
