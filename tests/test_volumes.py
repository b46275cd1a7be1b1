"""The volumes and the stereo pair: shapes, units, orientation."""

import nibabel
import numpy as np
import pytest
from scipy import ndimage
from skimage.data import stereo_motorcycle

from seglib.carried import carried
from seglib.scenes import stereo_pair, volume


@pytest.fixture(scope="module")
def brain():
    return volume("brain")


def test_the_brain_is_what_the_docstring_says(brain):
    assert brain["image"].shape == brain["mask"].shape == (189, 233, 197)
    assert (brain["image"].dtype, brain["mask"].dtype) == (np.float32, np.uint8)
    assert (brain["image"].min(), brain["image"].max()) == (0, 1)
    assert brain["spacing_mm"] == (1, 1, 1)
    assert brain["classes"] == ["background", "fluid", "grey matter", "white matter"]
    assert np.array_equal(brain["image"] > 0, brain["mask"] > 0)
    assert np.bincount(brain["mask"].ravel()).tolist() == [6788750, 160496, 1090506, 635537]
    assert ndimage.label(brain["mask"] > 0)[1] == 1
    dark_to_bright = ndimage.mean(brain["image"], brain["mask"], range(4))
    assert (np.diff(dark_to_bright) > 0.15).all(), "T1: fluid is dark, white matter bright"


def test_each_class_is_the_likeliest_in_single_voxels(brain):
    maps = [nibabel.load(carried(f"brain_{part}.nii.gz")) for part in ("grey", "white")]
    grey, white = (each.get_fdata().transpose(2, 1, 0)[::-1, ::-1] for each in maps)
    places = np.argwhere(brain["mask"] > 0)[::4001]
    for d, h, w in places:
        shares = [255 - int(grey[d, h, w]) - int(white[d, h, w]), int(grey[d, h, w]), int(white[d, h, w])]
        assert shares[brain["mask"][d, h, w] - 1] == max(shares)
    assert len(places) > 400


def test_the_brain_stands_upright(brain):
    for part in ("t1", "grey", "white"):
        affine = nibabel.load(carried(f"brain_{part}.nii.gz")).affine
        assert affine.tolist() == [[1, 0, 0, -98], [0, 1, 0, -134], [0, 0, 1, -72], [0, 0, 0, 1]]
    inside = brain["mask"] > 0
    assert 0.99 < (inside & inside[:, :, ::-1]).sum() / inside.sum() <= 1, "left and right mirror each other"
    below = inside[140:].sum((0, 2))  # at the height of the cerebellum, which is in the back
    assert below[117:].sum() > 2 * below[:117].sum()
    widths = inside.any(1).sum(1)  # of each slice from the crown down: the brain stem ends narrow
    filled = np.flatnonzero(widths)
    assert widths[filled[-5:]].max() < 35 < 60 < widths[filled[20]]


def test_the_nuclei_are_51_in_one_piece_each():
    sample = volume("nuclei")
    assert sample["image"].shape == sample["mask"].shape == sample["instances"].shape == (31, 61, 57)
    assert (sample["image"].dtype, sample["instances"].dtype, sample["mask"].dtype) == (np.float32, np.uint8, np.uint8)
    assert (sample["image"].min(), sample["image"].max()) == (0, 1)
    assert np.array_equal(sample["mask"] == 1, sample["instances"] > 0)
    assert (sample["instances"] > 0).mean() == pytest.approx(0.384722, abs=1e-6)
    assert [ndimage.label(sample["instances"] == number)[1] for number in range(1, 52)] == [1] * 51
    assert sample["instances"].max() == 51
    assert sample["image"][sample["mask"] == 1].mean() > 1.5 * sample["image"][sample["mask"] == 0].mean()
    whole = [
        [part.stop - part.start for part in box]
        for box in ndimage.find_objects(sample["instances"])
        if all(part.start > 0 and part.stop < side for part, side in zip(box, (31, 61, 57), strict=True))
    ]
    assert (len(whole), np.median(whole, axis=0).tolist()) == (7, [8, 17, 16])


def test_an_unknown_volume_lists_the_others():
    with pytest.raises(ValueError, match="no volume 'heart'; there are: brain, nuclei"):
        volume("heart")


def test_the_stereo_pairs_pixels_meet():
    pair = stereo_pair()
    left, right, disparity = pair["left"], pair["right"], pair["disparity"]
    assert left.shape == right.shape == (500, 741, 3)
    assert disparity.shape == (500, 741)
    assert (left.dtype, right.dtype, disparity.dtype) == (np.float64, np.float64, np.float32)
    assert 0 <= min(left.min(), right.min()) < 0.1 < 0.9 < max(left.max(), right.max()) <= 1
    assert np.array_equal(np.isnan(disparity), ~np.isfinite(stereo_motorcycle()[2]))
    assert np.isnan(disparity).mean() == pytest.approx(0.0735, abs=1e-4)
    assert (np.nanmin(disparity), np.nanmax(disparity)) == pytest.approx((7.1914, 59.909), abs=1e-3)
    rows, columns = np.nonzero(np.isfinite(disparity))
    moved = np.rint(disparity[rows, columns]).astype(int)
    differences = {}
    for sign in (-1, 0, 1):
        target = columns + sign * moved
        seen = (target >= 0) & (target < 741)
        differences[sign] = np.abs(left[rows, columns] - right[rows, target % 741])[seen].mean()
    assert differences[-1] < 0.04
    assert min(differences[0], differences[1]) > 0.12
    distance = pair["baseline_mm"] * pair["focal_px"] / (disparity + pair["offset_px"])
    assert (np.nanmin(distance), np.nanmax(distance)) == pytest.approx((2110, 5017), abs=1)
