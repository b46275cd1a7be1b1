"""Which class a label or a colour of a mask stands for: tables beside the masks, and the masks read through them."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import torch

from seglib.datasets.folder import few
from seglib.datasets.reading import colours, decode, read_mask

TABLES = ("classes.csv", "classes.txt", "class_dict.csv", "label_colors.txt", "labelmap.txt")
VOID = {"void", "ignore", "unlabelled", "unlabeled"}  # classes of these names, in a table of colours, are 255
VOC_CLASSES = (
    "background",
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
_GAP = r"\s*[,;:\s]\s*"
_NUMBERS = _GAP.join([r"(\d+)"] * 3)
_NAME_FIRST = re.compile(rf"(.*?\S){_GAP}{_NUMBERS}[:;,\s]*")  # CSV, or a labelmap's "name:r,g,b::"
_COLOUR_FIRST = re.compile(rf"{_NUMBERS}{_GAP}(\S.*)")
_HEADS = {"name", "class", "label", "r", "g", "b", "red", "green", "blue"}


def find_table(folder):
    """The class table in a folder, as `read_table` reads it, or None."""
    found = [Path(folder, name) for name in TABLES if Path(folder, name).is_file()]
    if len(found) > 1:
        raise ValueError(f"{folder} holds {' and '.join(path.name for path in found)}: keep one")
    return read_table(found[0]) if found else None


def read_table(path):
    """Read a class table: the names, one a line, or name and colour: ``car,64,0,128`` or ``64 0 128 car``.

    Blank lines, comments (#) and a head such as ``name,r,g,b`` are passed over.

    Returns
    -------
    tuple or dict
        Names, whose places are the labels; or ``{name: (red, green, blue)}``, 0..255.

    Raises
    ------
    ValueError
        A line is neither, or names, colours or colourless lines don't go together. The message names the line.
    """
    names, colours = [], {}
    lines = [line.strip() for line in Path(path).read_text(encoding="utf-8-sig").splitlines()]
    for number, line in enumerate(lines, start=1):
        words = set(re.split(_GAP, line.lower()))
        if not line or line.startswith("#") or (not names and len(words) > 1 and words <= _HEADS):
            continue
        if match := _NAME_FIRST.fullmatch(line):
            name, *colour = match.groups()
        elif match := _COLOUR_FIRST.fullmatch(line):
            *colour, name = match.groups()
        else:
            name, colour = line, None
            if re.search(r"[,;:]", line):
                raise ValueError(f"{path}, line {number}: {line!r} is neither a name nor name,red,green,blue")
        if name in names:
            raise ValueError(f"{path}, line {number}: the class {name!r} comes twice")
        names.append(name)
        if colour:
            colours[name] = tuple(map(int, colour))
    if colours and len(colours) < len(names):
        alone = next(name for name in names if name not in colours)
        raise ValueError(f"{path}: {alone!r} has no colour, {len(colours)} others have: give all of them one, or none")
    if not names:
        raise ValueError(f"{path} names no classes; wanted is one a line")
    if colours:
        check_colours(colours, path)
    return colours or tuple(names)


def check_colours(table, source):
    """Raise ValueError unless every class has a colour (red, green, blue) of its own, whole numbers 0..255."""
    seen = {}
    for name, colour in table.items():
        colour = tuple(colour)
        if len(colour) != 3 or not all(isinstance(value, int) and 0 <= value <= 255 for value in colour):
            raise ValueError(f"{source}: {name!r} has the colour {colour}; wanted is (red, green, blue), 0..255")
        if colour in seen:
            raise ValueError(f"{source}: {seen[colour]!r} and {name!r} have the same colour {colour}")
        seen[colour] = name


def class_names(classes):
    """The names of the classes 0, 1, 2 ... of a table: all of them, but of a table of colours not the void ones."""
    return tuple(name for name in classes if not (isinstance(classes, dict) and name.lower() in VOID))


def read_labels(path, classes):
    """Read a mask as int64 (H, W) of class ids, 255 = ignore, through a table of `read_table`'s form.

    With names, or None, the file's grey values or palette indices are the ids. With colours, its colours count, those
    of the palette too; grey is a colour of three equal channels.

    Returns
    -------
    labels : (H, W) int64 tensor
        -1 at the places of colours that are in no table.
    unknown : list
        What the mask holds that is in no table, labels or colours (red, green, blue).
    """
    if not isinstance(classes, dict):
        mask = read_mask(path)
        outside = (mask < 0) | (mask >= len(classes)) & (mask != 255) if classes else mask < 0
        return mask, mask[outside].unique().tolist()
    names = class_names(classes)
    ids = sorted((_code(*colour), names.index(name) if name in names else 255) for name, colour in classes.items())
    known, labels = torch.tensor(ids).T.contiguous()
    codes = _read_codes(path)
    places = torch.searchsorted(known, codes).clamp(max=len(known) - 1)
    found = known[places] == codes
    unknown = codes[~found].unique().tolist()
    return torch.where(found, labels[places], -1), [(code >> 16, code >> 8 & 255, code & 255) for code in unknown]


def mask_reader(classes):
    """A function from a mask's path to its class ids, int64 (H, W): through a table of colours, else as they stand.

    Unknown colours raise ValueError; unknown labels are left to the caller, who knows what else may be meant.
    """
    return partial(_read_coloured, classes=classes) if isinstance(classes, dict) else read_mask


def _read_coloured(path, classes):
    labels, unknown = read_labels(path, classes)
    if unknown:
        raise ValueError(
            f"{path} holds the colours {few(unknown)} (red, green, blue), which are none of {class_names(classes)}. "
            "Usual causes: a class left out of the table, labels instead of colours, colours blended by JPEG or "
            "resizing"
        )
    return labels


def _read_codes(path):
    """The colours of a mask, each as one number, int64 (H, W)."""
    image = decode(path)
    if image.mode.startswith(("I", "F")):
        raise ValueError(
            f"{path} is a picture of mode {image.mode}, not of colours with 8 bits a channel. Usual cause: it holds "
            "labels, while the class table has colours"
        )
    red, green, blue = np.moveaxis(colours(image, path).astype(np.int64), -1, 0)
    return torch.from_numpy(_code(red, green, blue))


def _code(red, green, blue):
    return (red << 16) + (green << 8) + blue
