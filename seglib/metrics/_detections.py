"""What average precision asks of a picture's predictions and targets: equal lengths, proper boxes and masks."""

from dataclasses import dataclass

import numpy as np

from seglib.arrays import to_numpy

from ._inputs import entry


@dataclass(frozen=True)
class Objects:
    """The n objects of one picture, predicted or true.

    `regions` are what is compared: boxes (n, 4) xyxy float64 or masks (n, H, W) bool; `extents` (n,) their areas.
    `areas` (n,) decide which of COCO's ranges of size an object belongs to. Predictions have `scores`, targets `crowd`.
    """

    labels: np.ndarray
    regions: np.ndarray
    extents: np.ndarray
    areas: np.ndarray
    scores: np.ndarray | None = None
    crowd: np.ndarray | None = None


def read_prediction(picture, index, kind):
    """Objects of ``predictions[index]``."""
    name = f"predictions[{index}]"
    labels = _labels(picture, name)
    scores = _column(picture, "scores", name, len(labels))
    if np.isnan(scores).any():
        raise ValueError(f"{name}: scores hold NaN, which cannot be ranked. Usual cause: a training that diverged.")
    regions, extents = _regions(picture, name, kind, len(labels), predicted=True)
    return Objects(labels, regions, extents, extents, scores=scores)


def read_target(picture, index, kind):
    """Objects of ``targets[index]``."""
    name = f"targets[{index}]"
    labels = _labels(picture, name)
    regions, extents = _regions(picture, name, kind, len(labels), predicted=False)
    areas = _column(picture, "area", name, len(labels)) if "area" in picture else extents
    crowd = read_crowd(picture, name, len(labels)) if "iscrowd" in picture else np.zeros(len(labels), bool)
    return Objects(labels, regions, extents, areas, crowd=crowd)


def read_crowd(picture, name, count):
    """The flags "iscrowd" of `count` objects as booleans."""
    flags = _column(picture, "iscrowd", name, count)
    if not np.isin(flags, (0, 1)).all():
        raise ValueError(f"{name}: iscrowd holds {flags.max():g}; 0 (an object) or 1 (a crowd) is wanted for each.")
    return flags.astype(bool)


def require_same_size(prediction, target, index):
    """ValueError unless predicted and true masks have the picture's size in common."""
    shapes = prediction.regions.shape[1:], target.regions.shape[1:]
    if len(prediction.labels) and len(target.labels) and shapes[0] != shapes[1]:
        raise ValueError(
            f"picture {index}: the predicted masks are {shapes[0]}, the true ones {shapes[1]} (height, width). "
            f"Usual causes: masks not pasted back into the picture, or a picture resized without its target."
        )


def _labels(picture, name):
    labels = to_numpy(entry(picture, "labels", name))
    if labels.ndim != 1 or (labels.size and not np.issubdtype(labels.dtype, np.integer)):
        raise ValueError(
            f"{name}: labels have shape {labels.shape} and dtype {labels.dtype}; (n,) integers are wanted."
        )
    if labels.size and labels.min() < 1:
        raise ValueError(
            f"{name}: labels hold {labels.min()}; classes from 1 are wanted, 0 is the background in detection. "
            f"Usual cause: class ids that start at 0 (add 1 to predictions and targets)."
        )
    return labels.astype(np.int64)


def _column(picture, key, name, count):
    """(n,) numbers as float64."""
    values = to_numpy(entry(picture, key, name))
    if values.shape != (count,):
        raise ValueError(f"{name}: {key} has shape {values.shape}, labels ({count},); they must agree.")
    return values.astype(np.float64)


def _regions(picture, name, kind, count, predicted):
    """Boxes or masks, and the area of each."""
    if kind == "box":
        boxes = _boxes(to_numpy(entry(picture, "boxes", name)), name, count)
        return boxes, (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    masks = _masks(entry(picture, "masks", name), name, count, predicted)
    return masks, np.array([np.count_nonzero(mask) for mask in masks], np.float64)


def _boxes(boxes, name, count):
    if boxes.size == 0 and count == 0:
        return np.zeros((0, 4))
    if boxes.shape != (count, 4):
        raise ValueError(f"{name}: boxes have shape {boxes.shape}; ({count}, 4) is wanted, as many as labels.")
    boxes = boxes.astype(np.float64)
    wrong = ~(np.isfinite(boxes).all(1) & (boxes[:, :2] <= boxes[:, 2:]).all(1))
    if wrong.any():
        number = int(wrong.argmax())
        raise ValueError(
            f"{name}: box {number} is {boxes[number].tolist()}; (left, top, right, bottom) with left <= right and "
            f"top <= bottom is wanted. Usual cause: COCO's (left, top, width, height)."
        )
    return boxes


def _masks(masks, name, count, predicted):
    masks = masks.detach() if hasattr(masks, "detach") else np.asarray(masks)
    if count == 0 and masks.shape[:1] == (0,):
        return np.zeros((0, 0, 0), bool)
    if predicted and masks.ndim == 4 and masks.shape[1] == 1:
        masks = masks[:, 0]
    if masks.ndim != 3 or len(masks) != count:
        raise ValueError(
            f"{name}: masks have shape {tuple(masks.shape)}; ({count}, H, W) is wanted, as many as labels. "
            f"Usual cause: an instance map, to be cut into one mask per object (instances == id)."
        )
    dtype = str(masks.dtype).removeprefix("torch.")
    if dtype == "bool":
        return to_numpy(masks)
    if "float" in dtype and not predicted:
        raise ValueError(f"{name}: masks have dtype {dtype}; true masks are boolean or integers of 0 and 1.")
    low, high = (masks.min().item(), masks.max().item()) if 0 not in masks.shape else (0, 0)
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"{name}: masks hold values from {low:g} to {high:g}; 0 and 1 are wanted, or probabilities between "
            f"them from a network. Usual causes: a 0/255 picture (use mask > 0), or logits (take the sigmoid)."
        )
    return to_numpy(masks > 0.5 if "float" in dtype else masks == 1)
