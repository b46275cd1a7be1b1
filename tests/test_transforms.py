import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as tv

from seglib.transforms import Compose, ElasticDeform, RandomCrop, RandomFlip, RandomRotate90, RandomScale, Resize, crop


def coordinates(rows, cols):
    """A sample in which every pixel of image and maps says where it came from."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(cols), indexing="ij")
    ids = 1 + y * cols + x
    return {
        "image": torch.stack([y, x, 0 * x]).float(),
        "mask": ids + 1000,  # beyond 255, so that the fill is told apart
        "instances": ids,
        "weights": ids.float(),
        "name": "a picture",
    }


def origins(sample, cols):
    """(y, x) according to the image, and according to the instances."""
    ids = sample["instances"] - 1
    return sample["image"][:2], torch.stack([ids // cols, ids % cols])


MOVES = [
    RandomFlip(),
    RandomFlip(vertical=False),
    RandomRotate90(),
    RandomCrop((5, 11)),
    Resize((9, 21)),
    RandomScale(0.5, 2.0),
    ElasticDeform(sigma=2),
    Compose([RandomScale(0.7, 1.4), ElasticDeform(2), RandomCrop(9), RandomFlip(), RandomRotate90()]),
]


@pytest.mark.parametrize("transform", MOVES, ids=repr)
@pytest.mark.parametrize("size", [(12, 17), (16, 16)])
def test_image_and_maps_move_together(transform, size):
    for seed in range(8):
        torch.manual_seed(seed)
        before = coordinates(*size)
        after = transform(before)
        assert after["image"].shape[-2:] == after["mask"].shape == after["instances"].shape
        by_image, by_ids = origins(after, size[1])
        # Look at what came from the middle: near the edges antialiasing and mirrors bend the coordinates.
        inner = [(by_ids[i] >= 3) & (by_ids[i] < size[i] - 3) for i in (0, 1)]
        inner = inner[0] & inner[1] & (after["instances"] > 0)
        distance = (by_image - by_ids)[:, inner].abs()
        # The nearest pixel is at most half a pixel off, in each of the two resamplings of the last of MOVES.
        limit = 0.5 / 0.7 + 0.5 if isinstance(transform, Compose) else 0.5
        assert distance.numel() == 0 or distance.max() <= limit + 1e-3
        # the other maps made the same move as the instances
        labelled = after["instances"] > 0
        assert (after["mask"][labelled] == after["instances"][labelled] + 1000).all()
        assert (after["weights"][labelled] == after["instances"][labelled]).all()
        assert after["name"] == "a picture"


@pytest.mark.parametrize("transform", MOVES, ids=repr)
def test_moves_invent_no_label_and_leave_their_input_alone(transform):
    for seed in range(8):
        torch.manual_seed(seed)
        before = {
            "image": torch.rand(3, 12, 17),
            "mask": torch.tensor([0, 3, 7, 255])[torch.randint(4, (12, 17))],
            "instances": torch.tensor([0, 2, 9, 40])[torch.randint(4, (12, 17))],
        }
        kept = {key: value.clone() for key, value in before.items()}
        after = transform(before)
        assert set(after["mask"].unique().tolist()) <= {0, 3, 7, 255}
        assert set(after["instances"].unique().tolist()) <= {0, 2, 9, 40}
        assert after["mask"].dtype == after["instances"].dtype == torch.int64
        assert after["image"].dtype == torch.float32
        assert after["image"].min() >= -1e-6
        assert after["image"].max() <= 1 + 1e-6
        assert all(torch.equal(before[key], kept[key]) for key in kept)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 24), st.integers(1, 24), st.integers(0, 999))
def test_random_crop_fits_any_picture(rows, cols, height, width, seed):
    torch.manual_seed(seed)
    after = RandomCrop((height, width))(coordinates(rows, cols))
    assert after["image"].shape == (3, height, width)
    inside = after["instances"] > 0  # outside it is 0
    assert inside.sum() == min(rows, height) * min(cols, width)  # as much of the picture as fits
    by_image, by_ids = origins(after, cols)
    assert torch.equal(by_image[:, inside], by_ids[:, inside].float())
    assert (after["mask"][~inside] == 255).all()
    assert (after["weights"][~inside] == 0).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 999))
def test_elastic_takes_any_size(rows, cols, seed):
    torch.manual_seed(seed)
    after = ElasticDeform()(coordinates(rows, cols))
    assert after["image"].shape == (3, rows, cols)
    assert after["image"].isfinite().all()
    assert after["instances"].min() >= 1  # mirrored, so every pixel has a label


def test_flip_and_rotation_reach_all_their_outcomes():
    torch.manual_seed(0)
    sample = {"image": torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])}
    flips = {tuple(RandomFlip()(sample)["image"].flatten().tolist()) for _ in range(100)}
    assert flips == {(1, 2, 3, 4), (2, 1, 4, 3), (3, 4, 1, 2), (4, 3, 2, 1)}
    across = {tuple(RandomFlip(vertical=False)(sample)["image"].flatten().tolist()) for _ in range(50)}
    assert across == {(1, 2, 3, 4), (2, 1, 4, 3)}
    turns = {tuple(RandomRotate90()(sample)["image"].flatten().tolist()) for _ in range(100)}
    assert turns == {(1, 2, 3, 4), (2, 4, 1, 3), (4, 3, 2, 1), (3, 1, 4, 2)}


def test_random_crop_reaches_every_place():
    torch.manual_seed(0)
    sample = {"image": torch.arange(20.0).reshape(1, 4, 5)}
    corners = {int(RandomCrop((3, 2))(sample)["image"][0, 0, 0]) for _ in range(200)}
    assert corners == {0, 1, 2, 3, 5, 6, 7, 8}


def test_mirroring_is_numpys_reflect_however_far_out():
    image = torch.rand(2, 5, 7)
    after = crop({"image": image}, top=-13, left=-20, height=31, width=45)["image"]
    expected = np.pad(image.numpy(), ((0, 0), (13, 13), (20, 18)), mode="reflect")
    assert np.array_equal(after.numpy(), expected)


@pytest.mark.parametrize("size", [(24, 34), (5, 9), (31, 12), (1, 1)])
def test_resize_agrees_with_torchvision_and_nearest_exact(size):
    torch.manual_seed(0)
    image, mask = torch.rand(3, 12, 17), torch.randint(0, 200, (12, 17))
    after = Resize(size)({"image": image, "mask": mask})
    expected = tv.resize(image, list(size), antialias=True)
    torch.testing.assert_close(after["image"], expected, atol=1e-5, rtol=0)
    exact = F.interpolate(mask[None, None].double(), size, mode="nearest-exact")[0, 0].long()
    assert torch.equal(after["mask"], exact)


def test_random_scale_keeps_proportions_and_bounds():
    torch.manual_seed(0)
    sizes = [RandomScale(0.5, 2)({"image": torch.rand(1, 20, 40)})["image"].shape[1:] for _ in range(300)]
    assert min(rows for rows, _ in sizes) == 10
    assert max(rows for rows, _ in sizes) == 40
    assert all(abs(cols - 2 * rows) <= 1 for rows, cols in sizes)
    smaller = sum(rows < 20 for rows, _ in sizes) / len(sizes)
    assert 0.4 < smaller < 0.6  # halving is as likely as doubling


def test_elastic_is_the_bicubic_field_applied_by_scipy():
    """Against scipy's map_coordinates, with the displacements rebuilt from the same random numbers."""
    image, mask = torch.rand(1, 24, 31), torch.randint(0, 5, (24, 31))
    torch.manual_seed(3)
    after = ElasticDeform(sigma=6)({"image": image, "mask": mask})
    torch.manual_seed(3)
    coarse = 6 * torch.randn(1, 2, 3, 3)
    field = F.interpolate(coarse, (24, 31), mode="bicubic", align_corners=True)[0].double().numpy()
    places = np.mgrid[:24, :31] + field
    expected = ndimage.map_coordinates(image[0].double().numpy(), places, order=1, mode="mirror")
    np.testing.assert_allclose(after["image"][0].numpy(), expected, atol=1e-4)
    nearest = ndimage.map_coordinates(mask.numpy(), places, order=0, mode="mirror")
    assert (after["mask"].numpy() != nearest).mean() < 0.005  # but for ties of rounding
