"""Edges: figures by hand, scikit-image as the second implementation, contours that leak or hold, coins counted."""

import platform

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage import data, feature
from skimage.filters import apply_hysteresis_threshold
from skimage.measure import label

from seglib.classical import canny, canny_regions, close_contours, gradients, hysteresis, thin, watershed_segment
from seglib.metrics import instance_f1
from seglib.scenes import photo

# Where neighbours are equal up to the last bit, compilers for other processors fuse multiplication and addition.
exact_ties = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="ties are cut in the last bit")
PICTURES = {
    "coins": data.coins() / 255,
    "camera": data.camera()[::2, ::2] / 255,
    "noise": np.random.default_rng(0).random((61, 80)),
}
SHAPES = {
    "ramp": np.linspace(0, 0.9, 40) * np.ones((30, 1)),
    "slanting ramp": np.add.outer(np.linspace(0, 0.4, 30), np.linspace(0, 0.6, 40)),
    "squares": np.kron([[0, 1, 0], [1, 1, 0]], np.ones((9, 9))),
    "black": np.zeros((20, 20)),
    "white": np.ones((20, 20)),
}
SETTINGS = [(1.0, 0.1, 0.2), (2.5, 0.03, 0.06), (0, 0.4, 1.2), (1.0, 0, 0)]


def ring(gap=0, side=40):
    """The outline of a square, with `gap` pixels missing from its upper side."""
    edges = np.pad(np.ones((side, side), bool), 10)
    edges[11:-11, 11:-11] = False
    edges[10, 25 : 25 + gap] = False
    return edges


def areas(contours):
    return label(~contours, connectivity=1).max()


def test_gradients_by_hand():
    step = np.tile([0.0, 0, 1, 1], (4, 1))
    d_rows, d_columns = gradients(step)
    assert np.array_equal(d_rows, np.zeros((4, 4)))
    assert np.array_equal(d_columns, np.tile([0.0, 4, 4, 0], (4, 1)))  # (1 + 2 + 1) times the step
    d_rows, d_columns = gradients(np.add.outer(np.arange(5) * 0.01, np.arange(6) * 0.02))
    assert np.allclose(d_rows[1:-1, 1:-1], 0.08)
    assert np.allclose(d_columns[1:-1, 1:-1], 0.16)


def test_thin_by_hand():
    magnitude = np.zeros((5, 5))
    magnitude[:, 1:4] = 1, 3, 2
    kept = thin(magnitude, np.zeros((5, 5)), magnitude)
    assert np.array_equal(kept[:, 2], [0, 3, 3, 3, 0])  # the frame is never kept
    assert kept.sum() == 9
    # The gradient points 1 right, 0.5 down: the step ends half-way between the right and the lower right neighbour.
    field = np.array([[0.0, 0, 0], [0, 5, 4], [0, 0, 7]])
    slanting = np.full((3, 3), 0.5), np.full((3, 3), 1.0)
    assert thin(field, *slanting)[1, 1] == 0  # (4 + 7) / 2 > 5
    field[2, 2] = 6
    assert thin(field, *slanting)[1, 1] == 5  # (4 + 6) / 2 = 5: a tie is kept
    # The mirror image needs the other diagonal.
    assert thin(field[:, ::-1], slanting[0], -slanting[1])[1, 1] == 5
    field[2, 2] = 7
    assert thin(field[:, ::-1], slanting[0], -slanting[1])[1, 1] == 0
    assert thin(field.T, slanting[1], slanting[0])[1, 1] == 0


@settings(max_examples=40, deadline=None)
@given(arrays(np.int64, (7, 9), elements=st.integers(0, 4)))
def test_hysteresis_equals_a_slow_spread(strength):
    kept = strength >= 3
    while True:
        wider = ndimage.binary_dilation(kept, np.ones((3, 3))) & (strength >= 2)
        if np.array_equal(wider, kept):
            break
        kept = wider
    assert np.array_equal(hysteresis(strength, 2, 3), kept)
    assert not (apply_hysteresis_threshold(strength, 1, 2) & ~kept).any()  # scikit-image's joins no corners


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize(("sigma", "low", "high"), SETTINGS[:3])
def test_canny_equals_scikit_image_up_to_the_last_pixel(name, sigma, low, high):
    edges = canny(PICTURES[name], sigma, low, high)
    assert edges.any()
    assert np.array_equal(edges, feature.canny(PICTURES[name], sigma, low, high))


def test_colour_counts_by_its_luminance():
    cat = data.chelsea()
    assert np.array_equal(canny(cat), feature.canny(cat / 255 @ (0.2125, 0.7154, 0.0721)))


@exact_ties
@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(("sigma", "low", "high"), SETTINGS)
def test_canny_equals_scikit_image_on_ties(name, sigma, low, high):
    assert np.array_equal(canny(SHAPES[name], sigma, low, high), feature.canny(SHAPES[name], sigma, low, high))


@exact_ties
@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))), st.sampled_from(SETTINGS))
def test_canny_equals_scikit_image_on_anything(image, setting):
    sigma, low, high = setting
    assert np.array_equal(canny(image, sigma, low, high), feature.canny(image / 255, sigma, low, high))


@pytest.mark.parametrize("gap", range(7))
def test_gaps_are_bridged_up_to_their_length(gap):
    even = gap + gap % 2
    for missing in range(9):
        closed = close_contours(ring(missing), gap)
        assert areas(closed) == (2 if missing <= even else 1)
        assert closed[ring(missing)].all()
        if missing <= even:
            assert np.array_equal(closed, ring())  # the line runs straight across the gap


def test_a_leak_and_its_repair_in_a_picture():
    image = np.zeros((60, 60))
    image[15:45, 15:45] = 1
    image[28:32, 45:59] = np.linspace(1, 0, 14)  # a road out of the square that fades away
    assert (canny_regions(image, gap=0) == 0).all()
    closed = canny_regions(image, gap=2)
    assert closed.max() == 1
    assert closed[30, 30] == 1
    assert closed[5, 5] == 0


def test_canny_regions_of_squares():
    image = np.full((60, 90), 0.2)
    image[10:30, 10:40] = image[40:55, 60:80] = 0.8
    image[20:30, 70:] = 0.5  # cut by the frame
    regions = canny_regions(image)
    assert regions.dtype == np.int64
    assert regions.max() == 3
    for place in ((20, 25), (47, 70), (25, 85)):
        assert regions[place] > 0
    assert regions[5, 5] == regions[35, 50] == 0
    assert abs((regions == regions[20, 25]).sum() - 600) <= 2 * (20 + 30)  # within a pixel all round
    image[2:6, 50:60] = 0.8  # 40 px are too few
    assert canny_regions(image).max() == 3


def test_watershed_finds_the_coins():
    coins = photo("coins")
    score = instance_f1(watershed_segment(coins["image"]), coins["instances"])
    assert coins["instances"].max() == 24
    assert score.true_positives >= 23
    assert score.false_positives <= 1


def test_watershed_needs_no_even_light_and_finds_dark_objects_too():
    rows, columns = np.indices((80, 120))
    dots = sum(((rows - y) ** 2 + (columns - x) ** 2 <= 81) for y in (20, 60) for x in (20, 60, 100))
    for sign in (1, -1):
        image = 0.5 + sign * 0.15 * dots + (columns - 60) / 200
        found = watershed_segment(np.clip(image, 0, 1))
        score = instance_f1(found, label(dots))
        assert (score.true_positives, score.false_positives) == (6, 0)


def test_watershed_from_given_markers_stops_at_the_edge():
    image = np.zeros((20, 30))
    image[:, 12:] = 1
    markers = np.zeros((20, 30), np.uint8)
    markers[10, 2], markers[10, 27] = 7, 3
    regions = watershed_segment(image, markers, sigma=0)
    assert regions.dtype == np.int64
    assert np.array_equal(np.unique(regions), [3, 7])
    assert (regions[:, :11] == 7).all()
    assert (regions[:, 13:] == 3).all()


@pytest.mark.parametrize("image", [np.zeros((1, 1)), np.ones((2, 7)), np.full((9, 4, 3), 0.3), np.ones((1, 5), bool)])
def test_constant_and_tiny_pictures_have_no_edges_and_no_objects(image):
    shape = image.shape[:2]
    assert not canny(image, low=0, high=0).any()
    for segment in (canny_regions, watershed_segment):
        labels = segment(image)
        assert labels.dtype == np.int64
        assert np.array_equal(labels, np.zeros(shape))
    assert np.array_equal(close_contours(np.zeros(shape, bool), 3), np.zeros(shape))
    assert close_contours(np.ones(shape, bool), 3).all()
    assert (watershed_segment(image, np.ones(shape, int)) == 1).all()


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6))), st.integers(0, 4))
def test_label_maps_are_numbered_without_gaps(image, gap):
    image = image.repeat(8, axis=0).repeat(8, axis=1)  # areas large enough to count
    for labels in (canny_regions(image, gap=gap), watershed_segment(image)):
        assert labels.shape == image.shape
        assert np.array_equal(np.unique(np.append(labels, 0)), np.arange(labels.max() + 1))


def test_wrong_settings_are_refused():
    image = np.zeros((5, 6))
    with pytest.raises(ValueError, match="swapped"):
        canny(image, low=0.3, high=0.2)
    with pytest.raises(ValueError, match="low is nan"):
        hysteresis(image, np.nan, 1)
    with pytest.raises(ValueError, match="strength has shape"):
        hysteresis(np.zeros(4), 0.1, 0.2)
    for segment in (canny, watershed_segment):
        with pytest.raises(ValueError, match="sigma is -1"):
            segment(image, sigma=-1)
    with pytest.raises(ValueError, match="gap is -1"):
        close_contours(image > 0, -1)
    with pytest.raises(ValueError, match="edges is float64"):
        close_contours(image, 2)
    with pytest.raises(ValueError, match="three times the same"):
        thin(image, image, image.T)


@pytest.mark.parametrize(
    ("markers", "message"),
    [
        (np.ones((5, 5), int), r"one map \(5, 6\) is wanted"),
        (np.ones((5, 6)), "float64"),
        (np.ones((5, 6), bool), "measure.label"),
        (np.zeros((5, 6), int), "must be some"),
        (np.full((5, 6), -1), "must be some"),
    ],
)
def test_wrong_markers_are_refused(markers, message):
    with pytest.raises(ValueError, match=message):
        watershed_segment(np.zeros((5, 6)), markers)
