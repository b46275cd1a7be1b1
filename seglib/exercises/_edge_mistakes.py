"""What the usual mistakes give in exercises 2, 4 and 5 of lesson 01: crests, outlines mended, markers of coins."""

import numpy as np
from scipy import ndimage
from skimage.measure import label

from seglib import classical, metrics
from seglib.exercises import NotYet

STEPS = np.array([(0, 1), (1, 1), (1, 0), (1, -1)])


def without_frame(values):
    framed = np.zeros_like(values)
    framed[1:-1, 1:-1] = values[1:-1, 1:-1]
    return framed


def wrong_crests(crests, strength, d_rows, d_columns, angle):
    """The reason -> what a wrong answer gives, frame 0. `crests` is a right one, `angle` that of the gradient."""
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
    return {why: without_frame(values) for why, values in wrong.items()}


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
        "you always compare with left and right. Let each pixel's gradient choose": (0, d_columns),
        "you always compare with above and below. Let each pixel's gradient choose": (d_rows, 0),
        "the two diagonals are swapped. Rows count downwards, so a gradient with both slopes above 0 points to the "
        "lower right": (-d_rows, d_columns),
        "you look along the edge, as if the angle were turned by 90 degrees. The neighbours across the edge lie along "
        "the gradient": (d_columns, -d_rows),
        "down and right are swapped: the angle is `np.arctan2(d_rows, d_columns)`": (d_columns, d_rows),
        "the slopes have lost their signs, and so two diagonals became one. Do without `abs`": (
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
    if min(shares) < 0.5 <= max(shares):
        missed = objects == np.argmin(shares) + 1
        closed = want & ~ndimage.binary_erosion(want)
        if np.asarray(mend(closed))[missed].mean() < 0.5:  # so it does not leak
            r, c = (round(place.mean()) for place in np.nonzero(missed))
            raise NotYet(
                f"'{name}': the object around row {r}, column {c} is missing, even if its outline is closed. Keep all "
                "objects, not the largest."
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
