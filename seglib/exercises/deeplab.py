"""Exercises of lesson 11, DeepLab."""

from functools import cache

import numpy as np
import torch
from torch.nn import functional as F

from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_number, expect_shape
from seglib.exercises._streets import block_colours, block_shares
from seglib.metrics import confusion_matrix, mean_iou
from seglib.scenes import Streets


def _atrous_same(x, kernel, rate):
    padded = np.pad(x, rate)
    height, width = x.shape
    y = np.zeros(x.shape)
    for m in range(3):
        for n in range(3):
            y += kernel[m, n] * padded[m * rate : m * rate + height, n * rate : n * rate + width]
    return y


@exercise(
    "How far does the kernel reach to each side? So many zeros are needed there: `np.pad` adds them.",
    "With the padded map, `atrous` of the lesson does the rest.",
    "Or faster: for each of the nine weights, add the weight times a shifted window of the padded map.",
    solution=_atrous_same,
)
def q1(atrous_same):
    rng = np.random.default_rng(5)
    x, kernel = rng.integers(1, 9, (6, 8)).astype(float), rng.integers(-3, 4, (3, 3)).astype(float)
    want, got = _atrous_same(x, kernel, 2), atrous_same(x, kernel, 2)
    name = "`atrous_same(x, kernel, 2)`"
    if np.shape(got) == (2, 4):
        raise NotYet(f"{name} has shape (2, 4): there is no padding. With `rate` zeros on each side it stays (6, 8).")
    if np.shape(got) == (4, 6):
        raise NotYet(f"{name} has shape (4, 6): padding 1 is for rate 1. The kernel now reaches 2 to each side.")
    expect_shape(name, got, want.shape)
    too_far_apart = _atrous_same(x, kernel, 3)
    repeated_edge = _atrous_same(np.pad(x, 2, mode="edge"), kernel, 2)[2:-2, 2:-2]
    usual = {
        "the kernel is turned over; networks take it as it stands": _atrous_same(x, kernel[::-1, ::-1], 2),
        "the rate does nothing: that is the result for rate 1": _atrous_same(x, kernel, 1),
        "your weights lie rate + 1 apart; the rate is the step, with rate - 1 holes between": too_far_apart,
        "beyond the edge the last value goes on; zeros are wanted there": repeated_edge,
    }
    expect_none_of(name, got, usual)
    expect_array(name, got, want)
    expect_array("with rate 9, beyond the map, `atrous_same`", atrous_same(x, kernel, 9), kernel[1, 1] * x)
    return "At rate 9 only the middle weight is left: a 1x1 convolution."


def _along(side, rate):
    return (side + 2 * max(0, side - rate)) / (3 * side)


def _living(height, width, rate):
    share = 1.0
    for side in (height, width):
        share *= (side + 2 * max(0, side - rate)) / (3 * side)
    return share


@exercise(
    "Take one direction: three weights on a row of n places. At how many places does the left weight meet the row?",
    "At n - rate of them, if that is not negative; the right one as well; the middle one at all n.",
    "One direction: `(n + 2 * max(0, n - rate)) / (3 * n)`. The share in the plane is the product of both.",
    solution=_living,
)
def q2(living):
    for height, width, rate in [(12, 20, 3), (12, 12, 6), (12, 12, 1), (65, 65, 24), (8, 30, 10), (7, 7, 9)]:
        got, want = living(height, width, rate), _living(height, width, rate)
        name = f"`living({height}, {width}, {rate})`"
        rows, columns = (_along(side, rate) for side in (height, width))
        unclipped = (3 * height - 2 * rate) * (3 * width - 2 * rate) / (9 * height * width)
        whole = max(0, height - 2 * rate) * max(0, width - 2 * rate) / (height * width)
        usual = {
            "that is the share of *places* where all nine weights meet the map; count weights": whole,
            "a weight can't meet fewer than no places: `max(0, side - rate)`": unclipped,
            "that is one direction; rows and columns must both be met, so multiply the two shares": rows,
            "the width is not used": rows * rows,
            "the two shares are averaged; both must hold at once, so multiply": (rows + columns) / 2,
            "that is how many weights of nine; divide by 9": 9 * want,
        }
        expect_number(name, got, got)  # is it a number at all?
        if not np.isclose(got, want):
            expect_none_of(f"{name} is {float(got):.4g}, wanted {want:.4g}", got, usual)
        expect_number(name, got, want)
    return "The nine weights are three rows times three columns, so the share is a product."


def _fields():
    """A ring with a faint rim, and a lopsided bell."""
    y, x = np.indices((21, 21)) - 10
    ring = ((y**2 + x**2 == 25) + 0.001).astype(float)
    bell = np.exp(-((y - 2) ** 2 + (x + 3) ** 2) / 18)
    return ring / ring.sum(), bell / bell.sum()


def _radius(field, share):
    y, x = np.indices(field.shape)
    distance = np.hypot(y - field.shape[0] // 2, x - field.shape[1] // 2)
    for radius in np.unique(distance):
        if field[distance <= radius].sum() >= share - 1e-9:
            return float(radius)
    return float(distance.max())


@exercise(
    "Make a map of each pixel's distance from the middle first.",
    "`np.indices(field.shape)` gives rows and columns, `np.hypot` distances; try each of `np.unique(distance)`.",
    "Return the first of them with `field[distance <= radius].sum() >= share` (less 1e-9, for rounding).",
    solution=_radius,
)
def q3(radius):
    point = np.zeros((5, 5))
    point[[0, 2], 2] = 0.5
    got = radius(point, 0.5)
    if np.isscalar(got) and got == 2:
        raise NotYet("The middle pixel holds just half, and half was asked for: `at least` is `>=`, so it is 0.")
    expect_number("half in the middle, half two pixels above: `radius(field, 0.5)`", got, 0)
    ring, bell = _fields()
    for field, share in ((ring, 0.7), (bell, 0.5), (bell, 0.9)):
        name, got, want = f"`radius(field, {share})`", radius(field, share), _radius(field, share)
        y, x = np.abs(np.indices(field.shape) - 10)
        squares, largest = np.maximum(y, x), np.sort(field.ravel())[::-1].cumsum()
        side = min(h for h in range(11) if field[squares <= h].sum() >= share - 1e-12)
        of_largest = np.sqrt((np.searchsorted(largest, share) + 1) / np.pi)
        usual = {
            "that is half the side of a square, whose corners lie further out": side,
            "that is the diameter": 2 * want,
            "you gathered the largest values, wherever they lie; go outwards from the middle": of_largest,
            "that is the squared distance": want**2,
            "it is rounded up; distances between pixels are roots, such as 2.236": np.ceil(want),
        }
        expect_number(name, got, got)  # is it a number at all?
        if not np.isclose(got, want):
            expect_none_of(f"{name} is {float(got):.4g}, wanted {want:.4g}", got, usual)
        expect_number(name, got, want)
    return "The area within grows with the radius squared, so the rim, though faint, holds much of the field."


def _missed(rates):
    reached = {0}
    for rate in rates:
        reached = {offset + step for offset in reached for step in (-rate, 0, rate)}
    span = sum(rates)
    return [offset for offset in range(-span, span + 1) if offset not in reached]


@exercise(
    "From the output go back one layer: which offsets does it read? And each of these reads three more.",
    "Keep a set of offsets, at first {0}. Each layer turns every offset into offset - rate, offset, offset + rate.",
    "The span is -sum(rates) to sum(rates). Return those in it that are not in the set.",
    solution=_missed,
)
def q4(missed):
    for rates in [(2, 2), (1, 1, 1), (1, 2, 3), (2, 4), (3, 1), (1, 4), (5,), (1, 2, 9)]:
        want, got = _missed(rates), missed(rates)
        name = f"`missed({rates})`"
        if not isinstance(got, list | tuple | np.ndarray):
            raise NotYet(f"{name} is of type {type(got).__name__}, wanted a list of offsets such as [-3, -1, 1, 3].")
        got = [int(offset) for offset in got]
        span = sum(rates)
        beside = {sign * rate for rate in rates for sign in (-1, 0, 1)}
        if got == want:
            continue
        if sorted(got) == want:
            raise NotYet(f"{name} has the right offsets, in another order: sort them.")
        if set(got) == set(range(-span, span + 1)) - set(want):
            raise NotYet(f"{name} is {got}: these are the offsets that do reach the output; the others are wanted.")
        if got == sorted(set(range(-span, span + 1)) - beside):
            raise NotYet(
                f"{name} is {got}: as if the layers stood side by side. One after the other their steps add up, "
                f"wanted {want}."
            )
        if got == sorted(set(range(-max(rates), max(rates) + 1)) & set(want)) or got == [x for x in want if x > 0]:
            raise NotYet(f"{name} is {got}: some are left out; the span goes from {-span} to {span}, wanted {want}.")
        raise NotYet(f"{name} is {got}, wanted {want}. Each layer steps -rate, 0 or +rate; which sums can't be made?")
    return "With rates 1, 3, 9, 27 nothing is missed, and each pixel arrives by one way only: the largest span of all."


@cache
def _places(length, seed):
    """Features (N, 7, 12, 12) of streets in blocks of 8 px, and the most frequent class of each block."""
    features, labels = [], []
    row = torch.linspace(-1, 1, 12)[None, :, None].expand(1, 12, 12)
    for sample in Streets(length, size=96, seed=seed):
        mean, spread = block_colours(sample["image"], 8)
        features.append(torch.cat([mean / 50, spread / 50, row]))
        shares = block_shares(sample["mask"], 8)
        labels.append(torch.where(shares.sum(0) > 0, shares.argmax(0), 255))
    return torch.stack(features), torch.stack(labels)


def look_score(around):
    """Mean IoU on 50 streets of a linear classifier that learned on 80 others from ``around(features)``."""
    tables, labels = [], []
    for length, seed in ((80, 801), (50, 802)):
        features, classes = _places(length, seed)
        found = [around(each.clone()) for each in features]
        expect_shape("`around(features)`", found[0], (found[0].shape[0], 12, 12))
        if found[0].shape[0] > 70:
            raise NotYet(f"`around(features)` gives {found[0].shape[0]} features, at most 70 are allowed.")
        table = torch.stack(found).double().permute(0, 2, 3, 1).flatten(0, 2)
        if not table.isfinite().all():
            raise NotYet("`around(features)` holds NaN or infinity: is something divided by 0?")
        tables.append(table)
        labels.append(classes.flatten())
    mean, deviation = tables[0].mean(0), tables[0].std(0) + 1e-6
    learn, test = (F.pad((table - mean) / deviation, (0, 1), value=1.0) for table in tables)
    known = labels[0] != 255
    learn, wanted = learn[known], F.one_hot(labels[0][known], len(Streets.classes)).double()
    weighed = learn * wanted.sum(0).clamp(min=1).rsqrt()[labels[0][known], None]  # rare classes count for more
    ridge = 0.1 * torch.eye(learn.shape[1], dtype=torch.float64)
    answer = (test @ torch.linalg.solve(weighed.T @ learn + ridge, weighed.T @ wanted)).argmax(1)
    return float(mean_iou(confusion_matrix(answer, labels[1], len(Streets.classes))))


def window(features, rate=1):
    """All nine values of a 3x3 window, side by side; beyond the edge the last value goes on."""
    padded = F.pad(features[None], [rate] * 4, mode="replicate")[0]
    steps = (0, rate, 2 * rate)
    return torch.cat([padded[:, i : i + 12, j : j + 12] for i in steps for j in steps])


@cache
def _mark():
    return look_score(window)


def _around(features):
    parts = [features]
    for rate in (1, 3):
        padded = F.pad(features[None], [rate] * 4, mode="replicate")[0]
        for i, j in ((0, rate), (2 * rate, rate), (rate, 0), (rate, 2 * rate)):
            parts.append(padded[:, i : i + 12, j : j + 12])
    parts.append(features.mean((1, 2), keepdim=True).expand(-1, 12, 12))
    return torch.cat(parts)


@exercise(
    "Nine values at one rate use 63 of 70 features. Which could be left out to make room for another rate?",
    "Take four neighbours (above, below, left, right) instead of eight, at two rates; and image pooling.",
    "`F.pad(..., mode='replicate')`, then shifted windows as in `atrous`; join all with `torch.cat`.",
    solution=_around,
)
def q5(around):
    mark, reached = _mark(), look_score(around)
    if reached < mark + 0.03:
        alone = look_score(lambda features: features)
        if reached < alone + 0.005:
            what = "That is no more than a place knows of itself."
        elif reached < mark - 0.005:
            what = "More than a place alone knows, but less than its direct neighbours tell; keep near *and* far."
        elif reached < mark + 0.005:
            what = "As good as the window of rate 1; look further."
        else:
            what = "Further is better; and what could stand beside it in ASPP, for so few features?"
        raise NotYet(f"mean IoU {reached:.3f}; the window has {mark:.3f}, wanted {mark + 0.03:.3f}. {what}")
    return f"Mean IoU {reached:.3f}; the window of rate 1 has {mark:.3f}."
