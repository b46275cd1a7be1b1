"""Answers to the exercises of lesson 01, as learners give them."""

import numpy as np
from exercise_proof import mutation
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.morphology import convex_hull_image

from seglib.exercises.edges import q1, q2, q3, q4, q5


def one_a_row(strength):
    inner = np.pad(strength[:, 1:-1], ((0, 0), (1, 1)))
    return inner * (inner == inner.max(1, keepdims=True))


def fixed_values(image):
    coins = label(image > 150 / 255)
    return np.where(coins > 0, coins + 1, image < 30 / 255)


def one_otsu(image):
    coins = label(ndimage.binary_opening(image > threshold_otsu(image), iterations=4))
    return np.where(coins > 0, coins + 1, image < 0.7 * threshold_otsu(image))


def a_grid(image):
    markers = np.zeros(image.shape, int)
    places = markers[40::70, 40::60]
    places[:] = np.arange(places.size).reshape(places.shape) + 2
    markers[15::70] = 1
    return markers


WRONG = {
    "q1": [
        mutation(q1.solution, ("np.asarray(row, float)", "row")),
        mutation(q1.solution, ("(row[2:] - row[:-2]) / 2", "np.diff(row)")),
        mutation(q1.solution, ("(row[2:] - row[:-2]) / 2", "np.gradient(row)")),
        mutation(q1.solution, (" / 2", "")),
        mutation(q1.solution, ("row[2:] - row[:-2]", "row[:-2] - row[2:]")),
        mutation(q1.solution, ("return (", "return abs(")),
    ],
    "q2": [
        mutation(q2.solution, ("middle >= left", "middle > left"), ("middle >= right", "middle > right")),
        mutation(q2.solution, (" & (middle >= right)", "")),
        mutation(q2.solution, ("return kept", "return kept > 0")),
        one_a_row,
        lambda strength: q2.solution(strength.T).T,  # up and down
        lambda strength: strength * (ndimage.maximum_filter(strength, (1, 3)) == strength),  # keeps the frame
    ],
    "q3": [
        mutation(q3.solution, ("np.isin(chains, good) & (chains > 0)", "strength >= high")),
        mutation(q3.solution, ("np.isin(chains, good) & (chains > 0)", "strength >= low")),
        mutation(q3.solution, ("strength >= low", "strength > low")),
        mutation(q3.solution, ("strength >= high", "strength > high")),
        mutation(q3.solution, ("np.isin(chains, good)", "ndimage.binary_dilation(strength >= high, np.ones((3, 3)))")),
        mutation(q3.solution, ("connectivity=2", "connectivity=1")),
        mutation(q3.solution, ("good) & (chains > 0)", "[0, *good])")),
        mutation(q3.solution, ("np.isin(chains, good) & (chains > 0)", "chains * np.isin(chains, good)")),
    ],
    "q4": [
        mutation(q4.solution, ("binary_dilation", "binary_closing"), ("ndimage.binary_opening(thin_again)", "filled")),
        mutation(q4.solution, ("ndimage.binary_opening(thin_again)", "filled")),
        mutation(q4.solution, ("ndimage.binary_opening(thin_again)", "thin_again")),
        mutation(q4.solution, ("(filled, iterations=2)", "(filled, iterations=4)")),
        convex_hull_image,
        mutation(q4.solution, ("ndimage.binary_opening(thin_again)", "label(thin_again)")),
    ],
    "q5": [
        fixed_values,
        mutation(q5.solution, ("coins + 1", "2")),
        mutation(q5.solution, ("cloth.astype(int)", "0")),
        one_otsu,
        mutation(q5.solution, ("np.where(coins > 0, coins + 1, cloth.astype(int))", "bright")),
        a_grid,
    ],
}
