"""Answers to the exercises of lesson 01, as learners give them."""

import numpy as np
from exercise_proof import mutation
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.morphology import convex_hull_image, reconstruction

from seglib import classical
from seglib.exercises.edges import broken_outlines, q1, q2, q3, q4, q5


def by_gradient(row):
    return np.gradient(row.astype(float))[1:-1]


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


def into_its_own_input(strength, d_rows, d_columns):
    direction, kept = np.rint(np.arctan2(d_rows, d_columns) / (np.pi / 4)).astype(int) % 4, strength.copy()
    for r in range(1, strength.shape[0] - 1):
        for c in range(1, strength.shape[1] - 1):
            i, j = [(0, 1), (1, 1), (1, 0), (1, -1)][direction[r, c]]
            if kept[r, c] < max(kept[r + i, c + j], kept[r - i, c - j]):
                kept[r, c] = 0
    kept[[0, -1]] = 0
    kept[:, [0, -1]] = 0
    return kept


def cut_with_astype(strength, d_rows, d_columns):
    direction = (np.arctan2(d_rows, d_columns) / (np.pi / 4) + 0.5).astype(int) % 4
    return q2.solution(strength, np.sin(direction * np.pi / 4), np.cos(direction * np.pi / 4))


def compared(uphill, downhill):
    """Crests, the neighbour that the gradient points to compared by one function, the opposite one by another."""

    def attempt(strength, d_rows, d_columns):
        angle = np.rint(np.arctan2(d_rows, d_columns) / (np.pi / 4)) * np.pi / 4
        down, right = np.rint(np.sin(angle)).astype(int), np.rint(np.cos(angle)).astype(int)
        kept = np.zeros_like(strength)
        for r, c in np.argwhere(strength[1:-1, 1:-1] > 0) + 1:
            i, j, here = down[r, c], right[r, c], strength[r, c]
            if uphill(here, strength[r + i, c + j]) and downhill(here, strength[r - i, c - j]):
                kept[r, c] = here
        return kept

    return attempt


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


def with_a_helper(strength, low, high):
    return with_a_stack(strength, low, high)


def calling_itself(strength, low, high):
    kept = np.zeros(strength.shape, bool)

    def spread(r, c):
        if 0 <= r < strength.shape[0] and 0 <= c < strength.shape[1] and not kept[r, c] and strength[r, c] >= low:
            kept[r, c] = True
            list(map(spread, [r - 1, r - 1, r - 1, r, r, r + 1, r + 1, r + 1], [c - 1, c, c + 1] * 2 + [c, c + 1]))
            list(map(spread, [r, r + 1], [c + 1, c - 1]))

    list(map(spread, *np.nonzero(strength >= high)))
    return kept


def without_lone_pixels(strength, low, high):
    chains = label(strength >= low, connectivity=2)
    return np.isin(chains, np.unique(chains[strength >= high])) & (np.bincount(chains.ravel())[chains] > 1)


def by_propagation(strength, low, high):
    return ndimage.binary_propagation(strength >= high, np.ones((3, 3)), mask=strength >= low)


def by_reconstruction(strength, low, high):
    weak, strong = strength >= low, strength >= high
    return reconstruction(strong & weak, weak, footprint=np.ones((3, 3))) > 0


def until_nothing_changes(strength, low, high):
    return ndimage.binary_dilation(strength >= high, np.ones((3, 3)), iterations=-1, mask=strength >= low)


def by_maximum(strength, low, high):
    chains, number = ndimage.label(strength >= low, np.ones((3, 3)))
    return (ndimage.maximum(strength, chains, np.arange(number + 1)) >= high)[chains] & (chains > 0)


def with_room_around(edges):
    filled = ndimage.binary_fill_holes(ndimage.binary_dilation(np.pad(edges, 6), np.ones((3, 3)), 2))
    return ndimage.binary_opening(ndimage.binary_erosion(filled, np.ones((3, 3)), 2), np.ones((3, 3)), 2)[6:-6, 6:-6]


def by_contours(edges):
    closed = ndimage.binary_fill_holes(classical.close_contours(edges, gap=4))
    return ndimage.binary_opening(closed, np.ones((3, 3)))


def from_memory(edges):
    outlines, inside = broken_outlines()
    known = [inside[name] for name, outline in outlines.items() if np.array_equal(outline, edges)]
    return known[0] if known else np.zeros(edges.shape, bool)


def the_largest(edges):
    pieces = label(q4.solution(edges))
    return pieces == np.bincount(pieces.ravel())[1:].argmax() + 1


def by_watershed(image):
    regions = classical.watershed_segment(image, sigma=2)
    sure = ndimage.binary_erosion(regions > 0, iterations=6)
    return np.where(sure, regions + 1, ndimage.binary_erosion(regions == 0, iterations=6))


def by_quotient(image):
    smooth = ndimage.gaussian_filter(image, 2)
    quotient = smooth / ndimage.uniform_filter(smooth, 163)
    bright = ndimage.binary_opening(quotient > threshold_otsu(quotient), np.ones((5, 5)))
    coins = label(ndimage.distance_transform_edt(bright) > 6)
    return np.where(coins > 0, coins + 1, ndimage.distance_transform_edt(~bright) > 4).astype(np.uint8)


def cloth_of_many(image):
    markers = by_watershed(image)
    patches = np.arange(image.size).reshape(image.shape) // 9999 + 100
    return np.where(markers == 1, np.where(patches == 100, 1, patches), markers)


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
    "q1": [by_gradient, lambda row: np.correlate(row.astype(float), [-0.5, 0, 0.5])],
    "q2": [pixel_by_pixel, by_footprints],
    "q3": [by_propagation, by_reconstruction, until_nothing_changes, by_maximum],
    "q4": [with_room_around, by_contours],
    "q5": [by_watershed, by_quotient],
}

WRONG = {
    "q1": [
        mutation(q1.solution, ("np.asarray(row, float)", "row")),
        mutation(q1.solution, ("(row[2:] - row[:-2]) / 2", "np.diff(row)")),
        mutation(q1.solution, ("(row[2:] - row[:-2]) / 2", "np.gradient(row)")),
        mutation(q1.solution, (" / 2", "")),
        mutation(q1.solution, ("row[2:] - row[:-2]", "row[:-2] - row[2:]")),
        mutation(q1.solution, ("return (", "return abs(")),
        lambda row: by_gradient(row.astype(np.int8) if row.dtype == np.uint8 else row),
        mutation(q1.solution, ("np.asarray(row, float)", "np.asarray(row).astype(int)")),
        mutation(q1.solution, ("row[2:] - row[:-2]", "row[2:6] - row[0:4]")),
    ],
    "q2": [
        mutation(q2.solution, ("    direction", "    strength = np.hypot(d_rows, d_columns)\n    direction")),
        mutation(q2.solution, ("(d_rows, d_columns) / ", "(abs(d_rows), abs(d_columns)) / ")),
        mutation(q2.solution, ("(strength >= ahead) & ", "")),
        into_its_own_input,
        lambda given, r, c: np.pad(np.where(given == ndimage.maximum_filter(given, 3), given, 0)[1:-1, 1:-1], 1),
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
        mutation(q2.solution, ("strength >= ahead", "strength > ahead")),
        mutation(q2.solution, ("strength >= behind", "strength > behind")),
        compared(np.greater, np.greater_equal),
        compared(np.greater_equal, np.greater),
        compared(np.greater_equal, lambda here, there: True),
        compared(lambda here, there: True, np.greater_equal),
        cut_with_astype,
        mutation(q2.solution, (".astype(int) % 4", ".astype(int)")),
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
        mutation(q3.solution, ("strength >= low", "strength > 0")),
        mutation(q3.solution, ("strength >= low", "strength >= 1")),
        mutation(q3.solution, ("chains = label", "strength = strength.astype(int)\n    chains = label")),
        without_lone_pixels,
        calling_itself,
        with_a_helper,  # right, but the exercise asks for it without a loop, and without seglib
        lambda strength, low, high: classical.hysteresis(strength, low, high),
        lambda given, low, high: ndimage.binary_dilation(given >= high, np.ones((3, 3)), 20, given >= low),
    ],
    "q4": [
        mutation(q4.solution, ("binary_dilation", "binary_closing"), ("ndimage.binary_opening(thin_again)", "filled")),
        mutation(q4.solution, ("ndimage.binary_opening(thin_again)", "filled")),
        mutation(q4.solution, ("ndimage.binary_opening(thin_again)", "thin_again")),
        mutation(q4.solution, ("(filled, iterations=2)", "(filled, iterations=4)")),
        convex_hull_image,
        from_memory,
        mutation(q4.solution, ("ndimage.binary_opening(thin_again)", "label(thin_again)")),
        mutation(q4.solution, ("return ", "return ~")),
        the_largest,
        mutation(q4.solution, ("edges, iterations=2", "edges, None, 9"), ("filled, iterations=2", "filled, None, 9")),
    ],
    "q5": [
        fixed_values,
        mutation(q5.solution, ("coins + 1", "2")),
        mutation(q5.solution, ("coins + 1, cloth.astype(int)", "coins, cloth")),
        mutation(q5.solution, ("coins + 1", "coins + (coins != 2)")),
        nothing_open,
        mutation(q5.solution, ("cloth.astype(int)", "0")),
        one_otsu,
        mutation(q5.solution, ("np.where(coins > 0, coins + 1, cloth.astype(int))", "bright")),
        a_grid,
        lambda image: np.maximum(by_watershed(image) - 1, 0),
        cloth_of_many,
        lambda image: np.where((markers := by_watershed(image)) == 0, -1, markers),
        mutation(q5.solution, ("coins + 1", "0")),
    ],
}
