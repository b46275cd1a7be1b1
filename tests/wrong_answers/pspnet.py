"""Wrong answers to the exercises of lesson 10, as learners give them."""

import numpy as np
import torch
from exercise_proof import mutation
from torch.nn import functional as F

from seglib.exercises.pspnet import BOAT, CAR, ROAD, WATER, q1, q2, q3, q4

SIDES = "(height - 1) * rate + 1, (width - 1) * rate + 1"
STRETCHED = 'mode="bilinear", align_corners=True'


def remainder(n, bins):
    return n % bins


def none_where_bins_are_more(n, bins):
    return sum((i * n) % bins > 0 for i in range(1, bins)) if n >= bins else 0


def repeated(kernel, rate):
    height, width = kernel.shape
    larger = kernel.repeat_interleave(rate, 0).repeat_interleave(rate, 1)
    return larger[: (height - 1) * rate + 1, : (width - 1) * rate + 1]


def padded(kernel, rate):
    return F.pad(kernel, (1, 1, 1, 1))


def rate_two_always(kernel, rate):
    return q2.solution(kernel, 2)


def square_only(kernel, rate):
    return q2.solution(kernel[:, : kernel.shape[0]], rate)


def features_last(features, bins):
    return torch.cat([q3.solution(features, bins)[3:], features])


def nothing_done(layers, most):
    return layers


def first_strides_go(layers, most):
    excess, rate, result = int(np.prod([stride for _, stride, _ in layers])) // most, 1, []
    for kernel, stride, _ in layers:
        if excess > 1 and stride > 1:
            result.append((kernel, 1, rate))
            excess, rate = excess // stride, rate * stride
        else:
            result.append((kernel, stride, rate))
    return result


def layers_dropped(layers, most):
    return [layer for layer in layers if layer[1] == 1]


def all_cars(mask):
    return mask


def one_summary(mask):
    boats = (mask == WATER).sum() > (mask == ROAD).sum()
    return np.where((mask == CAR) & boats, BOAT, mask)


def any_water_makes_boats(mask):
    return np.where((mask == CAR) & (mask == WATER).any(), BOAT, mask)


def everything_near_water(mask):
    return np.where((mask == CAR) | (mask == 4), BOAT, mask)


def three_strips(mask):
    return np.concatenate([one_summary(part) for part in np.array_split(mask, 3)])


def shares(mask):
    return np.where(mask == CAR, WATER, mask)


WRONG = {
    "q1": [
        remainder,
        none_where_bins_are_more,
        mutation(q1.solution, ("-(-(i + 1) * n // bins)", "(i + 1) * n // bins")),  # ends rounded down
        mutation(q1.solution, ("sum(count > 1 for count in times)", "sum(times) - n")),
    ],
    "q2": [
        mutation(q2.solution, (SIDES, "height * rate, width * rate")),  # zeros behind the last weight too
        repeated,
        padded,
        rate_two_always,
        square_only,
    ],
    "q3": [
        mutation(q3.solution, ("levels = [features]", "levels = []")),
        features_last,
        mutation(q3.solution, (STRETCHED, 'mode="bilinear"')),
        mutation(q3.solution, (STRETCHED, 'mode="nearest"')),
        mutation(q3.solution, ("adaptive_avg_pool2d", "adaptive_max_pool2d")),
        mutation(q3.solution, ("torch.cat(levels)", "sum(levels)")),
    ],
    "q4": [
        mutation(q4.solution, ("rate *= stride", "rate = 1")),  # strides only
        mutation(q4.solution, ("(kernel, 1, rate)", "(kernel, 1, rate * stride)")),  # one layer early
        nothing_done,
        first_strides_go,
        mutation(q4.solution, ("rate *= stride", "rate = 2")),  # rate two for all that follow
        layers_dropped,
    ],
    "q5": [all_cars, one_summary, any_water_makes_boats, everything_near_water, three_strips, shares],
}
