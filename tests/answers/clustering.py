"""Answers to the exercises of lesson 02, as learners give them."""

import numpy as np
from exercise_proof import mutation
from scipy import ndimage
from scipy.spatial.distance import cdist
from skimage import img_as_float, measure
from skimage.color import label2rgb, rgb2lab

from seglib import classical
from seglib.exercises.clustering import OTHERS, PHOTOS, q1, q2, q3, q4
from seglib.plotting import to_rgb
from seglib.scenes import photo


def empty_becomes_nan(points, centres):
    labels, _ = q1.solution(points, centres)
    sums = np.stack([points[labels == i].sum(0) for i in range(len(centres))])
    with np.errstate(all="ignore"):
        return labels, sums / np.bincount(labels, minlength=len(centres))[:, None]


def empty_becomes_zero(points, centres):
    labels, moved = empty_becomes_nan(points, centres)
    return labels, np.nan_to_num(moved)


def empty_is_dropped(points, centres):
    labels, moved = q1.solution(points, centres)
    return labels, moved[np.unique(labels)]


def until_it_stops(points, centres):
    for _ in range(30):
        labels, centres = q1.solution(points, centres)
    return labels, centres


def labels_after_the_move(points, centres):
    moved = q1.solution(points, centres)[1]
    return q1.solution(points, moved)[0], moved


def moves_what_it_is_given(points, centres):
    labels, centres[...] = q1.solution(points, centres)
    return labels, centres


def in_half_precision(points, centres):
    with np.errstate(over="ignore"):
        labels = ((points[:, None] - centres.astype(float)).astype(np.float16) ** 2).sum(2).argmin(1)
    moved = [points[labels == i].mean(0) if (labels == i).any() else centres[i] for i in range(len(centres))]
    return labels, np.array(moved, float)


def measured_by(metric):
    def one_round(points, centres):
        labels = cdist(points.astype(float), centres.astype(float), metric).argmin(1)
        moved = [points[labels == i].mean(0) if (labels == i).any() else centres[i] for i in range(len(centres))]
        return labels, np.array(moved, float)

    return one_round


def by_counting(points, centres):
    labels = cdist(points.astype(float), centres.astype(float)).argmin(1)
    sums = np.zeros(centres.shape)
    np.add.at(sums, labels, points)
    count = np.bincount(labels, minlength=len(centres))[:, None]
    return labels, np.where(count > 0, sums / np.maximum(count, 1), centres)


def as_a_list(points, centres):
    return list(q1.solution(points, centres))


def on_a_grid(image, weight):
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]] * weight / max(image.shape[:2])
    return np.c_[image.reshape(-1, 3), rows.ravel(), columns.ravel()]


def chances_by_cdist(points, centres):
    nearest = cdist(points.astype(float), centres.astype(float), "sqeuclidean").min(axis=1)
    return nearest / nearest.sum()


def chances_as_hinted(points, centres):
    squared = ((points[:, None] - centres.astype(float)) ** 2).sum(2).min(1)
    return squared / np.sum(squared)


def by_ndimage(image, labels):
    used, dense = np.unique(labels, return_inverse=True)
    means = [ndimage.mean(image[..., i], labels, used) for i in range(3)]
    return np.stack(means, axis=1)[dense.reshape(labels.shape)]


def by_label2rgb(image, labels):
    return label2rgb(labels, image.astype(float), kind="avg", bg_label=-1)


def zero_is_ground(image, labels):
    return label2rgb(labels, image, kind="avg", bg_label=0)


RIGHT = {
    "q1": [measured_by("euclidean"), by_counting, as_a_list],
    "q2": [on_a_grid],
    "q3": [chances_by_cdist, chances_as_hinted],
    "q4": [by_ndimage, by_label2rgb],
    "q5": [lambda image: clusters_for_grey_or_dull(image), lambda image: clusters_for_grey(image)],
}


def still_a_picture(image, weight):
    place = np.stack(np.indices(image.shape[:2]), axis=2) * weight / max(image.shape)
    return np.concatenate([image, place], axis=2)


def the_farthest(points, centres):
    nearest = q3.solution(points, centres)
    return (np.arange(len(points)) == nearest.argmax()).astype(float)


def positions_in_uint8(image, weight):
    out = np.empty((image.shape[0] * image.shape[1], 5), image.dtype)
    out[:] = q2.solution(image, weight)
    return out


def whole_numbers(points, centres):
    squared = ((points[:, None].astype(int) - centres.astype(int)) ** 2).sum(2).min(1)
    return squared / squared.sum()


def without_single_pixels(image, labels):
    painted = np.zeros(image.shape)
    for number in np.unique(labels):
        if (labels == number).sum() > 1:
            painted[labels == number] = image[labels == number].mean(0)
    return painted


def piece_by_piece(image, labels):
    pieces = measure.label(labels + 1, connectivity=1)
    return q4.solution(image, pieces)


def between_0_and_1(image, labels):
    return q4.solution(img_as_float(image), labels)


def k_means_again(image):
    return classical.kmeans_segment(image, 3)


def where_any(points, centres):
    labels = q1.solution(points, centres)[0]
    parts = [points[labels == i] for i in range(len(centres))]
    moved = [part.mean(0) if part.any() else old for part, old in zip(parts, centres, strict=True)]
    return labels, np.array(moved, float)


def means_of_0_stay(points, centres):
    labels, moved = empty_becomes_zero(points, centres)
    return labels, np.where(moved == 0, centres, moved)


def by_heart(threshold_of):
    """Segment with a threshold looked up by the photo's mean grey value."""
    known = {to_rgb(photo(name)["image"]).mean(): threshold for name, threshold in threshold_of.items()}

    def segment(image):
        threshold = known.get(to_rgb(image).mean(), 16)
        return classical.merge_regions(image, classical.slic_superpixels(image, 200), threshold)

    return segment


def the_stored_truth(image):
    for name in PHOTOS + OTHERS:
        scene = photo(name)
        if np.array_equal(scene["image"], image):
            return scene["instances"].astype(int)
    return classical.kmeans_segment(image, 3)


def spread(image):
    return np.sqrt(rgb2lab(to_rgb(image)).reshape(-1, 3).var(axis=0).sum())


def merged(image, threshold=16):
    return classical.merge_regions(image, classical.slic_superpixels(image, 200), threshold)


def by_contrast(image):
    return merged(image, 0.9 * spread(image))


def clusters_for_grey_or_dull(image):
    return classical.kmeans_segment(image, 3) if image.ndim == 2 or spread(image) < 15 else merged(image)


def clusters_for_grey(image):
    return classical.kmeans_segment(image, 3) if image.ndim == 2 else by_contrast(image)


WRONG = {
    "q1": [
        *(empty_becomes_nan, empty_becomes_zero, empty_is_dropped),
        mutation(q1.solution, ("points[labels == i].mean(0)", "np.median(points[labels == i], axis=0)")),
        mutation(q1.solution, ("points[labels == i].mean(0)", "centres[i]")),
        mutation(q1.solution, ("argmin", "argmax")),
        mutation(q1.solution, ("(points[:, None] - moved)", "(points[:, None] - moved)[..., :1]")),
        mutation(q1.solution, ("points[:, None] - moved", "points[:, None] - centres")),  # wraps around
        *(measured_by("cityblock"), measured_by("chebyshev")),
        *(until_it_stops, labels_after_the_move, moves_what_it_is_given),
        lambda points, centres: q1.solution(points, centres)[1],  # only centres
        mutation(q1.solution, ("points[:, None] - moved", "points.astype(int)[:, None] - moved.astype(int)")),
        in_half_precision,
        *(where_any, means_of_0_stay),
        mutation(q1.solution, ("(labels == i).any()", "(labels == i).sum() > 1")),
        mutation(q1.solution, ("range(len(centres))", "range(len(centres) - 1)")),
        lambda points, centres: q1.solution(points, centres)[::-1],  # centres first
        mutation(q1.solution, ("(points[:, None] - moved)", "(points[:, None] - moved)[..., :3]")),
        lambda points, centres: (q1.solution(points, centres)[0] + 1, q1.solution(points, centres)[1]),  # 1 to k
        mutation(q1.solution, ("return labels, moved", "return labels, moved.astype(centres.dtype)")),
    ],
    "q2": [
        still_a_picture,
        mutation(q2.solution, ("image.reshape(-1, 3)", "image.reshape(3, -1).T")),
        mutation(q2.solution, ("[rows, columns]", "[columns, rows]")),
        mutation(q2.solution, (" / max(height, width)", "")),
        mutation(q2.solution, ("max(height, width)", "(height, width)")),
        mutation(q2.solution, ("max(height, width)", "min(height, width)")),
        mutation(q2.solution, ("weight * place", "place")),
        mutation(q2.solution, ("max(height, width)", "width")),
        lambda image, weight: image.reshape(-1, 3),  # colours only
        positions_in_uint8,
        mutation(q2.solution, ("np.indices((height, width))", "np.indices((height, width), dtype=image.dtype)")),
        mutation(q2.solution, ("max(height, width)", "max(image.shape)")),
        mutation(q2.solution, ("axis=2).reshape(-1, 2)", "axis=2).transpose(1, 0, 2).reshape(-1, 2)")),
        mutation(q2.solution, ("columns], axis=2)", "columns])")),  # np.indices(...).reshape(-1, 2)
        mutation(q2.solution, ("height, width = image", "width, height = image")),
    ],
    "q3": [
        mutation(q3.solution, (" / squared.sum()", "")),
        mutation(q3.solution, (".min(1)", ".min(1) ** 0.5")),
        the_farthest,
        lambda points, centres: np.full(len(points), 1 / len(points)),  # all alike
        mutation(q3.solution, (".min(1)", ".sum(1)")),
        mutation(q3.solution, (".min(1)", ".max(1)")),
        mutation(q3.solution, (".min(1)", "[:, -1]")),
        mutation(q3.solution, ("centres.astype(float)", "centres")),
        whole_numbers,
        mutation(q3.solution, ("return squared", "squared = 1 / (squared + 1e-9)\n    return squared")),
        lambda points, centres: q3.solution(points[:, :3], centres[:, :3]),
        lambda points, centres: q3.solution(points, centres[:2]),
        lambda points, centres: q3.solution(points, centres[-2:]),
    ],
    "q4": [
        lambda image, labels: image,  # unchanged
        mutation(q4.solution, (".mean(0)", ".mean()")),
        mutation(
            q4.solution,
            ("np.empty(image.shape)", "image.astype(float)"),
            ("np.unique(labels)", "range(1, labels.max())"),
        ),
        mutation(q4.solution, ("image[labels == number].mean(0)", "np.median(image[labels == number], axis=0)")),
        lambda image, labels: np.broadcast_to(image.mean((0, 1)), image.shape),  # one colour
        mutation(q4.solution, ("np.empty(image.shape)", "image.astype(float)"), ("np.unique(labels)", "(1, 2, 3)")),
        mutation(
            q4.solution,
            ("np.empty(image.shape)", "image.astype(float)"),
            ("np.unique(labels)", "range(len(np.unique(labels)))"),
        ),
        zero_is_ground,
        mutation(q4.solution, ("np.empty(image.shape)", "np.empty_like(image)")),
        mutation(q4.solution, ("np.empty(image.shape)", "np.zeros(image.shape, int)")),
        lambda image, labels: np.zeros(image.shape),  # black
        lambda image, labels: q4.solution(image, labels).round(),
        lambda image, labels: q4.solution(image, labels).round(0 if image.dtype == np.uint8 else 9),
        *(piece_by_piece, between_0_and_1, without_single_pixels),
        lambda image, labels: q4.solution(image, labels.astype(np.uint8)),  # 300 becomes 44
    ],
    "q5": [
        k_means_again,
        lambda image: classical.kmeans_segment(image, 4, position=0.5),  # k means and position
        lambda image: classical.slic_superpixels(image, 200),  # superpixels alone
        *(merged, by_contrast),  # the lesson's own line; the best of the rules that were tuned on the six
        by_heart({"chelsea": 16, "coffee": 20, "coins": 12, "flower": 35, "ihc": 20, "rocket": 25}),
        the_stored_truth,
        lambda image: k_means_again(image).ravel(),  # one row a pixel
        lambda image: image if image.ndim == 2 else image[..., 0],  # a picture
    ],
}
