"""Losses: by hand, against slow direct formulas, and on the inputs that break naive versions."""

import math
from functools import partial

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from seglib.losses import cross_entropy, dice_loss, focal_loss, lovasz_loss, tversky_loss
from seglib.metrics import confusion_matrix, dice, iou

LOSSES = [cross_entropy, focal_loss, dice_loss, tversky_loss, lovasz_loss]
every_loss = pytest.mark.parametrize("loss", LOSSES)


def sample(classes=4, shape=(2, 5, 6), seed=0, dtype=torch.float64, void=True):
    """Logits that ask for gradients, and a target, a fifth of it void."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(shape[0], classes, *shape[1:], generator=generator, dtype=dtype) * 2
    target = torch.randint(0, classes, shape, generator=generator)
    if void:
        target[torch.rand(shape, generator=generator) < 0.2] = 255
    return logits.requires_grad_(), target


def pixels(logits, target):
    """Softmax (P, K) and labels (P,) of the pixels that are not void, as plain arrays."""
    probability = logits.detach().softmax(1).movedim(1, -1)
    return probability[target != 255].numpy(), target[target != 255].numpy()


def slow_tversky(logits, target, alpha, beta):
    probability, labels = pixels(logits, target)
    losses = []
    for k in np.unique(labels):
        p, g = probability[:, k], labels == k
        hits = p[g].sum()
        losses.append(1 - hits / (hits + alpha * p[~g].sum() + beta * (1 - p[g]).sum()))
    return np.mean(losses)


def slow_lovasz(logits, target):
    """The Lovász extension by its definition: errors in falling order, each times the growth of the set's loss."""
    probability, labels = pixels(logits, target)

    def jaccard_loss(wrong, truth):  # 1 - IoU when exactly the pixels in `wrong` are wrong
        return 1 - (truth & ~wrong).sum() / (truth | wrong).sum()

    losses = []
    for k in np.unique(labels):
        truth = labels == k
        errors = np.abs(truth - probability[:, k])
        wrong, value, before = np.zeros(len(truth), bool), 0.0, 0.0
        for pixel in np.argsort(-errors):
            wrong[pixel] = True
            now = jaccard_loss(wrong, truth)
            value, before = value + errors[pixel] * (now - before), now
        losses.append(value)
    return np.mean(losses)


@pytest.mark.parametrize(("classes", "seed"), [(2, 0), (4, 1), (11, 2)])
def test_values_equal_slow_formulas(classes, seed):
    logits, target = sample(classes, seed=seed)
    probability, labels = pixels(logits, target)
    p = probability[np.arange(len(labels)), labels]
    assert cross_entropy(logits, target).item() == pytest.approx(-np.log(p).mean())
    assert focal_loss(logits, target).item() == pytest.approx(((1 - p) ** 2 * -np.log(p)).mean())
    assert focal_loss(logits, target, 0.7).item() == pytest.approx(((1 - p) ** 0.7 * -np.log(p)).mean())
    assert dice_loss(logits, target).item() == pytest.approx(slow_tversky(logits, target, 0.5, 0.5))
    assert tversky_loss(logits, target).item() == pytest.approx(slow_tversky(logits, target, 0.3, 0.7))
    assert tversky_loss(logits, target, 1, 0).item() == pytest.approx(slow_tversky(logits, target, 1, 0))
    assert lovasz_loss(logits, target).item() == pytest.approx(slow_lovasz(logits, target))


def test_relatives_agree():
    logits, target = sample()
    assert tversky_loss(logits, target, 0.5, 0.5).item() == dice_loss(logits, target).item()
    assert focal_loss(logits, target, gamma=0).item() == pytest.approx(cross_entropy(logits, target).item())
    expected = F.cross_entropy(logits, target, ignore_index=255)
    assert cross_entropy(logits, target).item() == pytest.approx(expected.item())
    weight = torch.tensor([0.5, 2.0, 1.0, 3.0], dtype=torch.float64)
    expected = F.cross_entropy(logits, target, weight, ignore_index=255)
    assert cross_entropy(logits, target, class_weights=weight).item() == pytest.approx(expected.item())


WEIGHTS = torch.rand(1, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    "loss", [*LOSSES, partial(focal_loss, gamma=0.5), partial(cross_entropy, pixel_weights=WEIGHTS)]
)
def test_gradients(loss):
    logits, target = sample(3, (1, 3, 3))
    assert torch.autograd.gradcheck(lambda x: loss(x, target), logits)


def test_focal_gradient_is_finite_on_certain_pixels():
    logits = torch.tensor([[100.0, 0.0]]).view(1, 2, 1, 1).requires_grad_()
    focal_loss(logits, torch.zeros(1, 1, 1, dtype=torch.long), gamma=0.5).backward()
    assert logits.grad.isfinite().all()


@every_loss
@pytest.mark.parametrize("rubbish", [-1e30, math.nan, math.inf])
def test_void_pixels_change_nothing(loss, rubbish):
    logits, target = sample()
    value = loss(logits, target)
    (gradient,) = torch.autograd.grad(value, logits)
    assert not gradient.movedim(1, -1)[target == 255].any()
    assert gradient.movedim(1, -1)[target != 255].any()

    spoilt = logits.detach().clone()
    spoilt.movedim(1, -1)[target == 255] = rubbish
    spoilt.requires_grad_()
    again = loss(spoilt, target)
    (gradient_again,) = torch.autograd.grad(again, spoilt)
    assert again.item() == value.item()
    assert torch.equal(gradient, gradient_again)


@every_loss
@pytest.mark.parametrize("fill", [0.0, math.nan])
def test_all_void_gives_zero_and_no_gradient(loss, fill):
    logits = torch.full((2, 3, 4, 4), fill, requires_grad=True)
    value = loss(logits, torch.full((2, 4, 4), 255))
    value.backward()
    assert value.item() == 0.0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@every_loss
@pytest.mark.parametrize("scale", [30, 1e4])
def test_perfect_and_worst_predictions(loss, scale):
    _, target = sample(void=False)
    right = F.one_hot(target, 4).movedim(-1, 1).float() * scale
    wrong = right.roll(1, dims=1).requires_grad_()
    right.requires_grad_()
    good, bad = loss(right, target), loss(wrong, target)
    (good + bad).backward()
    assert 0 <= good.item() < 1e-6
    assert bad.item() > (0.99 if loss in (dice_loss, tversky_loss, lovasz_loss) else 20)
    assert right.grad.isfinite().all()
    assert wrong.grad.isfinite().all()


@st.composite
def hard_predictions(draw):
    shape = draw(npst.array_shapes(min_dims=3, max_dims=3, max_side=4))
    classes = draw(st.integers(2, 5))
    labels = st.integers(0, classes - 1)
    prediction = draw(npst.arrays(np.int64, shape, elements=labels))
    target = draw(npst.arrays(np.int64, shape, elements=labels | st.just(255)))
    return classes, prediction, target


@given(hard_predictions())
@settings(deadline=None, max_examples=50)
def test_hard_predictions_give_one_minus_the_metric(case):
    classes, prediction, target = case
    logits = F.one_hot(torch.from_numpy(prediction), classes).movedim(-1, 1).double() * 1000
    matrix = confusion_matrix(prediction, target, classes)
    present = matrix.sum(1) > 0
    for loss, score in ((lovasz_loss, iou), (dice_loss, dice)):
        expected = (1 - score(matrix)[present]).mean() if present.any() else 0.0
        assert loss(logits, torch.from_numpy(target)).item() == pytest.approx(expected, abs=1e-12)


@given(st.integers(0, 10**6), st.floats(0.01, 100))
@settings(deadline=None, max_examples=25)
def test_region_losses_lie_between_zero_and_one(seed, scale):
    logits, target = sample(3, (1, 4, 4), seed=seed, dtype=torch.float32)
    for loss in (dice_loss, tversky_loss, lovasz_loss):
        assert 0 <= loss(logits * scale, target).item() <= 1 + 1e-6


def test_classes_missing_from_the_target_are_left_out():
    logits, target = sample(2, void=False)
    wider = torch.cat([logits, torch.full_like(logits, -1e4)], dim=1)  # two classes more, in neither
    for loss in (dice_loss, tversky_loss, lovasz_loss):
        assert loss(wider, target).item() == pytest.approx(loss(logits, target).item())
    taking = wider.detach().clone()
    taking[:, 3, 0] = 1e4  # a missing class takes the first row: the classes that lose it notice
    assert dice_loss(taking, target) > dice_loss(wider, target) + 0.05


@every_loss
def test_half_precision_is_summed_in_single(loss):
    logits, target = sample(3, (2, 64, 64), dtype=torch.float32)
    half = logits.detach().bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(half.requires_grad_(), target)
    value.backward()
    assert value.dtype == torch.float32
    assert half.grad.dtype == torch.bfloat16
    assert value.item() == pytest.approx(loss(half.detach().float(), target).item(), rel=1e-4)


@every_loss
def test_layout_and_label_types_do_not_matter(loss):
    logits, target = sample()
    value = loss(logits, target).item()
    strided = logits.detach().contiguous(memory_format=torch.channels_last)
    for labels in (target.to(torch.uint8), target.int(), target.to(torch.int16)):
        assert loss(strided, labels).item() == pytest.approx(value)
    minus = torch.where(target == 255, -1, target)
    assert loss(logits, minus, ignore_index=-1).item() == value


@every_loss
@pytest.mark.parametrize(
    ("logits", "target", "message"),
    [
        (torch.zeros(2, 3, 4, 4), torch.zeros(2, 4, 5).long(), r"\(2, 4, 5\)"),
        (torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4).long(), "channel axis"),
        (torch.zeros(2, 3, 4, 4), torch.full((2, 4, 4), 3), r"\[3\].*0\.\.2"),
        (torch.zeros(2, 3, 4, 4), torch.full((2, 4, 4), -1), r"\[-1\]"),
        (torch.zeros(2, 3, 4, 4), torch.zeros(2, 4, 4), "float32"),
        (torch.zeros(2, 1, 4, 4), torch.zeros(2, 4, 4).long(), "one channel"),
        (torch.zeros(3, 4, 4), torch.zeros(4, 4).long(), r"logits\[None\]"),
        (torch.zeros(2, 3, 4, 4).long(), torch.zeros(2, 4, 4).long(), "class ids instead of logits"),
        ({"out": torch.zeros(2, 3, 4, 4)}, torch.zeros(2, 4, 4).long(), "auxiliary"),
    ],
)
def test_bad_inputs_are_named(loss, logits, target, message):
    with pytest.raises(ValueError, match=message):
        loss(logits, target)


def test_a_wrong_label_in_void_dtype_is_not_mistaken_for_void():
    with pytest.raises(ValueError, match="255"):  # as uint8, -1 is 255
        cross_entropy(torch.zeros(1, 2, 1, 1), torch.full((1, 1, 1), 255, dtype=torch.uint8), ignore_index=-1)


def test_bad_settings_are_named():
    logits, target = sample()
    with pytest.raises(ValueError, match="gamma"):
        focal_loss(logits, target, gamma=-1)
    for alpha, beta in ((-0.1, 0.5), (0.5, -0.1), (0, 0)):
        with pytest.raises(ValueError, match="alpha"):
            tversky_loss(logits, target, alpha, beta)
    with pytest.raises(ValueError, match="class_weights"):
        cross_entropy(logits, target, class_weights=torch.ones(3))
    with pytest.raises(ValueError, match="pixel_weights"):
        cross_entropy(logits, target, pixel_weights=torch.ones(5, 6))
