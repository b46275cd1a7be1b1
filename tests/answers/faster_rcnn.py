"""Answers to the exercises of lesson 12, as learners give them."""

import numpy as np
import torch
from exercise_proof import mutation
from torchvision.ops import box_iou, nms

from seglib.exercises.faster_rcnn import q1, q2, q3

END = "columns.max() + 1, rows.max() + 1"
ZEROS = "if not len(rows):\n            boxes.append([0, 0, 0, 0])\n        else:"
RECALLS = "np.mean([(best >= threshold - 1e-9).mean() for threshold in thresholds])"


def hard(boxes, scores, sigma):
    kept = nms(boxes, scores, 0.5)
    return torch.zeros_like(scores).scatter(0, kept, scores[kept])


def squares(sizes):
    sides = np.quantile(np.sqrt(sizes.prod(1)), [0.1, 0.25, 0.4, 0.6, 0.75, 0.9])
    return np.stack([sides, sides], axis=1)


def quantiles_turned(sizes):
    quantiles = np.quantile(sizes, [0.1, 0.25, 0.4, 0.6, 0.75, 0.9], axis=0)
    return quantiles[:, ::-1]


def one_group_is_empty(sizes):
    shapes = sizes[:6].copy()
    shapes[5] = np.nan
    return shapes


WRONG = {
    "q1": [
        mutation(q1.solution, (END, "columns.max(), rows.max()")),  # on the last pixel
        mutation(q1.solution, ("rows, columns = ", "columns, rows = ")),
        mutation(q1.solution, (END, "np.ptp(columns) + 1, np.ptp(rows) + 1")),  # width and height
        mutation(q1.solution, ("columns.min(), rows.min()", "columns.min() + 1, rows.min() + 1")),
        mutation(q1.solution, ("if len(rows):", ZEROS)),
    ],
    "q2": [
        mutation(q2.solution, ("[:, :count]", "")),
        mutation(q2.solution, ("0.5 + 0.05 * np.arange(10)", "[0.5]")),
        mutation(q2.solution, (RECALLS, "best.mean()")),
        mutation(q2.solution, ("axis=1", "axis=0")),
        mutation(q2.solution, (">= threshold - 1e-9", "> threshold + 1e-9")),
        mutation(q2.solution, ("np.mean(", "np.sum(")),
    ],
    "q3": [
        mutation(q3.solution, ("return scores", "return scores.sort(descending=True).values")),
        mutation(q3.solution, ("overlaps**2", "overlaps")),
        mutation(q3.solution, ("/ sigma", "/ (2 * sigma)")),
        hard,
        mutation(q3.solution, ("torch.exp(-(overlaps**2) / sigma)", "1 - overlaps")),
        mutation(q3.solution, ("scores, rest = ", "first = scores\n    scores, rest = "), ("scores[i]", "first[i]")),
        lambda boxes, scores, sigma: scores * torch.exp(-(box_iou(boxes, boxes) ** 2) / sigma).prod(1),  # all at once
        mutation(q3.solution, ("return scores", "return scores * float(np.exp(-1 / sigma))")),  # lowers itself too
    ],
    "q4": [
        *(squares, quantiles_turned, one_group_is_empty),
        lambda sizes: np.repeat(sizes.mean(0)[None], 6, axis=0),  # six times the mean
        lambda sizes: np.geomspace([2, 3], [96, 90], 6),  # too wide a range
        lambda sizes: np.concatenate([np.zeros((6, 2)), sizes[:6]], axis=1),  # four numbers
    ],
}
