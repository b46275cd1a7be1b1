"""One class per pixel: the confusion matrix, and the scores read from it.

To score a data set, add up the matrices of its pictures and divide once ("pooled"). The mean of the
pictures' own scores is another number: pictures with IoU 90/110 and 1/7 have a mean of 0.48, pooled
0.78. A class without a pixel in prediction and target is undefined (NaN) and left out of every mean.
"""

import numpy as np

from seglib.arrays import to_numpy

from ._inputs import binary_pair, label_pair, mean_of_known, pair_counts, shown


def confusion_matrix(prediction, target, num_classes, ignore_index=255):
    """Count the pixels of every (true class, predicted class) pair.

    Parameters
    ----------
    prediction, target : integer arrays or tensors of one shape, such as (H, W) or (N, H, W)
        Class ids 0..num_classes-1; the target may also hold `ignore_index`.
    num_classes : int
        K.
    ignore_index : int
        Pixels whose target has this label are not counted, whatever was predicted there. -1: count all.

    Returns
    -------
    (K, K) int64 array, rows = target, columns = prediction. Matrices of several pictures may be added.

    Raises
    ------
    ValueError
        Labels out of range at pixels that are counted, float arrays, shapes that differ.

    Examples
    --------
    >>> confusion_matrix([[0, 0, 1]], [[0, 1, 255]], num_classes=2)
    array([[1, 0],
           [1, 0]])
    """
    if num_classes < 1:
        raise ValueError(f"num_classes is {num_classes}; at least 1 is wanted.")
    if ignore_index == 255 < num_classes:
        raise ValueError(f"with num_classes={num_classes}, 255 is a class: pass another ignore_index, such as -1.")
    prediction, target = (labels.reshape(-1) for labels in label_pair(prediction, target))
    rows = max(num_classes, 256)  # room for the void of 8-bit masks: cheaper than to pick out the other pixels
    strange = prediction.min(initial=0) < 0 or prediction.max(initial=0) >= num_classes
    if strange or not 0 <= ignore_index < rows:
        prediction, target = prediction[target != ignore_index], target[target != ignore_index]
    if strange and (prediction.min(initial=0) < 0 or prediction.max(initial=0) >= num_classes):
        raise _bad_labels("prediction", prediction, num_classes, ignore_index)
    if target.min(initial=0) < 0 or target.max(initial=0) >= rows:
        raise _bad_labels("target", target, num_classes, ignore_index)
    table = pair_counts(target, prediction, (rows, num_classes))
    if 0 <= ignore_index < rows:
        table[ignore_index] = 0
    if table[num_classes:].any():
        raise _bad_labels("target", target, num_classes, ignore_index)
    return table[:num_classes]


def iou(matrix):
    """Intersection over union of each class, TP / (TP + FP + FN): (K,) floats, NaN where absent."""
    matrix = _checked(matrix)
    hits = matrix.diagonal()
    return _ratio(hits, matrix.sum(0) + matrix.sum(1) - hits)


def mean_iou(matrix):
    """Mean IoU over the classes that occur in prediction or target; NaN if none does."""
    return mean_of_known(iou(matrix))


def dice(matrix):
    """Dice of each class, 2 TP / (2 TP + FP + FN) = 2 IoU / (1 + IoU): (K,) floats, NaN where absent."""
    matrix = _checked(matrix)
    return _ratio(2 * matrix.diagonal(), matrix.sum(0) + matrix.sum(1))


def pixel_accuracy(matrix):
    """Share of pixels with the right class; NaN without pixels. 95 % background give an empty mask 0.95."""
    matrix = _checked(matrix)
    return float(_ratio(matrix.trace(), matrix.sum()))


def mean_accuracy(matrix):
    """Mean over the target's classes of the share of their pixels found (SegNet's C, balanced accuracy)."""
    matrix = _checked(matrix)
    return mean_of_known(_ratio(matrix.diagonal(), matrix.sum(1)))


def binary_iou(prediction, target):
    """IoU of two binary masks of one picture, as a float.

    Two empty masks agree wholly and give 1.0. That is a choice, made for the mean over pictures: an
    empty picture left empty is a success. Pooled scores (`iou` of a summed matrix) do not need it.
    """
    prediction, target = binary_pair(prediction, target)
    union = np.count_nonzero(prediction | target)
    return float(np.count_nonzero(prediction & target) / union) if union else 1.0


def binary_dice(prediction, target):
    """Dice of two binary masks of one picture, as a float; two empty masks give 1.0, as in `binary_iou`."""
    overlap = binary_iou(prediction, target)
    return 2 * overlap / (1 + overlap)


def _checked(matrix):
    matrix = to_numpy(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.issubdtype(matrix.dtype, np.integer):
        raise ValueError(
            f"got shape {matrix.shape} and dtype {matrix.dtype}; a (K, K) matrix of pixel counts is wanted. "
            f"Usual causes: masks passed instead of confusion_matrix(...), or rows already normalised."
        )
    return matrix


def _ratio(part, whole):
    with np.errstate(invalid="ignore"):
        return np.true_divide(part, whole)  # 0 / 0 = NaN: nothing to score


def _bad_labels(name, labels, num_classes, ignore_index):
    found = np.unique(labels)
    wrong = found[(found < 0) | (found >= num_classes)]
    if name == "target":
        wrong = wrong[wrong != ignore_index]
    if name == "prediction":
        cause = "more output channels than num_classes, a 0/255 picture, or prediction and target swapped"
    elif 255 in wrong:
        cause = "255 marks void but was not declared: pass ignore_index=255"
    elif num_classes in wrong and 0 not in found:
        cause = "labels shifted by one (they start at 1): subtract 1, or count the background as a class too"
    else:
        cause = "instance ids or colours instead of class ids, or num_classes too small"
    allowed = f"0..{num_classes - 1}" + (f" and {ignore_index} (ignored)" if name == "target" else "")
    return ValueError(f"{name} holds the labels {shown(wrong)}; {allowed} is wanted. Usual cause: {cause}.")
