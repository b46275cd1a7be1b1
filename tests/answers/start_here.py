"""Answers to the exercises of lesson 00, as learners give them."""

import numpy as np
import torch
from exercise_proof import mutation
from skimage.measure import label, regionprops

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


def within(part):
    """The width of the top or bottom row alone, or the height of the first or last column alone."""
    axis = "rows" if "columns" in part else "columns"
    changes = [(f"{axis}.{end}()", f"{axis}[{part}].{end}()") for end in ("min", "max")]
    return mutation(q3.solution, *changes)


RIGHT = {
    "q0": [lambda image: np.subtract(1.0, image), lambda image: (image - 1) * -1],
    "q1": [
        lambda mask, num_classes: np.bincount(mask[mask < num_classes], minlength=num_classes),
        lambda mask, num_classes: np.bincount(mask.ravel(), minlength=256)[:num_classes],
        lambda mask, num_classes: np.histogram(mask, np.arange(num_classes + 1) - 0.5)[0],
    ],
    "q2": [lambda: "c"],
    "q3": [by_regionprops],
}

WRONG = {
    "q0": [
        mutation(q0.solution, ("1 - image", "-image")),
        mutation(q0.solution, ("1 -", "255 -")),
        mutation(q0.solution, ("- image", "- image.T")),
        mutation(q0.solution, ("1 -", "image.max() -")),
        mutation(q0.solution, ("1 - image", "image")),
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
    ],
}
