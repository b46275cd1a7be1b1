"""Segments by k-means and mean shift on pictures: colour spaces, position, dtypes, speed by sampling, errors."""

import numpy as np
import pytest
from sklearn.cluster import MeanShift

from seglib.classical import kmeans_segment, mean_shift_segment
from seglib.classical.clustering import to_lab
from seglib.scenes import photo


def same_partition(a, b):
    pairs = len(np.unique(np.stack([np.ravel(a), np.ravel(b)]), axis=1).T)
    return pairs == len(np.unique(a)) == len(np.unique(b))


def blocks():
    """Four patches of colour, dark to bright."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:20, :30], image[:20, 30:], image[20:, :30], image[20:, 30:] = (0, 0, 90), (200, 0, 0), (0, 180, 0), 250
    return image


SEGMENT = {"kmeans": lambda image: kmeans_segment(image, 2), "mean shift": lambda image: mean_shift_segment(image, 10)}


@pytest.mark.parametrize("space", ["lab", "rgb", "hsv"])
def test_patches_are_found_from_dark_to_bright(space):
    labels = kmeans_segment(blocks(), 4, space)
    assert labels.dtype == np.int64
    assert [labels[10, 10], labels[10, 50], labels[30, 10], labels[30, 50]] == [0, 1, 2, 3]
    assert same_partition(labels, blocks() @ (1, 256, 65536))
    assert np.array_equal(mean_shift_segment(blocks(), 10), labels)


def test_hue_is_an_angle():
    image = np.zeros((1, 30, 3))
    image[0, :10], image[0, 10:20] = (1, 0, 0.02), (1, 0.02, 0)  # two reds, on either side of 0
    image[0, 20:] = (0, 1, 1)
    assert kmeans_segment(image, 2, "hsv")[0].tolist() == [0] * 20 + [1] * 10


def test_position_parts_what_colour_cannot():
    grey = np.full((20, 60), 0.5)
    labels = kmeans_segment(grey, 3, position=1.0)
    assert np.array_equal(labels, np.broadcast_to(labels[:1], labels.shape))
    assert all(19 <= width <= 21 for width in np.bincount(labels[0]))  # k-means stops up to a pixel off
    with pytest.raises(ValueError, match="only 1 distinct points"):
        kmeans_segment(grey, 3)


@pytest.mark.slow
def test_more_position_gives_more_compact_segments():
    image = photo("coffee")["image"][::2, ::2]
    spread = []
    for weight in (0, 0.3, 1, 3):
        labels = kmeans_segment(image, 6, position=weight)
        places = [np.argwhere(labels == i) for i in range(6)]
        spread.append(np.mean(np.concatenate([p - p.mean(0) for p in places]) ** 2))
    assert spread == sorted(spread, reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize("method", SEGMENT)
@pytest.mark.parametrize("name", ["chelsea", "coins"])
def test_every_dtype_gives_the_same(method, name):
    bytes_ = np.rint(photo(name)["image"][:80:2, :100:2] * 255).astype(np.uint8)
    want = SEGMENT[method](bytes_)
    assert want.shape == bytes_.shape[:2]
    assert np.array_equal(want, SEGMENT[method](bytes_.astype(np.uint16) * 257))
    assert np.array_equal(want, SEGMENT[method](bytes_ / 255))
    assert same_partition(np.arange(want.max() + 1), np.unique(want))


@pytest.mark.parametrize("method", SEGMENT)
def test_grey_equals_grey_stored_as_colour(method):
    grey = np.rint(photo("coins")["image"][:100, :100] * 255).astype(np.uint8)
    assert np.array_equal(SEGMENT[method](grey), SEGMENT[method](np.repeat(grey[..., None], 3, axis=2)))


def test_two_values_are_cut_in_every_space():
    image = np.zeros((5, 6), bool)
    image[1:3, 2:5] = True
    for space in ("lab", "rgb", "hsv", "grey"):
        assert np.array_equal(kmeans_segment(image, 2, space), image)


@pytest.mark.slow
def test_a_rare_colour_counts_in_a_large_picture():
    image = np.zeros((300, 300), np.uint8)
    image[:, 150:] = 100
    image[7, 7] = 255  # one pixel of 90,000: a sample misses it
    assert kmeans_segment(image, 3)[7, 7] == 2
    with pytest.raises(ValueError, match="k is 4, but there are only 3 distinct points"):
        kmeans_segment(image, 4)


@pytest.mark.slow
def test_wider_windows_leave_fewer_segments():
    image = photo("flower")["image"][::16, ::16]
    counts = [mean_shift_segment(image, width).max() + 1 for width in (10, 20, 200)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 5
    assert counts[-1] == 1


@pytest.mark.slow
def test_mean_shift_on_few_pixels_is_scikit_learns():
    image = photo("chelsea")["image"][100:120, 100:125]
    points = to_lab(image).reshape(-1, 3)
    theirs = MeanShift(bandwidth=15, bin_seeding=False).fit(points).labels_
    ours = mean_shift_segment(image, 15).ravel()
    crossed = np.array([np.bincount(theirs[ours == i]).max() for i in np.unique(ours)])
    assert crossed.sum() / len(ours) > 0.98  # starts from grid cells find the same peaks


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kmeans_segment(blocks(), 2, "cmyk"), "'cmyk'"),
        (lambda: kmeans_segment(blocks(), 2, position=-1), "position is -1"),
        (lambda: kmeans_segment(blocks(), 2, position=np.nan), "position is nan"),
        (lambda: kmeans_segment(blocks(), 5), "only 4 distinct points"),
        (lambda: mean_shift_segment(blocks(), 0), "colour_bandwidth is 0"),
        (lambda: kmeans_segment(blocks().reshape(-1, 3), 0), "k is 0"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
