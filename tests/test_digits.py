"""Digits: labelled as drawn, in a known order, originals kept apart for testing. test_scenes.py has the rest."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage
from skimage.measure import euler_number, label
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from torchvision.ops import masks_to_boxes

from seglib.scenes import Digits, digits
from seglib.transforms import ElasticDeform, RandomCrop, RandomFlip, RandomRotate90, Resize, crop

COUNT = 100


@pytest.fixture(scope="module")
def samples():
    data = Digits(COUNT, size=96, seed=3)
    return [data[i] for i in range(COUNT)]


def test_class_ids_follow_the_names(samples):
    assert Digits.classes == ("background", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    counts = np.bincount(np.concatenate([s["labels"] for s in samples]), minlength=11)
    assert counts[0] == 0
    assert counts[1:].min() > 0.6 * counts[1:].mean()


def test_maps_masks_and_boxes_say_the_same(samples):
    for sample in samples:
        ids = torch.arange(1, len(sample["labels"]) + 1)
        assert torch.equal(sample["masks"], (sample["instances"] == ids[:, None, None]).to(torch.uint8))
        assert torch.equal(sample["mask"], torch.cat([torch.zeros(1).long(), sample["labels"]])[sample["instances"]])
        assert torch.equal(sample["boxes"], masks_to_boxes(sample["masks"]) + torch.tensor([0, 0, 1, 1]))


def test_later_digits_hide_earlier_ones(samples):
    hidden = 0
    for sample in samples:
        ids = torch.arange(1, len(sample["labels"]) + 1)
        top = (sample["full_masks"] * ids[:, None, None]).amax(0)
        assert torch.equal(sample["instances"], top)
        hidden += (sample["full_masks"].sum((1, 2)) > sample["masks"].sum((1, 2))).float().mean() / COUNT
    assert 0.1 < hidden < 0.4


@pytest.mark.parametrize("least", [None, 0, 0.25, 0.7, 1])
def test_what_is_drawn_can_be_seen(samples, least):
    if least is not None:
        samples = list(Digits(50, size=96, seed=3, least_seen=least))
    least = 0.9 if least is None else least
    shares = torch.cat([s["masks"].sum((1, 2)) / s["full_masks"].sum((1, 2)) for s in samples])
    assert shares.min() >= least
    assert least == 1 or (shares < least + 0.2).any()
    assert min(s["masks"].sum((1, 2)).min() for s in samples) >= 12


def test_bad_arguments():
    with pytest.raises(ValueError, match="least_seen is a share from 0 to 1, not 90"):
        Digits(1, least_seen=90)
    with pytest.raises(ValueError, match='part is "train" or "test", not \'val\''):
        Digits(1, part="val")


def test_two_to_eight_of_many_sizes(samples):
    assert {len(s["labels"]) for s in samples} == {2, 3, 4, 5, 6, 7, 8}
    inside = [box for s in samples for box in masks_to_boxes(s["full_masks"]) if box.min() > 0 and box.max() < 95]
    heights = np.array([float(box[3] - box[1] + 1) for box in inside])
    assert 15 <= heights.min() < 22
    assert 40 < heights.max() < 56  # 44, and what a tilt adds
    large = torch.cat([masks_to_boxes(s["full_masks"]) for s in Digits(30, size=192, seed=3)])
    assert (large[:, 3] - large[:, 1]).median() == pytest.approx(2 * np.median(heights), rel=0.2)


@pytest.mark.slow
def test_a_classifier_of_the_originals_reads_the_masks():
    source = load_digits()
    reader = KNeighborsClassifier(1).fit(source.data, source.target)
    small, names = [], []
    for sample in Digits(60, seed=5, part="test"):
        for mask, name in zip(sample["full_masks"], sample["labels"], strict=True):
            left, top, far, low = masks_to_boxes(mask[None])[0].int().tolist()
            if min(left, top) > 0 and max(far, low) < 95:
                cut = Image.fromarray(255 * mask[top : low + 1, left : far + 1].numpy())
                small.append(np.asarray(cut.resize((8, 8), Image.Resampling.BOX), float).ravel() / 255 * 16)
                names.append(int(name) - 1)
    assert len(names) > 150
    assert np.mean(reader.predict(small) == names) > 0.6


def test_digits_stand_out_from_what_surrounds_them(samples):
    contrasts = []
    for sample in samples:
        image, ids = sample["image"].numpy(), sample["instances"].numpy()
        for k, mask in enumerate(sample["masks"].numpy().astype(bool)):
            ring = ndimage.binary_dilation(mask, iterations=3) & (ids == 0)
            if ring.any() and (ids == k + 1).any():
                contrasts.append(np.linalg.norm(image[:, mask].mean(1) - image[:, ring].mean(1)))
    assert np.percentile(contrasts, 5) > 0.15


def test_an_original_keeps_its_ink_and_a_tenth_more():
    for ink, image in zip(digits.originals()[0], load_digits().images, strict=True):
        area = np.count_nonzero(np.asarray(ink) > 127) / image.sum()  # 16 samples a cell, 16 counts a cell
        assert 1.07 < area <= 1.1
    assert digits.originals()[1].tolist() == (load_digits().target + 1).tolist()


@pytest.mark.slow
def test_strokes_hold_together_and_loops_stay_open():
    loops, whole = {k: [] for k in range(10)}, []
    for ink, name in zip(*digits.originals(), strict=True):
        mask = np.asarray(ink) > 127
        pieces = label(mask, connectivity=2).max()
        whole.append(pieces == 1)
        loops[int(name) - 1].append(pieces - euler_number(mask, connectivity=2))
    assert np.mean(whole) > 0.99
    shares = {k: np.mean(np.array(loops[k]) == n) for k, n in ((0, 1), (6, 1), (8, 2), (9, 1), (1, 0), (5, 0))}
    least = {0: 0.75, 6: 0.85, 8: 0.5, 9: 0.8, 1: 0.99, 5: 0.95}
    assert {k: share for k, share in shares.items() if share < least[k]} == {}


def test_the_thinnest_strokes_have_a_mask_when_smallest():
    dice, whole = random.Random(0), []
    for ink in digits.originals()[0][::5]:
        mask = digits.write(dice, ink, digits.LEAST) > 0.5
        assert mask.sum() > digits.LEAST_PIXELS
        whole.append(label(mask, connectivity=2).max() == 1)
    assert np.mean(whole) > 0.95


def test_a_digit_upright_is_its_original_enlarged():
    class Still(random.Random):
        gauss = staticmethod(lambda mean, spread: 0)
        uniform = staticmethod(lambda low, high: 1)

    original = digits.originals()[0][0]
    ink = digits.write(Still(), original, 32)  # 48 samples on 48 pixels, and a pixel more on each side
    assert ink.shape == (50, 50)
    np.testing.assert_allclose(ink[1:-1, 1:-1] * 255, np.asarray(original), atol=1.01)


@pytest.mark.slow
def test_train_and_test_share_no_original(monkeypatch):
    number = {id(ink): k for k, ink in enumerate(digits.originals()[0])}
    drawn = {"train": [], "test": []}
    write = digits.write
    for part, numbers in drawn.items():
        monkeypatch.setattr(
            digits, "write", lambda d, ink, h, to=numbers: to.append(number[id(ink)]) or write(d, ink, h)
        )
        list(Digits(150, size=64, part=part))
    assert 0 <= min(drawn["train"]) < 20
    assert 1417 < max(drawn["train"]) < 1437
    assert 1437 <= min(drawn["test"]) < 1447
    assert 1787 < max(drawn["test"]) < 1797


def test_the_other_part_has_other_pictures_not_just_other_digits():
    train, test = (Digits(8, seed=1, part=part) for part in ("train", "test"))
    assert [len(s["labels"]) for s in train] != [len(s["labels"]) for s in test]
    assert not any(torch.equal(a["image"][:, :4, :4], b["image"][:, :4, :4]) for a, b in zip(train, test, strict=True))


def test_a_transform_moves_everything():
    plain = Digits(20, seed=7)
    for index, moved in enumerate(Digits(20, seed=7, transform=lambda sample: crop(sample, 30, -10, 50, 60))):
        sample = plain[index]
        shifted = torch.nn.functional.pad(sample["masks"][:, 30:80, :50], (10, 0))
        kept = shifted.bool().any(2).any(1)
        assert torch.equal(moved["masks"], shifted[kept])
        assert torch.equal(moved["labels"], sample["labels"][kept])
        full = torch.nn.functional.pad(sample["full_masks"][:, 30:80, :50], (10, 0))
        assert torch.equal(moved["full_masks"], full[kept])
        assert torch.equal(moved["instances"] > 0, shifted.sum(0) > 0)
        assert moved["boxes"].shape == (len(moved["labels"]), 4)


@pytest.mark.parametrize(
    "transform", [RandomFlip(), RandomRotate90(), Resize((50, 70)), RandomCrop(60), ElasticDeform()]
)
def test_hidden_parts_move_along(transform):
    torch.manual_seed(0)
    for sample in Digits(8, size=(72, 90), seed=8, transform=transform):
        ids = torch.arange(1, len(sample["labels"]) + 1)[:, None, None]
        assert torch.equal((sample["full_masks"] * ids).amax(0), sample["instances"])


@settings(max_examples=40, deadline=None)
@given(top=st.integers(-40, 60), left=st.integers(-40, 60), side=st.integers(1, 25), rows=st.integers(16, 40))
def test_ink_falls_on_its_window(top, left, side, rows):
    ink = np.random.default_rng(side).random((side, side)) + 1
    window, part = digits.fit(ink, top, left, (rows, 30))
    picture, roomy = np.zeros((rows, 30)), np.zeros((200, 200))
    picture[window] = part
    roomy[top + 60 : top + 60 + side, left + 60 : left + 60 + side] = ink
    assert np.array_equal(picture, roomy[60 : 60 + rows, 60:90])
