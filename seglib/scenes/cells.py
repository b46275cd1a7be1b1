"""Cells: fluorescence nuclei, drawn so that a network trained on them alone segments real ones.

Every range below was set beside real pictures of the 2018 Data Science Bowl (BBBC038): nucleus sizes, brightness,
touching pairs, background and noise. ``benchmarks/cells_beside_real.py`` prints the comparison.
"""

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from seglib.arrays import renumber
from seglib.scenes._common import Scene

MARGIN = 16  # nuclei are also placed this far outside, so that the border cuts some


class Cells(Scene):
    """Generated fluorescence microscopy of cell nuclei.

    Each sample is a dict: ``image`` float32 (1, H, W) in 0..1, ``mask`` int64 (H, W) with 1 on nuclei,
    ``instances`` int64 (H, W) numbering the nuclei from 1. Nuclei touch and overlap (the earlier one keeps the
    shared pixels); out-of-focus haze, debris, uneven light, blur, photon and read noise are drawn but not labelled.

    Parameters
    ----------
    length : int
        Number of pictures.
    size : int or (int, int)
        Height and width in pixels; nuclei keep their size, a larger picture holds more of them.
    seed : int
        Sample i depends on (seed, i) alone.
    transform : callable, optional
        Takes and returns a sample.
    """

    classes = ("background", "nucleus")

    def draw(self, rng):
        radius = np.exp(rng.uniform(np.log(4), np.log(14)))  # one picture shows one magnification
        light, instances = draw_nuclei(rng, self.size, radius)
        return as_sample(photograph(rng, light, blur=np.exp(rng.uniform(-0.6, 0.8))), instances)


def as_sample(image, instances):
    """The arrays of a sample: picture (H, W) in 0..1, and nuclei numbered 1..n, int64 (H, W)."""
    return {"image": image[None], "mask": (instances > 0).astype(np.int64), "instances": instances}


def draw_nuclei(rng, size, typical_radius):
    """Return the light that the nuclei send out, float32 (H, W) about 1 where bright, and their instance map."""
    height, width = size[0] + 2 * MARGIN, size[1] + 2 * MARGIN
    light = np.zeros((height, width), np.float32)
    instances = np.zeros((height, width), np.int16)
    chromatin = texture(rng, (height, width), rng.integers(2, 7))
    chromatin = np.maximum(chromatin, -1.2) + rng.uniform(0, 1.5) * np.maximum(chromatin - 1, 0)  # bright spots

    # One picture shows one kind of cell: its shape and spread are drawn once.
    size_spread, brightness_spread = rng.uniform(0.12, 0.4), rng.choice([0.15, 0.25, 0.4, 0.8])
    elongation, crowding = rng.uniform(1.0, 1.5), rng.choice([0.0, 0.1, 0.35])
    roughness, roundness, rim = rng.uniform(0.1, 0.45), rng.uniform(0, 1), rng.uniform(0, 0.07)
    covered = rng.choice([0.03, 0.07, 0.15, 0.3]) * rng.uniform(0.6, 1.4)
    count = int(np.clip(covered * height * width / (np.pi * typical_radius**2), 1, 400))

    placed = []
    for _ in range(count):
        radius = np.clip(typical_radius * np.exp(size_spread * rng.standard_normal()), 2.5, 24)
        centre = place(rng, placed, radius, crowding, (height, width))
        brightness = np.exp(brightness_spread * rng.standard_normal()) * (typical_radius / radius) ** 0.5
        stretch = elongation * np.exp(0.12 * rng.standard_normal())
        window, depth = nucleus(rng, centre, radius, (height, width), stretch, rng.uniform(0, np.pi))
        inside = depth > 0
        mine = inside & (instances[window] == 0)
        if mine.sum() < 0.75 * inside.sum() or mine.sum() < 12:
            continue
        placed.append((*centre, radius))
        instances[window][mine] = len(placed)
        # People outline some of the blur too, so the light ends a little inside of what is labelled.
        lit = np.clip((depth - rim) * radius + 0.5, 0, 1)
        thickness = np.sqrt(np.clip(1 - (1 - depth) ** 2, 0, 1))  # of a ball: 1 in the middle, 0 at the rim
        shine = lit * (1 + roundness * (thickness - 1)) * (1 + roughness * chromatin[window])
        light[window] += np.float32(brightness) * shine
    crop = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    return light[crop], renumber(instances[crop])


def place(rng, placed, radius, crowding, shape):
    """Choose a centre: anywhere, or (with probability ``crowding``) just touching a nucleus already there."""
    if placed and rng.random() < crowding:
        y, x, other = placed[rng.integers(len(placed))]
        angle, distance = rng.uniform(0, 2 * np.pi), (radius + other) * rng.uniform(0.75, 1.15)
        return y + distance * np.sin(angle), x + distance * np.cos(angle)
    return rng.uniform(0, shape[0]), rng.uniform(0, shape[1])


def nucleus(rng, centre, radius, shape, stretch, tilt, bend=0.0):
    """Draw one nucleus inside its bounding box.

    An ellipse whose outline is wobbled by two harmonics, turned by ``tilt`` and bent to a bean by ``bend``. Returns
    the window (two slices) and float32 depth there: 1 at the centre, 0 on the outline, negative outside.
    """
    reach = int(radius * stretch**0.5 * 1.3) + 2
    top, left = max(0, int(centre[0]) - reach), max(0, int(centre[1]) - reach)
    bottom, right = min(shape[0], int(centre[0]) + reach + 1), min(shape[1], int(centre[1]) + reach + 1)
    window = (slice(top, max(top, bottom)), slice(left, max(left, right)))
    y = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None] - np.float32(centre[0])
    x = np.arange(window[1].start, window[1].stop, dtype=np.float32)[None] - np.float32(centre[1])
    cos, sin = np.cos(tilt), np.sin(tilt)
    u, v = (x * cos + y * sin) / stretch**0.5, (y * cos - x * sin) * stretch**0.5
    v = v + np.float32(bend / radius) * u * u
    distance = np.sqrt(u * u + v * v) + 1e-6
    c, s = u / distance, v / distance
    # cos and sin of 2t and 3t by the addition theorems: cheaper than arctan2 and back.
    c2, s2 = c * c - s * s, 2 * c * s
    a, b = rng.normal(0, 0.05, 2), rng.normal(0, 0.035, 2)
    outline = radius * (1 + a[0] * c2 + a[1] * s2 + b[0] * (c * c2 - s * s2) + b[1] * (s * c2 + c * s2))
    return window, (1 - distance / outline).astype(np.float32)


def texture(rng, shape, cell):
    """Smooth noise of zero mean and unit deviation with grains of about ``cell`` pixels: chromatin."""
    coarse = rng.standard_normal((shape[0] // cell + 2, shape[1] // cell + 2), dtype=np.float32)
    noise = zoom(coarse, cell, order=1, prefilter=False)[: shape[0], : shape[1]]
    return noise / noise.std()


def photograph(rng, light, blur):
    """What a microscope makes of the light: haze, fibres, debris, uneven background, blur, noise, 8 bits."""
    height, width = light.shape
    picture = light.copy()
    for reach in (rng.uniform(2, 4), rng.uniform(5, 12)):  # scattered light, near and far
        picture += rng.uniform(0.05, 0.3) * gaussian_filter(light, reach, truncate=2)
    if rng.random() < 0.4:
        picture += rng.uniform(0.03, 0.2) * fibres(rng, (height, width))
    for _ in range(rng.poisson(0.6)):  # a nucleus far out of focus
        picture += glow(rng, (height, width), rng.uniform(8, 20), rng.uniform(0.05, 0.3))
    for _ in range(rng.poisson(0.5)):  # debris
        picture += glow(rng, (height, width), rng.uniform(0.6, 1.3), rng.uniform(0.2, 1.0))
    if rng.random() < 0.15:
        picture += ring(rng, (height, width), rng.uniform(6, 16), rng.uniform(0.05, 0.3))
    picture = gaussian_filter(picture, blur, truncate=3)
    exposure = np.exp(rng.uniform(np.log(0.1), np.log(0.6)))
    if rng.random() < 0.15:  # a lamp in the corner
        picture += glow(rng, (height, width), rng.uniform(60, 120), rng.uniform(0.2, 1))
    slope = rng.normal(0, 0.003, 2)
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    picture = exposure * picture + rng.uniform(0.008, 0.06) + slope[0] * y + slope[1] * x
    # Photons: the noise grows with the root of the brightness. The camera adds its own, and saturates at 1.
    noise = np.sqrt(np.maximum(picture, 0)) * rng.uniform(0.002, 0.02) + rng.uniform(0.001, 0.006)
    picture = picture + noise * rng.standard_normal((height, width), dtype=np.float32)
    return (np.round(np.clip(picture, 0, 1) * 255) / 255).astype(np.float32)


def fibres(rng, shape):
    """Faint winding threads: where smooth noise crosses zero, stronger in some places than in others."""
    cell = rng.integers(12, 30)
    strength = np.clip(texture(rng, shape, 32), 0, 2)
    return strength * np.clip(1 - np.abs(texture(rng, shape, cell)) / rng.uniform(0.1, 0.6), 0, 1)


def ring(rng, shape, radius, brightness):
    """The outline of a burst cell."""
    y, x = around(rng, shape)
    return np.float32(brightness) * np.exp(-((np.sqrt(y * y + x * x) - radius) ** 2) / 3)


def glow(rng, shape, radius, brightness):
    """A round Gaussian spot of light somewhere in the picture."""
    y, x = (np.exp(-(steps**2) / (2 * radius**2)) for steps in around(rng, shape))
    return np.float32(brightness) * y * x


def around(rng, shape):
    """Rows (H, 1) and columns (1, W), counted from a place anywhere in the picture."""
    y, x = (np.arange(side, dtype=np.float32) - rng.uniform(0, side) for side in shape)
    return y[:, None], x[None]
