"""Your own data: a folder of images beside a folder of masks."""

import re

import torch

from seglib.datasets.reading import (
    LOSSLESS,
    PICTURES,
    check_same_size,
    list_pictures,
    read_image,
    read_mask,
)


class FolderDataset:
    """A folder of images and a folder of class masks, matched by file name without its suffix.

    Sorted as people count: picture 2 comes before picture 10. Hidden files are passed over.

    Parameters
    ----------
    images, masks : path
        Images are PNG, TIFF, BMP, JPEG or WebP, see `read_image`. Masks are PNG, TIFF or BMP with one channel,
        the class index of every pixel: grey of 8 or 16 bits, or palette indices. (JPEG would blur the labels.)
    classes : names of the classes
        A name's place is its label; 255 is "ignore". Any other label in a mask raises ValueError.
    foreground : int, optional
        With two classes, the value that means class 1. Black-and-white masks want ``foreground=255``, because
        255 is "ignore" otherwise; a two-class mask of 0 and 255 alone raises ValueError until this is given.
    transform : callable, optional
        Sample in, sample out.

    >>> data = FolderDataset("cats/images", "cats/masks", classes=("background", "cat"))  # doctest: +SKIP
    """

    def __init__(self, images, masks, classes=("background", "object"), *, foreground=None, transform=None):
        if foreground is not None and len(classes) != 2:
            raise ValueError(f"foreground is for two classes, not {len(classes)}: {classes}")
        self.classes, self.foreground, self.transform = tuple(classes), foreground, transform
        images, masks = list_pictures(images, PICTURES), list_pictures(masks, LOSSLESS)
        _check_partners("image", images, "mask", masks)
        _check_partners("mask", masks, "image", images)
        self.pairs = [(images[name], masks[name]) for name in sorted(images, key=_natural)]

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        image_path, mask_path = self.pairs[index]
        image, mask = read_image(image_path), read_mask(mask_path)
        check_same_size(mask, mask_path, image, image_path)
        sample = {"image": image, "mask": self._labels(mask, mask_path), "name": image_path.stem}
        return self.transform(sample) if self.transform else sample

    def _labels(self, mask, path):
        """Check a mask against the classes; turn its foreground value into 1."""
        values = set(mask.unique().tolist())
        allowed = {*range(len(self.classes)), 255} if self.foreground is None else {0, self.foreground, 255}
        if not values <= allowed:
            raise ValueError(
                f"{path} holds the labels {_few(values - allowed)}; wanted are {_few(allowed)} for {self.classes}. "
                "Usual causes: labels counted from 1, a class left out of the names, grey values instead of labels"
            )
        if self.foreground is not None:
            return torch.where(mask == self.foreground, 1, mask)
        if len(self.classes) == 2 and values == {0, 255}:
            raise ValueError(
                f"{path} holds 0 and 255 only, and 255 means 'ignore': if it means {self.classes[1]!r}, pass "
                "foreground=255; if it is to be ignored, pass foreground=1"
            )
        return mask


def _check_partners(kind, files, other, partners):
    """Raise ValueError naming the first file that has no partner of the same name."""
    alone = sorted(files.keys() - partners.keys(), key=_natural)
    if alone:
        example = next(iter(partners.values()))
        raise ValueError(
            f"{kind} {files[alone[0]]} has no {other}: wanted is {example.with_stem(alone[0])} "
            f"(the same name up to the suffix). {len(alone)} of {len(files)} {kind}s are alone"
        )


def _natural(name):
    """Sort key in which picture 2 comes before picture 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)], name


def _few(values):
    values = sorted(values)
    return ", ".join(map(str, values[:5])) + (f" ... {values[-1]}" if len(values) > 5 else "")
