import os
from pathlib import Path

import numpy as np
import pytest
import torch
from picture_files import block, colours, nuclei_tree, save
from PIL import Image

from seglib.datasets import DSB2018
from seglib.datasets.fetching import data_root


@pytest.fixture
def tree(tmp_path):
    return nuclei_tree(tmp_path)


def test_nuclei_are_merged_and_the_first_keeps_an_overlap(tree):
    sample = DSB2018(tree)[0]
    assert set(sample) == {"image", "mask", "instances", "name"}
    assert sample["name"] == "aa0"
    assert sample["image"].dtype == torch.float32
    assert sample["mask"].dtype == sample["instances"].dtype == torch.int64
    stored = np.asarray(Image.open(tree / "dsb2018/stage1_train/aa0/images/aa0.png"))
    assert torch.equal(sample["image"], torch.from_numpy(stored[..., :3].copy()).permute(2, 0, 1) / 255)
    assert sample["instances"].tolist() == [
        [1, 1, 1, 1, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 2, 2, 0, 0, 0],
        [0, 0, 0, 2, 2, 2, 0, 0, 0],
        [0, 0, 0, 2, 2, 2, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]
    assert torch.equal(sample["mask"], (sample["instances"] > 0).long())


def test_a_picture_without_nuclei(tree):
    sample = DSB2018(tree, split="val")[0]
    assert sample["name"] == "bb1"
    assert sample["instances"].shape == (6, 9)
    assert sample["instances"].max() == sample["mask"].max() == 0


def test_a_sample_stays_the_same_whatever_was_done_to_it(tree):
    data = DSB2018(tree)
    first = data[0]
    kept = {key: value.clone() for key, value in first.items() if torch.is_tensor(value)}
    for key in kept:
        first[key].zero_()
    assert all(torch.equal(data[0][key], kept[key]) for key in kept)
    (tree / "dsb2018/stage1_train/aa0/images/aa0.png").unlink()
    assert torch.equal(data[0]["image"], kept["image"])  # read once, then kept


def test_splits_are_disjoint_and_do_not_depend_on_the_selection(tree):
    def names(**selection):
        return [sample["name"] for sample in DSB2018(tree, **selection)]

    assert names() == ["aa0", "cc2"]
    assert names(split="val") == ["bb1", "ddf"]
    assert names(split="all") == ["aa0", "bb1", "cc2", "ddf"]
    assert names(split="all", size=(6, 9)) == ["aa0", "bb1", "ddf"]
    assert names(size=(8, 8)) == ["cc2"]
    assert names(split="all", size=[6, 9]) == ["aa0", "bb1", "ddf"]
    with pytest.raises(ValueError, match=r"no picture is \(9, 6\).*\(6, 9\): 1, \(8, 8\): 1"):
        DSB2018(tree, size=(9, 6))
    with pytest.raises(ValueError, match='"train", "val" or "all", not \'test\''):
        DSB2018(tree, split="test")


@pytest.mark.parametrize("given", [".", "dsb2018", "dsb2018/stage1_train"])
def test_the_root_may_be_any_of_the_folders(tree, given):
    assert len(DSB2018(tree / given, split="all")) == 4
    assert len(DSB2018(str(tree / given), split="all")) == 4


def test_the_environment_names_the_root_and_the_argument_overrules_it(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("SEGLIB_DATA", str(tree))
    assert len(DSB2018(split="all")) == 4
    monkeypatch.setenv("SEGLIB_DATA", str(tree / "dsb2018"))
    assert len(DSB2018(split="all")) == 4
    with pytest.raises(FileNotFoundError, match="elsewhere"):
        DSB2018(tmp_path / "elsewhere")
    monkeypatch.delenv("SEGLIB_DATA")
    assert data_root().name == "seglib"
    assert data_root("~/pictures") == Path.home() / "pictures"


def test_another_set_under_the_root_is_not_taken_for_nuclei(tmp_path):
    save(tmp_path / "cats/images/a.png", colours())
    with pytest.raises(FileNotFoundError, match="no DSB2018 pictures"):
        DSB2018(tmp_path)


def test_missing_data_say_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGLIB_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"DSB2018\(download=True\) fetches.*stage1_train\.zip there by hand"):
        DSB2018()
    assert not list(tmp_path.iterdir())  # nothing was created


def test_broken_pictures_of_nuclei_are_named(tree):
    folder = tree / "dsb2018/stage1_train"
    save(folder / "ddf/masks/00ddf.png", block(slice(0, 2), slice(0, 2), (9, 6)))
    with pytest.raises(ValueError, match=r"00ddf\.png is \(9, 6\) but .*ddf\.png \(6, 9\)"):
        DSB2018(tree, split="val")[1]
    path = folder / "aa0/masks/00aa0.png"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match=r"00aa0\.png is damaged or cut off"):
        DSB2018(tree)[0]
    (folder / "cc2/images/cc2.png").unlink()
    with pytest.raises(ValueError, match=r"cc2\.png is missing"):
        DSB2018(tree)[1]
    (folder / "bb1/masks").rmdir()
    with pytest.raises(ValueError, match=r"masks is missing: only stage1_train"):
        DSB2018(tree, split="val")[0]


@pytest.fixture(scope="module")
def real():
    if not os.environ.get("SEGLIB_DATA"):
        pytest.skip("SEGLIB_DATA is not set")
    try:
        return DSB2018(split="all", size=(256, 256))
    except FileNotFoundError:
        pytest.skip("SEGLIB_DATA has no DSB2018")


def test_real_nuclei(real):
    train, val = (DSB2018(split=split, size=(256, 256)) for split in ("train", "val"))
    assert len(train) + len(val) == len(real)
    assert not set(train.paths) & set(val.paths)
    assert 0.4 < len(train) / len(real) < 0.6
    for index in range(0, len(real), 9):
        sample, path = real[index], real.paths[index]
        files = sorted((path.parent.parent / "masks").glob("*.png"))
        masks = np.stack([np.asarray(Image.open(file)) > 0 for file in files])
        assert sample["image"].shape == (3, 256, 256)
        assert sample["image"].min() >= 0
        assert sample["image"].max() <= 1
        assert sample["instances"].unique().numel() - 1 == sample["instances"].max() == len(files)
        assert np.array_equal(sample["mask"].numpy() > 0, masks.any(axis=0))
        for number, mask in enumerate(masks, start=1):
            assert (mask & (sample["instances"].numpy() == number)).sum() >= mask.sum() - 2
