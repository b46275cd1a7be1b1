"""Your own data: images and masks in two folders."""

import re

import torch

from seglib.datasets.reading import LOSSLESS, PICTURES, check_same_size, list_pictures, read_image, read_mask


class FolderDataset:
    """A folder of images and a folder of class masks, matched by file name without its suffix.

    Sorted as people count: picture 2 comes before picture 10. Hidden files are passed over. Other layouts, masks of
    colours and tables of classes are found out by `workbench.layouts.open_folder`, which returns this class.

    Parameters
    ----------
    images : path, or {name: path}
        PNG, TIFF, BMP, JPEG or WebP, see `read_image`.
    masks : path, or {name: path}
        PNG, TIFF or BMP: one channel, the class index of every pixel, grey of 8 or 16 bits or palette indices. (JPEG
        would blur the labels.)
    classes : names of the classes
        A name's place is its label; 255 is "ignore". Any other label in a mask raises ValueError.
    foreground : int, optional
        With two classes, the value that means class 1. Black-and-white masks want ``foreground=255``, because
        255 is "ignore" otherwise; a two-class mask of 0 and 255 alone raises ValueError until this is given.
    read : callable, optional
        Path of a mask -> class ids, int64 (H, W), in place of `read_mask`; for masks in which colours, say, stand for
        classes.
    transform : callable, optional
        Sample in, sample out.

    Raises
    ------
    FileNotFoundError
        A folder is not there.
    ValueError
        A file has no partner, or something else lies there; or, when a sample is read, a file is damaged, sizes differ,
        or a mask holds what the classes don't have.

    >>> data = FolderDataset("cats/images", "cats/masks", ("background", "cat"))  # doctest: +SKIP
    """

    def __init__(
        self, images, masks, classes=("background", "object"), *, foreground=None, read=read_mask, transform=None
    ):
        self.classes, self.foreground, self.read, self.transform = tuple(classes), foreground, read, transform
        if foreground is not None and (len(self.classes) != 2 or read is not read_mask):
            raise ValueError(f"foreground is for two classes, not {len(self.classes)}, without colours: {classes}")
        pictures = images if isinstance(images, dict) else list_pictures(images, PICTURES)
        partners = masks if isinstance(masks, dict) else list_pictures(masks, LOSSLESS)
        _check_partners(pictures, partners)
        self.pairs = [(pictures[name], partners[name]) for name in sorted(pictures, key=natural)]

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        image_path, mask_path = self.pairs[index]
        image, mask = read_image(image_path), self.labels(mask_path)
        check_same_size(mask, mask_path, image, image_path)
        sample = {"image": image, "mask": mask, "name": image_path.stem}
        return self.transform(sample) if self.transform else sample

    def labels(self, path):
        """Read a mask, check it against the classes, turn its foreground value into 1."""
        mask = self.read(path)
        allowed = [*range(len(self.classes)), 255] if self.foreground is None else sorted({0, self.foreground, 255})
        unknown = mask[~torch.isin(mask, torch.tensor(allowed))].unique().tolist()
        if unknown:
            raise ValueError(
                f"{path} holds the labels {few(unknown)}; wanted are {few(allowed)} for {self.classes}. "
                "Usual causes: labels counted from 1, a class left out of the names, grey values instead of labels"
            )
        if self.foreground is not None:
            return torch.where(mask == self.foreground, 1, mask)
        only_void = mask.min() == 0 and mask.max() == 255 and not (mask == 1).any()
        if only_void and len(self.classes) == 2 and self.read is read_mask:
            raise ValueError(
                f"{path} holds 0 and 255 only, and 255 means 'ignore': if it means {self.classes[1]!r}, pass "
                "foreground=255; if it is to be ignored, pass foreground=1"
            )
        return mask


def _check_partners(images, masks):
    """Raise ValueError naming the first image or mask that has no partner of the same name."""
    for kind, files, other, partners in (("image", images, "mask", masks), ("mask", masks, "image", images)):
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
