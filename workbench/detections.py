"""A detector's answers on pictures of any size: window by window, every object once."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from seglib.training import predict_detector
from workbench.objects import boxes
from workbench.tiles import tiles

SCORE = 0.5  # detections below it are left out of label maps and figures


def detect(network, read, size, tile, overlap, show=lambda share: None):
    """Find the objects of a picture, best first.

    A window keeps the objects whose box has its middle nearer to it than to its neighbours, so that each comes from
    where most of it is seen; see `paint` for those that two windows found all the same. Objects larger than
    ``overlap`` may be cut at a window's edge.

    Parameters
    ----------
    network : a detector of masks
    read : callable
        ``read(top, bottom)`` gives these rows of the prepared picture, a float32 tensor (C, bottom - top, W).
    size : (height, width)
    tile, overlap : int
        Pixels.
    show : callable
        Called with the share that is done, 0 to 1.

    Returns
    -------
    list of (score, label, top, left, mask) : float, int, int, int, bool array (h, w) cut to its bounding box
    """
    found = []
    for top, bottom in tiles(size[0], tile, overlap):
        band = read(top, bottom)
        for left, right in tiles(size[1], tile, overlap):
            (answer,) = predict_detector(network, [{"image": band[..., left:right]}])
            for number in torch.nonzero(answer["scores"] >= SCORE).flatten().tolist():
                x1, y1, x2, y2 = answer["boxes"][number].tolist()
                inside = own((x1 + x2) / 2, right - left, left > 0, right < size[1], overlap)
                inside = inside and own((y1 + y2) / 2, bottom - top, top > 0, bottom < size[0], overlap)
                y, x = max(math.floor(y1) - 1, 0), max(math.floor(x1) - 1, 0)  # masks lie in their boxes, rounded
                mask = answer["masks"][number, 0, y : math.ceil(y2) + 1, x : math.ceil(x2) + 1].numpy() >= 0.5
                if inside:
                    score, label = float(answer["scores"][number]), int(answer["labels"][number])
                    parts = boxes(mask.astype(np.uint8))
                    found += [(score, label, top + y + row, left + x + column, part) for row, column, part in parts]
        show(bottom / size[0])
    return sorted(found, key=lambda each: -each[0])


def own(middle, length, before, after, overlap):
    """Whether a place of a window belongs to it: half of the overlap with a window before or after it does not."""
    return (not before or middle >= overlap / 2) and (not after or middle < length - overlap / 2)


def paint(found, size):
    """Draw objects, best first, where no better one is; those of which less than half is free are seen twice.

    Returns
    -------
    (instances, kept) : int32 (height, width), 0 = none, 1..n, and the n objects as they were drawn
    """
    instances, kept = np.zeros(size, np.int32), []
    for each in found:
        _, _, top, left, mask = each
        window = instances[top : top + mask.shape[0], left : left + mask.shape[1]]
        free = mask & (window == 0)
        if 2 * free.sum() >= mask.sum():
            kept.append((*each[:-1], free))
            window[free] = len(kept)
    return instances, kept


def enlarged(detection, step, size):
    """A detection of a picture that was reduced by ``step``, in the picture itself, of ``size`` (height, width)."""
    score, label, top, left, mask = detection
    if step == 1:
        return detection
    # With a frame around it, so that the outline can be interpolated on all sides.
    framed = torch.from_numpy(np.pad(mask, 1).astype(np.float32))[None, None]
    large = F.interpolate(framed, scale_factor=step, mode="bilinear")[0, 0].numpy() >= 0.5
    large = large[step:-step, step:-step][: size[0] - top * step, : size[1] - left * step]
    return score, label, top * step, left * step, large
