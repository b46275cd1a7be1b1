"""Answers to the exercises of lesson 00, as learners give them."""

from collections import Counter

import numpy as np
import torch
from exercise_proof import mutation
from scipy.ndimage import find_objects
from skimage.measure import label, regionprops
from torchvision.ops import masks_to_boxes

from seglib.exercises.start_here import q0, q1, q2, q3

IDS = "np.unique(instances[instances > 0])"


def by_pieces(instances):
    """A box for every connected piece."""
    ids = np.unique(instances[instances > 0])
    boxes = [region.bbox for i in ids for region in regionprops(label(instances == i))]
    return np.array([[left, top, right, bottom] for top, left, bottom, right in boxes], int).reshape(-1, 4)


def by_regionprops(instances):
    boxes = [region.bbox for region in regionprops(instances)]
    return np.array([[left, top, right, bottom] for top, left, bottom, right in boxes], int).reshape(-1, 4)


def by_find_objects(instances):
    found = [places for places in find_objects(instances) if places]
    return np.array([[x.start, y.start, x.stop, y.stop] for y, x in found], np.int32).reshape(-1, 4)


def by_rows_and_columns(instances):
    ids = np.setdiff1d(instances, 0)
    boxes = np.zeros((len(ids), 4), int)
    for place, i in enumerate(ids):
        columns, rows = (np.flatnonzero((instances == i).any(axis)) for axis in (0, 1))
        boxes[place] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return boxes


def pixel_by_pixel(instances):
    boxes = {}
    for y, row in enumerate(instances.tolist()):
        for x, i in enumerate(row):
            if i:
                left, top, right, bottom = boxes.get(i, (x, y, x + 1, y + 1))
                boxes[i] = min(left, x), min(top, y), max(right, x + 1), max(bottom, y + 1)
    return np.array([boxes[i] for i in sorted(boxes)], int).reshape(-1, 4)


def by_torchvision(instances):
    ids = np.setdiff1d(instances, 0)
    if len(ids) == 0:
        return np.empty((0, 4), int)
    return masks_to_boxes(torch.from_numpy(instances == ids[:, None, None])).long().numpy() - [0, 0, -1, -1]


def pushed_together(mask, num_classes):
    """Counts in the order of the classes that occur, filled up with zeros."""
    counts = np.unique(mask[mask != 255], return_counts=True)[1]
    return np.pad(counts, (0, num_classes - len(counts)))


def in_the_masks_type(mask, num_classes):
    counts = np.zeros(num_classes, mask.dtype)
    np.add.at(counts, mask[mask != 255], 1)
    return counts


def in_order(*names):
    """The box's four sides in another order, under these names of the solution's."""
    sides = {"left": "columns.min()", "top": "rows.min()", "right": "columns.max() + 1", "bottom": "rows.max() + 1"}
    return mutation(q3.solution, (", ".join(sides.values()), ", ".join(sides[name] for name in names)))


def first_piece(instances):
    firsts = [(label(instances == i) == 1) * i for i in np.unique(instances[instances > 0])]
    return q3.solution(sum(firsts, np.zeros(instances.shape, int)))


def within(part):
    """The width of the top or bottom row alone, or the height of the first or last column alone."""
    axis = "rows" if "columns" in part else "columns"
    changes = [(f"{axis}.{end}()", f"{axis}[{part}].{end}()") for end in ("min", "max")]
    return mutation(q3.solution, *changes)


RIGHT = {
    "q0": [
        lambda image: np.subtract(1.0, image),
        lambda image: (image - 1) * -1,
        lambda image: np.interp(image, [0, 1], [1, 0]),
        lambda image: np.array([[1 - value for value in row] for row in image]),
    ],
    "q1": [
        lambda mask, num_classes: np.bincount(mask[mask < num_classes], minlength=num_classes),
        lambda mask, num_classes: np.bincount(mask.ravel(), minlength=256)[:num_classes],
        lambda mask, num_classes: np.histogram(mask, np.arange(num_classes + 1) - 0.5)[0],
        lambda mask, num_classes: np.histogram(mask, bins=num_classes, range=(0, num_classes))[0],
        lambda mask, num_classes: np.eye(num_classes, dtype=int)[mask[mask != 255]].sum(0),
        lambda mask, num_classes: (mask.ravel()[:, None] == np.arange(num_classes)).sum(0),
        lambda mask, num_classes: np.array([mask[mask == c].size for c in range(num_classes)], np.uint32),
        lambda mask, num_classes: np.array([Counter(mask.ravel().tolist())[c] for c in range(num_classes)]),
    ],
    "q2": [lambda: "c", lambda: " C\n", lambda: np.str_("C")],
    "q3": [by_regionprops, by_find_objects, by_rows_and_columns, pixel_by_pixel, by_torchvision],
}

WRONG = {
    "q0": [
        mutation(q0.solution, ("1 - image", "-image")),
        mutation(q0.solution, ("1 -", "255 -")),
        mutation(q0.solution, ("- image", "- image.T")),
        mutation(q0.solution, ("1 -", "image.max() -")),
        mutation(q0.solution, ("1 - image", "image")),
        mutation(q0.solution, ("1 -", "image.min() + image.max() -")),
        mutation(q0.solution, ("- image", "- image / image.max()")),
        mutation(q0.solution, ("image\n", "image.astype(int)\n")),
        mutation(q0.solution, ("return", "")),
    ],
    "q1": [
        lambda mask, num_classes: np.unique(mask, return_counts=True)[1],  # only those that occur
        lambda mask, num_classes: np.unique(mask[mask != 255], return_counts=True)[1],  # without absent
        lambda mask, num_classes: np.bincount(mask.ravel(), minlength=num_classes),  # void counted
        mutation(q1.solution, ("np.sum", "np.mean")),
        mutation(q1.solution, ("mask == c", "np.where(mask == 255, 0, mask) == c")),
        mutation(q1.solution, ("np.array", "list")),
        lambda mask, num_classes: np.bincount(mask[mask != mask.max()], minlength=num_classes),
        lambda mask, num_classes: np.bincount(mask[mask < 255], minlength=num_classes).astype(np.uint8),
        mutation(q1.solution, ("range(num_classes)", "range(1, num_classes + 1)")),
        lambda mask, num_classes: np.bincount(mask.ravel())[:num_classes],  # short where the highest are absent
        lambda mask, num_classes: q1.solution(mask, num_classes).astype(np.int16),  # overflows on a whole picture
        lambda mask, num_classes: torch.from_numpy(q1.solution(mask, num_classes)),
        lambda mask, num_classes: q1.solution(mask, num_classes).astype(object),
        lambda mask, num_classes: q1.solution(mask, num_classes)[:, None],
        lambda mask, num_classes: np.histogram(mask, np.arange(num_classes + 1)),  # the edges too
        lambda mask, num_classes: np.histogram(mask, bins=num_classes)[0],
        lambda mask, num_classes: np.histogram(mask[mask != 255], bins=num_classes)[0],
        mutation(q1.solution, ("range(num_classes)", "range(mask[mask != 255].max() + 1)")),
        lambda mask, num_classes: np.bincount(np.minimum(mask, num_classes - 1).ravel(), minlength=num_classes),
        mutation(q1.solution, ("np.sum(mask == c)", "np.any(mask == c)")),
        mutation(q1.solution, ("mask == c", "mask[mask == c]")),
        mutation(q1.solution, ("np.sum(mask == c)", "np.count_nonzero(mask[mask == c])")),
        mutation(q1.solution, ("mask == c", "mask <= c")),
        pushed_together,
        in_the_masks_type,
    ],
    "q2": [mutation(q2.solution, ("C", answer)) for answer in ("A", "b", "D", "instance")],
    "q3": [
        mutation(q3.solution, ("rows, columns =", "columns, rows =")),
        mutation(q3.solution, ("columns.max() + 1, rows.max() + 1", "columns.max(), rows.max()")),
        mutation(q3.solution, ("columns.max() + 1, rows.max() + 1", "np.ptp(columns) + 1, np.ptp(rows) + 1")),
        mutation(q3.solution, ("instances[instances > 0]", "instances")),
        mutation(
            q3.solution,
            (IDS, "range(1, instances.max() + 1)"),
            ("[columns.min()", "[0] * 4 if rows.size == 0 else [columns.min()"),
        ),
        mutation(q3.solution, (".reshape(-1, 4)", ".ravel()")),
        mutation(q3.solution, (IDS, "np.unique(instances)[1:]")),
        by_pieces,
        mutation(q3.solution, (IDS, "dict.fromkeys(instances[instances > 0].tolist())")),
        mutation(q3.solution, (IDS, "np.setdiff1d(instances, (0, 255))")),
        mutation(q3.solution, (IDS, "sorted(np.unique(instances[instances > 0]), key=str)")),
        mutation(q3.solution, (".reshape(-1, 4)", "")),
        mutation(q3.solution, ("columns.max() + 1", "columns.max()")),
        mutation(q3.solution, ("rows.max() + 1", "rows.max()")),
        mutation(q3.solution, ("columns.min()", "columns.min() + 1"), ("rows.min()", "rows.min() + 1")),
        mutation(q3.solution, (IDS, f"sorted({IDS}, key=lambda i: -(instances == i).sum())")),
        mutation(q3.solution, (IDS, f"sorted({IDS}, key=lambda i: (instances == i).sum())")),
        mutation(q3.solution, (", dtype=int", "")),  # float without objects
        mutation(q3.solution, ("np.array(found", "np.array(sorted(found)")),  # from left to right
        mutation(q3.solution, (IDS, f"{IDS}[::-1]")),
        mutation(q3.solution, ("columns.min()", "columns[0]"), ("columns.max()", "columns[-1]")),
        mutation(q3.solution, ("columns.min()", "columns[0]")),
        mutation(q3.solution, ("columns.max()", "columns[-1]")),
        *(within(f"rows == rows.{end}()") for end in ("min", "max")),
        *(within(f"columns == columns.{end}()") for end in ("min", "max")),
        lambda instances: q3.solution(instances) if instances.any() else [],
        in_order("left", "right", "top", "bottom"),
        in_order("top", "bottom", "left", "right"),
        in_order("left", "top", "bottom", "right"),
        in_order("top", "left", "right", "bottom"),
        lambda instances: np.array([region.bbox for region in regionprops(instances)], int) - [0, 0, 1, 1],
        mutation(q3.solution, ("columns.max() + 1, rows.max() + 1", "np.ptp(columns), np.ptp(rows)")),
        mutation(q3.solution, ("columns.max() + 1, rows.max() + 1", "np.ptp(rows) + 1, np.ptp(columns) + 1")),
        mutation(q3.solution, ("columns.min(), rows.min()", "columns.min() - 1, rows.min() - 1")),
        mutation(q3.solution, ("columns.max() + 1, rows.max() + 1", "columns.max() + 2, rows.max() + 2")),
        mutation(q3.solution, ("        found", "        if len(rows) > 1: found")),  # without single pixels
        first_piece,
        mutation(q3.solution, ("columns.max() + 1", "columns.min() + len(np.unique(columns))")),
        mutation(q3.solution, (IDS, "[i for i in range(1, 256) if i in instances]")),
        mutation(q3.solution, (IDS, "np.unique(instances[(instances > 0) & (instances < 255)])")),
        mutation(q3.solution, (IDS, "set(instances[instances > 0].tolist())")),
        mutation(q3.solution, ("dtype=int", "dtype=np.uint8")),
    ],
}
