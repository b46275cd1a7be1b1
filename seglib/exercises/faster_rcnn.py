"""Exercises of lesson 12, Faster R-CNN."""

from functools import cache

import numpy as np
import torch
from torchvision.ops import box_iou

from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_number, expect_shape
from seglib.models.boxes import anchor_shapes
from seglib.scenes import Digits


def _tight_boxes(masks):
    boxes = []
    for mask in masks:
        rows, columns = np.nonzero(mask)
        if len(rows):
            boxes.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    return np.array(boxes, float).reshape(-1, 4)


@exercise(
    "`np.nonzero(mask)` gives the rows and the columns of a mask's pixels; which of the two is x?",
    "The box goes from the smallest column and row to the largest, plus 1.",
    "Gather lists of four numbers; `np.array(boxes, float).reshape(-1, 4)` also works for an empty list.",
    solution=_tight_boxes,
)
def q1(tight_boxes):
    masks = np.zeros((4, 8, 12), bool)
    masks[0, 2:5, 3:9] = True
    masks[1, 7, 11] = True
    masks[3, 0:6, 4] = True
    masks[3, 3, 1] = True
    want, name = _tight_boxes(masks), "`tight_boxes(masks)`"
    got = tight_boxes(masks)
    if isinstance(got, np.ndarray) and got.shape == (4, 4):
        raise NotYet(f"{name} has a row for the mask without a pixel too; leave that one out, (3, 4) is wanted.")
    expect_shape(name, got, want.shape)
    width_and_height = np.hstack([want[:, :2], want[:, 2:] - want[:, :2]])
    usual = {
        "it ends *on* the last pixel, so a mask of one pixel has no area; end behind it": want - [0, 0, 1, 1],
        "rows and columns are swapped: x counts columns": want[:, [1, 0, 3, 2]],
        "it ends in width and height; corners are wanted": width_and_height,
        "it begins behind the first pixel; only the far edges lie behind a pixel": want + np.array([1, 1, 0, 0]),
    }
    expect_none_of(name, got, usual)
    expect_array(name, got, want)
    expect_shape("with no mask at all `tight_boxes(masks)`", tight_boxes(masks[:0]), (0, 4))
    return "One pixel makes a box of area 1: no code will ever be the logarithm of 0."


def _average_recall(overlaps, count):
    best = overlaps[:, :count].max(axis=1)
    thresholds = 0.5 + 0.05 * np.arange(10)
    return float(np.mean([(best >= threshold - 1e-9).mean() for threshold in thresholds]))


@exercise(
    "Which IoU has each object with the best of its first `count` proposals?",
    "`best = overlaps[:, :count].max(axis=1)`; the recall at t is `(best >= t).mean()`.",
    "Mean over `0.5 + 0.05 * np.arange(10)`; take 1e-9 off each threshold, since 0.05 has no exact float.",
    solution=_average_recall,
)
def q2(average_recall):
    overlaps = np.random.default_rng(3).uniform(0, 1, (9, 20)) ** 0.7
    overlaps[0, :5] = [0.2, 0.2, 0.75, 0.2, 0.2]  # an object just at a threshold
    overlaps[1] = 0.1  # one without a proposal
    thresholds = np.linspace(0.5, 0.95, 10)
    for count in (5, 1, 20, 50):
        got, want = average_recall(overlaps, count), _average_recall(overlaps, count)
        name, best = f"`average_recall(overlaps, {count})`", overlaps[:, :count].max(1)
        covering = np.mean([(overlaps[:, :count].max(0) >= threshold).mean() for threshold in thresholds])
        strictly = np.mean([(best > threshold + 1e-9).mean() for threshold in thresholds])
        usual = {
            "all proposals are used; only the first `count` may be": _average_recall(overlaps, 20),
            "that is the recall at 0.5 alone; take the mean over ten thresholds": (best >= 0.5).mean(),
            "that is the mean of the best IoU; ask for each threshold which share reaches it": best.mean(),
            "that is the share of *proposals* that cover something; take the largest along the other axis": covering,
            "an object at just 0.75 counts at 0.75: use >=": strictly,
            "that is the sum over the thresholds; the mean is wanted": 10 * want,
        }
        expect_number(name, got, got)  # is it a number at all?
        if not np.isclose(got, want):
            expect_none_of(f"{name} is {float(got):.4g}, wanted {want:.4g}", got, usual)
        expect_number(name, got, want)
    return "It grows with the number of proposals and with how well they fit, both at once."


def _decayed(factors, scores, again=True):
    """Soft NMS with any factors (n, n); without `again` the order is that of the first scores."""
    new, rest = scores.clone(), list(range(len(scores)))
    ranking = new if again else scores
    while rest:
        best = max(rest, key=lambda i: ranking[i].item())
        rest.remove(best)
        for i in rest:
            new[i] *= factors[best, i]
    return new


def _soft_nms(boxes, scores, sigma):
    scores, rest = scores.clone(), list(range(len(scores)))
    while rest:
        best = max(rest, key=lambda i: scores[i].item())
        rest.remove(best)
        if rest:
            overlaps = box_iou(boxes[[best]], boxes[rest])[0]
            scores[rest] *= torch.exp(-(overlaps**2) / sigma)
    return scores


@exercise(
    "Keep a list of the boxes that are not yet taken, as in the lesson's `nms`; but nobody is dropped from it.",
    "In each round, look for the best *new* score in the list: earlier rounds may have changed the order.",
    "`scores[rest] *= torch.exp(-box_iou(boxes[[best]], boxes[rest])[0] ** 2 / sigma)`, on a clone of the scores.",
    solution=_soft_nms,
)
def q3(soft_nms):
    # The third box overlaps the first much and falls behind the fourth, which then comes before it.
    boxes = torch.tensor([[70.0, 60, 90, 90], [10, 10, 40, 50], [14, 12, 44, 54], [22, 14, 54, 58], [60, 58, 86, 92]])
    scores, sigma = torch.tensor([0.5, 0.9, 0.85, 0.7, 0.6]), 0.4
    overlaps, name = box_iou(boxes, boxes), "`soft_nms(boxes, scores, 0.4)`"
    want, got = _soft_nms(boxes, scores, sigma), soft_nms(boxes, scores, sigma)
    expect_shape(name, got, want.shape)
    gauss = torch.exp(-(overlaps**2) / sigma)
    first_order = _decayed(gauss, scores, again=False)
    usual = {
        "the scores are sorted; give them in the order of the boxes": want.sort(descending=True).values,
        "the IoU is not squared": _decayed(torch.exp(-overlaps / sigma), scores),
        "the square is divided by 2 sigma, not by sigma": _decayed(torch.exp(-(overlaps**2) / (2 * sigma)), scores),
        "boxes are dropped, as in plain NMS; lower their scores": _decayed(overlaps <= 0.5, scores),
        "the factor is 1 - IoU; the exponential is wanted": _decayed(1 - overlaps, scores),
        "the order is that of the first scores; look for the best of the *new* scores each time": first_order,
        "every box lowers all others, better ones and itself too; only taken ones may": scores * gauss.prod(1),
        "a box lowers itself too; its IoU with itself is 1": want * gauss.diagonal(),
    }
    expect_none_of(name, got, usual)
    expect_array(name, got, want)
    expect_array("for two boxes far apart `soft_nms`", soft_nms(boxes[:2], scores[:2], sigma), scores[:2])
    return "Nothing is dropped. A true neighbour keeps part of its score; a double comes late in the ranking."


@cache
def _digit_sizes(length, seed, part):
    """Widths and heights of digits (n, 2) as they are seen in generated pictures."""
    boxes = torch.cat([sample["boxes"] for sample in Digits(length, seed=seed, part=part)])
    return (boxes[:, 2:] - boxes[:, :2]).double().numpy()


def shape_score(shapes):
    """Mean over held-out digits of the best IoU with one of the shapes (k, 2), laid centre on centre."""
    sizes = _digit_sizes(50, 902, "test")
    shared = np.minimum(sizes[:, None], shapes[None]).prod(-1)
    return float((shared / (sizes.prod(1)[:, None] + shapes.prod(1)[None] - shared)).max(1).mean())


def _grid_shapes():
    """Sizes 16 and 32 at three ratios."""
    corners = anchor_shapes([16, 32]).double().numpy()
    return corners[:, 2:] - corners[:, :2]


def _choose_shapes(sizes):
    order = np.argsort(sizes.prod(1))
    shapes = sizes[order[np.linspace(0, len(sizes) - 1, 8).astype(int)[1:-1]]]  # spread over the areas
    for _ in range(30):
        shared = np.minimum(sizes[:, None], shapes[None]).prod(-1)
        iou = shared / (sizes.prod(1)[:, None] + shapes.prod(1)[None] - shared)
        nearest = iou.argmax(1)
        shapes = np.array([np.median(sizes[nearest == k], 0) if (nearest == k).any() else shapes[k] for k in range(6)])
    return shapes


@exercise(
    "Lesson 02 grouped colours; here you group sizes. What should be the distance between two sizes?",
    "1 - IoU, centre on centre: so a pixel counts for much in a small box and for little in a large one.",
    "k-means: give each size to its best of six shapes, make each shape the median of its sizes, and repeat.",
    solution=_choose_shapes,
)
def q4(choose_shapes):
    shapes = choose_shapes(_digit_sizes(60, 901, "train").copy())
    expect_shape("`choose_shapes(sizes)`", shapes, (6, 2))
    shapes = np.asarray(shapes, float)
    if not (np.isfinite(shapes).all() and (shapes > 0).all()):
        raise NotYet("`choose_shapes(sizes)` holds sides that are not above 0, or NaN: is a group empty?")
    mark, reached = shape_score(_grid_shapes()), shape_score(shapes)
    if reached < mark + 0.05:
        spread, swapped = shapes.max(0) / shapes.min(0), shape_score(shapes[:, ::-1])
        if swapped > reached + 0.02:
            what = "Turned by a quarter they would fit better: width comes first."
        elif spread.max() < 1.2:
            what = "Your six are nearly one; small and large digits want their own."
        elif np.allclose(shapes[:, 0], shapes[:, 1], rtol=0.02):
            what = "Your six are squares; digits are not."
        elif spread.min() > 8:
            what = "Your six reach further than digits do; spend them where digits are."
        else:
            what = "Group digits of similar size, and take the middle of each group."
        raise NotYet(f"mean IoU {reached:.3f}; the lesson's six have {mark:.3f}, wanted {mark + 0.05:.3f}. {what}")
    return f"Mean IoU {reached:.3f}; the lesson's six have {mark:.3f}."
