"""Nuclei as any fluorescence microscope may show them: what the network that comes with the course learns from.

`seglib.scenes.Cells` is drawn after one collection of pictures. This scene goes further: nuclei from 6 to 64 px across,
long and bent ones, some that divide or fall to pieces, with bright spots or dark holes, neighbours ten times as bright,
crowds in a piece of tissue, a second layer out of focus, uneven light, and outlines drawn by one habit or another. No
real picture is in it. How far outlines lie from the edge of the light, how blurred that is and how long nuclei are was
measured on the training half of DSB2018.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from seglib.scenes._common import Scene
from seglib.scenes.cells import as_sample, glow, nucleus, photograph, place, renumber, texture

USUAL, LARGE = (3, 14), (14, 32)  # radii, px, of five pictures in six and of the sixth; larger ones are met reduced
MOST = 600  # nuclei that are tried in a picture


class AnyMicroscope(Scene):
    """Generated fluorescence pictures; sample, parameters and conventions as those of `seglib.scenes.Cells`."""

    classes = ("background", "nucleus")

    def draw(self, rng):
        smallest, largest = USUAL if rng.random() < 5 / 6 else LARGE
        radius = smallest * (largest / smallest) ** rng.random()
        blur = min(np.exp(rng.uniform(-0.6, 0.8)) * max(1, radius / rng.uniform(10, 30)), 0.35 * radius + 0.2)
        # Some people outline what is half as bright as the nucleus, others nearly all of what the blur has spread.
        beyond = rng.uniform(-0.3, 0.3) + blur * rng.uniform(0, 0.6)
        tissue = piece_of_tissue(rng, self.size, radius) if rng.random() < 0.25 else None
        light, instances = draw_nuclei(rng, self.size, radius, tissue, beyond)
        if rng.random() < 0.25:  # another layer, out of focus, which nobody outlines
            behind, _ = draw_nuclei(rng, self.size, radius, tissue, beyond)
            light += rng.uniform(0.05, 0.35) * gaussian_filter(behind, radius * rng.uniform(0.35, 0.8), truncate=2)
        if tissue is not None:
            light += rng.uniform(0, 0.5) * gaussian_filter(tissue, radius / 3) * (1 + 0.2 * texture(rng, self.size, 8))
        return as_sample(uneven(rng, photograph(rng, light.astype(np.float32), blur)), instances)


def piece_of_tissue(rng, size, radius):
    """Where cells may lie, float32 (H, W) of 0 and 1: a few blobs, large beside the nuclei."""
    grain = int(np.clip(radius * rng.uniform(4, 10), 16, min(size)))
    smooth = gaussian_filter(texture(rng, size, grain), grain / 4)
    return (smooth > np.quantile(smooth, rng.uniform(0.2, 0.7))).astype(np.float32)


def draw_nuclei(rng, size, typical_radius, tissue, beyond):
    """The light that the nuclei send out, float32 (H, W), 1 where they shine as most do, and their instance map.

    Each is outlined ``beyond`` px outside of its light, as far as no other nucleus is nearer.
    """
    margin = int(1.5 * typical_radius) + 4
    height, width = size[0] + 2 * margin, size[1] + 2 * margin
    allowed = None if tissue is None else np.pad(tissue, margin, mode="edge")
    light, instances = np.zeros((height, width), np.float32), np.zeros((height, width), np.int32)
    inwards, nearest = np.full((height, width), -np.inf, np.float32), np.zeros((height, width), np.int32)
    chromatin = grains(rng, (height, width), typical_radius)

    # One picture shows one kind of cell: its shape and spread are drawn once.
    size_spread, brightness_spread = rng.uniform(0.08, 0.55), rng.choice([0.15, 0.25, 0.4, 0.8])
    elongation = rng.uniform(1.0, 1.7) if rng.random() < 0.85 else rng.uniform(1.6, 2.2)
    variety, bentness = rng.uniform(0.05, 0.3), rng.uniform(0, 0.25)
    crowding = rng.choice([0.0, 0.15, 0.35, 0.55, 0.75])
    roundness, roughness = rng.uniform(0, 1), rng.uniform(0.05, 0.45)
    dazzling = rng.uniform(0.02, 0.2) if rng.random() < 0.35 else 0  # share of nuclei far brighter than the others
    dividing = rng.uniform(0.02, 0.3) if rng.random() < 0.5 else 0
    dying = rng.uniform(0.02, 0.15) if rng.random() < 0.25 else 0
    least, most = (0.04, 0.5) if tissue is None else (0.3, 0.8)
    covered = least * (most / least) ** rng.random()
    count = int(np.clip(covered * height * width / (np.pi * typical_radius**2), 1, MOST))

    placed, areas = [], [0]
    for _ in range(count):
        radius = typical_radius * np.exp(np.clip(size_spread * rng.standard_normal(), -0.9, 0.7))
        brightness = np.exp(brightness_spread * rng.standard_normal()) * (typical_radius / radius) ** 0.5
        if rng.random() < dazzling:
            radius, brightness = radius * rng.uniform(0.5, 1), brightness * np.exp(rng.uniform(0.9, 2.3))
        radius = max(radius, 2.5)
        stretch = max(1.0, elongation * np.exp(variety * rng.standard_normal()))
        centre = place(rng, placed, radius, crowding, (height, width))
        y, x = np.clip(np.array(centre, int), 0, (height - 1, width - 1))
        if allowed is not None and not allowed[y, x]:
            continue
        fate = rng.random()
        if fate < dividing:
            parts = two_halves(rng, centre, radius)
            brightness *= rng.uniform(1, 2)
        elif fate < dividing + dying:
            parts = fragments(rng, centre, radius)
            brightness *= rng.uniform(1, 3)
        else:
            parts = [(centre, radius, stretch, rng.uniform(0, np.pi), bentness * rng.standard_normal())]
        for middle, size_of_part, *shape in parts:
            window, depth = nucleus(rng, middle, size_of_part, (height, width), *shape)
            inside = depth > 0
            mine = inside & (instances[window] == 0)
            hidden = np.bincount(instances[window][inside], minlength=len(areas))
            if mine.sum() < 0.7 * inside.sum() or mine.sum() < 12 or (hidden[1:] > 0.5 * np.array(areas[1:])).any():
                continue
            areas.append(mine.sum())
            placed.append((*middle, size_of_part))
            instances[window][mine] = len(placed)
            closer = depth * size_of_part > inwards[window]
            inwards[window][closer] = (depth * size_of_part)[closer]
            nearest[window][closer] = len(placed)
            lit = np.clip(depth * size_of_part + 0.5, 0, 1)
            thickness = np.sqrt(np.clip(1 - (1 - depth) ** 2, 0, 1))  # of a ball: 1 in the middle, 0 at the rim
            shine = lit * (1 + roundness * (thickness - 1)) * np.maximum(1 + roughness * chromatin[window], 0.2)
            light[window] += np.float32(brightness * rng.uniform(0.9, 1.1)) * shine
    instances = np.where(instances > 0, instances, nearest) * (inwards > -beyond)
    crop = (slice(margin, -margin), slice(margin, -margin))
    return light[crop], renumber(instances[crop])


def two_halves(rng, centre, radius):
    """A nucleus that has just divided: two short bars side by side, as (centre, radius, stretch, tilt, bend) each."""
    tilt, stretch = rng.uniform(0, np.pi), rng.uniform(1.2, 2.4)
    part = max(2.5, radius * rng.uniform(0.55, 0.8))
    apart = part / stretch**0.5 * rng.uniform(0.95, 1.8)  # half the way from the one to the other
    step = np.array([np.cos(tilt), -np.sin(tilt)]) * apart  # across the bars, (y, x)
    tilts = tilt + rng.normal(0, 0.2, 2)
    return [
        (tuple(centre + side * step), part, stretch, turned, 0.0) for side, turned in zip((-1, 1), tilts, strict=True)
    ]


def fragments(rng, centre, radius):
    """A nucleus that falls to pieces: three to five balls close together, as `two_halves`."""
    count, first = rng.integers(3, 6), rng.uniform(0, 2 * np.pi)
    parts = []
    for angle in first + 2 * np.pi * np.arange(count) / count:
        part = max(2.5, radius * rng.uniform(0.35, 0.55))
        away = max(radius * 0.7, part * count / 3) * rng.uniform(0.8, 1.2)
        middle = (centre[0] + away * np.sin(angle), centre[1] + away * np.cos(angle))
        parts.append((middle, part, rng.uniform(1, 1.4), rng.uniform(0, np.pi), 0.0))
    return parts


def grains(rng, shape, radius):
    """What the inside of the nuclei looks like, (H, W): fine grains, with bright spots, dark holes, or both."""
    chromatin = texture(rng, shape, max(2, round(radius * rng.uniform(0.15, 0.6))))
    spots = texture(rng, shape, max(2, round(radius * rng.uniform(0.15, 0.5))))
    strength = rng.uniform(0, 2, 2)
    bright, dark = np.where(rng.random(2) < 0.5, strength, 0)
    return np.maximum(chromatin, -1.2) + bright * np.maximum(spots - 1, 0) - dark * np.maximum(-spots - 1, 0)


def uneven(rng, picture):
    """In every third picture a lamp that lights one side or the middle better, and a camera that is noisier."""
    if rng.random() < 0.3:
        lamp = glow(rng, picture.shape, max(picture.shape) * rng.uniform(0.4, 1.2), rng.uniform(0.5, 2))
        picture = picture * (1 + lamp) / (1 + lamp.max())
    if rng.random() < 0.3:
        grain = gaussian_filter(rng.standard_normal(picture.shape, dtype=np.float32), rng.choice([0.0, 0.6]))
        picture = picture + grain * picture.std() * rng.uniform(0.05, 0.5)
    if rng.random() < 0.1:  # hot pixels
        picture = np.where(rng.random(picture.shape) < 0.0005, 1, picture)
    return np.clip(picture, 0, 1).astype(np.float32)
