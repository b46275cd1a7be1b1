"""Answers to the exercises of lesson 01, as learners give them."""

import numpy as np
from exercise_proof import mutation
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.morphology import convex_hull_image, reconstruction

from seglib import classical
from seglib.exercises.edges import q1, q2, q3, q4, q5


def by_gradient(row):
    return np.gradient(row.astype(float))[1:-1]


def by_correlation(row):
    return np.correlate(row.astype(float), [-0.5, 0, 0.5])


def pixel_by_pixel(strength, d_rows, d_columns):
    kept = np.zeros_like(strength)
    for r in range(1, strength.shape[0] - 1):
        for c in range(1, strength.shape[1] - 1):
            i, j = d_rows[r, c], d_columns[r, c]
            if abs(i) < np.tan(np.pi / 8) * abs(j):
                i, j = 0, 1
            elif abs(j) < np.tan(np.pi / 8) * abs(i):
                i, j = 1, 0
            else:
                i, j = int(np.sign(i)), int(np.sign(j))
            if strength[r, c] >= max(strength[r + i, c + j], strength[r - i, c - j]):
                kept[r, c] = strength[r, c]
    return kept


def by_footprints(strength, d_rows, d_columns):
    angle = np.rad2deg(np.arctan2(d_rows, d_columns)) % 180
    kept = np.zeros_like(strength)
    for middle, line in [
        (0, [(1, 0), (1, 2)]),
        (45, [(0, 0), (2, 2)]),
        (90, [(0, 1), (2, 1)]),
        (135, [(0, 2), (2, 0)]),
    ]:
        footprint = np.zeros((3, 3), bool)
        footprint[tuple(zip(*line, strict=True))] = footprint[1, 1] = True
        near = np.abs((angle - middle + 90) % 180 - 90) < 22.5
        kept = np.where(near & (ndimage.maximum_filter(strength, footprint=footprint) == strength), strength, kept)
    inner = np.zeros(strength.shape, bool)
    inner[1:-1, 1:-1] = True
    return kept * inner


def with_a_stack(strength, low, high):
    kept = strength >= high
    stack = np.argwhere(kept).tolist()
    while stack:
        r, c = stack.pop()
        for near in ((r + i, c + j) for i in (-1, 0, 1) for j in (-1, 0, 1)):
            inside = 0 <= near[0] < strength.shape[0] and 0 <= near[1] < strength.shape[1]
            if inside and not kept[near] and strength[near] >= low:
                kept[near] = True
                stack.append(near)
    return kept


def by_propagation(strength, low, high):
    return ndimage.binary_propagation(strength >= high, np.ones((3, 3)), mask=strength >= low)


def by_reconstruction(strength, low, high):
    weak, strong = strength >= low, strength >= high
    return reconstruction(strong & weak, weak, footprint=np.ones((3, 3))) > 0


def nothing_open(image):
    smooth = ndimage.gaussian_filter(image, 1)
    flat = smooth - ndimage.uniform_filter(smooth, 150)
    coins = label(ndimage.binary_opening(flat > threshold_otsu(flat), iterations=4))
    return coins + 1


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


RIGHT = {
    "q1": [by_gradient, by_correlation],
    "q2": [pixel_by_pixel, by_footprints],
    "q3": [by_propagation, by_reconstruction],
}

WRONG = {
    "q1": [
        mutation(q1.solution, ("np.asarray(row, float)", "row")),
        mutation(q1.solution, ("(row[2:] - row[:-2]) / 2", "np.diff(row)")),
        mutation(q1.solution, ("(row[2:] - row[:-2]) / 2", "np.gradient(row)")),
        mutation(q1.solution, (" / 2", "")),
        mutation(q1.solution, ("row[2:] - row[:-2]", "row[:-2] - row[2:]")),
        mutation(q1.solution, ("return (", "return abs(")),
        mutation(q1.solution, ("np.asarray(row, float)", "np.asarray(row).astype(int)")),
    ],
    "q2": [
        mutation(q2.solution, ("strength >= ahead", "strength > ahead"), ("strength >= behind", "strength > behind")),
        mutation(q2.solution, (" & (strength >= behind)", "")),
        mutation(q2.solution, ("return kept", "return kept > 0")),
        mutation(q2.solution, ("    kept[[0, -1]] = 0\n    kept[:, [0, -1]] = 0\n", "")),
        mutation(q2.solution, ("np.rint(", "np.floor(")),
        mutation(q2.solution, ("(d_rows, d_columns) / ", "(d_columns, d_rows) / ")),
        mutation(q2.solution, ("arctan2(d_rows, ", "arctan2(-d_rows, ")),
        mutation(q2.solution, ("arctan2(d_rows, d_columns)", "arctan2(d_columns, -d_rows)")),
        mutation(q2.solution, ("arctan2(d_rows, ", "arctan2(0, ")),
        mutation(q2.solution, ("d_rows, d_columns) /", "d_rows, 0) /")),
        mutation(q2.solution, ("(1, 0), (1, -1)]", "(1, 0)]")),
        lambda strength, d_rows, d_columns: strength,
        lambda strength, d_rows, d_columns: classical.thin(strength, d_rows, d_columns),  # mixes, does not round
    ],
    "q3": [
        mutation(q3.solution, ("np.isin(chains, np.unique(chains[strength >= high]))", "strength >= high")),
        mutation(q3.solution, ("np.isin(chains, np.unique(chains[strength >= high]))", "strength >= low")),
        mutation(q3.solution, ("strength >= low", "strength > low")),
        mutation(q3.solution, ("strength >= high", "strength > high")),
        lambda strength, low, high: ndimage.binary_dilation(strength >= high, np.ones((3, 3))) & (strength >= low),
        mutation(q3.solution, ("connectivity=2", "connectivity=1")),
        mutation(q3.solution, ("np.unique(chains[strength >= high])", "[0, *np.unique(chains[strength >= high])]")),
        mutation(q3.solution, ("return np.isin", "return chains * np.isin")),
        with_a_stack,  # right, but the exercise asks for it without a loop
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
        nothing_open,
        mutation(q5.solution, ("cloth.astype(int)", "0")),
        one_otsu,
        mutation(q5.solution, ("np.where(coins > 0, coins + 1, cloth.astype(int))", "bright")),
        a_grid,
    ],
}
