"""Answers to the exercises of lesson 01, as learners give them."""

import crests_by_hand as by_hand
import numpy as np
import torch
from exercise_proof import mutation
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.morphology import convex_hull_image

from seglib import classical
from seglib.exercises.edges import broken_outlines, q1, q2, q3, q4, q5


def by_gradient(row):
    return np.gradient(row.astype(float))[1:-1]


def with_room_around(edges):
    filled = ndimage.binary_fill_holes(ndimage.binary_dilation(np.pad(edges, 6), np.ones((3, 3)), 2))
    return ndimage.binary_opening(ndimage.binary_erosion(filled, np.ones((3, 3)), 2), np.ones((3, 3)), 2)[6:-6, 6:-6]


def by_contours(edges):
    closed = ndimage.binary_fill_holes(classical.close_contours(edges, gap=4))
    return ndimage.binary_opening(closed, np.ones((3, 3)))


def by_distance(edges):
    filled = ndimage.binary_fill_holes(ndimage.distance_transform_edt(~edges) <= 2.5)
    return ndimage.binary_opening(ndimage.distance_transform_edt(filled) > 2.5)


def from_the_corner(edges):
    areas = label(~np.pad(ndimage.binary_dilation(edges, iterations=2), 1), connectivity=1)
    return ndimage.binary_opening(ndimage.binary_erosion((areas != areas[0, 0])[1:-1, 1:-1], iterations=2))


def in_torch(edges):
    def grown(mask, size):
        return torch.nn.functional.max_pool2d(mask.float()[None], size, 1, size // 2)[0] > 0

    filled = torch.from_numpy(ndimage.binary_fill_holes(grown(torch.from_numpy(edges), 5).numpy()))
    thin_again = ~grown(~filled, 5)
    return grown(~grown(~thin_again, 3), 3).numpy()


def squares(edges):
    filled = ndimage.binary_fill_holes(ndimage.binary_dilation(edges, np.ones((5, 5))))
    return ndimage.binary_opening(ndimage.binary_erosion(filled, np.ones((5, 5))), np.ones((3, 3)))


def wide_opening(edges):
    filled = ndimage.binary_fill_holes(ndimage.binary_dilation(edges, iterations=3))
    return ndimage.binary_opening(ndimage.binary_erosion(filled, iterations=3), iterations=2)


def at_least(edges, pixels):
    pieces = label(mutation(q4.solution, ("ndimage.binary_opening(thin_again)", "thin_again"))(edges))
    return (np.bincount(pieces.ravel()) >= pixels)[pieces] & (pieces > 0)


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
    "q1": [
        by_gradient,
        lambda row: np.correlate(row.astype(float), [-0.5, 0, 0.5]),
        lambda row: row[2:] / 2 - row[:-2] / 2,
        lambda row: np.array([(float(row[i + 1]) - float(row[i - 1])) / 2 for i in range(1, len(row) - 1)]),
        lambda row: (row[2:].astype(np.float32) - row[:-2]) / 2,
        lambda row: torch.gradient(torch.from_numpy(row).double())[0][1:-1].numpy(),
        lambda row: np.lib.stride_tricks.sliding_window_view(row.astype(float), 3) @ [-0.5, 0, 0.5],
        lambda row: ndimage.correlate1d(row.astype(float), [-0.5, 0, 0.5])[1:-1],
    ],
    "q2": [
        by_hand.pixel_by_pixel,
        by_hand.by_footprints,
        by_hand.in_torch,
        by_hand.by_stacks,
        by_hand.by_slopes,
        by_hand.compared(np.greater_equal, np.greater_equal),
    ],
    "q3": [
        by_hand.by_propagation,
        by_hand.by_reconstruction,
        by_hand.until_nothing_changes,
        by_hand.by_maximum,
        by_hand.by_counting,
        by_hand.by_table,
        by_hand.by_sets,
        by_hand.linked_in_torch,
    ],
    "q4": [with_room_around, by_contours, by_distance, from_the_corner, in_torch, squares, wide_opening],
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
        by_hand.into_its_own_input,
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
        by_hand.compared(np.greater, np.greater_equal),
        by_hand.compared(np.greater_equal, np.greater),
        by_hand.compared(np.greater_equal, lambda here, there: True),
        by_hand.compared(lambda here, there: True, np.greater_equal),
        by_hand.cut_with_astype,
        mutation(q2.solution, (".astype(int) % 4", ".astype(int)")),
        by_hand.half_a_slope,
        by_hand.divided,
        by_hand.strictly_along(0, 2),
        by_hand.strictly_along(1, 3),
        mutation(q2.solution, ("(strength >= ahead)", "(strength >= 0.99 * ahead)")),
        mutation(q2.solution, ("np.zeros(strength.shape)", "np.zeros((9, 12))")),
        mutation(q2.solution, ("crest = ", "crest = (strength > 0.5) & ")),
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
        *(
            mutation(q3.solution, ("    chains", f"    low, high = round(low, {n}), round(high, {n})\n    chains"))
            for n in (1, 2, 3)
        ),
        mutation(q3.solution, ("    chains", "    low = high / 2\n    chains")),
        mutation(q3.solution, ("strength >= low", "strength >= low - 1e-3")),
        mutation(q3.solution, ("strength >= low", "strength - low >= 0")),  # wraps in uint8
        mutation(q3.solution, ("strength >= low", "(strength >= low) & (strength < high)")),
        lambda strength, low, high: ndimage.binary_fill_holes(by_hand.by_table(strength, low, high)),
        by_hand.few_numbers,
        by_hand.nothing,
        by_hand.rows_with_a_strong_pixel,
        by_hand.without_lone_pixels,
        by_hand.calling_itself,
        by_hand.by_skimage,
        by_hand.with_a_helper,  # right, but the exercise asks for it without a loop, and without seglib
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
        mutation(q4.solution, ("opening(thin_again)", "opening(thin_again, np.ones((1, 3)))")),
        *(mutation(q4.solution, ("opening(thin_again)", f"opening(thin_again, iterations={n})")) for n in (3, 4)),
        mutation(q4.solution, ("fill_holes(fat)", "closing(fat)")),
        lambda edges: at_least(edges, 130),
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
