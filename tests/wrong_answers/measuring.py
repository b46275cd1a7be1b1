"""Wrong answers to the exercises of lesson 04, as learners give them."""

import numpy as np
import torch
from skimage.measure import label
from torch.nn import functional as F

from seglib import metrics


def swapped(prediction, target, num_classes):
    counted = target != 255
    pair = prediction[counted] * num_classes + target[counted]
    return np.bincount(pair, minlength=num_classes**2).reshape(num_classes, num_classes)


def void_is_the_last_class(prediction, target, num_classes):
    pair = np.minimum(target, num_classes - 1) * num_classes + prediction
    return np.bincount(pair.ravel(), minlength=num_classes**2).reshape(num_classes, num_classes)


def only_classes_that_occur(prediction, target, num_classes):
    counted = target != 255
    seen = target[counted].max() + 1
    pair = target[counted] * seen + prediction[counted]
    return np.bincount(pair, minlength=seen**2).reshape(seen, seen)


def shares(prediction, target, num_classes):
    return metrics.confusion_matrix(prediction, target, num_classes) / (target != 255).sum()


def with_a_loop(prediction, target, num_classes):
    matrix = np.zeros((num_classes, num_classes), int)
    for truth, guess in zip(target.ravel(), prediction.ravel(), strict=True):
        if truth != 255:
            matrix[truth, guess] += 1
    return matrix


def only_hits(prediction, target, num_classes):
    return np.diag(np.bincount(target[target == prediction], minlength=num_classes))


def absent_is_zero(matrix):
    return np.nan_to_num(metrics.iou(matrix), nan=0).mean()


def absent_is_one(matrix):
    return np.nan_to_num(metrics.iou(matrix), nan=1).mean()


def nan_spreads(matrix):
    return metrics.iou(matrix).mean()


def accuracy(matrix):
    return metrics.mean_accuracy(matrix)


def dice_instead(matrix):
    return np.nanmean(metrics.dice(matrix))


def pooled_over_classes(matrix):
    return matrix.trace() / (2 * matrix.sum() - matrix.trace())


def only_true_classes(matrix):
    return metrics.iou(matrix)[matrix.sum(1) > 0].mean()


def _parts(logits, target, fill=0):
    void = (target == 255)[:, None]
    labels = target.masked_fill(target == 255, fill)
    return logits.softmax(1), F.one_hot(labels, logits.shape[1]).movedim(3, 1), void


def _loss(probability, truth, axes=(0, 2, 3)):
    size = truth.sum(axes)
    dice = 2 * (probability * truth).sum(axes) / (probability.sum(axes) + size)
    return 1 - dice[size > 0].mean()


def one_hot_of_255(logits, target):
    truth = F.one_hot(target, logits.shape[1]).movedim(3, 1) * (target != 255)[:, None]
    return _loss(logits.softmax(1) * (target != 255)[:, None], truth)


def void_is_background(logits, target):
    probability, truth, _ = _parts(logits, target)
    return _loss(probability, truth)


def void_is_the_highest_class(logits, target):
    probability, truth, _ = _parts(logits, target, fill=2)
    return _loss(probability, truth)


def void_only_out_of_the_truth(logits, target):
    probability, truth, void = _parts(logits, target)
    return _loss(probability, truth * ~void)


def per_picture(logits, target):
    probability, truth, void = _parts(logits, target)
    return torch.stack([_loss(p, t, (1, 2)) for p, t in zip(probability * ~void, truth * ~void, strict=True)]).mean()


def dice_not_loss(logits, target):
    probability, truth, void = _parts(logits, target)
    return 1 - _loss(probability * ~void, truth * ~void)


def logarithm(logits, target):
    return -torch.log(dice_not_loss(logits, target))


def missing_class_costs_one(logits, target):
    probability, truth, void = _parts(logits, target)
    probability, truth, axes = probability * ~void, truth * ~void, (0, 2, 3)
    return 1 - (2 * (probability * truth).sum(axes) / (probability.sum(axes) + truth.sum(axes))).mean()


def logits_without_softmax(logits, target):
    _, truth, void = _parts(logits, target)
    return _loss(logits * ~void, truth * ~void)


def plain_iou(mask, instances):
    return metrics.binary_iou(mask, instances > 0)


def outline_only(mask, instances):
    return metrics.boundary_f1(mask, instances > 0, tolerance=1)


def objects_only(mask, instances):
    return metrics.instance_f1(label(mask, connectivity=1), instances).f1


def too_much_outline(mask, instances):
    return objects_only(mask, instances) + plain_iou(mask, instances)


def upside_down(mask, instances):
    return -objects_only(mask, instances) - 0.001 * plain_iou(mask, instances)


def mask_as_objects(mask, instances):
    return metrics.instance_f1(mask, instances).f1


def number_of_objects(mask, instances):
    return -abs(label(mask, connectivity=1).max() - instances.max()) + 0.001 * plain_iou(mask, instances)


WRONG = {
    "q1": [swapped, void_is_the_last_class, only_classes_that_occur, shares, with_a_loop, only_hits],
    "q2": [absent_is_zero, absent_is_one, nan_spreads, accuracy, dice_instead, pooled_over_classes, only_true_classes],
    "q3": [
        *(one_hot_of_255, void_is_background, void_is_the_highest_class, void_only_out_of_the_truth, per_picture),
        *(dice_not_loss, logarithm, missing_class_costs_one, logits_without_softmax),
    ],
    "q4": [
        *(plain_iou, outline_only, objects_only, too_much_outline, upside_down, mask_as_objects, number_of_objects),
    ],
}
