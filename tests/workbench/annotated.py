"""Exports of annotation tools, small and in exactly the tools' form, for the tests of `seglib data convert`."""

import json
from pathlib import Path

import numpy as np
from picture_files import save
from PIL import Image

from workbench.cli import main

SIZE = (12, 16)  # of every picture
BLOCK = [2, 1, 7, 1, 7, 5, 2, 5]  # x, y of a polygon that holds rows 1 to 4, columns 2 to 6


def pictures(folder, *names, size=SIZE):
    for number, name in enumerate(names):
        save(folder / name, np.random.default_rng(number).integers(0, 256, (*size, 3), dtype=np.uint8))


def block(value=1, other=None):
    """The label map of BLOCK, perhaps with rows 7 to 9, columns 10 to 13 of another class."""
    mask = np.zeros(SIZE, np.uint8)
    mask[1:5, 2:7] = value
    if other is not None:
        mask[7:10, 10:14] = other
    return mask


def write_json(path, content, start=""):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((start + json.dumps(content)).encode())


def coco(file_name="a.png", **changes):
    """One picture with a polygon, a column of compressed RLE and a crowd, as pycocotools' users write them."""
    polygon = {"id": 1, "image_id": 5, "category_id": 3, "bbox": [2, 1, 5, 4], "area": 20, "iscrowd": 0}
    crowd = {"id": 2, "image_id": 5, "category_id": 9, "bbox": [10, 7, 4, 3], "area": 12, "iscrowd": 1}
    runs = [10 * 12 + 7, 3, 9, 3, 9, 3, 9, 3]
    runs.append(12 * 16 - sum(runs))
    return {
        "info": {},
        "licenses": [],
        "images": [{"id": 5, "width": 16, "height": 12, "file_name": file_name, "license": 0}],
        "annotations": [
            polygon | {"segmentation": [BLOCK]} | changes,
            crowd | {"segmentation": {"size": [12, 16], "counts": runs}},
        ],
        "categories": [
            {"id": 3, "name": "cell", "supercategory": ""},
            {"id": 9, "name": "crowd of cells", "supercategory": ""},
        ],
    }


def labelme(path, shapes, image="a.png"):
    """A file as labelme.LabelFile.save writes it."""
    shapes = [
        {"label": label, "points": points, "group_id": group, "description": "", "shape_type": kind, "flags": {}}
        | {"mask": mask}
        for label, kind, points, group, mask in shapes
    ]
    height, width = SIZE
    write_json(
        path,
        {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": image, "imageData": None}
        | {"imageHeight": height, "imageWidth": width},
    )


def via(path, *regions, image="a.png", project=True, old=False):
    """A project of VIA 2, or what it exports as JSON; of VIA 1 regions are numbered."""
    regions = [{"shape_attributes": shape, "region_attributes": attributes} for shape, attributes in regions]
    regions = {str(number): each for number, each in enumerate(regions)} if old else regions
    entries = {f"{image}1234": {"filename": image, "size": 1234, "regions": regions, "file_attributes": {}}}
    settings = {"ui": {}, "core": {"default_filepath": ""}, "project": {"name": "via_project_1Jan2024"}}
    whole = {"_via_settings": settings, "_via_img_metadata": entries, "_via_attributes": {"region": {}, "file": {}}}
    whole |= {"_via_data_format_version": "2.0.10", "_via_image_id_list": [*entries]}
    write_json(path, whole if project else entries)


def studio(value, kind, label="cell", **more):
    """A result of a Label Studio task; ``value`` is in per cent of the picture."""
    height, width = SIZE
    result = {"id": "Dx_aB91ISN", "type": kind, "from_name": "label", "to_name": "image", "origin": "manual"}
    result |= {"original_width": width, "original_height": height, "image_rotation": 0}
    return result | {"value": value | {kind: [label]}} | more


def studio_tasks(path, *results, image="/data/upload/1/1f2e3d4c-a%20b.png"):
    annotations = [
        {"id": 11, "was_cancelled": True, "result": [], "completed_by": 1},
        {"id": 12, "was_cancelled": False, "result": list(results), "completed_by": 1},
    ]
    write_json(path, [{"id": 1, "annotations": annotations, "predictions": [], "data": {"image": image}, "meta": {}}])


def convert(tmp_path, *more):
    """Convert tmp_path/in; return the status, and a function from a mask's name to its label map."""
    status = main(["data", "convert", str(tmp_path / "in"), str(tmp_path / "out"), *map(str, more)])
    return status, lambda name="a": np.array(Image.open(tmp_path / f"out/masks/{name}.png"))


def classes(tmp_path):
    return (tmp_path / "out/classes.txt").read_text().split("\n")[:-1]
