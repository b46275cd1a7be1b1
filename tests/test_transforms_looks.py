import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage
from skimage import measure
from test_transforms import MOVES, coordinates
from torch.utils.data import DataLoader

from seglib.losses import border_weights
from seglib.transforms import (
    BorderWeights,
    Compose,
    ElasticDeform,
    Grayscale,
    Jitter,
    Normalize,
    RandomCrop,
    RandomFlip,
    RandomRotate90,
    RandomScale,
    SeparateTouching,
    Standardize,
)

LOOKS = [Jitter(), Normalize((0.5, 0.5, 0.5), (0.2, 0.2, 0.2)), Standardize(), Grayscale()]


@pytest.mark.parametrize("transform", LOOKS, ids=repr)
def test_looks_leave_maps_and_input_alone(transform):
    before = {"image": torch.rand(3, 9, 8), "mask": torch.randint(0, 3, (9, 8))}
    kept = before["image"].clone()
    after = transform(before)
    assert after["mask"] is before["mask"]
    assert torch.equal(before["image"], kept)
    assert not torch.equal(after["image"], kept)


def test_jitter_keeps_the_range_and_each_part_works():
    torch.manual_seed(0)
    image = torch.rand(1, 32, 32)
    after = [Jitter(brightness=0.5, contrast=0.9, gamma=1, noise=0.3)({"image": image})["image"] for _ in range(50)]
    assert 0 <= torch.stack(after).min() < torch.stack(after).max() <= 1
    middle = 0.4 + 0.2 * image

    def jittered(**one):
        return Jitter(**{"brightness": 0, "contrast": 0, "gamma": 0, "noise": 0} | one)({"image": middle})["image"]

    torch.testing.assert_close(jittered(), middle)
    brighter = jittered(brightness=0.3) - middle
    assert brighter.std() < 1e-6 < 1e-3 < brighter.mean().abs() <= 0.3
    contrast = jittered(contrast=0.5)
    torch.testing.assert_close(contrast.mean(), middle.mean())
    assert (contrast.std() - middle.std()).abs() > 1e-3
    power = jittered(gamma=0.5).log() / middle.log()
    assert power.std() < 1e-4
    assert np.exp(-0.5) <= power.mean() <= np.exp(0.5)
    assert 0 < (jittered(noise=0.05) - middle).std() < 0.06


def test_jitter_refuses_a_standardized_image():
    sample = Standardize()({"image": torch.rand(1, 8, 8)})
    with pytest.raises(ValueError, match=r"Jitter wants 0\.\.1, not -.*before Normalize"):
        Jitter()(sample)
    with pytest.raises(ValueError, match="nan"):
        Jitter()({"image": torch.full((1, 2, 2), torch.nan)})


def test_normalize_and_standardize_by_hand():
    image = torch.tensor([[[0.0, 1.0]], [[0.2, 0.6]]])
    after = Normalize((0.5, 0.4), (0.5, 0.1))({"image": image})["image"]
    torch.testing.assert_close(after, torch.tensor([[[-1.0, 1.0]], [[-2.0, 2.0]]]))
    torch.testing.assert_close(Standardize()({"image": image})["image"], torch.tensor([[[-1.0, 1.0]], [[-1.0, 1.0]]]))
    flat = Standardize()({"image": torch.full((1, 5, 5), 0.1)})["image"]
    assert flat.abs().max() < 0.1
    with pytest.raises(ValueError, match=r"Normalize\(mean=\(0.5,\), .* does not fit .* 2 channels"):
        Normalize((0.5,), (0.5,))({"image": image})


def test_grayscale_is_pillows_luma():
    colours = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    image = torch.from_numpy(colours).permute(2, 0, 1) / 255
    after = Grayscale()({"image": image})["image"]
    assert after.shape == (1, 6, 7)
    expected = np.asarray(Image.fromarray(colours).convert("L")) / 255
    np.testing.assert_allclose(after[0].numpy(), expected, atol=1 / 255)
    with pytest.raises(ValueError, match="3 channels, not 4"):
        Grayscale()({"image": torch.rand(4, 3, 3)})


def test_border_weights_are_one_plus_the_paper_s_term():
    instances = torch.zeros(20, 20, dtype=torch.int64)
    instances[5:15, 2:8] = 4
    instances[5:15, 11:17] = 9
    sample = {"image": torch.rand(1, 20, 20), "mask": (instances > 0).long(), "instances": instances}
    assert torch.equal(BorderWeights(sigma=4)(sample)["weights"], 1 + border_weights(instances, sigma=4))
    with pytest.raises(ValueError, match='"instances" are wanted'):
        BorderWeights()({"image": torch.rand(1, 4, 4), "mask": torch.zeros(4, 4)})


def test_separate_touching_by_hand():
    instances = torch.tensor([[1, 1, 1, 5, 5, 5, 0, 7], [1, 1, 1, 5, 5, 5, 0, 7], [0, 0, 0, 0, 0, 0, 0, 7]])
    mask = (instances > 0).long()
    mask[2, 0] = mask[0, 2] = 255
    after = SeparateTouching()({"image": torch.rand(1, 3, 8), "mask": mask, "instances": instances})
    assert after["instances"].tolist() == [[1, 1, 0, 0, 5, 5, 0, 7], [1, 1, 0, 0, 5, 5, 0, 7], [0, 0, 0, 0, 0, 0, 0, 7]]
    assert after["mask"].tolist() == [[1, 1, 255, 0, 1, 1, 0, 1], [1, 1, 0, 0, 1, 1, 0, 1], [255, 0, 0, 0, 0, 0, 0, 1]]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9999))
def test_separate_touching_leaves_no_two_instances_in_contact(seed):
    generator = np.random.default_rng(seed)
    blobs = ndimage.zoom(generator.integers(0, 4, (5, 5)), 5, order=0)
    ids = torch.from_numpy(measure.label(blobs, background=0, connectivity=1))
    sample = {"image": torch.rand(1, 25, 25), "mask": (ids > 0).long(), "instances": ids}
    after = SeparateTouching()(sample)
    left = after["instances"].numpy()
    components = measure.label(left > 0, connectivity=2)
    for component in range(1, components.max() + 1):
        assert len(np.unique(left[components == component])) == 1
    kept = left > 0
    assert (left[kept] == ids.numpy()[kept]).all()
    # nothing goes that touches no other
    for number in np.unique(ids.numpy())[1:]:
        other = (ids.numpy() > 0) & (ids.numpy() != number)
        near = ndimage.binary_dilation(other, np.ones((3, 3)))
        assert ((left == number) == ((ids.numpy() == number) & ~near)).all()


class Squares:
    """A map-style data set with a transform."""

    def __init__(self, transform):
        self.transform = transform

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return self.transform(coordinates(12, 12) | {"index": index})


AUGMENT = Compose([RandomScale(), ElasticDeform(2), RandomCrop(8), RandomFlip(), RandomRotate90()])


@pytest.mark.slow
def test_a_seed_makes_a_data_loader_reproducible_and_workers_differ():
    def run(seed):
        torch.manual_seed(seed)
        loader = DataLoader(Squares(AUGMENT), batch_size=3, num_workers=2)
        return [torch.cat([batch["instances"] for batch in loader]) for _ in range(2)]

    first, second = run(5), run(5)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[0], first[1])  # the second epoch is new
    assert not torch.equal(first[0][:3], first[0][3:])  # and so is the second worker


def test_every_transform_travels_to_workers_and_shows_its_settings():
    for transform in [*MOVES, *LOOKS, BorderWeights(), SeparateTouching()]:
        assert pickle.loads(pickle.dumps(transform)) == transform
    assert repr(Compose([RandomCrop(8), RandomFlip()])) == (
        "Compose(transforms=[RandomCrop(size=8), RandomFlip(vertical=True)])"
    )


def test_a_map_of_another_size_is_refused():
    wrong = {key: torch.zeros(17, 12) for key in ("mask", "instances", "weights")}
    wrong |= {"full_masks": torch.zeros(3, 17, 12)}
    for transform in [*MOVES, BorderWeights(), SeparateTouching()]:
        for key, values in wrong.items():
            with pytest.raises(ValueError, match=rf"{key} is \(.*17, 12\), its image \(12, 17\)"):
                transform(coordinates(12, 17) | {key: values})
    with pytest.raises(ValueError, match=r"mask is \(1, 12, 17\)"):
        RandomFlip()({"image": torch.rand(3, 12, 17), "mask": torch.zeros(1, 12, 17)})
    with pytest.raises(ValueError, match='"boxes" and "masks" would not move along'):
        RandomFlip()(coordinates(8, 8) | {"boxes": torch.zeros(1, 4)})


@pytest.mark.parametrize("transform", [*MOVES, *LOOKS], ids=repr)
def test_an_image_that_is_no_float_tensor_of_three_dimensions_is_refused(transform):
    for image, kind in [
        (torch.zeros(3, 12, 17, dtype=torch.uint8), r"torch.uint8 \(3, 12, 17\)"),
        (torch.rand(2, 3, 12, 17), r"torch.float32 \(2, 3, 12, 17\)"),
        (np.zeros((3, 12, 17), np.float32), r"float32 \(3, 12, 17\)"),
        (None, "NoneType"),
    ]:
        with pytest.raises(ValueError, match=rf"float tensor \(C, H, W\), not {kind}"):
            transform({"image": image})


def test_senseless_settings_are_refused():
    for size in (0, (4, -1)):
        with pytest.raises(ValueError, match="size is a number of pixels"):
            RandomCrop(size)(coordinates(8, 8))
    for low, high in ((0, 1), (2, 1)):
        with pytest.raises(ValueError, match="0 < low <= high"):
            RandomScale(low, high)(coordinates(8, 8))
