"""What the readers of annotation tools' exports share: outlines in COCO's form, and the search for the pictures."""

import json
import re
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from seglib.datasets.reading import PICTURES
from workbench.layouts import SPLITS
from workbench.objects import run_lengths

BOXES = "objects have a box and no outline: their mask is the box"
NO_AREA = "points and lines have no area, or outlines hold no pixel: they were left out"
CORNERS = np.arange(64) * 2 * np.pi / 64  # of the polygon that stands for a circle or an ellipse


class Thing(NamedTuple):
    """An annotated object or region."""

    label: str  # name of its class
    outline: list | dict  # COCO's "segmentation": polygons [[x, y, x, ...], ...] in px, {"size", "counts"}; [] is none
    crowd: bool = False  # a region of objects that nobody told apart


class Annotated(NamedTuple):
    """A picture and what was annotated in it."""

    path: Path
    split: str | None  # "train", "val", "test"
    things: list
    size: tuple | None = None  # (height, width), if the export says


class Pictures:
    """The pictures below a folder, found by what annotation files call them."""

    def __init__(self, folder):
        self.folder, self.by_stem = Path(folder), defaultdict(list)
        for path in sorted(self.folder.rglob("*")):
            if path.suffix.lower() in PICTURES and not path.name.startswith("."):
                self.by_stem[path.stem].append(path)

    def find(self, name, near):
        """The file that the annotation file ``near`` calls ``name``: a path of any system, or a bare stem.

        Raises ValueError if there is none, or if two fit equally well.
        """
        if not isinstance(name, str) or not name:
            raise ValueError(f"the name of its picture is {name!r}")
        parts = [part for part in re.split(r"[\\/]", name) if part not in ("", ".", "..")]
        found = self.by_stem[PurePosixPath(parts[-1]).stem]
        found = [path for path in found if path.name == parts[-1]] or found
        # The longer the path agrees with the name, the better; of several, the one of the same split, then the nearer.
        split, rank = split_of(Path(*near.parts[-2:])), {}
        for path in found:
            alike = [count for count in range(1, len(parts) + 1) if list(path.parts[-count:]) == parts[-count:]]
            rank[path] = (len(alike), self.split_of(path) == split, len({*path.parents} & {near, *near.parents}))
        best = [path for path in found if rank[path] == max(rank.values())]
        if not best:
            raise ValueError(f"there is no picture {name} below {self.folder}: name its folder with --images")
        if len(best) > 1:
            raise ValueError(f"{best[0]} and {best[1]} may both be its picture {name}: rename one")
        return best[0]

    def split_of(self, path):
        """The split of one of the pictures, by the folder it lies in."""
        return split_of(path.parent.relative_to(self.folder))


def split_of(path):
    """The split that a folder or a file is called after, as train2017 and instances_val are, or None."""
    for part in reversed(path.parts):
        for split, names in SPLITS.items():
            if any(re.fullmatch(names, word) for word in re.findall("[a-z]+", part.lower())):
                return split
    return None


def load_json(path):
    """Content of a JSON file, with or without a byte order mark. Raises ValueError if it is none."""
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON, or cut off: {error}") from error


@contextmanager
def within(place):
    """Turn what a faulty entry of an annotation file leads to into a ValueError that names the place."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        what = f"there is no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{place}: {what}") from error


def rectangle(x, y, width, height, angle=0):
    """Polygon [x, y, ...] of a rectangle with its corner at (x, y), turned clockwise around it by degrees."""
    return turned(x, y, np.array([0, width, width, 0], float), np.array([0, 0, height, height], float), angle)


def ellipse(x, y, width, height, angle=0):
    """Polygon of an ellipse around (x, y) with these half axes, turned clockwise by degrees."""
    return turned(x, y, width * np.cos(CORNERS), height * np.sin(CORNERS), angle)


def turned(x, y, right, down, angle):
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.stack([x + cosine * right - sine * down, y + sine * right + cosine * down], 1).ravel().tolist()


def run_outline(mask, size, top=0, left=0):
    """The outline of a bool mask (h, w) at (top, left) of a picture of ``size``."""
    return run_lengths(top, left, mask[: size[0] - top, : size[1] - left], size)
