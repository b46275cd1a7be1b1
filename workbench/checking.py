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
from workbench.class_tables import VOID, MaskReader
from workbench.dataset import DataSet, open_data
from workbench.twins import find_twins

MANY = 3  # twins that are told one by one


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
    reader: MaskReader
    pictures: list
    faults: dict  # {kind: sentences}, kinds in words
    notes: list  # sentences on what is worth a look

    @property
    def named(self):
        """Whether somebody said what the values of masks mean."""
        return self.reader != MaskReader()

    def class_name(self, label):
        names = self.reader.classes if self.named else ()
        return names[label] if label < len(names) else "void" if label == VOID else f"label {label}"


def check_folder(data):
    """Read every picture and every mask of a set, in parallel, and say what is there and what is wrong.

    Wrong are: pictures without masks and masks without pictures, files that can't be read or don't belong there,
    masks of another size than their picture, labels or colours that no class has, masks of 0 and 255 of which nobody
    said what they mean, the same file twice, and leakage: the same or nearly the same picture in two splits (see
    `twins.find_twins`). Near twins within one split are noted.

    Parameters
    ----------
    data : DataSet, or path of a folder, see `dataset.open_data`

    Returns
    -------
    Report

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such folder, its layout is not recognised, or its class table can't be read.
    """
    data = data if isinstance(data, DataSet) else open_data(data)
    faults, pictures = defaultdict(list), []
    for split, pairs in data.pairs.items():
        faults["don't belong there"] += pairs.faults
        names = sorted(pairs.images.keys() | pairs.masks.keys(), key=natural)
        pictures += [CheckedPair(split, name, pairs.images.get(name), pairs.masks.get(name)) for name in names]
    if not pictures:
        raise ValueError(f"{data.folder} holds no pictures")
    with Progress(f"checking {data.folder.name}") as bar, ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, _ in enumerate(pool.map(lambda picture: _examine(picture, data.reader), pictures), start=1):
            bar.update(done / len(pictures), f"{done} of {len(pictures)} pictures")
    twins = _tell_twins(pictures)
    for picture in pictures:
        for kind, sentence in picture.faults:
            faults[kind].append(sentence)
    if len(twins) > MANY:
        twins = [f"{len(twins)} pictures are nearly the same as an earlier one of their split, such as: {twins[0]}"]
    faults = {kind: told for kind, told in faults.items() if told}
    return Report(data.folder, data.reader, pictures, faults, [*_notes(pictures, data), *twins])


def _examine(picture, reader):
    """Fill in what the two files hold."""
    for file, other in ((picture.image, "mask"), (picture.mask, "image")):
        if file and not (picture.image and picture.mask):
            picture.faults.append(("without a partner", f"{file} has no {other}"))
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
        picture.faults.append(("can't be read", str(error)))
    try:
        if picture.mask:
            labels, fault = reader.examine(picture.mask)
            mask_size = tuple(labels.shape)
            values, pixels = labels[labels >= 0].unique(return_counts=True)
            picture.pixels = Counter(dict(zip(values.tolist(), pixels.tolist(), strict=True)))
            picture.faults += [("unknown labels", fault)] if fault else []
    except ValueError as error:
        picture.faults.append(("can't be read", str(error)))
    if picture.size and mask_size and picture.size != mask_size:
        told = f"{picture.mask} is {mask_size} but {picture.image} {picture.size} (height, width)"
        picture.faults.append(("sizes differ", told))


def difference_hash(image):
    """Whether each of 8 x 8 places is brighter than its left neighbour, bool (64,); None for a picture that is flat.

    Hardly any resizing, compression or change of brightness alters it. image : float (3, H, W), 0..1.
    """
    grey = adaptive_avg_pool2d(image.mean(0, keepdim=True), (8, 9))[0]
    return (grey[:, 1:] > grey[:, :-1]).flatten() if grey.max() - grey.min() > 0.02 * grey.max() else None


def _tell_twins(pictures):
    """Add duplicates and leakage to the pictures' faults; return sentences on near twins within a split."""
    notes = []
    for picture, twin, distance in find_twins([picture for picture in pictures if picture.digest]):
        same = "the same file as" if distance is None else f"nearly the same picture ({distance} of 64 bits differ) as"
        sentence = f"{picture.image} is {same} {twin.image}"
        if picture.split != twin.split:
            picture.faults.append(
                ("leakage between splits", f"{sentence}: {picture.split} and {twin.split} must not share pictures")
            )
        elif distance is None:
            picture.faults.append(("duplicates", sentence))
        else:
            notes.append(sentence)
    return notes


def _notes(pictures, data):
    notes = [f"{data.left_out} pictures without a mask are left out"] if data.left_out else []
    if data.reader == MaskReader():
        return [*notes, "there is no class table: write classes.txt, one name a line"]
    seen = set().union(*(picture.pixels for picture in pictures))
    absent = [name for label, name in enumerate(data.reader.classes) if label not in seen]
    return [*notes, f"no mask has a pixel of {few(absent)}"] if absent else notes
