"""The explorer to draw on: a few strokes a class, and the whole photo is segmented."""

from functools import lru_cache

import numpy as np
from scipy import ndimage
from skimage.draw import line

from seglib.inputs import as_picture
from seglib.plotting import PALETTE, overlay, to_rgb
from seglib.widgets._explorer import Explorer, choice, count, slider
from seglib.widgets.explorers import draw_cross, prepared

_COLOURS = np.array([0, 1, 5, 8])  # places in the palette: nothing, then class 1, 2 and 3
_BRUSH = np.ones((5, 5), bool)


def scribble_explorer(image, strokes=()):
    """Strokes: draw some for each class, with mouse, finger or keys, and see what the other pixels are taken for.

    A linear classifier learns at every stroke, from the features that a pretrained network has of the pixels under all
    of them: see `seglib.scribbles`.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
        Shown and segmented with 288 pixels along the longer side, if it has more.
    strokes : sequence of (class, [(row, column), ...])
        What is drawn to begin with: class 1, 2 or 3, and the corners of a line, in pixels of the image.

    Returns
    -------
    Explorer

    Raises
    ------
    ValueError
        For a picture that `pixel_features` cannot take, another class, and a stroke outside the picture.
    """
    from seglib.scribbles import pixel_features, segment_from_strokes  # PyTorch is slow to import

    full = np.shape(image)[:2]
    image, _ = prepared(image, None, 288)
    height, width = image.shape[:2]
    features, grey = pixel_features(image), to_rgb(as_picture(image, grey=True))
    strokes = [[int(kind), (np.array(points) * (height, width) // full).tolist()] for kind, points in strokes]

    @lru_cache(maxsize=1)  # the cursor may move between the same strokes
    def segmented(strokes):
        drawn = draw_strokes(strokes, (height, width))
        several = len(np.setdiff1d(drawn, 0)) > 1
        return drawn, segment_from_strokes(features, drawn) if several else np.zeros_like(drawn)

    def solve(row, column, kind, strokes):
        drawn, found = segmented(tuple((each, tuple(map(tuple, points))) for each, points in strokes))
        picture, status = to_rgb(image).copy(), "strokes of a second class are wanted"
        if found.any():
            picture = overlay(grey, _COLOURS[found], alpha=0.4)
            shares = np.bincount(found.ravel(), minlength=4) / found.size
            status = ", ".join(f"class {each} {shares[each]:.0%}" for each in np.unique(found))
            status += f", cursor on class {found[row, column]}"
        picture[drawn > 0] = PALETTE[_COLOURS[drawn[drawn > 0]]]
        draw_cross(picture, row, column)
        return picture, f"{count(len(strokes), 'stroke')}: {status}"

    controls = [
        slider("row", "cursor row", 0, height - 1, 1, height // 2),
        slider("column", "cursor column", 0, width - 1, 1, width // 2),
        choice("kind", "class", [1, 2, 3]),
    ]
    hint = (
        "Draw on the picture. Or with keys: arrows move the cursor (with Shift by 10 pixels), space puts a dot, 1 to 3 "
        "choose the class, U undoes the last stroke."
    )
    legend = [(_COLOURS[each], f"class {each}") for each in (1, 2, 3)]
    return Explorer("From strokes to regions", controls, legend, solve, ["row", "column"], hint, strokes)


def draw_strokes(strokes, shape):
    """(H, W) int64 map: the class under each stroke, 5 px wide, the later one above; 0 elsewhere."""
    drawn = np.zeros(shape, np.int64)
    for kind, points in strokes:
        if kind not in (1, 2, 3) or not ((np.array(points) >= 0) & (np.array(points) < shape)).all():
            raise ValueError(
                f"a stroke of class {kind} goes from {points[0]} to {points[-1]}; class 1, 2 or 3 is wanted, and (row, "
                f"column) inside a picture of {shape[0]} x {shape[1]} px. Usual cause: (x, y) for (row, column)"
            )
        stroke = np.zeros(shape, bool)
        for start, end in zip(points, [*points[1:], points[-1]], strict=True):
            stroke[line(*start, *end)] = True
        drawn[ndimage.binary_dilation(stroke, _BRUSH)] = kind
    return drawn
