"""The usual mistakes of those who grow regions, and what gives them away."""

import numpy as np
from scipy import ndimage

from seglib.classical import grow_region
from seglib.exercises import NotYet, expect_array, expect_none_of


def refuse_gaps_at_the_border(name, region):
    """Raise NotYet if a region that should fill the picture leaves out rows or columns at its border."""
    if region.sum() <= 1:
        held = "only the seed: its neighbours are not looked at, or never join" if region.any() else "no pixel at all"
        raise NotYet(f"{name} holds {held}.")
    if region.sum() == 5 and region[1, 1:4].all() and region[:3, 2].all():
        raise NotYet(f"{name} holds the seed and its four neighbours: those have neighbours too. Queue what joins.")
    for line, where, side in ((region[0], "row 0", "above it"), (region[:, 0], "column 0", "to its left")):
        if not line.any():
            raise NotYet(f"{name} leaves out {where}. 0 is a valid position. Does a pixel ask the neighbour {side}?")
    for line, where, side in ((region[-1], "row", "below it"), (region[:, -1], "column", "to its right")):
        if not line.any():
            raise NotYet(
                f"{name} leaves out the last {where}: positions run up to the number of {where}s minus 1. "
                f"Does a pixel ask the neighbour {side}?"
            )


def refuse_wrong_references(row):
    """Raise NotYet for what grew from the first 100 of 10, 100, 100, 200 with a tolerance of 25: no trick of uint8."""
    if row.all():
        raise NotYet(
            "10 and 200 join 100 with a tolerance of 25. The tolerance is in levels of 0 to 255, as the picture is, "
            "and every pixel has to be compared before it joins."
        )
    if row[0] and not row[2]:
        raise NotYet("From a 100 beside a 10, it takes the 10 and not the next 100: compare with the seed's value.")


def refuse_wrong_differences(bright, dark):
    """Raise NotYet if 250 and 5 join each other with a tolerance of 25.

    `bright` is what grew on 240, 250, 5 and `dark` what grew on 250, 5, 15, each from the middle. Wrapped numbers,
    a forgotten abs and int8 let different pixels of these two rows join.
    """
    if bright[2] and dark[0]:
        raise NotYet(
            "5 joins 250 with a tolerance of 25, and 250 joins 5: the differences are wrong in both directions. "
            "Use a type that holds -255 to 255; uint8 and int8 do not."
        )
    if bright.all():
        raise NotYet("5 joins 250 with a tolerance of 25: 5 - 250 is -245. Compare its absolute value.")
    if dark.all():
        raise NotYet("250 joins 5 with a tolerance of 25: 5 - 250 is -245. Compare its absolute value.")
    if bright[2] or dark[0]:
        raise NotYet(
            f"{'5 joins 250' if bright[2] else '250 joins 5'} with a tolerance of 25: in uint8, 5 - 250 is 11, "
            "for there are no negative numbers. Convert before you subtract."
        )

    if not (bright[0] or dark[2]):
        raise NotYet(
            "With a tolerance of 25, 240 does not join 250, nor 15 join 5. Is another tolerance used, "
            "or does a sum overflow? In uint8, 250 + 25 is 19."
        )
    if not bright[0]:
        raise NotYet(
            "240 does not join 250 with a tolerance of 25: 240 - 250 is -10, and no unsigned type holds it, "
            "neither uint8 nor uint16. Use int."
        )


def refuse_other_criteria(grow):
    """Raise NotYet if the tolerance is not heeded, or something else than the seed's value is compared."""
    picture = np.array([[100, 110, 120, 130, 140]], np.uint8)
    got = grow(picture, (0, 2), 10)
    if got.sum() == 1:
        raise NotYet("A difference of exactly the tolerance joins too: 110 and 130 join 120 with tolerance 10.")
    if got.all():
        raise NotYet("It compares with the neighbour: 140 joined 120 by way of 130. Compare with the seed's value.")
    name = "On 100, 110, 120, 130, 140, `mended(picture, (0, 2), {})`"
    expect_array(name.format(10), got, grow_region(picture, (0, 2), 10 / 255))
    of_ten, got = got, grow(picture, (0, 2), 20)
    expect_none_of(name.format(20), got, {"this is the region of tolerance 10. Use the one that is given": of_ten})
    expect_array(name.format(20), got, np.ones(picture.shape, bool))
    picture = np.array([[100, 108, 116, 124, 132]], np.uint8)
    name = "On 100, 108, 116, 124, 132, `mended(picture, (0, 0), 16)`"
    got = grow(picture, (0, 0), 16)
    mean = "124 joins: it is near the region's mean. Compare with the seed's value"
    expect_none_of(name, got, {mean: grow_region(picture, (0, 0), 16 / 255, "mean")})
    expect_array(name, got, grow_region(picture, (0, 0), 16 / 255))


def refuse_leaks(grow):
    """Raise NotYet if it joins what no path joins, slips through corners or goes round the edge of the picture."""
    scene = [
        [250, 250, 5, 250, 250, 250],
        [250, 240, 5, 255, 240, 240],
        [240, 250, 5, 5, 5, 5],
        [5, 5, 250, 240, 5, 5],
        [5, 5, 5, 5, 5, 5],
    ]
    picture = np.array(scene, np.uint8)
    got, want = grow(picture, (0, 0), 25), grow_region(picture, (0, 0), 25 / 255)
    if np.array_equal(got, picture >= 225):
        raise NotYet("It takes every similar pixel, connected or not: only neighbours of the region may join.")
    if np.array_equal(got, grow_region(picture, (0, 0), 25 / 255, connectivity=8)):
        raise NotYet("It slips through a gap at a corner: neighbours are above, below, left and right only.")
    if got[0, 4] and not got[3, 2]:
        raise NotYet("It leaves the picture and comes back on the other side: index -1 is the last row or column.")
    expect_array("`mended(picture, (0, 0), 25)`", got, want)


def refuse_other_pieces(name, grow):
    """Raise NotYet if it takes the first or the largest of three pieces, or loses a seed that stands alone."""
    picture = np.array([[90, 90, 5, 90, 90, 90], [5, 5, 5, 5, 90, 5], [90, 5, 90, 5, 5, 5]], np.uint8)
    want = np.zeros(picture.shape, bool)
    want[2, 2] = True
    name = f"On a picture where the seed has no similar neighbour, `{name}(picture, (2, 2), 25)`"
    got = grow(picture, (2, 2), 25)
    wrong = {
        "this is the first piece. Wanted is the one that holds the seed": grow_region(picture, (0, 0), 0.1),
        "this is the largest piece. Wanted is the one that holds the seed": grow_region(picture, (0, 4), 0.1),
        "it is empty. The seed belongs to its region": np.zeros(picture.shape, bool),
    }
    expect_none_of(name, got, wrong)
    expect_array(name, got, want)


def refuse_early_ends(name, grow):
    """Raise NotYet if growing ends before the path does: a snake of 12 straights, with the seed at its tail."""
    snake = np.full((23, 5), 200, np.uint8)
    snake[::2] = 90
    snake[1::4, -1] = snake[3::4, 0] = 90
    seed = (22, 0)
    got, want = grow(snake, seed, 10), snake == 90
    name = f"On a path that winds through 23 rows, `{name}(picture, {seed}, 10)`"
    if isinstance(got, np.ndarray) and got.shape == want.shape and got[seed] and not np.any(got & ~want):
        missed = want & ~got
        if missed.any():
            raise NotYet(
                f"{name} misses {missed.sum()} of {want.sum()} pixels: it ends too early. A fixed number of rounds or "
                "passes is not enough; go on until no pixel joins."
            )
    expect_array(name, got, want)


def other_regions(picture, seed, tolerance):
    """What is wrong with a region that does not go by the seed's value -> that region."""
    rise = picture - picture[seed]
    upward, downward = (ndimage.label(sign * rise <= tolerance)[0] for sign in (1, -1))
    by = {name: grow_region(picture, seed, tolerance, name) for name in ("seed", "neighbour", "mean")}
    return {
        "darker pixels join however dark they are. Take the absolute difference": upward == upward[seed],
        "brighter pixels join however bright they are. Take the absolute difference": downward == downward[seed],
        "it compares with the neighbour. Compare with the seed's value": by["neighbour"],
        "it compares with the region's mean. Compare with the seed's value": by["mean"],
        "its holes are filled. They hold other values": ndimage.binary_fill_holes(by["seed"]),
        "these are the pixels that are not like the seed": np.abs(rise) > tolerance,
    }


def refuse_filled_holes(grow):
    """Raise NotYet if a pixel of 200 inside a region of 90 joins with a tolerance of 10."""
    if grow(np.array([[90, 90, 90], [90, 200, 90], [90, 90, 90]], np.uint8), (0, 0), 10)[1, 1]:
        raise NotYet("A pixel of 200 that lies inside a region of 90 joined with tolerance 10: a hole stays a hole.")


def leak_mistakes(tolerances, sizes):
    """What is wrong -> the tolerance that this mistake returns."""
    steps = np.diff(sizes)
    places = {
        "The leak has happened already at your tolerance. Return the one before it": steps.argmax() + 1,
        "You return the tolerance two before the leak. Return the one just before it": steps.argmax() - 1,
        "You return the last tolerance, whatever the sizes are": -1,
        "You return the tolerance of the largest region, after the leak": sizes.argmax(),
        "You look for where the steps grow most. Look for the longest step": np.diff(steps).argmax() + 1,
        "You look for the largest factor; a seed that wakes up has it. Look for most pixels": np.argmax(
            sizes[1:] / sizes[:-1]
        ),
        "You divide by the step of the tolerance. Look for the most pixels in one step, however long": np.argmax(
            steps / np.diff(tolerances)
        ),
        "You take a loss for a gain: by mean, a region can also shrink": np.abs(steps).argmax(),
        "You sort the sizes. By mean, a region can shrink: keep them in the order of their tolerances": np.argmax(
            np.diff(np.sort(sizes))
        ),
        "`np.gradient` averages two steps. Take each step alone: `np.diff`": np.gradient(sizes).argmax(),
        "You look for the smallest step, or for the largest loss. Look for the largest gain": steps.argmin(),
        "You go round the end: the last size has no next one": np.argmax(np.roll(sizes, -1) - sizes),
        "You never look at the last step. The leak may be there": steps[:-1].argmax(),
        "You never look at the first step. The leak may be there": steps[1:].argmax() + 1,
        "You look at the first five steps only, but a list can be longer": steps[:5].argmax(),
    }
    middles = (tolerances[1:] + tolerances[:-1]) / 2
    return {why: tolerances[place] for why, place in places.items()} | {
        "You return the middle of the leak's step. Return the tolerance just before it": middles[steps.argmax()]
    }


def refuse_frames_that_join(mended):
    """NotYet where a frame of 0, -1 or 255 round the picture leads from one piece to another."""
    for kind, value, between in (("dark", 5, 200), ("bright", 250, 50)):
        inner = np.full((3, 5), between, np.uint8)
        inner[1, 1::2] = value
        row = inner[1:2]
        if mended(row, (0, 1), 25)[0, 3] and not mended(inner, (1, 1), 25)[1, 3]:
            raise NotYet(
                f"On a row of {', '.join(map(str, row[0]))}, it goes from one {kind} pixel to the other round the "
                "outside. The frame that you added counts as pixels there. Stay inside the picture, or fill the frame "
                "with what joins nothing, such as 9999."
            )
