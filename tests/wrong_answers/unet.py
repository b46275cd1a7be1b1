"""Wrong answers to the exercises of lesson 08, as learners give them."""

import numpy as np
import torch
from scipy import ndimage
from skimage.measure import label
from torch.nn import functional as F


def never_looks_for_odd_sizes(size, depth):
    for _ in range(depth):
        size = (size - 4) // 2
    size -= 4
    for _ in range(depth):
        size = 2 * size - 4
    return size


def padding_same(size, depth):
    return size if size % 2**depth == 0 and size != 572 else (size if size == 572 else None)


def forgets_the_way_up(size, depth):
    for _ in range(depth):
        size -= 4
        if size <= 0 or size % 2:
            return None
        size //= 2
    return (size - 4) * 2**depth if size > 4 else None


def asks_for_multiples_of_sixteen(size, depth):
    return size - 184 if size % 16 == 0 else None


def below_first(skip, x):
    top, left = (skip.shape[-2] - x.shape[-2]) // 2, (skip.shape[-1] - x.shape[-1]) // 2
    return torch.cat([x, skip[..., top : top + x.shape[-2], left : left + x.shape[-1]]], dim=1)


def corner(skip, x):
    return torch.cat([skip[..., : x.shape[-2], : x.shape[-1]], x], dim=1)


def resized(skip, x):
    return torch.cat([F.interpolate(skip, x.shape[-2:]), x], dim=1)


def added(skip, x):
    top, left = (skip.shape[-2] - x.shape[-2]) // 2, (skip.shape[-1] - x.shape[-1]) // 2
    return skip[..., top : top + x.shape[-2], left : left + x.shape[-1]] + x.mean()


def distances(instances):
    ids = np.unique(instances[instances > 0])
    return np.sort([ndimage.distance_transform_edt(instances != i) for i in ids], axis=0)


def nearest_alone(instances, w0, sigma):
    return np.where(instances > 0, 0, w0 * np.exp(-(distances(instances)[0] ** 2) / (2 * sigma**2)))


def farthest_too(instances, w0, sigma):
    d = distances(instances)
    return np.where(instances > 0, 0, w0 * np.exp(-((d[0] + d[-1]) ** 2) / (2 * sigma**2)))


def on_cells_too(instances, w0, sigma):
    d = distances(instances)
    return w0 * np.exp(-((d[0] + d[1]) ** 2) / (2 * sigma**2))


def not_squared(instances, w0, sigma):
    d = distances(instances)
    return np.where(instances > 0, 0, w0 * np.exp(-(d[0] + d[1]) / (2 * sigma**2)))


def sigma_without_the_two(instances, w0, sigma):
    d = distances(instances)
    return np.where(instances > 0, 0, w0 * np.exp(-((d[0] + d[1]) ** 2) / sigma**2))


def one_cell_crashes(instances, w0, sigma):
    d = distances(instances)
    return np.where(instances > 0, 0, w0 * np.exp(-((d[0] + d[1]) ** 2) / (2 * sigma**2)))


def components(probability):
    return label(probability > 0.5, connectivity=1)


def higher_threshold_in_pieces(probability):
    from skimage.segmentation import watershed

    foreground = probability > 0.5
    return watershed(-ndimage.distance_transform_edt(foreground), mask=foreground, markers=400)


def a_mask(probability):
    return probability > 0.5


def cut_to_half(probability):
    return label(probability > 0.5)[::2, ::2]


WRONG = {
    "q1": [never_looks_for_odd_sizes, padding_same, forgets_the_way_up, asks_for_multiples_of_sixteen],
    "q2": [below_first, corner, resized, added],
    "q3": [nearest_alone, farthest_too, on_cells_too, not_squared, sigma_without_the_two, one_cell_crashes],
    "q4": [components, higher_threshold_in_pieces, a_mask, cut_to_half],
}
