"""Answers to exercises 1, 3 and 4 of lesson 13 (tests/answers/judging_objects.py names them)."""

import numpy as np

from seglib.exercises import _judging_mistakes as mistakes
from seglib.metrics import average_precision, merged_objects, overlap_table


def by_seglib(pictures):
    """Through COCO's ruler: rows of squares whose overlaps are the wanted ones are hard to draw, so match by hand."""
    scores, hits, objects = mistakes.ranking(pictures)
    target = {"labels": np.ones(objects, int), "boxes": np.arange(objects)[:, None] * [20, 0, 20, 0] + [0, 0, 9, 9]}
    ranks, places = np.cumsum(hits) - 1, []
    for hit, rank in zip(hits, ranks, strict=True):
        places.append(target["boxes"][rank] if hit else [0, 50, 9, 59])
    found = {"labels": np.ones(len(hits), int), "scores": scores, "boxes": np.reshape(places, (-1, 4))}
    return average_precision([found], [target], kind="box")["AP50"]


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


def of_means(a, b):
    hits, errors = (np.stack([a, b])[..., i] for i in (0, slice(1, 3)))
    f1 = np.nan_to_num(2 * hits / np.maximum(2 * hits + errors.sum(-1), 1))
    each = f1[0] - f1[1]
    each[0] += f1[1][0] - 1  # a picture where nothing is to be found, and nothing is
    draws = np.random.default_rng(1).integers(0, len(a), (4000, len(a)))
    return np.quantile(each[draws].mean(1), [0.025, 0.975])


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
