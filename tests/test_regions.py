"""split_touching: two discs with a waist are two, a bumpy one stays one, noise is dropped.

random_walker_segment and graph_segment: scikit-image's results, checked input, no warnings.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import data, segmentation
from skimage.measure import label

from seglib.classical import graph_segment, random_walker_segment, split_touching


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


def test_specks_are_dropped_and_the_rest_renumbered():
    foreground = discs((20, 40))
    foreground[2, 2] = True
    objects = split_touching(foreground)
    assert np.unique(objects).tolist() == [0, 1]
    assert objects[2, 2] == 0
    for shape in ((1, 1), (5, 1)):
        assert split_touching(np.zeros(shape, bool)).tolist() == np.zeros(shape).tolist()


@settings(max_examples=40, deadline=None)
@given(arrays(bool, (6, 7), elements=st.booleans()))
def test_objects_are_numbered_and_never_cross_components(foreground):
    foreground = foreground.repeat(6, axis=0).repeat(6, axis=1)  # so that nothing is too small
    objects = split_touching(foreground)
    assert not (objects > 0)[~foreground].any()
    assert (np.bincount(objects.ravel())[1:] >= 20).all()
    assert np.unique(objects[objects > 0]).tolist() == list(range(1, objects.max() + 1))
    components = label(foreground, connectivity=1)
    for i in range(1, objects.max() + 1):
        assert len(np.unique(components[objects == i])) == 1


@pytest.mark.parametrize("wrong", [np.zeros((3, 3)), np.zeros((3, 3), int), np.zeros(4, bool)])
def test_probabilities_and_labels_are_refused(wrong):
    with pytest.raises(ValueError, match="above a threshold first"):
        split_touching(wrong)


STEP = np.zeros((8, 9))
STEP[:, 6:] = 0.5
ENDS = np.zeros((8, 9), int)
ENDS[4, 0], ENDS[4, 8] = 1, 2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("colour", [False, True])
def test_walks_stop_at_an_edge_and_at_half_way_without_one(dtype, colour):
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    step = (STEP * top).astype(dtype)
    step = np.stack([step] * 3, axis=-1) if colour else step
    labels = random_walker_segment(step, ENDS, beta=1000)
    assert labels.dtype == np.int64
    assert np.array_equal(labels, 1 + (STEP > 0))
    halves = random_walker_segment(np.full_like(step, step.max()), ENDS)
    assert (halves[:, :4] == 1).all()
    assert (halves[:, 5:] == 2).all()


def walk_by_hand(image, markers, beta):
    """Grady's system of equations, dense: the share of walks from each free pixel that end at each marker."""
    count = image.size
    places = np.arange(count).reshape(image.shape)
    laplacian = np.zeros((count, count))
    for a, b in ((places[:, 1:], places[:, :-1]), (places[1:], places[:-1])):
        step = image.flat[a] - image.flat[b]
        weight = np.exp(-beta * step**2 / (10 * image.std()))
        laplacian[a, b] = laplacian[b, a] = -weight
    laplacian[np.diag_indices(count)] = -laplacian.sum(1)
    free = markers.ravel() == 0
    reached = np.eye(markers.max())[markers.ravel()[~free] - 1]
    shares = np.linalg.solve(laplacian[np.ix_(free, free)], -laplacian[np.ix_(free, ~free)] @ reached)
    labels = markers.ravel().copy()
    labels[free] = shares.argmax(1) + 1
    return labels.reshape(image.shape)


@pytest.mark.parametrize("beta", [0.0, 30.0, 130.0])
def test_random_walks_equal_the_dense_equations(beta):
    image = data.camera()[200:440:16, 100:340:16] / 255
    markers = np.zeros(image.shape, int)
    markers[1, 1:4], markers[7, 7], markers[13, 12] = 1, 2, 3
    assert np.array_equal(random_walker_segment(image, markers, beta), walk_by_hand(image, markers, beta))


def test_markers_stay_as_they_are():
    markers = 1 + (np.arange(72).reshape(8, 9) % 5)
    assert np.array_equal(random_walker_segment(STEP, markers), markers)
    markers[:, 3:] = 0
    assert np.array_equal(random_walker_segment(STEP, markers)[:, :3], markers[:, :3])


@pytest.mark.parametrize(
    ("image", "markers", "beta", "message"),
    [
        (STEP, ENDS[:, :5], 1, r"shape \(8, 5\).*\(8, 9\)"),
        (STEP, ENDS / 2, 1, "float64"),
        (STEP, ENDS * 0, 1, r"regions \[\]"),
        (STEP, np.minimum(ENDS, 1), 1, "background was left without"),
        (STEP, ENDS * 2, 1, r"regions \[2, 4\]"),
        (STEP, ENDS - (ENDS == 2) * 4, 1, r"regions \[-2, 1\]"),
        (STEP, ENDS, -1, "beta is -1"),
        (STEP, ENDS, np.nan, "beta is nan"),
    ],
)
def test_bad_markers_are_explained(image, markers, beta, message):
    with pytest.raises(ValueError, match=message):
        random_walker_segment(image, markers, beta)


def test_a_graph_of_two_planes_has_two_pieces():
    assert np.array_equal(graph_segment(STEP, scale=10, sigma=0), 1 + (STEP > 0))
    assert graph_segment(STEP, scale=1e6, sigma=0).max() == 1  # one piece may hold any difference
    assert graph_segment(STEP, scale=10, sigma=0, min_size=30).max() == 1  # 8 x 3 pixels are too few


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("picture", [data.camera(), data.astronaut()])
def test_graph_pieces_are_scikit_images_numbered_from_1(picture):
    picture = picture[::4, ::4]
    labels = graph_segment(picture, scale=200, sigma=0.5, min_size=30)
    wanted = segmentation.felzenszwalb(picture / 255, 200, 0.5, 30, channel_axis=-1 if picture.ndim == 3 else None)
    assert labels.dtype == np.int64
    assert np.array_equal(labels, wanted + 1)
    assert np.bincount(labels.ravel())[1:].min() >= 30


@pytest.mark.parametrize("wrong", [{"scale": 0}, {"sigma": -1}, {"min_size": 0}, {"scale": np.nan}])
def test_wrong_parameters_of_the_graph_are_named(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name}.* {wrong[name]}"):
        graph_segment(STEP, **wrong)
