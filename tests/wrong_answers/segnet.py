"""Wrong answers to the exercises of lesson 09, as learners give them."""

import numpy as np
import torch


def rounds_down(height, width, levels):
    return [(height >> level, width >> level) for level in range(levels)][::-1]


def deepest_last(height, width, levels):
    sizes = []
    for _ in range(levels):
        sizes.append((height, width))
        height, width = (height + 1) // 2, (width + 1) // 2
    return sizes


def with_the_bottom(height, width, levels):
    bottom = (-(-height // 2**levels), -(-width // 2**levels))
    return [bottom, *deepest_last(height, width, levels)[::-1]]


def doubles(height, width, levels):
    bottom = (-(-height // 2**levels), -(-width // 2**levels))
    return [(bottom[0] << level, bottom[1] << level) for level in range(1, levels + 1)]


def columns_first(height, width, levels):
    return deepest_last(width, height, levels)[::-1]


def rows_alone(height, width, levels):
    return [size[0] for size in deepest_last(height, width, levels)[::-1]]


def nearest(values, indices, size):
    return values.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, : size[0], : size[1]]


def corners(values, indices, size):
    out = torch.zeros(values.shape[0], size[0] + size[0] % 2, size[1] + size[1] % 2)
    out[:, ::2, ::2] = values
    return out[:, : size[0], : size[1]]


def channels_mixed(values, indices, size):
    flat = torch.zeros(size[0] * size[1])
    flat[indices.flatten()] = values.flatten()
    return flat.view(1, *size).repeat(values.shape[0], 1, 1)


def all_in_the_first_channel(values, indices, size):
    flat = torch.zeros(values.shape[0] * size[0] * size[1])
    flat[indices.flatten()] = values.flatten()
    return flat.view(-1, *size)


def doubled_size(values, indices, size):
    return torch.nn.functional.max_unpool2d(values, indices % (2 * values.shape[2]), 2)


def indices_for_values(values, indices, size):
    flat = torch.zeros(values.shape[0], size[0] * size[1])
    return flat.scatter(1, indices.flatten(1), indices.flatten(1).float()).view(-1, *size)


def places_in_window(indices, width):
    rows, columns = np.divmod(indices.numpy().ravel(), width)
    return (2 * (rows % 2) + columns % 2).astype(np.uint8)


def join(places, order=(0, 1, 2, 3)):
    fours = np.pad(places, (0, -len(places) % 4)).reshape(-1, 4)
    return sum(fours[:, i].astype(np.uint8) << np.uint8(2 * bits) for bits, i in enumerate(order)).astype(np.uint8)


def a_byte_each(indices, width):
    return places_in_window(indices, width)


def highest_bits_first(indices, width):
    return join(places_in_window(indices, width), (3, 2, 1, 0))


def modulo_four(indices, width):
    return join((indices.numpy().ravel() % 4).astype(np.uint8))


def column_by_column(indices, width):
    places = places_in_window(indices, width)
    return join((places >> 1) | (places & 1) << 1)


def rest_dropped(indices, width):
    places = places_in_window(indices, width)
    return join(places[: len(places) // 4 * 4])


def not_bytes(indices, width):
    return join(places_in_window(indices, width)).astype(int)


def share_of_all_pixels(counts):
    share = counts.sum(0) / counts.sum()
    seen = share > 0
    return np.where(seen, np.median(share[seen]) / np.where(seen, share, 1), 0)


def frequencies(counts):
    pixels = (counts.sum(1, keepdims=True) * (counts > 0)).sum(0)
    return counts.sum(0) / np.maximum(pixels, 1)


def safely(numerator, frequency):
    return np.where(frequency > 0, numerator / np.where(frequency > 0, frequency, 1), 0.0)


def inverse_frequency(counts):
    return safely(1.0, frequencies(counts))


def mean_over_frequency(counts):
    f = frequencies(counts)
    return safely(f[f > 0].mean(), f)


def upside_down(counts):
    f = frequencies(counts)
    return f / np.median(f[f > 0])


def median_with_the_absent(counts):
    f = frequencies(counts)
    return safely(np.median(f), f)


def absent_is_infinite(counts):
    f = frequencies(counts)
    with np.errstate(divide="ignore"):
        return np.median(f[f > 0]) / f


def the_lessons_variance(samples):
    return samples.var(0).mean(0)


def how_the_largest_varies(samples):
    return samples.amax(1).var(0)


def confidence(samples):
    return samples.mean(0).amax(0)


def a_map_for_each_class(samples):
    return samples.var(0)


def logarithm_of_nothing(samples):
    mean = (samples.mean(0) - 0.01).clamp(min=0)
    return -(mean * mean.log()).sum(0)


WRONG = {
    "q1": [rounds_down, deepest_last, with_the_bottom, doubles, columns_first, rows_alone],
    "q2": [nearest, corners, channels_mixed, all_in_the_first_channel, doubled_size, indices_for_values],
    "q3": [a_byte_each, highest_bits_first, modulo_four, column_by_column, rest_dropped, not_bytes],
    "q4": [
        share_of_all_pixels,
        inverse_frequency,
        mean_over_frequency,
        upside_down,
        median_with_the_absent,
        absent_is_infinite,
    ],
    "q5": [the_lessons_variance, how_the_largest_varies, confidence, a_map_for_each_class, logarithm_of_nothing],
}
