"""Answers to the exercises of lesson 07, as learners give them."""

import numpy as np
import torch
from exercise_proof import mutation
from torch import nn

from seglib.exercises.fcn import q1, q2, q3, q4

KERNELS = "dense.weight.view(dense.out_features, channels, height, width)"
FUSED = "(coarse + 0.01).log() + 0.3 * fine.log_softmax(0)"


def fresh_weights(dense, channels, height, width):
    torch.manual_seed(0)
    return nn.Conv2d(channels, dense.out_features, (height, width))


def align_corners(row, factor):
    places = np.linspace(0, len(row) - 1, len(row) * factor)
    return np.interp(places, np.arange(len(row)), row)


def zeros_outside(row, factor):
    places = (np.arange(len(row) * factor) + 0.5) / factor - 0.5
    return np.interp(places, np.arange(-1, len(row) + 1), np.pad(row, 1))


WRONG = {
    "q1": [
        lambda dense, channels, height, width: nn.Sequential(nn.Flatten(), dense),  # still dense
        mutation(q1.solution, ("conv.bias.copy_(dense.bias)", "conv.bias.zero_()")),
        mutation(q1.solution, (KERNELS, "dense.weight.view(-1, height, width, channels).permute(0, 3, 1, 2)")),
        mutation(q1.solution, (KERNELS, "dense.weight.view(-1, channels, width, height).transpose(2, 3)")),
        lambda dense, channels, height, width: nn.Conv2d(channels, dense.out_features, 1),  # one by one
        mutation(q1.solution, ("(height, width))\n", "(height, width), padding=1)\n")),
        fresh_weights,
    ],
    "q2": [
        align_corners,
        mutation(q2.solution, ("+ 0.5) / factor - 0.5", ") / factor")),
        lambda row, factor: np.repeat(row, factor),  # repeated
        zeros_outside,
        lambda row, factor: np.interp(np.arange(0, len(row) - 1, 1 / factor), np.arange(len(row)), row),  # too few
        mutation(q2.solution, ("(1 - share) * row", "share * row"), ("+ share * row", "+ (1 - share) * row")),
    ],
    "q3": [
        lambda padding: (13, padding - 67),  # even steps
        mutation(q3.solution, ("round((scores - pool2) / 4)", "padding - 83")),  # moves the skip
        lambda padding: (17, 33),  # for the paper only
        mutation(q3.solution, ("3.5", "4")),  # counts from the kernel's corner
        mutation(q3.solution, ("round(3.5 - scores)", "padding - 69")),  # the crop of stride 8
        mutation(q3.solution, (" + 32 * 3", "")),  # forgets fc6
        mutation(q3.solution, ("round((scores - pool2) / 4), ", "")),  # the crop alone
    ],
    "q4": [
        lambda coarse, fine: nn.functional.interpolate(coarse[None], size=(96, 96), mode="bilinear")[0],  # coarse alone
        mutation(q4.solution, (FUSED, "fine")),
        mutation(q4.solution, (FUSED, "coarse + fine")),
        mutation(q4.solution, ("coarse + 0.01", "coarse")),  # the logarithm of 0
        mutation(q4.solution, ('return F.interpolate(both[None], size=(96, 96), mode="bilinear")[0]', "return both")),
        mutation(q4.solution, (FUSED, "coarse + fine.softmax(0)")),
    ],
}
