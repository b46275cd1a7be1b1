"""`seglib data check`: what is planted into a small set is found, and nothing else."""

import argparse
import re
import shutil

import numpy as np
import pytest
import torch
from picture_files import labels, save
from PIL import Image
from scipy import ndimage

from workbench import checking, data, twins
from workbench.checking import check_folder, difference_hash

RNG = np.random.default_rng(3)


def scene(rows=40, cols=50):
    """A picture with large structures, which small changes don't alter."""
    blobs = ndimage.gaussian_filter(RNG.normal(size=(rows, cols, 3)), (6, 6, 0))
    return ((blobs - blobs.min()) / np.ptp(blobs) * 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    return small_set(tmp_path)


def small_set(tmp_path):
    """Six pictures in two splits, and a table of two classes."""
    for split in ("train", "test"):
        for number in range(3):
            save(tmp_path / f"set/{split}/images/{split}{number}.png", scene())
            save(tmp_path / f"set/{split}/masks/{split}{number}.png", labels(40, 50))
    (tmp_path / "set/classes.txt").write_text("ground\ntree\n")
    return tmp_path / "set"


def check(folder, *more):
    parser = argparse.ArgumentParser()
    data.add_parser(parser.add_subparsers(dest="command"))
    return data.run(
        parser.parse_args(["data", "check", str(folder), "--page", str(folder.parent / "page.html"), *more])
    )


def faults(folder):
    """{kind: number of faults}."""
    return {kind: len(sentences) for kind, sentences in check_folder(folder).faults.items()}


def test_a_sound_set_is_described(folder, capsys):
    for number, value in ((0, 0), (1, 255)):
        save(folder / f"test/masks/test{number}.png", np.full((40, 50), value, np.uint8))
    save(folder / "test/images/test2.png", scene(60, 30)[..., 0])
    mask = np.zeros((60, 30), np.uint8)
    mask[:45] = 1
    save(folder / "test/masks/test2.png", mask)
    assert check(folder) == 0
    lines = [re.sub(" +", " ", line.strip()) for line in capsys.readouterr().out.splitlines()]
    ones = sum(int(np.asarray(Image.open(path)).sum()) for path in (folder / "train/masks").iterdir())
    pixels, trees = 5 * 2000 + 1800, ones + 1350
    assert lines == [
        f"{folder}: 6 pictures",
        "splits:",
        "train 3",
        "test 3",
        "sizes (height x width):",
        "40 x 50 5",
        "60 x 30 1",
        "channels:",
        "colour, 8 bits 5",
        "grey, 8 bits 1",
        "classes:",
        f"ground {(pixels - trees - 2000) / pixels:.2%} of the pixels, in 5 pictures",
        f"tree {trees / pixels:.2%} of the pixels, in 4 pictures",
        f"void {2000 / pixels:.2%} of the pixels, in 1 pictures",
        "nothing is wrong",
        f"pictures: {folder.parent / 'page.html'}",
    ]


def test_missing_broken_and_foreign_files_are_told(folder, capsys):
    (folder / "train/masks/train0.png").unlink()
    (folder / "test/images/test0.png").unlink()
    path = folder / "test/masks/test1.png"
    path.write_bytes(path.read_bytes()[:60])
    (folder / "test/images/test2.png").write_text("<html>")
    (folder / "test/images/notes.doc").write_text("x")
    save(folder / "train/masks/train1.png", labels(50, 40))
    assert check(folder) == 1
    assert faults(folder) == {"without a partner": 2, "can't be read": 2, "don't belong there": 1, "sizes differ": 1}
    out = capsys.readouterr().out
    assert f"{folder / 'train/images/train0.png'} has no mask" in out
    assert f"{folder / 'test/masks/test0.png'} has no image" in out
    assert "test1.png" in out
    assert "test2.png can't be read" in out
    assert "notes.doc is none of" in out
    assert "train1.png is (50, 40) but" in out


def test_labels_outside_the_table_are_told(folder):
    save(folder / "train/masks/train0.png", np.full((40, 50), 7, np.uint8))
    report = check_folder(folder)
    assert list(report.faults) == ["unknown labels"]
    told = f"{folder / 'train/masks/train0.png'} holds the labels 7; wanted are 0, 1, 255 for ('ground', 'tree')."
    assert report.faults["unknown labels"][0].startswith(told)
    (folder / "classes.txt").unlink()
    report = check_folder(folder)
    assert "wanted are 0, 1, 255 for ('background', 'object')" in report.faults["unknown labels"][0]
    assert "no class table" in report.notes[0]
    save(folder / "train/masks/train0.png", scene()[..., 0])
    assert "grey values" in check_folder(folder).faults["unknown labels"][0]


def test_colours_outside_the_table_are_told(folder):
    table = {"ground": (0, 0, 0), "tree": (0, 128, 0), "lake": (0, 0, 255), "ignore": (9, 9, 9)}
    (folder / "classes.txt").write_text("".join(f"{name} {r} {g} {b}\n" for name, (r, g, b) in table.items()))
    colours = np.array(list(table.values()), np.uint8)
    for path in folder.glob("*/masks/*.png"):
        save(path, colours[labels(40, 50) * 3])
    report = check_folder(folder)
    assert report.faults == {}
    assert report.notes == ["no mask has a pixel of tree, lake"]
    save(folder / "test/masks/test0.png", np.full((40, 50, 3), 8, np.uint8))
    assert (
        check_folder(folder)
        .faults["unknown labels"][0]
        .startswith(
            f"{folder / 'test/masks/test0.png'} holds the colours (8, 8, 8) (red, green, blue), which are none of"
        )
    )


def test_black_and_white_masks_are_refused_as_in_training_until_somebody_says_what_they_mean(folder, capsys):
    (folder / "classes.txt").unlink()
    for path in folder.glob("*/masks/*.png"):
        save(path, labels(40, 50) * 255)
    assert check(folder) == 1
    assert "pass --foreground 255" in capsys.readouterr().out
    assert check(folder, "--foreground", "255") == 0
    out = capsys.readouterr().out
    assert "void" not in out
    assert re.search(r"object +\d\d\.\d\d% of the pixels, in 6 pictures", out)


@pytest.mark.parametrize("with_table", [True, False])
def test_one_mask_of_0_and_255_among_masks_of_0_and_1_is_a_fault(folder, with_table):
    if not with_table:
        (folder / "classes.txt").unlink()
    save(folder / "test/masks/test1.png", 255 * labels(40, 50))
    assert faults(folder) == {"unknown labels": 1}
    assert "test1.png holds 0 and 255 only" in check_folder(folder).faults["unknown labels"][0].replace("\\", "/")


def test_void_among_colours_is_no_fault(folder):
    (folder / "classes.txt").unlink()
    (folder / "classes.csv").write_text("name,red,green,blue\nground,0,0,0\ntree,0,128,0\nvoid,9,9,9\n")
    for number, colours in enumerate((((0, 0, 0), (0, 128, 0)), ((0, 0, 0), (9, 9, 9)), ((0, 128, 0), (9, 9, 9)))):
        for split in ("train", "test"):
            mask = np.array(colours, np.uint8)[labels(40, 50)]
            save(folder / f"{split}/masks/{split}{number}.png", mask)
    assert faults(folder) == {}


def test_equal_files_are_duplicates_in_a_split_and_leakage_across(folder):
    shutil.copy(folder / "train/images/train0.png", folder / "train/images/train1.png")
    assert faults(folder) == {"duplicates": 1}
    shutil.copy(folder / "train/images/train0.png", folder / "test/images/test2.png")
    report = check_folder(folder)
    assert {kind: len(told) for kind, told in report.faults.items()} == {"duplicates": 1, "leakage between splits": 1}
    names = [str(folder / name) for name in ("test/images/test2.png", "train/images/train0.png")]
    assert report.faults["leakage between splits"][0].startswith(
        f"{names[0]} is the same file as {names[1]}: test and train"
    )


@pytest.mark.parametrize("change", ["jpeg", "darker", "smaller", "noise", "cropped"])
def test_nearly_equal_pictures_are_leakage_across_splits_and_noted_within(folder, change):
    original = Image.open(folder / "train/images/train0.png")
    changed = {
        "jpeg": lambda: original,
        "darker": lambda: original.point(lambda value: value * 3 // 5),
        "smaller": lambda: original.resize((25, 20)),
        "noise": lambda: Image.fromarray((np.asarray(original) // 4 * 4).astype(np.uint8)),
        "cropped": lambda: original.crop((1, 1, 50, 40)),
    }[change]()
    for split, kinds in (("train", {}), ("test", {"leakage between splits": 1})):
        (folder / f"{split}/images/{split}2.png").unlink()
        path = folder / f"{split}/images/{split}2.{'jpg' if change == 'jpeg' else 'png'}"
        changed.save(path)
        save(folder / f"{split}/masks/{split}2.png", labels(changed.height, changed.width))
        report = check_folder(folder)
        assert {kind: len(told) for kind, told in report.faults.items()} == kinds
        assert len(report.notes) == 1
        assert "train2" in report.notes[0]
        if split == "train":
            path.rename(folder / "kept")
            save(folder / "train/images/train2.png", scene(changed.height, changed.width))
            report = check_folder(folder)
            assert (report.faults, report.notes) == ({}, [])
            (folder / "train/images/train2.png").unlink()
            (folder / "kept").rename(path)


def test_the_difference_hash_by_hand():
    ramp = torch.linspace(0, 1, 9).expand(3, 8, 9)
    assert difference_hash(ramp).all()
    assert not difference_hash(ramp.flip(2)).any()
    assert difference_hash(ramp / 100).all()  # 12 bits of 16, say
    assert difference_hash(torch.zeros(3, 20, 30)) is None
    assert difference_hash(torch.full((3, 20, 30), 0.5)) is None  # flat pictures resemble each other, and say nothing
    steps = torch.zeros(3, 16, 18)
    steps[:, 4:, 8:10] = 1  # column 4 of 9, rows 2 to 7 of 8
    expected = torch.zeros(8, 8, dtype=torch.bool)
    expected[2:, 3] = True
    assert torch.equal(difference_hash(steps).reshape(8, 8), expected)


@pytest.mark.parametrize(("bits", "found"), [(0, 1), (4, 1), (5, 0)])
def test_four_bits_make_twins_and_five_do_not(bits, found):
    one, two = (checking.CheckedPair("all", name, None, None, digest=name, bits=torch.arange(64) < 9) for name in "ab")
    two.bits = torch.arange(64) < 9 + bits
    assert [distance for *_, distance in twins.find_twins([one, two])] == [bits] * found


def test_twins_are_found_against_a_slow_search():
    names = ["train", "train", "test", "val"]
    base = torch.rand(6, 64) < 0.5
    pictures = []
    for number in range(60):
        bits = base[number % 6].clone()
        flips = torch.randperm(64)[: number % 8]
        bits[flips] = ~bits[flips]
        pictures.append(checking.CheckedPair(names[number % 4], str(number), None, None, digest=str(number), bits=bits))
    found = {(one.name, two.split == one.split): distance for one, two, distance in twins.find_twins(pictures)}
    expected = {}
    for place, one in enumerate(pictures):
        for two in pictures[:place]:
            distance, key = int((one.bits != two.bits).sum()), (one.name, one.split == two.split)
            if distance <= 4 and distance < expected.get(key, 5):
                expected[key] = distance
    assert found == expected
    assert len(found) > 20


def test_what_can_t_be_checked_is_told(folder):
    with pytest.raises(OSError, match="can't be written"):
        check(folder, "--page", str(folder))
    (folder / "classes.txt").write_text("a,b\n")
    with pytest.raises(ValueError, match="neither a name nor"):
        check(folder)
    (folder / "classes.txt").unlink()
    for path in folder.rglob("*.png"):
        path.unlink()
    with pytest.raises(ValueError, match="set holds no pictures"):
        check(folder)
    shutil.rmtree(folder / "train/masks")
    shutil.rmtree(folder / "test/masks")
    with pytest.raises(ValueError, match=r"set holds test, train; recognised are images/"):
        check(folder)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        check(folder / "absent")


def test_a_table_from_elsewhere(folder, tmp_path, capsys):
    (tmp_path / "other.txt").write_text("water\nland\n")
    assert check(folder, "--classes", str(tmp_path / "other.txt")) == 0
    assert "water" in capsys.readouterr().out
