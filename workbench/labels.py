"""Label maps and objects to score: of a folder, or of a public set's held-back pictures."""

import json
from pathlib import Path

import numpy as np

from seglib.datasets.reading import LOSSLESS, list_pictures
from workbench.class_tables import class_names, find_table, mask_reader
from workbench.objects import painted
from workbench.pictures import any_size
from workbench.predict import LABELS, OBJECTS
from workbench.sets import held_back


class Maps:
    """Label maps by name, read one at a time.

    ``maps[name]`` is a dict: "mask" (H, W), class ids, 255 = void; and where objects are told apart "instances"
    (H, W), 0 = none, 1..n, and "scores" (n,), 1 for the truth. ``names`` are sorted; ``classes`` names the
    classes, None if nobody says.
    """

    def __init__(self, names, read, classes):
        self.names, self._read, self.classes = sorted(names), read, classes

    def __getitem__(self, name):
        return self._read(name)


def named_maps(name):
    """Maps of the held-back pictures of a public set."""
    data, paths = held_back(name)
    places = {path.stem: index for index, path in enumerate(paths)}

    def read(stem):
        sample = data[places[stem]]
        maps = {key: sample[key].numpy() for key in ("mask", "instances") if key in sample}
        return maps | ({"scores": np.ones(maps["instances"].max())} if "instances" in maps else {})

    return Maps(places, read, data.classes)


def folder_maps(folder, foreground=None):
    """Maps of a folder that ``seglib predict`` wrote, or of a folder that holds nothing but label maps.

    ``foreground`` is the value that means class 1 in masks of two classes, such as 255.
    """
    folder = Path(folder)
    paths = list_pictures(folder / LABELS if (folder / LABELS).is_dir() else folder, LOSSLESS)
    table, annotated = find_table(folder), folder / OBJECTS
    read_labels = mask_reader(table)
    found = read_objects(annotated) if annotated.is_file() else None

    def read(name):
        with any_size():  # as predict writes maps
            mask = read_labels(paths[name]).numpy()
        mask = mask.astype(np.min_scalar_type(mask.max()))  # bytes: large pictures are held several times
        if foreground is not None:
            mask[mask == foreground] = 1
        elif mask.min() == 0 and mask.max() == 255 and not ((mask > 0) & (mask < 255)).any():
            raise ValueError(
                f"{paths[name]} holds 0 and 255 only, and 255 means void: if it means class 1, pass --foreground 255"
            )
        if found is None:
            return {"mask": mask}
        if name not in found:
            raise ValueError(f"{annotated} knows no picture {name}: labels and objects belong to different predictions")
        try:
            instances, scores = painted(found[name], mask.shape)
        except ValueError as error:
            raise ValueError(f"{annotated}, {name}: {error}") from error
        return {"mask": mask, "instances": instances, "scores": scores}

    return Maps(paths, read, class_names(table) if table else None)


def read_objects(path):
    """{picture's name: list of annotations} of a file in COCO's format.

    Raises ValueError if the file is something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = {image["id"]: Path(image["file_name"]).stem for image in content["images"]}
        found = {name: [] for name in names.values()}
        for annotation in content["annotations"]:
            found[names[annotation["image_id"]]].append(annotation)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no file in COCO's format: {type(error).__name__} {error}") from None
    return found
