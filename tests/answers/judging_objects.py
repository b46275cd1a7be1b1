"""Answers to the exercises of lesson 13, as learners give them."""

import judged_answers as given
import numpy as np
from exercise_proof import mutation
from scipy import ndimage
from skimage.measure import perimeter_crofton, regionprops

from seglib.exercises import _judging_mistakes as mistakes
from seglib.exercises.judging_objects import q1, q2, q3, q4
from seglib.metrics import overlap_table, panoptic_quality

FREE, TAKES = "np.where(free, iou[d], 0)", "free[left.argmax()] = False"
RANKED = 'np.argsort(-score, kind="stable")'
GRID = "np.linspace(0, 1, 101)"
ENVELOPE = "np.mean([precision[recall >= r].max(initial=0) for r in np.linspace(0, 1, 101)])"


def ranked(**rules):
    """AP with another matching."""

    def data_set_ap(pictures):
        return mistakes.area(*mistakes.ranking(pictures, **rules))

    return named(data_set_ap, rules)


def averaged(**ways):
    """AP with another mean of the curve."""

    def data_set_ap(pictures):
        return mistakes.area(*mistakes.ranking(pictures), **ways)

    return named(data_set_ap, ways)


def named(function, rules):
    function.__name__ = function.__qualname__ = f"{function.__name__} with {rules}"
    return function


def fixed_limit(pictures):
    """Only the best ten of all answers."""
    scores, hits, objects = mistakes.ranking(pictures)
    order = np.argsort(-scores)[:10]
    return mistakes.area(scores[order], hits[order], objects)


def sums_of(rule=lambda iou: iou > 0.5, value=lambda s, h, n, t: s / n, over=np.mean, weight=0.5, keep=lambda t: True):
    def mean_pq(*maps):
        rows = list(mistakes.qualities(*maps, rule=rule, weight=weight))
        return over([value(*row) for row in rows if keep(row[3])] or [0.0])

    return mean_pq


def without_classes(found, true, class_of_found, class_of_true):
    return q2.solution(found, true, dict.fromkeys(class_of_found, 1), dict.fromkeys(class_of_true, 1))


def added_up(*maps):
    rows = np.array(list(mistakes.qualities(*maps)))
    return rows[:, 0].sum() / rows[:, 2].sum()


def by_sq_and_rq(rows):
    return np.mean([s / max(h, 1) for s, h, _, _ in rows]) * np.mean([h / n for _, h, n, _ in rows])


def same_ids(found, true, class_of_found, class_of_true):
    """Compares objects of equal id."""
    values = []
    for label in {*class_of_found.values(), *class_of_true.values()}:
        mine = [i for i, each in class_of_found.items() if each == label]
        theirs = [i for i, each in class_of_true.items() if each == label]
        ious = [np.sum((found == i) & (true == i)) / np.sum((found == i) | (true == i)) for i in {*mine} & {*theirs}]
        values.append(2 * sum(x for x in ious if x > 0.5) / (len(mine) + len(theirs)))
    return np.mean(values)


def by_panoptic_quality(found, true, class_of_found, class_of_true):
    samples = []
    for ids, classes in ((found, class_of_found), (true, class_of_true)):
        mask = np.full(ids.shape, 255)
        for i, label in classes.items():
            mask[ids == i] = label
        samples.append({"mask": mask, "instances": ids})
    void = np.where(samples[1]["mask"] == 255, 99, samples[1]["mask"])  # the background, a class of stuff to leave out
    scores = panoptic_quality([samples[0]], [samples[1] | {"mask": void}])["per_class"]
    return np.mean([each["PQ"] for label, each in scores.items() if label != 99])


def by_table(found, true, class_of_found, class_of_true):
    table = overlap_table(found, true)
    rows, columns = np.unique(true[true > 0]), np.unique(found[found > 0])
    both = table[1:, 1:]
    iou = both / (table.sum(1)[1:, None] + table.sum(0)[None, 1:] - both)
    result = []
    for label in set(class_of_found.values()) | set(class_of_true.values()):
        r = [k for k, i in enumerate(rows) if class_of_true[int(i)] == label]
        c = [k for k, i in enumerate(columns) if class_of_found[int(i)] == label]
        part = iou[np.ix_(r, c)]
        tp = int((part > 0.5).sum())
        result.append(part[part > 0.5].sum() / (tp + (len(r) - tp) / 2 + (len(c) - tp) / 2))
    return float(np.mean(result))


def typical_area(image, ids):
    area = np.bincount(ids.ravel())[1:]
    return -np.abs(np.log(area / np.median(area)))


def roundness(image, ids):
    """Area over that of a circle of the same outline."""
    return [4 * np.pi * r.area / max(perimeter_crofton(r.image), 1) ** 2 + (r.solidity > 0.9) for r in regionprops(ids)]


def middle_size(image, ids):
    area = ndimage.sum_labels(np.ones(ids.shape), ids, np.arange(1, ids.max() + 1))
    return 1 / (1 + np.abs(area - np.median(area)))


def solid_and_typical(image, ids):
    solid = np.array([region.solidity for region in regionprops(ids)])
    return typical_area(image, ids) + 3 * solid


def mean_brightness(image, ids):
    return ndimage.mean(image, ids, np.arange(1, ids.max() + 1))


WRONG = {
    "q1": [
        *(ranked(matching=rule) for rule in ("voc", "again", "pairs", "objects", "first")),
        *(ranked(order="given"), ranked(order="rising"), ranked(above=True)),
        *(averaged(way=way) for way in ("trapezoid", "steps", "below the envelope", "mean", "dips")),
        averaged(way="trapezoid from (0, 1)"),
        *(averaged(recalls=mistakes.RECALLS[::10]), averaged(recalls=mistakes.RECALLS[:-1]), averaged(strict=True)),
        averaged(recalls=np.linspace(0, 1, 100)),
        *(given.never_ranked, given.never_sorted, given.hits_and_scores_apart, given.by_seglib),
        lambda pictures: round(q1.solution(pictures), 2),
        lambda pictures: np.mean([q1.solution([each]) if each[0].shape[1] else 0 for each in pictures]),
        lambda pictures: np.mean([q1.solution([each]) for each in pictures if each[0].size]),
        mutation(q1.solution, ("objects += iou.shape[1]", "objects += iou.shape[1] if len(score) else 0")),
        mutation(
            q1.solution,
            (
                "np.arange(1, len(found) + 1), found / objects",
                "np.arange(1, len(found) + 1), found / max(found[-1:], default=1)",
            ),
        ),
        mutation(
            q1.solution,
            (
                "for iou, score in pictures:",
                "for iou, score in pictures:\n        if not iou.shape[1]:\n            continue",
            ),
        ),
        mutation(q1.solution, ('[np.argsort(-np.array(scores), kind="stable")]', "")),  # picture after picture
        mutation(q1.solution, ("np.argsort(-np.array(scores)", "np.argsort(np.array(scores)")),
        mutation(q1.solution, (ENVELOPE, "np.sum(hits) / max(len(hits), 1)")),  # precision
        mutation(q1.solution, ("free[left.argmax()]", "free[iou[d].argmax()]")),  # uses up the wrong object
        fixed_limit,
        mutation(q1.solution, ("return np.mean([", "return np.array([")),
        mutation(q1.solution, ("max(initial=0) for", "max() for")),
        mutation(q1.solution, (">= 0.5", ">= 0.75")),
    ],
    "q2": [
        without_classes,
        sums_of(rule=lambda iou: iou >= 0.5),
        sums_of(weight=1),
        sums_of(value=lambda s, h, n, t: s / max(h, 1)),
        sums_of(value=lambda s, h, n, t: h / n),
        added_up,
        sums_of(keep=bool),
        sums_of(value=lambda s, h, n, t: s / max(2 * n - t, 1)),  # misses are free
        sums_of(value=lambda s, h, n, t: s / max(t, 1)),  # false alarms are free
        same_ids,
        sums_of(over=list),
        sums_of(over=np.sum),
        *(sums_of(rule=lambda iou, t=t: iou > t) for t in (0, 0.3, 0.4, 0.6, 0.75)),
        mistakes.in_any_class,
        lambda *maps: by_sq_and_rq(list(mistakes.qualities(*maps))),
    ],
    "q3": [
        lambda found, true: q3.solution(true, found),
        mutation(q3.solution, ("2 * shared > shared.sum(1", "2 * shared >= shared.sum(1")),
        mutation(q3.solution, ("2 * shared > shared.sum(0", "2 * shared >= shared.sum(0")),
        mutation(
            q3.solution,
            ("overlap_table(found, true)", "overlap_table(found, true)[1:, 1:]"),
            ("in_one_found[1:, 1:]", "in_one_found"),
            ("in_one_true[1:, 1:]", "in_one_true"),
        ),
        mutation(q3.solution, ("in_one_found[1:, 1:]", "in_one_found")),
        mutation(q3.solution, ("in_one_true[1:, 1:]", "in_one_true")),
        *(given.touching_counts, given.lost_objects, given.in_numbers),
        mutation(q3.solution, ("return int(merges), int(splits)", "return int(merges)")),
        mutation(q3.solution, ("in_one_found[1:, 1:].sum(0) >= 2", "in_one_found[1:, 1:].sum(0) > 2")),
    ],
    "q4": [
        *(given.apart, given.shuffled, given.of_precision, given.of_means, given.of_defined_means),
        *(given.of_means_with_0, given.by_deviation, given.by_standard_error, given.by_halves),
        *(given.without_the_last, given.a_hundred_redraws),
        lambda a, b: q4.solution(b, a),
        mutation(q4.solution, ("f1[0] - f1[1]", "abs(f1[0] - f1[1])")),
        mutation(q4.solution, ("[0.025, 0.975]", "[0.05, 0.95]")),
        mutation(q4.solution, ("[0.025, 0.975]", "[0, 1]")),
        mutation(q4.solution, ("[0.025, 0.975]", "[0.975, 0.025]")),
        mutation(q4.solution, ("return low, high", "return high - low")),
        mutation(q4.solution, ("f1[0] - f1[1]", "f1[0]")),
    ],
    "q5": [
        mean_brightness,
        lambda image, ids: np.ones(ids.max()),
        lambda image, ids: -np.array([region.solidity for region in regionprops(ids)]),
        lambda image, ids: np.bincount(ids.ravel())[1:],
        lambda image, ids: np.random.default_rng(0).random(ids.max()),
        lambda image, ids: np.array([region.solidity for region in regionprops(ids)])[1:],
        lambda image, ids: np.full(ids.max(), np.nan),
        lambda image, ids: -np.array([region.eccentricity for region in regionprops(ids)]),
    ],
}

RIGHT = {
    "q1": [given.with_lists, given.through_searchsorted, given.in_one_list],
    "q2": [by_panoptic_quality, by_table, sums_of()],
    "q3": [given.object_by_object, given.by_merged_objects],
    "q4": [given.with_weights, given.in_a_loop, given.by_scipy, given.sorted_ends],
    "q5": [typical_area, middle_size, solid_and_typical, roundness],
}
