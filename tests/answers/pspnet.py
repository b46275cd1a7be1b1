"""Answers to the exercises of lesson 10, as learners give them."""

import numpy as np
import torch
from exercise_proof import mutation
from torch.nn import functional as F

from seglib.exercises.pspnet import BOAT, CAR, ROAD, WATER, q1, q2, q3, q4

SIDES = "(height - 1) * rate + 1, (width - 1) * rate + 1"
STRETCHED = 'mode="bilinear", align_corners=True'


def repeated(kernel, rate):
    height, width = kernel.shape
    larger = kernel.repeat_interleave(rate, 0).repeat_interleave(rate, 1)
    return larger[: (height - 1) * rate + 1, : (width - 1) * rate + 1]


def first_strides_go(layers, most):
    excess, rate, result = int(np.prod([stride for _, stride, _ in layers])) // most, 1, []
    for kernel, stride, _ in layers:
        if excess > 1 and stride > 1:
            result.append((kernel, 1, rate))
            excess, rate = excess // stride, rate * stride
        else:
            result.append((kernel, stride, rate))
    return result


def one_summary(mask):
    boats = (mask == WATER).sum() > (mask == ROAD).sum()
    return np.where((mask == CAR) & boats, BOAT, mask)


WRONG = {
    "q1": [
        lambda n, bins: n % bins,  # remainder
        lambda n, bins: sum((i * n) % bins > 0 for i in range(1, bins)) if n >= bins else 0,  # none where bins are more
        mutation(q1.solution, ("-(-(i + 1) * n // bins)", "(i + 1) * n // bins")),  # ends rounded down
        mutation(q1.solution, ("sum(count > 1 for count in times)", "sum(times) - n")),
    ],
    "q2": [
        mutation(q2.solution, (SIDES, "height * rate, width * rate")),  # zeros behind the last weight too
        repeated,
        lambda kernel, rate: F.pad(kernel, (1, 1, 1, 1)),  # padded
        lambda kernel, rate: q2.solution(kernel, 2),  # rate two always
        lambda kernel, rate: q2.solution(kernel[:, : kernel.shape[0]], rate),  # square only
    ],
    "q3": [
        mutation(q3.solution, ("levels = [features]", "levels = []")),
        lambda features, bins: torch.cat([q3.solution(features, bins)[3:], features]),  # features last
        mutation(q3.solution, (STRETCHED, 'mode="bilinear"')),
        mutation(q3.solution, (STRETCHED, 'mode="nearest"')),
        mutation(q3.solution, ("adaptive_avg_pool2d", "adaptive_max_pool2d")),
        mutation(q3.solution, ("torch.cat(levels)", "sum(levels)")),
    ],
    "q4": [
        mutation(q4.solution, ("rate *= stride", "rate = 1")),  # strides only
        mutation(q4.solution, ("(kernel, 1, rate)", "(kernel, 1, rate * stride)")),  # one layer early
        lambda layers, most: layers,  # nothing done
        first_strides_go,
        mutation(q4.solution, ("rate *= stride", "rate = 2")),  # rate two for all that follow
        lambda layers, most: [layer for layer in layers if layer[1] == 1],  # layers dropped
    ],
    "q5": [
        one_summary,
        lambda mask: mask,  # all cars
        lambda mask: np.where((mask == CAR) & (mask == WATER).any(), BOAT, mask),  # any water makes boats
        lambda mask: np.where((mask == CAR) | (mask == 4), BOAT, mask),  # everything near water
        lambda mask: np.concatenate([one_summary(part) for part in np.array_split(mask, 3)]),  # three strips
        lambda mask: np.where(mask == CAR, WATER, mask),  # shares
    ],
}
