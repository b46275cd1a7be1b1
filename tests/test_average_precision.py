"""COCO's twelve figures: by hand, and against pycocotools on random detections, crowds, ties and empty pictures."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from seglib.metrics import average_precision, boundary_iou
from seglib.metrics._detections import Objects
from seglib.metrics.overlaps import mask_iou

NAMES = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
SIZE = (120, 130)  # room for large objects


def annotations(pictures, kind, predicted):
    """COCO's list of annotations of our list of dicts."""
    rows = []
    for index, picture in enumerate(pictures):
        for number, label in enumerate(picture["labels"]):
            row = {"image_id": index + 1, "category_id": int(label), "id": len(rows) + 1}
            if kind == "box":
                left, top, right, bottom = picture["boxes"][number].tolist()
                row |= {"bbox": [left, top, right - left, bottom - top], "area": (right - left) * (bottom - top)}
            else:
                row["segmentation"] = rle.encode(np.asfortranarray(picture["masks"][number].astype(np.uint8)))
                row["area"] = float(rle.area(row["segmentation"]))
            if predicted:
                row["score"] = float(picture["scores"][number])
            else:
                row["iscrowd"] = int(picture["iscrowd"][number])
                row["area"] = float(picture["area"][number]) if "area" in picture else row["area"]
            rows.append(row)
    return rows


def by_pycocotools(predictions, targets, kind):
    """The twelve figures and AP by class; -1 as NaN."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth, found = COCO(), annotations(predictions, kind, predicted=True)
        pictures = [{"id": number + 1, "height": SIZE[0], "width": SIZE[1]} for number in range(len(targets))]
        categories = [{"id": label} for label in range(1, 5)]
        truth.dataset = {"images": pictures, "categories": categories, "info": {}}
        truth.dataset["annotations"] = annotations(targets, kind, predicted=False)
        truth.createIndex()
        results = truth.loadRes(found) if found else COCO()
        evaluation = COCOeval(truth, results, "bbox" if kind == "box" else "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision = evaluation.eval["precision"][:, :, :, 0, 2]
    per_class = {"per_class": precision.mean((0, 1)), "per_class_50": precision[0].mean(0)}
    stats = np.where(evaluation.stats < 0, np.nan, evaluation.stats)
    return dict(zip(NAMES, stats, strict=True)), {
        name: dict(enumerate(np.where(values < 0, np.nan, values), 1)) for name, values in per_class.items()
    }


def scene(seed, kind, most=6, classes=4, crowds=0.2, areas=False):
    """Random pictures; predictions are shaken copies of true objects, wrong labels, ties of score and inventions."""
    rng = np.random.default_rng(seed)
    predictions, targets = [], []
    for _ in range(rng.integers(1, 4)):
        true = boxes(rng, rng.integers(0, most))
        kept = true[rng.random(len(true)) < 0.8]
        shaken = np.repeat(kept, rng.integers(1, 3, len(kept)), axis=0)
        shaken = ordered(shaken + rng.integers(-4, 5, shaken.shape) * (rng.random((len(shaken), 1)) < 0.7))
        found = np.concatenate([shaken, boxes(rng, rng.integers(0, 3))])
        labels = rng.integers(1, classes, (2, max(len(true), len(found))))  # class 4 never occurs
        target = {"labels": labels[0, : len(true)], "iscrowd": (rng.random(len(true)) < crowds).astype(int)}
        mine = np.where(rng.random(labels.shape[1]) < 0.5, labels[1], 1)[: len(found)]
        prediction = {"labels": mine, "scores": rng.integers(0, 6, len(found)) / 5}
        if areas:
            target["area"] = rng.uniform(0, 12000, len(true))
        target["boxes"], prediction["boxes"] = true / 1.0, found / 1.0
        if kind == "mask":
            target["masks"], prediction["masks"] = (masks(rng, each) for each in (true, found))
        targets.append(target)
        predictions.append(prediction)
    return predictions, targets


def boxes(rng, count):
    """Boxes inside of the picture: small, 32 or 96 px wide (at the limits of a range), or of any size."""
    side = rng.choice([3, 16, 32, 96, 110, rng.integers(1, 110)], (count, 1))
    start = rng.integers(0, 40, (count, 2))
    return ordered(np.concatenate([start, start + side], axis=1))


def ordered(boxes):
    boxes = np.clip(boxes, 0, [SIZE[1], SIZE[0]] * 2)
    return np.concatenate([np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1)


def masks(rng, boxes):
    """The boxes' pixels, of some without an ellipse's outside, of some with holes; degenerate boxes give none."""
    result = np.zeros((len(boxes), *SIZE), bool)
    for mask, (left, top, right, bottom) in zip(result, boxes.tolist(), strict=True):
        y, x = np.mgrid[-1 : 1 : (bottom - top) * 1j, -1 : 1 : (right - left) * 1j]
        shape = [np.ones(y.shape, bool), x**2 + y**2 <= 1, rng.random(y.shape) < 0.9][rng.integers(3)]
        mask[top:bottom, left:right] = shape
    return result


def assert_equal(predictions, targets, kind):
    ours = average_precision(predictions, targets, kind)
    figures, per_class = by_pycocotools(predictions, targets, kind)
    assert list(ours) == [*NAMES, "per_class", "per_class_50"]
    for name, value in figures.items():
        assert ours[name] == pytest.approx(value, abs=1e-9, nan_ok=True), name
    occurring = sorted({int(label) for target in targets for label in target["labels"]})
    for name, values in per_class.items():
        assert list(ours[name]) == occurring
        for label, value in values.items():
            assert ours[name].get(label, np.nan) == pytest.approx(value, abs=1e-9, nan_ok=True), (name, label)


@pytest.mark.slow
@given(st.integers(0, 10**9), st.sampled_from(["mask", "box"]), st.booleans())
@settings(deadline=None, max_examples=150)
def test_equals_pycocotools(seed, kind, areas):
    assert_equal(*scene(seed, kind, areas=areas), kind)


@pytest.mark.slow
@given(st.integers(0, 10**9))
@settings(deadline=None, max_examples=20)
def test_equals_pycocotools_in_a_crowd_of_one_class(seed):
    assert_equal(*scene(seed, "box", most=25, classes=2, crowds=0.4), "box")


def test_equals_pycocotools_beyond_a_hundred_detections():
    rng = np.random.default_rng(0)
    target = {"boxes": boxes(rng, 30) / 1.0, "labels": rng.integers(1, 3, 30), "iscrowd": np.zeros(30, int)}
    again = np.concatenate([boxes(rng, 230) / 1.0, target["boxes"]])  # the right ones come last, so some are cut
    prediction = {"boxes": again, "labels": rng.integers(1, 3, 260), "scores": rng.integers(0, 9, 260) / 9}
    assert (np.bincount(prediction["labels"])[1:] > 100).all()
    assert_equal([prediction], [target], "box")


@example([0.5, 0.5, 0.5], 1)
@given(st.lists(st.sampled_from([0.1, 0.5, np.nextafter(0.5, 1)]), min_size=3, max_size=3), st.integers(0, 2))
@settings(deadline=None, max_examples=27)
def test_ties_are_broken_as_by_pycocotools(scores, right):
    """Three detections of one object, one of them better, across the border of two pictures."""
    target = {"boxes": np.array([[0, 0, 10, 10.0]]), "labels": [1], "iscrowd": [0]}
    found = np.array([[0, 0, 10, 6.0]] * 3)
    found[right, 3] = 10
    first = {"boxes": found, "labels": [1, 1, 1], "scores": np.array(scores)}
    second = {"boxes": found[::-1], "labels": [1, 1, 1], "scores": np.array(scores)}
    assert_equal([first, second], [target, target], "box")


def test_by_hand():
    """Hits and misses 1 0 1 of two objects, IoU 1 and 0.75: precision 1, 2/3 at recalls 0.5, 1."""
    target = {"boxes": np.array([[0, 0, 40, 40], [50, 50, 70, 70.0]]), "labels": np.array([3, 3])}
    prediction = {
        "boxes": np.array([[50, 50, 70, 65], [0, 0, 40, 40], [0, 80, 10, 90.0]]),
        "labels": np.array([3, 3, 3]),
        "scores": np.array([0.3, 0.9, 0.5]),
    }
    figures = average_precision([prediction], [target], kind="box")
    at_50 = (51 * 1 + 50 * 2 / 3) / 101
    at_90 = 51 / 101  # the second object is only found up to 0.75
    assert figures["AP50"] == figures["AP75"] == figures["per_class_50"][3] == pytest.approx(at_50)
    assert figures["AP"] == figures["per_class"][3] == pytest.approx(0.6 * at_50 + 0.4 * at_90)
    assert (figures["AR1"], figures["AR10"], figures["AR100"]) == pytest.approx((0.5, 0.8, 0.8))
    # small: its object of 400 px, found up to 0.75, behind the invention of 100 px; the large hit is ignored
    assert (figures["APs"], figures["ARs"]) == pytest.approx((0.6 * 0.5, 0.6))
    assert (figures["APm"], figures["ARm"]) == pytest.approx((1, 1))
    assert np.isnan([figures["APl"], figures["ARl"]]).all()
    assert type(figures["AP"]) is float


def test_empty_masks_match_nothing():
    empty = {"labels": [1], "masks": np.zeros((1, 6, 6), bool)}
    assert average_precision([{**empty, "scores": [1.0]}], [empty])["AP"] == 0.0


@given(st.integers(0, 10**9), st.booleans())
@settings(deadline=None, max_examples=60)
def test_mask_iou_counts_every_pixel(seed, crowd):
    """Also those on the frame, of lines and of single points."""
    rng = np.random.default_rng(seed)
    pair = rng.random((2, 4, *rng.integers(1, 7, 2))) < rng.choice([0.1, 0.3, 0.9])
    areas = [masks.sum((1, 2)) for masks in pair]
    labels, crowd = np.ones(len(pair[0]), int), np.full(len(pair[0]), crowd)
    found, true = (Objects(labels, masks, *[area] * 2, crowd=crowd) for masks, area in zip(pair, areas, strict=True))
    shared = np.einsum("dyx,tyx->dt", *(masks.astype(int) for masks in pair))
    whole = np.where(crowd, areas[0][:, None], areas[0][:, None] + areas[1] - shared)
    expected = shared / np.maximum(whole, 1)
    asked = np.ones(shared.shape, bool)
    np.testing.assert_allclose(mask_iou(found, true, asked), expected, rtol=1e-12)
    asked[0] = False
    assert not mask_iou(found, true, asked)[0].any()


@pytest.mark.parametrize("shift", [0, 1, 2, 4])
def test_by_boundary_a_match_needs_the_mask_and_its_rim(shift):
    truth, found = np.zeros((2, 1, 120, 120), bool)
    truth[0, 20:100, 20:100] = True
    found[0, 20 + shift : 100 + shift, 20:100] = True
    prediction = {"scores": np.ones(1), "labels": np.ones(1, int), "masks": found}
    target = {"labels": np.ones(1, int), "masks": truth}
    overlap = min((found & truth).sum() / (found | truth).sum(), boundary_iou(found[0], truth[0]))
    expected = np.mean(overlap >= np.linspace(0.5, 0.95, 10))
    assert average_precision([prediction], [target], kind="boundary")["AP"] == pytest.approx(expected)
