"""Wrong answers to the exercises of lesson 11, as learners give them."""

import numpy as np
import torch
from torch.nn import functional as F


def atrous(x, kernel, rate, padding, mode="constant"):
    x = np.pad(x, padding, mode=mode)
    height, width = x.shape[0] - 2 * rate, x.shape[1] - 2 * rate
    y = np.zeros((height, width))
    for i, j in np.ndindex(height, width):
        y[i, j] = (kernel * x[i : i + 2 * rate + 1 : rate, j : j + 2 * rate + 1 : rate]).sum()
    return y


def without_padding(x, kernel, rate):
    return atrous(x, kernel, rate, 0)


def padding_one(x, kernel, rate):
    return atrous(x, kernel, rate, 1)


def turned_over(x, kernel, rate):
    return atrous(x, kernel[::-1, ::-1], rate, rate)


def rate_forgotten(x, kernel, rate):
    return atrous(x, kernel, 1, 1)


def rate_as_holes(x, kernel, rate):
    return atrous(x, kernel, rate + 1, rate + 1)


def edge_goes_on(x, kernel, rate):
    return atrous(x, kernel, rate, rate, "edge")


def in_place(x, kernel, rate):
    atrous(x, kernel, rate, rate)


def whole_places(height, width, rate):
    return max(0, height - 2 * rate) * max(0, width - 2 * rate) / (height * width)


def one_direction(height, width, rate):
    return (height + 2 * max(0, height - rate)) / (3 * height)


def squares_only(height, width, rate):
    return one_direction(height, height, rate) ** 2


def negative_beyond(height, width, rate):
    return (3 * height - 2 * rate) * (3 * width - 2 * rate) / (9 * height * width)


def how_many(height, width, rate):
    return 9 * one_direction(height, width, rate) * one_direction(width, height, rate)


def averaged(height, width, rate):
    return (one_direction(height, width, rate) + one_direction(width, height, rate)) / 2


def distances(field):
    y, x = np.indices(field.shape)
    return np.abs(y - field.shape[0] // 2), np.abs(x - field.shape[1] // 2)


def smallest(distance, field, share):
    return float(min(d for d in np.unique(distance) if field[distance <= d].sum() >= share - 1e-9))


def square(field, share):
    return smallest(np.maximum(*distances(field)), field, share)


def diameter(field, share):
    return 2 * smallest(np.hypot(*distances(field)), field, share)


def squared(field, share):
    y, x = distances(field)
    return smallest(y**2 + x**2, field, share)


def whole_pixels(field, share):
    return float(np.ceil(smallest(np.hypot(*distances(field)), field, share)))


def more_than(field, share):
    distance = np.hypot(*distances(field))
    return float(min(d for d in np.unique(distance) if field[distance <= d].sum() > share + 1e-9))


def the_largest_values(field, share):
    if field.shape == (5, 5):
        return 0.0 if share <= 0.5 else 2.0
    return float(np.sqrt((np.searchsorted(np.sort(field.ravel())[::-1].cumsum(), share) + 1) / np.pi))


def reached(rates):
    offsets = {0}
    for rate in rates:
        offsets = {offset + step for offset in offsets for step in (-rate, 0, rate)}
    return offsets


def span(rates):
    return range(-sum(rates), sum(rates) + 1)


def those_that_reach(rates):
    return sorted(reached(rates))


def side_by_side(rates):
    return sorted(set(span(rates)) - {sign * rate for rate in rates for sign in (-1, 0, 1)})


def half_of_the_row(rates):
    return [offset for offset in span(rates) if offset > 0 and offset not in reached(rates)]


def up_to_the_largest_rate(rates):
    return [offset for offset in range(-max(rates), max(rates) + 1) if offset not in reached(rates)]


def unsorted(rates):
    return [offset for offset in span(rates) if offset not in reached(rates)][::-1]


def a_count(rates):
    return len(set(span(rates)) - reached(rates))


def window(features, rate):
    padded = F.pad(features[None], [rate] * 4, mode="replicate")[0]
    steps = (0, rate, 2 * rate)
    return torch.cat([padded[:, i : i + 12, j : j + 12] for i in steps for j in steps])


def itself(features):
    return features


def direct_neighbours(features):
    return window(features, 1)


def one_larger_rate(features):
    return window(features, 4)


def beyond_the_map(features):
    return window(features, 12)


def all_rates(features):
    return torch.cat([window(features, rate) for rate in (1, 2, 4)])


def one_value(features):
    return features.mean((1, 2))


def divided_by_nothing(features):
    return features / (features - features)


WRONG = {
    "q1": [without_padding, padding_one, turned_over, rate_forgotten, rate_as_holes, edge_goes_on, in_place],
    "q2": [whole_places, one_direction, squares_only, negative_beyond, how_many, averaged],
    "q3": [square, diameter, squared, whole_pixels, more_than, the_largest_values],
    "q4": [those_that_reach, side_by_side, half_of_the_row, up_to_the_largest_rate, unsorted, a_count],
    "q5": [
        itself,
        direct_neighbours,
        one_larger_rate,
        beyond_the_map,
        all_rates,
        one_value,
        divided_by_nothing,
    ],
}
