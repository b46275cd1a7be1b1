"""Prediction by tiles: what the whole picture would give, in little memory; objects window by window, each once."""

import numpy as np
import pytest
import torch

from seglib.classical import split_touching
from seglib.datasets.coco_masks import mask_of
from seglib.models import UNet
from workbench.objects import run_lengths
from workbench.tiles import objects, predict_rows, ramp, tiles


def joined(logits_of, picture, **arguments):
    rows = list(predict_rows(logits_of, lambda top, bottom: picture[:, top:bottom], picture.shape[1:], **arguments))
    assert [top for top, _ in rows] == np.cumsum([0, *(part.shape[1] for _, part in rows[:-1])]).tolist()
    return torch.cat([part for _, part in rows], dim=1)


def small_net():
    torch.manual_seed(0)
    net = UNet(1, 3, width=4, depth=2)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
    return net.eval()


@pytest.mark.parametrize("length", [1, 63, 64, 65, 96, 97, 128, 129, 160, 161, 500])
def test_weights_of_all_tiles_add_up_to_one_everywhere(length):
    total, seen = torch.zeros(length), 0
    for start, end in tiles(length, 96, 32):
        assert start % 32 == 0
        assert start <= seen
        seen = end
        total[start:end] += ramp(start, end, length, 32)
    assert seen == length
    assert torch.allclose(total, torch.ones(length))


@torch.no_grad()
@pytest.mark.parametrize("size", [(300, 417), (96, 301), (7, 200), (193, 5)])
def test_tiles_give_what_the_whole_picture_gives(size):
    """The net sees 22 px far, the outer quarters of an overlap of 96 hide 24."""
    net, picture = small_net(), torch.rand(1, *size)
    padded = torch.nn.functional.pad(
        picture, (0, max(0, 64 - size[1]), 0, max(0, 64 - size[0])), mode="replicate"
    )  # a picture too small for the network is repeated
    whole = net(padded[None])[0, :, : size[0], : size[1]].softmax(0)
    assert torch.allclose(joined(net, picture, tile=192, overlap=96), whole, atol=1e-5)


def test_blending_leaves_no_seam():
    """Of tiles that each answer their own mean, the blend goes over from one to the next without a jump."""

    def mean_of_tile(batch):
        return torch.cat([batch.mean((2, 3), keepdim=True).expand_as(batch), torch.zeros_like(batch)], 1)

    picture = torch.linspace(-2, 2, 400).expand(1, 80, 400)
    found = joined(mean_of_tile, picture, tile=128, overlap=64)[0]
    assert found.diff(dim=1).abs().max() < 0.02
    assert found[0, -1] - found[0, 0] > 0.3


def test_tiles_that_do_not_fit_a_networks_poolings_are_refused():
    with pytest.raises(ValueError, match="multiples of 32"):
        next(predict_rows(None, None, (9, 9), tile=100, overlap=32))
    with pytest.raises(ValueError, match="at most half"):
        next(predict_rows(None, None, (9, 9), tile=128, overlap=96))


def test_only_one_row_of_tiles_is_read_at_a_time():
    asked = []

    def read(top, bottom):
        asked.append((top, bottom))
        return torch.zeros(1, bottom - top, 100)

    rows = predict_rows(lambda batch: batch.expand(-1, 2, -1, -1), read, (1000, 100), tile=128, overlap=32)
    next(rows)
    assert asked == [(0, 128)]
    assert sum(part.shape[1] for _, part in rows) == 1000 - 96
    assert max(bottom - top for top, bottom in asked) == 128


def discs(size, seed=0, radius=9):
    """Touching and lonely discs, some of them across the windows' edges."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(size)
    mask = np.zeros(size, bool)
    for centre in rng.uniform(0, size, (60, 2)):
        mask |= np.hypot(y - centre[0], x - centre[1]) < radius
    return mask


def painted(found, size):
    picture = np.zeros(size, int)
    for count, (top, left, mask) in enumerate(found, start=1):
        view = picture[top : top + mask.shape[0], left : left + mask.shape[1]]
        assert not view[mask].any(), "an object lies on another"
        view[mask] = count
    return picture


@pytest.mark.slow
def test_objects_by_windows_are_those_of_the_whole_mask():
    mask = discs((300, 340))
    whole, pieces = split_touching(mask), painted(objects(mask, window=100, margin=80), mask.shape)
    assert whole.max() == pieces.max() > 20
    pairs = np.unique(np.stack([whole.ravel(), pieces.ravel()], 1), axis=0)
    assert len(pairs) == whole.max() + 1  # each object is one object of the other
    assert list(objects(np.zeros((40, 50), bool))) == []


def test_run_lengths_are_read_back_to_the_pixel():
    rng = np.random.default_rng(3)
    for top, left, shape in [(0, 0, (7, 9)), (2, 3, (4, 5)), (6, 8, (1, 1)), (0, 0, (1, 1))]:
        mask = rng.random(shape) < 0.6
        mask[0, 0] = mask[-1, -1] = True
        picture = np.zeros((7, 9), bool)
        picture[top : top + shape[0], left : left + shape[1]] = mask
        rle = run_lengths(top, left, mask, (7, 9))
        assert sum(rle["counts"]) == 63
        assert np.array_equal(mask_of(rle, 7, 9), picture)
