"""Wrong answers to the exercises of lesson 16, as learners give them."""

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

from seglib.exercises.your_own_data import q1, q2

right, right_hash = q1.solution, q2.solution


def corners_for_a_box(points):
    return right(points) | {"bbox": [*points.min(0).tolist(), *points.max(0).tolist()]}


def signed_area(points):
    x, y = points.T
    return right(points) | {"area": float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2}


def twice_the_area(points):
    return right(points) | {"area": 2 * right(points)["area"]}


def area_of_the_box(points):
    width, height = right(points)["bbox"][2:]
    return right(points) | {"area": width * height}


def not_closed(points):
    x, y = points.T
    return right(points) | {"area": abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2}


def pairs_of_points(points):
    return right(points) | {"segmentation": [points.tolist()]}


def not_in_a_list(points):
    return right(points) | {"segmentation": points.ravel().tolist()}


def rows_first(points):
    return right(points) | {"segmentation": [points[:, ::-1].ravel().tolist()]}


def no_area(points):
    answer = right(points)
    return {"segmentation": answer["segmentation"], "bbox": answer["bbox"]}


def only_for_this_place(points):
    return right(points) | {"bbox": [12.0, 3.0, 8.0, 10.0]}


def means(picture):
    height, width = picture.shape
    return picture.reshape(8, height // 8, 9, width // 9).mean((1, 3))


def average_hash(picture):
    blocks = means(picture)
    return blocks[:, :8] > blocks.mean()


def darker(picture):
    return ~right_hash(picture)


def single_pixels(picture):
    sampled = picture[:: picture.shape[0] // 8, :: picture.shape[1] // 9]
    return sampled[:, 1:] > sampled[:, :-1]


def upper_neighbour(picture):
    height, width = picture.shape
    blocks = picture.reshape(9, height // 9, 8, width // 8).mean((1, 3))
    return blocks[1:] > blocks[:-1]


def absolute_threshold(picture):
    blocks = means(picture)
    return blocks[:, 1:] - blocks[:, :-1] > 0.005


def nine_columns(picture):
    return means(picture) > np.roll(means(picture), 1, axis=1)


def mirrored(picture):
    return right_hash(picture)[:, ::-1]


def without_the_head(net, encoder_rate, decoder_rate):
    rest = [*net.up.parameters(), *net.merge.parameters()]
    return [{"params": list(net.down.parameters()), "lr": encoder_rate}, {"params": rest, "lr": decoder_rate}]


def encoder_twice(net, encoder_rate, decoder_rate):
    groups = [{"params": list(net.down.parameters()), "lr": encoder_rate}]
    return [*groups, {"params": list(net.parameters()), "lr": decoder_rate}]


def swapped(net, encoder_rate, decoder_rate):
    first, second = right_groups(net)
    return [{"params": first, "lr": decoder_rate}, {"params": second, "lr": encoder_rate}]


def right_groups(net):
    rest = [value for name, value in net.named_parameters() if not name.startswith("down.")]
    return list(net.down.parameters()), rest


def names_for_parameters(net, encoder_rate, decoder_rate):
    names = [name for name, _ in net.named_parameters()]
    return [{"params": names, "lr": encoder_rate}, {"params": [], "lr": decoder_rate}]


def one_rate_for_all(net, encoder_rate, decoder_rate):
    return [{"params": list(net.parameters()), "lr": decoder_rate}]


def a_dict(net, encoder_rate, decoder_rate):
    first, second = right_groups(net)
    return {encoder_rate: first, decoder_rate: second}


def otsu_alone(picture):
    return picture > threshold_otsu(picture)


def otsu_filled(picture):
    return ndimage.binary_fill_holes(picture > threshold_otsu(picture))


def too_small_a_blur(picture):
    even = ndimage.gaussian_filter(picture, 1) - ndimage.gaussian_filter(picture, 4)
    return even > threshold_otsu(even)


def everything(picture):
    return np.ones(picture.shape, bool)


def numbers(picture):
    return (picture > threshold_otsu(picture)).astype(int)


WRONG = {
    "q1": [
        corners_for_a_box,
        signed_area,
        twice_the_area,
        area_of_the_box,
        not_closed,
        pairs_of_points,
        not_in_a_list,
        rows_first,
        no_area,
        only_for_this_place,
    ],
    "q2": [average_hash, darker, single_pixels, upper_neighbour, absolute_threshold, nine_columns, mirrored],
    "q3": [without_the_head, encoder_twice, swapped, names_for_parameters, one_rate_for_all, a_dict],
    "q4": [otsu_alone, otsu_filled, too_small_a_blur, everything, numbers],
}
