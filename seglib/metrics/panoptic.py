"""Panoptic quality: things and stuff, every pixel once, in one figure."""

import numpy as np

from seglib.arrays import relabel, to_numpy
from seglib.inputs import label_map

from ._detections import read_crowd
from ._inputs import entry, mean_of_known, number_pairs, pair_counts, picture_pairs


def panoptic_quality(predictions, targets, ignore_index=255):
    """Panoptic quality (Kirillov et al. 2019): how well segments are outlined, times how many were recognised.

    A segment is all pixels of one class and one instance id: an object, or with id 0 all of a class of stuff. A
    predicted and a true segment match if they agree in class and their IoU is above 0.5; a segment then has at most one
    partner. Void pixels of the target belong to no union, and a predicted segment that matches nothing is a false alarm
    only if at most half of it is void or a crowd of its class. Counts are pooled over the pictures.

    Parameters
    ----------
    predictions, targets : list of dict, one per picture
        "mask" (H, W), integer class ids, and "instances" (H, W), integer ids of the objects, 0 on stuff: what the data
        sets' samples hold. Ids may have gaps and mean nothing across the two maps. A target may hold "iscrowd" (n,),
        1 where the object of id 1..n is a crowd. Arrays or tensors; the lists may be generators.
    ignore_index : int
        Class id of void: pixels without a class in the target, or left without one by the prediction.

    Returns
    -------
    dict
        "SQ" (segmentation quality), the mean IoU of the matches; "RQ" (recognition quality), their F1,
        TP / (TP + FP / 2 + FN / 2); "PQ" = SQ * RQ: floats in 0..1, each the mean over the classes, NaN without any.
        "per_class": {class id: {"PQ", "SQ", "RQ"}}. Classes without a match, false alarm or miss are left out. The
        background counts as stuff if it has a class id; as void it would excuse every object invented there.

    Raises
    ------
    ValueError
        Lists of unequal length, a missing key, maps that are no integers, differ in size or hold negative ids.

    Examples
    --------
    >>> target = {"mask": np.array([[0, 0, 1, 1, 1, 1]]), "instances": np.array([[0, 0, 1, 1, 1, 2]])}
    >>> prediction = {"mask": np.array([[0, 0, 0, 1, 1, 0]]), "instances": np.array([[0, 0, 0, 9, 9, 0]])}
    >>> scores = panoptic_quality([prediction], [target])
    >>> scores["per_class"][1]["RQ"]  # object 1 is found, object 2 is missed
    0.6666666666666666
    """
    counts = {}  # class -> sum of IoUs, matches, false alarms, misses
    for index, prediction, target in picture_pairs(predictions, targets):
        for label, found in _count(prediction, target, index, ignore_index):
            counts[label] = counts.get(label, 0) + found
    per_class = {}
    for label in sorted(label for label in counts if counts[label][1:].any()):
        overlap, hits, alarms, misses = counts[label].tolist()
        quality, recognition = overlap / max(hits, 1), hits / (hits + alarms / 2 + misses / 2)
        per_class[label] = {"PQ": quality * recognition, "SQ": quality, "RQ": recognition}
    means = {name: mean_of_known([each[name] for each in per_class.values()]) for name in ("PQ", "SQ", "RQ")}
    return means | {"per_class": per_class}


def _count(prediction, target, index, ignore_index):
    """Yield (class, array of sum of IoUs, matches, false alarms, misses) for the classes of one picture."""
    predicted, predicted_classes, _ = _segments(prediction, f"predictions[{index}]")
    true, true_classes, ids = _segments(target, f"targets[{index}]")
    if predicted.shape != true.shape:
        raise ValueError(
            f"picture {index}: the predicted maps are {predicted.shape}, the true ones {true.shape} (height, width)."
        )
    table = pair_counts(true, predicted, (len(true_classes), len(predicted_classes)))
    known, found = true_classes != ignore_index, predicted_classes != ignore_index  # the rest is void
    true_classes, predicted_classes = true_classes[known], predicted_classes[found]
    crowd = _crowds(target, ids[known], f"targets[{index}]")
    void, shared, areas = table[~known][:, found].sum(0), table[known][:, found], table[:, found].sum(0)
    union = table[known].sum(1)[:, None] + areas - void - shared
    same = true_classes[:, None] == predicted_classes
    iou = np.where(same & ~crowd[:, None], shared / union, 0)
    matches = iou > 0.5
    excused = void + np.where(same & crowd[:, None], shared, 0).sum(0)
    alarms = ~matches.any(0) & (2 * excused <= areas)
    misses = ~matches.any(1) & ~crowd
    for label in np.union1d(predicted_classes, true_classes).tolist():
        mine, partners = true_classes == label, predicted_classes == label
        hits = matches[mine]
        yield label, np.array([iou[mine][hits].sum(), hits.sum(), alarms[partners].sum(), misses[mine].sum()])


def _segments(picture, name):
    """The picture's map of segments 0..n-1, void among them, and the (n,) classes and (n,) instance ids of these."""
    mask, instances = (_map(picture, key, name) for key in ("mask", "instances"))
    if mask.shape != instances.shape:
        raise ValueError(f"{name}: mask is {mask.shape}, instances {instances.shape}; they must agree.")
    step = int(instances.max(initial=0)) + 1
    segments, used = relabel(number_pairs(mask, instances, step))
    return segments, used // step, used % step


def _map(picture, key, name):
    values = label_map(entry(picture, key, name), f"{name}: {key}", objects=key == "instances")
    if values.size and not 0 <= values.min() <= values.max() < 2**31:
        raise ValueError(f"{name}: {key} holds {values.min()} to {values.max()}; ids from 0 to 2^31 - 1 are wanted.")
    return values


def _crowds(target, ids, name):
    """Which of the target's segments are crowds."""
    if "iscrowd" not in target:
        return np.zeros(len(ids), bool)
    flags = read_crowd(target, name, len(to_numpy(target["iscrowd"])))
    if ids.max(initial=0) > len(flags):
        raise ValueError(
            f"{name}: instances hold the id {ids.max()}, but iscrowd has {len(flags)} entries; one per id is wanted."
        )
    return np.append(False, flags)[ids]
