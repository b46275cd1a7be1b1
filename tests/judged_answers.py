"""Answers to exercises 1, 3 and 4 of lesson 13 (tests/answers/judging_objects.py names them)."""

import numpy as np

from seglib.exercises import _judging_mistakes as mistakes
from seglib.metrics import average_precision, merged_objects, overlap_table


def by_seglib(pictures):
    """Through COCO's ruler, which counts 100 answers of a picture: matched by hand, then drawn in one picture."""
    scores, hits, objects = mistakes.ranking(pictures)
    target = {"labels": np.ones(objects, int), "boxes": np.arange(objects)[:, None] * [20, 0, 20, 0] + [0, 0, 9, 9]}
    ranks, places = np.cumsum(hits) - 1, []
    for hit, rank in zip(hits, ranks, strict=True):
        places.append(target["boxes"][rank] if hit else [0, 50, 9, 59])
    found = {"labels": np.ones(len(hits), int), "scores": scores, "boxes": np.reshape(places, (-1, 4))}
    return average_precision([found], [target], kind="box")["AP50"]


def match(iou, scores, threshold=0.5):
    """As the lesson has it."""
    taken = np.full(len(iou), -1)
    for detection in np.argsort(-scores, kind="stable"):
        free = ~np.isin(np.arange(iou.shape[1]), taken)
        left = np.where(free, iou[detection], 0)
        if left.max(initial=0) >= threshold:
            taken[detection] = left.argmax()
    return taken


def interpolated(hits, objects):
    """As the lesson has it."""
    found = np.cumsum(hits)
    precision, recall = found / np.arange(1, len(hits) + 1), found / objects
    return np.mean([precision[recall >= r].max(initial=0) for r in np.linspace(0, 1, 101)])


def objects_of(pictures):
    return sum(iou.shape[1] for iou, _ in pictures)


def never_ranked(pictures):
    """The likeliest slip: the ranking over the data set is forgotten."""
    return interpolated(np.concatenate([match(iou, score) >= 0 for iou, score in pictures]), objects_of(pictures))


def never_sorted(pictures):
    hits = [match(iou, -np.arange(len(iou))) >= 0 for iou, _ in pictures]
    return interpolated(np.concatenate(hits), objects_of(pictures))


def hits_and_scores_apart(pictures):
    hits = [(match(iou, score) >= 0)[np.argsort(-score, kind="stable")] for iou, score in pictures]
    order = np.argsort(-np.concatenate([score for _, score in pictures]), kind="stable")
    return interpolated(np.concatenate(hits)[order], objects_of(pictures))


def with_lists(pictures):
    """No NumPy beyond the input: sorted lists and sets."""
    ranking, objects = [], 0
    for iou, scores in pictures:
        objects += iou.shape[1]
        left = set(range(iou.shape[1]))
        for d in sorted(range(len(scores)), key=lambda d: -scores[d]):
            best = max(left, key=lambda g: iou[d, g], default=None)
            hit = best is not None and iou[d, best] >= 0.5
            if hit:
                left.remove(best)
            ranking.append((scores[d], hit))
    curve, found = [], 0
    for n, (_, hit) in enumerate(sorted(ranking, key=lambda pair: -pair[0]), start=1):
        found += hit
        curve.append((found / objects, found / n))
    return sum(max((p for r, p in curve if r >= k / 100), default=0) for k in range(101)) / 101


def through_searchsorted(pictures):
    hits, scores, objects = [], [], 0
    for iou, score in pictures:
        left, objects = iou.copy(), objects + iou.shape[1]
        for d in (-score).argsort():
            g = left[d].argmax() if left.shape[1] else 0
            hits.append(left.shape[1] > 0 and left[d, g] >= 0.5)
            scores.append(score[d])
            if hits[-1]:
                left[:, g] = -1
    if not hits:
        return 0.0
    found = np.cumsum(np.array(hits)[np.argsort(scores)[::-1]])
    best = np.maximum.accumulate((found / np.arange(1, len(found) + 1))[::-1])[::-1]
    return float(np.append(best, 0)[np.searchsorted(found / objects, np.arange(0, 1.001, 0.01))].mean())


def in_one_list(pictures):
    """One ranking from the start: an answer knows its picture."""
    everything = [(s, p, d) for p, (_, score) in enumerate(pictures) for d, s in enumerate(score)]
    taken, hits = set(), []
    for _, p, d in sorted(everything, reverse=True):
        row = [(x, (p, g)) for g, x in enumerate(pictures[p][0][d]) if (p, g) not in taken and x >= 0.5]
        hits.append(bool(row))
        if row:
            taken.add(max(row)[1])
    objects = sum(iou.shape[1] for iou, _ in pictures)
    found = np.cumsum(hits)
    p, r = found / (1 + np.arange(len(hits))), found / objects
    return np.mean([max(p[r >= t], default=0) for t in np.arange(101) * 0.01])


def object_by_object(found, true):
    def swallowing(big, small):
        count = 0
        for i in set(big[big > 0].tolist()):
            inside = [np.mean(big[small == k] == i) > 0.5 for k in set(small[small > 0].tolist())]
            count += sum(inside) >= 2
        return count

    return [swallowing(found, true), swallowing(true, found)]


def by_merged_objects(found, true):
    return np.array([merged_objects(found, true), merged_objects(true, found)])


def touching_counts(found, true):
    """Counts any overlap."""
    shared = overlap_table(found, true)[1:, 1:] > 0
    return int((shared.sum(0) >= 2).sum()), int((shared.sum(1) >= 2).sum())


def lost_objects(found, true):
    """True objects within merges, not merges."""
    shared = overlap_table(found, true)
    inside = (2 * shared > shared.sum(1, keepdims=True))[1:, 1:]
    within = (2 * shared > shared.sum(0, keepdims=True))[1:, 1:]
    return int(inside[:, inside.sum(0) >= 2].sum()), int(within[within.sum(1) >= 2].sum())


def in_numbers(found, true):
    """More or fewer objects than there are."""
    more = len(np.unique(found[found > 0])) - len(np.unique(true[true > 0]))
    return max(-more, 0), max(more, 0)


def pooled(counts):
    hits, alarms, misses = counts.sum(-2)[..., 0], counts.sum(-2)[..., 1], counts.sum(-2)[..., 2]
    return 2 * hits / (2 * hits + alarms + misses)


def with_weights(a, b):
    times = np.random.default_rng(5).multinomial(len(a), np.full(len(a), 1 / len(a)), 4000)
    hits, alarms, misses = (np.stack([times @ a, times @ b])[..., i] for i in range(3))
    f1 = hits / (hits + (alarms + misses) / 2)
    return tuple(np.percentile(f1[0] - f1[1], (2.5, 97.5)))


def in_a_loop(a, b):
    random, differences = np.random.RandomState(7), []
    for _ in range(2000):
        chosen = random.choice(len(a), len(a))
        differences.append(pooled(a[chosen]) - pooled(b[chosen]))
    return np.quantile(differences, [0.025, 0.975])


def by_scipy(a, b):
    from scipy.stats import bootstrap

    def difference(index):
        chosen = index.astype(int)
        return pooled(a[chosen]) - pooled(b[chosen])

    options = {"vectorized": False, "n_resamples": 2000, "method": "percentile", "rng": np.random.default_rng(2)}
    return list(bootstrap((np.arange(len(a)),), difference, **options).confidence_interval)


def sorted_ends(a, b):
    random = np.random.default_rng(9)
    every = sorted(pooled(a[i]) - pooled(b[i]) for i in random.integers(0, len(a), (4000, len(a))))
    return every[100], every[3899]


def apart(a, b):
    random = np.random.default_rng(1)
    first, second = random.integers(0, len(a), (2, 4000, len(a)))
    return np.quantile(pooled(a[first]) - pooled(b[second]), [0.025, 0.975])


def redraws(a, b, times=4000, seed=1, most=None, size=None):
    draws = np.random.default_rng(seed).integers(0, most or len(a), (times, size or len(a)))
    return pooled(a[draws]) - pooled(b[draws])


def differences(a, b, empty):
    """F1 of a, minus that of b, for each picture."""
    with np.errstate(invalid="ignore"):
        each = [2 * x[:, 0] / (2 * x[:, 0] + x[:, 1] + x[:, 2]) for x in (a, b)]
    return np.subtract(*[np.where(np.isnan(x), empty, x) for x in each])


def of_means(a, b, empty=1.0):
    draws = np.random.default_rng(1).integers(0, len(a), (4000, len(a)))
    return np.quantile(differences(a, b, empty)[draws].mean(1), [0.025, 0.975])


def of_means_with_0(a, b):
    return of_means(a, b, 0.0)


def of_defined_means(a, b):
    """Once accepted: NaN is no end."""
    return of_means(a, b, np.nan)


def by_deviation(a, b):
    """Once accepted, as the ends lay alike on both sides."""
    every = redraws(a, b)
    return every.mean() - 1.96 * every.std(), every.mean() + 1.96 * every.std()


def by_standard_error(a, b):
    each = differences(a, b, 1.0)
    return each.mean() + np.array([-1.96, 1.96]) * each.std() / np.sqrt(len(each))


def by_halves(a, b):
    """Once accepted: half of the pictures, without replacement."""
    random = np.random.default_rng(0)
    halves = [random.choice(len(a), len(a) // 2, replace=False) for _ in range(2000)]
    return np.quantile([pooled(a[i]) - pooled(b[i]) for i in halves], [0.025, 0.975])


def without_the_last(a, b):
    """Once accepted: `integers` leaves out its upper end."""
    return np.quantile(redraws(a, b, most=len(a) - 1), [0.025, 0.975])


def a_hundred_redraws(a, b):
    return np.quantile(redraws(a, b, 100, 0), [0.025, 0.975])


def shuffled(a, b):
    random = np.random.default_rng(0)
    every = [pooled(a[i]) - pooled(b[i]) for i in (random.permutation(len(a)) for _ in range(200))]
    return np.quantile(every, [0.025, 0.975])


def of_precision(a, b):
    random = np.random.default_rng(0)
    draws = random.integers(0, len(a), (2000, len(a)))
    first, second = (x[draws].sum(1) for x in (a, b))
    share = first[:, 0] / first[:, :2].sum(1) - second[:, 0] / second[:, :2].sum(1)
    return np.quantile(share, [0.025, 0.975])
