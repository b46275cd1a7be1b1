"""Answers to the exercises of lesson 04, as learners give them."""

import numpy as np
from exercise_proof import mutation
from scipy import ndimage
from skimage.measure import label
from skimage.segmentation import find_boundaries

from seglib import metrics
from seglib.exercises.measuring import q1, q2, q3, q4


def with_a_loop(prediction, target, num_classes):
    matrix = np.zeros((num_classes, num_classes), int)
    for truth, guess in zip(target.ravel(), prediction.ravel(), strict=True):
        if truth != 255:
            matrix[truth, guess] += 1
    return matrix


def only_hits(prediction, target, num_classes):
    return np.diag(np.bincount(target[target == prediction], minlength=num_classes))


def adding_at(prediction, target, num_classes):
    matrix = np.zeros((num_classes, num_classes), int)
    counted = target != 255
    np.add.at(matrix, (target[counted], prediction[counted]), 1)  # IndexError where there is no such column
    return matrix


def through_one_hot(prediction, target, num_classes):
    counted = target != 255
    rows, columns = np.eye(num_classes, dtype=int)[target[counted]], np.eye(num_classes, dtype=int)[prediction[counted]]
    return rows.T @ columns


def by_nearest_pixels(prediction, truth):
    """Every pair of outline pixels, without a distance transform."""
    rims = [np.argwhere(mask & ~ndimage.binary_erosion(mask, border_value=1)) for mask in (prediction, truth)]
    if min(map(len, rims)) == 0:
        return 0 if max(map(len, rims)) == 0 else float("inf")
    apart = np.linalg.norm(rims[0][:, None] - rims[1][None], axis=-1)
    return np.maximum(*(np.quantile(apart.min(axis), 0.95) for axis in (0, 1)))


def inner_boundaries(prediction, truth):
    """scikit-image's outlines; where there is none, the distances are an empty list."""
    rims = [find_boundaries(mask, connectivity=1, mode="inner") & mask for mask in (prediction, truth)]
    if not (rims[0].any() and rims[1].any()):
        return np.inf if rims[0].any() or rims[1].any() else 0.0
    far = [ndimage.distance_transform_edt(~rims[1 - i])[rims[i]] for i in (0, 1)]
    return float(max(np.percentile(each, 95) for each in far))


def count_error_first(mask, instances):
    """Merged objects, then the difference of the two counts: a miss and a speck cancel."""
    found = label(mask, connectivity=1)
    iou = metrics.binary_iou(mask, instances > 0)
    return -10 * metrics.merged_objects(found, instances) - abs(int(found.max()) - instances.max()) + 1e-3 * iou


def dice_second(mask, instances):
    found = label(mask, connectivity=1)
    return 100 * metrics.instance_f1(found, instances).f1 + metrics.binary_dice(mask, instances > 0)


def plain_iou(mask, instances):
    return metrics.binary_iou(mask, instances > 0)


WRONG = {
    "q1": [
        mutation(q1.solution, ("target[counted].astype", "prediction[counted].astype"), ("+ prediction", "+ target")),
        mutation(
            q1.solution,
            ("target != 255", "target >= 0"),
            ("target[counted].", "np.minimum(target, num_classes - 1)[counted]."),
        ),
        mutation(q1.solution, ("    pair =", "    num_classes = target[counted].max() + 1\n    pair =")),
        mutation(q1.solution, ("(num_classes, num_classes)", "(num_classes, num_classes) / len(pair)")),
        mutation(q1.solution, (".astype(int)", "")),  # wraps around in uint8
        mutation(q1.solution, ("prediction[counted].max(initial=0) >= num_classes", "False")),  # lands in another row
        mutation(q1.solution, ("target != 255", "(target != 255) & (prediction < num_classes)")),
        *(with_a_loop, only_hits),
    ],
    "q2": [
        lambda matrix: np.nan_to_num(metrics.iou(matrix), nan=0).mean(),  # absent is zero
        lambda matrix: np.nan_to_num(metrics.iou(matrix), nan=1).mean(),  # absent is one
        lambda matrix: metrics.iou(matrix).mean(),  # nan spreads
        mutation(q2.solution, ("matrix.sum(0) + matrix.sum(1) - hits", "matrix.sum(1)")),
        mutation(q2.solution, ("hits[occurs] /", "2 * hits[occurs] /"), (" - hits", "")),
        lambda matrix: matrix.trace() / (2 * matrix.sum() - matrix.trace()),  # pooled over classes
        mutation(q2.solution, ("union > 0", "matrix.sum(1) > 0")),
    ],
    "q3": [
        mutation(q3.solution, ("return max(np.percentile(distances[1][outlines[0]], 95), ", "return max(0, ")),
        mutation(q3.solution, (", np.percentile(distances[0][outlines[1]], 95))", ", 0)")),
        mutation(q3.solution, ("outlines[0]], 95)", "outlines[0]], 100)"), ("outlines[1]], 95)", "outlines[1]], 100)")),
        mutation(q3.solution, ("mask & ~ndimage.binary_erosion(mask, border_value=1)", "mask")),
        mutation(q3.solution, (", border_value=1", "")),
        mutation(q3.solution, ("return max(", "return 0.5 * sum(("), ("outlines[1]], 95))", "outlines[1]], 95)))")),
        mutation(q3.solution, ("return np.inf", "return np.nan")),
        mutation(q3.solution, ("return 0.0", "return np.inf")),
        mutation(q3.solution, ("edt(~outline)", "edt(outline)")),
    ],
    "q4": [
        plain_iou,
        lambda mask, instances: metrics.boundary_f1(mask, instances > 0, tolerance=1),  # outline only
        mutation(q4.solution, (" + 0.001 * metrics.binary_iou(mask, instances > 0)", "")),
        mutation(q4.solution, ("0.001 * ", "")),
        mutation(q4.solution, ("return objects + 0.001", "return -objects - 0.001")),
        mutation(q4.solution, ("label(mask, connectivity=1)", "mask")),
        count_error_first,
    ],
}

RIGHT = {
    "q1": [adding_at, through_one_hot],
    "q2": [lambda matrix: float(np.nanmean(metrics.iou(matrix)))],
    "q3": [by_nearest_pixels, inner_boundaries],
    "q4": [dice_second],
}
