"""split_touching: two discs with a waist are two, a bumpy one stays one, noise is dropped."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label

from seglib.classical import split_touching


def discs(*centres, radius=8, shape=(40, 60)):
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.any([(y - cy) ** 2 + (x - cx) ** 2 <= radius**2 for cy, cx in centres], axis=0)


def test_two_overlapping_discs_become_two_along_the_waist():
    foreground = discs((20, 20), (20, 33))
    assert label(foreground).max() == 1
    objects = split_touching(foreground)
    assert objects.max() == 2
    assert objects[20, 20] != objects[20, 33]
    assert np.array_equal(objects > 0, foreground)
    left = objects == objects[20, 20]
    assert np.flatnonzero(left.any(0)).max() in (26, 27)  # the waist lies half-way, at 26.5


def test_one_disc_with_a_bump_stays_one():
    foreground = discs((20, 20)) | discs((20, 29), radius=3)
    assert split_touching(foreground).max() == 1


def test_a_deeper_waist_is_asked_for_by_min_depth():
    foreground = discs((20, 20), (20, 31))
    assert split_touching(foreground, min_depth=0.2).max() == 2
    assert split_touching(foreground, min_depth=6).max() == 1


def test_specks_are_dropped_and_the_rest_renumbered():
    foreground = discs((20, 40))
    foreground[2, 2] = True
    objects = split_touching(foreground)
    assert np.unique(objects).tolist() == [0, 1]
    assert objects[2, 2] == 0
    assert split_touching(foreground, min_size=1).max() == 2


@pytest.mark.parametrize("shape", [(1, 1), (5, 1), (20, 30)])
def test_nothing_gives_nothing(shape):
    objects = split_touching(np.zeros(shape, bool))
    assert objects.shape == shape
    assert objects.max() == 0


@settings(max_examples=40, deadline=None)
@given(arrays(bool, (12, 15), elements=st.booleans()))
def test_objects_are_a_numbering_of_foreground_and_never_cross_components(foreground):
    objects = split_touching(foreground, min_size=1)
    assert np.array_equal(objects > 0, foreground)
    assert np.unique(objects[objects > 0]).tolist() == list(range(1, objects.max() + 1))
    components = label(foreground, connectivity=1)
    for i in range(1, objects.max() + 1):
        assert len(np.unique(components[objects == i])) == 1


@pytest.mark.parametrize("wrong", [np.zeros((3, 3)), np.zeros((3, 3), int), np.zeros(4, bool)])
def test_probabilities_and_labels_are_refused(wrong):
    with pytest.raises(ValueError, match="above a threshold first"):
        split_touching(wrong)
