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


def slopes_to_thin():
    """What is said of a picture -> strength, and slopes down the rows and along the columns: (H, W) float64 arrays."""
    random = np.random.default_rng(4)
    strength = random.uniform(0, 7, (9, 12))
    strength[2:5, 2:7] = 8  # equal neighbours
    angle = (random.integers(-4, 4, strength.shape) + random.uniform(-0.49, 0.49, strength.shape)) * np.pi / 4
    length = random.uniform(1, 9, strength.shape)
    near = random.integers(1, 4, (22, 17)) * random.uniform(0.0199, 0.02, (22, 17))  # nearly equal neighbours
    angles = (random.integers(-4, 4, near.shape) + random.choice([-0.49, 0.3, 0.49], near.shape)) * np.pi / 4
    slopes = np.sin(angles), np.cos(angles)
    for slope in slopes:
        slope[:8] = random.integers(-1, 2, (8, 17))  # along a row, a column, a diagonal
    near[(slopes[0] == 0) & (slopes[1] == 0)] = 0  # flat
    return {
        "": (strength, length * np.sin(angle), length * np.cos(angle)),
        " of 22 rows, with values below 0.1": (near, *slopes),
    }


def chains_to_link():
    """The strength of crests, (7, 13): to be linked with 1 and 2."""
    strength = np.zeros((7, 13))
    strength[1, 1:5] = 2, 1.5, 1.5, 1  # a chain with a strong start
    strength[2, 5] = 1  # goes on across a corner
    strength[4, 1:4] = 1, 1, 1  # weak all along
    strength[6, 4:8] = 1, 0.5, 1, 2  # too weak in its middle
    strength[2:5, 9:12] = [[2, 1, 1], [1, 0, 1], [1, 1, 1]]  # a ring, empty inside
    return strength


def unseen_outlines():
    """Outlines of other sizes with gaps, and what they should enclose: dict of name -> two (H, W) bool arrays."""
    return {"an outline of another size": _wide_outline(), "a small outline, a long stroke": _small_outline()}


def _small_outline():
    rows, columns = np.indices((48, 140))
    inside = (rows - 14) ** 2 + (columns - 110) ** 2 <= 6**2
    edges = inside & ~ndimage.binary_erosion(inside)
    edges[13:16, :110] = False
    edges[38, 8:132] = True  # encloses nothing, and has more pixels than the disc
    return edges, inside


def _wide_outline():
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
