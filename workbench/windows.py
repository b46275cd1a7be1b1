"""A picture of thousands of objects, cut into small windows that give the same average precision and panoptic quality.

Both ask which predicted and true objects share half of their union or more. Objects of one side do not overlap, so each
has at most one such partner (two, where each is exactly one half of it), and whatever else lies around can be cut away.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import find_objects
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

VOID = 255
MOST = 100  # detections of one class that count in a picture, the best ones, as in `seglib.metrics.average_precision`


class Thing(NamedTuple):
    """An object in its bounding box."""

    place: tuple  # slices of rows and columns
    mask: np.ndarray  # (h, w) bool
    label: int
    score: float


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
    found_ids, true_ids = _ids(found), _ids(true)
    predicted, wanted = _things(found, found_ids), _things(true, true_ids)
    counted = _counted(predicted)
    void = true["mask"] == VOID
    if not predicted and not wanted:
        return [(_painted([], [], np.zeros((1, 1), bool)), _painted([], [], np.zeros((1, 1), bool)))]
    cut = []
    for members in _groups(predicted, wanted, found_ids, void):
        sides = [k for k in members if k < len(predicted)], [k - len(predicted) for k in members if k >= len(predicted)]
        mine, theirs = [predicted[k] for k in sides[0]], [wanted[k] for k in sides[1]]
        window = _around([*mine, *theirs])
        blank = np.zeros_like(void[window])
        prediction = _painted([_moved(thing, window) for thing in mine], counted[sides[0]], blank)
        target = _painted([_moved(thing, window) for thing in theirs], np.ones(len(theirs), bool), void[window])
        cut.append((prediction, target))
    return cut


def _ids(maps):
    return np.where(maps["mask"] == VOID, 0, maps["instances"])


def _things(maps, ids):
    """The objects of a picture, in the order of their ids."""
    things = []
    for number, place in enumerate(find_objects(ids), start=1):
        if place is None:
            continue
        mask = ids[place] == number
        label = int(np.bincount(maps["mask"][place][mask]).argmax())
        if label == 0:
            raise ValueError(f"object {number} lies on the background: masks and objects belong to different pictures?")
        things.append(Thing(place, mask, label, float(maps["scores"][number - 1])))
    return things


def _counted(things):
    """Whether each is among the best MOST of its class, bool (n,); of equal scores the first are."""
    labels, scores = np.array([thing.label for thing in things]), np.array([thing.score for thing in things])
    counted = np.ones(len(things), bool)
    for label in np.unique(labels):
        ranked = np.argsort(np.where(labels == label, -scores, np.inf), kind="stable")
        counted[ranked[MOST : (labels == label).sum()]] = False
    return counted


def _groups(predicted, wanted, found_ids, void):
    """Lists of numbers: predicted objects from 0 on, then the true ones; those of one list share at least a half."""
    place_of = {found_ids[thing.place][thing.mask][0]: k for k, thing in enumerate(predicted)}
    areas = [np.count_nonzero(thing.mask & ~void[thing.place]) for thing in predicted]
    edges = []
    for number, thing in enumerate(wanted):
        area = np.count_nonzero(thing.mask)
        for found, shared in zip(*np.unique(found_ids[thing.place][thing.mask], return_counts=True), strict=True):
            k = place_of.get(found)
            if k is not None and predicted[k].label == thing.label and 2 * shared >= area + areas[k] - shared:
                edges.append((k, len(predicted) + number))
    total = len(predicted) + len(wanted)
    rows, columns = np.array(edges, int).reshape(-1, 2).T
    count, group = connected_components(coo_array((np.ones(len(edges)), (rows, columns)), (total, total)), False)
    order = np.argsort(group, kind="stable")
    return np.split(order, np.cumsum(np.bincount(group, minlength=count))[:-1])


def _around(things):
    """The window that holds all of them, as slices."""
    return tuple(
        slice(min(thing.place[axis].start for thing in things), max(thing.place[axis].stop for thing in things))
        for axis in (0, 1)
    )


def _moved(thing, window):
    """The same object, its place counted from the window's corner."""
    place = tuple(
        slice(side.start - edge.start, side.stop - edge.start) for side, edge in zip(thing.place, window, strict=True)
    )
    return thing._replace(place=place)


def _painted(things, counted, void):
    mask, instances = np.where(void, VOID, 0).astype(np.uint8), np.zeros(void.shape, np.uint8)
    for number, thing in enumerate(things, start=1):
        mask[thing.place][thing.mask] = thing.label
        instances[thing.place][thing.mask] = number
    labels, scores = [thing.label for thing in things], [thing.score for thing in things]
    return {
        "mask": mask,
        "instances": instances,
        "labels": np.array(labels, int),
        "scores": np.array(scores, float),
        "counted": np.array(counted, bool),
    }
