"""Digits: real handwritten digits as overlapping objects on real surfaces, to detect and to cut out one by one."""

import colorsys
import math
import random
from functools import cache

import numpy as np
from PIL import Image

from seglib.arrays import mirror
from seglib.scenes import textures
from seglib.scenes._common import Scene
from seglib.targets import instances_to_targets

PARTS = {"train": (0, 1437), "test": (1437, 1797)}  # by their places in scikit-learn's file
CELLS, FINE = 12, 4  # an original is 8 x 8 cells in a margin of 2; it is kept with 4 x 4 samples a cell
SMALLEST, LARGEST = 20 / 96, 44 / 96  # height of a digit as a share of the picture's shorter side
LEAST = 10.0  # px: lower digits can't be read
LEAST_PIXELS = 12  # a digit of which less would be seen is not drawn
SURFACES = {
    "brick": ((0.66, 0.36, 0.27), (0.55, 0.45, 0.4), (0.8, 0.72, 0.62), (0.52, 0.53, 0.56)),
    "gravel": ((0.56, 0.55, 0.53), (0.68, 0.6, 0.48), (0.4, 0.4, 0.42), (0.75, 0.73, 0.7)),
    "grass": ((0.36, 0.5, 0.22), (0.52, 0.52, 0.28), (0.3, 0.4, 0.22), (0.62, 0.54, 0.36)),
}


class Digits(Scene):
    """Handwritten digits, two to eight a picture, tilted, in several sizes and colours, on brick, gravel or grass.

    Each sample is a dict of what is seen: ``image`` float32 (3, H, W) in 0..1, ``mask`` int64 (H, W) with class ids
    in the order of ``classes`` (digit + 1), ``instances`` int64 (H, W) with ids 1..n; and of a detector's target, row
    k for the digit of id k + 1: ``boxes`` float32 (n, 4) xyxy around what is seen, ``labels`` int64 (n,), ``masks``
    uint8 (n, H, W). ``full_masks`` uint8 (n, H, W) also holds what other digits hide. Digits are numbered in the
    order in which they are painted: a later one hides an earlier one. Inside the loops of 0, 6, 8 and 9 is background.

    The originals are the 1797 digits of 8 x 8 pixels of scikit-learn (Alpaydin and Kaynak 1998, UCI "Optical
    recognition of handwritten digits", test set), upsampled so that a digit keeps the area of its ink, or a tenth more.

    Parameters
    ----------
    length : int
        Number of pictures.
    size : int or (int, int)
        Height and width in pixels. The digits grow with the shorter side: 20 to 44 px high at 96, never below 10.
        (In pictures far below 64 px there is room for fewer than two at times.)
    seed : int
        Sample i depends on (seed, i) and the part alone.
    transform : callable, optional
        Takes and returns a sample. It comes before ``boxes``, ``labels`` and ``masks`` are made, so it may turn, crop
        and resize; digits that it pushes out of the picture are left out.
    part : {"train", "test"}
        Which originals: the first 1437, or the other 360. No original is in both, and few hands, as digits of one
        writer lie together in the file.
    least_seen : float
        Share of each digit, 0 to 1, that other digits and the border leave to be seen at least; 12 px are seen in any
        case. With 0.25 digits lie on each other in heaps.

    Raises
    ------
    ValueError
        length, size or seed is no whole number or too small, part is another word, or least_seen is not in 0..1.

    Examples
    --------
    >>> sample = Digits(1, size=64)[0]
    >>> sample["image"].shape, sample["masks"].shape
    (torch.Size([3, 64, 64]), torch.Size([7, 64, 64]))
    """

    classes = ("background", *"0123456789")

    def __init__(self, length, size=96, seed=0, transform=None, *, part="train", least_seen=0.9):
        super().__init__(length, size, seed, transform)
        if part not in PARTS:
            raise ValueError(f'part is "train" or "test", not {part!r}')
        if not 0 <= least_seen <= 1:
            raise ValueError(f"least_seen is a share from 0 to 1, not {least_seen}")
        self.part, self.least_seen = part, least_seen

    def __getitem__(self, index):
        return instances_to_targets(super().__getitem__(index))

    def draw(self, rng):
        # Hundreds of single numbers are drawn: the standard library does that ten times faster than NumPy. Another
        # seed for the other part, or its pictures would be the same ones with the digits exchanged.
        seed = int(rng.integers(2**62))
        dice = random.Random(seed + 1 if self.part == "test" else seed)
        digits = scatter(dice, self.size, PARTS[self.part], self.least_seen)
        noise = rng.standard_normal(self.size, dtype=np.float32)
        image = np.clip(paint(dice, self.size, digits) + dice.uniform(0.004, 0.025) * noise, 0, 1)
        full = np.zeros((len(digits), *self.size), np.uint8)
        mask, instances = np.zeros((2, *self.size), np.int64)
        for k, (label, *placed, _) in enumerate(digits):
            window, ink = fit(*placed, self.size)
            full[k][window] = ink > 0.5
            mask[window][ink > 0.5], instances[window][ink > 0.5] = label, k + 1
        return {"image": image, "mask": mask, "instances": instances, "full_masks": full}


@cache
def originals():
    """(ink, labels) of all digits: 8-bit pictures of 48 x 48, the ink's border at half of 255; labels 1..10."""
    from sklearn.datasets import load_digits  # slow to import, so only when a digit is drawn

    digits, ink = load_digits(), []
    for image in digits.images:
        smooth = Image.fromarray(np.pad(image, 2).astype(np.float32))
        smooth = np.asarray(smooth.resize((CELLS * FINE, CELLS * FINE), Image.Resampling.LANCZOS))
        # A cell counts the ink of 4 x 4 pixels of the scan, 0 to 16. So many of the finer samples are to be ink,
        # and a tenth more: thin strokes break otherwise, and more loops of 0 and 9 open than of 8 stay closed.
        border = np.sort(smooth, axis=None)[-int(1.1 * image.sum() / 16 * FINE**2)]
        ink.append(Image.fromarray(np.clip(127.5 / border * smooth, 0, 255).astype(np.uint8)))
    return ink, digits.target + 1


def scatter(dice, size, part, least_seen):
    """Choose digits and places from the top one down; return them from the lowest up.

    Each is (label, ink, top, left, unit): float32 ink, above 1/2 inside the digit, where its square begins in the
    picture, and pixels in a cell. As those below are chosen last, what is seen of a digit is known at once.
    """
    wanted, crowding, covered, digits = dice.randint(2, 8), dice.choice((0, 0.3, 0.6)), np.zeros(size, bool), []
    low, high = (max(LEAST, share * min(size)) for share in (SMALLEST, LARGEST))
    for _ in range(4 * wanted):
        height = low * (high / low) ** dice.random()
        number = dice.randrange(*part)
        ink = write(dice, originals()[0][number], height)
        if digits and dice.random() < crowding:  # beside or behind another
            _, other, *corner, unit = dice.choice(digits)
            reach, angle = dice.uniform(0.4, 0.9) * (height + 8 * unit) / 2, dice.uniform(0, 2 * math.pi)
            shift = reach * math.sin(angle), reach * math.cos(angle)
            centre = [start + len(other) / 2 + move for start, move in zip(corner, shift, strict=True)]
        else:
            centre = [dice.uniform(min(0.4 * height, side / 2), max(side - 0.4 * height, side / 2)) for side in size]
        top, left = (round(place - len(ink) / 2) for place in centre)
        window, inside = fit(ink > 0.5, top, left, size)
        if np.count_nonzero(inside & ~covered[window]) < max(least_seen * np.count_nonzero(ink > 0.5), LEAST_PIXELS):
            continue
        covered[window] |= inside
        digits.append((int(originals()[1][number]), ink, top, left, height / 8))
        if len(digits) == wanted:
            break
    return digits[::-1]


def write(dice, original, height):
    """One original at its final size, tilted, slanted and stretched: square, float32 ink 0..1."""
    side, scale = math.ceil(CELLS / 8 * height) + 2, 8 * FINE / height
    tilt, slant, stretch = dice.gauss(0, 0.2), dice.gauss(0, 0.12), dice.uniform(0.85, 1.15)
    cos, sin = scale * math.cos(tilt), scale * math.sin(tilt)
    a, b, c, d = cos / stretch + slant * sin, sin / stretch - slant * cos, -sin, cos
    middle = CELLS * FINE / 2
    moves = (a, b, middle - (a + b) * side / 2, c, d, middle - (c + d) * side / 2)  # from a pixel to the original
    ink = original.transform((side, side), Image.Transform.AFFINE, moves, Image.Resampling.BILINEAR)
    return np.asarray(ink, np.float32) / 255


def fit(ink, top, left, size):
    """The window of a picture (two slices) on which ink that begins at (top, left) falls, and that part of it."""
    window, part = [], []
    for start, side in zip((top, left), size, strict=True):
        first, last = min(max(start, 0), side), min(max(start + len(ink), 0), side)
        window.append(slice(first, last))
        part.append(slice(first - start, last - start))
    return tuple(window), ink[tuple(part)]


def paint(dice, size, digits):
    """A lit surface and the digits on it, the lowest first, each with its shadow; float32 (3, H, W)."""
    name = dice.choice(tuple(SURFACES))
    across = dice.choice((128, 256)) if max(size) <= 128 else 256
    starts = [dice.randrange(max(1, across - side)) for side in size]
    rows, columns = (mirror(start + np.arange(side), across) for start, side in zip(starts, size, strict=True))
    detail = dice.uniform(0.12, 0.28) * textures.detail(name, across)[rows][:, columns]
    ground = [tint + dice.gauss(0, 0.02) for tint in dice.choice(SURFACES[name])]
    picture = np.array(ground, np.float32)[:, None, None] * (1 + detail)
    wear, relief, shade = dice.uniform(0, 0.6), dice.uniform(0.1, 0.5), dice.uniform(0.2, 0.6)
    light = dice.choice(((1, 1), (1, 0), (1, -1)))  # where it goes: from above
    for _, ink, top, left, unit in digits:
        body = np.clip((ink - 0.5) * unit + 0.5, 0, 1)  # its border is soft over about a pixel
        throw = max(1, round(unit / 2))
        window, shadow = fit(body, top + throw * light[0], left + throw * light[1], size)
        picture[:, window[0], window[1]] *= 1 - shade * shadow
        facing = ink - np.roll(ink, light, (0, 1))  # the stroke is round: bright where it faces the light
        window, lit = fit(1 + relief * unit / 2 * facing, top, left, size)
        _, body = fit(body, top, left, size)
        colour = np.array(contrasting(dice, ground), np.float32)[:, None, None]
        below = picture[:, window[0], window[1]]
        below += body * (colour * lit * (1 + wear * detail[window]) - below)
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) * dice.gauss(0, 0.1) for side in size)
    return picture * np.float32(dice.uniform(0.65, 1.15)) * (1 + y[:, None] + x)


def contrasting(dice, ground):
    """A random colour that is told from the ground's."""
    while True:
        colour = colorsys.hsv_to_rgb(dice.random(), dice.uniform(0.1, 0.95), dice.uniform(0.15, 1))
        if math.dist(colour, ground) > 0.35:
            return colour
