"""Wrong answers to the exercises of lesson 01, as learners give them."""

import numpy as np
from scipy import ndimage
from skimage.filters import apply_hysteresis_threshold, threshold_otsu
from skimage.measure import label
from skimage.morphology import convex_hull_image


def wraps_around(row):
    return (row[2:] - row[:-2]) / 2


def between_pixels(row):
    return np.diff(np.asarray(row, float))


def with_the_ends(row):
    return np.gradient(np.asarray(row, float))


def not_halved(row):
    return np.asarray(row, float)[2:] - row[:-2]


def backwards(row):
    row = np.asarray(row, float)
    return (row[:-2] - row[2:]) / 2


def without_sign(row):
    row = np.asarray(row, float)
    return abs(row[2:] - row[:-2]) / 2


def _crests(strength, stays):
    kept = np.zeros(strength.shape)
    left, middle, right = strength[:, :-2], strength[:, 1:-1], strength[:, 2:]
    kept[:, 1:-1] = middle * stays(left, middle, right)
    return kept


def drops_ties(strength):
    return _crests(strength, lambda left, middle, right: (middle > left) & (middle > right))


def one_side(strength):
    return _crests(strength, lambda left, middle, right: middle >= left)


def where_not_how_much(strength):
    return _crests(strength, lambda left, middle, right: (middle >= left) & (middle >= right)) > 0


def one_a_row(strength):
    inner = strength * ([0] + [1] * (strength.shape[1] - 2) + [0])
    return inner * (inner == inner.max(1, keepdims=True))


def up_and_down(strength):
    return _crests(strength.T, lambda left, middle, right: (middle >= left) & (middle >= right)).T


def keeps_the_frame(strength):
    return strength * (ndimage.maximum_filter(strength, (1, 3)) == strength)


def only_strong(strength, low, high):
    return strength >= high


def only_weak(strength, low, high):
    return strength >= low


def strictly_above_low(strength, low, high):
    chains = label(strength > low, connectivity=2)
    return np.isin(chains, np.unique(chains[strength >= high])) & (chains > 0)


def strictly_above_high(strength, low, high):
    return apply_hysteresis_threshold(strength, low - 1e-9, high)


def one_step(strength, low, high):
    return ndimage.binary_dilation(strength >= high, np.ones((3, 3))) & (strength >= low)


def four_neighbours(strength, low, high):
    chains = label(strength >= low, connectivity=1)
    return np.isin(chains, np.unique(chains[strength >= high])) & (chains > 0)


def ground_too(strength, low, high):
    chains = label(strength >= low, connectivity=2)
    return np.isin(chains, [0, *chains[strength >= high]])


def numbers_not_bool(strength, low, high):
    chains = label(strength >= low, connectivity=2)
    return chains * np.isin(chains, np.unique(chains[strength >= high]))


def leaks(edges):
    return ndimage.binary_fill_holes(ndimage.binary_closing(edges, iterations=2))


def stays_fat(edges):
    return ndimage.binary_fill_holes(ndimage.binary_dilation(edges, iterations=2))


def keeps_the_stroke(edges):
    return ndimage.binary_erosion(stays_fat(edges), iterations=2)


def erodes_too_much(edges):
    return ndimage.binary_erosion(stays_fat(edges), iterations=4)


def convex(edges):
    return convex_hull_image(edges)


def numbered(edges):
    return label(keeps_the_stroke(edges))


def fixed_values(image):
    coins = label(image > 150 / 255)
    return np.where(coins > 0, coins + 1, image < 30 / 255)


def all_coins_one(image):
    return np.where(image > 150 / 255, 2, image < 30 / 255)


def no_cloth(image):
    return label(ndimage.binary_opening(image > threshold_otsu(image), iterations=4)) * 2


def one_otsu(image):
    coins = label(ndimage.binary_opening(image > threshold_otsu(image), iterations=4))
    return np.where(coins > 0, coins + 1, image < 0.7 * threshold_otsu(image))


def a_mask(image):
    return image > threshold_otsu(image)


def a_grid(image):
    markers = np.zeros(image.shape, int)
    places = markers[40::70, 40::60]
    places[:] = np.arange(places.size).reshape(places.shape) + 2
    markers[15::70] = 1
    return markers


WRONG = {
    "q1": [wraps_around, between_pixels, with_the_ends, not_halved, backwards, without_sign],
    "q2": [drops_ties, one_side, where_not_how_much, one_a_row, up_and_down, keeps_the_frame],
    "q3": [
        *(only_strong, only_weak, strictly_above_low, strictly_above_high, one_step, four_neighbours, ground_too),
        numbers_not_bool,
    ],
    "q4": [leaks, stays_fat, keeps_the_stroke, erodes_too_much, convex, numbered],
    "q5": [fixed_values, all_coins_one, no_cloth, one_otsu, a_mask, a_grid],
}
