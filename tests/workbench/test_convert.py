"""`seglib data convert` of COCO, YOLO and VOC: to the pixel, and what is wrong named with its place."""

import json

import numpy as np
import pytest
from annotated import block, classes, coco, convert, pictures, write_json
from picture_files import save
from PIL import Image

from seglib.datasets import CocoDataset
from workbench.cli import main
from workbench.layouts import open_folder


def test_coco_with_all_that_exporters_do_to_it(tmp_path, capsys):
    content = coco("images\\a.png")
    content["categories"][:0] = [
        {"id": 0, "name": "cells", "supercategory": "none"},  # Roboflow's root
        {"id": 4, "name": "background", "supercategory": ""},
        {"id": 7, "name": "cell", "supercategory": "cells"},  # a name that comes again, without annotations
        {"id": 8, "name": "rare", "supercategory": ""},
    ]
    pictures(tmp_path / "in/images", "a.png", "b.png")
    content["images"].append({"id": 6, "width": 16, "height": 12, "file_name": "images\\b.png"})
    write_json(tmp_path / "in/result.json", content, start="\ufeff")
    status, mask = convert(tmp_path)
    assert status == 0
    assert classes(tmp_path) == ["background", "cell", "rare", "crowd of cells"]
    assert np.array_equal(mask(), block(1, 3))
    assert not mask("b").any()
    assert "all: 2 pictures, 2 objects" in capsys.readouterr().out
    # What was written is read by the other commands and by CocoDataset, the same to the pixel.
    data = open_folder(tmp_path / "out")
    assert data.classes == ("background", "cell", "rare", "crowd of cells")
    sample = CocoDataset(tmp_path / "out/images", tmp_path / "out/objects.json")[0]
    assert np.array_equal(sample["mask"].numpy(), block(1, 3))
    assert sample["boxes"].tolist() == [[2, 1, 7, 5], [10, 7, 14, 10]]
    assert sample["iscrowd"].tolist() == [0, 1]
    assert main(["data", "check", str(tmp_path / "out"), "--page", str(tmp_path / "page.html")]) == 0


def test_splits_of_roboflow_and_of_coco_are_kept(tmp_path):
    for split in ("train", "valid"):
        pictures(tmp_path / "in" / split, f"{split}.jpg")
        write_json(tmp_path / "in" / split / "_annotations.coco.json", coco(f"{split}.jpg"))
    assert convert(tmp_path)[0] == 0
    for split, name in (("train", "train"), ("val", "valid")):
        assert (tmp_path / f"out/images/{split}/{name}.jpg").is_file()
        assert np.array_equal(np.array(Image.open(tmp_path / f"out/masks/{split}/{name}.png")), block(1, 2))
        assert (tmp_path / f"out/objects_{split}.json").is_file()
    large = tmp_path / "large"
    pictures(large / "train2017", "a.png")
    pictures(large / "val2017", "a.png")  # the same name in another split
    for split in ("train", "val"):
        write_json(large / f"annotations/instances_{split}2017.json", coco())
        write_json(large / f"annotations/captions_{split}2017.json", {"images": [], "annotations": []})
    assert main(["data", "convert", str(large), str(tmp_path / "second")]) == 0
    assert (tmp_path / "second/masks/val/a.png").is_file()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bbox": None, "segmentation": []}, "result.json: annotation 1: "),
        ({"segmentation": None, "bbox": ["x", 1, 2, 3]}, "result.json: annotation 1: could not convert"),
        ({"category_id": 77}, "result.json: annotation 1: there is no 77"),
        ({"image_id": 6}, "result.json: annotations belong to image 6"),
        ({"image_id": [1]}, "result.json: annotation 1: "),
        ({"segmentation": [[{"x": 1, "y": 2}] * 6]}, "a.png: "),
        ({"segmentation": {"size": None, "counts": [1]}}, "a.png: its RLE is of height and width None"),
        ({"segmentation": {"counts": [1]}}, "a.png: there is no 'size'"),
        ({"segmentation": [[900, 900, 950, 900, 950, 950]]}, "a.png: its polygon's point"),
    ],
)
def test_faulty_annotations_are_named(tmp_path, capsys, changes, message):
    pictures(tmp_path / "in", "a.png")
    write_json(tmp_path / "in/result.json", coco(**changes))
    assert convert(tmp_path)[0] == 1
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("file_name", "message"),
    [
        (None, "image 5: the name of its picture is None"),
        (12, "is 12"),
        ("b.png", "image 5: there is no picture b.png"),
    ],
)
def test_faulty_names_of_pictures_are_named(tmp_path, capsys, file_name, message):
    pictures(tmp_path / "in", "a.png")
    write_json(tmp_path / "in/result.json", coco(file_name))
    assert convert(tmp_path)[0] == 1
    assert message in capsys.readouterr().err


def test_sizes_that_differ_and_double_names_are_refused(tmp_path, capsys):
    pictures(tmp_path / "in", "a.png", size=(16, 12))
    write_json(tmp_path / "in/result.json", coco())
    assert convert(tmp_path)[0] == 1
    assert "a.png: it is (16, 12) (height, width), but was annotated as (12, 16)" in capsys.readouterr().err
    pictures(tmp_path / "in/x", "b.png")
    pictures(tmp_path / "in/y", "b.png")
    write_json(tmp_path / "in/result.json", coco("b.png"))
    assert convert(tmp_path)[0] == 1
    assert "may both be its picture b.png" in capsys.readouterr().err
    write_json(tmp_path / "in/result.json", coco("x\\b.png"))
    assert convert(tmp_path)[0] == 0
    assert convert(tmp_path)[0] == 1
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["yaml list", "yaml numbers", "classes.txt", "none"])
def test_yolo(tmp_path, capsys, form):
    pictures(tmp_path / "in/images/train", "a.jpg", "empty.png")
    pictures(tmp_path / "in/images/val", "v.png")
    for name, text in (("train/a", "1 0.125 0.083333 0.4375 0.083333 0.4375 0.416667 0.125 0.416667\n"), ("val/v", "")):
        path = tmp_path / f"in/labels/{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "0 0.75 0.708333 0.25 0.25\n")  # a box: middle and size
    (tmp_path / "in/README.txt").write_text("nothing\n")
    if form.startswith("yaml"):
        names = "names: [nut, 'cell']" if form == "yaml list" else "names:\n  0: nut\n  1: cell"
        (tmp_path / "in/data.yaml").write_text(f"train: ../train/images\nnc: 2\n{names}\n")
    elif form == "classes.txt":
        (tmp_path / "in/classes.txt").write_text("nut\ncell\n")
    assert convert(tmp_path)[0] == 0
    assert classes(tmp_path) == ["background", *(["class 00", "class 01"] if form == "none" else ["nut", "cell"])]
    assert np.array_equal(np.array(Image.open(tmp_path / "out/masks/train/a.png")), block(2, 1))
    assert (tmp_path / "out/images/val/v.png").is_file()
    told = capsys.readouterr().out
    assert "note: 2 objects have a box and no outline" in told
    assert "note: 1 pictures have no label file" in told
    assert ("3 objects have numbers for classes: write their names" in told) == (form == "none")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 20 10 50 10 50 40", "a.txt, line 2: holds [20. 10."),
        ("5 0.1 0.1 0.2 0.2", "a.txt, line 2: there is no 5"),
        ("cell 0.1 0.1 0.2 0.2", "a.txt, line 2: invalid literal"),
        ("0 0.1 0.1 0.2 0.2 0.3", "a.txt, line 2: "),
        ("0 0.1", "a.txt, line 2: holds [0.1]"),
        ("0 0.1 nan 0.2 0.2", "a.txt, line 2: holds"),
    ],
)
def test_faulty_lines_of_yolo_are_named(tmp_path, capsys, line, message):
    pictures(tmp_path / "in", "a.png")
    (tmp_path / "in/a.txt").write_text(f"0 0.5 0.5 0.1 0.1\n{line}\n")
    (tmp_path / "in/obj.names").write_text("nut\n")
    assert convert(tmp_path)[0] == 1
    assert message in capsys.readouterr().err


def test_labels_of_yolo_without_a_picture_are_refused(tmp_path, capsys):
    pictures(tmp_path / "in/images", "a.png")
    (tmp_path / "in/labels").mkdir()
    (tmp_path / "in/labels/b.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    assert convert(tmp_path)[0] == 1
    assert "b.txt has no picture (1 of 1 have none)" in capsys.readouterr().err


PALETTE = [(0, 0, 0), (128, 0, 0), (0, 128, 0)]  # VOC's first colours


def voc(folder, name, labels, ids=None):
    """Masks as VOC's: palettes, 255 along the outlines."""
    for kind, array in (("Class", labels), ("Object", ids)):
        if array is not None:
            image = Image.fromarray(array)
            image.putpalette([value for colour in PALETTE for value in colour] + [0] * 753)
            (folder / f"Segmentation{kind}").mkdir(exist_ok=True)
            image.save(folder / f"Segmentation{kind}/{name}.png")


def test_voc_with_lists_objects_and_void(tmp_path):
    labels, home = block(9, 15), tmp_path / "in/VOC2012"
    labels[4, 2:7] = 255
    ids = np.where(labels == 9, 1, np.where(labels == 255, 255, 0)).astype(np.uint8)  # nobody told the persons apart
    pictures(home / "JPEGImages", "2007_1.jpg", "2007_2.jpg", "2007_3.jpg")
    for name in ("2007_1", "2007_2"):
        voc(home, name, labels, ids)
    (home / "ImageSets/Segmentation").mkdir(parents=True)
    for split, names in (("train", "2007_1\n"), ("val", "2007_2\n"), ("trainval", "2007_1\n2007_2\n")):
        (home / f"ImageSets/Segmentation/{split}.txt").write_text(names)
    assert convert(tmp_path)[0] == 0
    assert classes(tmp_path)[9:16:6] == ["chair", "person"]
    assert np.array_equal(np.array(Image.open(tmp_path / "out/masks/val/2007_2.png")), labels)
    found = json.loads((tmp_path / "out/objects_train.json").read_text())["annotations"]
    assert [(each["category_id"], each["area"], each["iscrowd"]) for each in found] == [(9, 15, 0), (15, 12, 1)]
    assert not (tmp_path / "out/images/val/2007_3.jpg").exists()


def test_cvat_masks_with_a_labelmap(tmp_path):
    colours = np.array([(0, 0, 0), (250, 50, 83), (51, 221, 255)], np.uint8)
    pictures(tmp_path / "in/JPEGImages", "a.png")
    save(tmp_path / "in/SegmentationClass/a.png", colours[block(2, 1)])
    save(
        tmp_path / "in/SegmentationObject/a.png", np.array([(0, 0, 0), (128, 0, 0), (0, 128, 0)], np.uint8)[block(1, 2)]
    )
    (tmp_path / "in/labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncar:250,50,83::\nroad:51,221,255::\n"
    )
    (tmp_path / "in/ImageSets/Segmentation").mkdir(parents=True)
    (tmp_path / "in/ImageSets/Segmentation/default.txt").write_text("a\n")
    status, mask = convert(tmp_path)
    assert status == 0
    assert classes(tmp_path) == ["background", "car", "road"]
    assert np.array_equal(mask(), block(2, 1))
    assert len(json.loads((tmp_path / "out/objects.json").read_text())["annotations"]) == 2


def test_labelmes_voc_export_without_objects(tmp_path):
    pictures(tmp_path / "in/JPEGImages", "a.jpg")
    (tmp_path / "in").mkdir(exist_ok=True)
    voc(tmp_path / "in", "a", block(1, 2))
    (tmp_path / "in/class_names.txt").write_text("_background_\nnut\nbolt")
    status, mask = convert(tmp_path)
    assert status == 0
    assert np.array_equal(mask(), block(1, 2))
    assert classes(tmp_path) == ["background", "nut", "bolt"]
    assert not (tmp_path / "out/objects.json").exists()  # nobody told objects apart
    voc(tmp_path / "in", "a", block(1, 7))
    assert main(["data", "convert", str(tmp_path / "in"), str(tmp_path / "second")]) == 1
