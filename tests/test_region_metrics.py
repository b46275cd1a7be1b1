"""Scores of partitions: hand-counted maps, scikit-learn's and scikit-image's figures, void, and odd input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label

from seglib.metrics import best_overlap, binary_iou, boundary_recall, label_boundary_f1, undersegmentation_error

MAPS = arrays(np.int64, (7, 9), elements=st.integers(0, 3))
LEFT = np.repeat([[1, 1, 1, 1, 0, 0, 0, 0]], 4, axis=0)


def test_best_overlap_counts_by_hand():
    prediction = np.repeat([[0, 0, 0, 5, 5, 5, 5, 5]], 4, axis=0)
    assert best_overlap(prediction, LEFT).tolist() == [3 / 4]
    # Two coins in one cluster: the cluster covers half for each, its pieces fit them fully.
    coins = np.array([[1, 0, 2], [1, 0, 2]])
    assert best_overlap((coins > 0).astype(int), coins).tolist() == [1, 1]
    # One region in two places: only the whole label fits it.
    assert best_overlap(np.array([[4, 0, 4]]), np.array([[1, 0, 1]])).tolist() == [1]


def test_void_is_not_counted():
    target = LEFT.copy()
    target[:, 3:5] = -1
    prediction = np.repeat([[7, 7, 7, 7, 7, 2, 2, 2]], 4, axis=0)
    assert best_overlap(prediction, target).tolist() == [1]
    assert undersegmentation_error(prediction, target) == 0
    assert boundary_recall(prediction, target) == 1  # no step is left between two known regions
    edge_in_void = np.repeat([[7, 7, 7, 2, 2, 2, 2, 2]], 4, axis=0)
    assert label_boundary_f1(edge_in_void, target) == 1


@pytest.mark.slow
@given(MAPS, MAPS)
def test_best_overlap_is_the_best_over_all_masks(prediction, target):
    offered = [prediction == k for k in np.unique(prediction)]
    pieces = label(prediction, background=-1, connectivity=1)
    offered += [pieces == k for k in np.unique(pieces)]
    wanted = [max(binary_iou(mask, target == k) for mask in offered) for k in np.unique(target[target > 0])]
    np.testing.assert_allclose(best_overlap(prediction, target), wanted)


@given(MAPS, st.permutations(range(4)))
def test_a_map_fits_itself_whatever_its_labels_are_called(target, names):
    renamed = np.array(names)[target]
    assert (best_overlap(renamed, target) == 1).all()
    assert boundary_recall(renamed, target, 0) == label_boundary_f1(renamed, target, 0) == 1
    assert undersegmentation_error(renamed, target) == 0


@given(MAPS, MAPS)
def test_undersegmentation_error_is_its_definition(prediction, target):
    leak = 0
    for region in np.unique(target):
        for piece in np.unique(prediction[target == region]):
            inside = ((prediction == piece) & (target == region)).sum()
            leak += min(inside, (prediction == piece).sum() - inside)
    assert undersegmentation_error(prediction, target) == pytest.approx(leak / target.size)


def test_boundary_recall_by_hand():
    shifted = np.roll(LEFT, 2, axis=1)  # columns 2 to 5: steps after column 1 and after column 5
    assert boundary_recall(shifted, LEFT, 1) == 0
    assert boundary_recall(shifted, LEFT, 2) == 1
    assert boundary_recall(LEFT, shifted, 2) == 1  # both steps lie 2 px from the one step of LEFT
    half = LEFT.copy()
    half[:2] = 0
    # half's boundary: row 1, columns 0 to 3, and column 3 of rows 2 and 3; LEFT's: column 3 of all rows
    assert boundary_recall(half, LEFT, 0) == 3 / 4
    assert boundary_recall(LEFT, half, 0) == 3 / 6
    assert label_boundary_f1(half, LEFT, 0) == pytest.approx(0.6)


def test_without_boundaries():
    flat = np.zeros((4, 8), int)
    assert boundary_recall(flat, flat) == 1
    assert boundary_recall(LEFT, flat) == 1
    assert boundary_recall(flat, LEFT) == 0
    assert label_boundary_f1(flat, LEFT) == 0
    assert best_overlap(flat, flat).tolist() == []


@pytest.mark.parametrize("measure", [best_overlap, boundary_recall, label_boundary_f1, undersegmentation_error])
def test_bad_input_is_named(measure):
    with pytest.raises(ValueError, match="tolerance is -1"):
        boundary_recall(LEFT, LEFT, -1)
    with pytest.raises(ValueError, match="integer labels are wanted"):
        measure(np.zeros((2, 2)), np.zeros((2, 2), int))
    with pytest.raises(ValueError, match="they must agree"):
        measure(np.zeros((2, 2), int), np.zeros((2, 3), int))
    with pytest.raises(ValueError, match=r"one map \(H, W\) is wanted"):
        measure(np.zeros((1, 2, 2), int), np.zeros((1, 2, 2), int))
