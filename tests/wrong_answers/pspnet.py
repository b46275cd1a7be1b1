"""Wrong answers to the exercises of lesson 10, as learners give them."""

import numpy as np
import torch
from torch.nn import functional as F


def remainder(n, bins):
    return n % bins


def none_where_bins_are_more(n, bins):
    return sum((i * n) % bins > 0 for i in range(1, bins)) if n >= bins else 0


def ends_rounded_down(n, bins):
    rows = [row for i in range(bins) for row in range(i * n // bins, (i + 1) * n // bins)]
    return sum(rows.count(row) > 1 for row in range(n))


def counts_bins(n, bins):
    rows = [row for i in range(bins) for row in range(i * n // bins, -(-(i + 1) * n // bins))]
    return len(rows) - n


def zeros_behind_too(kernel, rate):
    larger = kernel.new_zeros(kernel.shape[0] * rate, kernel.shape[1] * rate)
    larger[::rate, ::rate] = kernel
    return larger


def repeated(kernel, rate):
    height, width = kernel.shape
    larger = kernel.repeat_interleave(rate, 0).repeat_interleave(rate, 1)
    return larger[: (height - 1) * rate + 1, : (width - 1) * rate + 1]


def padded(kernel, rate):
    return F.pad(kernel, (1, 1, 1, 1))


def rate_two_always(kernel, rate):
    larger = kernel.new_zeros(2 * kernel.shape[0] - 1, 2 * kernel.shape[1] - 1)
    larger[::2, ::2] = kernel
    return larger


def square_only(kernel, rate):
    side = (kernel.shape[0] - 1) * rate + 1
    larger = kernel.new_zeros(side, side)
    larger[::rate, ::rate] = kernel[:, : kernel.shape[0]]
    return larger


def levels(features, bins, pool=F.adaptive_avg_pool2d, **rule):
    rule = rule or {"mode": "bilinear", "align_corners": True}
    return [F.interpolate(pool(features, b)[None], features.shape[-2:], **rule)[0] for b in bins]


def without_the_features(features, bins):
    return torch.cat([features[:0], *levels(features, bins)])


def features_last(features, bins):
    return torch.cat([*levels(features, bins), features])


def corners_beside(features, bins):
    return torch.cat([features, *levels(features, bins, mode="bilinear")])


def blocks(features, bins):
    return torch.cat([features, *levels(features, bins, mode="nearest")])


def maxima(features, bins):
    return torch.cat([features, *levels(features, bins, F.adaptive_max_pool2d)])


def added(features, bins):
    return features + sum(levels(features, bins))


def strides_only(layers, most):
    jump, result = 1, []
    for kernel, stride, _ in layers:
        stride = stride if jump * stride <= most else 1
        jump *= stride
        result.append((kernel, stride, 1))
    return result


def rate_one_layer_early(layers, most):
    jump, rate, result = 1, 1, []
    for kernel, stride, _ in layers:
        if jump * stride > most:
            rate *= stride
            stride = 1
        jump *= stride
        result.append((kernel, stride, rate))
    return result


def nothing_done(layers, most):
    return layers


def first_strides_go(layers, most):
    excess, result = int(np.prod([stride for _, stride, _ in layers])) // most, []
    rate = 1
    for kernel, stride, _ in layers:
        if excess > 1 and stride > 1:
            result.append((kernel, 1, rate))
            excess, rate = excess // stride, rate * stride
        else:
            result.append((kernel, stride, rate))
    return result


def rate_two_for_all_that_follow(layers, most):
    jump, rate, result = 1, 1, []
    for kernel, stride, _ in layers:
        result.append((kernel, stride if jump * stride <= most else 1, rate))
        jump, rate = (jump * stride, rate) if jump * stride <= most else (jump, 2)
    return result


def layers_dropped(layers, most):
    return [layer for layer in layers if layer[1] == 1]


def all_cars(mask):
    return mask


def one_summary(mask):
    boats = (mask == 5).sum() > (mask == 3).sum()
    return np.where((mask == 6) & boats, 7, mask)


def any_water_makes_boats(mask):
    return np.where((mask == 6) & (mask == 5).any(), 7, mask)


def everything_near_water(mask):
    return np.where((mask == 6) | (mask == 4), 7, mask)


def three_strips(mask):
    return np.concatenate([one_summary(part) for part in np.array_split(mask, 3)])


def shares(mask):
    return np.where(mask == 6, 5, mask)


WRONG = {
    "q1": [remainder, none_where_bins_are_more, ends_rounded_down, counts_bins],
    "q2": [zeros_behind_too, repeated, padded, rate_two_always, square_only],
    "q3": [without_the_features, features_last, corners_beside, blocks, maxima, added],
    "q4": [
        strides_only,
        rate_one_layer_early,
        nothing_done,
        first_strides_go,
        rate_two_for_all_that_follow,
        layers_dropped,
    ],
    "q5": [all_cars, one_summary, any_water_makes_boats, everything_near_water, three_strips, shares],
}
