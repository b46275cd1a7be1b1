"""What `--data` takes: folders with and without val/, and the sets that torchvision reads, on trees of their layout."""

import numpy as np
import pytest
import torch
from picture_files import colours, own_pictures, save
from PIL import Image

from workbench.cli import main
from workbench.sets import NAMES, centre, training_sets
from workbench.torchvision_sets import oxford_pets, voc

PETS = [f"Abyssinian_{n}" for n in (100, 101, 102)] + [f"american_bulldog_{n}" for n in (1, 2, 10, 100)]
TRIMAP = np.array([[2, 2, 3, 1], [2, 3, 1, 1], [2, 2, 3, 3]], np.uint8)
# Classes 15 = person and 2 = bicycle, with borders of 255.
CLASSES = np.array([[255, 255, 255, 0, 0], [255, 15, 255, 2, 255], [255, 255, 255, 2, 255]], np.uint8)
LISTED = {"train": ["2007_000032", "2011_003276"], "val": ["2007_000033"]}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Both sets as their archives hold them; pictures in no list lie there, too."""
    home = tmp_path / "oxford-iiit-pet"
    for name in [*PETS, "Abyssinian_34"]:
        save(home / f"images/{name}.jpg", colours(3, 4))
        save(home / f"annotations/trimaps/{name}.png", TRIMAP)
        (home / f"annotations/trimaps/._{name}.png").write_text("Mac OS X")
    lines = [f"{name} {1 + name.startswith('am')} {1 + name.startswith('am')} 1\n" for name in PETS]
    (home / "annotations/trainval.txt").write_text("".join(lines))
    home = tmp_path / "VOCdevkit/VOC2012"
    (home / "ImageSets/Segmentation").mkdir(parents=True)
    for split, names in LISTED.items():
        (home / f"ImageSets/Segmentation/{split}.txt").write_text("".join(f"{name}\n" for name in names))
    for name in [*LISTED["train"], *LISTED["val"], "2008_000001"]:
        save(home / f"JPEGImages/{name}.jpg", colours(3, 5))
        image = Image.fromarray(CLASSES, "P")
        image.putpalette([value for index in range(256) for value in (index, 128, 255 - index)])
        (home / "SegmentationClass").mkdir(exist_ok=True)
        image.save(home / f"SegmentationClass/{name}.png")
    monkeypatch.setenv("SEGLIB_DATA", str(tmp_path))
    return tmp_path


def test_networks_are_scored_on_the_middle():
    image = torch.arange(260 * 300.0).reshape(1, 260, 300)
    assert torch.equal(centre({"image": image})["image"], image[:, 2:258, 22:278])
    small = centre({"image": image[:, :10, :11], "mask": torch.ones(10, 11, dtype=torch.int64)})
    assert small["mask"].shape == (256, 256)
    assert (small["mask"][123:133, 123:134] == 1).all()
    assert (small["mask"] == 255).sum() == 256**2 - 110


def test_voc_gives_its_classes_with_void_along_the_outlines(root):
    data = voc("train")
    assert [sample["name"] for sample in data] == LISTED["train"]
    assert [sample["name"] for sample in voc("val")] == LISTED["val"]
    assert data[0]["mask"].tolist() == CLASSES.tolist()
    assert data[0]["image"].shape == (3, 3, 5)
    assert [data.classes[label] for label in (0, 2, 15, 20)] == ["background", "bicycle", "person", "tvmonitor"]
    save(root / "VOCdevkit/VOC2012/SegmentationClass/2007_000032.png", np.full((3, 5), 21, np.uint8))
    with pytest.raises(ValueError, match=r"2007_000032\.png holds the labels 21; wanted are 0, 1, 2, 3, 4 \.\.\. 255"):
        data[0]


def test_pets_are_cut_out_with_a_void_border(root):
    data = oxford_pets()
    assert [sample["name"] for sample in data] == PETS
    assert data[0]["mask"].tolist() == [[0, 0, 255, 1], [0, 255, 1, 1], [0, 0, 255, 255]]
    assert data.classes == ("background", "pet")
    save(root / f"oxford-iiit-pet/annotations/trimaps/{PETS[0]}.png", TRIMAP - 1)
    with pytest.raises(ValueError, match=r"Abyssinian_100\.png holds the labels 0; wanted are 1, 2, 3, 255"):
        data[0]


def test_both_are_sets_to_train_on(root):
    train, val, facts = training_sets("oxford_pets", 32)
    assert (len(train), len(val), facts["classes"]) == (6, 1, ["background", "pet"])
    train, val, facts = training_sets("voc", 32)
    assert (len(train), len(val), len(facts["classes"])) == (2, 1, 21)
    assert train[0]["mask"].shape == (32, 32)


@pytest.mark.parametrize(("name", "kind"), [("voc", "VOCSegmentation"), ("oxford_pets", "OxfordIIITPet")])
def test_a_missing_set_says_how_to_get_it(tmp_path, monkeypatch, capsys, name, kind):
    monkeypatch.setenv("SEGLIB_DATA", str(tmp_path))
    assert main(["train", "--model", "unet", "--data", name, "--out", str(tmp_path / "run")]) == 1
    assert f"torchvision.datasets.{kind}('{tmp_path}', download=True) fetches it" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_val_every_fifth_picture_of_train_is_held_back(tmp_path, capsys):
    own_pictures(tmp_path / "own/train")
    own_pictures(tmp_path / "own/test")
    command = ["train", "--model", "unet", "--data", str(tmp_path / "own"), "--foreground", "255", "--workers", "0"]
    short = ["--steps", "1", "--batch-size", "2", "--crop", "32"]
    assert main([*command, *short, "--out", str(tmp_path / "run")]) == 0
    assert "has no val/: every fifth picture of train/ is held back to score on, 1 in all" in capsys.readouterr().out
    train, val, _ = training_sets(str(tmp_path / "own"), 32, {"foreground": 255})
    assert [sample["name"] for sample in val] == ["4"]
    assert sorted(sample["name"] for sample in train) == ["0", "1", "2", "3"]
    (tmp_path / "own/train").rename(tmp_path / "own/val")
    assert main([*command, *short, "--out", str(tmp_path / "other")]) == 1
    assert "own has val, test, but no train/ to learn from" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_a_foreground_is_refused_for_named_sets(tmp_path, capsys, name):
    command = ["train", "--model", "unet", "--data", name, "--foreground", "1", "--out", str(tmp_path / "run")]
    assert main(command) == 1
    assert f"--foreground is for a folder of your own; what the masks of {name} mean" in capsys.readouterr().err
