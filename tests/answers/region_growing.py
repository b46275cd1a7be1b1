"""Answers to the exercises of lesson 03, as learners give them."""

from itertools import pairwise

import numpy as np
from exercise_proof import mutation
from scipy import ndimage
from skimage.measure import label
from skimage.segmentation import flood

from seglib.classical import grow_region
from seglib.exercises.region_growing import q1, q2, q3, q4, q5


def by_flood(picture, seed, tolerance):
    return flood(picture.astype(float), seed, tolerance=tolerance, connectivity=1)


def by_propagation(picture, seed, tolerance):
    alike = np.abs(picture.astype(int if picture.dtype == np.uint8 else float) - float(picture[seed])) <= tolerance
    marker = np.zeros_like(alike)
    marker[seed] = True
    return ndimage.binary_propagation(marker, mask=alike)


def by_integers(picture, seed, tolerance):
    height, width = picture.shape
    region, stack = np.zeros((height, width), bool), [seed]
    while stack:
        r, c = stack.pop()
        if not (0 <= r < height and 0 <= c < width) or region[r, c]:
            continue
        if abs(int(picture[r, c]) - int(picture[seed])) <= tolerance:
            region[r, c] = True
            stack += [(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)]
    return region


def last_of_ties(tolerances, sizes):
    steps = [b - a for a, b in pairwise(sizes)]
    return float(tolerances[steps.index(max(steps))])


def by_resistors(values, beta):
    resistance = np.exp(beta * np.diff(values) ** 2)
    return np.concatenate([[0], np.cumsum(resistance)]) / resistance.sum()


def second_difference(tolerances, sizes):
    return tolerances[np.argmax(np.diff(sizes, 2)) + 1]


def after_rounds(values, beta, rounds):
    weights = np.exp(-beta * np.diff(values) ** 2)
    chance = np.linspace(0, 1, len(values))
    for _ in range(rounds):
        both = weights[:-1] * chance[:-2] + weights[1:] * chance[2:]
        chance[1:-1] = both / (weights[:-1] + weights[1:])
    return chance


def fifty_rounds(values, beta):
    return after_rounds(values, beta, 50)


def five_steps(tolerances, sizes):
    return tolerances[max(range(5), key=lambda i: sizes[i + 1] - sizes[i])]


def few_rounds(picture, seed, tolerance):
    region = np.zeros(picture.shape, bool)
    region[seed] = True
    return ndimage.binary_dilation(region, iterations=sum(picture.shape), mask=by_window(picture, seed, tolerance))


def one_round(picture, seed, tolerance):
    region = np.zeros(picture.shape, bool)
    region[seed] = True
    return ndimage.binary_dilation(region) & by_window(picture, seed, tolerance)


def by_mean(picture, seed, tolerance, criterion="mean"):
    return grow_region(picture, seed, tolerance / (255 if picture.dtype == np.uint8 else 1), criterion)


def wrapped_window(picture, seed, tolerance):
    low, high = picture[seed] - np.uint8(tolerance), picture[seed] + np.uint8(tolerance)
    alike = (picture >= low) & (picture <= high)
    alike[seed] = True
    pieces, _ = ndimage.label(alike)
    return pieces == pieces[seed]


def labelled(chosen):
    def attempt(picture, seed, tolerance):
        pieces, _ = ndimage.label(np.abs(picture.astype(int) - int(picture[seed])) <= tolerance)
        return pieces == chosen(pieces)

    return attempt


def scaled(picture, seed, tolerance):
    values = picture / 255 if picture.dtype == np.uint8 else picture
    pieces, _ = ndimage.label(np.abs(values - values[seed]) <= tolerance)
    return pieces == pieces[seed]


def by_isclose(picture, seed, tolerance):
    pieces, _ = ndimage.label(np.isclose(picture.astype(float), float(picture[seed]), atol=tolerance))
    return pieces == pieces[seed]


def by_extremes(picture, seed, tolerance):
    apart = np.maximum(picture, picture[seed]) - np.minimum(picture, picture[seed])  # never below 0, also in uint8
    pieces, _ = ndimage.label(apart <= tolerance)
    return pieces == pieces[seed]


def in_rounds(picture, seed, tolerance):
    alike = np.abs(picture.astype(np.float32) - picture[seed]) <= tolerance
    region = np.zeros(alike.shape, bool)
    region[seed] = True
    while True:
        grown = ndimage.binary_dilation(region) & alike
        if np.array_equal(grown, region):
            return region
        region = grown


def by_recursion(picture, seed, tolerance):
    region = np.zeros(picture.shape, bool)

    def visit(r, c):
        inside = 0 <= r < picture.shape[0] and 0 <= c < picture.shape[1]
        if inside and not region[r, c] and abs(int(picture[r, c]) - int(picture[seed])) <= tolerance:
            region[r, c] = True
            for place in [(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)]:
                visit(*place)

    visit(*seed)
    return region


def by_window(picture, seed, tolerance):
    low, high = float(picture[seed]) - tolerance, float(picture[seed]) + tolerance
    pieces, _ = ndimage.label((picture >= low) & (picture <= high))
    return np.isin(pieces, pieces[seed])


def by_measure(picture, seed, tolerance):
    pieces = label(np.abs(picture.astype(float) - picture[seed]) <= tolerance, connectivity=1)
    return pieces == pieces[seed]


def by_maximum(tolerances, sizes):
    return tolerances[max(range(len(sizes) - 1), key=lambda i: sizes[i + 1] - sizes[i])]


def by_zip(tolerances, sizes):
    return max(zip(sizes[1:] - sizes[:-1], tolerances[:-1], strict=True))[1]


def by_laplacian(values, beta):
    links = np.diag(np.exp(-beta * np.diff(values) ** 2), 1)
    links += links.T
    system = np.diag(links.sum(1)) - links
    inner = np.linalg.solve(system[1:-1, 1:-1], -system[1:-1, -1])
    return np.concatenate([[0], inner, [1]])


def by_many_rounds(values, beta):
    return after_rounds(values, beta, 10_000)


def by_powers(values, beta):
    weights = np.exp(-beta * np.diff(values) ** 2)
    step = np.diag(weights, 1) + np.diag(weights, -1)
    step[[0, -1]] = 0
    step[0, 0] = step[-1, -1] = 1
    return np.linalg.matrix_power(step / step.sum(1, keepdims=True), 2**20)[:, -1]


RIGHT = {
    "q1": [by_integers, by_extremes, in_rounds, by_recursion, by_flood, by_measure, by_propagation],
    "q2": [by_flood, by_propagation, by_isclose, by_extremes, by_window, by_measure],
    "q3": [last_of_ties, by_maximum, by_zip],
    "q4": [by_resistors, by_laplacian, by_many_rounds, by_powers],
}


def from_the_centre(picture):
    return grow_region(picture, (picture.shape[0] // 2, picture.shape[1] // 2), 0.3, "mean")


def everything(picture):
    return np.ones(picture.shape[:2], bool)


def colours(picture):
    return picture > 0.5


WRONG = {
    "q1": [
        lambda picture, seed, tolerance: ndimage.binary_fill_holes(q1.solution(picture, seed, tolerance)),
        mutation(
            q1.solution,
            ("picture.astype(int)", "picture"),
            ("values[r, c] - values[seed]", "np.subtract(values[r, c], values[seed])"),  # wraps without a warning
        ),
        mutation(
            q1.solution,
            ("0 <= r < values.shape[0] and 0 <= c < values.shape[1]", "r < values.shape[0] and c < values.shape[1]"),
        ),
        mutation(q1.solution, ("0 <= r < values.shape[0]", "r < values.shape[0]")),
        lambda picture, seed, tolerance: np.abs(picture.astype(int) - int(picture[seed])) <= tolerance,
        mutation(q1.solution, ("(row, column + 1)]", "(row, column + 1), (row + 1, column + 1)]")),
        mutation(q1.solution, ("values[seed]", "values[row, column]")),
        mutation(q1.solution, ("<= tolerance", "< tolerance")),
        mutation(q1.solution, ("queue = [seed]", "queue = []")),
        mutation(q1.solution, ("return region", "return np.argwhere(region).tolist()")),
        mutation(q1.solution, ("abs(values[r, c] - values[seed])", "values[r, c] - values[seed]")),
        mutation(q1.solution, ("abs(values[r, c] - values[seed])", "values[seed] - values[r, c]")),
        mutation(q1.solution, ("astype(int)", "astype(np.int8)")),
        mutation(q1.solution, ("0 <= r < values.shape[0]", "0 <= r < values.shape[0] - 1")),
        mutation(q1.solution, ("0 <= c < values.shape[1]", "0 <= c < values.shape[1] - 1")),
        mutation(q1.solution, ("0 <= r < values.shape[0]", "0 < r < values.shape[0]")),
        mutation(q1.solution, ("0 <= c < values.shape[1]", "0 < c < values.shape[1]")),
        mutation(
            q1.solution, ("r < values.shape[0]", "r < values.shape[1]"), ("c < values.shape[1]", "c < values.shape[0]")
        ),
        lambda p, seed, t: q1.solution(np.pad(p, 1), tuple(np.add(seed, 1)), t)[1:-1, 1:-1],
        lambda p, seed, t: q1.solution(np.pad(p, 1, constant_values=255), tuple(np.add(seed, 1)), t)[1:-1, 1:-1],
        mutation(q1.solution, ("<= tolerance", "<= 10")),
        mutation(q1.solution, ("astype(int)", "astype(np.uint16)")),
        mutation(q1.solution, ("values[r, c] - values[seed]", "values[r, c] - values[0, 0]")),
        mutation(q1.solution, ("picture.astype(int)", "picture / 255")),
        labelled(lambda pieces: 1),
        labelled(lambda pieces: np.bincount(pieces.ravel())[1:].argmax() + 1),
        one_round,
        few_rounds,
        by_mean,
        wrapped_window,
    ],
    "q2": [
        mutation(q2.solution, ("pieces == pieces[seed]", "alike")),
        mutation(q2.solution, ("label(alike)", "label(alike, np.ones((3, 3)))")),
        mutation(q2.solution, ("pieces == pieces[seed]", "alike & (pieces != pieces[seed])")),
        mutation(q1.solution, ("picture.astype(int)", "picture.astype(float)")),  # right, but pixel by pixel
        mutation(q2.solution, ("pieces == pieces[seed]", "pieces")),
        mutation(q2.solution, ("picture.astype(float)", "picture")),
        mutation(q2.solution, ("picture.astype(float)", "picture.astype(int)")),
        mutation(q2.solution, ("picture.astype(float)", "picture.astype(np.float16)")),
        mutation(q2.solution, ("pieces == pieces[seed]", "pieces == np.bincount(pieces[alike]).argmax()")),
        mutation(q2.solution, ("<= tolerance", "< tolerance")),
        mutation(q2.solution, ("pieces == pieces[seed]", "pieces == 1")),
        mutation(q2.solution, ("np.abs(values - values[seed])", "values - values[seed]")),
        mutation(q2.solution, ("np.abs(values - values[seed])", "values[seed] - values")),
        mutation(q2.solution, ("<= tolerance", "<= 0.2")),
        mutation(q2.solution, ("pieces == pieces[seed]", "pieces == pieces[0, 0]")),
        lambda picture, seed, tolerance: ndimage.binary_fill_holes(q2.solution(picture, seed, tolerance)),
        by_mean,
        lambda picture, seed, tolerance: by_mean(picture, seed, tolerance, "neighbour"),
        scaled,
        few_rounds,
    ],
    "q3": [
        second_difference,
        mutation(q3.solution, ("tolerances[np.argmax(np.diff(sizes))]", "np.argmax(np.diff(sizes))")),
        mutation(q3.solution, ("np.diff(sizes))]", "np.diff(sizes)) + 1]")),
        mutation(q3.solution, ("np.diff(sizes)", "sizes[1:] / sizes[:-1]")),
        mutation(q3.solution, ("np.diff(sizes)", "sizes")),
        mutation(q3.solution, ("np.diff(sizes))]", "np.diff(sizes)) :][:2]")),
        mutation(q3.solution, ("np.diff(sizes)", "np.diff(sizes) / np.diff(tolerances)")),
        mutation(q3.solution, ("np.diff(sizes)", "np.abs(np.diff(sizes))")),
        mutation(q3.solution, ("np.diff(sizes)", "np.diff(sizes)[:-1]")),
        mutation(q3.solution, ("np.argmax(np.diff(sizes))", "1 + np.argmax(np.diff(sizes)[1:])")),
        mutation(q3.solution, ("np.argmax(np.diff(sizes))", "-1")),
        mutation(q3.solution, ("np.diff(sizes))]", "np.diff(sizes)) - 1]")),
        mutation(q3.solution, ("np.argmax", "np.argmin")),
        mutation(q3.solution, ("np.diff(sizes)", "np.gradient(sizes)")),
        mutation(q3.solution, ("np.diff(sizes)", "np.diff(np.sort(sizes))")),
        mutation(q3.solution, ("np.diff(sizes)", "np.roll(sizes, -1) - sizes")),
        mutation(q3.solution, ("tolerances[", "((tolerances[1:] + tolerances[:-1]) / 2)[")),
        five_steps,
    ],
    "q4": [
        mutation(q4.solution, ("right[-1] = 1", "right[0] = 1")),
        fifty_rounds,
        mutation(q4.solution, ("np.exp(-beta * np.diff(values) ** 2)", "np.ones(len(values) - 1)")),
        mutation(q4.solution, ("-beta", "beta")),
        mutation(q4.solution, ("np.diff(values) ** 2", "np.abs(np.diff(values))")),
        mutation(q4.solution, ("solve(system, right)", "solve(system, right)[1:-1]")),
        mutation(q4.solution, ("np.diff(values) ** 2", "np.diff(values)")),
        mutation(q4.solution, ("-beta * ", "-")),
        mutation(q4.solution, ("range(1, count - 1)", "range(count - 1)")),
        mutation(q4.solution, ("np.linalg.solve(system, right)", "np.linalg.solve(system, right).tolist()")),
    ],
    "q5": [from_the_centre, everything, mutation(q5.solution, (" == 2", "")), colours],
}
