"""Answers to the exercises of lesson 04, as learners give them."""

import numpy as np
import torch
from exercise_proof import mutation
from skimage.measure import label

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


def per_picture(logits, target):
    return torch.stack([q3.solution(logits[[i]], target[[i]]) for i in range(len(logits))]).mean()


def plain_iou(mask, instances):
    return metrics.binary_iou(mask, instances > 0)


def number_of_objects(mask, instances):
    return -abs(label(mask, connectivity=1).max() - instances.max()) + 0.001 * plain_iou(mask, instances)


WRONG = {
    "q1": [
        mutation(
            q1.solution, ("target[counted] * num_classes + prediction", "prediction[counted] * num_classes + target")
        ),
        mutation(
            q1.solution,
            ("target != 255", "target >= 0"),
            ("target[counted]", "np.minimum(target, num_classes - 1)[counted]"),
        ),
        mutation(q1.solution, ("    pair =", "    num_classes = target[counted].max() + 1\n    pair =")),
        mutation(q1.solution, ("(num_classes, num_classes)", "(num_classes, num_classes) / len(pair)")),
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
        mutation(q3.solution, ("target.masked_fill(target == 255, 0)", "target")),
        mutation(q3.solution, ("(target != 255)", "(target >= 0)")),
        mutation(q3.solution, ("(target != 255)", "(target >= 0)"), ("255, 0", "255, 2")),
        mutation(q3.solution, ("softmax(1) * counted", "softmax(1)")),
        per_picture,
        mutation(q3.solution, ("1 - dice", "dice")),
        mutation(q3.solution, ("1 - dice[size > 0].mean()", "-dice[size > 0].mean().log()")),
        mutation(q3.solution, ("dice[size > 0]", "dice")),
        mutation(q3.solution, (".softmax(1)", "")),
    ],
    "q4": [
        plain_iou,
        lambda mask, instances: metrics.boundary_f1(mask, instances > 0, tolerance=1),  # outline only
        mutation(q4.solution, (" + 0.001 * metrics.binary_iou(mask, instances > 0)", "")),
        mutation(q4.solution, ("0.001 * ", "")),
        mutation(q4.solution, ("return objects + 0.001", "return -objects - 0.001")),
        mutation(q4.solution, ("label(mask, connectivity=1)", "mask")),
        number_of_objects,
    ],
}
