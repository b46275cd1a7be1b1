"""Exercises of lesson 13, judging objects."""

import numpy as np

from seglib.exercises import NotYet, exercise, expect_number
from seglib.exercises import _judging_mistakes as mistakes
from seglib.exercises import _judging_pictures as shown
from seglib.metrics import merged_objects, overlap_table


def _one_number(name, got):
    """The answer as a float, whatever its value; NotYet if it is not a single number."""
    expect_number(name, got, got)
    return float(got)


def _two_numbers(name, got, what):
    if not isinstance(got, tuple | list | np.ndarray) or np.shape(got) != (2,):
        raise NotYet(f"{name} should return two numbers: {what}.")
    return [_one_number(f"number {i} of {name}", value) for i, value in enumerate(got, start=1)]


def _judge(answer, right, cases, wrong):
    """NotYet at the first case that is wrong, with the usual mistake that has the answer's values in all cases."""
    for name, given in cases.items():
        got, want = _one_number(name, answer(*given)), right(*given)
        if not np.isclose(got, want, rtol=0, atol=1e-6):
            why = mistakes.shared_cause(answer, cases.values(), right, wrong)
            if why:
                raise NotYet(f"{name} is {got:.4f}, wanted {want:.4f}: {why}.")
        expect_number(name, got, want)


def _data_set_ap(pictures):
    scores, hits, objects = [], [], 0
    for iou, score in pictures:
        free = np.ones(iou.shape[1], bool)
        objects += iou.shape[1]
        for d in np.argsort(-score, kind="stable"):
            left = np.where(free, iou[d], 0)
            hits.append(left.max(initial=0) >= 0.5)
            scores.append(score[d])
            if hits[-1]:
                free[left.argmax()] = False
    found = np.cumsum(np.array(hits, bool)[np.argsort(-np.array(scores), kind="stable")])
    precision, recall = found / np.arange(1, len(found) + 1), found / objects
    return np.mean([precision[recall >= r].max(initial=0) for r in np.linspace(0, 1, 101)])


@exercise(
    "Match picture by picture, as the lesson's `match` does. What do you need to keep of each answer for the ranking?",
    "Its score, and whether it is a hit. Add up the objects of all pictures, also of those without answers.",
    "Sort all hits by their scores, the highest first, then go on as the lesson's `interpolated`. "
    "`max(initial=0)` helps where a picture has no object.",
    solution=_data_set_ap,
)
def q1(data_set_ap):
    cases = {
        "With one object for each answer, `data_set_ap(pictures)`": mistakes.quarters(),
        "With two answers on one object, `data_set_ap(pictures)`": mistakes.doubled(),
        "With two objects that overlap, `data_set_ap(pictures)`": mistakes.two_that_overlap(),
        "With an answer that fits two objects, `data_set_ap(pictures)`": mistakes.fits_two(),
        "With an answer that fits the second object better, `data_set_ap(pictures)`": mistakes.best_of_two(),
        "Where greedy matching and the best pairs differ, `data_set_ap(pictures)`": mistakes.greedy_and_not(),
        "Where the surer of two answers is listed last, `data_set_ap(pictures)`": mistakes.later_and_better(),
        "With four pictures, one without answers and one without objects, `data_set_ap(pictures)`": (
            mistakes.ranked_pictures()
        ),
        "With the pictures in another order, `data_set_ap(pictures)`": mistakes.ranked_pictures()[::-1],
        "With scores in float32, `data_set_ap(pictures)`": [
            (iou, score.astype(np.float32)) for iou, score in mistakes.ranked_pictures()
        ],
        "With three objects and no answer at all, `data_set_ap(pictures)`": [(np.zeros((0, 3)), np.zeros(0))],
        "With 110 objects in one picture, `data_set_ap(pictures)`": mistakes.crowd(),
    }
    _judge(data_set_ap, _data_set_ap, {name: [given] for name, given in cases.items()}, mistakes.wrong_precisions)
    return "One ranking for all pictures: a false alarm in an empty picture counts, too."


def _mean_pq(found, true, class_of_found, class_of_true):
    values = []
    for label in {*class_of_found.values(), *class_of_true.values()}:
        mine = [found == i for i, each in class_of_found.items() if each == label]
        theirs = [true == i for i, each in class_of_true.items() if each == label]
        ious = [np.sum(a & b) / np.sum(a | b) for a in mine for b in theirs]
        values.append(2 * sum(iou for iou in ious if iou > 0.5) / (len(mine) + len(theirs)))
    return np.mean(values)


@exercise(
    "PQ of one class needs the objects of this class on both sides. Which classes are there in all?",
    "`{*class_of_found.values(), *class_of_true.values()}` are all classes; `found == i` is the mask of one object.",
    "PQ of a class is the sum of its IoUs above 0.5, over hits + false alarms / 2 + misses / 2. The latter is half of "
    "all objects of the class, found and true.",
    solution=_mean_pq,
)
def q2(mean_pq):
    found, true, *classes = shown.class_maps()
    cases = {
        "`mean_pq(...)` of the two classes": (found, true, *classes),
        "With the two maps exchanged, `mean_pq(...)`": (true, found, *classes[::-1]),
        "With a class that is predicted and never true, `mean_pq(...)`": shown.only_predicted(),
        "With nothing found, `mean_pq(...)`": (np.zeros_like(true), true, {}, classes[1]),
        "With one class alone, `mean_pq(...)`": (true, true, *[{i: 4 for i in classes[1]}] * 2),
        "With IoUs of 0.35, 0.45 and 0.52, `mean_pq(...)`": shown.near_half(),
    }
    _judge(mean_pq, _mean_pq, cases, mistakes.wrong_qualities)
    return "A good outline with the wrong name is an error twice: a false alarm in one class, a miss in the other."


def _merges_and_splits(found, true):
    shared = overlap_table(found, true)
    in_one_found = 2 * shared > shared.sum(1, keepdims=True)  # more than half of the true object
    in_one_true = 2 * shared > shared.sum(0, keepdims=True)  # more than half of the found one
    merges = (in_one_found[1:, 1:].sum(0) >= 2).sum()
    splits = (in_one_true[1:, 1:].sum(1) >= 2).sum()
    return int(merges), int(splits)


@exercise(
    "`overlap_table(found, true)` has all you need: true objects are rows, found ones columns, 0 is the background.",
    "Row sums, with column 0, are the true objects' areas. Where is a number more than half of its row's sum? And "
    "where of its column's?",
    "Only then leave out row 0 and column 0. Merges are columns with two or more true in the first comparison, "
    "splits are rows with two or more in the second.",
    solution=_merges_and_splits,
)
def q3(merges_and_splits):
    name = "`merges_and_splits(found, true)`"
    for case, found, true in shown.merged_and_split():
        which = f"{case}, {name}"
        got = _two_numbers(which, merges_and_splits(found, true), "merges, splits")
        want = [merged_objects(found, true), merged_objects(true, found)]
        if got != want and got == want[::-1]:
            raise NotYet(f"{which}: merges come first, then splits. Or do rows and columns stand for the other map?")
        for what, value, wanted, why in zip(
            ("merges", "splits"),
            got,
            want,
            (
                "A merge is a found object that holds more than half of the area of two or more true ones",
                "A split is a true object that holds more than half of the area of two or more found ones",
            ),
            strict=True,
        ):
            if value != wanted:
                raise NotYet(f"{which}: {value:g} {what}, wanted {wanted}. {why}. Areas are whole, background and all.")
    return (
        "The ruler's kinds call a merge 'badly placed' (or even a hit), and the other nucleus a miss. For cells the "
        "cause matters."
    )


def _f1_interval(a, b):
    random = np.random.default_rng(0)
    draws = random.integers(0, len(a), (2000, len(a)))
    hits, alarms, misses = (np.stack([a[draws], b[draws]]).sum(2)[..., i] for i in range(3))
    f1 = 2 * hits / (2 * hits + alarms + misses)
    low, high = np.quantile(f1[0] - f1[1], [0.025, 0.975])
    return low, high


@exercise(
    "What is drawn: hits, objects or pictures? And do both methods get the same ones?",
    "`random.integers(0, len(a), len(a))` are the numbers of the redrawn pictures. Add up their counts for each "
    "method, then divide: F1 is 2 hits / (2 hits + false alarms + misses).",
    "Take the difference of both F1 in each of 2,000 redraws, then `np.quantile(differences, [0.025, 0.975])`.",
    solution=_f1_interval,
)
def q4(f1_interval):
    (a, b), (want, usual) = shown.counts_of_pictures(), shown.intervals()
    width = want[1] - want[0]

    def ends(name, *counts):
        low, high = _two_numbers(name, f1_interval(*counts), "the lower and the upper end")
        if not np.isfinite([low, high]).all():
            raise NotYet(
                f"{name} is {low} to {high}. An empty picture has no F1 of its own: pool the counts, then divide."
            )
        if low > high:
            raise NotYet(f"{name} goes from {low:.3f} to {high:.3f}: the lower end comes first.")
        return np.array([low, high])

    def apart(these, those):
        """The larger distance of two ends, as a share of the width that is wanted."""
        return np.abs(np.subtract(these, those)).max() / width

    got = ends("`f1_interval(a, b)`", a, b)
    orders = [np.random.default_rng(seed).permutation(len(a)) for seed in range(8)]
    spread = np.std(
        [ends("With the pictures in another order, `f1_interval(a, b)`", a[i], b[i]) for i in orders], axis=0
    )
    unsteady = spread.max() / width > 0.028  # of 2,000 redraws 0.01, of 100 it is 0.06
    text = "`f1_interval(a, b)` is {:.3f} to {:.3f}, wanted about {:.3f} to {:.3f}".format(*got, *want)
    if apart(got, want) > 0.06:
        why, nearest = min(usual, key=lambda each: apart(got, each[1]))
        if apart(got, nearest) < 0.03 and not (unsteady and apart(nearest, want) < 0.25):
            raise NotYet(f"{text}: {why}.")
        if not unsteady:
            raise NotYet(f"{text}. It is {(got[1] - got[0]) / width:.2f} times as wide.")
    if unsteady and got[1] - got[0] > 1.3 * width:
        raise NotYet(f"{text}: these are the extremes of all redraws. Take the middle 95 %.")
    if unsteady:
        raise NotYet(f"{text}. In another order of the pictures it is another: redraw more often, 2,000 times.")
    name = "With the methods exchanged, `f1_interval(b, a)`"
    got = ends(name, b, a)
    if apart(got, -want[::-1]) > 0.06:
        raise NotYet(f"{name} is {got[0]:.3f} to {got[1]:.3f}, wanted about {-want[1]:.3f} to {-want[0]:.3f}.")
    name = "With the same method twice, `f1_interval(a, a)`"
    got = ends(name, a, a)
    if np.abs(got).sum() > 1e-9:
        raise NotYet(f"{name} is {got[0]:.3f} to {got[1]:.3f}, wanted 0 to 0.")
    return "The same pictures for both: what makes a picture hard for both cancels."


MARK = 0.575  # of 500 random lists, the best has 0.570; a list with all hits first 0.644


def _confidence(image, ids):
    from skimage.measure import regionprops

    return np.array([region.solidity for region in regionprops(ids)])


@exercise(
    "Look at the orange objects of the lesson's picture: which shapes and sizes do glued and broken nuclei have?",
    "`skimage.measure.regionprops(ids)` gives for each object `area`, `solidity` (its share of its convex hull), "
    "`eccentricity` and more, in the order of the ids.",
    "Glued nuclei have a waist: their solidity is low. Or: how far is an object's area from the median area?",
    solution=_confidence,
)
def q5(confidence):
    image, ids, hits, objects = shown.otsu_nuclei()
    name = "`confidence(image, ids)`"
    for turned, where in ((False, ""), (True, "On the same picture with rows and columns exchanged, ")):
        given = (image.T.copy(), ids.T.copy()) if turned else (image, ids)
        scores = confidence(*given)
        if not isinstance(scores, list | tuple | np.ndarray) or np.shape(scores) != hits.shape:
            raise NotYet(f"{where}{name} should give {len(hits)} numbers, one for each object in the order of ids.")
        scores = np.asarray(scores)
        if scores.dtype.kind not in "iufb" or not np.isfinite(scores.astype(float)).all():
            raise NotYet(f"{where}{name} holds something that is no finite number, and can't be ranked.")
        ap = mistakes.area(scores.astype(float), hits, objects)
        backwards = mistakes.area(-scores.astype(float), hits, objects)
        if ap <= MARK and backwards > MARK:
            raise NotYet(f"{where}AP50 is {ap:.3f}, and {backwards:.3f} with the sign turned: high means sure.")
        if len(np.unique(scores)) == 1:
            raise NotYet(f"{where}all your scores are equal: they rank nothing, and AP50 is that of the given order.")
        if ap <= MARK:
            raise NotYet(f"{where}AP50 is {ap:.3f}. The mark is {MARK}; random scores have 0.52, the best list 0.644.")
    return f"AP50 {ap:.3f}, without a better outline anywhere: only the order has changed."
