"""Answers to the exercises of lesson 06, as learners give them."""

import numpy as np
import torch
from exercise_proof import mutation
from torch.nn import functional as F

from seglib.exercises.losses import q1, q2, q3, q4


def pytorchs(logits, target, weights):
    return F.cross_entropy(logits, target, weight=weights, ignore_index=255)  # 0/0 where all is void


def exponentials(logits, target, weights):
    """The formula of softmax as it stands on the page: exp(200) is infinite."""
    probability = logits.exp() / logits.exp().sum(1, keepdim=True)
    counted = target != 255
    labels = target.masked_fill(~counted, 0)
    weight = weights[labels] * counted
    each = -probability.gather(1, labels[:, None])[:, 0].log()
    return (weight * each).sum() / weight.sum().clamp(min=1e-12)


def only_pixels_that_count(logits, target, weights):
    """Void is dropped first; PyTorch's loss does the rest, and nothing is left of a batch that is all void."""
    counted = target != 255
    if not weights[target[counted]].any():
        return 0 * logits.sum()
    return F.cross_entropy(logits.movedim(1, -1)[counted], target[counted], weight=weights)


def summed(logits, target, weights):
    """PyTorch's sum over the pixels, void left out, by the sum of the weights."""
    total = F.cross_entropy(logits, target, weight=weights, ignore_index=255, reduction="sum")
    return total / (weights[target[target != 255]].sum() + 1e-12)


def by_hand(logits, target, weights):
    """Picture by picture, class by class, with plain arithmetic."""
    total, mass = 0 * logits.sum(), 0.0
    for scores, truth in zip(logits, target, strict=True):
        for k, weight in enumerate(weights):
            chosen = truth == k
            total = total + weight * (scores.logsumexp(0) - scores[k])[chosen].sum()
            mass += float(weight * chosen.sum())
    return total / max(mass, 1e-9)


def one_hot_of_three(logits, target, weights):
    """The number of classes is fixed at 3."""
    counted = target != 255
    truth = F.one_hot(target.masked_fill(~counted, 0), 3).movedim(3, 1) * counted[:, None]
    weight = truth * weights[:, None, None]
    return -(weight * logits.log_softmax(1)).sum() / weight.sum().clamp(min=1e-12)


def classes_0_to_2(logits, target, weights):
    """A loop over three classes: the fourth does not count."""
    each, total, mass = logits.log_softmax(1), 0 * logits.sum(), 0.0
    for k in range(3):
        chosen = target == k
        total = total - weights[k] * each[:, k][chosen].sum()
        mass += float(weights[k] * chosen.sum())
    return total / max(mass, 1e-12)


def loose_zero(logits, target, weights):
    """On a batch of nothing but void, a 0 that knows nothing of the logits: `backward` stops."""
    if not (target != 255).any():
        return torch.tensor(0.0)
    return q1.solution(logits, target, weights)


def zero_of_python(logits, target, weights):
    return q1.solution(logits, target, weights) if (target != 255).any() else 0.0


def only_void_is_guarded(logits, target, weights):
    """0/0 where pixels count, but with weight 0."""
    counted = target != 255
    if not counted.any():
        return 0 * logits.sum()
    return F.cross_entropy(logits.movedim(1, -1)[counted], target[counted], weight=weights)


def normalised_first(logits, target, weights):
    """All weights 0 give 0/0."""
    return q1.solution(logits, target, weights / weights.sum())


def renewed(logits, target, weights):
    """A new tensor, with a gradient of its own."""
    return torch.tensor(q1.solution(logits, target, weights).item(), requires_grad=True)


def picture_by_picture(logits, target, weights):
    return torch.stack([q1.solution(logits[[i]], target[[i]], weights) for i in range(len(logits))]).mean()


def void_logits_at_0(logits, target):
    """Logits of 0 are equal probabilities, not none."""
    void = (target == 255)[:, None]
    labels = target.masked_fill(target == 255, 0)
    truth = F.one_hot(labels, logits.shape[1]).movedim(3, 1) * ~void
    probability, pixels = logits.masked_fill(void, 0).softmax(1), (0, 2, 3)
    size = truth.sum(pixels)
    dice = 2 * (probability * truth).sum(pixels) / (probability.sum(pixels) + size).clamp(min=1e-12)
    return (1 - dice)[size > 0].sum() / (size > 0).sum().clamp(min=1)


def without_background(logits, target):
    counted = (target != 255)[:, None]
    truth = F.one_hot(target.masked_fill(target == 255, 0), logits.shape[1]).movedim(3, 1) * counted
    probability, pixels = logits.softmax(1) * counted, (0, 2, 3)
    dice = 2 * (probability * truth).sum(pixels) / (probability.sum(pixels) + truth.sum(pixels)).clamp(min=1e-12)
    return 1 - dice[1:].mean()


def renewed_dice(logits, target):
    return torch.tensor(q2.solution(logits, target).item(), requires_grad=True)


def loose_dice(logits, target):
    if not (target != 255).any():
        return torch.tensor(0.0)
    return q2.solution(logits, target)


def python_dice(logits, target):
    return q2.solution(logits, target) if (target != 255).any() else 0.0


def per_picture(logits, target):
    return torch.stack([q2.solution(logits[[i]], target[[i]]) for i in range(len(logits))]).mean()


def class_by_class(logits, target):
    seen = target != 255
    probability = logits.softmax(1).movedim(1, 0)[:, seen]
    truth = target[seen]
    scores = []
    for k in truth.unique():
        mine = truth == k
        scores.append(2 * probability[k][mine].sum() / (probability[k].sum() + mine.sum()))
    return 1 - torch.stack(scores).mean() if scores else 0 * logits.sum()


def first_edition(logits, target):
    """The published solution of the first edition: NaN where all is void."""
    counted = (target != 255)[:, None]
    truth = F.one_hot(target.masked_fill(target == 255, 0), logits.shape[1]).movedim(3, 1) * counted
    probability, pixels = logits.softmax(1) * counted, (0, 2, 3)
    size = truth.sum(pixels)
    dice = 2 * (probability * truth).sum(pixels) / (probability.sum(pixels) + size)
    return 1 - dice[size > 0].mean()


def one_after_the_other(truth):
    """A loop over the pixels, with sets in mind."""
    size, missed, alarms, before, drops = sum(map(float, truth)), 0, 0, 1.0, []
    for value in truth:
        missed, alarms = missed + (value == 1), alarms + (value == 0)
        now = (size - missed) / (size + alarms)
        drops.append(before - now)
        before = now
    return np.array(drops)


def alone(truth):
    size = truth.sum()
    return np.where(truth == 1, 1 / size, 1 - size / (size + 1))


def whole_numbers(truth):
    """Counts in the type of the truth: uint8 goes below 0, bool cannot be subtracted."""
    gone = np.cumsum(truth, dtype=truth.dtype)
    iou = (truth.sum(dtype=truth.dtype) - gone) / (truth.sum() + np.cumsum(truth == 0))
    return -np.diff(iou, prepend=1.0)


def sorted_first(truth):
    """The order of the errors is lost."""
    return q3.solution(np.sort(np.asarray(truth, float))[::-1])


def in_bytes(truth):
    """Counts that start again at 0 after 255."""
    truth = np.asarray(truth).astype(np.uint8)
    missed = np.cumsum(truth, dtype=np.uint8).astype(float)
    alarms = np.cumsum(truth == 0, dtype=np.uint8).astype(float)
    return -np.diff((missed[-1] - missed) / (missed[-1] + alarms), prepend=1.0)


def nothing_where_all_is_object(truth):
    return q3.solution(truth) if not np.all(truth) else np.zeros(len(truth))


def along_the_columns(probabilities, weights):
    shares = probabilities / weights
    return shares / shares.sum(0)


def by_einsum(probabilities, weights):
    shares = np.einsum("khw,k->khw", probabilities, 1 / np.asarray(weights, float))
    return shares / shares.sum(axis=0, keepdims=True)


WRONG = {
    "q1": [
        pytorchs,
        mutation(q1.solution, ("weights[labels] * counted", "counted.float()")),
        mutation(q1.solution, ("weight.sum().clamp(min=1e-12)", "counted.sum()")),
        mutation(q1.solution, (" / weight.sum().clamp(min=1e-12)", "")),
        mutation(q1.solution, ("weights[labels] * counted", "weights[labels]")),
        mutation(q1.solution, ("weights[labels] * counted", "weights[labels]"), ("~counted, 0", "~counted, 2")),
        mutation(q1.solution, ("return -", "return ")),
        mutation(q1.solution, ("logits.log_softmax", "logits.softmax(1).log_softmax")),
        mutation(q1.solution, ("min=1e-12", "min=1")),
        mutation(q1.solution, ("weight.sum().clamp(min=1e-12)", "(weight.sum() + 1)")),
        mutation(q1.solution, ("log_softmax(1)", "softmax(1).log()")),
        mutation(q1.solution, ("log_softmax(1)", "softmax(1).clamp(min=1e-12).log()")),
        exponentials,
        mutation(
            q1.solution,
            ("logits.log_softmax", "(logits * weights[:, None, None]).log_softmax"),
            ("weights[labels] * ", "1.0 * "),
        ),
        mutation(q1.solution, ("logits.log", "logits.detach().log")),
        mutation(q1.solution, ("min=1e-12", "min=1e-2")),
        mutation(q1.solution, ("min=1e-12", "min=1e-4")),
        mutation(q1.solution, ("weight.sum().clamp(min=1e-12)", "(weight.sum() + 1e-6)")),
        mutation(q1.solution, ("weight.sum().clamp(min=1e-12)", "(weight.sum() + 1e-8)")),
        mutation(q1.solution, ("min=1e-12", "min=1e-8")),
        mutation(q1.solution, ("return -(", "return torch.nan_to_num(-("), (".clamp(min=1e-12)", ")")),
        *(one_hot_of_three, classes_0_to_2, loose_zero, zero_of_python, only_void_is_guarded),
        *(normalised_first, renewed, picture_by_picture),
        mutation(q1.solution, ("weight.sum().clamp(min=1e-12)", "weights[labels].sum().clamp(min=1e-12)")),
        mutation(
            q1.solution,
            ("weight.sum().clamp(min=1e-12)", "weights[labels].sum().clamp(min=1e-12)"),
            ("~counted, 0", "~counted, 2"),
        ),
    ],
    "q2": [
        mutation(q2.solution, ("target.masked_fill(target == 255, 0)", "target")),
        mutation(q2.solution, ("(target != 255)", "(target >= 0)")),
        mutation(q2.solution, ("(target != 255)", "(target >= 0)"), ("255, 0", "255, 2")),
        mutation(q2.solution, ("softmax(1) * counted", "softmax(1)")),
        per_picture,
        mutation(q2.solution, ("(1 - dice)", "dice")),
        mutation(q2.solution, ("return (1 - dice)", "return -(dice.log())")),
        mutation(q2.solution, ("(1 - dice)[size > 0].sum() / (size > 0).sum().clamp(min=1)", "(1 - dice).mean()")),
        mutation(q2.solution, (".softmax(1)", "")),
        mutation(q2.solution, ("2 * (", "(1 + 2 * ("), ("sum(pixels) / (", "sum(pixels)) / (1 + ")),
        mutation(q2.solution, ("logits.softmax", "logits.detach().softmax")),
        mutation(q2.solution, ("logits.softmax(1)", "logits.softmax(1).softmax(1)")),
        mutation(q2.solution, ("dice = 2 * ", "dice = ")),
        mutation(q2.solution, (".movedim(3, 1)", ".reshape(logits.shape)")),
        mutation(q2.solution, ("(probability.sum(pixels)", "((probability**2).sum(pixels)")),
        mutation(
            q2.solution,
            ("(probability.sum(pixels) + size)", "(probability.sum(pixels) + size - overlap)"),
            (
                "dice = 2 * (probability * truth).sum(pixels)",
                "overlap = (probability * truth).sum(pixels)\n    dice = overlap",
            ),
        ),
        mutation(q2.solution, (".movedim(3, 1) * counted", ".movedim(3, 1)")),
        mutation(q2.solution, ("logits.shape[1]", "3")),
        mutation(q2.solution, ("logits.softmax(1)", "logits.sigmoid()")),
        mutation(q2.solution, ("[size > 0].sum() / (size > 0).sum().clamp(min=1)", "[labels.unique()].mean()")),
        *(first_edition, loose_dice, python_dice, void_logits_at_0, without_background, renewed_dice),
    ],
    "q3": [
        mutation(q3.solution, ("-np.diff(iou, prepend=1.0)", "iou")),
        mutation(q3.solution, ("-np.diff(iou, prepend=1.0)", "1 - iou")),
        mutation(q3.solution, ("-np.diff(iou, prepend=1.0)", "-np.diff(iou)")),
        mutation(q3.solution, ("-np.diff", "np.diff")),
        mutation(q3.solution, (" / (size + wrong_others)", " / size")),
        mutation(q3.solution, ("-np.diff(iou, prepend=1.0)", "(-np.diff(iou, prepend=1.0)).tolist()")),
        *(alone, whole_numbers, sorted_first, in_bytes, nothing_where_all_is_object),
    ],
    "q4": [
        mutation(q4.solution, ("shares / shares.sum(0)", "shares")),
        mutation(q4.solution, ("probabilities / ", "probabilities * ")),
        mutation(q4.solution, ("(-1, 1, 1)", "(-1, 1)")),
        mutation(q4.solution, ("shares.sum(0)", "shares.sum((1, 2), keepdims=True)")),
        mutation(q4.solution, ("np.reshape(weights", "np.reshape(np.maximum(weights, 1e-3)")),
        along_the_columns,
    ],
}

RIGHT = {
    "q1": [by_hand, only_pixels_that_count, summed],
    "q2": [class_by_class],
    "q3": [one_after_the_other],
    "q4": [by_einsum],
}
