"""Confusion matrix and the scores read from it: by hand, and against torchmetrics and scikit-learn."""

import warnings

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from torchmetrics.functional.classification import multiclass_confusion_matrix, multiclass_jaccard_index

from seglib.metrics import binary_dice, binary_iou, confusion_matrix, dice, iou, mean_accuracy, mean_iou, pixel_accuracy

WORKED = np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]])  # class 2 occurs nowhere


@st.composite
def masks(draw, void=True):
    """K, a prediction and a target: any integer dtype that holds them, any shape of 0 to 3 axes, any layout."""
    classes = draw(st.integers(1, 12))
    dtype = draw(st.sampled_from([np.uint8, np.uint16, np.int16, np.int32, np.int64, np.uint64]))
    shape = draw(npst.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=9))
    labels = st.integers(0, classes - 1)
    prediction = draw(npst.arrays(dtype, shape, elements=labels))
    target = draw(npst.arrays(dtype, shape, elements=labels | st.just(255) if void else labels))
    if draw(st.booleans()):
        prediction, target = np.asfortranarray(prediction), target[::-1][::-1]
    return classes, prediction, target


def test_confusion_matrix_by_hand():
    target = np.array([[0, 0, 1], [1, 2, 255]])
    prediction = np.array([[0, 1, 1], [1, 0, 2]])
    prediction.flags.writeable = target.flags.writeable = False  # inputs are left alone
    matrix = confusion_matrix(prediction, target, 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 2, 0], [1, 0, 0]]  # rows = target
    assert matrix.dtype == np.int64


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:A single label")  # scikit-learn, of one class
@given(masks())
@settings(deadline=None, max_examples=150)
def test_confusion_matrix_equals_torchmetrics_and_sklearn(case):
    classes, prediction, target = case
    matrix = confusion_matrix(prediction, target, classes)
    assert matrix.shape == (classes, classes)
    assert matrix.sum() == (target != 255).sum()
    counted = target != 255
    if not counted.any():
        assert not matrix.any()
        return
    labels = list(range(classes))
    expected = sk.confusion_matrix(target[counted], prediction[counted], labels=labels)
    assert np.array_equal(matrix, expected)
    if classes > 1:  # torchmetrics wants two
        tensors = (torch.from_numpy(array.astype(np.int64)) for array in (prediction, target))
        expected = multiclass_confusion_matrix(*tensors, classes, ignore_index=255)
        assert np.array_equal(matrix, expected.numpy())


@pytest.mark.slow
@given(masks(void=False))
@settings(deadline=None, max_examples=100)
def test_scores_equal_sklearn_and_torchmetrics(case):
    classes, prediction, target = case
    matrix = confusion_matrix(prediction, target, classes, ignore_index=-1)
    if not target.size:
        assert np.isnan([mean_iou(matrix), pixel_accuracy(matrix), mean_accuracy(matrix)]).all()
        assert np.isnan(iou(matrix)).all()
        return
    flat_target, flat_prediction = target.ravel(), prediction.ravel()
    labels = list(range(classes))
    present = np.isin(labels, np.union1d(flat_target, flat_prediction))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of absent classes
        per_class = sk.jaccard_score(flat_target, flat_prediction, labels=labels, average=None)
        f1 = sk.f1_score(flat_target, flat_prediction, labels=labels, average=None)
        balanced = sk.balanced_accuracy_score(flat_target, flat_prediction)
    np.testing.assert_allclose(iou(matrix), np.where(present, per_class, np.nan), rtol=1e-12)
    np.testing.assert_allclose(dice(matrix), np.where(present, f1, np.nan), rtol=1e-12)
    np.testing.assert_allclose(mean_accuracy(matrix), balanced, rtol=1e-12)
    np.testing.assert_allclose(pixel_accuracy(matrix), sk.accuracy_score(flat_target, flat_prediction))
    if classes > 1:
        tensors = (torch.from_numpy(array.astype(np.int64)) for array in (flat_prediction, flat_target))
        expected = multiclass_jaccard_index(*tensors, classes, average="macro").item()
        np.testing.assert_allclose(mean_iou(matrix), expected, rtol=1e-5)  # theirs is float32


def test_scores_by_hand_and_absent_class_is_nan():
    np.testing.assert_allclose(iou(WORKED), [3 / 6, 4 / 7, np.nan])
    np.testing.assert_allclose(dice(WORKED), [6 / 9, 8 / 11, np.nan])
    assert mean_iou(WORKED) == pytest.approx((3 / 6 + 4 / 7) / 2)
    assert pixel_accuracy(WORKED) == pytest.approx(7 / 10)
    assert mean_accuracy(WORKED) == pytest.approx((3 / 4 + 4 / 6) / 2)
    assert all(type(f(WORKED)) is float for f in (mean_iou, pixel_accuracy, mean_accuracy))


def test_a_class_only_predicted_scores_zero_and_counts():
    matrix = [[3, 1], [0, 0]]
    assert iou(matrix).tolist() == [0.75, 0.0]
    assert mean_iou(matrix) == 0.375
    assert mean_accuracy(matrix) == 0.75  # the target shows class 0 alone


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_tensors_and_lists(dtype):
    target = torch.tensor([[0, 1, 2, 2]], dtype=dtype)
    assert confusion_matrix(target, target, 3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 2]]
    assert confusion_matrix([0, 1], [1, 1], 2).tolist() == [[0, 0], [1, 1]]
    assert iou(torch.eye(2, dtype=torch.int64)).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("ignore_index", [-1, -100, 3, 12, 255, 256, 4000])
def test_any_label_may_be_void(ignore_index):
    target = np.array([0, 1, ignore_index, 2], np.int64)
    matrix = confusion_matrix([0, 1, 1, 1], target, 3, ignore_index)
    assert matrix.tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0]]


@pytest.mark.parametrize("strange", [255, 3, 4000, -1])
def test_what_is_predicted_on_void_does_not_matter(strange):  # as in torchmetrics and mmsegmentation
    matrix = confusion_matrix(np.array([0, strange, 1]), np.array([0, 255, 1]), 3)
    assert matrix.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_a_class_may_be_left_out_as_void():
    matrix = confusion_matrix([0, 1, 1, 0], [0, 0, 1, 1], 2, ignore_index=0)
    assert matrix.tolist() == [[0, 0], [1, 1]]


def test_many_classes():
    labels = np.arange(400).reshape(20, 20)
    assert np.array_equal(confusion_matrix(labels, labels, 400, ignore_index=-1), np.eye(400))
    with pytest.raises(ValueError, match="255 is a class"):
        confusion_matrix(labels, labels, 400)
    with pytest.raises(ValueError, match="num_classes"):
        confusion_matrix([0], [0], 0)
    with pytest.raises(ValueError, match="ignore_index=255"):
        confusion_matrix([0, 1], [0, 255], 2, ignore_index=11)


@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        ([0, 1], [1, 3], r"\[3\].*0\.\.2 and 255"),
        ([0, 1], [1, -1], r"\[-1\]"),
        ([0, 1], [1, 2**40], "1099511627776"),
        ([0, 1, 2], [1, 2, 3], "shifted by one"),
        ([0, 3], [1, 0], r"prediction holds the labels \[3\]"),
        ([0, -1], [1, 0], r"prediction holds the labels \[-1\]"),
        ([255, 255], [1, 255], r"prediction holds the labels \[255\]"),  # void belongs to the target
        ([0.1, 0.9], [0, 1], "logits or probabilities"),
        ([0, 1], [0.0, 1.0], "target has dtype float64"),
        ([0, 1, 1], [0, 1], "shape"),
        ([[0, 1]], [0, 1], "channel axis"),
    ],
)
def test_bad_labels_are_named(prediction, target, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(np.array(prediction), np.array(target), 3)


def test_logits_instead_of_classes_are_named():
    for dtype in (torch.float32, torch.bfloat16):
        logits = torch.zeros(1, 2, 4, 4, dtype=dtype, requires_grad=True)
        with pytest.raises(ValueError, match="argmax"):
            confusion_matrix(logits, torch.zeros(1, 4, 4, dtype=torch.int64), 2)


@pytest.mark.parametrize("bad", [np.eye(2), np.zeros((2, 3), int), np.zeros(4, int), 0])
def test_only_matrices_of_counts_are_scored(bad):
    for score in (iou, mean_iou, dice, pixel_accuracy, mean_accuracy):
        with pytest.raises(ValueError, match="confusion_matrix"):
            score(np.asarray(bad))


def test_binary_scores_of_one_pair():
    prediction, target = np.array([1, 1, 1, 0, 0]), torch.tensor([False, True, True, True, False])
    assert binary_iou(prediction, target) == 0.5
    assert type(binary_iou(prediction, target)) is type(binary_dice(prediction, target)) is float
    assert binary_dice(prediction, target) == pytest.approx(2 / 3)
    empty = np.zeros((8, 8), np.uint8)
    assert binary_dice(empty, empty) == binary_iou(empty, empty) == 1.0  # the choice that is documented
    assert binary_dice(empty, empty + 1) == binary_iou(empty + 1, empty) == 0.0


@given(npst.arrays(bool, (2, 5, 5)))
def test_binary_scores_equal_those_of_the_matrix(pair):
    matrix = confusion_matrix(pair[0], pair[1], 2)
    if pair.any():
        assert binary_iou(*pair) == pytest.approx(iou(matrix)[1])
        assert binary_dice(*pair) == pytest.approx(dice(matrix)[1])


@pytest.mark.parametrize("bad", [[0, 255], [0, 2], [-1, 0]])
def test_binary_scores_want_zeros_and_ones(bad):
    for score in (binary_iou, binary_dice):
        with pytest.raises(ValueError, match="target holds"):
            score([0, 1], bad)
        with pytest.raises(ValueError, match="prediction holds"):
            score(bad, [0, 1])
