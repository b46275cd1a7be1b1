"""Panoptic quality: by hand, against a slow reading of its definition, and against torchmetrics."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.detection import panoptic_quality as by_torchmetrics

from seglib.metrics import instance_f1, panoptic_quality

VOID, THINGS, STUFFS = 255, {3, 8}, {0, 1}


def picture(rng, shape, void, crowds=False):
    """Blocks of things and stuff; some of them share a class, an id, or both."""
    mask, instances = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for number in range(1, rng.integers(1, 7)):
        top, left = rng.integers(0, shape[0]), rng.integers(0, shape[1])
        block = (slice(top, top + rng.integers(1, 6)), slice(left, left + rng.integers(1, 6)))
        mask[block] = rng.choice([0, 1, 3, 8, VOID] if void else [0, 1, 3, 8])
        instances[block] = number
    instances[~np.isin(mask, list(THINGS))] = 0
    result = {"mask": mask, "instances": instances}
    return {**result, "iscrowd": rng.integers(0, 2, 7)} if crowds else result


def shaken(rng, target, void):
    """A prediction near the target: other ids, some segments moved by a pixel, some given another class."""
    mask, instances = target["mask"].copy(), target["instances"] * 11
    if rng.random() < 0.7:
        axis = rng.integers(2)
        mask, instances = np.roll(mask, 1, axis), np.roll(instances, 1, axis)
    if not void:
        instances[mask == VOID], mask[mask == VOID] = 77, 3
    other = picture(rng, mask.shape, void)
    where = rng.random() < 0.5 and other["mask"] == 3
    return {"mask": np.where(where, 3, mask), "instances": np.where(where, other["instances"] * 11, instances)}


def scene(seed, void_predicted, crowds=False):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 12, 2))
    targets = [picture(rng, shape, void=True, crowds=crowds) for _ in range(rng.integers(1, 4))]
    return [shaken(rng, target, void_predicted) for target in targets], targets


def segments(picture):
    """{(class, id): boolean mask} without void."""
    pairs = set(zip(picture["mask"].ravel().tolist(), picture["instances"].ravel().tolist(), strict=True))
    return {
        (label, number): (picture["mask"] == label) & (picture["instances"] == number)
        for label, number in pairs
        if label != VOID
    }


def slow(predictions, targets):
    """The paper's section 4, word by word: every pair of segments, one class after the other."""
    per_class = {}
    for label in {0, 1, 3, 8}:
        overlap, hits, alarms, misses = 0, 0, 0, 0
        for prediction, target in zip(predictions, targets, strict=True):
            void = target["mask"] == VOID
            found = {key: mask for key, mask in segments(prediction).items() if key[0] == label}
            crowds = {(label, n + 1) for n, crowd in enumerate(target.get("iscrowd", [])) if crowd}
            true = {key: mask for key, mask in segments(target).items() if key[0] == label}
            excuse = void | np.any([true.pop(key) for key in crowds & set(true)] or [void], axis=0)
            for p, one in list(found.items()):
                for t, other in list(true.items()):
                    union = ((one & ~void) | other).sum()
                    if (one & other).sum() / union > 0.5:
                        overlap, hits = overlap + (one & other).sum() / union, hits + 1
                        del found[p], true[t]
            alarms += sum((mask & excuse).sum() / mask.sum() <= 0.5 for mask in found.values())
            misses += len(true)
        if hits + alarms + misses:
            quality, recognition = overlap / hits if hits else 0.0, hits / (hits + alarms / 2 + misses / 2)
            per_class[label] = {"PQ": quality * recognition, "SQ": quality, "RQ": recognition}
    return per_class


def assert_close(scores, per_class):
    assert list(scores["per_class"]) == sorted(per_class)
    for label, expected in per_class.items():
        assert scores["per_class"][label] == pytest.approx(expected, abs=1e-12), label
    for name in ("PQ", "SQ", "RQ"):
        mean = np.mean([each[name] for each in per_class.values()]) if per_class else np.nan
        assert scores[name] == pytest.approx(mean, abs=1e-12, nan_ok=True)


@pytest.mark.slow
@given(st.integers(0, 10**9), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=200)
def test_equals_its_definition(seed, void_predicted, crowds):
    predictions, targets = scene(seed, void_predicted, crowds)
    assert_close(panoptic_quality(predictions, targets), slow(predictions, targets))


@pytest.mark.slow
@given(st.integers(0, 10**9))
@settings(deadline=None, max_examples=60)
def test_equals_torchmetrics(seed):
    """On predictions without void, which torchmetrics takes out of the true segments, too."""
    predictions, targets = scene(seed, void_predicted=False)
    given = [
        torch.from_numpy(np.stack([np.stack([each["mask"], each["instances"]], axis=-1) for each in pictures]))
        for pictures in (predictions, targets)
    ]
    target = given[1]
    target[target[..., 0] == VOID] = 99  # an unknown class is void there
    options = {"return_sq_and_rq": True, "return_per_class": True}
    expected = by_torchmetrics(given[0], target, THINGS, STUFFS, allow_unknown_preds_category=True, **options)
    scores = panoptic_quality(predictions, targets)
    rows = dict(zip([*sorted(THINGS), *sorted(STUFFS)], expected.tolist(), strict=True))
    for label, row in rows.items():
        ours = scores["per_class"].get(label, {"PQ": 0, "SQ": 0, "RQ": 0})
        figures = [ours[name] for name in ("PQ", "SQ", "RQ")]
        assert figures == pytest.approx(row, abs=1e-6), label  # single precision there
    del options["return_per_class"]
    if scores["per_class"]:
        means = by_torchmetrics(given[0], target, THINGS, STUFFS, allow_unknown_preds_category=True, **options)
        assert [scores[name] for name in ("PQ", "SQ", "RQ")] == pytest.approx(means.flatten().tolist(), abs=1e-6)


def test_by_hand():
    """Background 12 of 16 px right; of two objects one is found with IoU 3/4, the other missed, a third invented."""
    target = {"mask": np.array([[0] * 12 + [1] * 6]), "instances": np.array([[0] * 12 + [1] * 4 + [2] * 2])}
    prediction = {
        "mask": np.array([[0] * 12 + [1] * 3 + [0] * 2 + [1]]),
        "instances": np.array([[0] * 12 + [7] * 3 + [0] * 2 + [8]]),
    }
    scores = panoptic_quality([prediction], [target])
    # 8 has half of object 2: IoU 1/2 is no match
    assert scores["per_class"][1] == pytest.approx({"PQ": 0.75 / 2, "SQ": 0.75, "RQ": 1 / (1 + 0.5 + 0.5)})
    assert scores["per_class"][0] == pytest.approx({"PQ": 12 / 14, "SQ": 12 / 14, "RQ": 1})
    assert scores["PQ"] == pytest.approx((0.375 + 12 / 14) / 2)
    assert (scores["SQ"], scores["RQ"]) == pytest.approx(((0.75 + 12 / 14) / 2, 0.75))
    assert type(scores["PQ"]) is float


def test_void_is_in_no_union_and_excuses_what_is_mostly_void():
    target = {"mask": np.array([[1, 1, VOID, VOID, VOID, 0, 0]]), "instances": np.array([[1, 1, 0, 0, 0, 0, 0]])}
    over = {"mask": np.array([[1, 1, 1, 1, 1, 0, 0]]), "instances": np.array([[1, 1, 1, 1, 1, 0, 0]])}
    assert panoptic_quality([over], [target])["PQ"] == 1.0
    inside = {"mask": np.array([[1, 1, 1, 1, 1, 1, 0]]), "instances": np.array([[1, 1, 2, 2, 2, 2, 0]])}
    assert panoptic_quality([inside], [target])["per_class"][1]["RQ"] == 1.0  # 3 of 4 pixels are void
    half = {"mask": np.array([[1, 1, 0, 1, 1, 1, 1]]), "instances": np.array([[1, 1, 0, 2, 2, 2, 2]])}
    assert panoptic_quality([half], [target])["per_class"][1]["RQ"] == pytest.approx(2 / 3)  # exactly half: counted
    all_void = {"mask": np.full((1, 7), VOID), "instances": np.zeros((1, 7), int)}
    scores = panoptic_quality([over], [all_void])
    assert scores["per_class"] == {}
    assert np.isnan([scores["PQ"], scores["SQ"], scores["RQ"]]).all()
    left_open = panoptic_quality([all_void], [target])
    assert list(left_open["per_class"]) == [0, 1]
    assert left_open["PQ"] == 0.0
    declared = panoptic_quality([over], [target], ignore_index=-1)
    assert list(declared["per_class"]) == [0, 1, VOID]


def test_recognition_of_one_class_is_instance_f1():
    rng = np.random.default_rng(1)
    target = {"instances": rng.integers(0, 9, (4, 4)).repeat(5, 0).repeat(5, 1)}
    prediction = {"instances": np.roll(target["instances"], 2, axis=0) * 10**6}
    for each in (target, prediction):
        each["mask"] = (each["instances"] > 0).astype(np.uint8)
    expected = instance_f1(prediction["instances"], target["instances"]).f1
    assert 0 < expected < 1
    tensors = [{key: torch.from_numpy(value) for key, value in each.items()} for each in (prediction, target)]
    for one, other in ((prediction, target), tensors):
        assert panoptic_quality([one], iter([other]))["per_class"][1]["RQ"] == pytest.approx(expected)


GOOD = {"mask": np.ones((2, 3), int), "instances": np.ones((2, 3), int)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"instances": None}, r'targets\[0\] has no "instances"; it holds \[mask\]'),
        ({"mask": np.ones((2, 4), int)}, r"targets\[0\]: mask is \(2, 4\), instances \(2, 3\)"),
        ({"mask": np.ones((1, 2, 3), int)}, r"targets\[0\]: mask has shape \(1, 2, 3\)"),
        ({"mask": np.ones((2, 3))}, "float64"),
        ({"instances": np.ones((2, 3), bool)}, "instances is a boolean mask"),
        ({"instances": np.full((2, 3), -1)}, "instances holds -1 to -1"),
        ({"mask": np.full((2, 3), 2**40)}, "mask holds 1099511627776"),
        ({"mask": np.ones((4, 3), int), "instances": np.ones((4, 3), int)}, r"picture 0: .* \(2, 3\), .* \(4, 3\)"),
        ({"iscrowd": []}, r"hold the id 1, but iscrowd has 0 entries"),
        ({"iscrowd": [3]}, r"iscrowd holds 3"),
    ],
)
def test_bad_targets_are_named(change, message):
    target = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        panoptic_quality([GOOD], [target])


def test_lists_are_wanted_and_of_equal_length():
    with pytest.raises(ValueError, match="targets ends after 1 pictures"):
        panoptic_quality([GOOD, GOOD], [GOOD])
    with pytest.raises(ValueError, match=r"predictions is one dict; .* \[predictions\] for one picture"):
        panoptic_quality(GOOD, GOOD)
