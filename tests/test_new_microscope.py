"""NewMicroscope: labelled like Cells, and of another look. test_scenes.py has the rest."""

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


@pytest.mark.slow
def test_outlines_are_brighter_than_insides():
    assert rim_over_inside(NewMicroscope(12, seed=1)) > 1.1
    assert rim_over_inside(Cells(60, seed=1)) < 0.95


def test_eight_bits_and_at_least_three_nuclei():
    for sample in NewMicroscope(6, size=(64, 80), seed=2):
        assert torch.equal((sample["image"] * 255).round() / 255, sample["image"])
        assert torch.equal(sample["mask"], (sample["instances"] > 0).long())
        ids = sample["instances"].unique().tolist()
        assert ids == list(range(len(ids)))
        assert len(ids) >= 4
