"""Cells: reproducible, well labelled, and like real nuclei in what was measured on real pictures."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.measure import label, regionprops

from seglib.scenes import Cells


@pytest.fixture(scope="module")
def samples():
    return [Cells(60, size=128, seed=1)[i] for i in range(60)]


def test_form_of_a_sample(samples):
    for sample in samples:
        assert sample["image"].shape == (1, 128, 128)
        assert sample["image"].dtype == torch.float32
        assert sample["mask"].dtype == sample["instances"].dtype == torch.int64
        assert 0 <= sample["image"].min() <= sample["image"].max() <= 1
        assert torch.equal(sample["mask"], (sample["instances"] > 0).long())


def test_nuclei_are_numbered_without_gaps(samples):
    for sample in samples:
        ids = np.unique(sample["instances"])
        assert ids.tolist() in (list(range(len(ids))), list(range(1, len(ids) + 1)))


def test_every_nucleus_is_mostly_one_piece(samples):
    for sample in samples:
        for region in regionprops(sample["instances"].numpy()):
            pieces = np.bincount(label(region.image, connectivity=2).ravel())[1:]
            assert pieces.max() >= 0.75 * pieces.sum()


def test_sample_depends_on_seed_and_index_alone():
    first = Cells(10, seed=4)[7]
    assert all(torch.equal(first[key], Cells(500, seed=4)[7][key]) for key in first)
    assert torch.equal(Cells(10, seed=4)[-3]["image"], first["image"])
    assert not torch.equal(Cells(10, seed=5)[7]["image"], first["image"])
    assert not torch.equal(Cells(10, seed=4)[6]["image"], first["image"])


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


def test_transform_is_applied():
    assert Cells(2, transform=lambda sample: sample | {"seen": True})[0]["seen"]


def test_rectangles():
    assert Cells(1, size=(64, 100))[0]["image"].shape == (1, 64, 100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1,), "0 or more"),
        ((2.5,), "whole numbers"),
        ((3, 8), "at least 16 px"),
        ((3, (64, 64, 64)), r"\(height, width\)"),
        ((3, 64, -2), "0 or more"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Cells(*arguments)


def test_index_past_the_end():
    with pytest.raises(IndexError, match="sample 3 of a Cells with 3 pictures"):
        Cells(3)[3]
