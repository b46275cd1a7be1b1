"""What all generated scenes share: a length, a size, a seed, and one random generator for each sample."""

import operator

import numpy as np
import torch


class Scene:
    """A map-style data set of drawn pictures; a scene says in `draw` what one picture shows.

    Sample i depends on (seed, i) alone. Bad arguments raise ValueError, an index past the end IndexError.
    """

    def __init__(self, length, size=96, seed=0, transform=None):
        sides = (size, size) if np.ndim(size) == 0 else tuple(size)
        try:
            self.length, self.seed, *sides = (operator.index(value) for value in (length, seed, *sides))
        except TypeError:
            given = f"length={length!r}, size={size!r}, seed={seed!r}"
            raise ValueError(f"length, size and seed are whole numbers; got {given}") from None
        if self.length < 0 or self.seed < 0:
            raise ValueError(f"length and seed are 0 or more; got length={length}, seed={seed}")
        if len(sides) != 2 or min(sides) < 16:
            raise ValueError(f"size is one number or (height, width), at least 16 px each; got {size!r}")
        self.size, self.transform = tuple(sides), transform

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        if not -self.length <= index < self.length:
            raise IndexError(f"sample {index} of a {type(self).__name__} with {self.length} pictures")
        arrays = self.draw(np.random.default_rng((self.seed, index % self.length)))
        sample = {name: torch.from_numpy(values) for name, values in arrays.items()}
        return self.transform(sample) if self.transform else sample

    def draw(self, rng):
        """One sample as a dict of NumPy arrays, drawn with this generator."""
        raise NotImplementedError
