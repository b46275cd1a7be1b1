"""The usual mistakes of those who grow regions, and what gives them away."""

import numpy as np

from seglib.exercises import NotYet


def refuse_gaps_at_the_border(name, region):
    """Raise NotYet if a region that should fill the picture leaves out rows or columns at its border."""
    if region.sum() == 1:
        raise NotYet(f"{name} holds only the seed: its neighbours are not looked at, or never join.")
    for line, where in ((region[0], "row 0"), (region[:, 0], "column 0")):
        if not line.any():
            raise NotYet(f"{name} leaves out {where}: 0 is a valid position too.")
    for line, where in ((region[-1], "row"), (region[:, -1], "column")):
        if not line.any():
            raise NotYet(f"{name} leaves out the last {where}: positions run up to the number of {where}s minus 1.")


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


def refuse_filled_holes(grow):
    """Raise NotYet if a pixel of 200 inside a region of 90 joins with a tolerance of 10."""
    if grow(np.array([[90, 90, 90], [90, 200, 90], [90, 90, 90]], np.uint8), (0, 0), 10)[1, 1]:
        raise NotYet("A pixel of 200 that lies inside a region of 90 joined with tolerance 10: a hole stays a hole.")


def leak_mistakes(tolerances, sizes):
    """What is wrong -> the place that this mistake picks."""
    steps = np.diff(sizes)
    return {
        "The leak has happened already at your tolerance. Return the one before it": steps.argmax() + 1,
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
        "You never look at the last step. The leak may be there": steps[:-1].argmax(),
        "You never look at the first step. The leak may be there": steps[1:].argmax() + 1,
    }
