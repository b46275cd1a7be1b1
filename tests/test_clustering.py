"""kmeans on points: what it promises beside scikit-learn's KMeans, and errors that name the usual cause."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seglib.classical import kmeans

NUMBERS = np.array([[1], [2], [3], [10], [11], [12], [30], [32]])


def test_eight_numbers_by_hand():
    labels, centres, inertia = kmeans(NUMBERS, 3, start=[[1], [2], [3]])
    # From 1, 2 and 3 the third centre first takes 3 to 32 (mean 98/6 = 16.3), then 10 and more, then 30 and 32.
    assert sorted(centres.ravel().tolist()) == [2, 11, 31]
    assert labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert inertia == pytest.approx(2 + 2 + 2)


points_of_any_kind = st.integers(2, 40).flatmap(
    lambda n: arrays(float, (n, 2), elements=st.integers(-5, 5).map(lambda x: x / 2))
)


@settings(max_examples=20, deadline=None)
@given(points_of_any_kind, st.integers(1, 4), st.integers(0, 9))
def test_labels_centres_and_inertia_belong_together(points, k, seed):
    if k > len(np.unique(points, axis=0)):
        return
    labels, centres, inertia = kmeans(points, k, seed)
    assert labels.dtype == np.int64
    assert set(labels.tolist()) == set(range(k))  # no cluster is empty
    assert inertia == pytest.approx(((points - centres[labels]) ** 2).sum(), abs=1e-9)
    for i in range(k):
        assert np.allclose(centres[i], points[labels == i].mean(0))
    assert np.array_equal(kmeans(points, k, seed)[0], labels)


@pytest.mark.parametrize(
    ("points", "k", "message"),
    [
        (np.zeros((4, 5, 3)), 2, r"one row for each pixel: image.reshape\(-1, 3\)"),
        (np.zeros(7), 2, r"\(n, d\) is wanted"),
        (np.zeros((0, 3)), 1, r"\(n, d\) is wanted"),
        ([[0.0], [np.nan]], 1, "NaN"),
        ([["a"], ["b"]], 1, "no real numbers"),
        (NUMBERS, 0, "k is 0"),
        (NUMBERS, 2.0, "k is 2.0"),
        (NUMBERS, 9, "only 8 distinct points"),
        (np.repeat([[1, 2, 3], [4, 5, 6]], 50, axis=0), 3, "only 2 distinct points"),
    ],
)
def test_bad_input_is_explained(points, k, message):
    with pytest.raises(ValueError, match=message):
        kmeans(points, k)
    with pytest.raises(ValueError, match=r"start has shape \(2, 3\)"):
        kmeans(NUMBERS, 2, start=np.zeros((2, 3)))
