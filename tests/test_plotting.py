"""Figures: a palette that colour-blind readers can tell apart, honest pictures of masks, descriptions that stay."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.color import deltaE_ciede2000, rgb2lab

from seglib import plotting
from seglib.plotting import PALETTE, colours, figures

# Machado, Oliveira, Fernandes 2009, severity 1, for linear RGB; rows sum to 1, so that greys stay grey.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(rgb):
    rgb = np.asarray(rgb, float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def seen(rgb, sight):
    """The colours (n, 3) as Lab, the way a reader with this sight sees them."""
    light = np.clip(linear(rgb) @ np.transpose(SIGHT[sight]), 0, 1)
    return rgb2lab(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


def smallest_distance(rgb, sights=tuple(SIGHT)):
    """CIEDE2000 of the closest pair, over all kinds of sight."""
    pairs = np.triu_indices(len(rgb), 1)
    return min(deltaE_ciede2000(lab[pairs[0]], lab[pairs[1]]).min() for lab in (seen(rgb, s) for s in sights))


def contrast_with_white(rgb):
    return 1.05 / (linear(rgb) @ [0.2126, 0.7152, 0.0722] + 0.05)


def test_palette_is_safe_for_colour_blind_readers():
    assert len(PALETTE) == 12
    assert smallest_distance(PALETTE) > 14.5
    assert smallest_distance(PALETTE[:8]) > 16.5
    assert smallest_distance(colours._OBJECTS) > 14.5
    for colour in colours._OBJECTS:
        assert smallest_distance([colour, PALETTE[0]]) > 22  # on the near-black of no object
    assert smallest_distance(colours._GREYS) > 14.5  # the hatch of void


def test_another_model_of_sight_agrees(monkeypatch):
    """Viénot, Brettel, Mollon 1999: the palette was not fitted to one simulation."""
    red_blind = [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]
    green_blind = [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]
    for matrix in (red_blind, green_blind):
        monkeypatch.setitem(SIGHT, "Viénot", matrix)
        assert smallest_distance(PALETTE, ["Viénot"]) > 14.5


def test_lines_can_be_read_on_white_and_the_heat_map_is_even():
    assert contrast_with_white(figures._LINES).min() > 3
    scale = plotting.heat(np.linspace(0, 1, 64)[None])[0]
    for sight in SIGHT:
        steps = np.diff(seen(scale, sight)[:, 0])
        assert steps.min() > 0  # brighter is more, to every reader
    assert steps.std() < 0.35 * steps.mean()


def test_class_colours_go_on_past_the_palette():
    np.testing.assert_array_equal(plotting.class_color(3), PALETTE[3])
    np.testing.assert_allclose(plotting.class_color(15), 0.6 * PALETTE[3])
    with pytest.raises(ValueError, match="start at 0, got -1"):
        plotting.class_color(-1)
    with pytest.raises(ValueError, match="read-only"):
        PALETTE[0] = 1


PICTURE = np.random.default_rng(0).random((5, 7, 3))


def test_to_rgb_takes_tensors_and_arrays():
    tensor = torch.tensor(PICTURE).permute(2, 0, 1)
    eight_bits = np.round(PICTURE * 255).astype(np.uint8)
    for image in (PICTURE, tensor.numpy(), eight_bits, tensor.requires_grad_(), tensor.bfloat16()):
        np.testing.assert_allclose(plotting.to_rgb(image), PICTURE, atol=0.005)
    wide = torch.rand(3, 4, 3)  # of a tensor, the channels always come first
    np.testing.assert_allclose(plotting.to_rgb(wide), wide.permute(1, 2, 0))


def test_to_rgb_of_grey_has_three_equal_channels():
    grey = PICTURE[..., 0]
    for image in (grey, grey[:3], grey[:1], PICTURE[..., :1], PICTURE[None, ..., 0], grey > 0.5):
        want = np.repeat(image.reshape(-1, 7, 1), 3, axis=-1)
        np.testing.assert_array_equal(plotting.to_rgb(image), want)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (PICTURE * 255, "from .* to 25.*0..255"),
        (PICTURE - 0.5, "normalisation to undo"),
        (torch.zeros(2, 3, 4, 4), r"shape \(2, 3, 4, 4\).*off the batch"),
    ],
)
def test_to_rgb_refuses_what_it_would_have_to_guess(image, message):
    with pytest.raises(ValueError, match=message):
        plotting.to_rgb(image)


def test_colorize_gives_class_colours_and_hatches_void():
    mask = np.array([[0, 1, 1], [11, 255, 255], [2, 255, 255]])
    for given_mask in (mask, torch.tensor(mask), mask.astype(np.uint8)):
        picture = plotting.colorize(given_mask)
        for i in (0, 1, 2, 11):
            assert (picture[mask == i] == plotting.class_color(i)).all()
        greys = np.unique(picture[mask == 255], axis=0)
        assert len(greys) == 2
        assert (np.ptp(greys, axis=1) == 0).all()
    assert (plotting.colorize(mask == 1)[0] == PALETTE[[0, 1, 1]]).all()


def test_a_line_parts_classes_and_spares_thin_things():
    mask = np.zeros((40, 40), int)
    mask[:, 20] = 9  # a pole, one pixel wide
    mask[30:] = 255
    picture = plotting.colorize(mask)
    sky, pole = PALETTE[[0, 9]]
    np.testing.assert_array_equal(picture[10, 18:23], [sky, sky / 2, pole, sky / 2, sky])
    np.testing.assert_array_equal(picture[29, :19], np.repeat(PALETTE[:1], 19, axis=0))  # void draws no line


@pytest.mark.parametrize("function", [plotting.colorize, plotting.colorize_instances])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((4, 4)), "type float64.*argmax"),
        (np.zeros((1, 4, 4), int), r"shape \(1, 4, 4\); one map \(H, W\)"),
        (np.full((4, 4), -1), "label -1.*void as -1"),
    ],
)
def test_labels_are_checked(function, labels, message):
    with pytest.raises(ValueError, match=message):
        function(labels)
    with pytest.raises(ValueError, match=r"label 300.*instance map"):
        plotting.colorize(np.full((4, 4), 300))


@settings(max_examples=40, deadline=None)
@given(arrays(np.int64, st.tuples(st.integers(2, 9), st.integers(2, 9)), elements=st.integers(0, 40)))
def test_touching_objects_differ(instances):
    picture = plotting.colorize_instances(instances)
    h, w = instances.shape
    for dy, dx in [(0, 1), (1, 0), (1, 1), (1, -1)]:
        here = np.s_[: h - dy, max(0, -dx) : w - max(0, dx)]
        there = np.s_[dy:, max(0, dx) : w + min(0, dx)]
        differ = instances[here] != instances[there]
        same_colour = np.isclose(picture[here], picture[there], atol=1e-3).all(-1)
        assert not (differ & same_colour).any()


def test_objects_that_nearly_touch_differ_clearly_and_always_alike():
    tiles = np.kron(np.arange(1, 26).reshape(5, 5) * 1000, np.pad(np.ones((8, 8), int), 2))
    picture = plotting.colorize_instances(tiles)
    centres = picture[6::12, 6::12]
    for a, b in [(centres[1:], centres[:-1]), (centres[:, 1:], centres[:, :-1])]:
        lab = rgb2lab(a), rgb2lab(b)
        assert deltaE_ciede2000(*lab).min() > 14.5
    np.testing.assert_array_equal(picture, plotting.colorize_instances(torch.tensor(tiles)))
    assert contrast_with_white(picture[0, 0]) > 14  # near-black
    assert (plotting.colorize_instances(np.zeros((3, 3), int)) == PALETTE[0]).all()


def test_objects_a_few_pixels_apart_differ():
    instances = np.zeros((320, 200), int)
    for row in range(8):
        instances[40 * row + 10 : 40 * row + 20, 80:90] = row + 1
        instances[40 * row + 10 : 40 * row + 20, 96:106] = row + 9
    picture = plotting.colorize_instances(instances)
    assert not (picture[15::40, 85] == picture[15::40, 100]).all(-1).any()
    assert len(np.unique(picture[15::40, 85], axis=0)) == 8  # and all colours are used


def test_overlay_tints_outlines_and_keeps_the_photo():
    image, mask = np.full((40, 40, 3), 0.5), np.zeros((40, 40), int)
    mask[10:30, 10:30] = 2
    mask[10:30, 20:30] = 255
    before = image.copy()
    picture = plotting.overlay(image, mask, alpha=0.3)
    np.testing.assert_allclose(picture[:5], 0.5)  # background 0: the photo itself
    np.testing.assert_allclose(picture[15, 15], 0.7 * 0.5 + 0.3 * PALETTE[2])
    np.testing.assert_allclose(picture[15, 10], PALETTE[2])  # outline: colour inside,
    np.testing.assert_allclose(picture[15, 9], 0.2)  # dark outside
    np.testing.assert_allclose(picture[15, 19], PALETTE[2])  # beside void too
    assert len(np.unique(picture[12:28, 22:28, 0])) == 2  # void: hatched
    np.testing.assert_allclose(plotting.overlay(image, mask, alpha=0)[15, 15], 0.5)
    np.testing.assert_array_equal(image, before)
    with pytest.raises(ValueError, match=r"mask has shape \(40, 40\) but the image has \(40, 39\).*resized"):
        plotting.overlay(image[:, 1:], mask)


def test_overlay_instances_parts_touching_objects():
    instances = np.zeros((40, 40), int)
    instances[10:30, 10:20], instances[10:30, 20:30] = 7, 3
    picture = plotting.overlay_instances(torch.full((1, 40, 40), 0.5), instances)
    flat = plotting.colorize_instances(instances)
    np.testing.assert_allclose(picture[2, 2], 0.5)
    np.testing.assert_allclose(picture[20, [13, 26]], 0.25 + flat[20, [13, 26]] / 2)
    np.testing.assert_allclose(picture[20, 19], flat[20, 19])  # the higher id draws its outline,
    assert (picture[20, 20] < 0.45 * (0.25 + flat[20, 20] / 2)).all()  # beside a dark one


def test_heat_spans_its_scale_and_hatches_nan():
    values = np.array([[0.0, 1.0, 2.0, np.nan]])
    ends = colours.HEAT_MAP([0.0, 0.5, 1.0])[:, :3]
    np.testing.assert_allclose(plotting.heat(torch.tensor(values))[0, :3], ends, atol=0.01)
    np.testing.assert_allclose(plotting.heat(values, low=1, high=1.5)[0, :3], ends[[0, 0, 2]])
    np.testing.assert_array_equal(plotting.heat(values)[0, 3], colours._GREYS[1])
    assert np.isfinite(plotting.heat(np.full((2, 2), np.nan))).all()
    np.testing.assert_allclose(plotting.heat(np.ones((1, 1)))[0, 0], ends[0])
    with pytest.raises(ValueError, match=r"wanted \(H, W\)"):
        plotting.heat(np.zeros(3))
