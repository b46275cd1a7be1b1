"""Folders as people have them: layouts, endings of names, class tables, masks of colours."""

from pathlib import Path

import numpy as np
import pytest
import torch
from picture_files import colours, labels, save
from PIL import Image

from workbench.class_tables import read_table
from workbench.layouts import find_splits, open_folder

SPLITS = ("train", "val", "test")
LAYOUTS = {  # folder: (split, image, mask), all of picture "a"
    "plain": [("all", "images/a.jpg", "masks/a.png")],
    "short": [("all", "imgs/a.png", "Labels/a.tif")],
    "endings": [("all", "PNGImages/a.png", "PedMasks/a_mask.png")],
    "both endings": [("all", "images/a_img.png", "masks/a_seg.png")],
    "below": [(split, f"images/{split}/a.png", f"masks/{split}/a.png") for split in SPLITS],
    "above": [(split, f"{split}/images/a.png", f"{split}/labels/a.png") for split in ("train", "test")],
    "valid": [
        ("val", "valid/images/a.png", "valid/masks/a.png"),
        ("train", "training/images/a.png", "training/gt/a.png"),
    ],
    "segnet": [(split, f"{split}/a.png", f"{split}annot/a.png") for split in SPLITS],
    "kaggle": [(split, f"{split}/a.png", f"{split}_labels/a.png") for split in SPLITS],
    "one folder": [("all", "a.jpg", "a_mask.png")],
    "one folder, label": [("all", "a.tif", "a_label.png")],
    "one folder, both": [("all", "a_image.png", "a_MASK.png")],
    "one folder a split": [(split, f"{split}/a.png", f"{split}/a_seg.png") for split in SPLITS],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_common_layouts_are_recognised(tmp_path, layout):
    expected = {}
    for value, (split, image, mask) in enumerate(LAYOUTS[layout]):
        save(tmp_path / image, np.full((8, 10, 3), 40 * value, np.uint8))
        expected[split] = value, labels()
        save(tmp_path / mask, expected[split][1])
    assert find_splits(tmp_path).keys() == expected.keys()
    for split, (value, mask) in expected.items():
        data = open_folder(tmp_path, split=None if split == "all" else split)
        assert len(data) == 1
        assert data[0]["mask"].tolist() == mask.tolist()
        assert data[0]["image"].mean() == pytest.approx(40 * value / 255, abs=0.01)


def test_a_split_must_be_named_where_there_are_some_and_only_there(tmp_path):
    for split in SPLITS:
        save(tmp_path / f"a/{split}/images/x.png", colours())
        save(tmp_path / f"a/{split}/masks/x.png", labels())
    save(tmp_path / "b/images/x.png", colours())
    save(tmp_path / "b/masks/x.png", labels())
    for split in (None, "trian"):
        with pytest.raises(ValueError, match=r"splits train, val, test: pass one of them as split, not (None|'trian')"):
            open_folder(tmp_path / "a", split=split)
    with pytest.raises(ValueError, match="b is not split into train/, val/ and test/, so leave out split='val'"):
        open_folder(tmp_path / "b", split="val")


def test_what_is_not_recognised_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        open_folder(tmp_path / "nowhere")
    save(tmp_path / "pictures/a.png", colours())
    save(tmp_path / "outlines/a.png", labels())
    with pytest.raises(ValueError, match=r"holds outlines, pictures; recognised are images/ \+ masks/"):
        open_folder(tmp_path)
    save(tmp_path / "two/images/a.png", colours())
    save(tmp_path / "two/masks/a.png", labels())
    save(tmp_path / "two/labels/a.png", labels())
    with pytest.raises(ValueError, match="holds labels, masks: name one, --masks labels"):
        open_folder(tmp_path / "two")
    save(tmp_path / "half/images/val/a.png", colours())
    save(tmp_path / "half/masks/train/a.png", labels())
    with pytest.raises(ValueError, match="train is in only one of images and masks"):
        open_folder(tmp_path / "half", split="train")


def test_a_missing_partner_is_named_with_its_ending(tmp_path):
    for name in ("a", "b"):
        save(tmp_path / f"{name}.png", colours())
        save(tmp_path / f"{name}_mask.png", labels())
    (tmp_path / "b_mask.png").unlink()
    with pytest.raises(ValueError, match=r"image .*b\.png has no mask: wanted is .*b_mask\.png"):
        open_folder(tmp_path)
    Path(tmp_path / "a_mask.png").rename(tmp_path / "a_mask.jpg")
    save(tmp_path / "b_mask.png", labels())
    with pytest.raises(ValueError, match=r"a_mask\.jpg is none of \.png"):
        open_folder(tmp_path)


def test_two_masks_of_a_picture_are_told(tmp_path):
    save(tmp_path / "a.png", colours())
    save(tmp_path / "a_mask.png", labels())
    save(tmp_path / "a_seg.png", labels())
    with pytest.raises(ValueError, match=r"a_seg\.png and a_mask\.png differ only in the endings of their names"):
        open_folder(tmp_path)


TABLE = {"sky": (10, 20, 30), "void": (0, 0, 0), "road": (255, 0, 128), "car": (1, 2, 3)}
PAINTED = np.array([[TABLE["sky"], TABLE["road"], TABLE["car"]], [TABLE["void"], TABLE["sky"], TABLE["car"]]], np.uint8)
IDS = [[0, 1, 2], [255, 0, 2]]


@pytest.fixture
def painted(tmp_path):
    save(tmp_path / "images/a.png", colours(2, 3))
    return save(tmp_path / "masks/a.png", PAINTED)


def test_colours_stand_for_classes(tmp_path, painted):
    data = open_folder(tmp_path, classes=TABLE)
    assert data.classes == ("sky", "road", "car")
    assert data[0]["mask"].tolist() == IDS
    assert data[0]["mask"].dtype == torch.int64


def test_a_palette_s_colours_count_not_its_indices(tmp_path, painted):
    image = Image.fromarray(np.array([[3, 0, 2], [1, 3, 2]], np.uint8), "P")
    image.putpalette([*TABLE["road"], *TABLE["void"], *TABLE["car"], *TABLE["sky"]])
    image.save(painted)
    assert open_folder(tmp_path, classes=TABLE)[0]["mask"].tolist() == IDS
    with pytest.raises(ValueError, match="holds the labels 3"):
        open_folder(tmp_path, classes=tuple("abc"))[0]
    assert open_folder(tmp_path, classes=tuple("abcd"))[0]["mask"].tolist() == [[3, 0, 2], [1, 3, 2]]


def test_grey_is_a_colour_too(tmp_path, painted):
    save(painted, np.array([[0, 255, 255], [0, 0, 255]], np.uint8))
    table = {"background": (0, 0, 0), "cell": (255, 255, 255)}
    assert open_folder(tmp_path, classes=table)[0]["mask"].tolist() == [[0, 1, 1], [0, 0, 1]]
    save(painted, np.array([[0, 300, 1], [0, 0, 1]], np.uint16))
    with pytest.raises(ValueError, match=r"a\.png is a picture of mode I;16.*class table has colours"):
        open_folder(tmp_path, classes=table)[0]


def test_unknown_colours_are_named(tmp_path, painted):
    save(painted, np.where(PAINTED == 128, 127, PAINTED))
    with pytest.raises(
        ValueError, match=r"a\.png holds the colours \(255, 0, 127\) \(red, green, blue\), which are none"
    ):
        open_folder(tmp_path, classes=TABLE)[0]
    with pytest.raises(ValueError, match=r"a\.png is a picture of mode RGB.*pass --classes FILE"):
        open_folder(tmp_path)[0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"a": (0, 0, 0), "b": (0, 0, 0)}, "'a' and 'b' have the same colour"),
        ({"a": (0, 0, 256)}, r"'a' has the colour \(0, 0, 256\)"),
        ({"a": (0, 0)}, r"'a' has the colour \(0, 0\)"),
        ({"a": (0.5, 0, 0)}, r"'a' has the colour \(0.5, 0, 0\)"),
    ],
)
def test_tables_must_make_sense(tmp_path, painted, wrong, message):
    with pytest.raises(ValueError, match=message):
        open_folder(tmp_path, classes=wrong)


WRITTEN = {
    "classes.csv": "name,r,g,b\nsky,10,20,30\nvoid,0,0,0\nroad,255,0,128\ncar,1,2,3\n",
    "class_dict.csv": "\ufeffname, r, g, b\r\nsky, 10, 20, 30\r\nvoid, 0, 0, 0\r\nroad, 255, 0, 128\r\ncar,1,2,3\r\n",
    "label_colors.txt": "10 20 30\tsky\n0 0 0\t\tvoid\n255 0 128\troad\n\n1 2 3\tcar",
    "labelmap.txt": "# label:color_rgb:parts:actions\nsky:10,20,30::\nvoid:0,0,0::\nroad:255,0,128::\ncar:1,2,3::\n",
    "classes.txt": "sky 10 20 30\nvoid 0 0 0\nroad 255 0 128\ncar 1 2 3\n",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_tables_of_many_tools_are_read(tmp_path, painted, name):
    (tmp_path / name).write_bytes(WRITTEN[name].encode())
    assert read_table(tmp_path / name) == TABLE
    assert open_folder(tmp_path)[0]["mask"].tolist() == IDS
    (tmp_path / "classes.csv").write_text("a\n")
    (tmp_path / "classes.txt").write_text("a\n")
    with pytest.raises(ValueError, match=r"classes\.csv and classes\.txt.*: keep one"):
        open_folder(tmp_path)


def test_a_table_of_names_says_which_labels_are_known(tmp_path, painted):
    save(painted, np.array([[0, 2, 1], [255, 0, 2]], np.uint8))
    (tmp_path / "classes.txt").write_text("sky\ntraffic light 2\nroad\n", encoding="utf-8")
    data = open_folder(tmp_path)
    assert data.classes == ("sky", "traffic light 2", "road")
    assert data[0]["mask"].tolist() == [[0, 2, 1], [255, 0, 2]]
    (tmp_path / "classes.txt").write_text("sky\nroad\n")
    with pytest.raises(ValueError, match="holds the labels 2; wanted are 0, 1, 255"):
        open_folder(tmp_path)[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sky,1,2\n", r"line 1: 'sky,1,2' is neither a name nor name,red,green,blue"),
        ("sky\nroad\nsky\n", "line 3: the class 'sky' comes twice"),
        ("sky,1,2,3\nroad\n", "'road' has no colour or label, 1 others have"),
        ("sky,1,2,3\nroad,1,2,3\n", "same colour"),
        ("sky,1,2,300\n", r"colour \(1, 2, 300\)"),
        ("name,r,g,b\n\n", "names no classes"),
    ],
)
def test_a_broken_table_is_told_with_its_line(tmp_path, text, message):
    (tmp_path / "classes.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_table(tmp_path / "classes.csv")
