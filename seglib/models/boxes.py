"""Boxes: where anchors stand, which object each is for, which of them are trained on, how a box is written as a code.

A box is x1, y1, x2, y2 in pixels; its width is x2 - x1. Boxes come as float tensors (n, 4).
"""

import math

import torch
from torch.nn import functional as F

BACKGROUND, UNSURE = -1, -2  # what `match` says of boxes that belong to no object
LARGEST_STEP = math.log(1000 / 16)  # a code may enlarge a box 62.5-fold at most, so that exp never overflows


def anchor_shapes(sizes, ratios=(0.5, 1.0, 2.0)):
    """The anchors of one place: a box of area size ** 2 for every ratio (height / width) and size, centred on 0, 0.

    Returns float (len(ratios) * len(sizes), 4), the sizes of one ratio beside each other, in whole half-sides.

    Examples
    --------
    >>> anchor_shapes([32]).tolist()
    [[-23.0, -11.0, 23.0, 11.0], [-16.0, -16.0, 16.0, 16.0], [-11.0, -23.0, 11.0, 23.0]]
    """
    root = torch.tensor(ratios).sqrt()[:, None]
    sizes = torch.tensor(sizes, dtype=torch.float32)
    widths, heights = (sizes / root).flatten(), (sizes * root).flatten()
    return (torch.stack([-widths, -heights, widths, heights], dim=1) / 2).round()


def grid_anchors(shapes, grid, stride):
    """Stand the shapes (A, 4) at every cell of a feature map: (grid height * grid width * A, 4), row by row.

    ``grid`` is the map's (height, width), ``stride`` the pixels (down, across) from one cell to the next. Cell 0, 0
    has its anchors around the corner 0, 0 of the picture.
    """
    y = torch.arange(grid[0], device=shapes.device) * stride[0]
    x = torch.arange(grid[1], device=shapes.device) * stride[1]
    y, x = torch.meshgrid(y, x, indexing="ij")
    places = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)
    return (places + shapes).reshape(-1, 4)


def match(overlaps, high, low, keep_best=False):
    """Give every box an object: the one that it overlaps most, if it does so well enough.

    Parameters
    ----------
    overlaps : (objects, boxes) float tensor
        IoU of every object with every box (`torchvision.ops.box_iou`).
    high, low : float
        A box belongs to its object from IoU ``high`` on, and is background below ``low``.
    keep_best : bool
        The boxes that overlap some object more than all others do, ties included, belong to their object however
        little that is: so no object goes without (Ren et al. 2015). Boxes without any overlap never do.

    Returns
    -------
    (boxes,) int64 tensor
        The object's index, BACKGROUND (-1), or UNSURE (-2) between ``low`` and ``high``.
    """
    if len(overlaps) == 0:
        return torch.full(overlaps.shape[1:], BACKGROUND, device=overlaps.device)
    best, nearest = overlaps.max(dim=0)
    matches = nearest.clone()
    matches[best < high] = UNSURE
    matches[best < low] = BACKGROUND
    if keep_best:
        best_of_object = overlaps.max(dim=1, keepdim=True).values
        kept = ((overlaps == best_of_object) & (overlaps > 0)).any(dim=0)
        matches[kept] = nearest[kept]
    return matches


def sample(matches, count, positive_share):
    """Choose at random which boxes to train on: ``count`` of them, a share of which belong to objects.

    Where there are too few positive boxes, background takes their places; UNSURE ones are never chosen. Draws from
    torch's global generator. Returns the indices (positive, background), in random order.
    """
    positive, background = torch.where(matches >= 0)[0], torch.where(matches == BACKGROUND)[0]
    positives = min(len(positive), int(count * positive_share))
    backgrounds = min(len(background), count - positives)
    positive = positive[torch.randperm(len(positive), device=matches.device)[:positives]]
    background = background[torch.randperm(len(background), device=matches.device)[:backgrounds]]
    return positive, background


def encode(boxes, references, weights=(1.0, 1.0, 1.0, 1.0)):
    """Write boxes (n, 4) as seen from reference boxes (n, 4): the codes that a network learns to predict.

    A code is the step from centre to centre in widths and heights of the reference, and the logarithms of the
    ratios of widths and heights (Girshick et al. 2014); each of the four times its weight, so that all come out
    of a size near 1. A box of no width or height gives -inf.

    Examples
    --------
    >>> encode(torch.tensor([[10.0, 0, 20, 20]]), torch.tensor([[0.0, 0, 10, 10]])).round(decimals=3).tolist()
    [[1.0, 0.5, 0.0, 0.6930000185966492]]
    """
    size, reference_size = boxes[:, 2:] - boxes[:, :2], references[:, 2:] - references[:, :2]
    step = (boxes[:, :2] + 0.5 * size) - (references[:, :2] + 0.5 * reference_size)
    codes = torch.cat([step / reference_size, torch.log(size / reference_size)], dim=1)
    return codes * codes.new_tensor(weights)


def decode(codes, references, weights=(1.0, 1.0, 1.0, 1.0)):
    """Read codes (n, 4), or (n, K, 4) with one for each class, back into boxes of that shape: undoes `encode`."""
    if codes.ndim == 3:
        references = references[:, None]
    codes = codes / codes.new_tensor(weights)
    reference_size = references[..., 2:] - references[..., :2]
    centre = codes[..., :2] * reference_size + (references[..., :2] + 0.5 * reference_size)
    size = torch.exp(codes[..., 2:].clamp(max=LARGEST_STEP)) * reference_size
    return torch.cat([centre - 0.5 * size, centre + 0.5 * size], dim=-1)


def code_loss(codes, boxes, references, weights=(1.0, 1.0, 1.0, 1.0)):
    """How wrong codes (n, 4) are about boxes seen from references: smooth L1, a straight line from 1/9 on, summed."""
    return F.smooth_l1_loss(codes, encode(boxes, references, weights), beta=1 / 9, reduction="sum")


def scale_boxes(boxes, old, new):
    """Move boxes from a picture of size ``old`` (height, width) to the same picture at size ``new``."""
    across, down = new[1] / old[1], new[0] / old[0]
    return boxes * boxes.new_tensor([across, down, across, down])


def at_least_float32(x):
    """x in float32, or in float64 if it is that: the 8 bits of bfloat16 would put boxes whole pixels off."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
