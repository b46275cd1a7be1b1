"""Objects, not pixels: match the objects of two instance maps, count hits, false alarms and misses."""

from dataclasses import astuple, dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from seglib.arrays import relabel

from ._inputs import map_pair, pair_counts


@dataclass(frozen=True)
class InstanceScore:
    """Counts of matched and unmatched objects. Add the scores of pictures to score a data set.

    `precision`, `recall` and `f1` are floats in 0..1. Without any object on either side they are 1.0 (nothing
    to find, nothing found); any other 0 / 0 is 0.0.

    Examples
    --------
    >>> pooled = sum([InstanceScore(9, 0, 1), InstanceScore(0, 1, 0)], InstanceScore())
    >>> pooled.precision, pooled.recall
    (0.9, 0.9)
    """

    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0

    @property
    def precision(self):
        """Share of the predicted objects that are right."""
        return self._share(self.false_positives)

    @property
    def recall(self):
        """Share of the true objects that were found."""
        return self._share(self.false_negatives)

    @property
    def f1(self):
        """2 TP / (2 TP + FP + FN)."""
        return self._share((self.false_positives + self.false_negatives) / 2)

    def __add__(self, other):
        return InstanceScore(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def _share(self, errors):
        if self.true_positives + errors == 0:
            return 1.0 if self == InstanceScore() else 0.0
        return self.true_positives / (self.true_positives + errors)


def instance_f1(prediction_map, target_map, threshold=0.5):
    """Match predicted to true objects by IoU, each at most once, and count.

    Two objects may match if their IoU is *above* the threshold. From 0.5 on, an object then has at most one
    partner (two would overlap), so no choice is left; at exactly 0.5 it could have two, hence "above".
    Below 0.5 the assignment with the most matches is taken.

    Parameters
    ----------
    prediction_map, target_map : (H, W) integer arrays or tensors
        0 = no object; any other value is an object's id. Ids may have gaps, and mean nothing across the maps.
        There is no void: 255 is an id like others.
    threshold : float
        0 <= threshold < 1.

    Returns
    -------
    InstanceScore

    Examples
    --------
    >>> score = instance_f1([[1, 1, 0, 2]], [[7, 7, 0, 0]])
    >>> score.precision, score.recall
    (0.5, 1.0)
    """
    if not 0 <= threshold < 1:
        raise ValueError(f"threshold is {threshold}; 0 <= threshold < 1 is wanted (a match needs IoU above it).")
    table = overlap_table(prediction_map, target_map)
    shared = table[1:, 1:]
    union = table.sum(1)[1:, None] + table.sum(0)[None, 1:] - shared
    matches = shared / union > threshold
    if threshold < 0.5:
        rows, columns = linear_sum_assignment(matches, maximize=True)
        hits = int(matches[rows, columns].sum())
    else:
        hits = int(matches.sum())
    return InstanceScore(hits, shared.shape[1] - hits, shared.shape[0] - hits)


def merged_objects(prediction_map, target_map):
    """Number of predicted objects that swallow two or more true ones: each true one by more than half of its area.

    Examples
    --------
    >>> merged_objects([[1, 1, 1, 1, 0, 2]], [[5, 5, 7, 7, 0, 8]])
    1
    """
    shared = overlap_table(prediction_map, target_map)
    swallowed = 2 * shared > shared.sum(1, keepdims=True)
    return int((swallowed[1:, 1:].sum(0) >= 2).sum())


def overlap_table(prediction_map, target_map):
    """Pixels shared by every true and every predicted object, in one pass over the picture.

    Returns
    -------
    (1 + true objects, 1 + predicted objects) int64 array
        In the order of their ids; row 0 and column 0 are the background. Row sums are the true objects' areas, column
        sums the predicted ones'.
    """
    prediction, target = map_pair(prediction_map, target_map, objects=True)
    prediction, predicted_count = _numbered(prediction, "prediction_map")
    target, target_count = _numbered(target, "target_map")
    return pair_counts(target, prediction, (target_count + 1, predicted_count + 1))


def _numbered(instances, name):
    """Ids renumbered to 1..n without gaps, flat, and n; 0 stays 0."""
    if instances.size and instances.min() < 0:
        raise ValueError(f"{name} holds the id {instances.min()}; 0 = no object and ids from 1 are wanted.")
    numbered, ids = relabel(np.append(0, instances))  # the background counts even where no pixel is left for it
    return numbered[1:], len(ids) - 1
