"""Folders as publishers lay them out, and the options that name what is unclear."""

import json
import os

import numpy as np
import pytest
from picture_files import save
from test_one_reading import make, refused_alike

from workbench.cli import main
from workbench.dataset import open_data
from workbench.sets import training_sets

LAYOUTS = {  # publishers' layouts: files of pictures and masks, in pairs; options
    "DRIVE": (
        [(f"training/images/{n}_training.tif", f"training/1st_manual/{n}_manual1.gif") for n in range(21, 27)],
        [f"training/mask/{n}_training_mask.gif" for n in range(21, 27)],
        {"masks": "1st_manual", "foreground": 255},
    ),
    "CWFID": (
        [(f"images/{n:03}_image.png", f"annotations/{n:03}_annotation.png") for n in range(1, 7)],
        [f"masks/{n:03}_mask.png" for n in range(1, 7)],
        {"masks": "annotations", "foreground": 255},
    ),
    "magnetic tiles": (
        [(f"MT_{kind}/Imgs/{n}.jpg", f"MT_{kind}/Imgs/{n}.png") for kind in ("Blowhole", "Crack") for n in (1, 22, 3)],
        [],
        {"foreground": 255},
    ),
    "ISIC": (
        [(f"images/ISIC_{n:07}.jpg", f"masks/ISIC_{n:07}_segmentation.png") for n in range(5)],
        [],
        {"foreground": 255},
    ),
    "CamVid": (
        [(f"images/0016E5_{n:05}.png", f"labels/0016E5_{n:05}_L.png") for n in (390, 420, 4500, 4530, 51)],
        [],
        {"foreground": 255},
    ),
    "Roboflow": (
        [(f"{split}/{n}.jpg", f"{split}/{n}_mask.png") for split in ("train", "valid") for n in "abcde"],
        [],
        {"foreground": 255},
    ),
    "one folder deeper": (
        [(f"images/train2017/{n}.jpg", f"masks/train2017/{n}.png") for n in range(5)],
        [],
        {"foreground": 255},
    ),
    "Cityscapes": (
        [
            (
                f"leftImg8bit/{split}/{town}/{town}_{n}_leftImg8bit.png",
                f"gtFine/{split}/{town}/{town}_{n}_gtFine_labelIds.png",
            )
            for split in ("train", "val")
            for town in ("aachen", "bochum")
            for n in range(3)
        ],
        [],
        {"foreground": 255},
    ),
    "masks beside the pictures": ([(f"{n}.png", f"masks/{n}.png") for n in range(5)], [], {"foreground": 255}),
    "numbers of unequal length": (
        [(f"images/img_{n}.png", f"masks/m{n}.png") for n in (1, 10, 100, 2, 20)],
        [],
        {"foreground": 255},
    ),
}
SYSTEM = ("Thumbs.db", "desktop.ini", ".DS_Store", "._a.png", "notes.yaml", "readme.txt")


@pytest.mark.parametrize("name", LAYOUTS)
def test_publishers_layouts_pair_up(tmp_path, name):
    pairs, others, options = LAYOUTS[name]
    for number, (image, mask) in enumerate(pairs):
        save(tmp_path / image, np.full((8, 8, 3), number, np.uint8))
        save(tmp_path / mask, np.full((8, 8), 255, np.uint8))
        for file in SYSTEM:
            (tmp_path / mask).with_name(file).write_bytes(b"\0\5\26\7")
    for file in others:
        save(tmp_path / file, np.zeros((8, 8), np.uint8))
    data = open_data(tmp_path, **options)
    assert all(not each.faults for each in data.pairs.values())
    found = [(each.images[key], each.masks[key]) for each in data.pairs.values() for key in each.images]
    assert sorted(found) == sorted((tmp_path / image, tmp_path / mask) for image, mask in pairs)
    assert all(each.images.keys() == each.masks.keys() for each in data.pairs.values())


def test_two_folders_of_masks_ask_for_the_option_and_take_it(tmp_path, capsys):
    home = make(tmp_path / "set")
    for number in range(5):
        save(home / f"annotations/p{number}.png", np.zeros((64, 64), np.uint8))
    assert "name one, --masks annotations" in refused_alike(home, tmp_path, capsys)
    assert main(["data", "check", str(home), "--masks", "masks", "--page", str(tmp_path / "p.html")]) == 0


def test_explicit_folders_splits_and_another_set_to_score_on(tmp_path, capsys):
    make(tmp_path / "a")
    make(tmp_path / "b", n=3)
    train, val, _ = training_sets(str(tmp_path / "a"), 32, {"val": [str(tmp_path / "b")]})
    assert (len(train), len(val)) == (5, 3)
    pair = [str(tmp_path / "b/images"), str(tmp_path / "b/masks")]
    train, val, _ = training_sets(str(tmp_path / "a"), 32, {"val": pair})
    assert (len(train), len(val)) == (5, 3)
    (tmp_path / "c/test").mkdir(parents=True)
    (tmp_path / "a").rename(tmp_path / "c/train")
    (tmp_path / "b").rename(tmp_path / "c/test/x")
    for part in ("images", "masks"):
        (tmp_path / f"c/test/x/{part}").rename(tmp_path / f"c/test/{part}")
    train, val, _ = training_sets(str(tmp_path / "c"), 32)
    assert (len(train), len(val)) == (4, 1)
    command = ["data", "check", str(tmp_path / "c"), "--page", str(tmp_path / "p.html"), "--split"]
    assert main([*command, "test"]) == 0
    assert "3 pictures" in capsys.readouterr().out
    assert main([*command, "tset"]) == 1
    assert "c has train, test, no --split tset" in capsys.readouterr().err


def test_pictures_without_a_mask_are_left_out_when_asked_and_counted(tmp_path, capsys):
    home = make(tmp_path / "set", n=7)
    for number in (2, 6):
        (home / f"masks/p{number}.png").unlink()
    check = ["data", "check", str(home), "--page", str(tmp_path / "p.html")]
    assert main(check) == 1
    assert main([*check, "--skip-unlabelled"]) == 0
    assert "note: 2 pictures without a mask are left out" in capsys.readouterr().out
    train, val, _ = training_sets(str(home), 32, {"skip_unlabelled": True})
    assert (len(train), len(val)) == (4, 1)
    held = open_data(home, skip_unlabelled=True, split="held-back").pairs["held-back"]
    assert [*held.images] == [*held.masks] == [val[0]["name"]]
    assert "2 pictures without a mask are left out" in capsys.readouterr().out


def test_a_part_without_the_masks_that_were_named_is_no_truth(tmp_path):
    """DRIVE as it is given out today: in test/ lies the field of view alone."""
    for part, names in (("training", ("21", "22", "23")), ("test", ("01", "02"))):
        for name in names:
            save(tmp_path / f"{part}/images/{name}_{part}.tif", np.zeros((8, 8, 3), np.uint8))
            save(tmp_path / f"{part}/mask/{name}_{part}_mask.gif", np.full((8, 8), 255, np.uint8))
            if part == "training":
                save(tmp_path / f"{part}/1st_manual/{name}_manual1.gif", np.full((8, 8), 255, np.uint8))
    data = open_data(tmp_path, masks="1st_manual", foreground=255)
    assert list(data.places) == ["train"]
    assert len(data.pairs["train"].masks) == 3


def apart_set(home, n=5):
    """As DSB2018: a folder for each picture, with a mask for each of its two touching objects."""
    for number in range(n):
        mask = np.zeros((2, 64, 64), np.uint8)
        mask[0, 10:30, 20:40], mask[1, 30:50, 20 + number : 40] = 255, 255
        place = home / f"{number}a"
        save(place / f"images/{number}a.png", np.dstack([mask.max(0) // 2 + 40] * 3))
        for each, name in zip(mask, "zq", strict=True):
            save(place / f"masks/{name}.png", each)
    return home


def test_a_file_for_every_object_is_read_alike(tmp_path, capsys):
    """DSB2018 as it is unpacked, and other sets of this layout."""
    home = apart_set(tmp_path / "stage1_train")
    assert main(["data", "check", str(home), "--page", str(tmp_path / "page.html")]) == 0
    assert "5 pictures" in capsys.readouterr().out
    train, val, facts = training_sets(str(home), 32)
    assert (len(train), len(val), facts["objects"]) == (4, 1, True)
    assert open_data(home).reader.values(home / "0a/masks").unique().tolist() == [0, 1, 2]
    for number in range(5):
        ids = open_data(home).reader.values(home / f"{number}a/masks").numpy()
        save(tmp_path / f"found/{number}a.png", ids.astype(np.uint8))
    assert main(["score", str(tmp_path / "found"), str(home), "--json", str(tmp_path / "s.json")]) == 0
    assert json.loads((tmp_path / "s.json").read_text())["mean"]["PQ"] == 1
    (home / "3a/images/3a.png").unlink()
    assert main(["data", "check", str(home), "--page", str(tmp_path / "page.html")]) == 1


@pytest.mark.slow
def test_a_file_for_every_object_from_training_to_score(tmp_path):
    home, run, out = apart_set(tmp_path / "stage1_train"), tmp_path / "run", tmp_path / "out"
    short = ["--steps", "1", "--batch-size", "2", "--crop", "32", "--workers", "0"]
    assert main(["train", "--model", "unet", "--data", str(home), "--out", str(run), *short]) == 0
    assert main(["evaluate", str(run), str(home), "--out", str(out)]) == 0
    assert "PQ" in json.loads((out / "scores.json").read_text())["mean"]


def test_a_dead_link_is_called_one(tmp_path):
    """F18."""
    home = make(tmp_path / "set")
    try:
        os.symlink("nowhere", home / "images/p9.png")
    except OSError:
        pytest.skip("links need a right on Windows")
    assert open_data(home).pairs["all"].faults == [f"{home / 'images/p9.png'} is a link to a missing file, nowhere"]
