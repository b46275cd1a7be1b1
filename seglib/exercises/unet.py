"""Exercises of lesson 08, U-Net."""

import inspect
import numbers
from functools import cache

import numpy as np
import torch
from scipy import ndimage
from skimage.measure import label

from seglib.arrays import to_numpy
from seglib.classical import split_touching
from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_shape
from seglib.metrics import instance_f1
from seglib.scenes import Cells


def _valid_size(size, depth):
    for _ in range(depth):
        size -= 4
        if size <= 0 or size % 2:
            return None
        size //= 2
    size -= 4
    for _ in range(depth):
        size = 2 * size - 4
    return size if size > 0 else None


@exercise(
    "Start from `trace` in the lesson; it never looks whether a size is odd.",
    "Test `size % 2` right before each halving, and whether the size is still above 0 at the end.",
    "Down: `size -= 4`, test, `size //= 2`. Bottom: `size -= 4`. Up: `size = 2 * size - 4`. `None` if `size <= 0`.",
    solution=_valid_size,
)
def q1(valid_size):
    named = [(572, 4), (188, 4), (570, 4), (172, 4), (100, 2), (14, 1), (12, 2), (5, 1), (2, 3)]
    for size, depth in [*named, *((size, depth) for depth in (1, 2, 3, 4, 5) for size in range(1, 400))]:
        got, want = valid_size(size, depth), _valid_size(size, depth)
        call = f"`valid_size({size}, {depth})`"
        if got is not None and (not isinstance(got, numbers.Integral) or isinstance(got, bool)):
            raise NotYet(f"{call} is {got!r}; a whole number or None is wanted. `//` halves a whole number to one.")
        if got == want:
            continue
        if want is None:
            why = "a pooling meets an odd size" if got > 0 else "nothing is left of the picture"
            raise NotYet(f"{call} is {got}, wanted None: on the way {why}.")
        if got is None:
            raise NotYet(f"{call} is None, but {size} fits: every pooling meets an even size. The output is {want}.")
        if got == size:
            raise NotYet(f"{call} is {got}: nothing is lost. That is padding 'same'.")
        raise NotYet(
            f"{call} is {got}, wanted {want}. Each double convolution takes 4 pixels: "
            f"{depth} times going down, once at the bottom, {depth} times coming up."
        )
    return "The sizes that fit lie 2^depth pixels apart."


def _crop_and_join(skip, x):
    height, width = x.shape[-2:]
    top, left = (skip.shape[-2] - height) // 2, (skip.shape[-1] - width) // 2
    return torch.cat([skip[..., top : top + height, left : left + width], x], dim=1)


@exercise(
    "How many rows are too many, and how many of them lie above the centre?",
    "`top = (skip.shape[-2] - x.shape[-2]) // 2`, and the same for `left` with the last axis.",
    "Slice `skip[..., top : top + height, left : left + width]`, then `torch.cat([skip, x], dim=1)`.",
    solution=_crop_and_join,
)
def q2(crop_and_join):
    skip, below = torch.arange(2 * 3 * 8 * 10.0).view(2, 3, 8, 10), -torch.ones(2, 4, 4, 4)
    got = crop_and_join(skip, below)
    expect_shape("`crop_and_join(skip, x)` for skip (2, 3, 8, 10) and x (2, 4, 4, 4)", got, (2, 7, 4, 4))
    if torch.equal(got[:, :4], below):
        raise NotYet("x comes first in your result; the skip is wanted first, as in the paper's figure.")
    for place, rows, columns in [("top left corner", slice(0, 4), slice(0, 4)), ("end", slice(4, 8), slice(6, 10))]:
        if torch.equal(got[:, :3], skip[..., rows, columns]):
            raise NotYet(f"you cut the {place} of the skip: its features then lie beside those of another place.")
    expect_array("`crop_and_join(skip, x)`", got, torch.cat([skip[..., 2:6, 3:7], below], dim=1))
    for larger, smaller in [((9, 6), (9, 6)), ((9, 6), (5, 6)), ((6, 9), (6, 3)), ((7, 7), (4, 4)), ((8, 7), (5, 3))]:
        _expect_centre(crop_and_join, larger, smaller)
    skip, below = torch.rand(1, 1, 6, 6, requires_grad=True), torch.rand(1, 2, 2, 2, requires_grad=True)
    joined = crop_and_join(skip, below)
    if not joined.requires_grad:
        raise NotYet("no slope comes back through your result. Stay with tensors: no NumPy, `.data` or `.detach()`.")
    joined.sum().backward()
    for name, each in (("skip", skip), ("x", below)):
        if each.grad is None or not each.grad.any():
            raise NotYet(f"no slope comes back to `{name}`: what feeds it could not learn. Use it without `.detach()`.")
    return "Had you resized the skip instead of cutting it, its features would lie beside those of other places."


def _expect_centre(crop_and_join, larger, smaller):
    """Raise NotYet unless a skip with sides `larger` is cut to its centre; an odd margin may lean to either side."""
    skip, below = torch.arange(2.0 * larger[0] * larger[1]).view(1, 2, *larger), torch.full((1, 1, *smaller), -1.0)
    name = f"for a skip of {larger} and x of {smaller}, `crop_and_join(skip, x)`"
    got = crop_and_join(skip, below)
    expect_shape(name, got, (1, 3, *smaller))
    margins = [large - small for large, small in zip(larger, smaller, strict=True)]
    cuts = [
        skip[..., top : top + smaller[0], left : left + smaller[1]]
        for top in {margins[0] // 2, -(-margins[0] // 2)}
        for left in {margins[1] // 2, -(-margins[1] // 2)}
    ]
    wanted = [torch.cat([cut, below], dim=1) for cut in cuts]
    if not any(torch.equal(got, each) for each in wanted):
        expect_array(name, got, wanted[0])


def _gap_weights(instances, w0, sigma):
    ids = np.unique(instances[instances > 0])
    if len(ids) < 2:
        return np.zeros(instances.shape)
    distances = np.sort([ndimage.distance_transform_edt(instances != i) for i in ids], axis=0)
    weights = w0 * np.exp(-((distances[0] + distances[1]) ** 2) / (2 * sigma**2))
    return np.where(instances == 0, weights, 0.0)


@exercise(
    "The row in the lesson did it in one dimension: one list of distances for each cell, then the two smallest.",
    "`distance_transform_edt(instances != i)` gives every pixel its distance to cell `i`.",
    "Stack the distance maps of all cells, `np.sort(..., axis=0)`, use the first two, and set the cells to 0.",
    solution=_gap_weights,
)
def q3(gap_weights):
    instances = np.zeros((9, 12), int)
    instances[2:7, 1:4] = 1
    instances[2:7, 6:9] = 2
    instances[8, 11] = 5
    name, want, got = "`gap_weights(instances, 10, 3)`", _gap_weights(instances, 10, 3), gap_weights(instances, 10, 3)
    expect_shape(name, got, want.shape)
    if np.any(to_numpy(got)[instances > 0] != 0):
        raise NotYet("your cells have weights too; the term is for background pixels only, and 0 on cells.")
    first, second, third = np.sort([ndimage.distance_transform_edt(instances != i) for i in (1, 2, 5)], axis=0)
    usual = {
        "that is the formula with the nearest cell alone; the distance to the second nearest is missing": first**2 / 18,
        "the nearest and the *farthest* cell were taken; sort, then take the first two": (first + third) ** 2 / 18,
        "the sum of the distances is not squared": (first + second) / 18,
        "the two distances are squared one by one, not their sum": (first**2 + second**2) / 18,
        "the exponent is divided by sigma squared; the formula has 2 sigma squared": (first + second) ** 2 / 9,
        "sigma is not squared": (first + second) ** 2 / 6,
    }
    usual = {why: np.where(instances > 0, 0, 10 * np.exp(-exponent)) for why, exponent in usual.items()}
    usual["1 was added; the second term of the formula alone is wanted"] = np.where(instances > 0, 0, 1 + want)
    expect_none_of(name, got, usual, tolerance=1e-4)
    if 0 < to_numpy(got).max() < 1e-6:  # 10 exp(-40) in the gap
        raise NotYet(f"{name} is almost 0 everywhere. `/ 2 * sigma**2` multiplies by sigma squared: add brackets.")
    _expect_weights(gap_weights, name, instances, 10, 3)
    _expect_weights(gap_weights, "with w0 = 4 and sigma = 1.5 `gap_weights`", instances, 4, 1.5)
    for kind in (np.uint8, np.int16):
        numbered = np.where(instances == 5, 120, instances).astype(kind)
        _expect_weights(gap_weights, f"with cells 1, 2 and 120 of type {kind.__name__} `gap_weights`", numbered, 10, 3)
    touching = np.zeros((7, 9), int)
    touching[1:4, 1:4], touching[2:6, 4:7] = 3, 1
    name = "with two cells that touch, and are two still, `gap_weights`"
    if not to_numpy(gap_weights(touching, 10, 3)).any():
        raise NotYet(f"{name} is 0 everywhere. Take the cells by their numbers: `label` would make one of them.")
    _expect_weights(gap_weights, name, touching, 10, 3)
    halves = np.where(np.isin(instances, (1, 2)), 4, 0)
    name = "with one cell in two pieces (one number), `gap_weights`"
    _expect_weights(gap_weights, name, halves, 10, 3)
    halves[0, 0] = 9
    _expect_weights(gap_weights, "with a cell in two pieces and another cell, `gap_weights`", halves, 10, 3)
    for alone in (np.where(instances == 1, 1, 0), np.zeros((4, 6), int)):
        count = "a single cell" if alone.any() else "no cell"
        _expect_weights(gap_weights, f"with {count} `gap_weights`", alone, 10, 3)
    return "A lonely cell has no gap to guard; between three cells, the two nearest decide."


def _expect_weights(gap_weights, name, instances, w0, sigma):
    got = gap_weights(instances, w0, sigma)
    expect_shape(name, got, instances.shape)
    expect_array(name, to_numpy(got).astype(float), _gap_weights(instances, w0, sigma), tolerance=1e-4)


def _without_object(objects, probability):
    """The number of pieces of the foreground in which no object lies."""
    pieces = label(probability > 0.5, connectivity=1)
    return pieces.max() - len(np.unique(pieces[(objects > 0) & (pieces > 0)]))


@cache
def _merged_probabilities():
    """Truth, and what a network without border weights would say: probabilities that flow together."""
    maps = [sample["instances"].numpy() for sample in Cells(24, seed=77)]
    maps = [truth for truth in maps if 5 <= truth.max() <= 40]
    return [(truth, np.clip(1.2 * ndimage.gaussian_filter((truth > 0).astype(float), 1.0), 0, 1)) for truth in maps]


def _separate(probability):
    from skimage.morphology import h_maxima
    from skimage.segmentation import watershed

    foreground = probability > 0.5
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(foreground), 1)
    summits = label(h_maxima(depth, 0.5))
    return watershed(-depth, summits, mask=foreground)


@exercise(
    "Two merged nuclei have a waist. What has a nucleus in its middle that a waist has not?",
    "`distance_transform_edt` of the foreground has one summit for each nucleus; smooth it a little first.",
    "Label the summits (`skimage.morphology.h_maxima`), and let `skimage.segmentation.watershed` flood from them.",
    solution=_separate,
)
def q4(separate):
    if called := _calls_the_library(inspect.unwrap(separate)):
        raise NotYet(f"`{called}` is the library's; write your own: what has a nucleus that a waist has not?")
    maps, found, plain = [], [], []
    for truth, probability in _merged_probabilities():
        objects = _objects(separate, probability)
        maps.append((objects, probability))
        found.append(instance_f1(objects, truth))
        plain.append(instance_f1(label(probability > 0.5, connectivity=1), truth))
    reached, mark = (sum(scores[1:], scores[0]).f1 for scores in (found, plain))
    if reached < mark + 0.05:
        share = sum(s.true_positives + s.false_positives for s in found) / sum(
            s.true_positives + s.false_negatives for s in found
        )
        what = "about as many objects as there are, but not the same"
        if share < 0.9:
            what = "too few objects: what is merged stays merged"
        if share > 1.1:
            what = "too many objects: nuclei fall to pieces"
        lost = sum(_without_object(objects, probability) for objects, probability in maps)
        if share < 0.9 and lost > 20:
            what = (
                f"too few objects: {lost} pieces of the foreground hold none, so they got no marker. "
                "`peak_local_max` leaves out the rim unless `exclude_border=False`; smoothing takes small ones"
            )
        what = _no_instances(maps) or f"You find {what}."
        raise NotYet(f"object F1 {reached:.3f}; pieces have {mark:.3f}, wanted {mark + 0.05:.3f}. {what}")
    _expect_few(separate)
    return f"Object F1 {reached:.3f}; pieces have {mark:.3f}."


def _calls_the_library(function):
    """The name by which the function calls `split_touching`, None if it does not."""
    for name in function.__code__.co_names if inspect.isfunction(function) else ():
        if name == "split_touching" or function.__globals__.get(name) is split_touching:
            return name
    return None


def _no_instances(maps):
    """What a low score comes from if not from cutting; None otherwise."""
    objects, probability = (np.concatenate(each, axis=1) for each in zip(*maps, strict=True))
    if objects.max() <= 1:
        return "Your maps hold only 0 and 1: a mask. Every nucleus needs a number of its own."
    if (objects[probability < 0.1] > 0).mean() > 0.5:
        return "Your objects cover the background as well: give `watershed` the foreground as `mask`."
    if (objects[probability > 0.5] > 0).mean() < 0.5:
        return "Your objects cover less than half of the foreground: are they markers, from which nothing was flooded?"
    return None


def _objects(separate, probability):
    objects = separate(probability)
    expect_shape("`separate(probability)`", objects, probability.shape)
    objects = np.asarray(objects)
    if objects.dtype.kind not in "iu":
        raise NotYet(f"an instance map holds whole numbers, 0 for none and 1..n; yours holds {objects.dtype}.")
    if objects.min() < 0:
        raise NotYet(f"your instance map holds {objects.min()}; 0 for none and 1..n are wanted. Watershed's lines?")
    return objects


def _expect_few(separate):
    """Raise NotYet unless an empty picture stays empty, and a lone round nucleus one object. Not square."""
    rows, columns = np.mgrid[:30, :44]
    away = np.hypot(rows - 14, columns - 20)
    for inside, what in ((0, "a picture without nuclei"), (9, "a single round nucleus")):
        objects = _objects(separate, np.clip(0.5 + (inside - away) / 4, 0, 1) * (inside > 0))
        count = len(np.unique(objects[objects > 0]))
        if count != (inside > 0):
            raise NotYet(f"{what} gives {count} objects in your map, wanted {int(inside > 0)}.")
