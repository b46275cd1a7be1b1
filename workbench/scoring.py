"""The figures of ``seglib score``: per class, per picture, as a dict for JSON and as tables."""

import numpy as np

from seglib.metrics import average_precision, boundary_f1, confusion_matrix, dice, iou, panoptic_quality
from seglib.metrics.comparison import paired_interval
from seglib.progress import Progress
from workbench.windows import VOID, windows

BAND = 1024  # rows that are counted at a time
PIXELS, OBJECTS = ("IoU", "Dice", "boundary_F1"), ("AP", "AP50", "PQ")
COMPARED = ("pictures", "here", "against", "difference", "low", "high")
UNSURE = "low, high: a 95 % interval; if it holds 0, these pictures don't decide. Of fewer than ten it is too narrow."
TOLERANCE = 0.0075  # of the diagonal, as SegNet's paper has it


def score_pictures(predictions, truth):
    """Score every picture of the truth.

    Parameters
    ----------
    predictions, truth : Maps
        Of the same names.

    Returns
    -------
    (report, matrices)
        report: "classes": {class: {"IoU", "Dice", "boundary_F1", and with objects "AP", "AP50", "PQ"}}, "pictures": the
        same by picture, the worst IoU first, means over its classes (without the background's for objects), and
        "mean". A figure that is not defined, such as the IoU of a class that nowhere occurs, is None.
        matrices: {picture: confusion matrix (K, K), rows = truth}.

    Raises
    ------
    ValueError
        Predictions are missing or belong to no picture of the truth, or sizes differ.
    """
    for one, other, what in ((truth, predictions, "has no prediction"), (predictions, truth, "is not in the truth")):
        alone = sorted(set(one.names) - set(other.names))
        if alone:
            raise ValueError(f"{alone[0]} {what} ({len(alone)} of {len(one.names)} pictures)")
    classes = truth.classes or predictions.classes or _numbered(predictions, truth)
    matrices, outlines, pictures, cut = {}, [], {}, []
    with Progress("scoring") as bar:
        for number, name in enumerate(truth.names, start=1):
            found, true = predictions[name], truth[name]
            if found["mask"].shape != true["mask"].shape:
                sizes = f"the prediction is {found['mask'].shape}, the truth {true['mask'].shape}"
                raise ValueError(f"{name}: {sizes} (height, width)")
            matrices[name] = own = counted(found["mask"], true["mask"], len(classes))
            outline = outlines_of(found["mask"], true["mask"], len(classes))
            pictures[name] = dict(zip(PIXELS, map(mean, (iou(own), dice(own), outline)), strict=True))
            if "instances" in found and "instances" in true:
                own_cut = windows(found, true)
                pictures[name] |= score_objects(own_cut)[0]
                cut += own_cut
            outlines.append(outline)
            bar.update(number / len(truth.names), name)
    matrix = sum(matrices.values())
    pictures = dict(sorted(pictures.items(), key=lambda each: (each[1]["IoU"] is None, each[1]["IoU"])))
    if truth.foreground is not None and not matrix[1].sum():
        raise ValueError(f"no mask of the truth holds the value {truth.foreground}: what is --foreground to be?")
    columns = (iou(matrix), dice(matrix), [mean(column) for column in zip(*outlines, strict=True)])
    rows = [{key: mean([row[k]]) for k, key in enumerate(PIXELS)} for row in zip(*columns, strict=True)]
    report = {"classes": dict(zip(classes, rows, strict=True)), "pictures": pictures}
    report["mean"] = {key: mean([row[key] for row in rows]) for key in PIXELS}
    if all("AP" in figures for figures in pictures.values()):  # all are told apart
        whole, by_class = score_objects(cut)
        report["mean"] |= whole
        for label, figures in by_class.items():
            report["classes"][classes[label]] |= figures
    return report, matrices


def counted(found, true, classes):
    """The confusion matrix of a picture, band by band, so that a large one takes no more memory than a small one."""
    bands = [slice(top, top + BAND) for top in range(0, len(true), BAND)]
    return sum(confusion_matrix(found[band], true[band], classes) for band in bands)


def score_objects(cut):
    """({"AP", "AP50", "PQ"} over all pictures, the same by class) of pictures cut by `windows.windows`."""
    detected = average_precision((detections(found) for found, _ in cut), (detections(true) for _, true in cut))
    parted = panoptic_quality((found for found, _ in cut), (true for _, true in cut))
    qualities = {label: each["PQ"] for label, each in parted["per_class"].items() if label != 0}
    whole = {"AP": mean([detected["AP"]]), "AP50": mean([detected["AP50"]]), "PQ": mean(qualities.values())}
    classes = sorted(qualities.keys() | detected["per_class"].keys())
    columns = {"AP": detected["per_class"], "AP50": detected["per_class_50"], "PQ": qualities}
    return whole, {label: {name: mean([column.get(label)]) for name, column in columns.items()} for label in classes}


def detections(window):
    """What `average_precision` takes: a mask, a class and a score for every object that counts."""
    ids = np.flatnonzero(window["counted"]) + 1
    masks = window["instances"] == ids[:, None, None]
    return {"masks": masks, "labels": window["labels"][ids - 1], "scores": window["scores"][ids - 1]}


def outlines_of(found, true, classes):
    """Boundary F1 of every class of a picture, NaN where neither side has it; void pixels belong to no class."""
    tolerance, found = TOLERANCE * np.hypot(*true.shape), np.where(true == VOID, VOID, found)
    pairs = [(found == label, true == label) for label in range(classes)]
    return [boundary_f1(*pair, tolerance) if pair[0].any() or pair[1].any() else np.nan for pair in pairs]


def mean(values):
    """Mean over what is known, for JSON: None if nothing is."""
    values = [float(value) for value in values if value is not None and not np.isnan(value)]
    return float(np.mean(values)) if values else None


def compared(own, other):
    """Two answers of `score_pictures` on the same truth, picture by picture: {figure: {column: number}}.

    A figure is the mean over classes, or IoU of one class, in pictures where both sides have it; the interval that of
    `paired_interval`.
    """
    sides, rows = [], {}
    for report, matrices in (own, other):
        figures = {key: [report["pictures"][name].get(key) for name in matrices] for key in report["mean"]}
        by_class = zip(*map(iou, matrices.values()), strict=True)
        sides.append(figures | {f"IoU of {name}": each for name, each in zip(report["classes"], by_class, strict=True)})
    for key in (key for key in sides[0] if key in sides[1]):
        both = np.array([side[key] for side in sides], float)
        both = both[:, ~np.isnan(both).any(0)]
        if both.size:
            means, interval = both.mean(1), paired_interval(*both)
            rows[key] = dict(zip(COMPARED, (both.shape[1], *means.tolist(), *interval), strict=True))
    return rows


def tables(report):
    """Tables as text: the classes with their mean, the pictures, and the comparison if there is one."""
    columns = [key for key in (*PIXELS, *OBJECTS) if key in report["mean"]]
    lines = [*_table("class", report["classes"] | {"mean": report["mean"]}, columns)]
    lines += ["", *_table("picture", report["pictures"], columns)]
    if report.get("against"):
        lines += ["", *_table("picture by picture", report["against"], COMPARED), UNSURE]
    return "\n".join(lines)


def _table(title, rows, columns):
    width = max(len(title), *map(len, rows))
    yield f"{title:{width}}" + "".join(f"{column.replace('_', ' '):>13}" for column in columns)
    for name, row in rows.items():
        cells = (row.get(column) for column in columns)
        yield f"{name:{width}}" + "".join(
            f"{'' if cell is None else format(cell, '.4f' if isinstance(cell, float) else 'd'):>13}" for cell in cells
        )


def _numbered(predictions, truth):
    """Names for classes that have none: as many numbers as labels occur."""
    both = (maps[name]["mask"] for maps in (predictions, truth) for name in maps.names)
    highest = max(int(mask[mask != VOID].max(initial=0)) for mask in both)
    return [str(label) for label in range(highest + 1)]
