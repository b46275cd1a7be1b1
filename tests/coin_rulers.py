"""Answers to exercise 4 of lesson 04, a ruler for an expert, as learners give them; answers/measuring.py sorts them."""

import numpy as np
from scipy import ndimage
from skimage.measure import label

from seglib import metrics


def matched_above(threshold):
    def measure(mask, instances):
        objects = metrics.instance_f1(label(mask, connectivity=1), instances)
        table = metrics.overlap_table(label(mask, connectivity=1), instances)
        both = table[1:, 1:]
        pairs = both / (table.sum(1)[1:, None] + table.sum(0)[None, 1:] - both)
        hits = (pairs.max(0) > threshold).sum()
        total = 2 * objects.true_positives + objects.false_positives + objects.false_negatives
        return 2 * hits / total + 1e-2 * metrics.binary_iou(mask, instances > 0)

    return measure


def half_of_each(mask, instances):
    """A pair counts if each covers more than half of the other: shares of 0.6 are an IoU of 0.43 only."""
    pieces = label(mask, connectivity=1)
    both = np.histogram2d(
        instances.ravel(), pieces.ravel(), bins=(range(instances.max() + 2), range(pieces.max() + 2))
    )[0]
    pairs = (both[1:, 1:] > both.sum(1)[1:, None] / 2) & (both[1:, 1:] > both.sum(0)[None, 1:] / 2)
    return 2 * pairs.sum() / max(instances.max() + pieces.max(), 1) + 1e-6 * metrics.binary_iou(mask, instances > 0)


def half_is_enough(mask, instances):
    """Two equal coins, glued, are both found."""
    pieces = label(mask, connectivity=1)
    table = metrics.overlap_table(pieces, instances)
    both = table[1:, 1:]
    pair_iou = both / (table.sum(1)[1:, None] + table.sum(0)[None, 1:] - both)
    hits = (pair_iou >= 0.5).sum()
    return 2 * hits / max(instances.max() + pieces.max(), 1) + 1e-6 * metrics.binary_iou(mask, instances > 0)


def with_holes_filled(mask, instances):
    pieces = label(ndimage.binary_fill_holes(mask), connectivity=1)
    return metrics.instance_f1(pieces, instances).f1 + 1e-6 * metrics.binary_iou(mask, instances > 0)
