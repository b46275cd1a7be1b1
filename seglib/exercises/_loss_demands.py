"""What exercises 1 and 2 of lesson 06 ask of a loss beside its value, and what the usual mistakes in Dice loss give."""

import numpy as np
import torch
from torch.nn import functional as F

from seglib import losses
from seglib.exercises import NotYet, expect_array, expect_none_of, expect_number


def expect_slope(name, loss, expected, logits, target):
    """NotYet unless the loss can be learned from: a tensor on the graph, with the gradient of the expected loss."""
    slopes = []
    for each in (loss, expected):
        leaf = logits.clone().requires_grad_()
        value = each(leaf, target)
        if not torch.is_tensor(value) or not value.requires_grad:
            raise NotYet(
                f"The value of {name} is right, but it has no gradient: a network could not learn from it. Stay with "
                "torch from the logits to the result, without `float`, `.item()`, `.detach()` and NumPy."
            )
        slopes.append(torch.autograd.grad(value, leaf, allow_unused=True)[0])
        if slopes[-1] is None:
            raise NotYet(
                f"The value of {name} is right, but it is not computed from the logits: a new tensor, even with "
                "`requires_grad=True`, knows nothing of them. Return the result of your sums itself."
            )
    expect_array(f"The gradient of {name}", *slopes, tolerance=1e-4)


def expect_nothing_from_void(name, loss, size=0):
    """NotYet unless a batch of nothing but void gives 0, with a gradient of 0, for logits of -size, 0 and size."""
    logits, void = (size * torch.ones(1, 3, 2, 4).cumsum(1) - 2 * size).requires_grad_(), torch.full((1, 2, 4), 255)
    value = loss(logits, void)
    if torch.is_tensor(value) and torch.isnan(value).any():
        slope = torch.autograd.grad(value, logits, allow_unused=True)[0] if value.requires_grad else None
        harm = (
            "one such batch ruins all weights"
            if slope is None or torch.isnan(slope).any()
            else ("its gradient is 0, but every mean that you log becomes NaN")
        )
        raise NotYet(f"On a batch that is all void, {name} is NaN, from 0/0: {harm}. Give 0.")
    expect_number(f"On a batch that is all void, {name}", value, 0.0)
    if not torch.is_tensor(value) or not value.requires_grad:
        kind = "a tensor without a gradient" if torch.is_tensor(value) else "no tensor"
        raise NotYet(
            f"On a batch that is all void, {name} is 0, but {kind}, so `.backward()` stops there. "
            "Compute it from the logits; `0 * logits.sum()` is one way."
        )
    (slope,) = torch.autograd.grad(value, logits, allow_unused=True)
    if slope is not None and not torch.equal(slope, torch.zeros_like(slope)):
        raise NotYet(f"On a batch that is all void, {name} is 0, but its gradient is NaN: 0 times infinity.")


def sample():
    """Logits (2, 3, 4, 5) and a target without void; the pictures differ in their shares of classes."""
    logits = 2 * torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(4))
    target = torch.arange(40).view(2, 4, 5) % 3
    target[0, 0], target[1, 1:] = 1, 2
    return logits, target


def four_classes():
    """Logits (1, 4, 2, 4) and a target of four classes, for answers that know three only."""
    logits = torch.randn(1, 4, 2, 4, generator=torch.Generator().manual_seed(6))
    return logits, torch.tensor([[[3, 0, 1, 2], [2, 3, 1, 0]]])


def expect_four_classes(name, loss, expected):
    """NotYet unless the loss takes its number of classes from the logits."""
    logits, target = four_classes()
    name, fixed = f"With four classes, {name}", "is the number of classes fixed at 3? It is `logits.shape[1]`"
    want = expected(logits, target)
    try:
        got = loss(logits, target)
    except (RuntimeError, IndexError, ValueError) as error:
        raise NotYet(f"{name} stops with {type(error).__name__}: {fixed}.") from error
    expect_none_of(name, got, {fixed: expected(logits, target.masked_fill(target == 3, 255))})
    expect_number(name, got, want)


def expect_fillers_gone(name, loss):
    """NotYet unless the class that void was filled with counts only where the target shows it."""
    logits = torch.randn(1, 3, 2, 4, generator=torch.Generator().manual_seed(8))
    for absent, rows in ((0, [[1, 1, 2, 255], [2, 1, 255, 1]]), (2, [[0, 1, 0, 255], [1, 1, 255, 0]])):
        target = torch.tensor([rows])
        want = losses.dice_loss(logits, target)
        told, why = (
            f"With void, and class {absent} missing from the target, {name}",
            "void counts as a class that is shown",
        )
        expect_none_of(
            told, loss(logits, target), {f"{why}. Look for classes where the target is not 255": (2 * want + 1) / 3}
        )
        expect_number(told, loss(logits, target), want)


def expect_mean_for_any_scale(name, loss, logits, target, weights):
    """NotYet unless the loss is the same for weights so small that their sum over the pixels is far below 1."""
    few = logits[:1, :, 3:, :2], target[:1, 3:, :2]  # two pixels
    for x, t, scale in ((logits, target, 1e-3), (logits, target, 1e-8), (logits, target, 1e-9), (*few, 1e-9)):
        small, want = weights * scale, losses.cross_entropy(x, t, class_weights=weights)
        mass = float(small[t[t != 255]].sum())
        told = f"With weights that sum to {mass:.2g} over the pixels, {name}"
        got = loss(x, t, small)
        got = got.detach() if torch.is_tensor(got) else got
        if float(got) == 0:
            raise NotYet(f"{told} is 0: a guard takes small weights for no weights. Only a sum of 0 needs a guard.")
        cut = (
            "the sum of the weights is held at 1 or more, so this is no mean. Only 0 needs a guard: `.clamp(min=1e-12)`"
        )
        expect_none_of(told, got, {cut: want * mass})
        if 0 <= float(got) < 0.998 * float(want):
            raise NotYet(
                f"{told} is {float(got):.4g}, wanted {float(want):.4g}: too small. If something guards your division "
                "against 0, it is too large beside these weights. `.clamp(min=1e-12)` leaves them alone."
            )
        expect_number(told, got, want, tolerance=2e-3)


def expect_nothing_from_weight_0(name, loss, logits):
    """NotYet unless a batch whose pixels all have weight 0 gives 0, be it that all classes have."""
    for told, weights in (("every pixel", [0.0, 1, 2]), ("every class", [0.0, 0, 0])):
        leaf = logits.clone().requires_grad_()
        got = loss(leaf, torch.zeros(2, 4, 5).long(), torch.tensor(weights))
        told = f"Where {told} has weight 0, {name}"
        if np.isnan(float(torch.as_tensor(got).detach())):
            raise NotYet(f"{told} is NaN, from 0/0. Give 0, as for a batch that is all void.")
        expect_number(told, got, 0.0)
        if not torch.is_tensor(got) or not got.requires_grad:
            raise NotYet(f"{told} is 0, but `.backward()` stops there: it is not computed from the logits.")
        (slope,) = torch.autograd.grad(got, leaf, allow_unused=True)
        if slope is not None and not torch.equal(slope, torch.zeros_like(slope)):
            raise NotYet(
                f"{told} is 0, but its gradient is not: it holds {float(slope.flatten()[0]):g}. `nan_to_num` mends a "
                "value, not the division by 0 behind it. Keep the sum of the weights above 0, by `.clamp(min=1e-12)`."
            )


def expect_large_logits(name, loss, weights):
    """NotYet unless logits of -200, 0 and 200 give their loss, with a gradient: the softmax of -200 is 0 in float32."""
    logits = torch.tensor([[200.0, 0, -200, 0], [-200, 200, 0, 0], [0, -200, 200, 0]])[None, :, None]
    target = torch.tensor([[[0, 2, 0, 1]]])
    name = f"With logits of -200, 0 and 200, {name}"
    got, want = loss(logits, target, weights), losses.cross_entropy(logits, target, class_weights=weights)
    if not np.isfinite(float(got)):
        raise NotYet(
            f"{name} is {float(got)}: `exp` of these is 0 or infinite in float32, and so is a logarithm after it. "
            "`log_softmax` takes the logarithm without the detour."
        )
    if float(got) < 0.99 * float(want):
        raise NotYet(
            f"{name} is {float(got):.4g}, wanted {float(want):.4g}. A probability that is kept above a small number "
            "cuts the loss of the worst pixels, and their gradient. `log_softmax` needs no such guard."
        )
    expect_number(name, got, want)
    expect_slope(
        name,
        lambda x, t: loss(x, t, weights),
        lambda x, t: losses.cross_entropy(x, t, class_weights=weights),
        logits,
        target,
    )


def soft_dice(probability, truth):
    """Dice of every class (K,), over all pixels of probabilities and a one-hot truth (N, K, H, W)."""
    return 2 * (probability * truth).sum((0, 2, 3)) / (probability + truth).sum((0, 2, 3))


def soft_iou_loss(logits, target):
    probability, truth = logits.softmax(1), F.one_hot(target).movedim(3, 1)
    overlap = (probability * truth).sum((0, 2, 3))
    return (1 - overlap / ((probability + truth).sum((0, 2, 3)) - overlap)).mean()


def squares(logits, target):
    probability, truth = logits.softmax(1), F.one_hot(target).movedim(3, 1)
    return (1 - 2 * (probability * truth).sum((0, 2, 3)) / (probability**2 + truth).sum((0, 2, 3))).mean()


def sigmoids(logits, target):
    probability, truth = logits.sigmoid(), F.one_hot(target).movedim(3, 1)
    return (1 - soft_dice(probability, truth)).mean()


def without_background(logits, target):
    probability, truth = logits.softmax(1), F.one_hot(target).movedim(3, 1)
    return (1 - soft_dice(probability, truth))[1:].mean()


def mixed_up(logits, target):
    probability, truth = logits.softmax(1), F.one_hot(target).reshape(logits.shape)
    return (1 - soft_dice(probability, truth)).mean()


def smoothed(logits, target):
    probability, truth = logits.softmax(1), F.one_hot(target).movedim(3, 1)
    overlap, sizes = (probability * truth).sum((0, 2, 3)), (probability + truth).sum((0, 2, 3))
    return (1 - (2 * overlap + 1) / (sizes + 1)).mean()


def hard(logits, target):
    chosen, truth = (F.one_hot(each).movedim(3, 1) for each in (logits.argmax(1), target))
    return (1 - soft_dice(chosen, truth)).mean()


def pooled(logits, target):
    probability, truth = logits.softmax(1), F.one_hot(target).movedim(3, 1)
    return 1 - 2 * (probability * truth).sum() / (probability + truth).sum()
