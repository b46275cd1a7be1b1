"""What the usual mistakes give in exercises 2 to 5 of lesson 01: crests, chains, outlines mended, markers of coins."""

import numpy as np
from scipy import ndimage
from skimage.filters import apply_hysteresis_threshold
from skimage.measure import label

from seglib import classical, metrics
from seglib.exercises import NotYet, expect_array, expect_none_of

STEPS = np.array([(0, 1), (1, 1), (1, 0), (1, -1)])


def without_frame(values):
    framed = np.zeros_like(values)
    framed[1:-1, 1:-1] = values[1:-1, 1:-1]
    return framed


def wrong_crests(crests, strength, d_rows, d_columns):
    """The reason -> what a wrong answer gives, frame 0. `crests` is a right one."""
    angle = np.arctan2(d_rows, d_columns)
    wrong = {
        "you keep every pixel. A stronger neighbour across the edge should remove it": strength,
        "you compare with all eight neighbours. Only the two across the edge count": strength
        * (strength == ndimage.maximum_filter(strength, 3)),
        "you mix two pixels, as the lesson did. Here round the direction, and compare with one pixel on either "
        "side": classical.thin(strength, d_rows, d_columns),
        "you take the length of the gradient. Compare and return `strength`, which is given": crests(
            np.hypot(d_rows, d_columns), d_rows, d_columns
        ),
    }
    wrong |= _wrong_comparisons(strength, np.rint(angle / (np.pi / 4)).astype(int) % 8)
    numbers = np.rint(np.arctan2(d_rows, d_columns) / (np.pi / 4))  # -4 to 4
    right = crests(strength, d_rows, d_columns)
    wrong["no pixel is kept where the angle rounds to a negative number or to 4. Left is right's opposite: `% 4`"] = (
        right * ((numbers >= 0) & (numbers < 4))
    )
    wrong |= {why: crests(strength, *slopes) for why, slopes in _wrong_directions(d_rows, d_columns, angle).items()}
    framed = {why: without_frame(values) for why, values in wrong.items()}
    return {why: values for why, values in framed.items() if not np.allclose(values, right, rtol=1e-5, atol=1e-5)}


def expect_equals_kept(name, got, want, strength):
    """Raise NotYet where all that is missing has an equal neighbour."""
    different = ~np.isclose(got, want)
    neighbours = [np.roll(strength, way * step, (0, 1)) for way in (-1, 1) for step in STEPS]
    equal = np.any([strength == each for each in neighbours], axis=0)
    if different.any() and not got[different].any() and equal[different].all():
        raise NotYet(
            f"{name}: {different.sum()} pixels are missing, and each of them has an equal neighbour. That removes "
            "nothing: compare with `>=`, on both sides and in all four directions."
        )


def wrong_links(link, strength, want):
    """The reason -> what a wrong answer gives with thresholds 1 and 2; `want` is right, `link` the attempt."""
    near = ndimage.binary_dilation(strength >= 2, np.ones((3, 3))) & (strength >= 1)
    above = classical.hysteresis(strength, 1.01, 2)
    straight = label(strength >= 1, connectivity=1)
    wrong = {
        "you keep the strong pixels only. The weak ones beside them belong to the edge. If you use `label`: did you "
        "give it a bool array? It separates unequal values": strength >= 2,
        "you keep every weak pixel. Row 4 holds a chain without a single strong one": strength >= 1,
        "in row 6, a pixel of 0.5 is kept. It is weaker than `low`, 1": classical.hysteresis(strength, 0.1, 2),
        "you take one step from the strong pixels. The chain in row 1 goes on: follow it to its end": near,
        "all that is weaker than `low` is kept too. `label` calls it 0, which is no chain: leave 0 out": want
        | (strength < 1),
        "the strong pixels have no chain. Number all that is `low` or more, the strong ones too": (strength < 1)
        | (strength >= 2),
        "the chain from row 1 goes on at row 2, column 5, across a corner: eight neighbours, not four": np.isin(
            straight, np.unique(straight[strength >= 2])
        ),
        "the ring around row 3, column 10 is filled. Its middle is weaker than `low`": ndimage.binary_fill_holes(want),
    }
    # A `>` shows itself where no pixel is exactly at the threshold.
    if np.array_equal(link(strength, 0.99, 2), want):
        wrong["a pixel of exactly `low` counts: compare with `>=`"] = above
    else:
        wrong["pixels of 1 are missing from their chains. All that is `low`, 1, or more belongs to a chain"] = above
    nothing = np.zeros(want.shape, bool)
    if np.array_equal(link(strength, 1, 1.99), want) or np.array_equal(link(strength, 0.99, 1.99), want):
        wrong["nothing is kept. A pixel of exactly `high` is strong: compare with `>=`"] = nothing
    elif np.array_equal(link(strength, 0.99, 1.99), apply_hysteresis_threshold(strength, 0.99, 1.99)):
        wrong[
            "nothing is kept. You compare with `>` and let only four neighbours count, as scikit-image's "
            "`apply_hysteresis_threshold` does. Here a pixel of exactly `high` is strong, and corners connect"
        ] = nothing
    else:
        wrong["nothing is kept. Rows 1, 2 and 6 hold pixels of 2, `high`: these and their chains are wanted"] = nothing
    return wrong


def expect_fractions(link):
    """Raise NotYet unless thresholds between whole numbers, tenths and thousandths are taken as they are."""
    low, high = 0.1234, 0.4321
    fine = np.zeros((7, 6))
    fine[0] = 0.4321, 0, 0.12, 0.1234, 0.5, 0.1233
    fine[2, 1:4] = 0.3, 0.432, 0.2  # nothing strong
    fine[4, :4] = 0.1, 0.1233, 0.6, 0.13
    fine[6, ::2] = 0.1234, 0.2, 0.4321
    want = classical.hysteresis(fine, low, high)
    pieces = label(want, connectivity=2)
    name, got = f"With low {low} and high {high}, `link(strength, low, high)`", np.asarray(link(fine, low, high))
    wrong = {
        "everything is kept, zeros too. Compare with `low`, not with a number of your own": np.ones_like(want),
        "nothing is kept. Compare with `low` and `high`, and keep fractions: 0.4321 is not 0": np.zeros_like(want),
        "a strong pixel without neighbours is dropped. It is an edge all the same": want
        & (np.bincount(pieces.ravel())[pieces] > 1),
    }
    for places in (1, 2, 3):
        a, b = round(low, places), round(high, places)
        cut = f"the thresholds are cut or rounded to {a} and {b}. Compare with `low` and `high` as they are"
        wrong[cut] = classical.hysteresis(fine, a, b)
        wrong[f"strength and thresholds are rounded, so that {high} becomes {b}. Compare them as they are"] = (
            classical.hysteresis(fine.round(places), a, b)
        )
    expect_none_of(name, got, {why: value for why, value in wrong.items() if not np.array_equal(value, want)})
    expect_array(name, got, want)


def _wrong_comparisons(strength, eighths):
    direction, turned = eighths % 4, eighths > 3
    ahead, behind = (np.choose(direction, [np.roll(strength, way * step, (0, 1)) for step in STEPS]) for way in (-1, 1))
    uphill, downhill = np.where(turned, behind, ahead), np.where(turned, ahead, behind)  # as the gradient points
    eaten = strength.copy()
    for r, c in np.argwhere(without_frame(strength) > 0):
        i, j = STEPS[direction[r, c]]
        if eaten[r, c] < max(eaten[r + i, c + j], eaten[r - i, c - j]):
            eaten[r, c] = 0
    two = "A crest is at least as strong as both, one on either side"
    equal = "An equal neighbour removes nothing: `>=` on both sides"
    strict = "you compare with `>`. A pixel stays if no neighbour across the edge is stronger; equal is enough: `>=`"
    return {
        strict: strength * ((strength > ahead) & (strength > behind)),
        f"one side is compared with `>`, the one ahead. {equal}": strength
        * ((strength > ahead) & (strength >= behind)),
        f"one side is compared with `>`, the one behind. {equal}": strength
        * ((strength >= ahead) & (strength > behind)),
        f"one side is compared with `>`, uphill. {equal}": strength * ((strength > uphill) & (strength >= downhill)),
        f"one side is compared with `>`, downhill. {equal}": strength * ((strength >= uphill) & (strength > downhill)),
        f"you compare with one neighbour only, the one uphill. {two}": strength * (strength >= uphill),
        f"you compare with one neighbour only, the one downhill. {two}": strength * (strength >= downhill),
        f"you compare with one neighbour only, the one ahead. {two}": strength * (strength >= ahead),
        f"you compare with one neighbour only, the one behind. {two}": strength * (strength >= behind),
        "you compare with pixels that you have set to 0 before. Read from `strength`, write into a new array": eaten,
    }


def _wrong_directions(d_rows, d_columns, angle):
    """The reason -> the slopes that a wrong direction amounts to."""
    straight = np.abs(d_rows) > np.abs(d_columns)
    floor = np.floor(angle / (np.pi / 4)) * np.pi / 4 + 1e-3
    cut = np.trunc(np.arctan2(d_rows, d_columns) / (np.pi / 4) + 0.5) * np.pi / 4
    return {
        "you always compare with left and right. Let each pixel's gradient choose; its angle is in radians": (
            0,
            d_columns,
        ),
        "you always compare with above and below. Let each pixel's gradient choose": (d_rows, 0),
        "the two diagonals are swapped. Rows count downwards, so a gradient with both slopes above 0 points to the "
        "lower right": (-d_rows, d_columns),
        "you look along the edge, as if the angle were turned by 90 degrees. The neighbours across the edge lie along "
        "the gradient": (d_columns, -d_rows),
        "down and right are swapped. The angle is `np.arctan2(d_rows, d_columns)`, and 0 points to the right": (
            d_columns,
            d_rows,
        ),
        "both diagonals are taken for the one to the lower right. Slopes must keep their signs (no `abs`), "
        "and the fourth step is (1, -1)": (
            np.abs(d_rows),
            np.abs(d_columns),
        ),
        "you never compare with a diagonal neighbour. There are four directions": (
            d_rows * straight,
            d_columns * ~straight,
        ),
        "adding 0.5 and cutting with `astype(int)` rounds numbers above 0 only: -1.3 becomes 0. `np.rint` rounds all": (
            np.sin(cut),
            np.cos(cut),
        ),
        "the directions are cut off, not rounded: 44 degrees is nearer to 45 than to 0": (np.sin(floor), np.cos(floor)),
    }


def expect_whole(name, mend, got, want):
    """Raise NotYet where less than half of an object is filled."""
    core = ndimage.binary_erosion(want, iterations=2)
    kept, around = got[core].mean(), got[~ndimage.binary_dilation(want, iterations=4)].mean()
    if kept < 0.5 < around:
        raise NotYet(f"'{name}': inside out: {around:.0%} of the outside is True, {kept:.0%} of the inside.")
    objects = label(want)
    shares = ndimage.mean(got, objects, range(1, objects.max() + 1))
    if min(shares) < 0.5:
        missed = objects == np.argmin(shares) + 1
        closed = want & ~ndimage.binary_erosion(want)
        if np.asarray(mend(closed))[missed].mean() < 0.5:  # so it does not leak
            r, c = (round(place.mean()) for place in np.nonzero(missed))
            if np.asarray(mend(want))[missed].mean() > 0.5:  # so it does not drop the object
                raise NotYet(
                    f"'{name}': the outline around row {r}, column {c} is not filled, even if it has no gap. Its "
                    "inside is True, too: fill it, once the gaps are closed and before thin things are taken away."
                )
            others = "not the largest" if max(shares) >= 0.5 else f"also one of {missed.sum()} pixels"
            raise NotYet(
                f"'{name}': the object around row {r}, column {c} is missing, even if its outline is closed. Keep all "
                f"objects, {others}."
            )
    if (kept := min(shares.min(), kept)) < 0.5:
        raise NotYet(
            f"'{name}': {kept:.0%} of the inside is filled. The outline leaks. Bridge the gap, then "
            "fill, then shrink; `binary_closing` shrinks at once, and takes the bridge of a thin line away again."
        )


def wrong_mask(mend, outline, got, want):
    """Why a mask that fills the objects differs from the one that is wanted."""
    if got.sum() < want.sum():
        room = np.asarray(mend(np.pad(outline, 30)))
        if room.shape == tuple(side + 60 for side in want.shape):
            roomy = metrics.binary_iou(room[30:-30, 30:-30], want)
            if roomy > metrics.binary_iou(got, want) + 0.02:
                return (
                    "Your edges grow so thick that they reach the frame of the picture, and the erosion eats from "
                    "there. Dilate by fewer pixels: half the largest gap is enough."
                )
        core = ndimage.binary_erosion(want)
        if (kept := got[want & ~core].mean()) > 0.15:
            return (
                f"The mask is too small: {got[core].mean():.0%} of the inside and {kept:.0%} of the outline are in it. "
                "Something takes corners. A wide opening, or a dilation of another shape?"
            )
        return "The mask is too small: does the outline itself belong to it?"
    if got[~ndimage.binary_dilation(want, iterations=4)].any():
        return "The mask fills what no outline encloses: an object need not be convex, and two objects are not one."
    return "The mask is too large: dilated edges are fat. Shrink it again by as much."


def expect_own_numbers(name, markers, instances):
    """Raise NotYet where a coin is marked as cloth, or has another coin's number."""
    owner = {}
    for coin in range(1, instances.max() + 1):
        r, c = (round(place.mean()) for place in np.nonzero(instances == coin))
        inside = markers[instances == coin]
        if (share := np.mean(inside == 1)) > 0.5:
            raise NotYet(
                f"'{name}': {share:.0%} of the coin around row {r}, column {c} is marked 1, as cloth. `label` numbers "
                "from 1, but coins begin at 2: add 1 to their numbers."
            )
        if (inside > 1).any():
            number = np.bincount(inside[inside > 1]).argmax()
            if number in owner:
                raise NotYet(
                    f"'{name}': the coins around {owner[number]} and {(r, c)} (row, column) share the number {number}. "
                    "Each coin needs its own."
                )
            owner[number] = (r, c)
