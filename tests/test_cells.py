"""Cells: well labelled, and like real nuclei in what was measured on real pictures. test_scenes.py has the rest."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.measure import label, regionprops

from seglib.scenes import Cells


@pytest.fixture(scope="module")
def samples():
    return [Cells(60, size=128, seed=1)[i] for i in range(60)]


def test_what_is_drawn_stays_as_it_is():
    """Lessons store what they learned from these pictures, and others draw with the same nuclei."""
    drawn = list(Cells(8, size=96, seed=1))
    assert [int(sample["instances"].max()) for sample in drawn] == [20, 6, 4, 40, 5, 3, 14, 13]
    assert [int(sample["mask"].sum()) for sample in drawn] == [2743, 802, 1299, 2466, 574, 639, 927, 1360]
    brightness = [0.12132, 0.06597, 0.23552, 0.11028, 0.08052, 0.06627, 0.06846, 0.09882]
    assert np.allclose([sample["image"].mean() for sample in drawn], brightness, atol=2e-5)


def test_nuclei_are_numbered_without_gaps(samples):
    for sample in samples:
        assert torch.equal(sample["mask"], (sample["instances"] > 0).long())
        ids = np.unique(sample["instances"])
        assert ids.tolist() in (list(range(len(ids))), list(range(1, len(ids) + 1)))


def test_every_nucleus_is_mostly_one_piece(samples):
    for sample in samples:
        for region in regionprops(sample["instances"].numpy()):
            pieces = np.bincount(label(region.image, connectivity=2).ravel())[1:]
            assert pieces.max() >= 0.75 * pieces.sum()


def test_nuclei_are_brighter_than_their_surroundings(samples):
    brighter = []
    for sample in samples:
        image, instances = sample["image"][0].numpy(), sample["instances"].numpy()
        ring = ndimage.binary_dilation(instances > 0, iterations=6) & ~ndimage.binary_dilation(
            instances > 0, iterations=3
        )
        if ring.any() and (instances > 0).any():
            brighter.append(image[instances > 0].mean() > image[ring].mean())
    assert np.mean(brighter) > 0.95


def test_like_the_real_pictures(samples):
    """Ranges measured on 104 real 256x256 pictures of BBBC038; the generator is meant to be as varied, not equal."""
    regions = [regionprops(s["instances"].numpy()) for s in samples]
    radii = np.array([np.sqrt(r.area / np.pi) for picture in regions for r in picture])
    assert 5 < np.median(radii) < 9  # real: 6.3
    assert np.percentile(radii, 5) < 4.5  # real: 2.9
    assert 11 < np.percentile(radii, 95) < 18  # real: 12.1
    covered = np.array([(s["mask"] > 0).float().mean() for s in samples])
    assert np.percentile(covered, 20) < 0.08  # real quartiles: 0.025 to 0.10
    assert np.percentile(covered, 80) > 0.12
    touching = sum(touching_nuclei(s["instances"].numpy()) for s in samples) / len(radii)
    assert 0.15 < touching < 0.6  # real: 0.25


def touching_nuclei(instances):
    highest = ndimage.maximum_filter(instances, 3)
    lowest = -ndimage.maximum_filter(np.where(instances == 0, -(10**6), -instances), 3)
    meets = (instances > 0) & ((highest != instances) | ((lowest != instances) & (lowest < 10**6)))
    return len(np.unique(instances[meets]))
