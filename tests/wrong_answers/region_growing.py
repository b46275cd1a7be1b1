"""Wrong answers to the exercises of lesson 03, as learners give them."""

import numpy as np
from scipy import ndimage

from seglib.classical import grow_region

BESIDE = [(-1, 0), (1, 0), (0, -1), (0, 1)]


def grower(signed=True, framed=True, steps=BESIDE, neighbour=False, strict=False):
    def grow(picture, seed, tolerance):
        values = picture.astype(int) if signed else picture
        region = np.zeros(values.shape, bool)
        region[seed] = True
        queue = [seed]
        while queue:
            here = queue.pop()
            for down, right in steps:
                r, c = here[0] + down, here[1] + right
                if r >= values.shape[0] or c >= values.shape[1] or (framed and min(r, c) < 0) or region[r, c]:
                    continue
                with np.errstate(over="ignore"):
                    difference = abs(values[r, c] - values[here if neighbour else seed])
                if difference < tolerance or (difference == tolerance and not strict):
                    region[r, c] = True
                    queue.append((r % values.shape[0], c % values.shape[1]))
        return region

    return grow


def only_the_seed(picture, seed, tolerance):
    region = np.zeros(picture.shape, bool)
    region[seed] = True
    return region


def a_list_of_places(picture, seed, tolerance):
    return np.argwhere(grow_region(picture, seed, tolerance / 255)).tolist()


def all_alike(picture, seed, tolerance):
    return np.abs(picture - picture[seed]) <= tolerance


def with_diagonals(picture, seed, tolerance):
    pieces, _ = ndimage.label(all_alike(picture, seed, tolerance), np.ones((3, 3)))
    return pieces == pieces[seed]


def the_other_pieces(picture, seed, tolerance):
    pieces, _ = ndimage.label(all_alike(picture, seed, tolerance))
    return (pieces > 0) & (pieces != pieces[seed])


def with_loops(picture, seed, tolerance):
    return grower()(picture, seed, tolerance)


def numbers_instead(picture, seed, tolerance):
    return ndimage.label(all_alike(picture, seed, tolerance))[0]


def the_place(tolerances, sizes):
    return np.argmax(np.diff(sizes))


def after_it(tolerances, sizes):
    return tolerances[np.argmax(np.diff(sizes)) + 1]


def by_factor(tolerances, sizes):
    return tolerances[np.argmax(sizes[1:] / sizes[:-1])]


def the_largest(tolerances, sizes):
    return tolerances[np.argmax(sizes)]


def both_sides(tolerances, sizes):
    return tolerances[np.argmax(np.diff(sizes)) :][:2]


def chain(resistance):
    return np.concatenate([[0], np.cumsum(resistance)]) / np.sum(resistance)


def reach_left(values, beta):
    return 1 - chain(np.exp(beta * np.diff(values) ** 2))


def distance_only(values, beta):
    return np.linspace(0, 1, len(values))


def over_easy_steps(values, beta):
    return chain(np.exp(-beta * np.diff(values) ** 2))


def not_squared(values, beta):
    return chain(np.exp(beta * np.abs(np.diff(values))))


def without_the_ends(values, beta):
    return chain(np.exp(beta * np.diff(values) ** 2))[1:-1]


def from_the_centre(picture):
    return grow_region(picture, (picture.shape[0] // 2, picture.shape[1] // 2), 0.3, "mean")


def everything(picture):
    return np.ones(picture.shape[:2], bool)


def labels_instead(picture):
    return from_the_centre(picture).astype(int)


def colours(picture):
    return picture > 0.5


WRONG = {
    "q1": [
        grower(signed=False),
        grower(framed=False),
        grower(steps=[(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]),
        grower(neighbour=True),
        grower(strict=True),
        only_the_seed,
        a_list_of_places,
    ],
    "q2": [all_alike, with_diagonals, the_other_pieces, with_loops, numbers_instead],
    "q3": [the_place, after_it, by_factor, the_largest, both_sides],
    "q4": [reach_left, distance_only, over_easy_steps, not_squared, without_the_ends],
    "q5": [from_the_centre, everything, labels_instead, colours],
}
