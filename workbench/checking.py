"""Look through a whole data set before anything is trained on it: what it holds, and what is wrong with it."""

import hashlib
import os
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.nn.functional import adaptive_avg_pool2d

from seglib.datasets.folder import few, natural
from seglib.datasets.reading import open_picture, read_image
from seglib.progress import Progress
from workbench.class_tables import class_names, find_table, read_labels
from workbench.layouts import find_splits, pair_up
from workbench.twins import find_twins

GREY_VALUES = 64  # more labels than this in one mask, without a table, are no classes


@dataclass
class CheckedPair:
    """One picture with its mask, and what was found in them."""

    split: str
    name: str
    image: Path | None
    mask: Path | None
    size: tuple | None = None  # (height, width)
    mode: str | None = None  # Pillow's name for the channels and bits
    digest: str | None = None  # of the file
    bits: torch.Tensor | None = None  # (64,), see difference_hash
    pixels: Counter = field(default_factory=Counter)  # of each label
    faults: list = field(default_factory=list)  # (kind, sentence)


@dataclass
class Report:
    """What a data set holds. It is fine where ``faults`` is empty."""

    folder: Path
    table: dict | tuple | None  # of the classes
    pictures: list
    faults: dict  # {kind: sentences}; kinds are missing, broken, foreign, sizes, labels, duplicates, leakage
    notes: list  # sentences on what is worth a look

    @property
    def black_and_white(self):
        """Whether the masks hold 0 and 255 alone, where two classes are meant."""
        return two_classes(self.table) and _labels(self.pictures) == {0, 255}

    def class_name(self, label):
        names = class_names(self.table or ())
        return names[label] if label < len(names) else "void" if label == 255 else f"label {label}"


def check_folder(folder, table=None):
    """Read every picture and every mask of a folder, in parallel, and say what is there and what is wrong.

    Wrong are: pictures without masks and masks without pictures, files that can't be read or don't belong there,
    masks of another size than their picture, labels or colours that are in no class table, masks of 0 and 255 among
    masks of 0 and 1, the same file twice, and leakage: the same or nearly the same picture in two splits (see
    `twins.find_twins`). Near twins within one split are noted.

    Parameters
    ----------
    folder : path, laid out as `layouts.find_splits` knows it
    table : names, or {name: (red, green, blue)}, optional
        The classes; by default a table in the folder. Without any, labels can't be checked, only listed.

    Returns
    -------
    Report

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such folder, its layout is not recognised, or its class table can't be read.
    """
    folder, faults = Path(folder), defaultdict(list)
    table, pictures = table or find_table(folder), []
    for split, (images, masks) in find_splits(folder).items():
        pairs = pair_up(images, masks)
        faults["foreign"] += pairs.faults
        names = sorted(pairs.images.keys() | pairs.masks.keys(), key=natural)
        pictures += [CheckedPair(split, name, pairs.images.get(name), pairs.masks.get(name)) for name in names]
    if not pictures:
        raise ValueError(f"{folder} holds no pictures")
    with Progress(f"checking {folder.name}") as bar, ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.map(lambda picture: _examine(picture, table), pictures), start=1):
            bar.update(done / len(pictures), f"{done} of {len(pictures)} pictures")
    if two_classes(table):
        _tell_mixed(pictures)
    twins = _tell_twins(pictures)
    for picture in pictures:
        for kind, sentence in picture.faults:
            faults[kind].append(sentence)
    report = Report(folder, table, pictures, {kind: told for kind, told in faults.items() if told}, notes=[])
    report.notes = [*_notes(report), *twins]
    return report


def _examine(picture, table):
    """Fill in what the two files hold."""
    for file, other in ((picture.image, "mask"), (picture.mask, "image")):
        if file and not (picture.image and picture.mask):
            picture.faults.append(("missing", f"{file} has no {other}"))
    mask_size = None
    try:
        if picture.image:
            image = read_image(picture.image)
            picture.size = tuple(image.shape[1:])
            with open_picture(picture.image) as header:
                picture.mode = header.mode
            picture.digest = hashlib.sha256(picture.image.read_bytes()).hexdigest()
            picture.bits = difference_hash(image)
    except ValueError as error:
        picture.faults.append(("broken", str(error)))
    try:
        if picture.mask:
            mask_size = _examine_mask(picture, table)
    except ValueError as error:
        picture.faults.append(("broken", str(error)))
    if picture.size and mask_size and picture.size != mask_size:
        picture.faults.append(
            ("sizes", f"{picture.mask} is {mask_size} but {picture.image} {picture.size} (height, width)")
        )


def _examine_mask(picture, table):
    """Count the labels of a mask and check them; return its size."""
    labels, unknown = read_labels(picture.mask, table)
    values, pixels = labels[labels >= 0].unique(return_counts=True)
    picture.pixels = Counter(dict(zip(values.tolist(), pixels.tolist(), strict=True)))
    if unknown:
        kind = "colours" if isinstance(table, dict) else "labels"
        picture.faults.append(("labels", f"{picture.mask} holds the {kind} {few(unknown)}, which no class has"))
    elif not table and len(values) > GREY_VALUES:
        picture.faults.append(
            ("labels", f"{picture.mask} holds {len(values)} labels: grey values, or numbered objects?")
        )
    return tuple(labels.shape)


def two_classes(table):
    """Whether masks hold 0, 1 and 255, which means void, as far as a class table tells; colours may mean void too."""
    return table is None or (not isinstance(table, dict) and len(table) == 2)


def _tell_mixed(pictures):
    """Add to the faults: masks of two classes that hold 0 and 255, which means void, where others hold 0 and 1."""
    labels = _labels(pictures)
    for picture in pictures:
        if {0, 1} <= labels <= {0, 1, 255} and picture.pixels.keys() == {0, 255}:
            sentence = f"{picture.mask} holds 0 and 255 alone, and 255 means void, where other masks hold 1"
            picture.faults.append(("labels", sentence))


def _labels(pictures):
    return set().union(*(picture.pixels for picture in pictures))


def difference_hash(image):
    """Whether each of 8 x 8 places is brighter than its left neighbour, bool (64,); None for a picture that is flat.

    Hardly any resizing, compression or change of brightness alters it. image : float (3, H, W), 0..1.
    """
    grey = adaptive_avg_pool2d(image.mean(0, keepdim=True), (8, 9))[0]
    return (grey[:, 1:] > grey[:, :-1]).flatten() if grey.max() - grey.min() > 0.02 * grey.max() else None


def _tell_twins(pictures):
    """Add duplicates and leakage to the pictures' faults; return sentences on near twins within a split."""
    whole, notes = [picture for picture in pictures if picture.digest], []
    for picture, twin, distance in find_twins(whole):
        same = "the same file as" if distance is None else f"nearly the same picture ({distance} of 64 bits differ) as"
        sentence = f"{picture.image} is {same} {twin.image}"
        if picture.split != twin.split:
            picture.faults.append(("leakage", f"{sentence}: {picture.split} and {twin.split} must not share pictures"))
        elif distance is None:
            picture.faults.append(("duplicates", sentence))
        else:
            notes.append(sentence)
    return notes


def _notes(report):
    notes = []
    if report.black_and_white:
        notes.append("masks hold 0 and 255 alone, and 255 means void: train and score with --foreground 255")
    elif report.table is None:
        notes.append("there is no class table, so labels were not checked: write classes.txt, one name a line")
    seen = _labels(report.pictures)
    absent = [name for label, name in enumerate(class_names(report.table or ())) if label not in seen]
    if absent:
        notes.append(f"no mask has a pixel of {few(absent)}")
    return notes
