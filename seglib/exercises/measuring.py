"""Exercises of lesson 04, measuring."""

from itertools import pairwise

import numpy as np
from scipy import ndimage

from seglib import metrics
from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_number, expect_shape, has_loops
from seglib.exercises._coin_masks import (
    EXPERT_ORDER,
    HALVES,
    RINGS,
    UNSHOWN,
    WHY,
    coin_masks,
    dozen,
    halves,
    rings,
    specked,
    touching,
    unshown_masks,
)
from seglib.exercises._counting_mistakes import or_advice, refuses, says_value_error, takes_any_shape
from seglib.exercises._expect import _written
from seglib.exercises._measuring_mistakes import pairs_of_masks, wrong_distances


def _one_number(name, got):
    """The answer as a float, whatever its value; NotYet if it is not a single number."""
    expect_number(name, got, got)
    return float(got)


def _count_pairs(prediction, target, num_classes):
    counted = target != 255
    true, called = target[counted].astype(int), prediction[counted].astype(int)  # in uint8, 20 * 21 would be 164
    ids = np.concatenate([true, called])
    if ids.min(initial=0) < 0 or ids.max(initial=0) >= num_classes:  # initial: for a picture that is all void
        raise ValueError(f"ids from {ids.min()} to {ids.max()}, and {num_classes} classes")
    return np.bincount(true * num_classes + called, minlength=num_classes**2).reshape(num_classes, num_classes)


@exercise(
    "With K classes there are K × K pairs. Can you give each pair one number of its own?",
    "`truth * K + prediction` numbers them row by row. Drop the void pixels first.",
    "`np.bincount(numbers, minlength=K**2)` counts them; `reshape(K, K)` makes rows of it. Before that, raise a "
    "ValueError if an id that counts, true or predicted, is K or more, or below 0.",
    solution=_count_pairs,
)
def q1(count_pairs):
    target = np.array([[0, 0, 1], [1, 2, 0]])
    prediction = np.array([[0, 1, 1], [1, 2, 0]])
    name = "`count_pairs(prediction, target, 3)`"
    got, want = count_pairs(prediction, target, 3), metrics.confusion_matrix(prediction, target, 3)
    expect_shape(name, got, (3, 3))
    wrong = {
        "rows and columns are swapped: rows stand for the truth, columns for the prediction": want.T,
        "these are shares. Return counts: matrices of several pictures must be added before dividing": want / 6,
    }
    expect_none_of(name, got, wrong)
    expect_array(name, got, want)
    got = count_pairs(prediction, target, 5)
    expect_shape("When classes 3 and 4 do not occur, `count_pairs(prediction, target, 5)`", got, (5, 5))
    target[0, 0] = target[1, 2] = 255
    got, want = count_pairs(prediction, target, 3), metrics.confusion_matrix(prediction, target, 3)
    if np.shape(got) == (3, 3) and np.sum(got) == 6:
        raise NotYet("Two pixels of the target are void, and you still count six, wanted four: void became a class.")
    expect_array(f"With void (255) in the target, {name}", got, want)
    small = prediction, target
    target = np.array([[0, 20, 19, 12, 255], [20, 13, 20, 0, 3]], np.uint8)
    prediction = np.array([[0, 20, 18, 20, 7], [20, 13, 0, 17, 3]], np.uint8)
    name = "With 21 classes in `uint8`, as files have them, `count_pairs(prediction, target, 21)`"
    why = "In uint8, 20 * 21 is 164: make int of the ids first."
    got, want = (
        or_advice(name, why, count_pairs, prediction, target, 21),
        metrics.confusion_matrix(prediction, target, 21),
    )
    expect_shape(name, got, (21, 21))
    if np.sum(got) == np.sum(want) and not np.array_equal(got, want):
        raise NotYet(f"{name} has pixels in the wrong places: in uint8, 20 * 21 is 164. Make int of the ids first.")
    expect_array(name, got, want)
    for odd, place in ((255, (0, 0)), (21, (0, 0)), (22, (0, 0)), (256, (0, 0)), (-1, (1, 0))):  # target 0, and 20
        refuses(count_pairs, (prediction, target), 21, place, odd)
    refuses(count_pairs, small, 3, (0, 1), 3)
    says_value_error(count_pairs, (prediction, target), 21)
    takes_any_shape(count_pairs, prediction, target, want)
    one = np.ones((300, 300), np.uint8)
    if (got := count_pairs(one, one, 3))[1, 1] != one.size:
        kind = np.asarray(got).dtype
        raise NotYet(
            f"Of {one.size} pixels of class 1, all called 1, you count {got[1, 1]}: your matrix is {kind}, too small a "
            "type for so many pixels. Count in int64, whatever the masks are."
        )
    if has_loops(count_pairs):
        raise NotYet("The counts are right, but there is a loop in it. One number for each pair, then count numbers.")
    return "One pass over the pixels; seglib does the same."


def _mean_iou(matrix):
    hits = matrix.diagonal()
    union = matrix.sum(0) + matrix.sum(1) - hits
    occurs = union > 0
    return np.mean(hits[occurs] / union[occurs])


@exercise(
    "The hits are `matrix.diagonal()`. What are the row sums, what are the column sums?",
    "Union = row sums + column sums - hits. Which classes have a union of 0?",
    "Keep the classes with `union > 0`, divide, and take the mean of those.",
    solution=_mean_iou,
)
def q2(mean_iou):
    full = np.array([[6, 2, 0], [5, 5, 1], [1, 0, 4]])
    got = mean_iou(full)
    accuracy, pooled = metrics.mean_accuracy(full), full.trace() / (2 * full.sum() - full.trace())
    wrong = {
        "this is the mean accuracy: you divide by the true pixels only, so false alarms cost nothing": accuracy,
        "you add up all classes, then divide. Divide for each class, then take the mean": pooled,
        "this is the mean Dice: the hits must be subtracted once from the denominator": np.mean(metrics.dice(full)),
        "you divide by the predicted pixels only, so misses cost nothing": np.mean(full.diagonal() / full.sum(0)),
        "your unions hold the hits twice, in the row and in the column: subtract them once": np.mean(
            full.diagonal() / (full.sum(0) + full.sum(1))
        ),
        "this is the pixel accuracy. Divide for each class, then take the mean": metrics.pixel_accuracy(full),
        "you leave out class 0. The background is a class, too": np.mean(metrics.iou(full)[1:]),
        "`//` cuts everything behind the point. Divide with `/`": 0,
    }
    expect_none_of("With all classes there, `my_mean_iou(matrix)`", got, wrong)
    expect_number("With all classes there, `my_mean_iou(matrix)`", got, metrics.mean_iou(full))
    absent = np.array([[8, 2, 0], [1, 9, 0], [0, 0, 0]])
    got, want = mean_iou(absent), metrics.mean_iou(absent)
    why = "you count class 2 as {}, and that {}. Leave it out of the mean"
    wrong = {
        why.format(0, "drags the mean down"): 2 / 3 * want,
        why.format(1, "lifts the mean for nothing"): (2 * want + 1) / 3,
    }
    expect_none_of("With class 2 nowhere, `my_mean_iou(matrix)`", got, wrong)
    expect_number("With class 2 nowhere, `my_mean_iou(matrix)`", got, want)
    invented = np.array([[8, 0, 2], [0, 9, 1], [0, 0, 0]])
    got, want = mean_iou(invented), metrics.mean_iou(invented)
    if np.isclose(got, 1.5 * want):
        raise NotYet("Class 2 is not in the truth, but predicted: its IoU is 0, not NaN. You left it out of the mean.")
    expect_number("With class 2 predicted and never true, `my_mean_iou(matrix)`", got, want)
    never = np.array([[3, 2, 0], [0, 4, 0], [1, 1, 0]])
    got, want = mean_iou(never), metrics.mean_iou(never)
    if np.isclose(got, 1.5 * want):
        raise NotYet("Class 2 is true, but never predicted: its IoU is 0, not NaN. You left it out of the mean.")
    expect_number("With class 2 true and never predicted, `my_mean_iou(matrix)`", got, want)
    many = np.zeros((5, 5), int)  # class 1 is nowhere, class 3 only predicted
    many[np.ix_([0, 2, 4], [0, 2, 3, 4])] = [[700, 0, 40, 60], [20, 300, 0, 0], [30, 10, 0, 900]]
    got, want, scores = mean_iou(many), metrics.mean_iou(many), metrics.iou(many)
    wrong = {
        "you look at three classes only. How many are there stands in the matrix's shape": np.nanmean(scores[:3]),
        "you cut the matrix down to three classes. How many are there stands in its shape": metrics.mean_iou(
            many[:3, :3]
        ),
        "you leave out the last class because one is absent. Absent is class 1": np.nansum(scores[:4]) / 3,
    }
    name = "With five classes, class 1 nowhere, and 2060 pixels, `my_mean_iou(matrix)`"
    expect_none_of(name, got, wrong)
    expect_number(name, got, want)
    return "Absent means: neither true nor predicted. Only then is it 0/0."


def _hausdorff_95(prediction, truth):
    outlines = [mask & ~ndimage.binary_erosion(mask, border_value=1) for mask in (prediction, truth)]
    if not outlines[0].any() or not outlines[1].any():
        return 0.0 if np.array_equal(prediction, truth) else np.inf
    distances = [ndimage.distance_transform_edt(~outline) for outline in outlines]
    return max(np.percentile(distances[1][outlines[0]], 95), np.percentile(distances[0][outlines[1]], 95))


@exercise(
    "Make both outlines first. How far is each place of the picture from the nearest pixel of an outline?",
    "`ndimage.distance_transform_edt(~outline)` gives that distance everywhere; read it at the other outline's pixels.",
    "`np.percentile(..., 95)` of each of the two lists, then `max`. If an outline is empty, "
    "`np.array_equal` tells which number to return.",
    solution=_hausdorff_95,
)
def q3(hausdorff_95):
    name = "`hausdorff_95(prediction, truth)`"
    for prediction, truth in pairs_of_masks():
        want = _hausdorff_95(prediction, truth)
        for which, pair in ((name, (prediction, truth)), (f"Masks exchanged, {name}", (truth, prediction))):
            got = _one_number(which, hausdorff_95(*pair))
            wrong = {why: value for why, value in wrong_distances(*pair).items() if not np.isclose(value, want)}
            expect_none_of(which, got, wrong)
            expect_number(which, got, want)
    empty = np.zeros_like(truth)
    for case, pair, want in (
        ("With an empty prediction", (empty, truth), np.inf),
        ("With an empty truth", (prediction, empty), np.inf),
        ("With two empty masks", (empty, empty), 0),
        ("With a prediction that fills the picture, and so has no outline", (~empty, truth), np.inf),
        ("With two masks that fill the picture, equal and without outlines", (~empty, ~empty), 0),
        ("With an empty prediction of a truth that fills the picture", (empty, ~empty), np.inf),
    ):
        advice = "Without an outline there is nothing to measure: look first whether the masks are equal."
        got = _one_number(f"{case}, {name}", or_advice(f"{case}, {name}", advice, hausdorff_95, *pair))
        if got != want:
            raise NotYet(
                f"{case}, {name} is {got:.4g}, wanted {want:.4g}. Where an outline is missing, ask whether the masks "
                "are equal."
            )
    return "Papers differ here: some take the percentile of both lists in one. Say which you took."


_TOUCHING = (
    "Only `instances` tells where one true coin ends: don't make a new map of it.",
    "Here the cut coins touch with their corners. An object's pixels share sides: `connectivity=1`.",
)


def _measure(mask, instances):
    from skimage.measure import label

    from seglib.metrics import binary_iou, instance_f1

    objects = instance_f1(label(mask, connectivity=1), instances).f1
    return objects + 1e-6 * binary_iou(mask, instances > 0)


@exercise(
    "The expert counts. Which measure of the lesson counts objects, and what does it need that a mask is not yet?",
    "`skimage.measure.label(mask, connectivity=1)` numbers the objects, `instance_f1(...).f1` scores them. "
    "Two masks are then level.",
    "Add a millionth of a second measure, so little that it decides only where the first one is level.",
    solution=_measure,
)
def q4(measure):
    for seed in range(4):
        instances, masks = coin_masks(seed)
        where = "On the lesson's six coins" if seed == 0 else "On other coins of the same kind"
        masks |= unshown_masks(instances)
        values = {}
        for name in masks:
            values[name] = _one_number(f"{where}, the measure of '{name}'", measure(masks[name], instances))
            if np.isnan(values[name]):
                raise NotYet(f"{where}, the measure of '{name}' is NaN.")
        ordered = [values[name] for name in EXPERT_ORDER]
        if ordered == sorted(ordered) and ordered[0] < ordered[-1]:
            raise NotYet("Your order is the expert's, upside down: a better mask must get the higher value.")
        for better, worse in (*pairwise(EXPERT_ORDER), *UNSHOWN):
            pair = better, worse
            texts = _written(*(np.float64(values[name]) for name in pair))
            called = (f"{'' if n in EXPERT_ORDER else 'a mask not shown in the lesson, '}'{n}'" for n in pair)
            both = " and ".join(f"{n} ({WHY[m]}) has {t}" for n, m, t in zip(called, pair, texts, strict=True))
            if np.isclose(values[better], values[worse], rtol=0, atol=1e-14):
                raise NotYet(f"{where}, there is a tie: {both}. What tells them apart?")
            if values[better] < values[worse]:
                raise NotYet(f"{where}, {both}; the expert has them the other way round.")
    for (instances, masks), first, second, f1 in (
        (
            dozen(),
            "Twelve coins, all found, each with a little more than half of its area, and one speck",
            "Eleven of them, exact, and nothing else",
            ".960 to .957",
        ),
        (
            specked(9, 11),
            "Eleven coins, a little more than half of each, and nine specks",
            "Twelve exact coins and eleven specks",
            ".6875 to .6857",
        ),
        (
            specked(86, 95),
            "Eleven coins, a little more than half of each, and 86 specks",
            "Twelve exact coins and 95 specks",
            ".20183 to .20168",
        ),
    ):
        better, worse = (_one_number("`measure`", measure(mask, instances)) for mask in masks)
        if better <= worse:
            raise NotYet(
                f"{first}: you give {better:.5g}. {second}: {worse:.5g}. Object F1 has the first ahead, {f1}: there "
                "are twelve coins, and one is found if its IoU is above 0.5. The IoU of the mask may decide only where "
                "object F1 is equal: does it need a smaller share?"
            )
    for (instances, masks), case in ((rings(), RINGS), (halves(), HALVES)):
        better, worse = (np.float64(_one_number("`measure`", measure(mask, instances))) for mask in masks)
        if not better > worse:
            raise NotYet(case.format(*_written(better, worse)))
    for (instances, masks), why in zip(touching(), _TOUCHING, strict=True):
        apart, glued = (_one_number("`measure`", measure(mask, instances)) for mask in masks)
        if not apart > glued:
            raise NotYet(
                f"Six true coins touch. A mask that has a line one pixel wide between them gets {apart:.4g}, one that "
                f"glues them {glued:.4g}. In the first all six are found, in the second none. {why}"
            )
    return "Objects first, the area second. Say what you want to know, then build the ruler."
