"""Predict pictures of any size: overlapping tiles, blended, and objects cut apart window by window.

Memory holds one row of tiles, whatever the height of the picture.
"""

import numpy as np
import torch
from torch.nn import functional as F

from seglib.classical import split_touching
from workbench.objects import boxes

SMALLEST = 64  # px; smaller pictures are repeated at their end up to this, so that no network pools them away


def predict_rows(logits_of, read, size, tile=512, overlap=128):
    """Predict a picture tile by tile and yield it from top to bottom.

    Tiles begin at multiples of ``tile - overlap``. Across the overlap of two of them the share of one falls linearly
    from 1 to 0 in the middle half; the outer quarters of it, where a tile's edge is felt, count for nothing. So
    the result is that of the whole picture wherever the network sees no further than ``overlap / 4``, and close
    to it if what lies further off hardly matters. The edges of the picture itself are those of its tiles.

    Parameters
    ----------
    logits_of : callable
        (N, C, h, w) float32 -> logits (N, K, h, w).
    read : callable
        ``read(top, bottom)`` gives these rows of the prepared picture, a float32 tensor (C, bottom - top, W).
    size : (height, width)
    tile, overlap : int
        Pixels, multiples of 32, so that every tile meets a network's poolings where the whole picture would.

    Yields
    ------
    (top, probabilities) : int, float32 tensor (K, rows, W)
        The next finished rows, from ``top`` on.

    Raises
    ------
    ValueError
        See `check_tiles`.
    """
    check_tiles(tile, overlap)
    rows, open_rows = tiles(size[0], tile, overlap), None
    for number, (top, bottom) in enumerate(rows):
        band = predict_band(logits_of, read(top, bottom), tile, overlap)
        band *= ramp(top, bottom, size[0], overlap)[:, None]
        if open_rows is not None:
            band[:, : open_rows.shape[1]] += open_rows
        done = rows[number + 1][0] if number + 1 < len(rows) else size[0]
        yield top, band[:, : done - top]
        open_rows = band[:, done - top :]


def predict_band(logits_of, band, tile, overlap):
    """Probabilities (K, h, W) of a band (C, h, W) of one tile's height, blended from left to right."""
    width, result = band.shape[-1], None
    for left, right in tiles(width, tile, overlap):
        found = probabilities(logits_of, band[None, ..., left:right])[0]
        if result is None:
            result = found.new_zeros(len(found), *band.shape[1:])
        result[..., left:right] += found * ramp(left, right, width, overlap)
    return result


def probabilities(logits_of, batch):
    """Softmax of the logits, on the CPU; what is smaller than SMALLEST is repeated at its end for the network."""
    height, width = batch.shape[-2:]
    missing = max(0, SMALLEST - height), max(0, SMALLEST - width)
    if any(missing):
        batch = F.pad(batch, (0, missing[1], 0, missing[0]), mode="replicate")
    return logits_of(batch)[..., :height, :width].softmax(1).float().cpu()


def mean_of_looks(logits_of, looks):
    """``logits_of`` as the mean of its probabilities over looks: mirrored pictures and, for 12 looks, three sizes."""

    def answer(batch):
        total, size = 0, batch.shape[-2:]
        for scale in (0.75, 1, 1.25) if looks == 12 else (1,):
            grid = [max(SMALLEST, round(side * scale / 32) * 32) if scale != 1 else side for side in size]
            sized = F.interpolate(batch, grid, mode="bilinear")
            for axes in ((), (3,), (2,), (2, 3)):
                shares = logits_of(sized.flip(axes)).softmax(1).flip(axes)
                total = total + F.interpolate(shares, size, mode="bilinear")
        return (total / total.sum(1, keepdim=True)).log()  # of which softmax makes the mean again

    return answer if looks > 1 else logits_of


def check_tiles(tile, overlap):
    """Raise ValueError unless both are multiples of 32 and a tile holds two overlaps."""
    if tile % 32 or overlap % 32 or not 0 < 2 * overlap <= tile:
        wanted = "multiples of 32 are wanted, the overlap at most half of the tile"
        raise ValueError(f"tile is {tile}, overlap {overlap}: {wanted}")


def tiles(length, tile, overlap):
    """(start, end) of the tiles along one side: each ``overlap`` into the next, the last as short as need be."""
    starts = range(0, max(length - overlap, 1), tile - overlap)
    return [(start, min(start + tile, length)) for start in starts]


def ramp(start, end, length, overlap):
    """Weights (end - start,) of a tile along one side; with those of its neighbours they add up to 1."""
    place = torch.arange(start, end) + 0.5
    up = ((place - start) / overlap * 2 - 0.5).clamp(0, 1) if start > 0 else torch.ones(len(place))
    down = ((end - place) / overlap * 2 - 0.5).clamp(0, 1) if end < length else torch.ones(len(place))
    return torch.minimum(up, down)


def objects(foreground, window=2048, margin=256):
    """Cut a foreground mask into objects with `split_touching`, window by window, and yield them.

    A window is looked at with a margin around it and keeps the objects whose middle lies inside. So objects smaller
    than the margin come out as they would from the whole mask, each once; larger ones may be cut at its edge.

    Parameters
    ----------
    foreground : (H, W) bool array
    window, margin : int
        Pixels. A mask of at most ``window`` rows and columns is cut in one go.

    Yields
    ------
    (top, left, mask) : int, int, (h, w) bool array
        The object's pixels in its bounding box.
    """
    height, width = foreground.shape
    for top in range(0, height, window):
        for left in range(0, width, window):
            first, start = max(top - margin, 0), max(left - margin, 0)
            inside = foreground[first : top + window + margin, start : left + window + margin]
            labels = split_touching(np.asarray(inside))
            for row, column, mask in boxes(labels):
                y, x = first + row + mask.shape[0] // 2, start + column + mask.shape[1] // 2
                if top <= y < top + window and left <= x < left + window:
                    yield first + row, start + column, mask
