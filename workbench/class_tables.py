"""Which class a label or a colour of a mask stands for: tables beside the masks, and the masks read through them."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import find_objects, label

from seglib.datasets.dsb2018 import merged
from seglib.datasets.folder import few
from seglib.datasets.reading import colours, decode, read_image, read_mask

TABLES = (
    *("classes.csv", "classes.txt", "_classes.csv", "class_dict.csv", "class_dict_seg.csv", "label_colors.txt"),
    *("labelmap.txt", "class_names.txt", "labels.txt"),
)
VOID, VOID_NAMES = 255, ("void", "ignore", "ignored", "unlabelled", "unlabeled")
GREY_VALUES = 64  # more labels than this in one mask, without a table, are no classes
VOC_CLASSES = (
    "background",
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
_GAP = r"\s*[,;:\s]\s*"
_RGB = rf"(?P<key>\d+{_GAP}\d+{_GAP}\d+)"
_FORMS = (  # of a line
    rf"(?:\d+\s*[,;:]\s*)?(?P<name>\S|\S.*?\S){_GAP}{_RGB}(?::.*|[;,\s]*)",  # a labelmap ends in "::"
    rf"{_RGB}{_GAP}(?P<name>\S.*)",
    r"(?P<key>\d+)\s*[,;:\t]\s*(?P<name>[^\d,;:\s][^,;:]*)",
    r"(?P<name>[^,;:\t]*[^,;:\s])\s*[,;:\t]\s*(?P<key>\d+)",
    r"(?P<name>[^,;:]+)(?P<key>)",
)
_HEADS = {"name", "class", "label", "r", "g", "b", "red", "green", "blue", "id", "index", "pixel", "value"}


def find_table(*places):
    """The class table in the first of these folders that has one, as `read_table` reads it, or None."""
    for place in places:
        found = [Path(place, name) for name in TABLES if Path(place, name).is_file()]
        if len(found) > 1:
            raise ValueError(f"{place} holds {' and '.join(path.name for path in found)}: keep one, or pass --classes")
        if found:
            return read_table(found[0])
    return None


def read_table(path):
    """Read a class table, one class a line: a name, or with a colour or a label: ``car,64,0,128``, ``7,car``.

    The colour or label may stand on either side. Blank lines, comments (#) and a head such as ``name,r,g,b`` are passed
    over.

    Returns
    -------
    dict
        ``{name: (red, green, blue)}``, 0..255, or ``{name: label}``. The labels of names alone are their places;
        labelme's first line, ``__ignore__``, has none and counts for 255.

    Raises
    ------
    ValueError
        A line is none of these, something comes twice, or lines don't go together. The message names the line.
    """
    table = {}
    lines = [line.strip() for line in Path(path).read_text(encoding="utf-8-sig").splitlines()]
    content = [line for line in lines if line and not line.startswith("#")]
    for number, line in enumerate(lines, start=1):
        words = set(re.split(_GAP, line.lower()))
        if line not in content or (not table and len(words) > 1 and words <= _HEADS):
            continue
        match = next(filter(None, (re.fullmatch(form, line) for form in _FORMS)), None)
        if match is None:
            wanted = "neither a name nor name,red,green,blue nor label,name"
            raise ValueError(f"{path}, line {number}: {line!r} is {wanted}")
        if match["name"] in table:
            raise ValueError(f"{path}, line {number}: the class {match['name']!r} comes twice")
        table[match["name"]] = [int(value) for value in re.findall(r"\d+", match["key"])]
    most = max(map(len, table.values()), default=0)
    alone = [name for name, key in table.items() if len(key) < most]
    if alone:
        others = f"{len(table) - len(alone)} others have"
        raise ValueError(f"{path}: {alone[0]!r} has no colour or label, {others}: give all of them one, or none")
    return as_table(table if most else tuple(table), path)


def as_table(classes, source="classes"):
    """A table in `read_table`'s form, of a file's path, of names, of ``"a,b,c"`` or of a dict.

    Raises ValueError, naming the source, for classes without a label or a colour of their own.
    """
    if isinstance(classes, str | Path) and Path(classes).is_file():
        return read_table(classes)
    if isinstance(classes, str) and classes.startswith("{"):  # as a run's config has it
        classes = json.loads(classes)
    if isinstance(classes, str):
        classes, source = tuple(name.strip() for name in classes.split(",")), f"--classes {classes}"
    if not isinstance(classes, dict):
        start = -1 if classes and classes[0] == "__ignore__" else 0  # as labelme numbers them
        classes = {name: place if place >= 0 else 255 for place, name in enumerate(classes, start)}
    table, seen = {}, {}
    for name, key in classes.items():
        if isinstance(key, list | tuple):
            key = key[0] if len(key) == 1 else tuple(key)
        kind = "colour" if isinstance(key, tuple) else "label"
        if kind == "colour" and (len(key) != 3 or not all(isinstance(part, int) and 0 <= part < 256 for part in key)):
            raise ValueError(f"{source}: {name!r} has the colour {key}; wanted is (red, green, blue), 0..255")
        if key in seen:
            raise ValueError(f"{source}: {seen[key]!r} and {name!r} have the same {kind} {key}")
        table[name], seen[key] = key, name
    if not class_names(table):
        raise ValueError(f"{source} names no classes; wanted is one a line")
    return table


def class_names(table):
    """The names of the classes 0, 1, 2 ... of a table, or of names: all but the void ones, which mean 255."""
    return tuple(name for name in table or () if fixed_label(name) != 255)


def fixed_label(name):
    """What a class of this name is in every set that is written, or None: background 0, void 255."""
    return {"background": 0, **dict.fromkeys(VOID_NAMES, VOID)}.get(name.lower().strip("_ "))


@dataclass(frozen=True)
class MaskReader:
    """Read masks as class ids, int64 (H, W), 255 = ignore: called with a path, it refuses what no class stands for.

    With a table of labels, or none, the file's grey values or palette indices count. With one of colours, its colours
    do, those of a palette too; grey is a colour of three equal channels.

    Parameters
    ----------
    table : dict, optional
        See `read_table`.
    foreground : int, optional
        Of two classes, the value that means class 1, such as 255.
    threshold : int, optional
        Of two classes, the least value that means class 1, for masks with grey edges.
    numbered : bool
        The values number objects, 0 = none, of one class.
    """

    table: dict | None = None
    foreground: int | None = None
    threshold: int | None = None
    numbered: bool = False

    def __post_init__(self):
        given = [name for name in ("foreground", "threshold", "numbered") if getattr(self, name) not in (None, False)]
        if len(given) > 1:
            raise ValueError(f"--{given[0]} and --{given[1]} say different things of the same masks: pass one")
        if given and (self.coloured or len(self.classes) != 2):
            classes = f"{len(self.classes)}, without colours: {self.classes}"
            raise ValueError(f"--{given[0]} is for two classes, not {classes}")

    @property
    def coloured(self):
        """Whether colours count."""
        return isinstance(next(iter((self.table or {}).values()), 0), tuple)

    @property
    def classes(self):
        """The names of the classes."""
        return class_names(self.table) or ("background", "object")

    @property
    def keys(self):
        """{label or colour as one number: class id}; None where nobody said what the labels mean."""
        if self.foreground is not None:
            return {255: 255, 0: 0, self.foreground: 1}
        if self.table is None:
            return None
        ids = {name: number for number, name in enumerate(self.classes)}
        known = {} if self.coloured else {255: 255}
        return known | {_code(key): ids.get(name, 255) for name, key in self.table.items()}

    def values(self, path):
        """What the file holds: numbers, int64 (H, W), or where colours count each of them as one number."""
        if Path(path).is_dir():  # with a mask for every object, see `layouts.apart`
            picture = path.parent / "images" / f"{path.parent.name}.png"
            return merged(path, read_image(picture), picture)
        image = decode(path, stored=True)
        if self.coloured:
            if image.mode.startswith(("I", "F")):
                cause = "Usual cause: it holds labels, while the class table has colours"
                raise ValueError(f"{path} is a picture of mode {image.mode}, not of 8 bits a channel. {cause}")
            return torch.from_numpy(_code(np.moveaxis(colours(image, path).astype(np.int64), -1, 0)))
        if image.mode not in ("RGB", "RGBA") and Path(path).suffix.lower() != ".gif":  # whose palettes are of no order
            return read_mask(path)
        levels = colours(image, path)
        if (levels != levels[..., :1]).any():
            cause = "a table with colours is missing: pass --classes FILE, of lines name,red,green,blue"
            raise ValueError(f"{path} is a picture of mode {image.mode}, in colours, and labels are wanted: {cause}")
        return torch.from_numpy(levels[..., 0].astype(np.int64))

    def labels(self, path):
        """(class ids, int64 (H, W), -1 where no class is known; the labels or colours (r, g, b) that none has)."""
        values = self.values(path)
        least = 1 if self.numbered else self.threshold
        if least is not None:
            return (values >= least).long(), []
        there, keys = present(values), self.keys
        if keys is None:
            return values, [value for value in there if value < 0]
        unknown = [value for value in there if value not in keys]
        if unknown or any(keys[value] != value for value in there):
            known, ids = torch.tensor(sorted(keys.items())).T.contiguous()
            places = torch.searchsorted(known, values).clamp(max=len(known) - 1)
            values = torch.where(known[places] == values, ids[places], -1)
        if self.coloured:
            unknown = [(code >> 16, code >> 8 & 255, code & 255) for code in unknown]
        return values, unknown

    def __call__(self, path):
        labels, fault = self.examine(path)
        if fault:
            raise ValueError(fault)
        return labels

    def examine(self, path):
        """(class ids, int64 (H, W), -1 where no class is known; what is wrong with them, with the remedy, or None)."""
        labels, unknown = self.labels(path)
        if self.coloured and unknown:
            causes = "a class left out of the table, labels instead of colours, colours blended by JPEG or resizing"
            told = f"{path} holds the colours {few(unknown)} (red, green, blue), which are none of {self.classes}"
            return labels, f"{told}. Usual causes: {causes}"
        if self == MaskReader():
            unknown = [value for value in present(labels) if value not in (0, 1, 255)]
        if unknown:
            wanted = few(sorted(self.keys or (0, 1, 255)))
            told = f"{path} holds the labels {few(unknown)}; wanted are {wanted} for {self.classes}"
            return labels, f"{told}. {likely_cause(self.values(path).numpy())}"
        told = self.table and (255 in self.table.values() or len(self.table) > len(self.classes))  # what 255 means
        plain = self == MaskReader(self.table) and not self.coloured and not told
        if plain and len(self.classes) == 2 and present(labels) == [0, 255]:
            told = f"{path} holds 0 and 255 only, and 255 means 'ignore': if it means {self.classes[1]!r}, pass"
            return labels, f"{told} --foreground 255; if it is to be ignored, pass --foreground 1"
        return labels, None


def present(values):
    """The values of a map of whole numbers, in ascending order."""
    values = np.asarray(values)
    if values.min(initial=0) >= 0 and values.max(initial=0) < 2**16:
        return np.flatnonzero(np.bincount(values.ravel())).tolist()  # many times as fast as sorting
    return np.unique(values).tolist()


def likely_cause(values):
    """Why a mask (H, W) may hold labels that no class has, and what to do about it."""
    found, counts = np.unique(values, return_counts=True)
    if len(found) == 2 and found[0] == 0:
        return f"Where {found[1]} means the second class: pass --foreground {found[1]}"
    if len(found) > 8 and 200 < found[-1] < 256 and counts[[0, -1]].sum() > 0.7 * values.size:
        return "It looks like a blurred black and white mask: pass --threshold 128, or save it again, unsmoothed"
    if looks_numbered(values):
        return "They look like numbered objects: pass --numbered"
    remedy = "write classes.txt, a name a line, or pass --classes"
    return f"Usual causes: no class table ({remedy}), labels counted from 1, a class left out, grey values"


def looks_numbered(values):
    """Whether the values of a map (H, W) number objects: three or more, nearly all of them in one piece."""
    _, ids = np.unique(values, return_inverse=True)
    ids = ids.reshape(values.shape) + (values.min() > 0)  # 0 is none
    places = find_objects(ids)[:300]
    whole = [label(ids[place] == number, np.ones((3, 3)))[1] == 1 for number, place in enumerate(places, start=1)]
    return len(whole) >= 3 and sum(whole) >= 0.9 * len(whole)


def _code(key):
    """A colour as one number; a label is one."""
    return key if isinstance(key, int) else (key[0] << 16) + (key[1] << 8) + key[2]
