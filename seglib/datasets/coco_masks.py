"""COCO's two ways to write a mask: polygons, and runs of pixels (RLE), both read exactly as pycocotools reads them."""

import numpy as np

STEPS = 5  # a polygon's outline is walked on a grid five times finer than the pixels


def mask_of(segmentation, height, width):
    """Boolean mask (H, W) of an annotation's "segmentation": a list of polygons, whose union counts, or an RLE.

    Raises ValueError saying what is wrong with it.
    """
    if isinstance(segmentation, dict):
        return _mask_of_runs(segmentation, height, width)
    mask = np.zeros((height, width), bool)
    for polygon in segmentation:
        mask |= _mask_of_polygon(polygon, height, width)
    return mask


def _mask_of_runs(rle, height, width):
    """RLE: lengths of runs of 0, 1, 0, 1, ... down the columns, as a list or as a string."""
    if list(rle["size"]) != [height, width]:
        raise ValueError(f"its RLE is of size {rle['size']}, its picture {[height, width]} (height, width)")
    counts = rle["counts"]
    runs = np.asarray(_unpacked(counts) if isinstance(counts, str) else counts)
    if runs.ndim != 1 or runs.dtype.kind != "i" or runs.min() < 0 or runs.sum() != height * width:
        raise ValueError(f"the runs of its RLE are not whole numbers that add up to {height} x {width} pixels")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T


def _unpacked(text):
    """Run lengths out of a string: 5 bits a letter, low ones first, a 6th that says "goes on"; 4th run on: changes."""
    runs, value, bits = [], 0, 0
    for letter in text:
        code = ord(letter) - 48
        if not 0 <= code < 64:
            raise ValueError(f"its RLE holds the letter {letter!r}, which no RLE has")
        value |= (code & 31) << bits
        bits += 5
        if not code & 32:
            value -= (code & 16 > 0) << bits  # the last letter's highest bit is the sign
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value, bits = 0, 0
    if bits:
        raise ValueError("its RLE breaks off in the middle of a number")
    return runs


def _mask_of_polygon(polygon, height, width):
    """Pixels inside an outline x1, y1, x2, y2, ... (a pixel is the square from its index to the next).

    Where the outline passes the middle of a column, the pixels below change from out to in or back. The rounding is
    that of pycocotools, step by step, so that no pixel of the border differs.
    """
    points = np.asarray(polygon, float).reshape(-1, 2)
    far = np.abs(points - np.array([width, height]) / 2) > 1.5 * np.array([width, height])
    if far.any() or not np.isfinite(points).all():
        raise ValueError(
            f"its polygon's point {points[far.any(1) | ~np.isfinite(points).all(1)][0].tolist()} is far outside of its "
            f"picture, {height} x {width} pixels (height, width). Usual cause: points of a picture of another size"
        )
    x, y = _walk((STEPS * points + 0.5).astype(int))
    crossing = np.flatnonzero(x[1:] != x[:-1])
    column = (np.minimum(x[crossing], x[crossing + 1]) + 0.5) / STEPS - 0.5
    row = np.ceil(np.clip((np.minimum(y[crossing], y[crossing + 1]) + 0.5) / STEPS - 0.5, 0, height))
    middle = (column == np.floor(column)) & (column >= 0) & (column <= width - 1)
    changes = (column[middle] * height + row[middle]).astype(int)
    count = np.bincount(changes, minlength=height * width)[: height * width].cumsum()
    return (count % 2 == 1).reshape(width, height).T


def _walk(corners):
    """All grid points (x, y) along a closed outline, in order; both ends of an edge belong to it."""
    steps = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        length = np.abs(end - start)
        long = int(length[0] < length[1])  # the axis along which the edge is longer
        if length[long] == 0:
            continue
        turned = start[long] > end[long]  # an edge is the same points in both directions
        low, high = (end, start) if turned else (start, end)
        t = np.arange(length[long] + 1)[:, None]
        points = (low + t * ((high - low) / length[long]) + 0.5).astype(int)
        steps.append(points[::-1] if turned else points)
    return np.concatenate(steps or [corners[:1]]).T
