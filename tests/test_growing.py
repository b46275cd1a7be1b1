"""grow_region and grow_regions: equal to growing pixel by pixel, by hand, on photos, on random pictures."""

import numpy as np
import pytest
from growing_by_hand import compete_by_hand, grow_by_hand
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.segmentation import flood

from seglib.classical import grow_region, grow_regions
from seglib.scenes import photo, photo_names

CRITERIA = ("seed", "neighbour", "mean")
RAMP = np.array([[0, 10, 20, 30, 40]], np.uint8)


@pytest.mark.parametrize(
    ("criterion", "region"), [("seed", [1, 1, 1, 0, 0]), ("neighbour", [1, 1, 1, 1, 1]), ("mean", [1, 1, 1, 1, 0])]
)
def test_a_ramp_by_hand(criterion, region):
    # mean: 0, then 5 (10 joins), 10 (20 joins: 15 from 5), 15 (30 joins: 20 from 10); 40 is 25 from 15
    assert grow_region(RAMP, (0, 0), 20 / 255, criterion).tolist() == [list(map(bool, region))]


def test_the_mean_is_renewed_after_a_round_not_within_it():
    # 60 and 20 join 40 in one round; one after the other, 60 would move the mean to 50 and 20 would stay out.
    picture = np.array([[100, 60, 40, 20, 0]], np.uint8)
    assert grow_region(picture, (0, 2), 22 / 255, "mean").tolist() == [[False, True, True, True, False]]


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("name", photo_names())
def test_equal_to_pixel_by_pixel_on_all_photos(name, criterion, connectivity):
    image = photo(name)["image"]
    image = image[:: len(image) // 45, :: len(image) // 45]
    for i, tolerance in enumerate((0.02, 0.1, 0.3)):
        seed = (7 + 15 * i, 40 - 16 * i)
        fast = grow_region(image, seed, tolerance, criterion, connectivity)
        assert np.array_equal(fast, grow_by_hand(image, seed, tolerance, criterion, connectivity))


@st.composite
def tasks(draw):
    height, width, seed = draw(st.integers(1, 9)), draw(st.integers(1, 9)), draw(st.integers(0, 2**32 - 1))
    random, dtype = np.random.default_rng(seed), draw(st.sampled_from([np.uint8, np.uint16, np.float32, np.float64]))
    shape = (height, width, 3) if draw(st.booleans()) else (height, width)
    levels = random.integers(0, draw(st.integers(1, 12)), shape) * 20  # few levels, many ties
    image = (levels / 255).astype(dtype) if np.issubdtype(dtype, np.floating) else levels.astype(dtype)
    if dtype == np.uint16:
        image *= 257
    seeds = np.unique(random.integers(0, (height, width), (draw(st.integers(1, 3)), 2)), axis=0)
    return image, levels / 255, seeds, draw(st.integers(0, 8)) * 20 / 255, draw(st.sampled_from([4, 8]))


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(tasks())
def test_equal_to_pixel_by_pixel_on_random_pictures_of_every_dtype(task):
    image, exact, seeds, tolerance, connectivity = task
    for criterion in CRITERIA:
        fast = grow_region(image, seeds, tolerance, criterion, connectivity)
        assert np.array_equal(fast, grow_by_hand(exact, seeds, tolerance, criterion, connectivity)), criterion
        assert fast[tuple(seeds.T)].all()
        assert np.array_equal(fast, grow_region(image, seeds[::-1], tolerance, criterion, connectivity))
        turned = grow_region(image.swapaxes(0, 1), seeds[:, ::-1], tolerance, criterion, connectivity)
        assert np.array_equal(fast, turned.T)


@settings(max_examples=30, deadline=None)
@given(tasks())
def test_more_tolerance_or_connectivity_never_loses_a_pixel(task):
    image, _, seeds, tolerance, _ = task
    for criterion in ("seed", "neighbour"):  # not so for "mean": the mean may drift away
        small = grow_region(image, seeds, tolerance, criterion)
        assert grow_region(image, seeds, tolerance + 0.1, criterion)[small].all()
        assert grow_region(image, seeds, tolerance, criterion, connectivity=8)[small].all()
    assert grow_region(image, seeds, tolerance, "neighbour")[grow_region(image, seeds, 0, "seed")].all()


@pytest.mark.parametrize("tolerance", [0, 13, 255])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_equal_to_scikit_image_on_levels_and_on_floats(tolerance, connectivity):
    levels = data.camera()[::3, ::3]
    wanted = flood(levels, (100, 30), tolerance=tolerance, connectivity=connectivity // 4)
    for image in (levels, levels.astype(np.uint16) * 257, levels / 255, (levels / 255).astype(np.float32)):
        assert np.array_equal(grow_region(image, (100, 30), tolerance / 255, connectivity=connectivity), wanted)
    floats = levels / 255 + np.random.default_rng(0).uniform(0, 1e-3, levels.shape) - 1e-3 * (levels == 255)
    wanted = flood(floats, (100, 30), tolerance=tolerance / 255 + 1e-6, connectivity=connectivity // 4)
    assert np.array_equal(grow_region(floats, (100, 30), tolerance / 255, connectivity=connectivity), wanted)


@settings(max_examples=100, deadline=None)
@given(tasks())
def test_competition_equals_a_searched_list(task):
    image, _, seeds, _, connectivity = task
    labels = grow_regions(image, seeds, connectivity)
    values = image / np.iinfo(image.dtype).max if image.dtype.kind == "u" else image.astype(float)
    assert np.array_equal(labels, compete_by_hand(values, seeds, connectivity))
    assert labels.dtype == np.int64
    assert labels.min() > 0


PICTURE = np.zeros((4, 6))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((PICTURE, (4, 0), 0.1), r"\(row 4, column 0\).*4 rows and 6 columns"),
        ((PICTURE, [(0, 0), (1, -1)], 0.1), r"\(row 1, column -1\).*4 rows and 6 columns"),
        ((PICTURE, (0.5, 1.0), 0.1), "whole numbers"),
        ((PICTURE, [], 0.1), "whole numbers"),
        ((PICTURE, (1, 2, 3), 0.1), "whole numbers"),
        ((PICTURE, PICTURE > 0, 0.1), "whole numbers"),
        ((PICTURE, (0, 0), -0.1), "tolerance is -0.1"),
        ((PICTURE, (0, 0), 20), "divide by 255"),
        ((PICTURE, (0, 0), np.nan), "tolerance is nan"),
        ((PICTURE, (0, 0), 0.1, "texture"), "'texture'.*'seed', 'neighbour', 'mean'"),
        ((PICTURE, (0, 0), 0.1, "seed", 1), "connectivity is 1; 4 or 8"),
    ],
)
def test_bad_input_is_explained(arguments, message):
    with pytest.raises(ValueError, match=message):
        grow_region(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((PICTURE, [(0, 0), (9, 0)]), r"\(row 9, column 0\).*4 rows"),
        ((PICTURE, [(0, 0), [(1, 1), (0, 0)]]), "seed of region 2 is a seed of region 1"),
        ((PICTURE, [(0, 0), "middle"]), r"seeds\[1\]"),
        ((PICTURE, (0, 0)), r"seeds\[0\]"),
        ((PICTURE, []), "no seeds"),
        ((PICTURE, [(0, 0)], 6), "connectivity is 6"),
    ],
)
def test_bad_input_of_a_competition_is_explained(arguments, message):
    with pytest.raises(ValueError, match=message):
        grow_regions(*arguments)
