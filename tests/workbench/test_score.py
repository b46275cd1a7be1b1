"""`seglib score`: figures by hand, each picture counted once, nothing passed over in silence."""

import json
import re
import tracemalloc

import numpy as np
import pytest
from picture_files import nuclei_tree, save
from PIL import Image

from seglib.metrics import average_precision
from workbench.cli import main
from workbench.drawing import save_labels
from workbench.formats.coco import coco_content
from workbench.objects import boxes
from workbench.predicting import as_annotation

TRUE = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 255, 255]], np.uint8)
FOUND = np.array([[0, 1, 1, 1], [0, 0, 1, 1], [2, 1, 0, 0]], np.uint8)


def scored(tmp_path, *arguments):
    status = main(["score", *map(str, arguments), "--json", str(tmp_path / "scores.json")])
    return status, json.loads((tmp_path / "scores.json").read_text()) if status == 0 else None


def folders(tmp_path, found, true):
    for kind, maps in (("found", found), ("true", true)):
        for name, labels in maps.items():
            save(tmp_path / kind / f"{name}.png", labels)
    return tmp_path / "found", tmp_path / "true"


def test_figures_by_hand(tmp_path, capsys):
    status, report = scored(tmp_path, *folders(tmp_path, {"a": FOUND}, {"a": TRUE}))
    assert status == 0
    # class 0: 3 of 4; class 1: 4 shared of 6; class 2: 1 of 2; the two void pixels count for nothing
    assert [each["IoU"] for each in report["classes"].values()] == pytest.approx([3 / 4, 4 / 6, 1 / 2])
    assert [each["Dice"] for each in report["classes"].values()] == pytest.approx([6 / 7, 8 / 10, 2 / 3])
    assert report["mean"]["IoU"] == pytest.approx(23 / 36)
    assert report["pictures"]["a"] == report["mean"]
    assert "AP" not in report["mean"]  # nobody told objects apart
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["class", "IoU", "Dice", "boundary", "F1"]
    assert table[2].split()[:3] == ["1", "0.6667", "0.8000"]


def test_pixels_are_pooled_over_pictures_and_pictures_stand_alone(tmp_path):
    true = {"a": np.array([[1] * 10, [0] * 10], np.uint8), "b": np.array([[1, 0, 0, 0]], np.uint8)}
    found = {"a": np.array([[1] * 9 + [0], [0] * 10], np.uint8), "b": np.array([[0, 0, 0, 1]], np.uint8)}
    _, report = scored(tmp_path, *folders(tmp_path, found, true))
    assert report["classes"]["1"]["IoU"] == pytest.approx(9 / 12)  # not the mean of 0.9 and 0
    assert report["pictures"]["b"]["IoU"] == pytest.approx((2 / 4 + 0) / 2)


def predicted(folder, name, instances, scores):
    """A folder as `seglib predict` writes it, of one picture."""
    save_labels(folder / "labels" / f"{name}.png", (instances > 0).astype(np.uint8))
    found = [
        as_annotation(score, 1, *place, instances.shape) for place, score in zip(boxes(instances), scores, strict=True)
    ]
    coco = coco_content([(f"{name}.png", instances.shape, found)], ["background", "nucleus"])
    (folder / "objects.json").write_text(json.dumps(coco))
    (folder / "classes.txt").write_text("background\nnucleus\n")
    return folder


def test_objects_are_scored_where_both_sides_tell_them_apart(tmp_path):
    true, found = np.zeros((20, 20), int), np.zeros((20, 20), int)
    true[2:8, 2:8], true[12:18, 2:8], true[2:8, 12:18] = 1, 2, 3
    found[2:8, 2:8], found[12:16, 2:8], found[12:18, 12:18] = 1, 2, 3  # whole, two thirds, invented
    folder = predicted(tmp_path / "found", "a", found, [0.9, 0.8, 0.7])
    status, report = scored(tmp_path, folder, predicted(tmp_path / "true", "a", true, [1, 1, 1]))
    assert status == 0
    # SQ = (1 + 2/3) / 2, RQ = 2 / (2 + 1/2 + 1/2)
    assert report["classes"]["nucleus"]["PQ"] == pytest.approx(5 / 6 * 2 / 3)
    masks = {"masks": found == np.arange(1, 4)[:, None, None], "labels": [1] * 3, "scores": [0.9, 0.8, 0.7]}
    wanted = average_precision([masks], [{"masks": true == np.arange(1, 4)[:, None, None], "labels": [1] * 3}])
    assert report["mean"]["AP"] == pytest.approx(wanted["AP"])
    assert report["mean"]["AP50"] == pytest.approx(wanted["AP50"])
    assert report["pictures"]["a"]["PQ"] == pytest.approx(5 / 9)


def test_the_held_back_pictures_of_a_set_score_perfectly_against_themselves(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGLIB_DATA", str(nuclei_tree(tmp_path)))
    instances = np.zeros((6, 9), int)
    instances[0:3, 0:4] = 1
    folder = predicted(tmp_path / "found", "ddf", instances, [0.5])
    save_labels(folder / "labels" / "bb1.png", np.zeros((6, 9), np.uint8))
    coco = json.loads((folder / "objects.json").read_text())
    coco["images"].append({"id": 2, "file_name": "bb1.png", "height": 6, "width": 9})
    (folder / "objects.json").write_text(json.dumps(coco))
    status, report = scored(tmp_path, folder, "dsb2018")
    assert status == 0
    assert report["classes"]["nucleus"] == {key: 1 for key in ("IoU", "Dice", "boundary_F1", "AP", "AP50", "PQ")}
    assert report["pictures"]["bb1"]["AP"] is None  # nothing to find


@pytest.mark.parametrize(
    ("found", "true", "message"),
    [
        ({"a": FOUND}, {"a": TRUE, "b": TRUE}, r"b has no prediction \(1 of 2 pictures\)"),
        ({"a": FOUND, "b": FOUND}, {"a": TRUE}, r"b is not in the truth"),
        ({"a": FOUND[:2]}, {"a": TRUE}, r"a: the prediction is \(2, 4\), the truth \(3, 4\)"),
        ({"a": FOUND}, {"a": np.where(TRUE == 1, 255, 0).astype(np.uint8)}, "pass --foreground 255"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, capsys, found, true, message):
    assert scored(tmp_path, *folders(tmp_path, found, true)) == (1, None)
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.parametrize("value", [1, 255])
def test_black_and_white_maps(tmp_path, value):
    true = np.array([[0, 255, 255]], np.uint8)
    found, truth = folders(tmp_path, {"a": np.array([[0, 0, value]], np.uint8)}, {"a": true})
    status, report = scored(tmp_path, found, truth, "--foreground", "255")
    assert status == 0
    assert report["classes"]["object"]["IoU"] == pytest.approx(1 / 2)


def test_colours_of_a_class_table_are_read(tmp_path):
    colours = np.array([(0, 0, 0), (255, 0, 0)], np.uint8)
    save(tmp_path / "truth/labels/a.png", colours[[[0, 1, 1]]])
    (tmp_path / "truth/classes.csv").write_text("ground,0,0,0\ntree,255,0,0\n")
    save(tmp_path / "found/a.png", np.array([[0, 0, 1]], np.uint8))
    status, report = scored(tmp_path, tmp_path / "found", tmp_path / "truth")
    assert status == 0
    assert report["classes"]["tree"]["IoU"] == pytest.approx(1 / 2)


@pytest.mark.slow
def test_a_picture_of_many_objects_takes_little_memory(tmp_path):
    """Of 144 objects in a megapixel, one mask each on both sides would be 290 MB."""
    instances = np.arange(1, 145).reshape(12, 12).repeat(83, 0).repeat(83, 1).astype(np.int32)
    instances[::83] = 0
    folder = predicted(tmp_path / "found", "a", instances, np.linspace(0, 1, 144))
    tracemalloc.start()
    status, report = scored(tmp_path, folder, folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert status == 0
    assert report["mean"]["PQ"] == 1
    assert peak < 150e6


def test_label_maps_show_the_courses_colours(tmp_path):
    save_labels(tmp_path / "a.png", TRUE)
    image = Image.open(tmp_path / "a.png")
    assert image.mode == "P"
    assert np.array_equal(np.array(image), TRUE)
    assert image.convert("RGB").getpixel((3, 2)) == (170, 170, 170)
