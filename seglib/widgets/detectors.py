"""Two explorers of what detectors do with boxes: anchors that become positive, answers that suppress each other."""

import numpy as np

from seglib.plotting import draw_boxes, to_rgb
from seglib.widgets._explorer import Explorer, choice, count, slider

_TRUTH, _POSITIVE, _BEST, _DOUBLE, _FALSE = 10, 7, 1, 8, 6  # places in the palette
_SHOWN = 288  # px; the longer side of the drawn picture, about
_FOUND = 0.5  # IoU from which a box is right


def anchor_explorer(image, boxes):
    """Anchors: choose their size, shape and distance, and the IoU from which they count as positive.

    Anchors of one size and shape stand at every cell of a map. Drawn are those from which a detector would learn that
    there is an object: because of their IoU, or because no other anchor fits the object better.

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
        colors = [_TRUTH] * len(truth) + np.where(good, _POSITIVE, _BEST).tolist()
        served, best = len(matches[positive].unique()), overlaps.max(1).values.mean().item()
        status = f"{len(positive)} of {count(len(anchors), 'anchor')} positive, for {served} of "
        status += f"{count(len(truth), 'object')}; best IoU {best:.2f} in the mean"
        return draw_boxes(image, drawn, colors, zoom=zoom, width=1), status

    longest = max(height, width)
    controls = [
        slider("size", "size", 4, max(8, longest), 1, max(4, longest // 4)),
        slider("ratio", "height : width", 0.25, 4, 0.05, 1),
        slider("stride", "stride", 2, 32, 2, 8),
        slider("high", "positive from IoU", 0.1, 0.95, 0.05, 0.5),
        choice("keep_best", "best of each object, too", ["yes", "no"]),
    ]
    legend = [(_TRUTH, "object"), (_POSITIVE, "positive by its IoU"), (_BEST, "only the best")]
    return Explorer("Positive anchors", controls, legend, solve)


def nms_explorer(image, found, boxes):
    """Non-maximum suppression: choose which scores count and how much answers may overlap, and see what is left.

    From the best score down, an answer that lies on an object (IoU 0.5 or more) is a hit if no better one took that
    object, and a double if one did; all others are false alarms. Classes only decide who suppresses whom.

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
            if overlap < _FOUND:
                kinds.append(_FALSE)
            elif nearest.item() in taken:
                kinds.append(_DOUBLE)
            else:
                kinds.append(_POSITIVE)
                taken.add(nearest.item())
        # from the last to the first, so that the best one lies on top
        picture = draw_boxes(image, answers[kept].flip(0), np.array(kinds[::-1], int), zoom=zoom)
        status = f"{len(kept)} of {count(len(scores), 'answer')} left: {len(taken)} of {count(len(truth), 'object')} "
        status += f"found, {count(kinds.count(_DOUBLE), 'double')}, {count(kinds.count(_FALSE), 'false alarm')}"
        return picture, status

    controls = [
        slider("threshold", "overlap allowed (IoU)", 0, 1, 0.05, 0.5),
        slider("least", "least score", 0, 0.95, 0.05, 0.3),
        choice("groups", "suppression", ["within classes", "across all"]),
    ]
    legend = [(_POSITIVE, "hit"), (_DOUBLE, "double"), (_FALSE, "false alarm")]
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
