"""What exercise 1 of lesson 04, the confusion matrix, is tried on beside plain pairs of masks."""

from contextlib import suppress

import numpy as np

from seglib import metrics
from seglib.exercises import NotYet, expect_array


def or_advice(name, advice, attempt, *arguments):
    """The answer; NotYet with the advice if the attempt fails on these arguments."""
    try:
        return attempt(*arguments)
    except (ValueError, IndexError, TypeError, AssertionError) as error:
        said = f"{type(error).__name__}: {error}".removesuffix(": ").rstrip(".")
        raise NotYet(f"{name} fails with {said}. {advice}") from None


def refuses(count_pairs, masks, num_classes, place, odd):
    """NotYet unless an id that is no class is an error at this place, and none where the target is void."""
    for which in ("was predicted as", "has the true id"):
        prediction, target = (mask.astype(int) for mask in masks)
        (prediction if which == "was predicted as" else target)[place] = odd
        if target[place] == 255:
            continue
        with suppress(ValueError, IndexError, AssertionError):
            gone = np.sum(count_pairs(prediction, target, num_classes)) < np.sum(target != 255)
            where = "gone" if gone else "in a place where it does not belong"
            raise NotYet(
                f"A pixel that counts {which} {odd}, and there are the classes 0 to {num_classes - 1}. Your matrix "
                f"comes without an error, and the pixel is {where}. "
                "Leave out where the *target* is 255, and raise a ValueError for every other id that is no class."
            )
    prediction, target = (mask.astype(int) for mask in masks)
    prediction[target == 255] = odd
    name = f"With a prediction of {odd} where the target is void, `count_pairs(prediction, target, {num_classes})`"
    got = or_advice(
        name,
        "Drop the void pixels first, whatever was predicted there.",
        *(count_pairs, prediction, target, num_classes),
    )
    expect_array(name, got, metrics.confusion_matrix(np.where(target == 255, 0, prediction), target, num_classes))


def says_value_error(count_pairs, masks, num_classes):
    """NotYet where an id that is no class ends in an IndexError or AssertionError, not in what was asked for."""
    for which, odd in ((0, num_classes), (1, num_classes), (0, -1), (1, -1)):
        both = [mask.astype(int) for mask in masks]
        both[which][0, 0] = odd
        try:
            count_pairs(*both, num_classes)
        except ValueError:
            continue
        except (IndexError, AssertionError) as error:
            said = f"{type(error).__name__}: {error}".removesuffix(": ").rstrip(".")
            asserts = isinstance(error, AssertionError)
            raise NotYet(
                f"A pixel that counts {'has the true id' if which else 'was predicted as'} {odd}, and there are the "
                f"classes 0 to {num_classes - 1}: you end with {said}. Raise a ValueError. "
                f"{'`python -O` skips every `assert`.' if asserts else 'Look at the ids before you count.'}"
            ) from None


def takes_any_shape(count_pairs, prediction, target, want):
    void = np.full_like(target, 255)
    for name, why, arguments, matrix in (
        ("Where all is void", "`min` and `max` of nothing fail: `initial=0` helps.", (prediction, void), 0 * want),
        (
            "On two pictures in one array (2, H, W)",
            "`prediction[target != 255]` works for every shape.",
            [np.stack([x, x]) for x in (prediction, target)],
            2 * want,
        ),
        (
            "On arrays of one axis",
            "`prediction[target != 255]` works for every shape.",
            (prediction.ravel(), target.ravel()),
            want,
        ),
    ):
        name = f"{name}, `count_pairs(prediction, target, 21)`"
        expect_array(name, or_advice(name, why, count_pairs, *arguments, 21), matrix)
