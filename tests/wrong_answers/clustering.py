"""Wrong answers to the exercises of lesson 02, as learners give them."""

import numpy as np

from seglib import classical


def _labels(points, centres):
    return ((points[:, None] - centres) ** 2).sum(2).argmin(1)


def empty_becomes_nan(points, centres):
    labels = _labels(points, centres)
    with np.errstate(all="ignore"):
        sums = np.stack([points[labels == i].sum(0) for i in range(len(centres))])
        return labels, sums / np.bincount(labels, minlength=len(centres))[:, None]


def empty_becomes_zero(points, centres):
    return _labels(points, centres), np.nan_to_num(empty_becomes_nan(points, centres)[1])


def empty_is_dropped(points, centres):
    labels = _labels(points, centres)
    return labels, np.stack([points[labels == i].mean(0) for i in np.unique(labels)])


def medians(points, centres):
    labels = _labels(points, centres)
    return labels, np.stack([np.median(points[labels == i], axis=0) for i in range(len(centres))])


def never_moves(points, centres):
    return _labels(points, centres), centres


def only_the_first_coordinate(points, centres):
    return abs(points[:, :1] - centres[:, 0]).argmin(1), centres[:, :1]


def farthest_centre(points, centres):
    return ((points[:, None] - centres) ** 2).sum(2).argmax(1), centres


def only_centres(points, centres):
    return empty_becomes_nan(points, centres)[1]


def _place(image):
    return np.stack(np.indices(image.shape[:2]), axis=2).reshape(-1, 2)


def still_a_picture(image, weight):
    place = np.stack(np.indices(image.shape[:2]), axis=2) * weight / max(image.shape)
    return np.concatenate([image, place], axis=2)


def scrambled(image, weight):
    return np.hstack([image.reshape(3, -1).T, weight * _place(image) / max(image.shape[:2])])


def column_first(image, weight):
    return np.hstack([image.reshape(-1, 3), weight * _place(image)[:, ::-1] / max(image.shape[:2])])


def in_pixels(image, weight):
    return np.hstack([image.reshape(-1, 3), weight * _place(image)])


def each_by_its_side(image, weight):
    return np.hstack([image.reshape(-1, 3), weight * _place(image) / image.shape[:2]])


def by_the_shorter_side(image, weight):
    return np.hstack([image.reshape(-1, 3), weight * _place(image) / min(image.shape[:2])])


def no_weight(image, weight):
    return np.hstack([image.reshape(-1, 3), _place(image) / max(image.shape[:2])])


def always_by_the_width(image, weight):
    return np.hstack([image.reshape(-1, 3), weight * _place(image) / image.shape[1]])


def colours_only(image, weight):
    return image.reshape(-1, 3)


def _squared(points, centres):
    return ((points[:, None] - centres) ** 2).sum(2)


def not_divided(points, centres):
    return _squared(points, centres).min(1)


def not_squared(points, centres):
    distance = np.sqrt(_squared(points, centres).min(1))
    return distance / distance.sum()


def all_alike(points, centres):
    return np.full(len(points), 1 / len(points))


def the_farthest(points, centres):
    nearest = _squared(points, centres).min(1)
    return (np.arange(len(points)) == nearest.argmax()).astype(float)


def summed_over_centres(points, centres):
    total = _squared(points, centres).sum(1)
    return total / total.sum()


def to_the_farthest_centre(points, centres):
    farthest = _squared(points, centres).max(1)
    return farthest / farthest.sum()


def to_the_last_centre(points, centres):
    last = _squared(points, centres)[:, -1]
    return last / last.sum()


def unchanged(image, labels):
    return image


def grey_means(image, labels):
    return np.stack([np.vectorize({n: image[labels == n].mean() for n in np.unique(labels)}.get)(labels)] * 3, axis=2)


def one_too_few(image, labels):
    painted = image.copy()
    for number in range(1, labels.max()):
        painted[labels == number] = image[labels == number].mean(0)
    return painted


def median_colours(image, labels):
    painted = image.copy()
    for number in np.unique(labels):
        painted[labels == number] = np.median(image[labels == number], axis=0)
    return painted


def one_colour(image, labels):
    return np.broadcast_to(image.mean((0, 1)), image.shape)


def no_gaps_allowed(image, labels):
    painted = image.copy()
    for number in range(1, len(np.unique(labels)) + 1):
        if (labels == number).any():
            painted[labels == number] = image[labels == number].mean(0)
    return painted


def k_means_again(image):
    return classical.kmeans_segment(image, 3)


def k_means_and_position(image):
    return classical.kmeans_segment(image, 4, position=0.5)


def superpixels_alone(image):
    return classical.slic_superpixels(image, 200)


def merged_too_little(image):
    return classical.merge_regions(image, classical.slic_superpixels(image, 400), threshold=6)


def one_row_a_pixel(image):
    return classical.kmeans_segment(image, 3).ravel()


def a_picture(image):
    return image if image.ndim == 2 else image[..., 0]


WRONG = {
    "q1": [
        *(empty_becomes_nan, empty_becomes_zero, empty_is_dropped, medians, never_moves, only_the_first_coordinate),
        *(farthest_centre, only_centres),
    ],
    "q2": [
        *(still_a_picture, scrambled, column_first, in_pixels, each_by_its_side, by_the_shorter_side, no_weight),
        *(always_by_the_width, colours_only),
    ],
    "q3": [
        *(not_divided, not_squared, all_alike, the_farthest, summed_over_centres, to_the_farthest_centre),
        to_the_last_centre,
    ],
    "q4": [unchanged, grey_means, one_too_few, median_colours, one_colour, no_gaps_allowed],
    "q5": [
        *(k_means_again, k_means_and_position, superpixels_alone, merged_too_little, one_row_a_pixel, a_picture),
    ],
}
