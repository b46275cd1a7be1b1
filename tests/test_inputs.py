"""Every classical method takes the same pictures and refuses the same ones."""

import numpy as np
import pytest
from skimage.color import rgb2gray

from seglib import classical
from seglib.inputs import as_picture

PICTURE = np.random.default_rng(0).random((12, 16, 3))


def two_markers(image):
    """The first pixel is of region 1, the last of region 2."""
    markers = np.zeros(np.shape(image)[:2], int)
    markers.flat[:1], markers.flat[-1:] = 1, 2
    return markers


PARTED = {"slic_superpixels", "random_walker_segment"}  # several regions by design, even on even ground
METHODS = {
    "canny": lambda image: classical.canny(image),
    "canny_regions": lambda image: classical.canny_regions(image),
    "gradients": lambda image: np.stack(classical.gradients(image)),
    "watershed_segment": lambda image: classical.watershed_segment(image),
    "kmeans_segment": lambda image: classical.kmeans_segment(image, 1),
    "mean_shift_segment": lambda image: classical.mean_shift_segment(image),
    "slic_superpixels": lambda image: classical.slic_superpixels(image, 1),
    "merge_regions": lambda image: classical.merge_regions(image, np.ones(np.shape(image)[:2], int), 5),
    "grow_region": lambda image: classical.grow_region(image, (0, 0), 0.1),
    "grow_regions": lambda image: classical.grow_regions(image, [(0, 0)]),
    "random_walker_segment": lambda image: classical.random_walker_segment(image, two_markers(image)),
    "graph_segment": lambda image: classical.graph_segment(image),
}


def test_integers_are_scaled_by_their_range():
    assert as_picture(np.array([[0, 51, 255]], np.uint8)).tolist() == [[0, 0.2, 1]]
    assert as_picture(np.array([[0, 13107, 65535]], np.uint16)).tolist() == [[0, 0.2, 1]]
    assert as_picture(np.array([[True, False]])).tolist() == [[1, 0]]
    assert as_picture(np.float32([[0.25]])).dtype == np.float64


def test_grey_is_scikit_images_luminance():
    np.testing.assert_allclose(as_picture(PICTURE, grey=True), rgb2gray(PICTURE))
    np.testing.assert_array_equal(as_picture(PICTURE[..., 0], grey=True), PICTURE[..., 0])


def test_the_picture_that_came_in_is_not_changed():
    image = PICTURE.copy()
    as_picture(image)[:] = 0
    assert np.array_equal(image, PICTURE)


BAD = {
    "holds NaN": np.where(PICTURE > 0.99, np.nan, PICTURE),
    "divide by 255": PICTURE * 255,
    "a label map in the place": (PICTURE * 9).astype(np.int64),
    "drop the alpha channel": np.zeros((4, 4, 4)),
    "one picture off the batch": np.zeros((2, 3, 4, 4)),
    "move the channels last": np.zeros((3, 8, 8)),
    r"shape \(0, 4\)": np.zeros((0, 4)),
}


@pytest.mark.parametrize("complaint", BAD)
@pytest.mark.parametrize("name", METHODS)
def test_a_bad_picture_is_refused(name, complaint):
    with pytest.raises(ValueError, match=complaint):
        METHODS[name](BAD[complaint])


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_dtypes_of_the_same_picture_give_the_same(name):
    levels = np.random.default_rng(1).integers(0, 256, (12, 16, 3), np.uint8)
    wanted = METHODS[name](levels)
    for image in (levels.astype(np.uint16) * 257, levels / 255):
        np.testing.assert_array_equal(METHODS[name](image), wanted)


@pytest.mark.parametrize("name", sorted(METHODS.keys() - PARTED))
@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (1, 7), (9, 1), (8, 8), (8, 8, 3)])
def test_constant_and_tiny_pictures_make_one_region(name, shape):
    result = METHODS[name](np.full(shape, 0.5))
    assert result.shape[-2:] == shape[:2]
    assert len(np.unique(result)) == 1


@pytest.mark.parametrize("kind", [">u2", "<u2", "u1"])
def test_the_order_of_bytes_makes_no_difference(kind):
    """As TIFF files and FITS have it: big-endian."""
    image = np.arange(12).reshape(3, 4).astype(kind)
    assert np.array_equal(as_picture(image), np.arange(12).reshape(3, 4) / np.iinfo(image.dtype).max)
