"""Exercises of lesson 06, losses."""

import numpy as np
import torch
from torch.nn import functional as F

from seglib import losses
from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_number
from seglib.exercises._loss_demands import (
    expect_fillers_gone,
    expect_four_classes,
    expect_large_logits,
    expect_mean_for_any_scale,
    expect_nothing_from_void,
    expect_nothing_from_weight_0,
    expect_slope,
    hard,
    mixed_up,
    pooled,
    sample,
    sigmoids,
    smoothed,
    soft_dice,
    soft_iou_loss,
    squares,
    without_background,
)


def _weighted_cross_entropy(logits, target, weights):
    counted = target != 255
    labels = target.masked_fill(~counted, 0)
    true_log = logits.log_softmax(1).gather(1, labels[:, None])[:, 0]
    weight = weights[labels] * counted
    return -(weight * true_log).sum() / weight.sum().clamp(min=1e-12)


@exercise(
    "What does the network say about the class that each pixel has? `log_softmax(1)`, then `gather`.",
    "`weights[labels]` is one weight a pixel. Make it 0 where the target is 255 (fill these labels with 0 first).",
    "Divide the weighted sum by the sum of the weights, not by the number of pixels; never by 0: `.clamp(min=...)`.",
    solution=_weighted_cross_entropy,
)
def q1(weighted_cross_entropy):
    logits, target = sample()
    weights = torch.tensor([0.5, 1.0, 4.0])
    name = "`weighted_cross_entropy(logits, target, weights)`"
    got = weighted_cross_entropy(logits, target, weights)
    want = losses.cross_entropy(logits, target, class_weights=weights)
    each, mass = F.cross_entropy(logits, target, reduction="none"), weights[target].sum()
    pictures = [losses.cross_entropy(logits[[i]], target[[i]], class_weights=weights) for i in (0, 1)]
    expect_none_of(
        name,
        got,
        {
            "the weights do nothing: this is the plain cross-entropy": each.mean(),
            "you divide by the number of pixels. Divide by the sum of their weights": (weights[target] * each).mean(),
            "this is a sum over the pixels. Divide by the sum of their weights": (weights[target] * each).sum(),
            "1 is added to the sum of the weights, which makes the mean too small": want * mass / (1 + mass),
            "the logits are weighted, not the pixels": F.cross_entropy(logits * weights[:, None, None], target),
            "there is a softmax too many: `cross_entropy` takes logits": losses.cross_entropy(
                logits.softmax(1), target, class_weights=weights
            ),
            "the sign is wrong: a loss falls as the probabilities get better": -want,
            "you average over pictures. Divide the sum over the whole batch by its weights": sum(pictures) / 2,
        },
    )
    expect_number(name, got, want)
    target[0, :2], logits[0, 2, :2] = 255, logits[0, 2, :2] + 8
    void = f"With void, {name}"
    got, want = (
        weighted_cross_entropy(logits, target, weights),
        losses.cross_entropy(logits, target, class_weights=weights),
    )
    filled = {
        f"the void pixels count as class {k}": losses.cross_entropy(
            logits, target.masked_fill(target == 255, k), class_weights=weights
        )
        for k in (0, 2)
    }
    mass, missing = weights[target[target != 255]].sum(), (target == 255).sum()
    for k in range(3):
        why = f"the void pixels still count below the line, with the weight of class {k}. Leave them out of both sums"
        filled[why] = want * mass / (mass + missing * weights[k])
    expect_none_of(void, got, filled)
    expect_number(void, got, want)
    expect_slope(
        name,
        lambda x, t: weighted_cross_entropy(x, t, weights),
        lambda x, t: losses.cross_entropy(x, t, class_weights=weights),
        logits,
        target,
    )
    expect_mean_for_any_scale(name, weighted_cross_entropy, logits, target, weights)
    expect_large_logits(name, weighted_cross_entropy, weights)
    for size in (0, 200):
        expect_nothing_from_void(name, lambda x, t: weighted_cross_entropy(x, t, weights), size)
    expect_nothing_from_weight_0(name, weighted_cross_entropy, logits)
    four = torch.tensor([0.5, 1.0, 4.0, 2.0])
    expect_four_classes(
        name,
        lambda x, t: weighted_cross_entropy(x, t, four),
        lambda x, t: losses.cross_entropy(x, t, class_weights=four),
    )
    return "A pixel of weight 4 counts like four pixels: that is all that class weights do."


def _soft_dice_loss(logits, target):
    counted = (target != 255)[:, None]
    labels = target.masked_fill(target == 255, 0)
    truth = F.one_hot(labels, logits.shape[1]).movedim(3, 1) * counted
    probability = logits.softmax(1) * counted
    pixels = (0, 2, 3)
    size = truth.sum(pixels)
    dice = 2 * (probability * truth).sum(pixels) / (probability.sum(pixels) + size).clamp(min=1e-12)
    return (1 - dice)[size > 0].sum() / (size > 0).sum().clamp(min=1)


@exercise(
    "`F.one_hot` stops at 255. Which class can stand in for void, if you take it out afterwards?",
    "Fill void with 0, one-hot, then multiply truth *and* probabilities by `(target != 255)[:, None]`.",
    "Sums over the axes (0, 2, 3) leave one number a class: 2 · overlap / both sizes. Mean over the classes that the "
    "target shows; if it shows none, 0.",
    solution=_soft_dice_loss,
)
def q2(soft_dice_loss):
    logits, target = sample()
    call = "`soft_dice_loss(logits, target)`"
    name = f"Without void, {call}"
    got, want = soft_dice_loss(logits, target), float(losses.dice_loss(logits, target))
    apart = [losses.dice_loss(logits[[i]], target[[i]]) for i in (0, 1)]
    wrong = {
        "this is Dice itself. A loss falls as the masks get better: 1 - Dice, and 0 is perfect": 1 - want,
        "you average over pictures. Sum over the pixels of the whole batch, then divide": sum(apart) / 2,
        "there is a softmax too many": losses.dice_loss(logits.softmax(1), target),
        "the factor 2 is missing: Dice is 2 · overlap / (both sizes)": (1 + want) / 2,
        "this is 1 - soft IoU: both sizes belong below the line, without taking off the overlap": soft_iou_loss(
            logits, target
        ),
        "the sizes below the line are sums of squares, as in V-Net. Here they are plain sums": squares(logits, target),
        "this is a sigmoid of each logit. The classes of a pixel exclude each other: `softmax(1)`": sigmoids(
            logits, target
        ),
        "class 0 is left out of the mean. Here it is a class like the others": without_background(logits, target),
        "1 is added above and below the line. Here nothing is, so that a perfect mask gets 0": smoothed(logits, target),
        "`argmax` has no gradient. Stay with the probabilities: `softmax(1)`": hard(logits, target),
        "the sums run over the classes as well. Dice is one number a class, then their mean": pooled(logits, target),
        "the axes of the one-hot truth are mixed up. `reshape` keeps the numbers in their order; `movedim(3, 1)` "
        "moves the axis of the classes": mixed_up(logits, target),
    }
    expect_none_of(name, got, wrong)
    got = got.detach() if torch.is_tensor(got) else got
    expect_number(name, got, got)
    if np.isclose(float(got), -np.log(1 - want), rtol=0.05):
        raise NotYet("There is a logarithm in it. Dice loss is 1 - Dice; it lies between 0 and 1.")
    expect_number(name, got, want)
    target[0, :2] = 255
    logits[0, 2, :2] += 8  # whoever looks at void pixels sees much of class 2
    name = f"With void, {call}"
    got, want = soft_dice_loss(logits, target), float(losses.dice_loss(logits, target))
    probability = logits.softmax(1)
    truth = F.one_hot(target.masked_fill(target == 255, 0), 3).movedim(3, 1) * (target != 255)[:, None]
    dice = soft_dice(probability, truth)
    wrong = {
        "void is gone from the truth, not from the probabilities: what is predicted there still costs": 1 - dice.mean()
    }
    flat = logits.masked_fill((target == 255)[:, None], 0).softmax(1)
    dice = soft_dice(flat, truth)
    why = "logits set to 0 at void are no probabilities of 0: `softmax` makes 1/3 of each. Set the probabilities to 0"
    wrong[why] = 1 - dice.mean()
    seen = probability * (target != 255)[:, None]
    for k in (0, 2):
        filled = F.one_hot(target.masked_fill(target == 255, k), 3).movedim(3, 1)
        dice = soft_dice(seen, filled)
        why = f"void is gone from the probabilities, not from the truth: there it counts as class {k}. Mask both"
        wrong[why] = 1 - dice.mean()
    for k in (0, 2):
        why = f"the void pixels count as class {k}. After filling them, mask truth and probabilities by `!= 255`"
        wrong[why] = losses.dice_loss(logits, target.masked_fill(target == 255, k))
    expect_none_of(name, got, wrong)
    expect_number(name, got, want)
    target[target == 1] = 0
    name = f"With class 1 missing from the target, {call}"
    got, want = soft_dice_loss(logits, target), float(losses.dice_loss(logits, target))
    why = "class 1 costs a whole 1, whatever is predicted. Leave it out of the mean"
    expect_none_of(name, got, {why: (2 * want + 1) / 3})
    expect_number(name, got, want)
    expect_fillers_gone(call, soft_dice_loss)
    expect_slope(call, soft_dice_loss, losses.dice_loss, logits, target)
    expect_nothing_from_void(call, soft_dice_loss)
    expect_four_classes(call, soft_dice_loss, losses.dice_loss)
    return "One-hot for pixels that count, zeros for void, on both sides."


def _iou_drops(truth):
    wrong_objects = np.cumsum(truth, dtype=float)
    wrong_others = np.cumsum(np.asarray(truth) == 0)
    size = wrong_objects[-1]
    iou = (size - wrong_objects) / (size + wrong_others)
    return -np.diff(iou, prepend=1.0)


@exercise(
    "Let the first pixel be wrong, then the first two, and so on. What is the IoU each time?",
    "A wrong object pixel takes 1 from the intersection, another one adds 1 to the union. `np.cumsum` counts both.",
    "The IoU begins at 1. `np.diff(iou, prepend=1)` gives the steps; they go down.",
    solution=_iou_drops,
)
def q3(iou_drops):
    truth = np.array([1, 0, 0, 1, 0, 0])
    name = "`iou_drops(np.array([1, 0, 0, 1, 0, 0]))`"
    got, want = iou_drops(truth), _iou_drops(truth)
    if isinstance(got, list):
        raise NotYet(f"{name} is a list, wanted a NumPy array. `np.array(...)` makes one of it.")
    iou = 1 - np.cumsum(want)
    wrong = {
        "these are the values of the IoU. Wanted is how far each pixel lets it fall": iou,
        "these are the values of 1 - IoU. Wanted is how much each pixel adds to that": 1 - iou,
        "the first pixel is missing: before it, the IoU is 1": want[1:],
        "they are negative. Give how far the IoU falls as a number above 0": -want,
        "each pixel is wrong alone here. The ones before it stay wrong as well": np.where(truth, 1 / 2, 1 / 3),
        "the IoU falls as if the object's pixels came first. Keep the order that is given, and take from the "
        "intersection for pixels of the object only; another pixel adds 1 to the union": -np.diff(
            np.maximum(2 - np.arange(1, 7), 0) / 2, prepend=1.0
        ),
        "only the intersection changes; a false alarm makes the union larger": -np.diff(
            (2 - np.cumsum(truth)) / 2, prepend=1.0
        ),
    }
    expect_none_of(name, got, wrong)
    expect_array(name, got, want)
    random = np.random.default_rng(0)
    for kind in (np.uint8, bool, float):
        truth = (random.random(9) < 0.4).astype(kind)
        truth[0] = 1
        expect_array(f"For {truth.tolist()}, as {truth.dtype}, `iou_drops`", iou_drops(truth), _iou_drops(truth))
    expect_array("For four pixels that are all object, `iou_drops`", iou_drops(np.ones(4, int)), np.full(4, 0.25))
    many = (random.random(1000) < 0.6).astype(np.uint8)
    name = "For 1000 pixels as uint8, a type that counts to 255 only, `iou_drops`"
    expect_array(name, iou_drops(many), _iou_drops(many), tolerance=1e-3)  # float32 is right as well
    expect_number("The sum of all drops", np.sum(iou_drops(np.array([0, 0, 1]))), 1.0)
    return "Errors times these drops, summed, are the Lovász loss of one class."


def _undo_weights(probabilities, weights):
    shares = probabilities / np.reshape(weights, (-1, 1, 1))
    return shares / shares.sum(0)


@exercise(
    "A class of weight 10 was counted as if it were ten times as common. What has to happen to its probability?",
    "Divide each class's map by its weight. What do the probabilities of a pixel sum to then?",
    "`weights` has to meet the first axis: `weights[:, None, None]`. Then divide by the sum over axis 0.",
    solution=_undo_weights,
)
def q4(undo_weights):
    random = np.random.default_rng(1)
    plain = random.dirichlet(np.ones(3), size=(3, 4)).transpose(2, 0, 1)  # as many rows as classes: a trap
    weights = np.array([0.2, 1.0, 30.0])
    learned = plain * weights[:, None, None]
    learned /= learned.sum(0)
    name = "`undo_weights(probabilities, weights)`"
    try:
        got = undo_weights(learned, weights)
    except ValueError as error:
        if "broadcast" not in str(error):
            raise
        raise NotYet(
            f"{name} stops, because {error}. The weights have to lie along the first axis, that of the classes, "
            "not along the picture's columns: `weights[:, None, None]`."
        ) from error
    again, shares = learned * weights[:, None, None], learned / weights[:, None, None]
    wrong = {
        "the probabilities of a pixel do not sum to 1. Divide by their sum over the classes": shares,
        "the weights are applied once more. Divide by them": again / again.sum(0),
        "each class's map sums to 1 now. The classes of each pixel have to": shares / shares.sum((1, 2), keepdims=True),
        "nothing has changed: the weights are not used, or they meet the picture's rows, not the classes. They "
        "have to lie along the first axis: `weights[:, None, None]`": learned,
        "the weights meet the picture's rows, not the classes": learned / weights[:, None],
    }
    expect_none_of(name, got, wrong)
    expect_array(name, got, plain)
    small = np.array([1e-6, 1.0, 30.0])
    learned = plain * small[:, None, None] / (plain * small[:, None, None]).sum(0)
    name_small, wrong = f"With a weight of 1e-6, {name}", {}
    for least in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5):
        why = f"a weight is kept at {least:g} or above. Weights are above 0, so the division needs no guard"
        wrong[why] = _undo_weights(learned, np.maximum(small, least))
    got = undo_weights(learned, small)
    expect_none_of(name_small, got, wrong)
    expect_array(name_small, got, plain)
    two, whole = np.stack([np.full((1, 5), 0.4), np.full((1, 5), 0.6)]), np.array([1, 3])
    expect_array(f"With whole numbers as weights, {name}", undo_weights(two, whole), _undo_weights(two, whole))
    return "A network that learned with weights gives probabilities for a world in which rare things are common."
