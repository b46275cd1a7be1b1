"""Exercises of lesson 03, region growing."""

from functools import cache

import numpy as np
from scipy import ndimage

from seglib.classical import grow_region, grow_regions
from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_number, expect_shape, has_loops
from seglib.exercises import _growing_mistakes as mistakes
from seglib.metrics import binary_iou
from seglib.scenes import photo


def _mended(picture, seed, tolerance):
    values = picture.astype(int)
    region = np.zeros(values.shape, bool)
    region[seed] = True
    queue = [seed]
    while queue:
        row, column = queue.pop()
        for r, c in [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]:
            inside = 0 <= r < values.shape[0] and 0 <= c < values.shape[1]
            if inside and not region[r, c] and abs(values[r, c] - values[seed]) <= tolerance:
                region[r, c] = True
                queue.append((r, c))
    return region


@exercise(
    "Print `np.uint8(5) - np.uint8(250)`. Then print `picture[-1, 0]`: no error, and not what you want.",
    "`values = picture.astype(int)` once, at the top. A place counts only if it lies inside the picture.",
    "Ask `0 <= r < height and 0 <= c < width` before you look at a place.",
    solution=_mended,
)
def q1(mended):
    picture = np.full((4, 6), 100, np.uint8)
    name = "On a grey picture of 4 rows and 6 columns, `mended(picture, (1, 2), 10)`"
    try:
        got = mended(picture, (1, 2), 10)
    except IndexError as error:
        raise NotYet(
            f"{name} looks up a place outside the picture: {error}. Rows end at the height, `picture.shape[0]`, "
            "columns at the width, `picture.shape[1]`."
        ) from None
    if isinstance(got, np.ndarray) and got.shape == picture.shape:
        mistakes.refuse_gaps_at_the_border(name, got)
    expect_array(name, got, np.ones(picture.shape, bool))
    mistakes.refuse_wrong_references(mended(np.array([[10, 100, 100, 200]], np.uint8), (0, 1), 25)[0])
    rows = np.array([[240, 250, 5], [250, 5, 15]], np.uint8)
    bright, dark = (mended(row[None], (0, 1), 25) for row in rows)
    mistakes.refuse_wrong_differences(bright[0], dark[0])
    expect_array("On a row of 240, 250, 5, `mended(picture, (0, 1), 25)`", bright, np.array([[True, True, False]]))
    expect_array("On a row of 250, 5, 15, `mended(picture, (0, 1), 25)`", dark, np.array([[False, True, True]]))
    mistakes.refuse_frames_that_join(mended)
    mistakes.refuse_other_criteria(mended)
    mistakes.refuse_leaks(mended)
    mistakes.refuse_filled_holes(mended)
    picture = np.array([[100, 0], [0, 0], [100, 0]], np.uint8)
    got = mended(picture, (0, 0), 0)
    if got[2, 0]:
        raise NotYet("It leaves the picture at the top and comes back at the bottom: index -1 is the last row.")
    expect_array("On a picture of three rows, `mended(picture, (0, 0), 0)`", got, grow_region(picture, (0, 0), 0))
    mistakes.refuse_other_pieces("mended", mended)
    mistakes.refuse_early_ends("mended", mended)
    return "Signed numbers, and a frame that holds: two bugs that raise no error."


def _fast_grow(picture, seed, tolerance):
    values = picture.astype(float)
    alike = np.abs(values - values[seed]) <= tolerance
    pieces, _ = ndimage.label(alike)
    return pieces == pieces[seed]


@exercise(
    "Which pixels may be in the region at all, wherever they lie? One comparison of arrays says it. Mind uint8.",
    "`ndimage.label(mask)` gives every connected piece of a mask a number of its own.",
    "Of these pieces you want the one in which the seed lies: `pieces == pieces[seed]`.",
    solution=_fast_grow,
)
def q2(fast_grow):
    random = np.random.default_rng(3)
    for k in range(4):
        picture = ndimage.gaussian_filter(random.random((24, 30)), 0.8)
        picture = (picture - picture.min()) / np.ptp(picture)
        seed = tuple(int(i) for i in np.argwhere(np.abs(picture - 0.5) < 0.05)[5 * k])
        got, want = fast_grow(picture, seed, 0.2), grow_region(picture, seed, 0.2)
        name = f"On a cloudy picture, `fast_grow(picture, {seed}, 0.2)`"
        alike = np.abs(picture - picture[seed]) <= 0.2
        diagonal = grow_region(picture, seed, 0.2, connectivity=8)
        wrong = {
            "these are all pixels with the seed's value. Those that no path joins to the seed must go": alike,
            "diagonal steps are in it. `ndimage.label` leaves them out if you don't ask for them": diagonal,
            "you kept the other pieces and left out the seed's own": alike & ~want,
            "this is piece number 1. Wanted is the piece that holds the seed": ndimage.label(alike)[0] == 1,
            "the values lost their fractions: convert to float, not to int": _fast_grow(picture.astype(int), seed, 0.2),
            **mistakes.other_regions(picture, seed, 0.2),
        }
        if not np.array_equal(got, want):
            expect_none_of(name, got, wrong)
        expect_array(name, got, want)
    picture = np.array([[100, 100, 10]], np.uint8)
    name = "On a uint8 row of 100, 100, 10, `fast_grow(picture, (0, 0), 25)`"
    got, want = fast_grow(picture, (0, 0), 25), np.array([[True, True, False]])
    rescaled = "10 joins 100. The tolerance is in the picture's own units: rescale neither of them"
    expect_none_of(name, got, {rescaled: np.ones((1, 3), bool)})
    expect_array(name, got, want)
    picture = np.array([[250, 250, 5, 5], [5, 250, 5, 250]], np.uint8)
    name = "On a uint8 picture of 250 and 5, `fast_grow(picture, (0, 0), 25)`"
    got, want = fast_grow(picture, (0, 0), 25), grow_region(picture, (0, 0), 25 / 255)
    expect_none_of(
        name,
        got,
        {
            "the dark pixels are in it: in uint8, 5 - 250 is 11, as in exercise 1. Convert before you subtract": (
                np.ones(picture.shape, bool)
            )
        },
    )
    expect_array(name, got, want)
    mistakes.refuse_other_pieces("fast_grow", fast_grow)
    mistakes.refuse_early_ends("fast_grow", fast_grow)
    picture = np.array([[100, 108, 110, 121]], np.uint8)
    name = "On 100, 108, 110, 121, `fast_grow(picture, (0, 0), 10)`"
    got, want = fast_grow(picture, (0, 0), 10), np.array([[True, True, True, False]])
    strict = np.array([[True, True, False, False]])
    expect_none_of(name, got, {"a difference of exactly the tolerance joins too": strict})
    expect_array(name, got, want)
    picture = np.array([[0.5, 0.69996, 0.7001]])
    name = "On 0.5, 0.69996, 0.7001, `fast_grow(picture, (0, 0), 0.2)`"
    got, want = fast_grow(picture, (0, 0), 0.2), np.array([[True, True, False]])
    rough = "small differences are rounded away, as in float16, which keeps three digits. Use float"
    expect_none_of(name, got, {rough: _fast_grow(picture.astype(np.float16), (0, 0), np.float16(0.2))})
    expect_array(name, got, want)
    if has_loops(fast_grow):
        raise NotYet("The region is right, but there is a loop in it. Label all pieces at once, then take the seed's.")
    return "One comparison, one labelling: what no longer runs pixel by pixel in Python is fast."


def _before_the_leak(tolerances, sizes):
    return tolerances[np.argmax(np.diff(sizes))]


@exercise(
    "What does `np.diff(sizes)` tell you about each step from one tolerance to the next?",
    "`np.argmax` of it is the place of the largest jump. Entry i of the differences lies between i and i + 1.",
    "`tolerances[np.argmax(np.diff(sizes))]` is the tolerance before the jump.",
    solution=_before_the_leak,
)
def q3(before_the_leak):
    tolerances = np.array([0.02, 0.05, 0.06, 0.1, 0.3, 0.4, 0.45, 0.9])
    lists = [
        [10, 60, 400, 450, 9000, 9900],
        [5, 900, 950, 2990, 3000, 5200],
        [10, 15, 1000, 1990, 2000, 2010],  # the second of two jumps is a little larger
        [5, 50_000, 50_100, 90_000, 90_100, 90_200],
        [2, 6, 10, 1000, 1900, 2880],
        [4000, 4100, 300, 700, 2900, 3000],  # by mean, a region can also shrink
        [20, 30, 40, 60, 100, 1100, 1200, 5000],
        [9000, 9100, 500, 800, 850, 900],  # the last one smaller than the first
    ]
    found = []
    for sizes in lists:
        found.append(before_the_leak(tolerances[: len(sizes)], np.array(sizes)))
        expect_number("`before_the_leak(tolerances, sizes)`", found[-1], found[-1])  # one number, whichever
    if np.allclose(found, [np.diff(sizes).argmax() for sizes in lists]):
        raise NotYet("You return a place in the list. Return the tolerance that stands there.")
    picked = [mistakes.leak_mistakes(tolerances[: len(sizes)], np.array(sizes)) for sizes in lists]
    for why in picked[0]:
        if np.allclose(found, [places[why] for places in picked]):  # it explains all answers, not just one
            raise NotYet(f"{why}.")
    for sizes, got in zip(lists, found, strict=True):
        name = f"With sizes {', '.join(map(str, sizes))}, `before_the_leak(tolerances, sizes)`"
        expect_number(name, got, _before_the_leak(tolerances, sizes))
    return "A rule without truth. It fails where the object itself comes in two large steps, or the leak does."


def _rises_by(steps):
    """From 0 to 1, in steps of these proportions."""
    return np.concatenate([[0], np.cumsum(steps)]) / np.sum(steps)


def _reach_right(values, beta):
    weights = np.exp(-beta * np.diff(values) ** 2)
    count = len(values)
    system, right = np.eye(count), np.zeros(count)
    right[-1] = 1
    for i in range(1, count - 1):
        both = weights[i - 1] + weights[i]
        system[i, i - 1], system[i, i + 1] = -weights[i - 1] / both, -weights[i] / both
    return np.linalg.solve(system, right)


@exercise(
    "One unknown for each pixel. The first is 0, the last is 1. What does the rule say about one in between?",
    "p[i] - (w[i-1] p[i-1] + w[i] p[i+1]) / (w[i-1] + w[i]) = 0: one row of a system of equations.",
    "Begin with `np.eye(n)`, put the two negative shares beside the diagonal, and call `np.linalg.solve`.",
    solution=_reach_right,
)
def q4(reach_right):
    flat, step = np.full(5, 0.4), np.array([0.2, 0.25, 0.2, 0.8, 0.85, 0.8])
    for values, beta, where in (
        (flat, 90.0, "On a flat row of five pixels"),
        (step, 10.0, "On a row with a step after the third pixel"),
        (step[::-1] ** 2, 4.0, "On another row"),
        (np.sin(np.arange(40)), 1.0, "On a row of forty pixels, too long for a few rounds of averaging"),
    ):
        name = f"{where}, `reach_right(values, {beta:g})`"
        slopes = np.abs(np.diff(values))
        got, want = reach_right(values, beta), _rises_by(np.exp(beta * slopes**2))
        expect_shape(name, got, want.shape)
        even, easy = np.linspace(0, 1, len(values)), _rises_by(np.exp(-beta * slopes**2))
        wrong = {
            "this is the chance to reach the left end first. At the right end itself it is 1": 1 - want,
            "the order is reversed. At the left end it is 0, at the right end 1": want[::-1],
            "only the distance counts. Steps across an edge must be rare: use the weights": even,
            "the chance rises over easy steps. Are the two weights swapped? It must rise where a step is rare": easy,
            "the weights are exp(-beta · |d|). The difference has to be squared": _rises_by(np.exp(beta * slopes)),
            "the difference has its sign, as in exp(-beta · d). Square it": _rises_by(np.exp(beta * np.diff(values))),
            "beta does not enter. The weights are exp(-beta · d²)": _rises_by(np.exp(slopes**2)),
        }
        if not np.allclose(got, want):
            expect_none_of(name, got, wrong)
        expect_array(name, got, want)
    return "The chance jumps at the step: that is where it passes one half, and where the random walker cuts."


TARGETS = {
    "flower": ["flower"],
    "horse": ["horse"],
    "coffee": ["cup", "coffee", "saucer", "spoon"],
    "camera": ["person"],
    "chelsea": ["cat", "eye"],
    "astronaut": ["person"],
    "ihc": ["gland", "lumen"],
}
TO_BEAT = 0.7


def small_photos():
    """The seven photos with something in the middle, reduced to 200 px or less.

    Returns
    -------
    dict of name -> (picture, truth)
        Float (H, W) or (H, W, 3) in 0..1, and (H, W) bool.
    """
    small = {}
    for name, wanted in TARGETS.items():
        sample = photo(name)
        step = -(-max(sample["mask"].shape) // 200)
        truth = np.isin(sample["mask"], [sample["classes"].index(each) for each in wanted])
        small[name] = sample["image"][::step, ::step], truth[::step, ::step]
    return small


@cache
def _mirrored_photos():
    return {name: (picture[:, ::-1].copy(), truth[:, ::-1]) for name, (picture, truth) in small_photos().items()}


def _cut_out(picture):
    height, width = picture.shape[:2]
    calm = ndimage.gaussian_filter(picture, (1, 1, 0)[: picture.ndim])
    rows, columns = np.indices((height, width))
    middle = (rows / height - 0.5) ** 2 + (columns / width - 0.5) ** 2 <= 0.15**2
    outside = (rows < height // 2) & ((rows < 2) | (columns < 2) | (columns >= width - 2))
    return grow_regions(calm, [np.argwhere(outside), np.argwhere(middle)]) == 2


@exercise(
    "One seed says little, and one region alone leaks. What do you know of all seven pictures?",
    "The object is in the middle. The upper half of the frame is mostly background. Let the two compete.",
    "`grow_regions(calm, [np.argwhere(outside), np.argwhere(middle)]) == 2`, on a slightly blurred picture.",
    solution=_cut_out,
)
def q5(cut_out):
    each = {}
    for name, (picture, truth) in _mirrored_photos().items():
        mask = cut_out(picture)
        expect_shape(f"`cut_out` of the photo '{name}'", mask, truth.shape)
        if mask.dtype != bool:
            raise NotYet(f"`cut_out` of the photo '{name}' holds {mask.dtype}. A mask is wanted: True and False.")
        each[name] = binary_iou(mask, truth)
    score = np.mean(list(each.values()))
    listed = ", ".join(f"{name} {value:.2f}" for name, value in each.items())
    if score <= TO_BEAT:
        raise NotYet(f"Mean IoU {score:.3f} on the mirrored photos; more than {TO_BEAT} is wanted. {listed}.")
    return f"Mean IoU {score:.3f}. {listed}."
