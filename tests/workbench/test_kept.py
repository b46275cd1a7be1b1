"""Pictures kept as levels, windows and tiles cut from them, and what a loss counts."""

import numpy as np
import pytest
import torch
from test_steering import dataset, folder

from seglib import losses
from seglib.transforms import Standardize, crop
from workbench import kept
from workbench.kept import AUGMENT, Kept, Tiles, Windows
from workbench.learning import Loss, class_weights
from workbench.sets import training_sets


@pytest.mark.parametrize("deep", [False, True])
def test_pictures_are_kept_to_the_last_bit(tmp_path, deep):
    data = dataset(folder(tmp_path, deep=deep))
    held = Kept(data).read_all()
    for index in (0, 4):
        sample, raw = held.window(index, 0, 0, 64, 80)
        torch.testing.assert_close(sample["image"], data[index]["image"], rtol=0, atol=1e-7)
        assert torch.equal(sample["mask"], data[index]["mask"])
        mean, deviation = raw["moments"]
        standard = Standardize()(data[index])["image"]
        torch.testing.assert_close((sample["image"] - mean) / deviation, standard, rtol=0, atol=1e-4)
    assert held.counts[0].tolist() == [63 * 40, 63 * 40 - 2, 2]
    assert len(held.memory) == 5
    assert held.__getstate__()["memory"] == {}


def test_memory_has_an_end_and_the_rest_is_read_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "MEMORY", 2 * 64 * 80 * 4 + 1)
    data = dataset(folder(tmp_path))
    held = Kept(data).read_all()
    assert sorted(held.memory) == [0, 1]
    assert torch.equal(held.window(4, 3, 5, 9, 9)[0]["mask"], data[4]["mask"][3:12, 5:14])


@pytest.mark.parametrize(
    ("top", "left", "side"), [(0, 0, 20), (-9, -30, 40), (50, 70, 60), (-100, -100, 300), (10, 20, 200)]
)
def test_a_window_is_what_crop_cuts(tmp_path, top, left, side):
    data = dataset(folder(tmp_path, n=1))
    sample, _ = Kept(data).window(0, top, left, side, side)
    wanted = crop(data[0], top, left, side, side)
    torch.testing.assert_close(sample["image"], wanted["image"])
    assert torch.equal(sample["mask"], wanted["mask"])


@pytest.mark.parametrize("augment", AUGMENT)
def test_windows_are_small_before_anything_else_is_done(tmp_path, augment, monkeypatch):
    """58 s a batch: jitter and scale once ran on the whole picture of 12 megapixels."""
    windows = Windows(Kept(dataset(folder(tmp_path, side=(600, 800)))), 32, augment, [0, 3])
    seen, jitter = [], kept.Jitter.__call__
    monkeypatch.setattr(
        kept.Jitter, "__call__", lambda self, sample: seen.append(sample["image"].numel()) or jitter(self, sample)
    )
    torch.manual_seed(0)
    samples = [windows[k % 2] for k in range(20)]
    assert all(sample["image"].shape == (3, 32, 32) and sample["mask"].shape == (32, 32) for sample in samples)
    assert max(seen, default=0) <= 3 * (kept.GLANCE + (32 / 0.75 + 1) ** 2)
    assert bool(seen) == (augment in ("photo", "microscope"))
    stacked = torch.stack([sample["image"] for sample in samples])
    assert abs(stacked.mean()) < 0.1
    assert 0.4 < stacked.std() < 1.2  # noise that is scaled is smoother


def test_without_augmentation_a_window_is_a_piece_of_the_standardised_picture(tmp_path):
    data = dataset(folder(tmp_path, n=1))
    whole = Standardize()(data[0])
    torch.manual_seed(1)
    sample = Windows(Kept(data), 16, "none", [0])[0]
    hits = [
        (top, left)
        for top in range(49)
        for left in range(65)
        if torch.allclose(whole["image"][:, top : top + 16, left : left + 16], sample["image"], atol=1e-4)
    ]
    assert len(hits) == 1
    ((top, left),) = hits
    assert torch.equal(whole["mask"][top : top + 16, left : left + 16], sample["mask"])


def test_held_back_pictures_are_scored_whole(tmp_path):
    """The middle 256 px, 5 % of a picture, were all that was looked at."""
    data = dataset(folder(tmp_path, n=3, side=(300, 600)))
    held = Kept(data).read_all()
    tiles = Tiles(held, [0, 2])
    assert (len(tiles), tiles.all) == (2 * 2 * 3, 12)
    counted = sum(np.bincount(tile["mask"].numpy().ravel(), minlength=256) for tile in tiles)
    assert counted[:3].tolist() == (held.counts[0] + held.counts[2]).tolist()
    pieces = Standardize()(data[2])["image"]
    torch.testing.assert_close(tiles[6]["image"], pieces[:, :256, :256], rtol=0, atol=1e-4)
    many = Tiles(held, [0, 2] * 100)
    assert (len(many), many.all) == (256, 1200)
    assert {place[1:] for place in many.places} == {(top, left) for top in (0, 256) for left in (0, 256, 512)}


def test_a_smaller_size_is_a_whole_reduction(tmp_path):
    data = dataset(folder(tmp_path, n=1, side=(60, 90)))
    sample, _ = Kept(data, size=30).read_all().window(0, 0, 0, 20, 30)
    means = data[0]["image"].unfold(1, 3, 3).unfold(2, 3, 3).mean((3, 4))
    torch.testing.assert_close(sample["image"], means, rtol=0, atol=1 / 65535)
    assert torch.equal(sample["mask"], data[0]["mask"][1::3, 1::3])


def test_class_weights_by_hand(tmp_path):
    train, _, _ = training_sets(str(folder(tmp_path)), 32)
    assert train.counts.tolist() == [[63 * 40, 63 * 40 - 2, 2]] * 4
    names = ("ground", "tree", "rare")
    median = torch.tensor([2518 / 2520, 1, 2518 / 2])
    torch.testing.assert_close(class_weights("median", names, train), median)
    torch.testing.assert_close(class_weights("sqrt", names, train), median.sqrt())
    torch.testing.assert_close(class_weights(None, names, train), median.sqrt())
    assert class_weights(None, names[:2], None).tolist() == [1, 1]
    assert class_weights("1,5,0.5", names, None).tolist() == [1, 5, 0.5]
    for wrong in ("1,2", "1,-2,3", "1,nan,2", "rare", "1,inf,1"):
        with pytest.raises(ValueError, match=f"--class-weights is {wrong}"):
            class_weights(wrong, names, train)
    with pytest.raises(ValueError, match="for the cross-entropy, not for --loss dice"):
        class_weights("median", names, train, "dice")


@pytest.mark.parametrize("kind", ["cross-entropy", "dice", "focal", "lovasz", "tversky"])
def test_losses_are_seglibs_and_count_what_is_said(kind):
    loss = Loss(kind, None, ("a", "b"), None)
    logits, mask = torch.randn(2, 2, 5, 6), torch.randint(0, 2, (2, 5, 6))
    mask[0, 0] = 255
    function = getattr(losses, {"cross-entropy": "cross_entropy"}.get(kind, f"{kind}_loss"))
    torch.testing.assert_close(loss(logits, mask), function(logits, mask))
    assert not loss.seen.any()
    with torch.no_grad():
        loss(torch.stack([torch.ones(2, 5, 6), torch.zeros(2, 5, 6)], 1), mask)
    assert loss.seen[0].tolist() == [54, 0]
    assert loss.never_predicted() == ["b"]
    assert loss.never_predicted() == []
