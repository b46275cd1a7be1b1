"""What metrics have in common: inputs of whole numbers and equal shapes, errors that name the usual cause, means."""

from collections.abc import Mapping
from itertools import zip_longest

import numpy as np

from seglib.inputs import label_map, whole_numbers


def label_pair(prediction, target):
    """Two integer arrays of one shape, or a ValueError. Boolean arrays count as 0 and 1."""
    prediction, target = whole_numbers(prediction, "prediction"), whole_numbers(target, "target")
    if prediction.shape != target.shape:
        raise ValueError(
            f"prediction has shape {prediction.shape}, target {target.shape}; they must agree. Usual causes: "
            f"a channel axis left in, or a prediction that was not brought back to the target's size."
        )
    return prediction, target


def map_pair(prediction, target, objects=False):
    """Two integer maps (H, W) of one picture, or a ValueError; ``objects`` as for `whole_numbers`."""
    prediction = label_map(prediction, "prediction", objects=objects)
    return label_pair(prediction, label_map(target, "target", objects=objects))


def binary_pair(prediction, target):
    """Two boolean arrays of one shape, or a ValueError if a value is not 0 or 1."""
    prediction, target = label_pair(prediction, target)
    for name, mask in (("prediction", prediction), ("target", target)):
        if mask.size and (mask.min() < 0 or mask.max() > 1):
            raise ValueError(
                f"{name} holds {shown(np.unique(mask))}; a binary mask of 0 and 1 is wanted. Usual causes: "
                f"a 0/255 picture (use mask > 0), void left in (take those pixels out), or several "
                f"classes (use mask == k)."
            )
    return prediction.astype(bool), target.astype(bool)


def picture_pairs(predictions, targets):
    """Yield (index, prediction, target) of two equally long lists of dicts, or of anything else that can be iterated.

    Raises ValueError if one of them ends early, or is a single picture's dict.
    """
    for name, pictures in (("predictions", predictions), ("targets", targets)):
        if isinstance(pictures, Mapping):
            raise ValueError(f"{name} is one dict; a list with a dict per picture is wanted: [{name}] for one picture.")
    end = object()
    for index, pair in enumerate(zip_longest(predictions, targets, fillvalue=end)):
        for name, picture in zip(("predictions", "targets"), pair, strict=True):
            if picture is end:
                raise ValueError(
                    f"{name} ends after {index} pictures and the other list goes on; both want one dict per picture, "
                    f"in the same order. Usual causes: pictures without a detection left out, or a generator used up."
                )
            if not isinstance(picture, Mapping):
                raise ValueError(f"{name}[{index}] is a {type(picture).__name__}; a dict is wanted.")
        yield index, *pair


def entry(picture, key, name):
    """picture[key], or a ValueError that says what is there."""
    if key not in picture:
        raise ValueError(f'{name} has no "{key}"; it holds {shown(list(picture))}.')
    return picture[key]


def mean_of_known(scores):
    """Mean over the scores that are not NaN, as a float; NaN if all are."""
    scores = np.asarray(scores)[~np.isnan(scores)]
    return float(scores.mean()) if scores.size else float("nan")


def shown(values):
    """Values for an error message, cut short."""
    text = ", ".join(str(value) for value in values[:10])
    return f"[{text}, …]" if len(values) > 10 else f"[{text}]"


def pair_counts(rows, columns, shape):
    """Table (m, n) of how often each pair of numbers occurs, rows 0..m-1 and columns 0..n-1, in one pass."""
    pairs = number_pairs(rows, columns, shape[1])
    return np.bincount(pairs.ravel(), minlength=shape[0] * shape[1]).reshape(shape)


def number_pairs(rows, columns, width):
    """rows * width + columns as int64, whatever the integer types of the two arrays."""
    pairs = np.multiply(rows, width, dtype=np.int64)
    return np.add(pairs, columns, out=pairs, dtype=np.int64)
