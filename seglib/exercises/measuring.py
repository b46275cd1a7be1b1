"""Exercises of lesson 04, measuring."""

from itertools import pairwise

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional as F

from seglib import losses, metrics
from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_number, expect_shape, has_loops


def _one_number(name, got):
    """The answer as a float, whatever its value; NotYet if it is not a single number."""
    expect_number(name, got, got)
    return float(got)


def _count_pairs(prediction, target, num_classes):
    counted = target != 255
    pair = target[counted] * num_classes + prediction[counted]
    return np.bincount(pair, minlength=num_classes**2).reshape(num_classes, num_classes)


@exercise(
    "With K classes there are K × K pairs. Can you give each pair one number of its own?",
    "`truth * K + prediction` numbers them row by row. Drop the void pixels first.",
    "`np.bincount(numbers, minlength=K**2)` counts them; `reshape(K, K)` makes rows of it.",
    solution=_count_pairs,
)
def q1(count_pairs):
    target = np.array([[0, 0, 1], [1, 2, 0]])
    prediction = np.array([[0, 1, 1], [1, 2, 0]])
    name = "`count_pairs(prediction, target, 3)`"
    got, want = count_pairs(prediction, target, 3), metrics.confusion_matrix(prediction, target, 3)
    expect_shape(name, got, (3, 3))
    wrong = {
        "rows and columns are swapped: rows stand for the truth, columns for the prediction": want.T,
        "these are shares. Return counts: matrices of several pictures must be added before dividing": want / 6,
    }
    expect_none_of(name, got, wrong)
    expect_array(name, got, want)
    got = count_pairs(prediction, target, 5)
    expect_shape("When classes 3 and 4 do not occur, `count_pairs(prediction, target, 5)`", got, (5, 5))
    target[0, 0] = target[1, 2] = 255
    got, want = count_pairs(prediction, target, 3), metrics.confusion_matrix(prediction, target, 3)
    if np.shape(got) == (3, 3) and np.sum(got) == 6:
        raise NotYet("Two pixels of the target are void, and you still count six, wanted four: void became a class.")
    expect_array(f"With void (255) in the target, {name}", got, want)
    if has_loops(count_pairs):
        raise NotYet("The counts are right, but there is a loop in it. One number for each pair, then count numbers.")
    return "One pass over the pixels; seglib does the same."


def _mean_iou(matrix):
    hits = matrix.diagonal()
    union = matrix.sum(0) + matrix.sum(1) - hits
    occurs = union > 0
    return np.mean(hits[occurs] / union[occurs])


@exercise(
    "The hits are `matrix.diagonal()`. What are the row sums, what are the column sums?",
    "Union = row sums + column sums - hits. Which classes have a union of 0?",
    "Keep the classes with `union > 0`, divide, and take the mean of those.",
    solution=_mean_iou,
)
def q2(mean_iou):
    full = np.array([[6, 2, 0], [5, 5, 1], [1, 0, 4]])
    got = mean_iou(full)
    accuracy, pooled = metrics.mean_accuracy(full), full.trace() / (2 * full.sum() - full.trace())
    wrong = {
        "this is the mean accuracy: you divide by the true pixels only, so false alarms cost nothing": accuracy,
        "you add up all classes, then divide. Divide for each class, then take the mean": pooled,
        "this is the mean Dice: the hits must be subtracted once from the denominator": np.mean(metrics.dice(full)),
    }
    expect_none_of("With all classes there, `my_mean_iou(matrix)`", got, wrong)
    expect_number("With all classes there, `my_mean_iou(matrix)`", got, metrics.mean_iou(full))
    absent = np.array([[8, 2, 0], [1, 9, 0], [0, 0, 0]])
    got, want = mean_iou(absent), metrics.mean_iou(absent)
    why = "you count class 2 as {}, and that {}. Leave it out of the mean"
    wrong = {
        why.format(0, "drags the mean down"): 2 / 3 * want,
        why.format(1, "lifts the mean for nothing"): (2 * want + 1) / 3,
    }
    expect_none_of("With class 2 nowhere, `my_mean_iou(matrix)`", got, wrong)
    expect_number("With class 2 nowhere, `my_mean_iou(matrix)`", got, want)
    invented = np.array([[8, 0, 2], [0, 9, 1], [0, 0, 0]])
    got, want = mean_iou(invented), metrics.mean_iou(invented)
    if np.isclose(got, 1.5 * want):
        raise NotYet("Class 2 is not in the truth, but predicted: its IoU is 0, not NaN. You left it out of the mean.")
    expect_number("With class 2 predicted and never true, `my_mean_iou(matrix)`", got, want)
    return "Absent means: neither true nor predicted. Only then is it 0/0."


def _soft_dice_loss(logits, target):
    counted = (target != 255)[:, None]
    labels = target.masked_fill(target == 255, 0)
    truth = F.one_hot(labels, logits.shape[1]).movedim(3, 1) * counted
    probability = logits.softmax(1) * counted
    pixels = (0, 2, 3)
    size = truth.sum(pixels)
    dice = 2 * (probability * truth).sum(pixels) / (probability.sum(pixels) + size)
    return 1 - dice[size > 0].mean()


@exercise(
    "`F.one_hot` stops at 255. Which class can stand in for void, if you take it out afterwards?",
    "Fill void with 0, one-hot, then multiply truth *and* probabilities by `(target != 255)[:, None]`.",
    "Sums over the axes (0, 2, 3) leave one number a class: 2 · overlap / both sizes. Mean over true classes.",
    solution=_soft_dice_loss,
)
def q3(soft_dice_loss):
    generator = torch.Generator().manual_seed(4)
    logits, target = 2 * torch.randn(2, 3, 4, 5, generator=generator), torch.arange(40).view(2, 4, 5) % 3
    target[0, 0], target[1, 1:] = 1, 2  # the pictures differ in their shares of classes
    name = "Without void, `soft_dice_loss(logits, target)`"
    got, want = _one_number(name, soft_dice_loss(logits, target)), float(losses.dice_loss(logits, target))
    apart = [losses.dice_loss(logits[[i]], target[[i]]) for i in (0, 1)]
    wrong = {
        "this is Dice itself. A loss falls as the masks get better: 1 - Dice, and 0 is perfect": 1 - want,
        "you average over pictures. Sum over the pixels of the whole batch, then divide": sum(apart) / 2,
    }
    expect_none_of(name, got, wrong)
    if np.isclose(got, -np.log(1 - want), rtol=0.05):
        raise NotYet("There is a logarithm in it. Dice loss is 1 - Dice; it lies between 0 and 1.")
    expect_number(name, got, want)
    target[0, :2] = 255
    logits[0, 2, :2] += 8  # whoever looks at void pixels sees much of class 2
    name = "With void, `soft_dice_loss(logits, target)`"
    got, want = _one_number(name, soft_dice_loss(logits, target)), float(losses.dice_loss(logits, target))
    probability = logits.softmax(1)
    truth = F.one_hot(target.masked_fill(target == 255, 0), 3).movedim(3, 1) * (target != 255)[:, None]
    dice = 2 * (probability * truth).sum((0, 2, 3)) / (probability + truth).sum((0, 2, 3))
    wrong = {
        "void is gone from the truth, not from the probabilities: what is predicted there still costs": 1 - dice.mean()
    }
    for k in (0, 2):
        why = f"the void pixels count as class {k}. After filling them, mask truth and probabilities by `!= 255`"
        wrong[why] = losses.dice_loss(logits, target.masked_fill(target == 255, k))
    expect_none_of(name, got, wrong)
    expect_number(name, got, want)
    target[target == 1] = 0
    name = "With class 1 missing from the target, `soft_dice_loss(logits, target)`"
    got, want = soft_dice_loss(logits, target), float(losses.dice_loss(logits, target))
    why = "class 1 costs a whole 1, whatever is predicted. Leave it out of the mean"
    expect_none_of(name, got, {why: (2 * want + 1) / 3})
    expect_number(name, got, want)
    return "One-hot for pixels that count, zeros for void, on both sides."


EXPERT_ORDER = ("close", "thin", "missed", "specks", "bridged")


def coin_masks(seed=0):
    """Six discs and five masks of them.

    Returns
    -------
    instances : (72, 96) integer array, 0 = none, 1..6
    masks : dict of name -> (72, 96) bool array; EXPERT_ORDER has their names, best first
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((72, 96))
    instances = np.zeros((72, 96), int)
    for i in range(6):
        y, x, radius = 18 + 36 * (i // 3), 16 + 32 * (i % 3), rng.uniform(10, 13)
        instances[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = i + 1
    full = instances > 0
    specks, bridged = full.copy(), full.copy()
    specks[35:37, [2, 48, 90]] = True
    first = 18 + 36 * rng.integers(2)
    bridged[first, 16:81] = True
    masks = {
        "bridged": bridged,
        "close": ndimage.binary_erosion(full),
        "missed": full & (instances != rng.integers(1, 7)),
        "specks": specks,
        "thin": ndimage.binary_erosion(full, iterations=2),
    }
    return instances, masks


_WHY = {
    "close": "all six coins, one pixel too small",
    "thin": "all six coins, two pixels too small",
    "missed": "one coin of six is missing",
    "specks": "three specks count as coins",
    "bridged": "one row of pixels makes three coins one: three lost, one invented",
}


def _expert_measure(mask, instances):
    from skimage.measure import label

    objects = metrics.instance_f1(label(mask, connectivity=1), instances).f1
    return objects + 0.001 * metrics.binary_iou(mask, instances > 0)


@exercise(
    "The expert counts. Which measure of the lesson counts objects, and what does it need that a mask is not yet?",
    "`skimage.measure.label(mask, connectivity=1)` numbers the objects, `instance_f1(...).f1` scores them. "
    "Two masks are then level.",
    "Add a little of a second measure, so little that it decides only where the first one is level.",
    solution=_expert_measure,
)
def q4(measure):
    for seed in range(4):
        instances, masks = coin_masks(seed)
        where = "On the coins of the lesson" if seed == 0 else "On other coins of the same kind"
        values = {}
        for name in EXPERT_ORDER:
            values[name] = _one_number(f"{where}, the measure of '{name}'", measure(masks[name], instances))
            if np.isnan(values[name]):
                raise NotYet(f"{where}, the measure of '{name}' is NaN.")
        ordered = list(values.values())
        if ordered == sorted(ordered) and ordered[0] < ordered[-1]:
            raise NotYet("Your order is the expert's, upside down: a better mask must get the higher value.")
        for better, worse in pairwise(EXPERT_ORDER):
            both = " and ".join(f"'{name}' ({_WHY[name]}) has {values[name]:.4g}" for name in (better, worse))
            if np.isclose(values[better], values[worse], rtol=0, atol=1e-9):
                raise NotYet(f"{where}, there is a tie: {both}. What tells them apart?")
            if values[better] < values[worse]:
                raise NotYet(f"{where}, {both}; the expert has them the other way round.")
    return "Objects first, outlines second. Say what you want to know, then build the ruler."
