"""SLIC: what is promised beside scikit-image's; merging by hand, nested and without surprises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label
from skimage.segmentation import slic

from seglib.classical import merge_regions, slic_superpixels
from seglib.classical.clustering import to_lab
from seglib.scenes import photo


def assert_superpixels(labels, shape):
    assert labels.shape == shape
    assert labels.dtype == np.int64
    numbers = np.unique(labels)
    assert numbers.tolist() == list(range(1, len(numbers) + 1))
    assert label(labels, connectivity=1).max() == len(numbers)  # as many 4-connected pieces as superpixels


# --- SLIC ---


@pytest.mark.parametrize("name", ["astronaut", "coins"])
@pytest.mark.parametrize("n_segments", [60, 300])
def test_every_pixel_is_labelled_and_every_superpixel_is_connected(name, n_segments):
    image = photo(name)["image"][::2, ::2]
    labels = slic_superpixels(image, n_segments)
    assert_superpixels(labels, image.shape[:2])
    assert 0.7 * n_segments <= labels.max() <= 1.3 * n_segments


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(lambda s: arrays(np.uint8, s)),
    st.integers(1, 20),
    st.sampled_from([0.1, 10.0, 100.0]),
)
def test_noise_is_labelled_whole_and_connected(image, n_segments, compactness):
    labels = slic_superpixels(image, min(n_segments, image.size), compactness)
    assert_superpixels(labels, image.shape)


def test_compactness_is_counted_in_lab_whatever_the_contrast():
    grey = np.full((10, 20), 0.50)
    grey[:, 13:] = 0.58  # 8 units of Lab brighter; the border lies 3 px beside the middle
    assert np.array_equal(slic_superpixels(grey, 2, compactness=2) == 2, grey > 0.5)
    assert not np.array_equal(slic_superpixels(grey, 2, compactness=40) == 2, grey > 0.5)  # 3 px weigh 12 units
    stretched = slic(np.repeat(grey[..., None], 3, axis=2), 2, compactness=40, start_label=1)
    assert np.array_equal(stretched == 2, grey > 0.5)  # scikit-image alone makes 100 units of the 8


# --- merging ---


def strips(*greys, width=10):
    """A picture of upright strips and their numbers 1..n."""
    image = np.repeat(np.array(greys, float), width)[None].repeat(8, axis=0)
    return image, np.repeat(np.arange(1, len(greys) + 1), width)[None].repeat(8, axis=0)


def lightness(grey):
    return to_lab(np.array([[grey]]))[0, 0, 0]


def runs(labels):
    return labels[0, ::10].tolist()


def test_the_most_similar_pair_goes_first():
    image, labels = strips(0.10, 0.30, 0.45, 0.90)
    first, second, third = np.diff([lightness(g) for g in (0.10, 0.30, 0.45, 0.90)])
    assert second < first < third
    assert runs(merge_regions(image, labels, second - 0.1)) == [1, 2, 3, 4]
    assert runs(merge_regions(image, labels, second + 0.1)) == [1, 3, 3, 2]
    # Now strips 2 and 3 have one mean, farther from strip 1 than strip 2 was alone.
    mean = (lightness(0.30) + lightness(0.45)) / 2
    assert merge_regions(image, labels, first + 0.1).max() == 3
    assert merge_regions(image, labels, mean - lightness(0.10) + 0.1).max() == 2


def test_ties_are_broken_by_number(monkeypatch):
    # Lab as exact numbers: 16, 32, 48, so that the middle strip is as far from the left one as from the right one
    monkeypatch.setattr("seglib.classical.superpixels.to_lab", lambda grey: np.repeat(64 * grey[..., None], 3, axis=2))
    image, labels = strips(0.25, 0.5, 0.75)
    difference = 16 * np.sqrt(3)
    assert runs(merge_regions(image, labels, difference + 0.01)) == [2, 2, 1]
    assert runs(merge_regions(image, 4 - labels, difference + 0.01)) == [1, 2, 2]


def test_numbers_with_gaps_and_zero_are_regions():
    image, labels = strips(0.1, 0.1, 0.9)
    merged = merge_regions(image, np.array([0, 70, 5])[labels - 1], 1)
    assert merged.max() == 2
    assert merged[0, 0] == merged[0, 10] != merged[0, 20]
    assert merged.dtype == np.int64


def merge_slowly(image, labels, threshold):
    """The same by definition: look at every pair again after each merge."""
    lab, labels = to_lab(image), labels.copy()
    while True:
        pairs = set()
        for a, b in ((labels[:-1], labels[1:]), (labels[:, :-1], labels[:, 1:])):
            pairs |= {
                (min(p), max(p)) for p in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True) if p[0] != p[1]
            }
        means = {n: lab[labels == n].mean(0) for n in np.unique(labels).tolist()}
        best = min(((np.linalg.norm(means[a] - means[b]), a, b) for a, b in pairs), default=(np.inf, 0, 0))
        if best[0] > threshold:
            return labels
        labels[(labels == best[1]) | (labels == best[2])] = labels.max() + 1


@settings(max_examples=25, deadline=None)
@given(
    arrays(np.uint8, (6, 7, 3)),
    arrays(np.int64, (6, 7), elements=st.integers(1, 9)),
    st.integers(0, 80).map(lambda difference: difference + 0.5),  # at 0, the last bit of a mean would decide
)
def test_equal_to_the_definition(image, labels, threshold):
    slow = merge_slowly(image / 255, labels, threshold)
    fast = merge_regions(image, labels, threshold)
    assert len(np.unique(np.stack([slow.ravel(), fast.ravel()]), axis=1).T) == len(np.unique(slow)) == fast.max()


@settings(max_examples=25, deadline=None)
@given(arrays(np.uint8, (8, 9, 3)), st.floats(0, 60), st.floats(0, 60))
def test_a_larger_threshold_only_goes_on(image, one, other):
    labels = np.arange(72).reshape(8, 9)
    fine, coarse = (merge_regions(image, labels, t) for t in sorted((one, other)))
    assert len(np.unique(np.stack([fine.ravel(), coarse.ravel()]), axis=1).T) == fine.max()
    assert label(fine, connectivity=1).max() == fine.max()


# --- both ---


@pytest.mark.parametrize("name", ["coffee", "coins"])
def test_every_dtype_gives_the_same(name):
    bytes_ = np.rint(photo(name)["image"][:120, :150] * 255).astype(np.uint8)
    want = slic_superpixels(bytes_, 50)
    merged = merge_regions(bytes_, want, 10)
    assert 1 < merged.max() < want.max()
    for image in (bytes_.astype(np.uint16) * 257, bytes_ / 255):
        assert np.array_equal(slic_superpixels(image, 50), want)
        assert np.array_equal(merge_regions(image, want, 10), merged)
    if bytes_.ndim == 2:
        assert np.array_equal(slic_superpixels(np.repeat(bytes_[..., None], 3, axis=2), 50), want)


IMAGE, LABELS = strips(0.1, 0.9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: slic_superpixels(IMAGE, 0), "n_segments is 0; 1 to 160"),
        (lambda: slic_superpixels(IMAGE, 161), "n_segments is 161"),
        (lambda: slic_superpixels(IMAGE, 20.0), r"n_segments is 20.0"),
        (lambda: slic_superpixels(IMAGE, 20, 0), "compactness is 0"),
        (lambda: merge_regions(IMAGE, LABELS[:, :-1], 5), r"\(8, 19\); one map \(8, 20\)"),
        (lambda: merge_regions(IMAGE, LABELS.astype(float), 5), "labels has dtype float64"),
        (lambda: merge_regions(IMAGE, LABELS, -1), "threshold is -1"),
        (lambda: merge_regions(IMAGE, LABELS, np.nan), "threshold is nan"),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
