"""Your own data: images and masks in folders."""

import re
from pathlib import Path

import torch

from seglib.datasets.class_tables import check_colours, class_names, find_table, read_labels
from seglib.datasets.layouts import find_splits, pair_up
from seglib.datasets.reading import LOSSLESS, PICTURES, check_same_size, read_image, read_mask


class FolderDataset:
    """A folder of images and a folder of class masks, matched by file name without its suffix.

    Sorted as people count: picture 2 comes before picture 10. Hidden files are passed over.

    Parameters
    ----------
    images : path
        PNG, TIFF, BMP, JPEG or WebP, see `read_image`. Without ``masks``, the folder of a whole set in a common layout:
        images/ + masks/ (or imgs, labels, ...); these with train/, val/, test/ in them; train/images/ + train/masks/;
        train/ + train_masks/; or pictures and masks side by side, a.jpg and a_mask.png (_label, _seg).
    masks : path, optional
        PNG, TIFF or BMP: one channel, the class index of every pixel, grey of 8 or 16 bits or palette indices; or,
        through a table of colours, colours. (JPEG would blur the labels.) Names may all end in _mask, say.
    classes : names of the classes, or {name: (red, green, blue)}, optional
        A name's place is its label; 255 is "ignore". Any other label in a mask raises ValueError. With colours, masks
        are read by their colours (palettes included), 0..255, and a class "void" or "ignore" means 255. By default
        the table classes.csv or classes.txt beside the folders, if there is one (see `class_tables.read_table`), else
        "background" and "object".
    split : {"train", "val", "test"}, optional
        Which part of a set that lies in such folders.
    foreground : int, optional
        With two classes, the value that means class 1. Black-and-white masks want ``foreground=255``, because
        255 is "ignore" otherwise; a two-class mask of 0 and 255 alone raises ValueError until this is given.
    transform : callable, optional
        Sample in, sample out.

    Raises
    ------
    FileNotFoundError
        A folder is not there.
    ValueError
        The layout is not recognised, a file has no partner, or something else lies there; or, when a sample is read,
        a file is damaged, sizes differ, or a mask holds what the classes don't have.

    >>> data = FolderDataset("cats/images", "cats/masks", classes=("background", "cat"))  # doctest: +SKIP
    >>> data = FolderDataset("cats", split="train")  # doctest: +SKIP
    """

    def __init__(self, images, masks=None, classes=None, *, split=None, foreground=None, transform=None):
        home = Path(images) if masks is None else Path(masks).parent
        self.table = (find_table(home) or ("background", "object")) if classes is None else classes
        if isinstance(self.table, dict):
            check_colours(self.table, "classes")
        self.classes, self.foreground, self.transform = class_names(self.table), foreground, transform
        if foreground is not None and (len(self.classes) != 2 or isinstance(self.table, dict)):
            raise ValueError(f"foreground is for two classes, not {len(self.classes)}, without colours: {classes}")
        if masks is None:
            images, masks = _choose(images, split)
        elif split is not None:
            raise ValueError(f"split={split!r} is for the folder of a whole set; here masks={masks} is given")
        pictures, partners, faults = pair_up(images, masks)
        if faults:
            raise ValueError(faults[0])
        for folder, files, suffixes in ((images, pictures, PICTURES), (masks, partners, LOSSLESS)):
            if not files:
                raise ValueError(f"{folder} holds no pictures; wanted are {' '.join(suffixes)}")
        _check_partners("image", pictures, "mask", partners)
        _check_partners("mask", partners, "image", pictures)
        self.pairs = [(pictures[name], partners[name]) for name in sorted(pictures, key=natural)]

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        image_path, mask_path = self.pairs[index]
        image, mask = read_image(image_path), self._labels(mask_path)
        check_same_size(mask, mask_path, image, image_path)
        sample = {"image": image, "mask": mask, "name": image_path.stem}
        return self.transform(sample) if self.transform else sample

    def _labels(self, path):
        """Read a mask, check it against the classes, turn its foreground value into 1."""
        if self.foreground is not None:
            mask, allowed = read_mask(path), {0, self.foreground, 255}
            unknown = mask[(mask != 0) & (mask != self.foreground) & (mask != 255)].unique().tolist()
        else:
            mask, unknown = read_labels(path, self.table)
            allowed = {*range(len(self.classes)), 255}
        if unknown and isinstance(self.table, dict):
            raise ValueError(
                f"{path} holds the colours {few(unknown)} (red, green, blue), which are none of {self.classes}. Usual "
                "causes: a class left out of the table, labels instead of colours, colours blended by JPEG or resizing"
            )
        if unknown:
            raise ValueError(
                f"{path} holds the labels {few(unknown)}; wanted are {few(sorted(allowed))} for {self.classes}. "
                "Usual causes: labels counted from 1, a class left out of the names, grey values instead of labels"
            )
        if self.foreground is not None:
            return torch.where(mask == self.foreground, 1, mask)
        two = len(self.table) == 2 and not isinstance(self.table, dict)
        if two and mask.min() == 0 and mask.max() == 255 and not (mask == 1).any():
            raise ValueError(
                f"{path} holds 0 and 255 only, and 255 means 'ignore': if it means {self.classes[1]!r}, pass "
                "foreground=255; if it is to be ignored, pass foreground=1"
            )
        return mask


def _choose(folder, split):
    """The folders of images and of masks of a split."""
    splits = find_splits(folder)
    if "all" in splits and split is not None:
        raise ValueError(f"{folder} is not split into train/, val/ and test/, so leave out split={split!r}")
    if "all" not in splits and split not in splits:
        raise ValueError(f"{folder} has the splits {', '.join(splits)}: pass one of them as split, not {split!r}")
    return splits[split or "all"]


def _check_partners(kind, files, other, partners):
    """Raise ValueError naming the first file that has no partner of the same name."""
    alone = sorted(files.keys() - partners.keys(), key=natural)
    if alone:
        name, example = next(iter(partners.items()))
        wanted = example.with_stem(example.stem.replace(name, alone[0], 1))
        raise ValueError(
            f"{kind} {files[alone[0]]} has no {other}: wanted is {wanted} "
            f"(the same name up to the suffix). {len(alone)} of {len(files)} {kind}s are alone"
        )


def natural(name):
    """Sort key in which picture 2 comes before picture 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)], name


def few(values):
    """The first five of a sorted list, and its end, for a message."""
    return ", ".join(map(str, values[:5])) + (f" ... {values[-1]}" if len(values) > 5 else "")
