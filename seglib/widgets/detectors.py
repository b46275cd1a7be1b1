"""Two explorers of what detectors do with boxes: anchors that become positive, answers that suppress each other."""

import numpy as np

from seglib.plotting import PALETTE, draw_boxes, to_rgb
from seglib.widgets._explorer import Explorer
from seglib.widgets.explorers import _choice, _count, _slider

_TRUTH, _POSITIVE, _BEST, _DOUBLE, _FALSE = 10, 7, 1, 8, 6  # places in the palette
_SHOWN = 288  # px; the longer side of the drawn picture, about
_FOUND = 0.5  # IoU from which a box is right


def anchor_explorer(image, boxes):
    """Anchors: choose their size, shape and distance, and the IoU from which they count as positive.

    A picture's anchors of one size and shape stand at every cell of a map. Drawn are those that a detector would
    learn as positive: for their IoU, or because no other anchor fits their object better.

    Parameters
    ----------
    image : see `seglib.plotting.to_rgb`
    boxes : (n, 4) array or tensor
        The true objects, x1, y1, x2, y2 in pixels; at least one.

    Returns
    -------
    Explorer

    Raises
    ------
    ValueError
        For what `seglib.plotting.to_rgb` cannot take, and boxes of another shape or without an area.
    """
    from torchvision.ops import box_iou  # slow to import: only where it is used

    from seglib.models.boxes import anchor_shapes, grid_anchors, match

    image, truth, zoom = _prepared(image, boxes)
    height, width = image.shape[:2]

    def solve(size, ratio, stride, high, keep_best):
        grid = -(-height // stride), -(-width // stride)
        anchors = grid_anchors(anchor_shapes([size], [ratio]), grid, (stride, stride))
        overlaps = box_iou(truth, anchors)
        matches = match(overlaps, high, min(high, 0.3), keep_best == "yes")
        positive = np.flatnonzero(matches >= 0)
        good = (overlaps.max(0).values >= high).numpy()[positive]
        drawn = np.concatenate([truth.numpy(), anchors.numpy()[positive]])
        picture = draw_boxes(
            image, drawn, [_TRUTH] * len(truth) + np.where(good, _POSITIVE, _BEST).tolist(), (), zoom, 1
        )
        served = len(np.unique(matches.numpy()[positive]))
        status = f"{len(positive)} of {_count(len(anchors), 'anchor')} positive, for {served} of "
        best = overlaps.max(1).values.mean().item()
        return picture, status + f"{_count(len(truth), 'object')}; best IoU {best:.2f} in the mean"

    longest = max(height, width)
    controls = [
        _slider("size", "size", 4, max(8, longest), 1, max(4, longest // 4)),
        _slider("ratio", "height : width", 0.25, 4, 0.05, 1),
        _slider("stride", "stride", 2, 32, 2, 8),
        _slider("high", "positive from IoU", 0.1, 0.95, 0.05, 0.5),
        _choice("keep_best", "best of each object, too", ["yes", "no"]),
    ]
    legend = [
        (PALETTE[_TRUTH], "object"),
        (PALETTE[_POSITIVE], "positive by its IoU"),
        (PALETTE[_BEST], "only the best"),
    ]
    return Explorer("Positive anchors", controls, legend, solve)


def nms_explorer(image, found, boxes):
    """Non-maximum suppression: choose which scores count and how much answers may overlap, and see what is left.

    Best score first, an answer is a hit if it lies on an object (IoU 0.5) that no better one took, a double if a
    better one took it, else a false alarm. Classes decide only who suppresses whom.

    Parameters
    ----------
    image : as `anchor_explorer`
    found : dict
        Answers before suppression: "boxes" (n, 4), "scores" (n,) in 0..1, and "labels" (n,).
    boxes : (m, 4) array or tensor
        The true objects; at least one.

    Returns and raises what `anchor_explorer` does.
    """
    import torch
    from torchvision.ops import batched_nms, box_iou

    image, truth, zoom = _prepared(image, boxes)
    answers, scores, labels = (torch.as_tensor(found[key]) for key in ("boxes", "scores", "labels"))
    answers, scores = answers.float(), scores.float()
    overlaps = box_iou(answers, truth)

    def solve(threshold, least, groups):
        chosen = torch.where(scores >= least)[0]
        group = labels[chosen] if groups == "within classes" else torch.zeros_like(chosen)
        kept = chosen[batched_nms(answers[chosen], scores[chosen], group, threshold)]
        kinds, taken = [], set()
        for overlap, nearest in zip(*overlaps[kept].max(1), strict=True):
            right = overlap.item() >= _FOUND
            kinds.append((_DOUBLE if nearest.item() in taken else _POSITIVE) if right else _FALSE)
            taken |= {nearest.item()} if right else set()
        order = np.arange(len(kept))[::-1]  # the best one on top
        picture = draw_boxes(image, answers[kept].numpy()[order], np.array(kinds, int)[order], (), zoom)
        counts = [f"{len(taken)} of {_count(len(truth), 'object')} found", _count(kinds.count(_DOUBLE), "double")]
        counts.append(_count(kinds.count(_FALSE), "false alarm"))
        return picture, f"{len(kept)} of {_count(len(scores), 'answer')} left: " + ", ".join(counts)

    controls = [
        _slider("threshold", "overlap allowed (IoU)", 0, 1, 0.05, 0.5),
        _slider("least", "least score", 0, 0.95, 0.05, 0.3),
        _choice("groups", "suppression", ["within classes", "across all"]),
    ]
    legend = [(PALETTE[_POSITIVE], "hit"), (PALETTE[_DOUBLE], "double"), (PALETTE[_FALSE], "false alarm")]
    return Explorer("Answers after non-maximum suppression", controls, legend, solve)


def _prepared(image, boxes):
    """Picture, boxes as a float tensor, and how often the picture is enlarged."""
    import torch

    image, boxes = to_rgb(image), torch.as_tensor(boxes).float()
    if boxes.ndim != 2 or boxes.shape[1] != 4 or len(boxes) == 0:
        raise ValueError(f"boxes have shape {tuple(boxes.shape)}; (n, 4) is wanted, with one object at least")
    if not (boxes[:, 2:] > boxes[:, :2]).all():
        raise ValueError("a box has no area; x1, y1, x2, y2 are wanted. Usual cause: x, y, width, height")
    return image, boxes, max(1, _SHOWN // max(image.shape[:2]))
