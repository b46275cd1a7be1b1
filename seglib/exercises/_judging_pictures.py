"""Pictures, maps and counts for lesson 13's exercises."""

from functools import cache

import numpy as np

from seglib.metrics import overlap_table


def class_maps():
    """Two maps of two classes: a good match, one at exactly 0.5, one of the wrong class, an invention, a miss."""
    true, found = np.zeros((2, 7, 12), np.uint8)
    true[0:4, 0:4], found[0:4, 0:3] = 200, 3  # IoU 0.75
    true[5:7, 0:4], found[5:7, 0:2] = 7, 90  # exactly half
    true[0:3, 5:8], found[0:3, 5:8] = 250, 251  # exact, of another class
    true[4:7, 5:10], found[4:7, 5:9] = 9, 200  # 0.8, of the second class
    found[0:3, 9:12] = 4
    true[5:7, 10:12], found[4, 10:12] = 60, 77
    true[4, 1:3], true[4, 3] = 33, 34
    return found, true, {3: 1, 90: 1, 251: 1, 200: 2, 4: 2, 77: 1}, {200: 1, 7: 1, 250: 2, 9: 2, 60: 1, 33: 2, 34: 2}


def only_predicted():
    """A class that is predicted and never true, with ids in another order than in the map."""
    true, found = np.zeros((2, 5, 6), int)
    true[0:4, 0:4], found[0:4, 0:4], found[0:2, 4:6] = 1, 2, 1
    return found, true, {1: 5, 2: 3}, {1: 3}


def near_half():
    """Two maps of two classes: matches with an IoU of 0.52 and of 1, and pairs of 0.08, 0.35 and 0.45 that are none."""
    true, found = np.zeros((2, 12, 15), int)
    for number, (row, column, size, shared) in enumerate(
        [
            (0, 0, (5, 5), 13),
            (0, 6, (4, 5), 7),
            (6, 6, (4, 5), 9),
            (6, 0, (3, 3), 9),
            (0, 12, (3, 3), 5),
            (6, 12, (4, 3), 1),
        ],
        start=1,
    ):
        inside = np.s_[row : row + size[0], column : column + size[1]]
        true[inside] = number
        found[inside] = np.where(np.arange(size[0] * size[1]).reshape(size) < shared, number + 10, 0)
    return found, true, {11: 1, 12: 1, 13: 2, 14: 2, 15: 1, 16: 1}, {1: 1, 2: 1, 3: 2, 4: 2, 5: 2, 6: 1}


def merged_and_split():
    """Cases: name, found map, true map."""
    row = np.zeros((2, 14), int)
    true, glued, cut = row.copy(), row.copy(), row.copy()
    true[:, 0:4], true[:, 4:8], true[:, 9:13] = 5, 2, 9
    glued[:, 0:8], glued[:, 9:13] = 3, 8
    cut[:, 0:4], cut[:, 4:6], cut[:, 6:8], cut[:, 9:11], cut[:, 11:14] = 1, 2, 4, 6, 7
    yield "With two objects glued", glued, true
    yield "With two objects cut in two", cut, true
    yield "With ids of 8 bits, up to 250", (glued * 30).astype(np.uint8), (true * 25).astype(np.uint8)
    yield "With two objects glued and one cut in two", np.where(np.arange(14) > 10, 4, glued) * (true > 0), true
    yield "With one object missed", np.where(true == 9, 0, true), true
    yield "With one found object that has nothing to do with any", np.where(true == 0, 4, 0), np.where(true == 5, 5, 0)

    def until(column, beyond):
        """A found object up to a column, and something beyond it, up to where object 2 ends."""
        return np.where(np.arange(14) < column, 3, np.where(np.arange(14) < 8, beyond, 0)) * np.ones((2, 1), int)

    yield "Where a found object holds one object and a quarter of the next", until(5, 7), true
    yield "Where a found object holds one object and a quarter of the next, and nothing the rest", until(5, 0), true
    yield "Where a found object holds one object and exactly half of the next", until(6, 7), true
    yield "Where a found object lies half on a true one, half on the background", np.roll(true, 2, axis=1), true
    wide = np.where(np.arange(14) < 3, 1, 6) * np.ones((2, 1), int)
    yield "Where a found object covers much background", wide, true
    yield "With nothing found", row, true
    yield "With nothing true", glued, row
    three = np.where(true > 0, 1, 0)
    yield "With three objects in one", three, true
    yield "With one object in three", true, three


@cache
def counts_of_pictures():
    """Hits, false alarms and misses of two methods in 30 pictures, easy and hard, crowded and sparse."""
    random = np.random.default_rng(4)
    objects = np.concatenate([random.integers(2, 9, 18), random.integers(60, 140, 12)])
    ease = random.beta(4, 1.5, 30)
    counts = []
    for skill in (1.0, 0.9):
        hits = random.binomial(objects, np.clip(ease * skill, 0, 1))
        counts.append(np.stack([hits, random.poisson(0.3 * objects * (1.1 - ease)), objects - hits], axis=1))
    counts[0][0], counts[1][0] = (0, 3, 0), (0, 0, 0)  # a picture without objects
    counts[0][-1], counts[1][-1] = (300, 20, 20), (120, 60, 200)  # one on which much depends, so that ends are lopsided
    return counts


@cache
def intervals():
    """The interval of many redraws, and pairs: a usual mistake, its interval."""
    a, b = counts_of_pictures()
    random, pictures = np.random.default_rng(1), len(a)

    def f1(counts, empty=1.0):
        hits, errors = counts[..., 0], counts[..., 1] + counts[..., 2]
        return np.divide(2 * hits, 2 * hits + errors, out=np.full(hits.shape, empty), where=hits + errors > 0)

    def gain(draws, others=None):
        return f1(a[draws].sum(1)) - f1(b[draws if others is None else others].sum(1))

    def middle(values):
        return np.quantile(values, [0.025, 0.975])

    draws, others = random.integers(0, pictures, (2, 20_000, pictures))
    shuffled = random.permuted(np.tile(np.arange(pictures), (20_000, 1)), axis=1)
    right, whole = gain(draws), [random.multinomial(x.sum(), x.sum(0) / x.sum(), 20_000) for x in (a, b)]
    each, with_0, once = f1(a) - f1(b), f1(a, 0.0) - f1(b, 0.0), f1(a.sum(0)) - f1(b.sum(0))
    by_means = "that is the mean of the pictures' F1. Add up the counts of the redrawn pictures, then divide"
    by_width = "the ends lie 1.96 standard deviations away, the same on both sides. Take quantiles of the redraws"
    return middle(right), [
        ("both methods are redrawn on their own. Give both the same pictures", middle(gain(draws, others))),
        (by_means, middle(each[draws].mean(1))),
        (f"{by_means}. (An empty picture has no F1 of its own, not 0 either)", middle(with_0[draws].mean(1))),
        (
            "single objects are redrawn. Those of one picture belong together: redraw pictures",
            middle(f1(whole[0]) - f1(whole[1])),
        ),
        ("the sign is that of b - a", middle(-right)),
        ("those are the middle 90 %; cut off 2.5 % at each end", np.quantile(right, [0.05, 0.95])),
        ("that is the interval of the first method alone", middle(f1(a[draws].sum(1)))),
        ("each picture is drawn once, so nothing varies. Draw with replacement", [once, once]),
        ("these are quantiles over the pictures, not over redraws of all", middle(each)),
        (
            "the last picture is never drawn: the upper end of `integers` is left out already",
            middle(gain(random.integers(0, pictures - 1, (20_000, pictures)))),
        ),
        (
            "half of the pictures are drawn, without replacement. Draw as many as there are, with it",
            middle(gain(shuffled[:, ::2])),
        ),
        (by_width, once + np.array([-1.96, 1.96]) * right.std()),
        (by_width, right.mean() + np.array([-1.96, 1.96]) * right.std()),
        (
            "these are 1.96 standard errors around the mean of the pictures' differences. Redraw pictures, and pool",
            each.mean() + np.array([-1.96, 1.96]) * each.std() / pictures**0.5,
        ),
    ]


@cache
def otsu_nuclei():
    """StarDist's picture, Otsu's nuclei in it (instance map) and of each whether it fits a true one."""
    from skimage.filters import gaussian, threshold_otsu

    from seglib.classical import split_touching
    from seglib.scenes import photo

    sample = photo("nuclei")
    smooth = gaussian(sample["image"], 1)
    found = split_touching(smooth > threshold_otsu(smooth))
    table = overlap_table(found, sample["instances"])
    shared = table[1:, 1:]
    pairs = shared / (table.sum(1)[1:, None] + table.sum(0)[None, 1:] - shared)
    return sample["image"], found, (pairs >= 0.5).any(0), len(pairs)
