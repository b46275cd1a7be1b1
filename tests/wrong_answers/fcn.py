"""Wrong answers to the exercises of lesson 07, as learners give them."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def filled(conv, weight, bias):
    with torch.no_grad():
        conv.weight.copy_(weight)
        conv.bias.copy_(bias)
    return conv


def still_dense(dense, channels, height, width):
    return nn.Sequential(nn.Flatten(), dense)


def forgets_the_bias(dense, channels, height, width):
    conv = nn.Conv2d(channels, dense.out_features, (height, width))
    return filled(conv, dense.weight.view_as(conv.weight), torch.zeros(dense.out_features))


def channels_last(dense, channels, height, width):
    conv = nn.Conv2d(channels, dense.out_features, (height, width))
    return filled(conv, dense.weight.view(-1, height, width, channels).permute(0, 3, 1, 2), dense.bias)


def columns_before_rows(dense, channels, height, width):
    conv = nn.Conv2d(channels, dense.out_features, (height, width))
    return filled(conv, dense.weight.view(-1, channels, width, height).transpose(2, 3), dense.bias)


def one_by_one(dense, channels, height, width):
    return nn.Conv2d(channels, dense.out_features, 1)


def padded(dense, channels, height, width):
    conv = nn.Conv2d(channels, dense.out_features, (height, width), padding=1)
    return filled(conv, dense.weight.view_as(conv.weight), dense.bias)


def fresh_weights(dense, channels, height, width):
    torch.manual_seed(0)
    return nn.Conv2d(channels, dense.out_features, (height, width))


def align_corners(row, factor):
    places = np.linspace(0, len(row) - 1, len(row) * factor)
    return np.interp(places, np.arange(len(row)), row)


def without_halves(row, factor):
    return np.interp(np.arange(len(row) * factor) / factor, np.arange(len(row)), row)


def repeated(row, factor):
    return np.repeat(row, factor)


def zeros_outside(row, factor):
    places = (np.arange(len(row) * factor) + 0.5) / factor - 0.5
    return np.interp(places, np.arange(-1, len(row) + 1), np.pad(row, 1))


def too_few(row, factor):
    return np.interp(np.arange(0, len(row) - 1, 1 / factor), np.arange(len(row)), row)


def weights_swapped(row, factor):
    places = (np.arange(len(row) * factor) + 0.5) / factor - 0.5
    left = np.floor(places).astype(int)
    share, last = places - left, len(row) - 1
    return share * row[np.clip(left, 0, last)] + (1 - share) * row[np.clip(left + 1, 0, last)]


def even_steps(padding):
    return 13, padding - 67


def moves_the_skip(padding):
    return padding - 83, padding - 67


def for_the_paper_only(padding):
    return 17, 33


def counts_from_the_kernels_corner(padding):
    return 17, padding - 66


def the_crop_of_stride_8(padding):
    return 17, padding - 69


def forgets_fc6(padding):
    return -7, padding + 29


def the_crop_alone(padding):
    return padding - 67


def enlarge(scores, size):
    return F.interpolate(scores[None], size=(size, size), mode="bilinear")[0]


def coarse_alone(coarse, fine):
    return enlarge(coarse, 96)


def fine_alone(coarse, fine):
    return enlarge(fine, 96)


def added_as_they_are(coarse, fine):
    return enlarge(enlarge(coarse, 24) + fine, 96)


def logarithm_of_zero(coarse, fine):
    return enlarge(enlarge(coarse, 24).log() + 0.3 * fine.log_softmax(0), 96)


def not_enlarged(coarse, fine):
    return (enlarge(coarse, 24) + 0.01).log() + 0.3 * fine.log_softmax(0)


def probabilities_added(coarse, fine):
    return enlarge(enlarge(coarse, 24) + fine.softmax(0), 96)


WRONG = {
    "q1": [still_dense, forgets_the_bias, channels_last, columns_before_rows, one_by_one, padded, fresh_weights],
    "q2": [align_corners, without_halves, repeated, zeros_outside, too_few, weights_swapped],
    "q3": [
        even_steps,
        moves_the_skip,
        for_the_paper_only,
        counts_from_the_kernels_corner,
        the_crop_of_stride_8,
        forgets_fc6,
        the_crop_alone,
    ],
    "q4": [coarse_alone, fine_alone, added_as_they_are, logarithm_of_zero, not_enlarged, probabilities_added],
}
