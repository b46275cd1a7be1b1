"""The pictures of the ladder, and what is counted on each of them.

Training, validation and test pictures have seeds of their own; no lesson trains on, or looks at, those of the test.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from skimage.measure import label

from seglib.classical import split_touching
from seglib.classical.regions import MIN_SIZE, without_small
from seglib.datasets import InMemory
from seglib.metrics import confusion_matrix, instance_f1
from seglib.scenes import Cells, Streets, photo
from seglib.transforms import Resize

SCENES = {"nuclei": Cells, "streets": Streets}
TRAIN, VALIDATION, TEST = (1500, 1), (100, 5_000), (100, 30_000)  # length and seed
PHOTOS = ("nuclei", "bright_nuclei")
VOID = 255


@dataclass(frozen=True)
class Row:
    """One method on one task: ``make(seed)`` returns a function from sample to answer, and what is said of it.

    The answer is a bool mask or an instance map of nuclei, or a class map of a street, (H, W). A method without
    chance in it has seed 0 alone.
    """

    task: str
    lesson: int
    method: str
    make: callable
    simple: bool = False  # no network
    seeds: tuple = (0, 1, 2)


@cache
def pictures(task, part):
    """Generated pictures, kept in memory."""
    length, seed = part
    return InMemory(SCENES[task](length, seed=seed))


@cache
def test_sets(task):
    """The sets that a task is scored on, by name: generated pictures, and each real picture for itself."""
    sets = {SCENES[task].__name__: list(pictures(task, TEST))}
    if task == "nuclei":
        sets |= {f"photo {name}": [reduced_photo(name)] for name in PHOTOS}
    return sets


def reduced_photo(name):
    """A real picture as a sample, reduced until the median diameter of its nuclei is that of a generated picture."""
    real = photo(name)
    wanted = np.nanmedian([median_diameter(sample["instances"]) for sample in pictures("nuclei", VALIDATION)])
    factor = wanted / median_diameter(real["instances"])
    sample = {
        "image": torch.from_numpy(real["image"]).float()[None],
        "mask": torch.from_numpy(real["mask"]).long(),
        "instances": torch.from_numpy(real["instances"]).long(),
    }
    return Resize(tuple(round(side * factor) for side in real["image"].shape))(sample)


def median_diameter(instances):
    """Of circles as large as the objects, in pixels; NaN without objects."""
    areas = np.bincount(np.asarray(instances).ravel())[1:]
    return float(np.median(2 * np.sqrt(areas[areas > 0] / np.pi))) if areas.any() else np.nan


def count(task, answer, sample):
    """What pooled scores are made of, for one picture: a dict of lists, one number for each class, or one."""
    truth = sample["mask"].numpy()
    if task == "streets":
        matrix = confusion_matrix(answer, truth, len(Streets.classes))
    else:
        matrix = confusion_matrix(np.asarray(answer > 0, int), truth, 2)
    shared = matrix.diagonal()
    covered = matrix.sum(0) + matrix.sum(1) - shared
    if task == "streets":
        return {"shared": shared.tolist(), "covered": covered.tolist()}
    foreground, void = np.asarray(answer > 0), truth == VOID
    pieces = without_small(label(foreground, connectivity=1), MIN_SIZE)
    objects = split_touching(foreground) if answer.dtype == bool else answer
    counts = {"shared": [int(shared[1])], "covered": [int(covered[1])]}
    for ending, found in (("", objects), ("_unsplit", pieces)):
        score = instance_f1(clear_of_void(found, void), sample["instances"].numpy())
        counts |= {
            f"hits{ending}": [score.true_positives],
            f"errors{ending}": [score.false_positives + score.false_negatives],
        }
    return counts


def clear_of_void(objects, void):
    """Drop the objects that lie in void by more than half, and the others' pixels there."""
    whole = np.bincount(objects.ravel())
    inside = np.bincount(objects[void], minlength=len(whole))
    dropped = 2 * inside > whole
    return np.where(void | dropped[objects], 0, objects)
