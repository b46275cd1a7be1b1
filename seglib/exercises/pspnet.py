"""Exercises of lesson 10, PSPNet."""

from functools import cache

import numpy as np
import torch
from torch.nn import functional as F

from seglib.exercises import NotYet, exercise, expect_array, expect_none_of, expect_number, expect_shape
from seglib.scenes import Streets

ROAD, WATER, CAR, BOAT = (Streets.classes.index(name) for name in ("road", "water", "car", "boat"))


def _shared_rows(n, bins):
    times = [0] * n
    for i in range(bins):
        for row in range(i * n // bins, -(-(i + 1) * n // bins)):
            times[row] += 1
    return sum(count > 1 for count in times)


@exercise(
    "How often does each row occur in the bins of `cells(n, bins)`?",
    "Bin `i` takes the rows `range(i * n // bins, -(-(i + 1) * n // bins))`.",
    "Keep a list of `n` zeros, add 1 for every row of every bin, and count the entries above 1.",
    solution=_shared_rows,
)
def q1(shared_rows):
    for n, bins, want in [(4, 3, 2), (24, 6, 0), (6, 4, 2), (5, 2, 1), (3, 6, 3), (2, 5, 2), (7, 1, 0)]:
        got = shared_rows(n, bins)
        name = f"`shared_rows({n}, {bins})`"
        if n > bins and not isinstance(got, bool) and got == n % bins and got != want:
            raise NotYet(f"{name} is {got}, wanted {want}. That is the remainder; write down the bins and look.")
        if bins > n and got == 0:
            raise NotYet(f"{name} is 0, wanted {want}: with more bins than rows, every bin still takes a row.")
        expect_number(name, got, want)
    return "Where the bins divide the rows none is shared; else neighbours meet in a row that both take."


def _with_holes(kernel, rate):
    height, width = kernel.shape
    larger = kernel.new_zeros((height - 1) * rate + 1, (width - 1) * rate + 1)
    larger[::rate, ::rate] = kernel
    return larger


@exercise(
    "Three weights have two gaps between them, of `rate - 1` zeros each. How long is that?",
    "A side of `k` becomes `(k - 1) * rate + 1`.",
    "Make zeros of that size and assign the kernel to `larger[::rate, ::rate]`.",
    solution=_with_holes,
)
def q2(with_holes):
    kernel = torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
    got = with_holes(kernel, 2)
    if tuple(getattr(got, "shape", ())) == (6, 6):
        raise NotYet("the shape is (6, 6): no zeros are wanted behind the last row and column; 3 weights have 2 gaps.")
    expect_shape("`with_holes(kernel, 2)` for a 3x3 kernel", got, (5, 5))
    usual = {
        "the weights are repeated; the gaps want zeros": kernel.repeat_interleave(2, 0).repeat_interleave(2, 1)[:5, :5],
        "the zeros lie around the kernel; they belong between its weights": F.pad(kernel, (1, 1, 1, 1)),
    }
    expect_none_of("`with_holes(kernel, 2)`", got, usual)
    for rate in (2, 1, 3):
        expect_array(f"`with_holes(kernel, {rate})`", with_holes(kernel, rate), _with_holes(kernel, rate))
    oblong = torch.arange(1.0, 11).view(2, 5)
    expect_array("for a 2x5 kernel `with_holes(kernel, 4)`", with_holes(oblong, 4), _with_holes(oblong, 4))
    x = torch.rand(1, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    same = torch.allclose(
        F.conv2d(x, kernel[None, None], dilation=3), F.conv2d(x, with_holes(kernel, 3)[None, None]), atol=1e-4
    )
    return "And `F.conv2d` with it gives what `dilation` gives." if same else None


def _pyramid(features, bins):
    levels = [features]
    for b in bins:
        summary = F.adaptive_avg_pool2d(features, b)[None]
        levels.append(F.interpolate(summary, features.shape[-2:], mode="bilinear", align_corners=True)[0])
    return torch.cat(levels)


@exercise(
    "The class `Pyramid` of the lesson, without its 1x1 convolutions.",
    "`F.interpolate` wants a batch: add an axis with `[None]`, and take `[0]` afterwards.",
    "Begin with `levels = [features]`, append each level, and join them with `torch.cat(levels)`.",
    solution=_pyramid,
)
def q3(pyramid):
    features = torch.rand(3, 7, 9, generator=torch.Generator().manual_seed(1))
    got, want = pyramid(features, (1, 2, 6)), _pyramid(features, (1, 2, 6))
    name = "`pyramid(features, (1, 2, 6))`"
    if tuple(getattr(got, "shape", ())) == (9, 7, 9):
        raise NotYet(f"{name} has 9 channels, wanted 12: the features themselves belong to it, before the levels.")
    expect_shape(f"{name} for features (3, 7, 9)", got, want.shape)
    if torch.allclose(got[-3:], features):
        raise NotYet(f"{name}: the features come last; they are wanted first.")
    summary = F.adaptive_avg_pool2d(features, 2)[None]
    stretched, repeated = (F.interpolate(summary, (7, 9), mode=mode)[0] for mode in ("bilinear", "nearest"))
    usual = {
        "the levels are stretched with align_corners=False; corners are wanted on corners": stretched,
        "the cells are repeated as blocks (nearest); straight lines between them are wanted": repeated,
    }
    expect_none_of(name, got[6:9], usual)
    maximum = features.amax((1, 2), keepdim=True).expand(3, 7, 9)
    expect_none_of(name, got[3:6], {"that is the maximum over each cell; the average is wanted": maximum})
    expect_array(name, got, want)
    expect_array("`pyramid(features, ())`", pyramid(features, ()), features)
    return "The 1x1 level is a constant map: the same summary for every place."


def _strides(layers):
    return int(np.prod([stride for _, stride, _ in layers]))


def _view(layers):
    pixels, jump = 1, 1
    for kernel, stride, dilation in layers:
        pixels += (kernel - 1) * dilation * jump
        jump *= stride
    return pixels


def _keep_stride(layers, most):
    jump, rate, result = 1, 1, []
    for kernel, stride, _ in layers:
        if jump * stride <= most:
            result.append((kernel, stride, rate))
            jump *= stride
        else:
            result.append((kernel, 1, rate))
            rate *= stride
    return result


@exercise(
    "Walk through the layers with two numbers: the product of the strides kept, and of the strides taken away.",
    "A layer that loses its stride still reads the map as before: its own dilation does not change yet.",
    "Append `(kernel, 1, rate)` first, and only then `rate *= stride`.",
    solution=_keep_stride,
)
def q4(keep_stride):
    net = [(3, 2, 1), (3, 1, 1), (3, 2, 1), (3, 1, 1), (3, 2, 1), (3, 1, 1), (1, 2, 1), (3, 1, 1)]
    for most in (16, 8, 4, 2):
        name = f"`keep_stride(layers, {most})`"
        got = keep_stride([tuple(layer) for layer in net], most)
        if not isinstance(got, list) or not all(isinstance(g, tuple | list) and len(g) == 3 for g in got):
            raise NotYet(f"{name}: a list of (kernel, stride, dilation) is wanted, one for each layer.")
        got, want = [tuple(layer) for layer in got], _keep_stride(net, most)
        if [kernel for kernel, _, _ in got] != [kernel for kernel, _, _ in net]:
            raise NotYet(f"{name}: number and kernels of the layers must stay as they are; they hold the weights.")
        if _strides(got) != most:
            raise NotYet(f"{name}: the strides multiply to {_strides(got)}, wanted {most}.")
        if [stride for _, stride, _ in got] != [stride for _, stride, _ in want]:
            raise NotYet(f"{name}: keep the first strides and remove the last; large maps near the picture cost most.")
        if all(dilation == 1 for _, _, dilation in got) and got != want:
            raise NotYet(
                f"{name}: no layer has a dilation, so the field of view falls from {_view(net)} to {_view(got)} px."
            )
        if _view(got) != _view(net):
            why = "too little"
            if _view(got) > _view(net):
                why = "the layer that lost its stride comes *before* the gap"
            raise NotYet(f"{name}: it sees {_view(got)} px, wanted {_view(net)} as before: {why}.")
        for i, (mine, right) in enumerate(zip(got, want, strict=True)):
            if mine != right:
                raise NotYet(f"{name}[{i}] is {mine}, wanted {right}.")
    dilated = keep_stride([(3, 2, 1), (5, 4, 1), (3, 1, 1)], 2)
    if [tuple(layer) for layer in dilated] != [(3, 2, 1), (5, 1, 1), (3, 1, 4)]:
        raise NotYet(f"a stride of 4 that is removed leaves a dilation of 4 behind it; yours gives {dilated[-1]}.")
    return "Same weights, same view, and a map as large as you can pay for."


@cache
def _street_masks():
    return [sample["mask"].numpy() for sample in Streets(60, size=96, seed=77)]


def _name_vehicles(mask):
    """The first road or water below decides; where there is none, the larger one of the picture."""
    result = mask.copy()
    larger = BOAT if (mask == WATER).sum() > (mask == ROAD).sum() else CAR
    below = np.full(mask.shape[1], larger)
    for row in reversed(range(len(mask))):
        below = np.where(mask[row] == ROAD, CAR, np.where(mask[row] == WATER, BOAT, below))
        result[row] = np.where(mask[row] == CAR, below, mask[row])
    return result


@exercise(
    "The lesson has two witnesses: what lies right below, and the whole picture. One is better, one always knows.",
    "Go up each column from the bottom and remember the last ground that you met (`first_below` of the lesson).",
    "Start the column's memory with the larger ground of the picture instead of -1, and change vehicles only.",
    solution=_name_vehicles,
)
def q5(name_vehicles):
    errors, errors_of_summary = 0, 0  # pixels with the wrong name
    for truth in _street_masks():
        mask, vehicle = np.where(truth == BOAT, CAR, truth), (truth == CAR) | (truth == BOAT)
        got = name_vehicles(mask)
        expect_shape("`name_vehicles(mask)`", got, mask.shape)
        got = np.asarray(got)
        if not np.array_equal(got[~vehicle], mask[~vehicle]):
            raise NotYet("pixels that are no vehicles have changed their class; leave them as they are.")
        if not np.isin(got[vehicle], (CAR, BOAT)).all():
            raise NotYet(f"vehicles are {CAR} or {BOAT}; yours hold {np.unique(got[vehicle]).tolist()}.")
        summary = BOAT if (mask == WATER).sum() > (mask == ROAD).sum() else CAR
        errors += (got != truth).sum()
        errors_of_summary += (truth[vehicle] != summary).sum()
    percent = 100 * errors / errors_of_summary
    if percent > 50:
        words = "as many errors as" if errors == errors_of_summary else f"{percent:.0f} % of the errors of"
        raise NotYet(f"you leave {words} one summary of the whole picture; at most 50 % are wanted.")
    return f"You leave {percent:.0f} % of the errors of one summary."
