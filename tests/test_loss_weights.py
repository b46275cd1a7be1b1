"""Weights of pixels, classes and borders: by hand and against slow direct formulas."""

import math

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from seglib.losses import border_weights, class_pixels, class_weights, cross_entropy


def batch():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, 5, 6, generator=generator, dtype=torch.float64)
    return logits, torch.randint(0, 4, (2, 5, 6), generator=generator)


def test_pixel_weights_by_hand():
    logits, target = batch()
    losses = F.cross_entropy(logits, target, reduction="none")
    weights = torch.rand(target.shape, generator=torch.Generator().manual_seed(0))
    expected = (weights * losses).sum() / weights.sum()
    assert cross_entropy(logits, target, pixel_weights=weights).item() == pytest.approx(expected.item())
    scaled = cross_entropy(logits, target, pixel_weights=7 * weights)
    assert scaled.item() == pytest.approx(expected.item())  # their common scale does not matter
    by_class = torch.tensor([1.0, 2.0, 3.0, 4.0])
    both = weights * by_class[target]
    expected = (both * losses).sum() / both.sum()
    value = cross_entropy(logits, target, class_weights=by_class, pixel_weights=weights)
    assert value.item() == pytest.approx(expected.item())


def test_pixel_weights_of_void_pixels_and_of_zero():
    logits, target = batch()
    target[:, :2] = 255
    weights = torch.where(target == 255, math.nan, 1.0)
    value = cross_entropy(logits, target, pixel_weights=weights)
    assert value.item() == pytest.approx(cross_entropy(logits, target).item())
    assert cross_entropy(logits, target, pixel_weights=torch.zeros(target.shape)).item() == 0.0


def test_median_frequency_weights_by_hand():
    # class 0: 150 of 200 pixels; class 1: 30 of the 100 of the one picture that shows it; class 2: 20 of 100
    counts = np.array([[70, 30, 0], [80, 0, 20]])
    weights = class_weights(counts)
    torch.testing.assert_close(weights, torch.tensor([0.3 / 0.75, 1.0, 0.3 / 0.2]))
    torch.testing.assert_close(class_weights(torch.from_numpy(counts), power=0.5), weights.sqrt())
    rare = class_weights([[10, 0, 30], [20, 0, 20]])  # the second class never occurs
    torch.testing.assert_close(rare, torch.tensor([0.5 / (3 / 8), 0, 0.5 / (5 / 8)]))
    assert weights.dtype == torch.float32


def test_class_pixels_leave_void_out_and_take_masks_of_any_size():
    masks = [torch.tensor([[0, 2, 255], [2, 2, 3]]), np.array([[1, 1, 1, 1]], np.uint8)]
    assert class_pixels(masks, 3).tolist() == [[1, 0, 3], [0, 4, 0]]
    weights = class_weights(class_pixels(masks, 3))  # frequencies 1/4, 4/4, 3/4
    torch.testing.assert_close(weights, torch.tensor([3.0, 0.75, 1.0]))


@pytest.mark.parametrize("counts", [[3, 4], [[0, 0]], [[3, -1]]])
def test_bad_counts_are_named(counts):
    with pytest.raises(ValueError, match="counts"):
        class_weights(counts)


def slow_border_weights(instances, w0, sigma):
    """The formula, with all distances between all pixels and all objects."""
    grid = np.argwhere(np.ones_like(instances))
    objects = [number for number in np.unique(instances) if number]
    if len(objects) < 2:
        return np.zeros(instances.shape)
    distances = np.sort([cdist(grid, np.argwhere(instances == k)).min(1) for k in objects], axis=0)
    weights = w0 * np.exp(-((distances[0] + distances[1]) ** 2) / (2 * sigma**2))
    return np.where(instances > 0, 0, weights.reshape(instances.shape))


def discs(size, count, radius, seed):
    random = np.random.default_rng(seed)
    rows, columns = np.ogrid[:size, :size]
    instances = np.zeros((size, size), np.int64)
    for number in range(1, count + 1):
        row, column = random.integers(0, size, 2)
        inside = (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
        instances[inside & (instances == 0)] = number
    return instances


@pytest.mark.parametrize(("w0", "sigma"), [(10, 5), (3, 1.3), (10, 9)])
@pytest.mark.parametrize("seed", range(2))
def test_border_weights_equal_the_direct_formula(w0, sigma, seed):
    instances = discs(64, 12, 5, seed)[:, :57]
    weights = border_weights(instances, w0, sigma)
    assert weights.dtype == torch.float32
    np.testing.assert_allclose(weights, slow_border_weights(instances, w0, sigma), rtol=1e-5, atol=4e-6 * w0)


@given(npst.arrays(np.int64, (6, 7), elements=st.sampled_from([0, 0, 0, 1, 2, 40, 10**10])))
@settings(deadline=None, max_examples=30)
def test_border_weights_of_any_map(instances):
    np.testing.assert_allclose(border_weights(instances), slow_border_weights(instances, 10, 5), rtol=1e-5)


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 4, 4), int), np.zeros((4, 4)), np.zeros((4, 4), bool), np.full((4, 4), -1)]
)
def test_bad_instance_maps_are_named(bad):
    with pytest.raises(ValueError, match="instances has shape"):
        border_weights(bad)
    for w0, sigma in ((-1, 5), (10, 0)):
        with pytest.raises(ValueError, match="sigma"):
            border_weights(np.zeros((4, 4), int), w0, sigma)
