"""`seglib data convert` of tools that keep shapes: labelme, Label Studio; and what other commands say."""

import base64
import io
import json

import numpy as np
import pytest
from annotated import (
    BLOCK,
    SIZE,
    block,
    classes,
    coco,
    convert,
    labelme,
    pictures,
    studio,
    studio_tasks,
    via,
    write_json,
)
from PIL import Image

from workbench.cli import main
from workbench.formats.shapes import strokes


def test_labelme(tmp_path, capsys):
    buffer = io.BytesIO()
    Image.fromarray(np.array([[0, 1], [1, 1]], np.uint8)).save(buffer, "PNG")
    shapes = [
        ("nut", "polygon", [[2.0, 1.0], [7.0, 1.0], [7.0, 5.0], [2.0, 5.0]], None, None),
        ("bolt", "rectangle", [[14, 10], [10, 7]], 3, None),  # drawn from the lower right
        ("bolt", "rectangle", [[10, 1], [12, 3]], 3, None),  # the same object behind something
        ("__ignore__", "mask", [[0, 6], [1, 7]], None, base64.b64encode(buffer.getvalue()).decode()),
        ("nut", "linestrip", [[0, 0], [3, 3]], None, None),
    ]
    pictures(tmp_path / "in", "a.png", "without.png")
    labelme(tmp_path / "in/json/a.json", shapes, "..\\a.png")
    status, mask = convert(tmp_path)
    assert status == 0
    wanted = block(2, 1)
    wanted[1:3, 10:12] = 1
    wanted[[6, 7, 7], [1, 0, 1]] = 255
    assert classes(tmp_path) == ["background", "bolt", "nut"]
    assert np.array_equal(mask(), wanted)
    assert sorted(each["area"] for each in json.loads((tmp_path / "out/objects.json").read_text())["annotations"]) == [
        *(16, 20)
    ]
    assert "note: 1 points and lines have no area" in capsys.readouterr().out


def test_a_circle_of_labelme_is_round(tmp_path):
    pictures(tmp_path / "in", "a.png", size=(60, 60))
    labelme(tmp_path / "in/a.json", [("disc", "circle", [[30, 30], [30, 10]], None, None)])
    content = json.loads((tmp_path / "in/a.json").read_text()) | {"imageHeight": None, "imageWidth": None}
    write_json(tmp_path / "in/a.json", content)
    _, mask = convert(tmp_path)
    y, x = np.mgrid[:60, :60] + 0.5
    inside = np.hypot(y - 30, x - 30)
    assert (mask()[inside < 19] == 1).all()
    assert not mask()[inside > 21].any()


@pytest.mark.parametrize(("project", "old"), [(True, False), (False, False), (False, True)])
def test_via(tmp_path, capsys, project, old):
    regions = [
        ({"name": "polygon", "all_points_x": [2, 7, 7, 2], "all_points_y": [1, 1, 5, 5]}, {"kind": "cell"}),
        (
            {"name": "rect", "x": 10, "y": 7, "width": 4, "height": 3},
            {"kind": {"nut": True, "cell": False}, "note": "x"},
        ),
        ({"name": "point", "cx": 3, "cy": 3}, {"kind": ""}),
        ({"name": "polyline", "all_points_x": [1, 5], "all_points_y": [1, 5]}, {"kind": "cell"}),
    ]
    pictures(tmp_path / "in/images", "a.png")
    via(tmp_path / "in/via_region_data.json", *regions, project=project, old=old)
    status, mask = convert(tmp_path)
    assert status == 0
    assert classes(tmp_path) == ["background", "cell", "nut"]
    assert np.array_equal(mask(), block(1, 2))
    told = capsys.readouterr().out
    assert "VIA -> " in told
    assert "note: 2 points and lines have no area" in told
    assert "note: 1 regions say more than one thing: the first is their class" in told


def test_round_shapes_of_via(tmp_path):
    circle = {"name": "circle", "cx": 30, "cy": 30, "r": 20}
    ring = {"name": "ellipse", "cx": 90, "cy": 30, "rx": 10, "ry": 20, "theta": np.pi / 2}  # so that it lies
    pictures(tmp_path / "in", "a.png", size=(60, 120))
    via(tmp_path / "in/project.json", (circle, {}), (ring, {}))
    _, mask = convert(tmp_path)
    assert classes(tmp_path) == ["background", "object"]
    y, x = np.mgrid[:60, :120] + 0.5
    far, flat = np.hypot(y - 30, x - 30), np.hypot((y - 30) / 10, (x - 90) / 20)
    assert (mask()[(far < 19) | (flat < 0.9)] == 1).all()
    assert not mask()[(far > 21) & (flat > 1.1)].any()


def test_faulty_regions_of_via_are_named(tmp_path, capsys):
    pictures(tmp_path / "in", "a.png")
    via(tmp_path / "in/project.json", ({"name": "rect", "x": 1, "y": 2, "width": 3}, {}))
    assert convert(tmp_path)[0] == 1
    assert "project.json: a.png1234: there is no 'height'" in capsys.readouterr().err


# What Label Studio's own encoder (label_studio_converter.brush.mask2rle) makes of a mask of 6 x 8 pixels.
STROKES = [0, 0, 0, 192, 57, 27, 254, 39, 0, 183, 255, 132, 192, 45, 255, 225, 48, 11, 127, 249, 28, 2, 63, 240]


def test_strokes_of_a_brush():
    wanted = np.zeros((6, 8), int)
    wanted[1:4, 2:5], wanted[5, 7] = 255, 255
    assert np.array_equal(strokes(STROKES).reshape(6, 8, 4)[..., 3], wanted)


def test_label_studio(tmp_path, capsys):
    share = [100 * value / side for value, side in zip(BLOCK, SIZE[::-1] * 4, strict=True)]
    results = [
        studio({"points": np.reshape(share, (4, 2)).tolist(), "closed": True}, "polygonlabels"),
        studio({"x": 62.5, "y": 700 / 12, "width": 25, "height": 25, "rotation": 0}, "rectanglelabels", "nut"),
        studio({"x": 0, "y": 0, "width": 1}, "keypointlabels"),
        {"type": "choices", "value": {"choices": ["good"]}, "original_width": 16, "original_height": 12},
    ]
    pictures(tmp_path / "in/upload", "a b.png")
    studio_tasks(tmp_path / "in/project-1-at-2024-01-01.json", *results)
    status, mask = convert(tmp_path)
    assert status == 0
    assert classes(tmp_path) == ["background", "cell", "nut"]
    assert np.array_equal(mask("a b"), block(1, 2))
    assert "note: 1 points and lines" in capsys.readouterr().out


def test_label_studios_turned_shapes_and_strokes(tmp_path):
    pictures(tmp_path / "in", "a.png", size=(6, 8))
    brush = studio({"format": "rle", "rle": STROKES}, "brushlabels", original_height=6, original_width=8)
    studio_tasks(tmp_path / "in/export.json", brush, image="/data/local-files/?d=any/a.png")
    _, mask = convert(tmp_path)
    assert np.argwhere(mask()).tolist() == [[y, x] for y in (1, 2, 3) for x in (2, 3, 4)] + [[5, 7]]
    pictures(tmp_path / "turned", "a.png", size=(20, 20))
    turned = {"x": 50, "y": 10, "width": 25, "height": 50, "rotation": 90}  # clockwise around its corner
    ring = {"x": 75, "y": 75, "radiusX": 10, "radiusY": 20, "rotation": 90}
    sized = {"original_height": 20, "original_width": 20}
    results = studio(turned, "rectanglelabels", **sized), studio(ring, "ellipselabels", "ring", **sized)
    studio_tasks(tmp_path / "turned/export.json", *results, image="a.png")
    assert main(["data", "convert", str(tmp_path / "turned"), str(tmp_path / "second")]) == 0
    found = json.loads((tmp_path / "second/objects.json").read_text())["annotations"]
    assert [each["bbox"] for each in found] == [[0, 2, 10, 5], [11, 13, 8, 4]]


def test_pictures_may_lie_in_another_folder(tmp_path, capsys):
    pictures(tmp_path / "in/pictures", "a.png")
    write_json(tmp_path / "project/result.json", coco())
    call = ["data", "convert", str(tmp_path / "project"), str(tmp_path / "out")]
    assert main(call) == 1
    assert "there is no picture a.png below" in capsys.readouterr().err
    assert main([*call, "--images", str(tmp_path / "in")]) == 0
    assert np.array_equal(np.array(Image.open(tmp_path / "out/masks/a.png")), block(1, 2))


def test_smaller_things_lie_on_larger_ones_and_background_cuts_holes(tmp_path, capsys):
    frame = [[0, 0], [12, 0], [12, 10], [0, 10]]
    shapes = [
        ("cell", "polygon", [[2, 1], [7, 1], [7, 5], [2, 5]], None, None),
        ("_background_", "rectangle", [[3, 2], [5, 4]], None, None),
        ("dish", "polygon", frame, None, None),
        ("cell", "polygon", [[1, 1], [2, 2]], None, None),  # two points
    ]
    pictures(tmp_path / "in", "a.png")
    labelme(tmp_path / "in/a.json", shapes)
    _, mask = convert(tmp_path)
    assert "note: 1 points and lines have no area, or outlines hold no pixel" in capsys.readouterr().out
    wanted = np.zeros(SIZE, np.uint8)
    wanted[:10, :12], wanted[1:5, 2:7], wanted[2:4, 3:5] = 2, 1, 0
    assert np.array_equal(mask(), wanted)


def exports(folder):
    """{format: an export of it}."""
    for kind in ("COCO", "labelme", "Label Studio", "VIA", "YOLO", "VOC"):
        pictures(folder / kind / "images", "a.png")
    write_json(folder / "COCO/annotations.json", coco())
    labelme(folder / "labelme/images/a.json", [("cell", "polygon", [[2, 1], [7, 1], [7, 5]], None, None)])
    studio_tasks(folder / "Label Studio/export.json")
    via(folder / "VIA/project.json")
    (folder / "YOLO/labels").mkdir()
    (folder / "YOLO/labels/a.txt").write_text("0 0.5 0.5 0.2 0.2")
    (folder / "VOC/SegmentationClass").mkdir()
    return {path.name: path for path in folder.iterdir()}


def test_every_command_names_the_form_of_an_export_and_the_call(tmp_path, capsys):
    pictures(tmp_path / "found", "a.png")
    for kind, path in exports(tmp_path / "exports").items():
        for command in (
            ["data", "check", str(path), "--page", str(tmp_path / "page.html")],
            ["train", "--model", "unet", "--data", str(path), "--out", str(tmp_path / "run")],
            ["score", str(tmp_path / "found"), str(path)],
        ):
            assert main(command) == 1, (kind, command)
            wanted = f"{path} is annotated in {kind} form: convert it with: seglib data convert {path} NEW_FOLDER"
            assert wanted in capsys.readouterr().err, (kind, command)
        assert not (tmp_path / "run").exists()
    (tmp_path / "notes.txt").write_text("no labels")
    assert main(["data", "convert", str(tmp_path / "notes.txt"), str(tmp_path / "out")]) == 1
    assert "notes.txt is no export of a form that is known: COCO, labelme, Label Studio" in capsys.readouterr().err


def test_what_is_converted_already_is_not_called_an_export(tmp_path, capsys):
    pictures(tmp_path / "in", "a.png")
    write_json(tmp_path / "in/result.json", coco())
    assert convert(tmp_path)[0] == 0
    (tmp_path / "out/masks/a.png").write_bytes(b"broken")
    assert main(["data", "check", str(tmp_path / "out"), "--page", str(tmp_path / "page.html")]) == 1
    assert "annotated in" not in capsys.readouterr().err
