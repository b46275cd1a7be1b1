"""NewMicroscope: labelled like Cells, reproducible, and of another look."""

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from seglib.scenes import Cells, NewMicroscope


def rim_over_inside(data):
    """Median over nuclei of the brightness near the outline over that in the middle, the ground taken off both."""
    ratios = []
    for sample in data:
        image, instances = sample["image"][0].numpy(), sample["instances"].numpy()
        ground = np.median(image[instances == 0])
        for number in range(1, instances.max() + 1):
            depth = distance_transform_edt(instances == number)
            if depth.max() > 7:
                rim, inside = (depth > 1) & (depth < 3.5), depth > 5
                ratios.append((image[rim].mean() - ground) / (image[inside].mean() - ground))
    return np.median(ratios)


def test_outlines_are_brighter_than_insides():
    assert rim_over_inside(NewMicroscope(12, seed=1)) > 1.1
    assert rim_over_inside(Cells(60, seed=1)) < 0.95


def test_form_of_a_sample():
    for sample in NewMicroscope(6, size=(64, 80), seed=2):
        assert sample["image"].shape == (1, 64, 80)
        assert sample["image"].dtype == torch.float32
        assert torch.equal((sample["image"] * 255).round() / 255, sample["image"])
        assert 0 <= sample["image"].min() < sample["image"].max() <= 1
        assert torch.equal(sample["mask"], (sample["instances"] > 0).long())
        ids = sample["instances"].unique().tolist()
        assert ids == list(range(len(ids)))
        assert len(ids) >= 4


def test_sample_depends_on_seed_and_index_alone():
    first = NewMicroscope(10, seed=4)[7]
    assert all(torch.equal(first[key], NewMicroscope(500, seed=4)[7][key]) for key in first)
    assert torch.equal(NewMicroscope(10, seed=4)[-3]["image"], first["image"])
    assert not torch.equal(NewMicroscope(10, seed=5)[7]["image"], first["image"])


def test_bad_arguments():
    with pytest.raises(ValueError, match="whole numbers"):
        NewMicroscope(2.5)
    with pytest.raises(IndexError):
        NewMicroscope(2)[2]
