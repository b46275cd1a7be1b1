"""What average_precision takes: arrays, tensors, raw output, generators, empty pictures, and what it refuses."""

import numpy as np
import pytest
import torch

from seglib.metrics import average_precision


def pictures():
    """Two pictures, masks of one found, one badly found, one missed object, and an invention."""
    masks = np.zeros((4, 60, 60), bool)
    masks[0, :30, :30], masks[1, 40:50, 40:50], masks[2, :20, 40:], masks[3, 42:50, 40:50] = True, True, True, True
    boxes = np.array([[0, 0, 30, 30], [40, 40, 50, 50], [40, 0, 60, 20], [40, 42, 50, 50.0]])
    predictions = [
        {"labels": np.array([1, 2]), "scores": np.array([0.7, 0.8]), "masks": masks[[0, 3]], "boxes": boxes[[0, 3]]},
        {"labels": np.array([2]), "scores": np.array([0.9]), "masks": masks[[2]], "boxes": boxes[[2]]},
    ]
    targets = [
        {"labels": np.array([1, 2, 1]), "masks": masks[:3], "boxes": boxes[:3]},
        {"labels": np.array([1]), "masks": masks[:1], "boxes": boxes[:1]},
    ]
    return predictions, targets


def test_pictures_without_anything():
    nothing = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64), "scores": torch.zeros(0)}
    nothing["masks"] = torch.zeros(0, 1, 20, 20)
    none = {"boxes": np.zeros((0, 4)), "labels": [], "masks": np.zeros((0, 8, 8), np.uint8)}
    some = {"boxes": np.array([[1, 1, 4, 4]]), "labels": np.array([1]), "masks": np.ones((1, 8, 8), np.uint8)}
    for kind in ("mask", "box"):
        figures = average_precision([nothing], [none], kind)
        assert figures.pop("per_class") == figures.pop("per_class_50") == {}
        assert np.isnan(list(figures.values())).all()
        assert len(figures) == 12
        missed = average_precision([nothing, nothing], [some, none], kind)
        assert (missed["AP"], missed["AR100"], missed["per_class"]) == (0.0, 0.0, {1: 0.0})
        found = {**some, "scores": [0.3]}
        assert average_precision([found, nothing], [some, none], kind)["AP"] == 1.0
        assert average_precision([found, found], [some, none], kind)["AP"] == 1.0  # the invention comes after
        assert average_precision([found, found], [none, some], kind)["AP"] == 0.5


def test_raw_output_of_mask_rcnn_lists_and_generators_give_the_same():
    predictions, targets = pictures()
    expected = average_precision(predictions, targets)
    assert expected["per_class"] == pytest.approx(
        {1: 34 / 101, 2: 0.7 / 2}
    )  # one of three; IoU 0.8, after an invention
    raw = [
        {
            "boxes": torch.from_numpy(p["boxes"]).float(),
            "labels": torch.from_numpy(p["labels"]),
            "scores": torch.from_numpy(p["scores"]).requires_grad_(),
            "masks": torch.from_numpy(p["masks"]).float()[:, None] * 0.4 + 0.2,  # 0.2 outside, 0.6 inside
        }
        for p in predictions
    ]
    given = [{**t, "masks": torch.from_numpy(t["masks"]).to(torch.uint8)} for t in targets]
    np.testing.assert_equal(average_precision(raw, given), expected)
    np.testing.assert_equal(average_precision((p for p in raw), iter(given)), expected)
    half = [{**p, "masks": p["masks"].bfloat16()} for p in raw]
    np.testing.assert_equal(average_precision(half, given), expected)


def test_scores_count_by_order_alone_and_inputs_stay_as_they_are():
    predictions, targets = pictures()
    before = [{key: value.copy() for key, value in picture.items()} for picture in predictions + targets]
    expected = average_precision(predictions, targets)
    logits = [{**p, "scores": p["scores"] * 30 - 40} for p in predictions]
    np.testing.assert_equal(average_precision(logits, targets), expected)
    for picture, copy in zip(predictions + targets, before, strict=True):
        for key, value in copy.items():
            np.testing.assert_array_equal(picture[key], value)


GOOD = {"labels": [1], "scores": [0.5], "boxes": np.array([[0, 0, 2, 2.0]]), "masks": np.ones((1, 4, 4), np.uint8)}


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"scores": None}, "box", r'predictions\[0\] has no "scores"; it holds \[labels, boxes, masks\]'),
        ({"labels": None}, "box", r'predictions\[0\] has no "labels"'),
        ({"masks": None}, "mask", r'predictions\[0\] has no "masks"; it holds \[labels, scores, boxes\]'),
        ({"scores": [0.5, 0.4]}, "box", r"predictions\[0\]: scores has shape \(2,\), labels \(1,\)"),
        ({"scores": [np.nan]}, "box", "NaN"),
        ({"labels": [0]}, "box", r"predictions\[0\]: labels hold 0; classes from 1 are wanted"),
        ({"labels": [1.0]}, "box", "float64"),
        ({"labels": [[1]]}, "box", r"\(1, 1\)"),
        ({"boxes": np.zeros((2, 4))}, "box", r"boxes have shape \(2, 4\); \(1, 4\) is wanted"),
        ({"boxes": np.array([[5, 5, 3, 3]])}, "box", r"box 0 is \[5.0, 5.0, 3.0, 3.0\].*Usual cause: COCO's"),
        ({"boxes": np.array([[0, 0, np.inf, 3]])}, "box", "box 0 is"),
        ({"masks": np.ones((4, 4), int)}, "mask", "Usual cause: an instance map"),
        ({"masks": np.ones((2, 4, 4), int)}, "mask", "as many as labels"),
        ({"masks": np.full((1, 4, 4), 255, np.uint8)}, "mask", "from 255 to 255.*0/255 picture"),
        ({"masks": torch.full((1, 1, 4, 4), -3.0)}, "mask", "logits"),
        ({"masks": torch.full((1, 1, 4, 4), float("nan"))}, "mask", "from nan to nan"),
        ({"masks": np.ones((1, 5, 4), bool)}, "mask", r"picture 0: the predicted masks are \(5, 4\)"),
    ],
)
def test_bad_predictions_are_named(change, kind, message):
    prediction = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        average_precision([prediction], [GOOD], kind)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"masks": np.ones((1, 4, 4))}, r"targets\[0\]: masks have dtype float64"),
        ({"masks": np.ones((1, 1, 4, 4), int)}, r"targets\[0\]: masks have shape \(1, 1, 4, 4\)"),
        ({"iscrowd": [2]}, r"targets\[0\]: iscrowd holds 2"),
        ({"iscrowd": [0, 0]}, r"targets\[0\]: iscrowd has shape \(2,\)"),
        ({"area": []}, r"targets\[0\]: area has shape \(0,\)"),
    ],
)
def test_bad_targets_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        average_precision([GOOD], [{**GOOD, **change}])


@pytest.mark.parametrize(
    ("predictions", "targets", "kind", "message"),
    [
        ([GOOD], [GOOD, GOOD], "box", "predictions ends after 1 pictures"),
        (iter([GOOD, GOOD]), [GOOD], "box", "targets ends after 1 pictures"),
        (GOOD, [GOOD], "box", "predictions is one dict"),
        ([GOOD], [[1]], "box", r"targets\[0\] is a list"),
        ([], [], "box", "at least one picture"),
        ([GOOD], [GOOD], "segm", "kind is 'segm'"),
    ],
)
def test_bad_lists_are_named(predictions, targets, kind, message):
    with pytest.raises(ValueError, match=message):
        average_precision(predictions, targets, kind)
