"""Whole answers to the exercises of lesson 08, right ones and wrong ones; tests/answers/unet.py says which."""

import numpy as np
import torch
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.measure import label
from skimage.segmentation import watershed
from torch.nn import functional as F
from torchvision.transforms.functional import center_crop

from seglib.exercises.unet import q1, q2, q3, q4
from seglib.losses import border_weights
from seglib.models.unet import valid_output_size

# --- q1 ---


def by_division(size, depth):
    """Closed form: the lowest map's side first."""
    step = 2**depth
    lowest, rest = divmod(size - 4 * (step - 1), step)
    output = step * (lowest - 4) - 4 * (step - 1)
    return output if rest == 0 and output > 0 else None


def recursive(size, depth):
    inside = size - 4
    if depth == 0:
        return inside if inside > 0 else None
    if inside <= 0 or inside % 2:
        return None
    below = recursive(inside // 2, depth - 1)
    return None if below is None or 2 * below - 4 <= 0 else 2 * below - 4


def by_library(size, depth):
    try:
        return valid_output_size(size, depth)
    except ValueError:
        return None


def in_numpy(size, depth):
    found = q1.solution(np.int64(size), depth)
    return None if found is None else np.int64(found)


def odd_by_bit(size, depth):
    for _ in range(depth):
        size -= 4
        if size & 1 or size < 2:
            return None
        size >>= 1
    size -= 4
    for _ in range(depth):
        size = 2 * size - 4
    return size if size > 0 else None


def looked_at_after_halving(size, depth):
    """The next level's side is tested; the last one is not."""
    for level in range(depth):
        size = (size - 4) // 2
        if level < depth - 1 and size % 2:
            return None
    size -= 4
    for _ in range(depth):
        size = 2 * size - 4
    return size if size > 0 else None


# --- q2 ---


def by_torchvision(skip, x):
    return torch.cat([center_crop(skip, list(x.shape[-2:])), x], dim=1)


def by_negative_padding(skip, x):
    rows, columns = skip.shape[-2] - x.shape[-2], skip.shape[-1] - x.shape[-1]
    top, left = rows // 2, columns // 2
    return torch.cat([F.pad(skip, (-left, left - columns, -top, top - rows)), x], dim=1)


def by_narrow(skip, x):
    for axis in (2, 3):
        margin = skip.shape[axis] - x.shape[axis]
        skip = skip.narrow(axis, -(-margin // 2), x.shape[axis])
    return torch.concat((skip, x), 1)


def negative_ends(skip, x):
    """`skip[..., m:-m]` is empty where the margin is 0."""
    rows, columns = (skip.shape[-2] - x.shape[-2]) // 2, (skip.shape[-1] - x.shape[-1]) // 2
    return torch.cat([skip[..., rows:-rows, columns:-columns], x], dim=1)


def one_margin(skip, x):
    margin = (skip.shape[-2] - x.shape[-2]) // 2
    return torch.cat([skip[..., margin : margin + x.shape[-2], margin : margin + x.shape[-1]], x], dim=1)


def one_pixel_less(skip, x):
    top, left = (skip.shape[-2] - x.shape[-2] - 1) // 2, (skip.shape[-1] - x.shape[-1] - 1) // 2
    return torch.cat([skip[..., top : top + x.shape[-2], left : left + x.shape[-1]], x], dim=1)


def through_numpy(skip, x):
    return torch.from_numpy(q2.solution(skip.detach(), x.detach()).numpy())


# --- q3 ---


def gap_of_library(instances, w0, sigma):
    return border_weights(instances, w0=w0, sigma=sigma).numpy()


def one_by_one(instances, w0, sigma):
    """Nearest and second nearest are kept while the cells are gone through."""
    first = np.full(instances.shape, np.inf)
    second = first.copy()
    for number in np.unique(instances)[1:] if (instances == 0).any() else np.unique(instances):
        away = ndimage.distance_transform_edt(instances != number)
        second = np.minimum(second, np.maximum(first, away))
        first = np.minimum(first, away)
    return w0 * np.exp(-((first + second) ** 2) / (2 * sigma**2)) * (instances == 0)


def by_partition(instances, w0, sigma):
    numbers = [n for n in np.unique(instances) if n > 0]
    if len(numbers) < 2:
        return np.zeros(instances.shape, np.float32)
    away = np.stack([ndimage.distance_transform_edt(instances != n) for n in numbers])
    nearest = np.partition(away, 1, axis=0)[:2].sum(0)
    out = np.zeros(instances.shape, np.float32)
    out[instances == 0] = (w0 * np.exp(-0.5 * (nearest / sigma) ** 2))[instances == 0]
    return out


def pixel_by_pixel(instances, w0, sigma):
    out = np.zeros(instances.shape)
    places = {n: np.argwhere(instances == n) for n in np.unique(instances) if n}
    if len(places) < 2:
        return out
    for place in np.argwhere(instances == 0):
        away = sorted(np.sqrt(((cell - place) ** 2).sum(1)).min() for cell in places.values())
        out[tuple(place)] = w0 * np.exp(-((away[0] + away[1]) ** 2) / (2 * sigma**2))
    return out


def up_to_the_largest(instances, w0, sigma):
    """Every number up to the largest, whether there is such a cell or not."""
    numbers = range(1, int(instances.max()) + 1)
    if len(numbers) < 2:
        return np.zeros(instances.shape)
    away = np.sort([ndimage.distance_transform_edt(instances != n) for n in numbers], axis=0)
    return np.where(instances == 0, w0 * np.exp(-((away[0] + away[1]) ** 2) / (2 * sigma**2)), 0)


def renumbered_by_label(instances, w0, sigma):
    """Cells that touch become one."""
    return q3.solution(label(instances > 0, connectivity=1), w0, sigma)


def pieces_of_cells(instances, w0, sigma):
    """`label` keeps numbers that touch apart, and takes a cell in two pieces for two."""
    return q3.solution(label(instances, connectivity=1), w0, sigma)


def city_blocks(instances, w0, sigma):
    numbers = np.unique(instances[instances > 0])
    if len(numbers) < 2:
        return np.zeros(instances.shape)
    away = np.sort([ndimage.distance_transform_cdt(instances != n, "taxicab") for n in numbers], axis=0)
    return np.where(instances == 0, w0 * np.exp(-((away[0] + away[1]) ** 2.0) / (2 * sigma**2)), 0)


def to_the_centres(instances, w0, sigma):
    numbers = np.unique(instances[instances > 0])
    if len(numbers) < 2:
        return np.zeros(instances.shape)
    rows, columns = np.indices(instances.shape)
    centres = [np.argwhere(instances == n).mean(0) for n in numbers]
    away = np.sort([np.hypot(rows - r, columns - c) for r, c in centres], axis=0)
    return np.where(instances == 0, w0 * np.exp(-((away[0] + away[1]) ** 2) / (2 * sigma**2)), 0)


def written_into_the_map(instances, w0, sigma):
    """An array like the map holds whole numbers: the terms are cut off."""
    out = np.zeros_like(instances)
    term = q3.solution(instances, w0, sigma)
    out[instances == 0] = term[instances == 0]
    return out


def overwrites(instances, w0, sigma):
    term = q3.solution(instances, w0, sigma)
    instances[:] = 0
    return term


# --- q4 ---


def by_peaks(probability):
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(probability > 0.5), 1)
    summits = np.zeros(probability.shape, int)
    for number, place in enumerate(peak_local_max(depth, min_distance=4, labels=label(probability > 0.5)), start=1):
        summits[tuple(place)] = number
    return watershed(-depth, summits, mask=probability > 0.5)


def by_cores(probability):
    """What is left two pixels inside is a core; every pixel goes to its nearest one."""
    foreground = probability > 0.5
    depth = ndimage.distance_transform_edt(foreground)
    cores = label(depth > 0.6 * ndimage.maximum_filter(depth, 11), connectivity=1)
    return watershed(-depth, cores * foreground, mask=foreground)


def by_library_unseen(probability):
    from seglib.classical import split_touching as own

    return own(probability > 0.5)


def by_h(probability):
    """Summits from the distance alone, at most 0.75 px deep saddles filled, by hand."""
    foreground = probability > 0.5
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(foreground), 1.0)
    seed = np.maximum(depth - 0.75, 0)
    for _ in range(200):
        grown = np.minimum(ndimage.grey_dilation(seed, size=(3, 3)), depth)
        if np.array_equal(grown, seed):
            break
        seed = grown
    summits = label((depth - seed > 0) & (ndimage.maximum_filter(depth - seed, 5) - (depth - seed) < 0.2))
    return watershed(-depth, summits * foreground, mask=foreground).astype(np.uint16)


def fixed_squares(probability):
    rows, columns = np.indices(probability.shape)
    return np.where(probability > 0.5, 1 + rows // 16 * 6 + columns // 16, 0)


def lines_of_minus_one(probability):
    found = q4.solution(probability)
    return np.where((found == 0) & (probability > 0.4), -1, found)
