"""A detector on pictures larger than its window: every object once, drawn without overlaps."""

import numpy as np
import pytest
import torch
from detected_spots import Spots

from workbench.detections import detect, paint


@pytest.mark.parametrize("tile", [64, 96, 512])
def test_every_object_is_found_once_and_whole_wherever_windows_meet(tile):
    picture, expected = torch.zeros(1, 200, 170), []
    for number, (top, left) in enumerate([(0, 0), (20, 26), (60, 60), (28, 90), (100, 5), (185, 155), (118, 120)]):
        picture[0, top : top + 12, left : left + 10] = 0.6 + number / 20
        expected.append((round(0.6 + number / 20, 4), 1, top, left))
    picture[0, 150, 20] = 0.3  # too faint to count
    shares = []
    found = detect(Spots(), lambda top, bottom: picture[:, top:bottom], (200, 170), tile, 32, shares.append)
    assert [(round(score, 4), *place) for score, *place, _ in found] == sorted(expected, reverse=True)
    assert {part.shape for *_, part in found} == {(12, 10)}
    assert shares[-1] == 1


def test_the_better_of_two_that_overlap_is_drawn_whole_and_doubles_are_dropped():
    square = np.ones((4, 4), bool)
    found = [(0.9, 1, 0, 0, square), (0.8, 1, 0, 1, square), (0.7, 2, 0, 3, square), (0.6, 1, 0, 0, square)]
    instances, kept = paint(found, (4, 8))
    assert kept == [found[0], found[2]]
    assert instances[0].tolist() == [1, 1, 1, 1, 2, 2, 2, 0]


def test_nothing_found_is_an_empty_map():
    assert detect(Spots(), lambda top, bottom: torch.zeros(1, bottom - top, 40), (70, 40), 64, 32) == []
    instances, kept = paint([], (3, 5))
    assert (instances.shape, instances.max(), kept) == ((3, 5), 0, [])
