"""The explorers of anchors and of suppression without a browser: counts known by hand, and what they refuse."""

import numpy as np
import pytest
import torch

from seglib.plotting import PALETTE
from seglib.widgets import anchor_explorer, nms_explorer

PICTURE = np.full((64, 64), 0.5)


def move(explorer, **changes):
    explorer.settings = {**explorer.settings, **changes}
    return explorer.answer["status"]


def drawn(explorer, color):
    """Is something drawn in this colour of the palette?"""
    return bool(np.all(np.abs(explorer.rgb - PALETTE[color]) < 1 / 255, axis=-1).any())


def test_an_anchor_that_is_the_object_is_positive():
    explorer = anchor_explorer(PICTURE, [[16, 16, 32, 32]])
    # Anchors stand around the corners of the cells, so one of size 16 at (24, 24) is the object.
    status = move(explorer, size=16, stride=8, high=0.95, keep_best="no")
    assert status == "1 of 64 anchors positive, for 1 of 1 object; best IoU 1.00 in the mean"
    assert drawn(explorer, 7)
    assert not drawn(explorer, 1)
    # its four neighbours share 8 x 16 of 16 x 16 with it: IoU 128 / 384
    assert move(explorer, high=0.3).startswith("5 of 64 anchors positive, for 1 of 1 object")
    assert move(explorer, stride=16, high=0.95).startswith("0 of 16 anchors positive, for 0 of 1 object")


def test_the_best_anchor_of_an_object_is_positive_too_if_wished():
    explorer = anchor_explorer(PICTURE, torch.tensor([[16.0, 16, 32, 32], [40, 40, 44, 44]]))
    status = move(explorer, size=16, stride=8, high=0.7, keep_best="no")
    assert status.startswith("1 of 64 anchors positive, for 1 of 2 objects; best IoU 0.53")  # 1 and 16 / 256
    # the small one lies inside four anchors alike: ties are all kept
    assert move(explorer, keep_best="yes").startswith("5 of 64 anchors positive, for 2 of 2 objects")
    assert drawn(explorer, 1)


def test_a_tall_anchor():
    explorer = anchor_explorer(PICTURE, [[16, 8, 32, 40]])  # 16 wide, 32 high: size 22.6, ratio 2
    assert move(explorer, size=23, ratio=2, stride=8, high=0.9, keep_best="no").startswith("1 of 64")
    assert move(explorer, ratio=0.5).startswith("0 of 64")


def answers():
    boxes = torch.tensor([[10.0, 10, 30, 30], [11, 10, 31, 30], [12, 10, 32, 30], [40, 40, 60, 60]])
    return {"boxes": boxes, "scores": torch.tensor([0.9, 0.8, 0.7, 0.4]), "labels": torch.tensor([1, 1, 2, 1])}


def test_suppression_within_classes_and_across_all():
    explorer = nms_explorer(PICTURE, answers(), [[10, 10, 30, 30], [0, 40, 20, 60]])
    # 0 suppresses 1 (IoU 19 / 21), but not 2, of another class; 3 lies on nothing
    assert explorer.answer["status"] == "3 of 4 answers left: 1 of 2 objects found, 1 double, 1 false alarm"
    assert [drawn(explorer, color) for color in (7, 8, 6)] == [True] * 3
    status = move(explorer, groups="across all")
    assert status == "2 of 4 answers left: 1 of 2 objects found, 0 doubles, 1 false alarm"
    assert not drawn(explorer, 8)
    assert move(explorer, threshold=1).startswith("4 of 4 answers left: 1 of 2 objects found, 2 doubles")
    assert move(explorer, least=0.95) == "0 of 4 answers left: 0 of 2 objects found, 0 doubles, 0 false alarms"


@pytest.mark.parametrize(
    ("boxes", "message"),
    [(np.zeros((0, 4)), "one object"), ([[0, 0, 5]], r"\(n, 4\)"), ([[30, 30, 10, 10]], "no area")],
)
def test_boxes_that_are_none(boxes, message):
    with pytest.raises(ValueError, match=message):
        anchor_explorer(PICTURE, boxes)
    with pytest.raises(ValueError, match=message):
        nms_explorer(PICTURE, answers(), boxes)
