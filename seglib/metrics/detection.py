"""Average precision: detections ranked by score, matched to objects, judged at every recall. COCO's protocol."""

import numpy as np

from ._detections import read_prediction, read_target, require_same_size
from ._inputs import mean_of_known, picture_pairs
from .overlaps import box_iou, mask_and_boundary_iou, mask_iou

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
AREAS = np.array([[0, 1e10], [0, 32**2], [32**2, 96**2], [96**2, 1e10]])  # all, small, medium, large; ends included
MOST = 100  # detections of one class that count in a picture

_OVERLAPS = {"mask": mask_iou, "box": box_iou, "boundary": mask_and_boundary_iou}


def average_precision(predictions, targets, kind="mask"):
    """COCO's twelve figures of a detector (Lin et al. 2014), equal to pycocotools', and AP by class.

    Of each class, the detections of all pictures are ranked by score. From the best one on, each takes the true object
    that it overlaps most and that is still free, if their IoU reaches the threshold, or is a false alarm. Precision
    at a recall is the best one at that recall or a higher one; AP is its mean over 101 recalls, and then over
    ten IoU thresholds from 0.50 to 0.95 and over the classes.

    Parameters
    ----------
    predictions : list of dict, one per picture
        "scores" (n,), "labels" (n,) from 1 and "boxes" (n, 4) xyxy or "masks" (n, H, W): NumPy arrays or tensors.
        Masks are boolean, 0 and 1, or probabilities, which are cut at 0.5, so that Mask R-CNN's output
        (n, 1, H, W) can be passed as it is. At most 100 detections a class and picture count.
    targets : list of dict, one per picture
        "labels", and "boxes" or "masks" of 0 and 1. Optional are "iscrowd" (n,), 1 where a region holds objects that
        nobody told apart (to find it is no hit, no miss and no false alarm), and "area" (n,), which then decides
        what is small or large (COCO's boxes come with the area of their mask); by default the region's own.
    kind : {"mask", "box", "boundary"}
        What is compared. "boundary": the smaller one of mask IoU and boundary IoU (Cheng et al. 2021).

    Both lists may be generators, which are read once, one picture at a time: masks then never fill the memory.

    Returns
    -------
    dict of floats in 0..1
        "AP"; "AP50", "AP75" at one IoU threshold; "APs", "APm", "APl" for objects up to 32^2, 96^2 and more pixels;
        "AR1", "AR10", "AR100": recall with so many detections a class and picture, mean over thresholds and classes;
        "ARs", "ARm", "ARl"; and "per_class": {label: AP}, "per_class_50": {label: AP50}. The classes are those of the
        targets. A class without an object to find (only crowds, or none of that size) is NaN and left out of the mean;
        pycocotools has -1.

    Raises
    ------
    ValueError
        Lists of unequal length, a missing key, entries of unequal length, masks of another size, labels below 1,
        boxes that are not xyxy, mask values outside of 0..1.

    Examples
    --------
    >>> target = {"labels": np.array([1, 1]), "boxes": np.array([[0, 0, 10, 10], [20, 0, 30, 10]])}
    >>> found = {"labels": [1], "scores": [0.9], "boxes": np.array([[0, 0, 10, 8]])}  # IoU 0.8
    >>> figures = average_precision([found], [target], kind="box")
    >>> round(figures["AP50"], 3), round(figures["AP"], 3), figures["AR100"]  # 51 of 101 recalls, 7 of 10 thresholds
    (0.505, 0.353, 0.35)
    """
    if kind not in _OVERLAPS:
        raise ValueError(f'kind is {kind!r}; "mask", "box" or "boundary" is wanted.')
    detections, wanted = [], []
    for index, prediction, target in picture_pairs(predictions, targets):
        prediction, target = read_prediction(prediction, index, kind), read_target(target, index, kind)
        if kind != "box":
            require_same_size(prediction, target, index)
        detections.append(_judge(prediction, target, _OVERLAPS[kind]))
        wanted.append((target.labels, ~_ignored(target)))
    if not wanted:
        raise ValueError("predictions and targets are empty; at least one picture is wanted.")
    labels, scores, ranks, hits, alarms = map(np.concatenate, zip(*detections, strict=True))
    true_labels, counted = map(np.concatenate, zip(*wanted, strict=True))
    classes = np.unique(true_labels)
    scored = []
    for label in classes:
        mine = labels == label
        scored.append(
            _score_class(scores[mine], ranks[mine], hits[mine], alarms[mine], counted[true_labels == label].sum(0))
        )
    return _figures(classes.tolist(), scored)


def match(iou, order, ignored, crowd):
    """COCO's greedy matching in one picture, at every IoU threshold and for every range of areas.

    The detections choose in their `order`. Each takes the free object of largest IoU (of equals the last one), an
    ignored one only if no other can be had. A crowd is never used up.

    Parameters
    ----------
    iou : (D, G) floats, 0 where the labels differ
    order : (D,) row numbers of `iou`, best score first
    ignored : (G, A) bool, objects outside of a range of areas, and crowds
    crowd : (G,) bool

    Returns
    -------
    (D, A, T) int64 array
        Which object each detection takes at each range of areas and IoU threshold; -1: none.
    """
    ranges, thresholds = ignored.shape[1], len(IOU_THRESHOLDS)
    taken = np.full((len(iou), ranges, thresholds), -1)
    free = np.ones((len(crowd), ranges, thresholds), bool)
    near = iou >= IOU_THRESHOLDS[0]
    for detection in order[near[order].any(1)].tolist():
        candidates = np.flatnonzero(near[detection])[::-1]
        candidates = candidates[np.argsort(-iou[detection, candidates], kind="stable")].tolist()
        mine = taken[detection]
        for last_choice in (False, True):
            for candidate in candidates:
                choosable = (ignored[candidate] == last_choice)[:, None] & (iou[detection, candidate] >= IOU_THRESHOLDS)
                choice = choosable & free[candidate] & (mine < 0)
                mine[choice] = candidate
                if not crowd[candidate]:
                    free[candidate] &= ~choice
    return taken


def _judge(prediction, target, overlaps):
    """Labels, scores, ranks (D,) of a picture's detections and whether each is a hit, a false alarm (D, A, T)."""
    order = np.argsort(-prediction.scores, kind="stable")
    ranks = _ranks(prediction.labels, order)
    kept = ranks < MOST
    asked = (prediction.labels[:, None] == target.labels) & kept[:, None]
    ignored = _ignored(target)
    taken = match(overlaps(prediction, target, asked), order, ignored, target.crowd)
    spoilt = np.concatenate([ignored, np.ones((1, len(AREAS)), bool)])  # the last row is for -1, nothing taken
    hits = ~spoilt[taken, np.arange(len(AREAS))[:, None]]
    alarms = (taken < 0) & _within(prediction.areas)[:, :, None]
    return tuple(each[kept] for each in (prediction.labels, prediction.scores, ranks, hits, alarms))


def _ranks(labels, order):
    """Place of each detection among those of its label and picture, best score = 0."""
    ranks = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        same = order[labels[order] == label]
        ranks[same] = np.arange(len(same))
    return ranks


def _ignored(target):
    return target.crowd[:, None] | ~_within(target.areas)


def _within(areas):
    """(n, A): which ranges of areas an object belongs to."""
    return (areas[:, None] >= AREAS[:, 0]) & (areas[:, None] <= AREAS[:, 1])


def _score_class(scores, ranks, hits, alarms, wanted):
    """AP (A, T) and recall (3, A, T) with 1, 10, 100 detections of one class; NaN where no object was wanted (A,)."""
    order = np.argsort(-scores, kind="stable")
    found, wrong = hits[order].cumsum(0), alarms[order].cumsum(0)
    wanted = np.where(wanted > 0, wanted, np.nan)
    precision = np.full(hits.shape[1:], np.nan)
    for area, threshold in np.ndindex(precision.shape):
        if wanted[area] > 0:
            curve = _precision_at_recalls(found[:, area, threshold], wrong[:, area, threshold], wanted[area])
            precision[area, threshold] = curve.mean()
    recall = np.stack([hits[ranks < most].sum(0) for most in (1, 10, MOST)]) / wanted[:, None]
    return precision, recall


def _precision_at_recalls(found, wrong, wanted):
    """Precision at the 101 recalls, from the running counts of hits and false alarms; 0 where recall never gets."""
    precision = found / np.maximum(found + wrong, 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return np.append(best_from_here, 0.0)[np.searchsorted(found / wanted, RECALLS)]


def _figures(classes, scored):
    """The named figures from the pair AP (A, T), recall (3, A, T) of each class."""
    shape = len(AREAS), len(IOU_THRESHOLDS)  # must be said where there is no class
    precision = np.array([each for each, _ in scored]).reshape(-1, *shape)
    recall = np.array([each for _, each in scored]).reshape(-1, 3, *shape)
    every, small, medium, large = range(len(AREAS))
    figures = {"AP": precision[:, every], "AP50": precision[:, every, 0], "AP75": precision[:, every, 5]}
    figures |= {"APs": precision[:, small], "APm": precision[:, medium], "APl": precision[:, large]}
    figures |= {f"AR{most}": recall[:, row, every] for row, most in enumerate((1, 10, MOST))}
    figures |= {"ARs": recall[:, 2, small], "ARm": recall[:, 2, medium], "ARl": recall[:, 2, large]}
    per_class = {"per_class": precision[:, every].mean(1), "per_class_50": precision[:, every, 0]}
    return {name: mean_of_known(values) for name, values in figures.items()} | {
        name: dict(zip(classes, values.tolist(), strict=True)) for name, values in per_class.items()
    }
