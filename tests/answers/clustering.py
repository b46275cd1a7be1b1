"""Answers to the exercises of lesson 02, as learners give them."""

import numpy as np
from exercise_proof import mutation

from seglib import classical
from seglib.exercises.clustering import q1, q2, q3, q4, q5


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


def still_a_picture(image, weight):
    place = np.stack(np.indices(image.shape[:2]), axis=2) * weight / max(image.shape)
    return np.concatenate([image, place], axis=2)


def the_farthest(points, centres):
    nearest = q3.solution(points, centres)
    return (np.arange(len(points)) == nearest.argmax()).astype(float)


def k_means_again(image):
    return classical.kmeans_segment(image, 3)


WRONG = {
    "q1": [
        *(empty_becomes_nan, empty_becomes_zero, empty_is_dropped),
        mutation(q1.solution, ("points[labels == i].mean(0)", "np.median(points[labels == i], axis=0)")),
        mutation(q1.solution, ("points[labels == i].mean(0)", "centres[i]")),
        lambda points, centres: q1.solution(points[:, :1], centres[:, :1]),  # only the first coordinate
        mutation(q1.solution, ("argmin", "argmax")),
        lambda points, centres: q1.solution(points, centres)[1],  # only centres
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
    ],
    "q3": [
        mutation(q3.solution, (" / squared.sum()", "")),
        mutation(q3.solution, (".min(1)", ".min(1) ** 0.5")),
        the_farthest,
        lambda points, centres: np.full(len(points), 1 / len(points)),  # all alike
        mutation(q3.solution, (".min(1)", ".sum(1)")),
        mutation(q3.solution, (".min(1)", ".max(1)")),
        mutation(q3.solution, (".min(1)", "[:, -1]")),
    ],
    "q4": [
        lambda image, labels: image,  # unchanged
        mutation(q4.solution, (".mean(0)", ".mean()")),
        mutation(q4.solution, ("empty_like(image)", "copy(image)"), ("np.unique(labels)", "range(1, labels.max())")),
        mutation(q4.solution, ("image[labels == number].mean(0)", "np.median(image[labels == number], axis=0)")),
        lambda image, labels: np.broadcast_to(image.mean((0, 1)), image.shape),  # one colour
        mutation(q4.solution, ("empty_like(image)", "copy(image)"), ("np.unique(labels)", "(1, 2, 3)")),
    ],
    "q5": [
        k_means_again,
        lambda image: classical.kmeans_segment(image, 4, position=0.5),  # k means and position
        lambda image: classical.slic_superpixels(image, 200),  # superpixels alone
        mutation(q5.solution, ("threshold=20", "threshold=6")),
        lambda image: k_means_again(image).ravel(),  # one row a pixel
        lambda image: image if image.ndim == 2 else image[..., 0],  # a picture
    ],
}
