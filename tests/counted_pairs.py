"""Answers to exercise 1 of lesson 04, the confusion matrix, as learners give them; answers/measuring.py sorts them."""

import numpy as np
from sklearn.metrics import confusion_matrix


def with_a_loop(prediction, target, num_classes):
    matrix = np.zeros((num_classes, num_classes), int)
    for truth, guess in zip(target.ravel(), prediction.ravel(), strict=True):
        if truth != 255 and guess < 0:
            raise ValueError("below 0")
        if truth != 255:
            matrix[truth, guess] += 1
    return matrix


def only_hits(prediction, target, num_classes):
    return np.diag(np.bincount(target[target == prediction], minlength=num_classes))


def adding_at(prediction, target, num_classes):
    matrix = np.zeros((num_classes, num_classes), int)
    counted = target != 255
    np.add.at(matrix, (target[counted], prediction[counted]), 1)  # IndexError where there is no such column; -1 wraps
    return matrix


def adding_at_strictly(prediction, target, num_classes):
    """Looks for ids below 0 only; the others end in an IndexError."""
    if (prediction[target != 255] < 0).any() or (target < 0).any():
        raise ValueError
    return adding_at(prediction, target, num_classes)


def adding_at_translated(prediction, target, num_classes):
    try:
        return adding_at_strictly(prediction, target, num_classes)
    except IndexError as error:
        raise ValueError("no such class") from error


def through_one_hot(prediction, target, num_classes):
    counted = target != 255
    rows = target[counted][:, None] == np.arange(num_classes)
    columns = prediction[counted][:, None] == np.arange(num_classes)
    matrix = rows.astype(int).T @ columns.astype(int)
    if matrix.sum() != counted.sum():
        raise ValueError("some pixels are of no class")
    return matrix


def numbering_pairs(prediction, target, num_classes):
    """NumPy's own numbering raises ValueError for what is out of range."""
    counted = target != 255
    pairs = np.ravel_multi_index((target[counted], prediction[counted]), (num_classes, num_classes))
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, -1)


def strict_everywhere(prediction, target, num_classes):
    if prediction.max() >= num_classes or prediction.min() < 0:
        raise ValueError("no such class")
    return numbering_pairs(prediction, target, num_classes)


def of_21_classes(prediction, target, num_classes):
    if np.isin(prediction[target != 255], (21, 255, -1)).any():
        raise ValueError
    return one_after_the_other(prediction, target, num_classes)


def up_to_20(prediction, target, num_classes):
    called = prediction[target != 255]
    if (called < 0).any() or (called > 20).any():
        raise ValueError
    return one_after_the_other(prediction, target, num_classes)


def one_after_the_other(prediction, target, num_classes):
    counted = target != 255
    pairs = target[counted].astype(int) * num_classes + prediction[counted].astype(int)
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def only_predictions_looked_at(prediction, target, num_classes):
    called = prediction[target != 255]
    if called.min(initial=0) < 0 or called.max(initial=0) >= num_classes:
        raise ValueError
    pairs = target[target != 255].astype(int) * num_classes + called
    return np.bincount(pairs, minlength=num_classes**2)[: num_classes**2].reshape(num_classes, num_classes)


def of_two_axes(prediction, target, num_classes):
    rows, columns = np.nonzero(target != 255)
    return numbering_pairs(prediction[rows, columns], target[rows, columns], num_classes)


def bare_everywhere(prediction, target, num_classes):
    if prediction.max() >= num_classes or prediction.min() < 0:
        raise ValueError
    return numbering_pairs(prediction, target, num_classes)


def by_sklearn(prediction, target, num_classes):
    """Drops what is no class."""
    counted = target != 255
    return confusion_matrix(target[counted], prediction[counted], labels=np.arange(num_classes))


def asserting(prediction, target, num_classes):
    counted = target != 255
    assert np.isin([*target[counted], *prediction[counted]], np.arange(num_classes)).all(), "no such class"
    return one_after_the_other(prediction, target, num_classes)


def looked_at_in_bytes(prediction, target, num_classes):
    """256 becomes class 0."""
    true, called = (ids[target != 255].astype(np.uint8).astype(int) for ids in (target, prediction))
    if max(true.max(initial=0), called.max(initial=0)) >= num_classes:
        raise ValueError("no such class")
    return np.bincount(true * num_classes + called, minlength=num_classes**2).reshape(num_classes, num_classes)


def counted_by_sklearn(prediction, target, num_classes):
    true, called = target[target != 255].astype(int), prediction[target != 255].astype(int)
    if not np.isin([*true, *called], np.arange(num_classes)).all():
        raise ValueError("no such class")
    none = np.zeros((num_classes, num_classes), int)
    return confusion_matrix(true, called, labels=np.arange(num_classes)) if true.size else none


def in_bytes(prediction, target, num_classes):
    return numbering_pairs(prediction, target, num_classes).astype(np.uint8)


def in_short_numbers(prediction, target, num_classes):
    return numbering_pairs(prediction, target, num_classes).astype(np.uint16)
