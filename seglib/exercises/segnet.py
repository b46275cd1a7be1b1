"""Exercises of lesson 09, SegNet."""

from functools import cache

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_shape
from seglib.losses import class_weights
from seglib.models.segnet import SegNetBasic
from seglib.scenes import Streets
from seglib.training import fit, predict_logits

MARGIN = 0.03  # of all errors, by which exercise 5 wants the variance to be beaten


def _sizes_up(height, width, levels):
    sizes = []
    for _ in range(levels):
        sizes.append((height, width))
        height, width = (height + 1) // 2, (width + 1) // 2
    return sizes[::-1]


@exercise(
    "Doubling cannot tell whether 23 came from 45 or from 46. Who can?",
    "Walk down from the picture, write each size into a list before it is halved, and turn the list round.",
    "`(n + 1) // 2` is half of `n`, rounded up. The bottom itself does not belong to the list.",
    solution=_sizes_up,
)
def q1(sizes_up):
    for height, width, levels in [(96, 96, 4), (360, 480, 5), (97, 45, 4), (5, 4, 3)]:
        call = f"`sizes_up({height}, {width}, {levels})`"
        got, want = sizes_up(height, width, levels), _sizes_up(height, width, levels)
        try:
            got = [tuple(map(int, size)) for size in got]
        except TypeError:
            raise NotYet(f"{call} is {got!r}, wanted a list of pairs (rows, columns).") from None
        if got == want:
            continue
        if got == want[::-1]:
            raise NotYet(f"{call} is upside down: the deepest size comes first.")
        if len(got) == len(want) + 1 and got[1:] == want:
            raise NotYet(f"{call} begins with {got[0]}, the bottom itself; the first unpooling has not happened there.")
        if got == [(size[1], size[0]) for size in want]:
            raise NotYet(f"{call}: rows and columns are swapped.")
        if got == [(height >> level, width >> level) for level in reversed(range(levels))]:
            raise NotYet(f"{call} is {got}: you round down. SegNet's poolings round up, 45 -> 23.")
        if got and got[-1] != want[-1]:
            raise NotYet(f"{call} ends with {got[-1]}, wanted {want[-1]}: doubling does not lead back to odd sizes.")
        raise NotYet(f"{call} is {got}, wanted {want}.")
    return "Go down first and remember; the way up reads the list backwards."


def _unpool(values, indices, size):
    channels = values.shape[0]
    flat = torch.zeros(channels, size[0] * size[1], dtype=values.dtype)
    return flat.scatter(1, indices.flatten(1), values.flatten(1)).view(channels, *size)


@exercise(
    "An index counts through one channel, row by row. How does a channel look in which it simply counts?",
    "Flatten rows and columns to one axis: zeros `(C, H * W)`, values and indices `(C, h * w)`.",
    "`zeros.scatter(1, indices.flatten(1), values.flatten(1))`, then `view(C, H, W)`.",
    solution=_unpool,
)
def q2(unpool):
    maps = torch.rand(3, 7, 10, generator=torch.Generator().manual_seed(8))
    values, indices = F.max_pool2d(maps, 2, ceil_mode=True, return_indices=True)
    name = "`unpool(values, indices, (7, 10))`"
    got, want = unpool(values, indices, (7, 10)), F.max_unpool2d(values, indices, 2, output_size=(7, 10))
    expect_shape(f"{name} for values (3, 4, 5)", got, (3, 7, 10))
    nearest = values.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, :7]
    corners = torch.zeros(3, 8, 10)
    corners[:, ::2, ::2] = values
    flat = torch.zeros(210).index_put((indices.flatten(),), values.flatten()).view(3, 7, 10)
    usual = {
        "each value fills its whole window; it belongs to one place, with zeros around it": nearest,
        "the values stand in the upper left corners of their windows: the indices are not used": corners[:, :7],
        "every channel shows all channels' values; each has its own indices": flat[:1].expand(3, 7, 10),
        "all values landed in channel 0: an index counts through one channel, not through all": flat,
    }
    expect_none_of(name, got, usual)
    expect_array(name, got, want)
    return "`scatter` writes where `gather` would read: the two undo each other."


def _pack(indices, width):
    rows, columns = np.divmod(indices.numpy().ravel(), width)
    places = (2 * (rows % 2) + columns % 2).astype(np.uint8)
    fours = np.pad(places, (0, -len(places) % 4)).reshape(-1, 4)
    return fours[:, 0] | fours[:, 1] << 2 | fours[:, 2] << 4 | fours[:, 3] << 6


def _codes(packed):
    """The four numbers 0..3 in each byte, from the lowest bits to the highest."""
    return np.stack([(packed >> shift) & 3 for shift in (0, 2, 4, 6)], axis=1)


@exercise(
    "An index gives its row and its column in the map. Which of the four places in its window is that?",
    "Windows begin at even rows and columns, so the place is `2 * (row % 2) + column % 2`.",
    "Pad to a multiple of four, `reshape(-1, 4)`, and join the columns with `|` after shifting by 0, 2, 4 and 6.",
    solution=_pack,
)
def q3(pack):
    generator = torch.Generator().manual_seed(2)
    for height, width in [(4, 8), (6, 9)]:
        _, indices = F.max_pool2d(
            torch.rand(1, height, width, generator=generator), 2, ceil_mode=True, return_indices=True
        )
        got, want = pack(indices[0], width), _pack(indices[0], width)
        call = f"`pack(indices, {width})` for indices {tuple(indices.shape[1:])}"
        if isinstance(got, torch.Tensor):
            got = got.numpy()
        if np.shape(got) == (indices.numel(),):
            raise NotYet(f"{call} has {indices.numel()} numbers, one per index: that is a byte each, not two bits.")
        expect_shape(call, got, want.shape)
        if got.dtype != np.uint8:
            raise NotYet(f"{call} holds {got.dtype}; bytes are `uint8`.")
        codes, wanted = _codes(got), _codes(want)
        modulo_four = np.pad(indices.numpy().ravel() % 4, (0, -indices.numel() % 4))
        usual = {
            "the first index of each byte is in the highest bits, wanted in the lowest": wanted[:, ::-1],
            "you count the window's places column by column; 1 is right of 0, 2 is below it": wanted // 2
            + wanted % 2 * 2,
            "an index modulo 4 is not its place in the window; its row and column decide": modulo_four.reshape(-1, 4),
        }
        expect_none_of(call, codes, usual)
        expect_array(call, got.astype(int), want.astype(int))
    return "A byte for four windows: 32 times less than PyTorch's int64."


def _median_frequency(counts):
    shows = counts > 0
    occurs = shows.any(0)
    pixels = (counts.sum(1, keepdims=True) * shows).sum(0)
    frequency = counts.sum(0)[occurs] / pixels[occurs]
    weights = np.zeros(counts.shape[1])
    weights[occurs] = np.median(frequency) / frequency
    return weights


@exercise(
    "For each class, the pixels of which pictures count below the line?",
    "`counts > 0` says which picture shows which class; multiply it by the pictures' sums and add over pictures.",
    "Take frequency and median for the classes with `counts.sum(0) > 0` only, and leave the others at 0.",
    solution=_median_frequency,
)
def q4(median_frequency):
    counts = np.array([[60, 30, 0, 0, 10], [50, 20, 20, 0, 0], [900, 50, 0, 0, 30], [0, 70, 30, 0, 4]])
    got = np.asarray(median_frequency(counts), float)
    expect_shape("`median_frequency(counts)` for counts (4, 5)", got, (5,))
    want = class_weights(counts).numpy().astype(float)
    total, seen = counts.sum(0), counts.sum(0) > 0
    share = total / total.sum()
    shown = (counts.sum(1, keepdims=True) * (counts > 0)).sum(0)
    frequency = total[seen] / shown[seen]
    if np.isinf(got).any() or np.isnan(got).any():
        raise NotYet("Class 3 never occurs, and its weight is not a number. It gets 0.")
    usual = {
        "it is made of shares of all pixels, not of those pictures that show the class": np.median(share[seen])
        / share[seen],
        "it is one over the frequency; the median is missing": 1 / frequency,
        "it is mean over frequency; the median is wanted, one rare class must not move it": frequency.mean()
        / frequency,
        "it is upside down: rare classes weigh less than frequent ones": frequency / np.median(frequency),
        "its median counts class 3, which never occurs, as 0": np.median([*frequency, 0]) / frequency,
    }
    expect_none_of("`median_frequency(counts)`", got[seen], usual, tolerance=1e-4)
    expect_array("`median_frequency(counts)`", got, want)
    return "The class in the middle weighs 1, whatever the number of pictures."


@cache
def _asked_again_and_again():
    """A small SegNet-Basic with dropout asked about 30 streets: samples (30, S, K, H, W), where wrong, what counts."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = SegNetBasic(len(Streets.classes), width=12)
        for level in (3, 2, 1):
            net.decoder[level].append(nn.Dropout(0.5))
        fit(net, Streets(120, size=48, seed=3), steps=80, batch_size=4, learning_rate=1e-2, progress=False)
        for module in net.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        test = list(Streets(30, size=48, seed=4))
        images, truth = (torch.stack([sample[key] for sample in test]) for key in ("image", "mask"))
        samples = torch.stack([predict_logits(net, images).softmax(1).cpu() for _ in range(12)])
    wrong = samples.mean(0).argmax(1) != truth
    return samples.movedim(1, 0), wrong, truth != 255


def _share_found(suspicion, part=0.1):
    """Which share of the errors lies in the most suspicious part of the pixels, all pictures together."""
    samples, wrong, counted = _asked_again_and_again()
    maps = torch.stack([torch.as_tensor(suspicion(each)).float() for each in samples])
    if not maps.isfinite().all():
        raise NotYet("Your map holds NaN or infinity: is it the logarithm of a probability that is 0?")
    errors = wrong[counted][maps[counted].argsort(descending=True)]
    return float(errors[: int(part * len(errors))].sum() / errors.sum())


def _variance(samples):
    return samples.var(0).mean(0)


def _suspicion(samples):
    return 1 - samples.mean(0).amax(0)


@exercise(
    "Variance sees where samples contradict each other. What of pixels where all of them hesitate alike?",
    "Look at the mean over the samples alone: how far ahead of the others is its best class?",
    "`1 - samples.mean(0).amax(0)`, or the entropy of `samples.mean(0)`; try both, and sums with the variance.",
    solution=_suspicion,
)
def q5(suspicion):
    few = torch.rand(4, 3, 5, 6, generator=torch.Generator().manual_seed(1)).softmax(1)
    expect_shape("`suspicion(samples)` for samples (4, 3, 5, 6)", suspicion(few), (5, 6))
    reached, mark = _share_found(suspicion), _share_found(_variance)
    told = f"The most suspicious tenth holds {reached:.1%} of the errors; the variance has {mark:.1%}"
    if reached < mark + MARGIN <= _share_found(lambda samples: -suspicion(samples)):
        raise NotYet(f"{told}. Your map is upside down: its calmest tenth holds more.")
    if reached < mark + MARGIN:
        raise NotYet(f"{told}, wanted {mark + MARGIN:.1%}. A pixel can be torn in the same way in every sample.")
    return f"{told}."
