"""Boundary F1 and boundary IoU: by hand, and against literal, slow versions of their definitions."""

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.distance import cdist
from skimage.segmentation import find_boundaries

from seglib.metrics import boundary_f1, boundary_iou, mean_boundary_f1

pairs = npst.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=16).flatmap(
    lambda shape: st.tuples(npst.arrays(bool, shape), npst.arrays(bool, shape))
)


def square(size, top, left, side):
    mask = np.zeros((size, size), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def slow_boundary_iou(prediction, target, ratio=0.02):
    """The reference: pad by one zero, erode by 3x3 d times, subtract."""
    steps = max(1, round(ratio * np.hypot(*target.shape)))
    bands = []
    for mask in (prediction, target):
        eroded = np.pad(mask, 1)
        for _ in range(steps):
            eroded = ndimage.binary_erosion(eroded, np.ones((3, 3)))
        bands.append(mask & ~eroded[1:-1, 1:-1])
    union = (bands[0] | bands[1]).sum()
    return (bands[0] & bands[1]).sum() / union if union else 1.0


def slow_boundary_f1(prediction, target, tolerance):
    """All distances between the outline pixels of the two masks, which must both have some."""
    predicted, wanted = (np.argwhere(find_boundaries(m, mode="inner") & m) for m in (prediction, target))
    near = cdist(predicted, wanted) <= tolerance
    precision, recall = near.any(1).mean(), near.any(0).mean()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@pytest.mark.parametrize(("size", "width"), [(64, 2), (128, 4), (256, 7), (8, 1)])
def test_band_width(size, width):
    full = np.ones((size, size), bool)
    corner = full.copy()
    corner[size // 2, size // 2] = False  # a hole has a band of its own around it
    band = size**2 - (size - 2 * width) ** 2
    ring = min((2 * width + 1) ** 2, (size - 2 * width) ** 2) - 1
    assert boundary_iou(corner, full) == pytest.approx(band / (band + ring))


@pytest.mark.slow
@given(pairs, st.sampled_from([0.01, 0.02, 0.1, 0.3]))
@settings(deadline=None)
def test_boundary_iou_equals_the_reference(pair, ratio):
    assert boundary_iou(*pair, dilation_ratio=ratio) == pytest.approx(slow_boundary_iou(*pair, ratio))


@given(st.integers(0, 10**9), st.sampled_from([0.02, 0.1]))
@settings(deadline=None, max_examples=60)
def test_the_window_of_the_union_is_enough(seed, ratio):
    """Small objects anywhere in a larger picture, some of them cut by its frame."""
    rng = np.random.default_rng(seed)
    pair = np.zeros((2, *rng.integers(20, 60, 2)), bool)
    for mask in pair:
        top, left = (rng.choice([0, rng.integers(0, side - 4), side - 5]) for side in mask.shape)
        mask[top : top + rng.integers(0, 15), left : left + rng.integers(1, 15)] = True
    assert boundary_iou(*pair, ratio) == slow_boundary_iou(*pair, ratio)


@pytest.mark.slow
@given(pairs, st.sampled_from([0, 1, 1.5, 2, 4]))
@settings(deadline=None)
def test_boundary_f1_equals_all_distances(pair, tolerance):
    outlines = [(find_boundaries(mask, mode="inner") & mask).any() for mask in pair]
    score = boundary_f1(*pair, tolerance)
    if all(outlines):
        assert score == pytest.approx(slow_boundary_f1(*pair, tolerance))
    else:
        assert score == float(not any(outlines) and np.array_equal(*pair))


def test_boundary_f1_by_hand():
    here, there = np.zeros((12, 12), bool), np.zeros((12, 12), bool)
    here[5, 5] = there[6, 6] = True
    assert boundary_f1(here, there, 1) == 0.0
    assert boundary_f1(here, there, 2**0.5) == 1.0  # Euclidean, inclusive
    there[5, 5] = True
    there[6, 6] = False
    there[1, 1] = True
    assert boundary_f1(here, there, 1) == pytest.approx(2 / 3)  # precision 1, recall 1/2
    assert boundary_f1(there, here, 1) == pytest.approx(2 / 3)


def test_empty_and_full_masks():
    empty, full, some = np.zeros((9, 9), bool), np.ones((9, 9), bool), square(9, 3, 3, 3)
    assert boundary_f1(empty, empty, 1) == boundary_iou(empty, empty) == 1.0
    assert boundary_f1(full, full, 1) == boundary_iou(full, full) == 1.0
    assert boundary_f1(full, empty, 1) == boundary_iou(full, empty) == 0.0
    for nothing in (empty, full):
        assert boundary_f1(some, nothing, 1) == boundary_f1(nothing, some, 1) == 0.0
    assert boundary_iou(some, empty) == boundary_iou(empty, some) == 0.0


@pytest.mark.slow
@given(pairs)
@settings(deadline=None)
def test_both_are_symmetric_and_one_for_equals(pair):
    a, b = pair
    for score in (boundary_iou, lambda p, t: boundary_f1(p, t, 1)):
        assert 0 <= score(a, b) <= 1
        assert score(a, b) == pytest.approx(score(b, a))
        assert score(a, a) == 1.0


def test_tensors_and_floats():
    a, b = square(32, 4, 4, 9), square(32, 4, 5, 9)
    tensors = torch.from_numpy(a), torch.from_numpy(b).long()
    assert boundary_iou(*tensors) == boundary_iou(a, b)
    assert boundary_f1(*tensors, 1) == boundary_f1(a, b, 1)
    assert type(boundary_iou(a, b)) is type(boundary_f1(a, b, 0)) is float


@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        (np.zeros((4, 4), int), np.zeros((4, 5), int), "shape"),
        (np.zeros((2, 4, 4), int), np.zeros((2, 4, 4), int), r"one map \(H, W\)"),
        (np.full((4, 4), 255), np.zeros((4, 4), int), "0/255"),
        (np.zeros((4, 4)), np.zeros((4, 4), int), "float64"),
    ],
)
def test_bad_masks_are_named(prediction, target, message):
    for score in (boundary_iou, lambda p, t: boundary_f1(p, t, 1)):
        with pytest.raises(ValueError, match=message):
            score(prediction, target)
    if prediction.max() < 255:
        with pytest.raises(ValueError, match=message):
            mean_boundary_f1(prediction, target)


def test_bad_widths_are_named():
    mask = np.zeros((4, 4), bool)
    with pytest.raises(ValueError, match="tolerance"):
        boundary_f1(mask, mask, -1)
    with pytest.raises(ValueError, match="dilation_ratio"):
        boundary_iou(mask, mask, dilation_ratio=0)


def test_mean_boundary_f1_by_hand():
    target = np.zeros((6, 8), int)
    target[:, 4:] = 1
    target[0, 0] = 255
    prediction = target.copy()
    prediction[:, 4] = 0  # the border one pixel to the right
    prediction[0, 0] = 5  # said of void: does not count
    assert mean_boundary_f1(prediction, target, 1) == mean_boundary_f1(target, target, 0) == 1
    # class 0: its void corner's two neighbours lie right (2 of 8 outline pixels on either side), its border does not
    assert mean_boundary_f1(prediction, target, 0) == pytest.approx((2 / 8 + 0) / 2)
    prediction[3, 2] = 7  # a class that the target lacks: only class 0 suffers
    assert mean_boundary_f1(prediction, target, 1) < 1
    assert mean_boundary_f1(target, np.full_like(target, 9)) == 0
    assert np.isnan(mean_boundary_f1(target, np.full_like(target, 255)))


@pytest.mark.slow
@given(npst.arrays(np.uint8, (7, 9), elements=st.integers(0, 3)), npst.arrays(np.uint8, (7, 9)))
def test_mean_boundary_f1_is_the_mean_over_the_classes_shown(prediction, target):
    target %= 4
    scores = [boundary_f1(prediction == k, target == k, 0.0075 * np.hypot(7, 9)) for k in set(target.ravel().tolist())]
    assert mean_boundary_f1(prediction, target, ignore_index=-1) == pytest.approx(np.mean(scores))
    tensors = (torch.from_numpy(prediction.copy()), torch.from_numpy(target))
    assert mean_boundary_f1(*tensors, ignore_index=-1) == pytest.approx(np.mean(scores))
