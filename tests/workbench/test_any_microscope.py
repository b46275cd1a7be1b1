"""The pictures that the shipped network learns from: what of them is outlined, and how."""

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from benchmarks.any_microscope import AnyMicroscope, draw_nuclei, fragments, two_halves
from seglib.scenes.cells import nucleus


def test_a_scene_depends_on_seed_and_number_alone():
    scene = AnyMicroscope(1000, size=(64, 80), seed=3)
    sample = scene[2]
    assert torch.equal(sample["image"], AnyMicroscope(1000, size=(64, 80), seed=3)[2]["image"])
    assert not torch.equal(sample["image"], AnyMicroscope(1000, size=(64, 80), seed=4)[2]["image"])
    for index in range(12):
        sample = scene[index]
        ids = sample["instances"].unique()
        assert ids.tolist() == list(range(len(ids))) or ids.tolist() == list(range(1, len(ids) + 1))
        assert torch.equal(sample["mask"] > 0, sample["instances"] > 0)
        assert (sample["image"].shape, sample["image"].dtype) == ((1, 64, 80), torch.float32)
        assert 0 <= sample["image"].min() <= sample["image"].max() <= 1


def drawn(beyond, seed):
    return draw_nuclei(np.random.default_rng(seed), (96, 112), 8, None, beyond)


@pytest.mark.parametrize("seed", range(4))
def test_outlines_beyond_the_light_leave_light_and_number_alone(seed):
    (light, tight), (same, wide) = drawn(0, seed), drawn(1.5, seed)
    assert np.array_equal(light, same)
    assert tight.max() > 3
    assert wide.max() >= tight.max()  # from outside the border some reach in
    grown = (wide > 0) & (tight == 0)
    assert not ((wide == 0) & (tight > 0)).any()
    assert grown.sum() > 0.1 * (tight > 0).sum()
    assert distance_transform_edt(tight == 0)[grown & frame(grown)].max() < 4
    for each in range(1, tight.max() + 1):  # none merges with its neighbour
        assert len(np.unique(wide[tight == each])) == 1
    assert len({wide[tight == each][0] for each in range(1, tight.max() + 1)}) == tight.max()


def frame(like, margin=5):
    """True but at the border, where what reaches in may have its light outside."""
    inner = np.zeros(like.shape, bool)
    inner[margin:-margin, margin:-margin] = True
    return inner


@pytest.mark.parametrize("seed", range(4))
def test_the_edge_of_the_light_is_where_an_outline_beyond_by_nothing_lies(seed):
    light, instances = drawn(0, seed)
    outside = distance_transform_edt(instances == 0)
    assert (light[outside > 2] == 0).all()
    assert (light[distance_transform_edt(instances > 0) > 2] > 0).all()


def test_an_outline_inside_of_the_light_is_smaller():
    assert (drawn(-1, 0)[1] > 0).sum() < 0.95 * (drawn(0, 0)[1] > 0).sum()


@pytest.mark.parametrize("seed", range(5))
def test_halves_lie_side_by_side_and_fragments_around_the_middle(seed):
    rng = np.random.default_rng(seed)
    (one, radius, stretch, tilt, _), (other, *_) = two_halves(rng, (50.0, 60.0), 10)
    assert np.allclose(np.mean([one, other], axis=0), (50, 60))
    assert 5.5 <= radius <= 8
    away = np.subtract(other, one)
    assert np.hypot(*away) >= 1.9 * radius / stretch**0.5 - 1e-6  # twice the half width: they barely touch
    along = np.array([np.sin(tilt), np.cos(tilt)])  # of a bar, (y, x)
    assert abs(along @ away) < 0.6 * np.hypot(*away)
    parts = fragments(rng, (50.0, 60.0), 10)
    assert 3 <= len(parts) <= 5
    assert all(np.hypot(y - 50, x - 60) < 16 for (y, x), *_ in parts)


def test_a_nucleus_is_turned_and_bent_as_it_is_told():
    def shape(tilt, bend):
        window, depth = nucleus(np.random.default_rng(0), (30, 30), 8, (61, 61), 3.0, tilt, bend)
        whole = np.zeros((61, 61), bool)
        whole[window] = depth > 0
        return whole

    def sag(pixels):
        rows, columns = np.nonzero(pixels)
        tips = np.abs(columns - 30) > 8
        return rows[tips].mean() - rows[~tips].mean()

    flat, upright, bent = shape(0, 0), shape(np.pi / 2, 0), shape(0, 0.5)
    assert np.ptp(np.nonzero(flat)[1]) > 2 * np.ptp(np.nonzero(flat)[0])
    assert np.ptp(np.nonzero(upright)[0]) > 2 * np.ptp(np.nonzero(upright)[1])
    assert abs(sag(flat)) < 0.5
    assert sag(bent) < sag(flat) - 1  # by 0.5 * 8 / 3**0.5 = 2.3 px at the tips
