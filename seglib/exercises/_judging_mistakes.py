"""Pictures for lesson 13's exercises, and the answers that usual mistakes give on them."""

import numpy as np
from scipy.optimize import linear_sum_assignment

RECALLS = np.linspace(0, 1, 101)


def ranked_pictures():
    """Eleven objects in four pictures, scores not sorted; one picture has no answers, one no objects."""
    first = np.array([[0.9, 0, 0, 0], [0.7, 0.2, 0, 0], [0, 0.6, 0.1, 0], [0, 0, 0.4, 0], [0, 0, 0, 0.8]])
    second = np.array([[0.3, 0, 0, 0], [0, 0.75, 0.55, 0], [0, 0, 0.65, 0], [0, 0, 0, 0.5]])
    return [
        (first, np.array([0.95, 0.5, 0.3, 0.65, 0.85])),
        (second, np.array([0.9, 0.8, 0.2, 0.6])),
        (np.zeros((0, 3)), np.zeros(0)),
        (np.zeros((3, 0)), np.array([0.92, 0.4, 0.1])),
    ]


def two_that_overlap():
    """The second answer's best object is taken when it chooses, and another still free; then that is taken, too."""
    return [(np.array([[0.9, 0.78, 0], [0.85, 0.8, 0], [0, 0.7, 0]]), np.array([0.8, 0.7, 0.6]))]


def doubled():
    """Two answers on one object, then one on another; a third object is missed."""
    return [(np.array([[0.9, 0, 0], [0.8, 0, 0], [0, 0.8, 0]]), np.array([0.9, 0.8, 0.7]))]


def fits_two():
    """The surest answer is also the best one for the second object."""
    return [(np.array([[0.9, 0.85], [0, 0.8]]), np.array([0.9, 0.8]))]


def best_of_two():
    """The surest answer fits two objects, the second one better."""
    return [(np.array([[0.8, 0.9], [0.85, 0]]), np.array([0.9, 0.8]))]


def greedy_and_not():
    """The surest answer takes the only object that the other one fits; who looks for the best pairs finds both."""
    return [(np.array([[0.85, 0.8], [0.9, 0.0]]), np.array([0.9, 0.8]))]


def later_and_better():
    """A less sure answer fits the object better than the surer one; then a false alarm and a hit."""
    return [(np.array([[0.9, 0], [0.8, 0], [0, 0], [0, 0.8]]), np.array([0.6, 0.9, 0.5, 0.3]))]


def quarters():
    """Four objects, so that the recalls 0.25, 0.5 and 0.75 are reached exactly."""
    iou = np.eye(6, 4)[[0, 4, 1, 5, 2, 3]] * 0.8
    return [(iou, np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4]))]


def crowd():
    """More objects in one picture than COCO allows it answers; then a picture with one, found last of all."""
    random = np.random.default_rng(3)
    iou = np.eye(118, 110)[random.permutation(118)] * random.uniform(0.6, 1, (118, 1))
    return [(iou, random.permutation(np.linspace(0.2, 0.9, 118))), (np.array([[0.9]]), np.array([0.1]))]


def shared_cause(answer, cases, right, wrong):
    """The first usual mistake that gives the answer's values in all cases (where it gives a number); None if none."""
    shared = None
    for given in cases:
        try:
            got = float(answer(*given))
        except Exception:
            continue
        if not np.isfinite(got):
            continue
        usual = wrong(*given) | {f"that is rounded to {n} digits": np.round(right(*given), n) for n in (2, 3, 4)}
        same = [why for why, value in usual.items() if np.isclose(value, got, rtol=0, atol=1e-6)]
        shared = same if shared is None else [why for why in shared if why in same]
    return shared[0] if shared else None


def ranking(pictures, matching="coco", order="score", above=False):
    """Scores and hits of all answers, and the number of objects, by the rule asked for or a wrong one."""
    scores, hits = [], []
    for iou, score in pictures:
        free, mine = np.ones(iou.shape[1], bool), {}
        if matching == "pairs":
            rows, columns = linear_sum_assignment(iou, maximize=True)
            mine = {d: iou[d, g] for d, g in zip(rows, columns, strict=True)}
        elif matching == "objects":  # each object takes the answer that fits it best
            mine = {int(iou[:, g].argmax()): iou[:, g].max() for g in range(iou.shape[1]) if len(iou)}
        ranked = np.argsort(-score, kind="stable")
        for d in {"score": ranked, "given": range(len(score)), "rising": ranked[::-1]}[order]:
            row = iou[d] if matching in ("voc", "again") else np.where(free, iou[d], 0)
            if matching == "first":
                row = row * (np.cumsum(row >= 0.5) == 1)
            best = row.max(initial=0) if matching not in ("pairs", "objects") else mine.get(int(d), 0)
            hit = best > 0.5 if above else best >= 0.5
            if matching == "voc" and hit:
                hit = free[row.argmax()]
            if hit and matching in ("coco", "voc", "first"):
                free[row.argmax()] = False
            hits.append(hit)
            scores.append(score[d])
    return np.array(scores), np.array(hits, bool), sum(iou.shape[1] for iou, _ in pictures)


def area(scores, hits, objects, way="envelope", recalls=RECALLS, strict=False):
    """AP of a ranking, as COCO has it or in another way."""
    found = np.cumsum(hits[np.argsort(-scores, kind="stable")])
    precision, recall = found / np.arange(1, len(found) + 1), found / objects
    if way == "trapezoid":
        return float(np.trapezoid(precision, recall))
    if way == "trapezoid from (0, 1)":
        return float(np.trapezoid([1, *precision], [0, *recall]))
    if way == "steps":
        return float(np.sum(precision * np.diff(recall, prepend=0)))
    if way == "mean":
        return float(precision.mean())
    if way != "dips":
        precision = np.maximum.accumulate(precision[::-1])[::-1]
    if way == "below the envelope":
        return float(np.sum(precision * np.diff(recall, prepend=0)))
    at = np.searchsorted(recall, recalls, side="right" if strict else "left")
    return float(np.append(precision, 0)[at].mean())


def in_given_order(pictures):
    """Scores and hits in the order in which the answers are given; they chose by score."""
    hits = [ranking([each])[1][np.argsort(np.argsort(-each[1], kind="stable"))] for each in pictures]
    return np.concatenate([each[1] for each in pictures]), np.concatenate(hits)


def limited(pictures, most=100):
    """The ranking of the surest answers of each picture."""
    best = [np.argsort(-score, kind="stable")[:most] for _, score in pictures]
    return ranking([(iou[order], score[order]) for (iou, score), order in zip(pictures, best, strict=True)])


def wrong_precisions(pictures):
    """Why an AP is wrong -> its value."""
    right, (given, unsorted) = ranking(pictures), in_given_order(pictures)
    down = np.arange(len(given), 0, -1.0)  # scores that leave the order as it is
    down_by_score = np.argsort(-right[0], kind="stable")[:100]
    each = [area(*ranking([picture])) if picture[0].shape[1] else 0.0 for picture in pictures]
    with_objects = [ap for ap, (iou, _) in zip(each, pictures, strict=True) if iou.shape[1]]
    both = [ap for ap, (iou, _) in zip(each, pictures, strict=True) if iou.size]
    answered = sum(iou.shape[1] for iou, score in pictures if len(score))
    filled = [picture for picture in pictures if picture[0].shape[1]]
    return {
        "that is the mean of the pictures' APs. Put the answers of all pictures into one ranking": np.mean(each),
        "that is the mean of the APs of the pictures with objects. Make one ranking of all": np.mean(with_objects),
        "that is the mean of the APs of the pictures with answers and objects. Make one ranking of all": np.mean(
            both or [0]
        ),
        "the answers choose by score, but their hits are never ranked. Sort the hits of all pictures by score, the "
        "highest first, before you count": area(down, unsorted, right[2]),
        "nothing is sorted: the answers choose, and are counted, in the order in which they are given. Sort by score "
        "for both": area(down, *ranking(pictures, order="given")[1:]),
        "hits and scores stand in different orders: the hits in that of falling scores, the scores as they are given. "
        "Keep each hit with its own score": area(given, *right[1:]),
        "only the 100 surest answers of a picture are kept, as COCO does. Here nothing limits their number": area(
            *limited(pictures)
        ),
        "only the 100 surest answers of all are kept. Here nothing limits their number": area(
            *(each[down_by_score] for each in right[:2]), right[2]
        ),
        "the answers choose in the order in which they are given. The one with the highest score chooses first": area(
            *ranking(pictures, order="given")
        ),
        "you look for the best set of pairs. COCO is greedy: the surest answer chooses, whatever is left to the "
        "others": area(*ranking(pictures, "pairs")),
        "an object counts as found more than once. The answer that takes it uses it up": area(
            *ranking(pictures, "again")
        ),
        "an answer takes the first object that it fits, not the one that it fits best": area(
            *ranking(pictures, "first")
        ),
        "an answer asks only for the object it fits best, even if that is taken: Pascal VOC's rule. By COCO's it takes "
        "the best of those that are still free": area(*ranking(pictures, "voc")),
        "the answer with the lowest score chooses first; the highest should": area(*ranking(pictures, order="rising")),
        "the objects choose among the answers. Let the answers choose, the surest first": area(
            *ranking(pictures, "objects")
        ),
        "an IoU of exactly 0.5 is no match for you; COCO asks for 0.5 or more": area(*ranking(pictures, above=True)),
        "that is the area below the curve, in trapezoids. Average the best precision at or after each of 101 "
        "recalls": area(*right, way="trapezoid"),
        "that is the area below the curve, in trapezoids from a precision of 1 at recall 0. Average the best "
        "precision at or after each of 101 recalls": area(*right, way="trapezoid from (0, 1)"),
        "that is the area below the curve, in steps, dips and all. Average the best precision at or after each of 101 "
        "recalls": area(*right, way="steps"),
        "that is the exact area below the envelope, Pascal VOC's since 2010. COCO averages 101 precisions": area(
            *right, way="below the envelope"
        ),
        "that is the mean of the precisions along the list. Average over 101 recalls": area(*right, way="mean"),
        "the precision at a recall is the best one there or later: fill the dips": area(*right, way="dips"),
        "these are 11 recalls, as in Pascal VOC 2007; COCO takes 101": area(*right, recalls=RECALLS[::10]),
        "these are 100 recalls; 0, 0.01, ... 1 are 101": area(*right, recalls=np.linspace(0, 1, 100)),
        "the recall 1 is left out; 0, 0.01, ... 1 are 101": area(*right, recalls=RECALLS[:-1]),
        "a recall that is reached exactly counts as reached: `>=`": area(*right, strict=True),
        "the objects of the picture without answers are left out; they are missed": area(
            *right[:2], max(answered, int(right[1].sum()), 1)
        ),
        "recall is a share of all objects, not of those that are found": area(*right[:2], max(int(right[1].sum()), 1)),
        "the picture without objects is left out; its answers are false alarms": area(*ranking(filled)),
        "the answers are ranked picture by picture. Sort those of all pictures by score": area(down, *right[1:]),
        "precision and recall are those of the whole list: one point, no curve": right[1].sum() / max(len(right[1]), 1),
        "the false alarm of the highest score comes last: the ranking is upside down": area(-right[0], *right[1:]),
    }


def qualities(found, true, class_of_found, class_of_true, rule=lambda iou: iou > 0.5, weight=0.5):
    """Per class: sum of the IoUs of its matches, their number, false alarms, misses."""
    for label in sorted({*class_of_found.values(), *class_of_true.values()}):
        mine = [found == i for i, each in class_of_found.items() if each == label]
        theirs = [true == i for i, each in class_of_true.items() if each == label]
        ious = [np.sum(a & b) / np.sum(a | b) for a in mine for b in theirs]
        matched = [iou for iou in ious if rule(iou)]
        hits, errors = len(matched), len(mine) + len(theirs) - 2 * len(matched)
        yield sum(matched), hits, hits + weight * errors, len(theirs)


def in_any_class(found, true, class_of_found, class_of_true):
    """The mean of the classes if a match needs no class; it counts for the class of its true object."""
    values = []
    for label in {*class_of_found.values(), *class_of_true.values()}:
        theirs = [true == i for i, each in class_of_true.items() if each == label]
        mine = sum(each == label for each in class_of_found.values())
        ious = [np.sum((found == i) & b) / np.sum((found == i) | b) for i in class_of_found for b in theirs]
        values.append(2 * sum(iou for iou in ious if iou > 0.5) / (mine + len(theirs)))
    return np.mean(values)


def wrong_qualities(*maps):
    """Why a mean PQ is wrong -> its value."""
    usual, anything = list(qualities(*maps)), [dict.fromkeys(each, 1) for each in maps[2:]]
    at_half = list(qualities(*maps, rule=lambda iou: iou >= 0.5))
    whole = list(qualities(*maps, weight=1))
    mixed = list(qualities(*maps[:2], *anything))
    sums = np.array(usual)

    def threshold(rule):
        return np.mean([s / n for s, _, n, _ in qualities(*maps, rule=rule)])

    low, high = "pairs with an IoU below 0.5 match in yours", "pairs with an IoU just above 0.5 don't match in yours"
    sq, rq = [s / max(h, 1) for s, h, _, _ in usual], [h / n for _, h, n, _ in usual]
    return {
        "classes are ignored: a match needs the same class": mixed[0][0] / mixed[0][2],
        "objects match whatever their classes are: a match needs the same class": in_any_class(*maps),
        "an IoU of exactly 0.5 is no match; above 0.5 is asked": np.mean([s / n for s, _, n, _ in at_half]),
        "every overlap is a match in yours; an IoU above 0.5 is asked": threshold(lambda iou: iou > 0),
        f"{low}, as if the threshold were 0.3 or so": threshold(lambda iou: iou > 0.3),
        f"{low}, as if the threshold were 0.4 or so": threshold(lambda iou: iou > 0.4),
        f"{high}, as if the threshold were 0.6 or so": threshold(lambda iou: iou > 0.6),
        f"{high}, as if the threshold were 0.75": threshold(lambda iou: iou > 0.75),
        "false alarms and misses count whole in yours; they count half, as in F1": np.mean(
            [s / n for s, _, n, _ in whole]
        ),
        "misses cost nothing in yours; they count half": np.mean([s / max(2 * n - t, 1) for s, _, n, t in usual]),
        "false alarms cost nothing in yours; they count half": np.mean([s / max(t, 1) for s, _, _, t in usual]),
        "that is the mean SQ: false alarms and misses cost nothing": np.mean(sq),
        "that is the mean RQ: the IoU of the matches is missing": np.mean(rq),
        "that is the mean SQ times the mean RQ. Take the mean of the classes' PQ": np.mean(sq) * np.mean(rq),
        "all classes are added up before you divide. Divide for each class, then take the mean": sums[:, 0].sum()
        / sums[:, 2].sum(),
        "a class that is only predicted is left out. Its PQ is 0": np.mean(
            [s / n for s, _, n, t in usual if t] or [0.0]
        ),
    }
