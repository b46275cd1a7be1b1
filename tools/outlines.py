"""From outlines drawn by hand to numbered regions: polygons, smooth curves and ellipses, painted in order.

Coordinates are (x, y) in pixels, x to the right, y down; pixel centres lie on whole numbers.
"""

import numpy as np
from skimage.draw import polygon2mask

VOID = 255


def paint(regions, shape):
    """Regions as a (H, W) uint8 picture: 1..n in the order of the list, later ones over earlier ones, void 255.

    A region is {"class": name, "parts": [shape, ...], "minus": [shape, ...]}; a shape is {"polygon": points},
    {"curve": points} (a closed curve through the points) or {"ellipse": [x, y, radius_x, radius_y, degrees]}.
    Regions of the class "void" get 255. The whole picture is {"polygon": "all"}.
    """
    numbers = np.zeros(shape, np.uint8)
    for number, region in enumerate(regions, start=1):
        inside = _union(region["parts"], shape) & ~_union(region.get("minus", []), shape)
        numbers[inside] = VOID if region["class"] == "void" else number
    return numbers


def outline(shape_notes):
    """The (n, 2) points (x, y) of a shape's outline, dense where it is curved."""
    kind, values = next(iter(shape_notes.items()))
    if kind == "ellipse":
        x, y, radius_x, radius_y, degrees = values
        angle, turn = np.linspace(0, 2 * np.pi, 181)[:-1], np.deg2rad(degrees)
        a, b = radius_x * np.cos(angle), radius_y * np.sin(angle)
        return np.stack([x + a * np.cos(turn) - b * np.sin(turn), y + a * np.sin(turn) + b * np.cos(turn)], axis=1)
    points = np.asarray(values, float)
    return _through(points) if kind == "curve" else points


def _union(shapes, size):
    inside = np.zeros(size, bool)
    for each in shapes:
        inside |= True if each.get("polygon") == "all" else polygon2mask(size, outline(each)[:, ::-1])
    return inside


def _through(points, steps=8):
    """A closed Catmull-Rom curve: it passes through all points, straight on towards the neighbours' chord."""
    before, after, next_after = (np.roll(points, shift, axis=0) for shift in (1, -1, -2))
    t = np.linspace(0, 1, steps, endpoint=False)[:, None, None]
    curve = (
        2 * points
        + (after - before) * t
        + (2 * before - 5 * points + 4 * after - next_after) * t**2
        + (3 * points - before - 3 * after + next_after) * t**3
    ) / 2
    return curve.swapaxes(0, 1).reshape(-1, 2)
