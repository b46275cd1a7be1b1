"""Wrong answers to the exercises of lesson 12, as learners give them."""

import numpy as np
import torch
from torchvision.ops import box_iou, nms


def edges(masks):
    """First and last column, first and last row of the masks that have pixels."""
    found = [np.nonzero(mask) for mask in masks if mask.any()]
    return np.array([[x.min(), x.max(), y.min(), y.max()] for y, x in found], float).reshape(-1, 4).T


def on_the_last_pixel(masks):
    left, right, top, bottom = edges(masks)
    return np.stack([left, top, right, bottom], axis=1)


def rows_first(masks):
    left, right, top, bottom = edges(masks)
    return np.stack([top, left, bottom + 1, right + 1], axis=1)


def width_and_height(masks):
    left, right, top, bottom = edges(masks)
    return np.stack([left, top, right + 1 - left, bottom + 1 - top], axis=1)


def pixels_from_one(masks):
    left, right, top, bottom = edges(masks)
    return np.stack([left + 1, top + 1, right + 1, bottom + 1], axis=1)


def zeros_for_empty(masks):
    boxes = np.zeros((len(masks), 4))
    left, right, top, bottom = edges(masks)
    boxes[masks.any((1, 2))] = np.stack([left, top, right + 1, bottom + 1], axis=1)
    return boxes


THRESHOLDS = np.linspace(0.5, 0.95, 10)


def all_proposals(overlaps, count):
    return float(np.mean([(overlaps.max(1) >= t - 1e-9).mean() for t in THRESHOLDS]))


def half_only(overlaps, count):
    return float((overlaps[:, :count].max(1) >= 0.5).mean())


def mean_of_best(overlaps, count):
    return float(overlaps[:, :count].max(1).mean())


def of_proposals(overlaps, count):
    return float(np.mean([(overlaps[:, :count].max(0) >= t).mean() for t in THRESHOLDS]))


def strictly_above(overlaps, count):
    return float(np.mean([(overlaps[:, :count].max(1) > t + 1e-9).mean() for t in THRESHOLDS]))


def summed(overlaps, count):
    return float(np.sum([(overlaps[:, :count].max(1) >= t - 1e-9).mean() for t in THRESHOLDS]))


def one_by_one(boxes, scores, factor, again=True):
    new, rest, overlaps = scores.clone(), list(range(len(scores))), box_iou(boxes, boxes)
    while rest:
        best = max(rest, key=lambda i: (new if again else scores)[i].item())
        rest.remove(best)
        for i in rest:
            new[i] = new[i] * factor(overlaps[best, i])
    return new


def in_order_of_score(boxes, scores, sigma):
    return one_by_one(boxes, scores, lambda x: torch.exp(-(x**2) / sigma)).sort(descending=True).values


def not_squared(boxes, scores, sigma):
    return one_by_one(boxes, scores, lambda x: torch.exp(-x / sigma))


def two_sigma(boxes, scores, sigma):
    return one_by_one(boxes, scores, lambda x: torch.exp(-(x**2) / (2 * sigma)))


def hard(boxes, scores, sigma):
    kept = nms(boxes, scores, 0.5)
    return torch.zeros_like(scores).scatter(0, kept, scores[kept])


def linear(boxes, scores, sigma):
    return one_by_one(boxes, scores, lambda x: 1 - x)


def first_order(boxes, scores, sigma):
    return one_by_one(boxes, scores, lambda x: torch.exp(-(x**2) / sigma), again=False)


def all_at_once(boxes, scores, sigma):
    return scores * torch.exp(-(box_iou(boxes, boxes) ** 2) / sigma).prod(1)


def itself_too(boxes, scores, sigma):
    return one_by_one(boxes, scores, lambda x: torch.exp(-(x**2) / sigma)) * float(np.exp(-1 / sigma))


def six_times_the_mean(sizes):
    return np.repeat(sizes.mean(0)[None], 6, axis=0)


def squares(sizes):
    sides = np.quantile(np.sqrt(sizes.prod(1)), [0.1, 0.25, 0.4, 0.6, 0.75, 0.9])
    return np.stack([sides, sides], axis=1)


def quantiles_turned(sizes):
    quantiles = np.quantile(sizes, [0.1, 0.25, 0.4, 0.6, 0.75, 0.9], axis=0)
    return quantiles[:, ::-1]


def too_wide_a_range(sizes):
    return np.geomspace([2, 3], [96, 90], 6)


def four_numbers(sizes):
    return np.concatenate([np.zeros((6, 2)), sizes[:6]], axis=1)


def one_group_is_empty(sizes):
    shapes = sizes[:6].copy()
    shapes[5] = np.nan
    return shapes


WRONG = {
    "q1": [on_the_last_pixel, rows_first, width_and_height, pixels_from_one, zeros_for_empty],
    "q2": [all_proposals, half_only, mean_of_best, of_proposals, strictly_above, summed],
    "q3": [in_order_of_score, not_squared, two_sigma, hard, linear, first_order, all_at_once, itself_too],
    "q4": [
        six_times_the_mean,
        squares,
        quantiles_turned,
        too_wide_a_range,
        four_numbers,
        one_group_is_empty,
    ],
}
