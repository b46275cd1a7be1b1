"""YOLO's text files, one a picture (docs.ultralytics.com/datasets/segment): shares of width and height."""

import numpy as np

from seglib.datasets.reading import image_size
from workbench.formats.common import BOXES, Annotated, Thing, rectangle, within


def read(root, files, pictures, notes):
    """See `formats`. A picture without a file has no objects; a line of four shares is a box."""
    names, found, left = class_names(root), [], {path.with_suffix("") for path in files}
    for path in (path for paths in pictures.by_stem.values() for path in paths):
        stem = path.with_suffix("")
        beside = [
            stem.parents[k].parent / "labels" / stem.relative_to(stem.parents[k]) for k in range(len(stem.parts) - 1)
        ]
        file = next((each for each in (stem, *beside) if each in left), None)
        size, things = image_size(path), []
        if file is None:
            notes["pictures have no label file: read as without objects"] += 1
        else:
            left.remove(file)
            for number, line in enumerate(file.with_suffix(".txt").read_text(encoding="utf-8").splitlines(), start=1):
                with within(f"{file}.txt, line {number}"):
                    label, *shares = line.split() or [None]
                    if label is not None:
                        name = names[int(label)] if names else label
                        things.append(Thing(name, [outline(shares, *size, notes)]))
        found.append(Annotated(path, pictures.split_of(path), things))
    if left:
        raise ValueError(f"{min(left)}.txt has no picture ({len(left)} of {len(files)} have none): see --images")
    if names is None:
        notes["objects have numbers for classes: write their names into classes.txt beside them, one a line"] += sum(
            len(each.things) for each in found
        )
        numbers = [int(thing.label) for each in found for thing in each.things]
        names = dict(enumerate(map(str, range(max(numbers, default=-1) + 1))))
    return list(names.values()), found


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
