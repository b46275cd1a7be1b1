"""COCO's two ways to write a mask: polygons, and runs of pixels (RLE), both read exactly as pycocotools reads them."""

import re

import numpy as np
from pycocotools.mask import frPyObjects, merge


def mask_of(segmentation, height, width):
    """Boolean mask (H, W) of an annotation's "segmentation": a list of polygons, whose union counts, or an RLE.

    Raises ValueError saying what is wrong with it.
    """
    runs = runs_of(segmentation, height, width)
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T


def runs_of(segmentation, height, width):
    """The same mask as lengths of its runs of 0, 1, 0, 1 ... down the columns: int64 (n,). Polygons as pycocotools."""
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        if segmentation["size"] != [height, width]:
            raise ValueError(f"its RLE is of height and width {segmentation['size']}, its picture {[height, width]}")
    else:
        if not segmentation:
            raise ValueError("it has no outline")
        for polygon in segmentation:
            _check_polygon(polygon, height, width)
        counts = merge(frPyObjects(segmentation, height, width))["counts"].decode()
    runs = np.asarray(_unpacked(counts) if isinstance(counts, str) else counts)
    # pycocotools would take runs of any sum, and leave the rest of the mask empty.
    if runs.ndim != 1 or runs.dtype.kind != "i" or runs.min() < 0 or runs.sum() != height * width:
        raise ValueError(f"the runs of its RLE are not whole numbers that add up to {height} x {width} pixels")
    return runs


def _unpacked(text):
    """Run lengths out of a string: 5 bits a letter, low ones first, a 6th that says "goes on"; 4th run on: changes."""
    if not re.fullmatch("(?:[P-o]*[0-O])*", text):
        raise ValueError("its RLE holds letters that no RLE has, or breaks off in the middle of a number")
    runs = []
    for number in re.findall("[P-o]*[0-O]", text):
        parts = [(ord(letter) - 48) & 31 for letter in number]
        value = sum(part << 5 * place for place, part in enumerate(parts))
        if parts[-1] & 16:  # the highest bit is the sign
            value -= 1 << 5 * len(parts)
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
    return runs


def _check_polygon(polygon, height, width):
    size = np.array([width, height])
    points = np.asarray(polygon, float).reshape(-1, 2)
    near = (np.abs(points - size / 2) <= 1.5 * size).all(1)  # NaN is not
    if not near.all():
        raise ValueError(
            f"its polygon's point {points[~near][0].tolist()} is far outside of its picture, {height} x {width} pixels "
            "(height, width). Usual cause: points of a picture of another size"
        )
