"""A picture of thousands of objects, cut into small windows that give the same average precision and panoptic quality.

Both ask which predicted and true objects share half of their union or more. Objects of one side do not overlap, so each
has at most one such partner (two, where each is exactly one half of it), and whatever else lies around can be cut away.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import DisjointSet
from scipy.ndimage import find_objects

VOID = 255
MOST = 100  # detections of one class that count in a picture, the best ones, as in `seglib.metrics.average_precision`


class Thing(NamedTuple):
    """An object of a map of ids."""

    place: tuple  # its bounding box: slices of rows and columns
    label: int
    score: float
    area: int  # without what is void in the truth


def windows(found, true):
    """Cut a picture's maps into windows, one for each pair of objects and each object without a partner.

    Parameters
    ----------
    found, true : dict
        "mask" (H, W), class ids, 255 = void; "instances" (H, W), 0 = none, 1..n; "scores" (n,). What is void in its own
        mask belongs to no object; an object has the class of most of its pixels.

    Returns
    -------
    list of (prediction, target)
        Dicts of "mask" uint8 (h, w), 0 where no object is, void kept in the target; "instances" uint8 (h, w), 1..k;
        "labels" and "scores" (k,); "counted" (k,), False where a detection is not among the best of its class. An
        empty window stands for a picture without objects.

    Raises
    ------
    ValueError
        An object lies on the background.
    """
    void = true["mask"] == VOID
    sides = _things(found, void), _things(true, void)
    counted = _best(sides[0][1]), sides[1][1]
    cut = []
    for members in _groups(*sides):
        places = [sides[side][1][number].place for side, number in members]
        window = tuple(
            slice(min(place[axis].start for place in places), max(place[axis].stop for place in places))
            for axis in (0, 1)
        )
        pair = []
        for side, (ids, things) in enumerate(sides):
            numbers = [number for each, number in sorted(members) if each == side]
            pair.append(_painted(ids[window], {k: things[k] for k in numbers}, counted[side]))
        pair[1]["mask"][void[window]] = VOID
        cut.append(tuple(pair))
    blank = np.zeros((1, 1), np.int32)
    return cut or [(_painted(blank, {}, ()), _painted(blank, {}, ()))]


def _things(maps, void):
    """(ids without what is void in its own mask, {id: Thing})."""
    ids, things = np.where(maps["mask"] == VOID, 0, maps["instances"]), {}
    for number, place in enumerate(find_objects(ids), start=1):
        if place is None:
            continue
        mask = ids[place] == number
        label = int(np.bincount(maps["mask"][place][mask]).argmax())
        if label == 0:
            raise ValueError(f"object {number} lies on the background: masks and objects belong to different pictures?")
        area = np.count_nonzero(mask & ~void[place])
        things[number] = Thing(place, label, float(maps["scores"][number - 1]), area)
    return ids, things


def _best(things):
    """The ids of the best MOST of each class; of equal scores the first are."""
    by_class = defaultdict(list)
    for number in sorted(things, key=lambda number: -things[number].score):
        by_class[things[number].label].append(number)
    return {number for numbers in by_class.values() for number in numbers[:MOST]}


def _groups(found, true):
    """Sets of (side, id), 0 for the predicted and 1 for the true side, of objects that share at least a half."""
    (found_ids, predicted), (true_ids, wanted) = found, true
    groups = DisjointSet([(side, number) for side, things in enumerate((predicted, wanted)) for number in things])
    for number, thing in wanted.items():
        mask = true_ids[thing.place] == number
        for other, shared in zip(*np.unique(found_ids[thing.place][mask], return_counts=True), strict=True):
            rival = predicted.get(int(other))
            if rival and rival.label == thing.label and 2 * shared >= thing.area + rival.area - shared:
                groups.merge((0, int(other)), (1, number))
    return groups.subsets()


def _painted(ids, things, counted):
    """What `windows` gives of one side, of the ids in a window."""
    mask, instances = np.zeros(ids.shape, np.uint8), np.zeros(ids.shape, np.uint8)
    for place, (number, thing) in enumerate(things.items(), start=1):
        inside = ids == number
        mask[inside], instances[inside] = thing.label, place
    return {
        "mask": mask,
        "instances": instances,
        "labels": np.array([thing.label for thing in things.values()], int),
        "scores": np.array([thing.score for thing in things.values()], float),
        "counted": np.array([number in counted for number in things], bool),
    }
