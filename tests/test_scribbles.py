"""Segmentation from strokes: features at their places, answers that are scikit-learn's, and what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.linear_model import LogisticRegression

from seglib.models.efficientnet_lite import EfficientNetLite0, as_batch
from seglib.scenes import photo
from seglib.scribbles import pixel_features, segment_from_strokes


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(64, 48, 3), (33, 70, 3), (17, 1), (1, 1, 3), (40, 31)])
def test_each_pixel_has_192_numbers(shape):
    image = np.random.default_rng(0).uniform(size=shape)
    features = pixel_features(image)
    assert features.shape == (*shape[:2], 192)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


@pytest.mark.slow
def test_features_are_the_backbones_maps_at_their_places():
    """Each map in turn, enlarged by SciPy, whose ``grid_mode`` lays the outer edges of both grids upon each other."""
    image = photo("chelsea")["image"][:96, :128]
    features = pixel_features(image)
    net = EfficientNetLite0(weights="imagenet").eval().backbone
    with torch.no_grad():
        maps = net.with_stem(as_batch(image))[:4]
    start = 0
    for stride, each in zip((2, 4, 8, 16), maps, strict=True):
        for channel in (0, each.shape[1] - 1):
            wanted = ndimage.zoom(each[0, channel].numpy(), stride, order=1, mode="nearest", grid_mode=True)
            np.testing.assert_allclose(features[..., start + channel], wanted, rtol=1e-3, atol=1e-3)
        start += each.shape[1]
    assert start == 192


@pytest.mark.slow
def test_a_picture_that_is_cut_keeps_its_features_inside():
    """Padding to sides that divide by 16 moves nothing: what lies far from the cut stays."""
    image = photo("coffee")["image"]
    whole, cut = pixel_features(image[:160, :160]), pixel_features(image[:151, :147])
    assert np.abs(whole[:64, :64] - cut[:64, :64]).mean() < 0.05 * np.abs(whole).mean()


@pytest.mark.slow
def test_two_strokes_find_the_flower():
    sample = photo("flower")
    strokes = np.zeros(sample["mask"].shape, np.uint8)
    inside = np.argwhere(sample["mask"] == 1)
    row, column = inside.mean(0).astype(int)
    strokes[row - 2 : row + 3, column - 30 : column + 30] = 2
    strokes[10:15, 20:200] = 1
    strokes[-15:-10, 20:200] = 1
    found = segment_from_strokes(pixel_features(sample["image"]), strokes)
    mask = sample["mask"] == 1
    assert (mask & (found == 2)).sum() / (mask | (found == 2)).sum() > 0.7


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 12), st.integers(2, 12), st.integers(1, 5), st.integers(2, 4), st.integers(0, 99))
def test_answers_are_scikit_learns(height, width, channels, classes, seed):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(height, width, channels)) * 10 + 3
    strokes = rng.integers(0, classes + 1, (height, width))
    strokes[0, :2] = 1, classes
    names = np.unique(strokes[strokes > 0])
    drawn = features[strokes > 0]
    mean, deviation = drawn.mean(0), drawn.std(0)
    model = LogisticRegression(max_iter=1000).fit((drawn - mean) / deviation, strokes[strokes > 0])
    found = segment_from_strokes(features, strokes)
    assert found.shape == strokes.shape
    assert found.dtype == np.int64
    assert set(np.unique(found)) <= set(names)
    wanted = model.predict(((features - mean) / deviation).reshape(-1, channels)).reshape(found.shape)
    assert (found == wanted).mean() > 0.99


def test_numbers_may_be_left_out_and_flat_features_do_no_harm():
    features = np.zeros((4, 6, 2), np.float32)
    features[:, 3:, 0] = 1
    strokes = np.zeros((4, 6), np.int16)
    strokes[0, 0], strokes[0, 5] = 3, 7
    before = strokes.copy()
    assert segment_from_strokes(features, strokes).tolist() == [[3, 3, 3, 7, 7, 7]] * 4
    assert np.array_equal(strokes, before)


FEATURES, STROKES = np.random.default_rng(0).normal(size=(5, 6, 3)), np.zeros((5, 6), int)
STROKES[0, 0], STROKES[1, 1] = 1, 2


@pytest.mark.parametrize(
    ("features", "strokes", "message"),
    [
        (FEATURES, np.zeros((5, 6), int), r"classes \[\]; at least two"),
        (FEATURES, (STROKES == 1).astype(int), r"classes \[1\]; at least two"),
        (FEATURES, np.where(STROKES == 2, -1, STROKES), "numbers from 1"),
        (FEATURES, STROKES.T, r"int64 \(6, 5\); an integer map of the picture's \(5, 6\)"),
        (FEATURES, STROKES[None], r"\(1, 5, 6\)"),
        (FEATURES, STROKES.astype(float), "float64"),
        (FEATURES, STROKES == 1, "bool"),
        (FEATURES[..., 0], STROKES, r"float \(H, W, C\)"),
        (FEATURES.astype(int), STROKES, "features are int64"),
    ],
)
def test_what_is_no_stroke_map_is_refused(features, strokes, message):
    with pytest.raises(ValueError, match=message):
        segment_from_strokes(features, strokes)


def test_what_is_no_picture_is_refused():
    for bad in (np.zeros((9, 9, 4)), np.full((9, 9), 255.0), np.zeros((0, 3)), np.full((9, 9), np.nan)):
        with pytest.raises(ValueError, match="image"):
            pixel_features(bad)
