"""k-means by hand, beside scikit-learn and against its own promises; segments of every kind of picture."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from seglib.classical import kmeans
from seglib.classical.clustering import to_lab
from seglib.scenes import photo

NUMBERS = np.array([[1], [2], [3], [10], [11], [12], [30], [32]])


def same_partition(a, b):
    pairs = len(np.unique(np.stack([np.ravel(a), np.ravel(b)]), axis=1).T)
    return pairs == len(np.unique(a)) == len(np.unique(b))


# --- k-means ---


def test_eight_numbers_by_hand():
    labels, centres, inertia = kmeans(NUMBERS, 3, start=[[1], [2], [3]])
    # From 1, 2 and 3 the third centre first takes 3 to 32 (mean 98/6 = 16.3), then 10 and more, then 30 and 32.
    assert sorted(centres.ravel().tolist()) == [2, 11, 31]
    assert labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert inertia == pytest.approx(2 + 2 + 2)


def test_one_step_is_one_assignment_and_one_mean():
    labels, centres, inertia = kmeans(NUMBERS, 2, start=[[0], [12]], max_iter=1)
    assert centres.ravel().tolist() == [2, 19]  # {1, 2, 3} and {10, 11, 12, 30, 32}
    assert labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]  # 10 is now nearer to 2
    assert inertia == 1 + 0 + 1 + 64 + 64 + 49 + 121 + 169


def test_an_empty_cluster_takes_the_farthest_point():
    _, centres, _ = kmeans(NUMBERS, 3, start=[[2], [11], [1000]], max_iter=1)
    assert centres[2, 0] == 32  # nobody is nearest to 1000, and 32 lies farthest from its centre, 11
    assert centres[1, 0] == (10 + 11 + 12 + 30) / 4
    assert kmeans(NUMBERS, 3, start=[[2], [11], [1000]])[2] == 6
    twins = kmeans(NUMBERS, 4, start=[[2], [2], [2], [2]])
    assert len(np.unique(twins[0])) == 4


def test_a_start_twice_at_the_only_two_points_is_survived():
    labels, _, inertia = kmeans(np.array([[0.0], [1.0]]), 3, start=[[0], [1], [1]])
    assert inertia == 0
    assert set(labels.tolist()) <= {0, 1, 2}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("space", [2, 5])
def test_equal_to_scikit_learn_from_the_same_start(seed, space):
    points, _ = make_blobs(2000, space, centers=6, cluster_std=2.0, random_state=seed)
    start = points[np.random.default_rng(seed).choice(2000, 6, replace=False)]
    labels, centres, inertia = kmeans(points, 6, start=start)
    theirs = KMeans(6, init=start, n_init=1, tol=0, algorithm="lloyd").fit(points)
    assert inertia == pytest.approx(theirs.inertia_, rel=1e-9)
    assert np.allclose(centres, theirs.cluster_centers_)
    assert np.array_equal(labels, theirs.labels_)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "china", "ihc"])
def test_equal_to_scikit_learn_on_the_colours_of_photos(name):
    points = to_lab(photo(name)["image"]).reshape(-1, 3)[::7]
    start = points[:: len(points) // 6][:6]
    theirs = KMeans(6, init=start, n_init=1, tol=0, max_iter=1000).fit(points).inertia_
    assert kmeans(points, 6, start=start, max_iter=1000)[2] == pytest.approx(theirs, rel=1e-6)
    # With starts of their own both stop in local optima; over 13 photos, k = 4 and 8, the worst was 4.6 % above.
    theirs = KMeans(6, n_init=3, tol=0, random_state=0).fit(points).inertia_
    assert kmeans(points, 6)[2] <= 1.05 * theirs


def test_well_parted_blobs_are_found_whatever_the_seed():
    points, blobs = make_blobs(600, 3, centers=5, cluster_std=0.3, random_state=1)
    theirs = KMeans(5, n_init=3, random_state=0).fit(points).inertia_
    for seed in range(5):
        labels, _, inertia = kmeans(points, 5, seed=seed)
        assert inertia == pytest.approx(theirs, rel=1e-9)
        assert same_partition(labels, blobs)


def test_k_plus_plus_spreads_out():
    points = np.concatenate([np.zeros((996, 1)), [[100.0], [200.0], [300.0]], [[0.0]]])
    assert kmeans(points, 4, starts=1)[2] < 1e-9  # at random, 996 of 1000 points would be the same one


def test_more_starts_are_never_worse():
    points = to_lab(photo("camera")["image"]).reshape(-1, 3)[::50]
    inertias = np.array([[kmeans(points, 8, seed, starts=n)[2] for n in (1, 2, 4, 8)] for seed in range(3)])
    assert (np.diff(inertias, axis=1) <= 0).all()
    assert (inertias[:, -1] < inertias[:, 0]).any()


points_of_any_kind = st.integers(2, 40).flatmap(
    lambda n: arrays(float, (n, 2), elements=st.integers(-5, 5).map(lambda x: x / 2))
)


@settings(max_examples=40, deadline=None)
@given(points_of_any_kind, st.integers(1, 4), st.integers(0, 9))
def test_inertia_never_rises_and_is_what_it_says(points, k, seed):
    if k > len(np.unique(points, axis=0)):
        return
    last = np.inf
    for steps in range(1, 8):
        labels, centres, inertia = kmeans(points, k, seed, starts=1, max_iter=steps)
        assert inertia <= last + 1e-9
        assert inertia == pytest.approx(((points - centres[labels]) ** 2).sum(), abs=1e-9)
        last = inertia
    labels, centres, inertia = kmeans(points, k, seed)
    assert set(labels.tolist()) == set(range(k))  # no cluster is empty
    assert inertia <= ((points - points.mean(0)) ** 2).sum() + 1e-9
    for i in range(k):
        assert np.allclose(centres[i], points[labels == i].mean(0))


@settings(max_examples=20, deadline=None)
@given(points_of_any_kind, st.randoms(use_true_random=False))
def test_the_order_of_points_does_not_matter(points, random):
    order = random.sample(range(len(points)), len(points))
    start = [[-2.1, 0.03], [1.7, 0.41]]
    labels, centres, inertia = kmeans(points, 2, start=start, max_iter=1)
    if len(set(labels.tolist())) == 2:  # who is farthest may be a tie
        _, moved, again = kmeans(points[order], 2, start=start, max_iter=1)
        assert np.allclose(centres, moved)
        assert again == pytest.approx(inertia)


def test_a_far_away_cloud_is_clustered_as_well():
    points, _ = make_blobs(300, 2, centers=3, random_state=0)
    near, far = kmeans(points, 3), kmeans(points + 1e7, 3)
    assert far[2] == pytest.approx(near[2], rel=1e-6)
    assert np.array_equal(near[0], far[0])


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


def test_a_start_of_the_wrong_shape_is_explained():
    with pytest.raises(ValueError, match=r"start has shape \(2, 3\)"):
        kmeans(NUMBERS, 2, start=np.zeros((2, 3)))


def test_four_megapixels_stay_within_memory():
    points = np.random.default_rng(0).random((1 << 22, 3))
    tracemalloc.start()
    kmeans(points, 16, start=points[:16], max_iter=1)
    assert tracemalloc.get_traced_memory()[1] < 5 * points.nbytes  # all distances at once would be 5.3 times, and more
    tracemalloc.stop()


# --- pictures ---
