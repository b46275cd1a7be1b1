"""YOLO's text files, one a picture (docs.ultralytics.com/datasets/segment): shares of width and height."""

import os
import re
from pathlib import Path

import numpy as np

from seglib.datasets.reading import image_size
from workbench.formats.common import BOXES, Annotated, Thing, rectangle, within


def read(root, files, pictures, notes):
    """See `formats`. A picture without a file has no objects; a line of four shares is a box."""
    names, found, left = class_names(root), [], set(files)
    for path in (path for paths in pictures.by_stem.values() for path in paths):
        beside = path.with_suffix(".txt")
        apart = Path(str(beside).replace(f"{os.sep}images{os.sep}", f"{os.sep}labels{os.sep}"))
        file = next((place for place in (beside, apart) if place in left), None)
        size, things = image_size(path), []
        left.discard(file)
        notes["pictures have no label file: read as without objects"] += file is None
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines() if file else (), start=1):
            with within(f"{file}, line {number}"):
                label, *shares = line.split() or [None]
                if label is not None:
                    name = names[int(label)] if names else f"class {int(label):02}"
                    things.append(Thing(name, [outline(shares, *size, notes)]))
        found.append(Annotated(path, pictures.split_of(path), things))
    if left:
        raise ValueError(f"{min(left)} has no picture ({len(left)} of {len(files)} have none): see --images")
    if names is None:
        numbered = "objects have numbers for classes: write their names into classes.txt, one a line, and convert again"
        notes[numbered] = sum(len(each.things) for each in found)
    return names and list(names.values()), found


def class_names(root):
    """{number: name} of data.yaml, classes.txt or obj.names, or None."""
    import yaml  # comes with Jupyter

    for path in sorted([*root.glob("*.yaml"), *root.glob("*.yml")]):
        with within(path):
            content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
            if "kpt_shape" in content:
                raise ValueError("these labels are of poses, not of outlines or boxes")
            names = content["names"]
            return {int(key): str(names[key]) for key in (names if isinstance(names, dict) else range(len(names)))}
    for path in (root / "classes.txt", root / "obj.names", root / "labels" / "classes.txt"):
        if path.is_file():
            return dict(enumerate(path.read_text(encoding="utf-8-sig").strip().splitlines()))
    return None


def outline(shares, height, width, notes):
    shares = np.array(shares, float)
    if len(shares) < 4 or not ((shares >= -0.01) & (shares <= 1.01)).all():
        raise ValueError(f"holds {shares}; wanted are shares of width and height, 0 to 1")
    if len(shares) == 4:
        notes[BOXES] += 1
        x, y, w, h = shares * (width, height, width, height)
        return rectangle(x - w / 2, y - h / 2, w, h)
    return (shares.reshape(-1, 2) * (width, height)).ravel().tolist()


def is_label_file(path):
    """Whether the first line of a text file holds a class and shares, or the file lies in labels/ and is empty."""
    line = path.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
    return bool(re.fullmatch(r"\d+(\s+[-+.\de]+){4,}", line)) or (not line and "labels" in path.parts)
