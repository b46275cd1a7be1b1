"""What all generated scenes share: checked arguments and a generator for each sample."""

import operator

import numpy as np


def check_scene_arguments(length, size, seed):
    """Return (length, (height, width), seed) as plain integers, or raise ValueError saying what is wanted."""
    sides = (size, size) if np.ndim(size) == 0 else tuple(size)
    try:
        length, seed, *sides = (operator.index(value) for value in (length, seed, *sides))
    except TypeError:
        raise ValueError(
            f"length, size and seed are whole numbers; got length={length!r}, size={size!r}, seed={seed!r}"
        ) from None
    if length < 0 or seed < 0:
        raise ValueError(f"length and seed are 0 or more; got length={length}, seed={seed}")
    if len(sides) != 2 or min(sides) < 16:
        raise ValueError(f"size is one number or (height, width), at least 16 px each; got {size!r}")
    return length, tuple(sides), seed


def scene_generator(scene, index):
    """The random generator of sample ``index``; it depends on (seed, index) alone. IndexError past the end."""
    if not -len(scene) <= index < len(scene):
        raise IndexError(f"sample {index} of a {type(scene).__name__} with {len(scene)} pictures")
    return np.random.default_rng((scene.seed, index % len(scene)))
