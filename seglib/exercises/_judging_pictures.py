"""Pictures, maps and counts for lesson 13's exercises."""

from functools import cache

import numpy as np

from seglib.metrics import overlap_table


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
    return counts


@cache
def intervals():
    """The interval of many redraws, and those of usual mistakes."""
    a, b = counts_of_pictures()
    random = np.random.default_rng(1)

    def f1(counts):
        hits, errors = counts[..., 0], counts[..., 1] + counts[..., 2]
        return np.divide(2 * hits, 2 * hits + errors, out=np.ones(hits.shape), where=hits + errors > 0)

    draws, others = random.integers(0, len(a), (2, 20_000, len(a)))
    first, second = f1(a[draws].sum(1)), f1(b[draws].sum(1))
    each = f1(a) - f1(b)
    whole = [random.multinomial(x.sum(), x.sum(0) / x.sum(), 20_000) for x in (a, b)]
    ends = [0.025, 0.975]
    return np.quantile(first - second, ends), {
        "both methods are redrawn on their own. Give both the same pictures": np.quantile(
            first - f1(b[others].sum(1)), ends
        ),
        "that is the mean of the pictures' F1. Add up the counts of the redrawn pictures, then divide": np.quantile(
            each[draws].mean(1), ends
        ),
        "single objects are redrawn. Those of one picture belong together: redraw pictures": np.quantile(
            f1(whole[0]) - f1(whole[1]), ends
        ),
        "the sign is that of b - a": np.quantile(second - first, ends),
        "that are the middle 90 %; cut off 2.5 % at each end": np.quantile(first - second, [0.05, 0.95]),
        "that is the interval of the first method alone": np.quantile(first, ends),
        "each picture is drawn once, so nothing varies. Draw with replacement": [f1(a.sum(0)) - f1(b.sum(0))] * 2,
        "these are the extremes of all redraws. Take the middle 95 %": ((first - second).min(), (first - second).max()),
        "these are quantiles over the pictures, not over means of redrawn ones": np.quantile(each, ends),
    }


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
