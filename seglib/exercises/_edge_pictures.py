"""What the exercises of lesson 01 are tried on: outlines with gaps, and the coins in three lights."""

import numpy as np
from scipy import ndimage

from seglib import classical
from seglib.scenes import photo


def broken_outlines():
    """Outlines with gaps of up to 3 pixels, and what they should enclose.

    Returns
    -------
    edges, inside : dicts of name -> (48, 64) bool array
    """
    rows, columns = np.indices((48, 64))
    disc = (rows - 23) ** 2 + (columns - 20) ** 2 <= 14**2
    corner = (abs(rows - 24) <= 15) & (abs(columns - 40) <= 15) & ~((rows < 24) & (columns > 40))
    pair = ((rows - 23) ** 2 + (columns - 14) ** 2 <= 9**2) | ((rows - 23) ** 2 + (columns - 36) ** 2 <= 9**2)
    inside = {"disc": disc, "corner": corner, "two discs": pair, "disc and stroke": disc}
    edges = {name: mask & ~ndimage.binary_erosion(mask) for name, mask in inside.items()}
    edges["disc"][22:25, 30:] = False
    edges["corner"][38:41, 29:32] = False
    edges["two discs"][31:33, 13:15] = edges["two discs"][22:25, 40:] = False
    edges["disc and stroke"][30:32, :14] = False
    edges["disc and stroke"][8:38, 50] = True  # encloses nothing
    return edges, inside


def unseen_outline():
    """An outline of another size with two gaps, and what it should enclose: two (40, 72) bool arrays."""
    rows, columns = np.indices((40, 72))
    inside = ((rows - 20) / 14) ** 2 + ((columns - 38) / 26) ** 2 <= 1
    edges = inside & ~ndimage.binary_erosion(inside)
    edges[:10, 37:40] = edges[19:22, :20] = False
    return edges, inside


def coin_photos():
    """The coins in three lights: dict of name -> (image (H, W) float64 in 0..1, instances (H, W))."""
    coins = photo("coins")
    image, instances = coins["image"], coins["instances"]
    shade = 1 - 0.6 * np.linspace(0, 1, image.shape[1])
    return {
        "as it is": (image, instances),
        "lit from the left": (image * shade, instances),
        "darker, upside down": (0.6 * image[::-1], instances[::-1]),
    }


def coins_found(image, markers):
    """Flood from the markers; number 1 is cloth, every other one an object: (H, W) instance map, 0 = cloth."""
    basins = classical.watershed_segment(image, markers)
    return np.where(basins > 1, basins - 1, 0)
