"""Nuclei as any fluorescence microscope may show them: what the network that comes with the course learns from.

`seglib.scenes.Cells` is drawn after one collection of pictures. This scene goes further: nuclei from 6 to 64 px across,
with bright spots or dark holes, neighbours ten times as bright, crowds in a piece of tissue, a second layer out of
focus, uneven light. No real picture is in it.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from seglib.scenes._common import Scene
from seglib.scenes.cells import as_sample, glow, nucleus, photograph, place, renumber, texture

USUAL, LARGE = (3, 14), (14, 32)  # radii, px, of four pictures in five and of the fifth; larger ones are met reduced
MOST = 600  # nuclei that are tried in a picture


class AnyMicroscope(Scene):
    """Generated fluorescence pictures; sample, parameters and conventions as those of `seglib.scenes.Cells`."""

    classes = ("background", "nucleus")

    def draw(self, rng):
        smallest, largest = USUAL if rng.random() < 0.8 else LARGE
        radius = smallest * (largest / smallest) ** rng.random()
        tissue = piece_of_tissue(rng, self.size, radius) if rng.random() < 0.25 else None
        light, instances = draw_nuclei(rng, self.size, radius, tissue)
        if rng.random() < 0.25:  # another layer, out of focus, which nobody outlines
            behind, _ = draw_nuclei(rng, self.size, radius, tissue)
            light += rng.uniform(0.05, 0.35) * gaussian_filter(behind, radius * rng.uniform(0.35, 0.8), truncate=2)
        if tissue is not None:
            light += rng.uniform(0, 0.5) * gaussian_filter(tissue, radius / 3) * (1 + 0.2 * texture(rng, self.size, 8))
        sharpness = np.exp(rng.uniform(-0.6, 0.8)) * max(1, radius / rng.uniform(10, 30))
        return as_sample(uneven(rng, photograph(rng, light.astype(np.float32), sharpness)), instances)


def piece_of_tissue(rng, size, radius):
    """Where cells may lie, float32 (H, W) of 0 and 1: a few blobs, large beside the nuclei."""
    grain = int(np.clip(radius * rng.uniform(4, 10), 16, min(size)))
    smooth = gaussian_filter(texture(rng, size, grain), grain / 4)
    return (smooth > np.quantile(smooth, rng.uniform(0.2, 0.7))).astype(np.float32)


def draw_nuclei(rng, size, typical_radius, tissue):
    """The light that the nuclei send out, float32 (H, W), 1 where they shine as most do, and their instance map."""
    margin = int(1.5 * typical_radius) + 4
    height, width = size[0] + 2 * margin, size[1] + 2 * margin
    allowed = None if tissue is None else np.pad(tissue, margin, mode="edge")
    light, instances = np.zeros((height, width), np.float32), np.zeros((height, width), np.int32)
    chromatin = grains(rng, (height, width), typical_radius)

    # One picture shows one kind of cell: its shape and spread are drawn once.
    size_spread, brightness_spread = rng.uniform(0.08, 0.45), rng.choice([0.15, 0.25, 0.4, 0.8])
    elongation, crowding = rng.uniform(1.0, 1.7), rng.choice([0.0, 0.1, 0.35, 0.7])
    roundness, roughness, rim = rng.uniform(0, 1), rng.uniform(0.05, 0.45), rng.uniform(0, 0.07)
    dazzling = rng.uniform(0.02, 0.2) if rng.random() < 0.35 else 0  # share of nuclei far brighter than the others
    covered = rng.choice([0.03, 0.08, 0.2, 0.4] if tissue is None else [0.2, 0.4, 0.6]) * rng.uniform(0.6, 1.4)
    count = int(np.clip(covered * height * width / (np.pi * typical_radius**2), 1, MOST))

    placed = []
    for _ in range(count):
        radius = typical_radius * np.exp(np.clip(size_spread * rng.standard_normal(), -0.9, 0.7))
        brightness = np.exp(brightness_spread * rng.standard_normal()) * (typical_radius / radius) ** 0.5
        if rng.random() < dazzling:
            radius, brightness = radius * rng.uniform(0.5, 1), brightness * np.exp(rng.uniform(0.9, 2.3))
        radius = max(radius, 2.5)
        centre = place(rng, placed, radius, crowding, (height, width))
        y, x = np.clip(np.array(centre, int), 0, (height - 1, width - 1))
        if allowed is not None and not allowed[y, x]:
            continue
        stretch = elongation * np.exp(0.12 * rng.standard_normal())
        window, depth = nucleus(rng, centre, radius, stretch, (height, width))
        inside = depth > 0
        mine = inside & (instances[window] == 0)
        if mine.sum() < 0.7 * inside.sum() or mine.sum() < 12:
            continue
        placed.append((*centre, radius))
        instances[window][mine] = len(placed)
        # People outline some of the blur too, so the light ends a little inside of what is labelled.
        lit = np.clip((depth - rim) * radius + 0.5, 0, 1)
        thickness = np.sqrt(np.clip(1 - (1 - depth) ** 2, 0, 1))  # of a ball: 1 in the middle, 0 at the rim
        shine = lit * (1 + roundness * (thickness - 1)) * np.maximum(1 + roughness * chromatin[window], 0.2)
        light[window] += np.float32(brightness) * shine
    crop = (slice(margin, -margin), slice(margin, -margin))
    return light[crop], renumber(instances[crop])


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
