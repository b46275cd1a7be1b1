"""Object matching: by hand, against loops over masks, and against torchmetrics' panoptic quality."""

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from torchmetrics.functional.detection import panoptic_quality

from seglib.metrics import InstanceScore, instance_f1, merged_objects, overlap_table

IDS = np.array([0, 1, 2, 5, 90])  # with gaps
maps = npst.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6).flatmap(
    lambda shape: st.tuples(*[npst.arrays(np.int64, shape, elements=st.sampled_from(IDS.tolist()))] * 2)
)


def ids(instances):
    return [number for number in np.unique(instances) if number]


def slow_iou(prediction, target):
    """IoU of all pairs, one pair of masks after the other: rows = true, columns = predicted objects."""
    table = np.zeros((len(ids(target)), len(ids(prediction))))
    for i, t in enumerate(ids(target)):
        for j, p in enumerate(ids(prediction)):
            a, b = target == t, prediction == p
            table[i, j] = (a & b).sum() / (a | b).sum()
    return table


@pytest.mark.slow
@given(maps, st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.75, 0.9]))
@settings(deadline=None, max_examples=200)
def test_equals_loops_over_masks(pair, threshold):
    allowed = slow_iou(*pair) > threshold
    hits = 0
    if allowed.size:
        hits = (maximum_bipartite_matching(csr_array(allowed), perm_type="column") >= 0).sum()
    score = instance_f1(*pair, threshold)
    predicted, true = len(ids(pair[0])), len(ids(pair[1]))
    assert score == InstanceScore(hits, predicted - hits, true - hits)


@given(maps)
@settings(deadline=None, max_examples=50)
def test_equals_recognition_quality_of_torchmetrics(pair):
    if not pair[0].any() and not pair[1].any():
        return  # undefined there
    prediction, target = (torch.from_numpy(np.stack([m > 0, m], axis=-1).astype(np.int64))[None] for m in pair)
    options = {"return_sq_and_rq": True, "return_per_class": True}
    objects, _ = panoptic_quality(prediction, target, things={1}, stuffs={0}, **options)
    assert instance_f1(*pair).f1 == pytest.approx(float(objects[2]), abs=1e-6)


def test_by_hand():
    target = np.zeros((10, 10), int)
    target[0:4, 0:4], target[6:10, 0:4], target[0:4, 6:10] = 1, 2, 3
    prediction = np.zeros((10, 10), int)
    prediction[0:4, 0:3] = 12  # IoU 12/16
    prediction[6:10, 0:2] = 7  # IoU 8/16: exactly one half is no match
    prediction[9, 9] = 3  # false alarm
    score = instance_f1(prediction, target)
    assert score == InstanceScore(true_positives=1, false_positives=2, false_negatives=2)
    assert score.precision == pytest.approx(1 / 3)
    assert score.recall == pytest.approx(1 / 3)
    assert score.f1 == pytest.approx(1 / 3)
    assert instance_f1(prediction, target, 0.49).true_positives == 2
    assert instance_f1(prediction, target, 0.75).true_positives == 0
    assert type(score.true_positives) is int
    assert type(score.f1) is float


def test_at_exactly_the_threshold_nothing_matches():
    assert instance_f1([[1, 2]], [[1, 1]]) == InstanceScore(0, 2, 1)
    assert instance_f1([[1, 2]], [[1, 1]], 0.4) == InstanceScore(1, 1, 0)  # one partner each
    target = np.ones((10, 10), int)
    prediction = (np.arange(100) < 29).reshape(10, 10).astype(int)
    assert instance_f1(prediction, target, 0.29).true_positives == 0  # 0.29 * 100 = 28.999999999999996


def test_empty_maps():
    empty, some = np.zeros((4, 4), int), np.eye(4, dtype=int)
    both = instance_f1(empty, empty)
    assert both == InstanceScore(0, 0, 0)
    assert (both.precision, both.recall, both.f1) == (1.0, 1.0, 1.0)
    missed, invented = instance_f1(empty, some), instance_f1(some, empty)
    assert (missed.precision, missed.recall, missed.f1) == (0.0, 0.0, 0.0)
    assert (invented.precision, invented.recall, invented.f1) == (0.0, 0.0, 0.0)
    assert instance_f1(empty, empty, 0.2) == both
    assert instance_f1(empty, some, 0.2) == missed
    assert instance_f1(np.zeros((0, 3), int), np.zeros((0, 3), int)) == both


@given(maps)
@settings(deadline=None)
def test_names_of_objects_do_not_matter(pair):
    prediction, target = pair
    renamed = np.array([0, 3, 1, 4, 2])[np.searchsorted(IDS, prediction)]
    huge = prediction * 10**12
    assert instance_f1(prediction, target) == instance_f1(renamed, target) == instance_f1(huge, target)
    swapped = instance_f1(target, prediction)
    assert instance_f1(prediction, target).precision == swapped.recall
    found = len(ids(target))
    assert instance_f1(target, target, 0.99) == InstanceScore(found, 0, 0)


def test_overlap_table_by_hand():
    prediction = torch.tensor([[0, 4, 4, 4]], dtype=torch.int32)
    target = np.array([[7, 7, 0, 2]], np.uint16)
    # rows: background, 2, 7; columns: background, 4
    assert overlap_table(prediction, target).tolist() == [[0, 1], [0, 1], [1, 1]]
    everywhere = np.full((3, 3), 10**9)
    assert overlap_table(everywhere, everywhere).tolist() == [[0, 0], [0, 9]]


@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        (np.zeros((4, 4), int), np.zeros((4, 5), int), "shape"),
        (np.zeros((2, 4, 4), int), np.zeros((2, 4, 4), int), r"one map \(H, W\)"),
        (np.zeros((4, 4), bool), np.zeros((4, 4), int), "prediction is a boolean mask"),
        (np.zeros((4, 4), int), np.zeros((4, 4)), "float64"),
        (np.zeros((4, 4), int), np.full((4, 4), -1), "holds the id -1"),
    ],
)
def test_bad_maps_are_named(prediction, target, message):
    with pytest.raises(ValueError, match=message):
        instance_f1(prediction, target)


@pytest.mark.parametrize("threshold", [-0.1, 1, 50])
def test_bad_thresholds_are_named(threshold):
    with pytest.raises(ValueError, match="threshold"):
        instance_f1([[1]], [[1]], threshold)


def test_merged_objects_counts_predictions_that_swallow_two():
    target = np.zeros((4, 12), int)
    target[:, :3], target[:, 4:7], target[:, 8:11] = 3, 9, 4
    assert merged_objects(target, target) == 0
    assert merged_objects((target > 0).astype(int), target) == 1  # one object holds three: one merge
    half = np.where(np.arange(12) < 5, 1, 2) * np.ones((4, 1), int)  # 1 takes a third of the second object
    assert merged_objects(half, target) == 1  # 2 holds two thirds of it and all of the third
    assert merged_objects(np.zeros((4, 12), int), target) == 0
