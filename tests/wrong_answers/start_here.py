"""Wrong answers to the exercises of lesson 00."""

import numpy as np


def minus(image):
    return -image


def bytes_(image):
    return 255 - image


def transposed(image):
    return 1 - image.T


def from_the_brightest(image):
    return image.max() - image


def unchanged(image):
    return image


def only_those_that_occur(mask, num_classes):
    return np.unique(mask, return_counts=True)[1]


def without_absent(mask, num_classes):
    return np.unique(mask[mask != 255], return_counts=True)[1]


def void_counted(mask, num_classes):
    return np.bincount(mask.ravel(), minlength=num_classes)


def shares(mask, num_classes):
    return np.array([np.mean(mask == c) for c in range(num_classes)])


def void_as_background(mask, num_classes):
    return np.bincount(np.where(mask == 255, 0, mask).ravel(), minlength=num_classes)


def a_list(mask, num_classes):
    return [int((mask == c).sum()) for c in range(num_classes)]


def classes_from_one(mask, num_classes):
    return np.array([np.sum(mask == c) for c in range(1, num_classes + 1)])


def semantic():
    return "A"


def boxes():
    return "b"


def clusters():
    return "D"


def name_of_it():
    return "instance"


def _boxes(instances, ids, corners):
    found = []
    for i in ids:
        rows, columns = np.nonzero(instances == i)
        found.append(corners(rows, columns) if rows.size else [0, 0, 0, 0])
    return np.array(found, dtype=int).reshape(-1, 4)


def ids_of(instances):
    return np.unique(instances[instances > 0])


def right_corners(r, c):
    return [c.min(), r.min(), c.max() + 1, r.max() + 1]


def rows_first(instances):
    return _boxes(instances, ids_of(instances), lambda r, c: [r.min(), c.min(), r.max() + 1, c.max() + 1])


def last_pixel_left_out(instances):
    return _boxes(instances, ids_of(instances), lambda r, c: [c.min(), r.min(), c.max(), r.max()])


def width_and_height(instances):
    return _boxes(instances, ids_of(instances), lambda r, c: [c.min(), r.min(), np.ptp(c) + 1, np.ptp(r) + 1])


def background_too(instances):
    return _boxes(instances, np.unique(instances), right_corners)


def ids_without_gaps(instances):
    return _boxes(instances, range(1, instances.max() + 1), right_corners)


def flat(instances):
    return _boxes(instances, ids_of(instances), right_corners).ravel()


def no_objects_no_axes(instances):
    return np.array([box.tolist() for box in _boxes(instances, ids_of(instances), right_corners)], dtype=int)


WRONG = {
    "q0": [minus, bytes_, transposed, from_the_brightest, unchanged],
    "q1": [
        only_those_that_occur,
        without_absent,
        void_counted,
        shares,
        void_as_background,
        a_list,
        classes_from_one,
    ],
    "q2": [semantic, boxes, clusters, name_of_it],
    "q3": [
        rows_first,
        last_pixel_left_out,
        width_and_height,
        background_too,
        ids_without_gaps,
        flat,
        no_objects_no_axes,
    ],
}
