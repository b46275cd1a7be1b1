"""Exercises of lesson 01, edges."""

import inspect

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label

from seglib import classical, metrics
from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_shape, has_loops
from seglib.exercises._edge_mistakes import (
    expect_equals_kept,
    expect_fractions,
    expect_own_numbers,
    expect_whole,
    without_frame,
    wrong_crests,
    wrong_links,
    wrong_mask,
)
from seglib.exercises._edge_pictures import (
    broken_outlines,
    chains_to_link,
    coin_photos,
    coins_found,
    slopes_to_thin,
    unseen_outlines,
)


def _slopes(row):
    row = np.asarray(row, float)
    return (row[2:] - row[:-2]) / 2


@exercise(
    "`row[2:]` is the row without its first two pixels. Which slice lines up with it?",
    "`row[2:] - row[:-2]` are the differences; they span two pixels.",
    "A uint8 picture must become float first: `row.astype(float)`.",
    solution=_slopes,
)
def q1(slopes):
    row = np.array([0.1, 0.1, 0.4, 0.6, 0.58, 0.2])
    want = np.array([0.15, 0.25, 0.09, -0.2])
    got = slopes(row)
    if np.shape(got) == (5,):
        raise NotYet("Five differences for six pixels: these lie *between* pixels. Take the neighbour on either side.")
    if np.shape(got) == (6,) and np.allclose(got[1:-1], want):
        raise NotYet("Six slopes: the first and the last pixel lack a neighbour. Leave them out.")
    expect_shape("`slopes(row)` of six pixels", got, (4,))
    wrong = {
        "twice too much: the neighbours are two pixels apart": 2 * want,
        "the row holds 0.1, 0.4 and so on, and these became 0. Convert to float, not to whole numbers": 0 * want,
        "the sign is lost. Where the row falls, the slope is negative": abs(want),
    }
    expect_none_of("`slopes(row)`", got, wrong)
    expect_array("`slopes(row)`", got, want)
    falling = np.array([250, 255, 200, 90, 60, 10], np.uint8)
    steep, name = slopes(falling), "For 250, 255, 200, 90, 60, 10 as uint8, `slopes(row)`"
    if np.shape(steep) == (4,) and np.min(steep) >= 0:
        raise NotYet(
            f"For 250, 255, 200, 90, 60, 10 as uint8, the largest slope is {np.max(steep):g}; all should be negative. "
            "uint8 knows no negative numbers, so 90 - 255 wraps around to 91. Convert before you subtract."
        )
    narrow = "int8 ends at 127, so 200 became -56. Convert to float"
    expect_none_of(name, steep, {narrow: _slopes(falling.view(np.int8))})
    expect_array(name, steep, _slopes(falling))
    longer = np.linspace(0, 1, 9) ** 2
    got, name = slopes(longer), "`slopes(row)` of nine pixels"
    if np.shape(got) == (4,):
        raise NotYet(f"{name} has four numbers, seven are wanted. `row[2:]` goes to the end, however long the row is.")
    expect_array(name, got, _slopes(longer))
    return "Convert, subtract, halve. `np.gradient` does the same inside, and one-sided differences at the ends."


def _crests(strength, d_rows, d_columns):
    direction = np.rint(np.arctan2(d_rows, d_columns) / (np.pi / 4)).astype(int) % 4
    kept = np.zeros(strength.shape)
    for number, step in enumerate([(0, 1), (1, 1), (1, 0), (1, -1)]):
        behind = np.roll(strength, step, axis=(0, 1))
        ahead = np.roll(strength, (-step[0], -step[1]), axis=(0, 1))
        crest = (direction == number) & (strength >= ahead) & (strength >= behind)
        kept[crest] = strength[crest]
    kept[[0, -1]] = 0
    kept[:, [0, -1]] = 0
    return kept


@exercise(
    "`np.arctan2(d_rows, d_columns)` is the gradient's angle. The directions are multiples of 45 degrees, `np.pi / 4`.",
    "Round `angle / (np.pi / 4)` to whole numbers and take them `% 4`: 0 is right or left, 1 lower right or upper "
    "left, 2 down or up, 3 lower left or upper right. Rows count downwards.",
    "For each of the four, compare with the strength one step along (1, 1), say, and one step against it. `np.roll` "
    "moves a whole array; a loop over pixels is fine too. Put 0 on the frame at the end.",
    solution=_crests,
)
def q2(crests):
    name = "`crests(strength, d_rows, d_columns)`"
    for which, (strength, d_rows, d_columns) in slopes_to_thin().items():
        want = _crests(strength, d_rows, d_columns)
        got = crests(strength, d_rows, d_columns)
        expect_shape(name + which, got, strength.shape)
        got = np.asarray(got)
        if got.dtype == bool:
            raise NotYet("That is where the crests are. Return how strong they are: the strength there, 0 elsewhere.")
        framed = without_frame(got)
        if np.array_equal(framed, want) and not np.array_equal(got, want):
            raise NotYet("Inside it is right. A pixel on the frame lacks a neighbour: put 0 there.")
        expect_none_of(name + which, framed, wrong_crests(_crests, strength, d_rows, d_columns))
        expect_equals_kept(name + which, framed, want, strength)
        expect_array(name + which, got, want)
    return "Rounding is coarser than mixing two pixels, but fast; OpenCV's `Canny` rounds."


def _link(strength, low, high):
    chains = label(strength >= low, connectivity=2)
    return np.isin(chains, np.unique(chains[strength >= high]))


@exercise(
    "`skimage.measure.label` gives each chain of pixels a number. Which `connectivity` includes corners?",
    "`np.unique(chains[strength >= high])` are the numbers of the chains with a strong pixel.",
    "`np.isin(chains, those_numbers)` is True where a chain has one of these numbers.",
    solution=_link,
)
def q3(link):
    strength = chains_to_link()
    want = classical.hysteresis(strength, 1, 2)
    got = link(strength, 1, 2)
    expect_shape("`link(strength, 1, 2)`", got, want.shape)
    got = np.asarray(got)
    expect_none_of("`link(strength, 1, 2)`", got, wrong_links(link, strength, want))
    expect_array("`link(strength, 1, 2)`", got, want)
    expect_array("With nothing strong, `link(strength, 1, 9)`", link(strength, 1, 9), np.zeros(want.shape, bool))
    expect_fractions(link)
    whole, name = np.array([[0, 40, 0, 100, 160, 0, 120]], np.uint8), "Of 0, 40, 0, 100, 160, 0, 120 as uint8"
    expect_array(f"{name}, `link(row, 100, 150)`", link(whole, 100, 150), np.isin(whole, [100, 160]))
    lone = np.zeros((40, 41))
    lone[::2, ::2] = 1  # 420 chains of one pixel
    lone[38, 40] = 2
    kept = np.sum(link(lone, 1, 2))
    if kept != 1:
        raise NotYet(
            f"Of 420 lone pixels of `low` or more, the last one alone is strong, and you keep {kept}. Is a number of "
            "yours too small for so many chains? uint8 ends at 255."
        )
    winding = np.zeros((81, 40))  # one chain of 1,680 pixels, strong at its beginning
    winding[::2] = winding[1::4, -1] = winding[3::4, 0] = 1
    winding[0, 0] = 2
    try:
        reached, all_of_it = np.sum(link(winding, 1, 2)), np.count_nonzero(winding)
    except RecursionError:
        raise NotYet(
            "The function calls itself from pixel to pixel, a loop as well, and Python stops after 1,000 calls. "
            "Number the chains."
        ) from None
    if reached < all_of_it:
        raise NotYet(f"Of a chain of {all_of_it} pixels you keep {reached}. Follow it to its end.")
    used = _functions_of(link)
    if any((each.__module__ or "").startswith("seglib.classical") for each in used):
        raise NotYet("The pixels are right, but seglib did it. Do without `seglib.classical`: number the chains.")
    if any(has_loops(each) for each in used):
        raise NotYet("The pixels are right, but there is a loop in it. Number the chains, then choose numbers.")
    return "Number the weak chains, see which numbers occur among the strong pixels, keep those."


def _functions_of(function):
    """The function itself, and what it calls by name of its own module's functions and of seglib's."""
    function = inspect.unwrap(function)
    names = function.__code__.co_names if inspect.isfunction(function) else ()
    called = [function.__globals__.get(name, getattr(classical, name, None)) for name in names]
    ours = (function.__module__, classical.hysteresis.__module__)
    return [function, *(each for each in called if inspect.isfunction(each) and each.__module__ in ours)]


def _mend(edges):
    fat = ndimage.binary_dilation(edges, iterations=2)
    filled = ndimage.binary_fill_holes(fat)
    thin_again = ndimage.binary_erosion(filled, iterations=2)
    return ndimage.binary_opening(thin_again)  # without strokes


@exercise(
    "`scipy.ndimage.binary_fill_holes` fills what is enclosed. What must happen to the edges before?",
    "`binary_dilation(edges, iterations=2)` closes gaps of up to 4 pixels, and fattens the edges by 2.",
    "After filling, `binary_erosion(..., iterations=2)` takes the fat away, `binary_opening` what is thin.",
    solution=_mend,
)
def q4(mend):
    edges, inside = broken_outlines()
    for name, pair in unseen_outlines().items():
        edges[name], inside[name] = pair
    for name, outline in edges.items():
        got, want = mend(outline), inside[name]
        expect_shape(f"'{name}': `mend(edges)`", got, want.shape)
        got = np.asarray(got)
        if got.dtype != bool:
            raise NotYet(f"'{name}': `mend(edges)` holds {got.dtype}, wanted True inside and False outside (bool).")
        expect_whole(name, mend, got, want)
        if (got & outline & ~ndimage.binary_dilation(want, iterations=5)).any():
            raise NotYet(f"'{name}': the stroke encloses nothing, and yet you keep it. What takes thin things away?")
        if (score := metrics.binary_iou(got, want)) < 0.9:
            what = wrong_mask(mend, outline, got, want)
            raise NotYet(f"'{name}': IoU {score:.3f}, wanted 0.9 or more. {what}")
    return "Dilate, fill, erode. It works while gaps are smaller than whatever lies beside them."


BEAT, OPEN = 0.9, 0.15  # F1; share of the pixels that is left to the flood


def _coin_markers(image):
    smooth = ndimage.gaussian_filter(image, 1)
    flat = smooth - ndimage.uniform_filter(smooth, 150)  # without the light
    bright = flat > threshold_otsu(flat)
    coins = label(ndimage.binary_erosion(ndimage.binary_opening(bright, iterations=4), iterations=2))
    cloth = ndimage.binary_erosion(~bright, iterations=3)
    return np.where(coins > 0, coins + 1, cloth.astype(int))


@exercise(
    "Fixed grey values fail when the light changes. What remains if you take a wide mean off the picture?",
    "`flat = image - ndimage.uniform_filter(image, 150)`, then Otsu's threshold. Specks would be coins: "
    "`ndimage.binary_opening(..., iterations=4)` removes them, and `label` numbers what is left from 1.",
    "Coins get their number + 1. Cloth is 1 where it is surely dark. Erode both a little, so that rims stay open (0).",
    solution=_coin_markers,
)
def q5(coin_markers):
    scores = []
    for name, (image, instances) in coin_photos().items():
        markers = coin_markers(image)
        expect_shape(f"'{name}': `coin_markers(image)`", markers, image.shape)
        markers = np.asarray(markers)
        if not np.issubdtype(markers.dtype, np.integer):
            raise NotYet(f"Markers are whole numbers: 0 open, 1 cloth, 2, 3, ... coins. Yours are {markers.dtype}.")
        numbers = np.unique(markers[markers != 0])
        if (least := markers.min()) < 0:
            raise NotYet(
                f"'{name}': some markers are {least}. Markers are 0 (open) or the number of a region, 1 or more. "
                "(-1 is what OpenCV's flood draws between regions afterwards.)"
            )
        if 1 not in numbers:
            raise NotYet(f"'{name}': no pixel has the number 1. Without a marker for the cloth, coins flood it.")
        if len(numbers) == 1:
            raise NotYet(f"'{name}': the cloth has a marker, no coin has one. Coins are 2, 3 and so on.")
        cloth = instances == 0
        if (wrong := np.mean(~cloth[markers == 1])) > 0.1:
            raise NotYet(
                f"'{name}': {wrong:.0%} of the pixels that you call 1 lie on coins. 1 is the cloth, coins begin at 2; "
                "a cloth of 0 is open, and the first coin floods it."
            )
        if len(numbers) < 3:
            raise NotYet(f"'{name}': one number for all coins. Give each coin its own: `label` counts them.")
        if (left := np.mean(markers == 0)) < OPEN:
            raise NotYet(
                f"'{name}': {left:.0%} of the pixels are open, at least {OPEN:.0%} are wanted. Mark only what is sure "
                "and leave the rims to the flood: `ndimage.binary_erosion` makes a marker smaller."
            )
        if (right := np.mean(markers[cloth & (markers > 0)] == 1)) < 0.5:
            raise NotYet(f"'{name}': of your markers on the cloth, {right:.0%} are 1. Give the cloth the number 1.")
        if name == "as it is":  # in a bad light, a good answer may take a coin for cloth
            expect_own_numbers(name, markers, instances)
        score = metrics.instance_f1(coins_found(image, markers), instances)
        if score.f1 < BEAT:
            raise NotYet(
                f"'{name}': {score.true_positives} coins found, {score.false_positives} false objects, "
                f"object F1 {score.f1:.2f}; wanted {BEAT} in each of the three lights."
            )
        scores.append(f"{name} {score.f1:.2f}")
    return "Object F1: " + ", ".join(scores) + "."
