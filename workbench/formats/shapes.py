"""Tools that keep shapes in JSON: labelme, VIA and Label Studio."""

import base64
import io
from itertools import chain, islice
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
from PIL import Image

from seglib.datasets.reading import image_size
from workbench.formats.common import Annotated, Thing, ellipse, load_json, rectangle, run_outline, within


def labelme(root, files, pictures, notes):
    """A JSON for every picture (github.com/wkentaro/labelme, labelme/_label_file.py); a group is one object."""
    found = []
    for path in files:
        with within(path):
            content, groups = load_json(path), {}
            file = pictures.find(content["imagePath"], path)
            size = content.get("imageHeight"), content.get("imageWidth")
            size = image_size(file) if None in size else size  # other programs leave it out
            things = []
            for number, shape in enumerate(content["shapes"]):
                with within(f"shape {number}"):
                    outline, group = labelme_outline(shape, size), shape.get("group_id")
                    if group is None or isinstance(outline, dict):
                        things.append(Thing(shape["label"], outline))
                    else:
                        groups.setdefault((shape["label"], group), []).extend(outline)
            things += [Thing(label, outline) for (label, _), outline in groups.items()]
            found.append(Annotated(file, pictures.split_of(file), things, size))
    return None, found


def labelme_outline(shape, size):
    kind, points = shape.get("shape_type") or "polygon", np.array(shape["points"], float)
    if kind in ("polygon", "oriented_rectangle"):
        return [points.ravel().tolist()]
    if kind == "rectangle":
        return [rectangle(*points.min(0), *np.ptp(points, axis=0))]
    if kind == "circle":
        radius = np.hypot(*(points[1] - points[0]))
        return [ellipse(*points[0], radius, radius)]
    if kind == "mask":
        mask = np.array(Image.open(io.BytesIO(base64.b64decode(shape["mask"])))) > 0
        return run_outline(mask, size, *points[0, ::-1].astype(int).tolist())
    return []  # points and lines


def via(root, files, pictures, notes):
    """VIA 2 (robots.ox.ac.uk/~vgg/software/via), a project or its annotations as JSON; a region without an attribute is
    an "object".
    """
    found = []
    for path in files:
        content = load_json(path)
        for key, entry in content.get("_via_img_metadata", content).items():
            with within(f"{path}: {key}"):
                regions = entry["regions"].values() if isinstance(entry["regions"], dict) else entry["regions"]  # VIA 1
                things = [Thing(via_class(each, notes), via_outline(each["shape_attributes"])) for each in regions]
                file = pictures.find(entry["filename"], path)
                found.append(Annotated(file, pictures.split_of(file), things))
    return None, found


def via_class(region, notes):
    """The class of a region: a text, or what is ticked, {"cat": true}."""
    words = []
    for value in region["region_attributes"].values():
        words += [word for word, ticked in value.items() if ticked] if isinstance(value, dict) else [str(value).strip()]
    words = [*filter(None, words)] or ["object"]
    notes["regions say more than one thing: the first is their class"] += len(words) > 1
    return words[0]


def via_outline(shape):
    if shape["name"] == "polygon":
        return [np.stack([shape["all_points_x"], shape["all_points_y"]], 1).astype(float).ravel().tolist()]
    if shape["name"] == "rect":
        return [rectangle(*(shape[key] for key in ("x", "y", "width", "height")))]
    if shape["name"] in ("circle", "ellipse"):
        reach = [shape.get(key, shape.get("r")) for key in ("rx", "ry")]
        return [ellipse(shape["cx"], shape["cy"], *reach, np.degrees(shape.get("theta", 0)))]
    return []  # points and lines


def label_studio(root, files, pictures, notes):
    """Label Studio's JSON (labelstud.io/guide/export, "Label Studio JSON format"): of each picture the first annotation
    that was not cancelled.
    """
    found = []
    for path in files:
        for task in load_json(path):
            with within(f"{path}: task {task.get('id')}"):
                things, size = [], None
                done = [each for each in task["annotations"] if not each.get("was_cancelled")]
                for result in done[0]["result"] if done else []:
                    value = result.get("value", {})
                    labels = next((value[key] for key in value if key.endswith("labels")), None)
                    if labels:  # others are choices, texts, relations
                        size = result["original_height"], result["original_width"]
                        things.append(Thing(labels[0], studio_outline(value, *size)))
                address = next(value for value in task["data"].values() if isinstance(value, str))
                file = uploaded(task["data"].get("image", address), path, pictures)
                notes["annotations beside a picture's first were left out"] += max(0, len(done) - 1)
            found.append(Annotated(file, pictures.split_of(file), things, size))
    return None, found


def uploaded(address, near, pictures):
    """The picture of an address /data/upload/3/1f2e3d4c-cat.jpg or /data/local-files/?d=cat.jpg."""
    parts = urlsplit(address)
    name = parse_qs(parts.query).get("d", [unquote(parts.path)])[0]
    before = Path(name).name.partition("-")[2]  # as it was called before it was uploaded
    return pictures.find(name if Path(name).stem in pictures.by_stem else before or name, near)


def studio_outline(value, height, width):
    scale = np.array([width, height]) / 100
    if "points" in value:
        return [(np.array(value["points"], float) * scale).ravel().tolist()]
    if value.get("format") == "rle":
        return run_outline(strokes(value["rle"]).reshape(height, width, 4)[..., 3] > 0, (height, width))
    for draw, sides in ((ellipse, ("radiusX", "radiusY")), (rectangle, ("width", "height"))):
        if value.keys() >= {"x", "y", *sides}:
            place, reach = ([value[key] for key in keys] * scale for keys in (("x", "y"), sides))
            return [draw(*place, *reach, value.get("rotation", 0))]
    return []  # points


def strokes(numbers):
    """Label Studio's brush: bytes of its run-length code -> values, uint8 (n,).

    The code is that of @thi.ng/rle-pack: the count (32 bits), the bits of a value less one (5), four lengths of run
    counters less one (4 bits each); then packets: a bit that says whether one value is repeated or each is told,
    which of the four lengths (2 bits), the run's length less one, the value or values.
    """
    bits = chain.from_iterable(f"{number:08b}" for number in numbers)

    def take(count):
        return int("".join(islice(bits, count)), 2)

    total, word = take(32), take(5) + 1
    lengths, values = [take(4) + 1 for _ in range(4)], []
    while len(values) < total:
        repeated = take(1)
        count = take(lengths[take(2)]) + 1
        values += [take(word)] * count if repeated else [take(word) for _ in range(count)]
    return np.array(values, np.uint8)
