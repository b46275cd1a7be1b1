"""Time seglib's average precision beside pycocotools': 500 pictures of 256x256 with 20 objects, 20 to 25 detections.

pycocotools reads run-length codes. They are timed twice: with the encoding of the masks, which a network's output
needs, and without. seglib starts from the masks either way. Seconds are processor time on one core, the best of
several runs, so that other programs on the machine hardly matter. The figures must be equal to 1e-9.

    python -m benchmarks.detection_speed
"""

import contextlib
import io
import time

import numpy as np
from pycocotools import mask as run_lengths
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from benchmarks.record import write_rows
from seglib.metrics import average_precision

PICTURES, OBJECTS, SIZE, RUNS, SEED = 500, 20, 256, 3, 0
NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")


def pictures(classes):
    """Ellipses of 10 to 130 px; nine of ten are detected, displaced a little, some twice or with a wrong label."""
    rng = np.random.default_rng(SEED)
    predictions, targets = [], []
    for _ in range(PICTURES):
        true = np.concatenate([rng.uniform(0, SIZE, (OBJECTS, 2)), rng.uniform(5, 65, (OBJECTS, 2))], axis=1)
        found = np.concatenate([true[rng.random(OBJECTS) < 0.9], true[:5]])
        found = found + rng.normal(0, 0.05, found.shape) * found[:, [2, 3, 2, 3]]
        labels = rng.integers(1, classes + 1, OBJECTS)
        mine = np.concatenate([labels, labels[:5]])[: len(found)]
        targets.append({"labels": labels, "masks": ellipses(true), "boxes": corners(true)})
        scores = np.round(rng.random(len(found)), 2)
        predictions.append({"labels": mine, "scores": scores, "masks": ellipses(found), "boxes": corners(found)})
    return predictions, targets


def corners(shapes):
    return np.concatenate([shapes[:, :2] - shapes[:, 2:], shapes[:, :2] + shapes[:, 2:]], axis=1)


def ellipses(shapes):
    grid = np.arange(SIZE, dtype=np.float32)
    x, y, a, b = shapes.T.astype(np.float32)[:, :, None]
    return ((grid - y) / b)[:, :, None] ** 2 + ((grid - x) / a)[:, None, :] ** 2 <= 1


def encoded(predictions, targets, kind):
    """COCO's lists of true and found annotations."""
    lists = []
    for each in (targets, predictions):
        rows = []
        for index, picture in enumerate(each):
            for number, label in enumerate(picture["labels"].tolist()):
                row = {"image_id": index + 1, "category_id": label, "id": len(rows) + 1, "iscrowd": 0}
                if kind == "box":
                    left, top, right, bottom = picture["boxes"][number].tolist()
                    row |= {"bbox": [left, top, right - left, bottom - top], "area": (right - left) * (bottom - top)}
                else:
                    row["segmentation"] = run_lengths.encode(np.asfortranarray(picture["masks"][number], np.uint8))
                    row["area"] = float(run_lengths.area(row["segmentation"]))
                if each is predictions:
                    row["score"] = float(picture["scores"][number])
                rows.append(row)
        lists.append(rows)
    return lists


def evaluated(true, found, kind, classes):
    true, found = ([dict(row) for row in rows] for rows in (true, found))  # pycocotools writes into them
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"images": [{"id": number + 1, "height": SIZE, "width": SIZE} for number in range(PICTURES)]}
        truth.dataset |= {"annotations": true, "categories": [{"id": label + 1} for label in range(classes)]}
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox" if kind == "box" else "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def seconds(function, *arguments):
    best = float("inf")
    for _ in range(RUNS):
        start = time.process_time()
        result = function(*arguments)
        best = min(best, time.process_time() - start)
    return best, result


def main():
    rows = []
    for classes in (1, 10):
        arrays = pictures(classes)
        for kind in ("mask", "box"):
            ours, figures = seconds(average_precision, *arrays, kind)
            encoding, lists = seconds(encoded, *arrays, kind)
            evaluation, stats = seconds(evaluated, *lists, kind, classes)
            assert np.allclose([figures[name] for name in NAMES], stats, rtol=0, atol=1e-9), (figures, stats)
            timed = {"seglib": ours, "pycocotools": encoding + evaluation, "pycocotools, encoded before": evaluation}
            for name, taken in timed.items():
                row = {"library": name, "kind": kind, "classes": classes, "pictures": PICTURES, "objects": OBJECTS}
                row |= {"size": SIZE, "AP": f"{figures['AP']:.4f}", "seconds": f"{taken:.3f}"}
                rows.append({**row, "times_seglib": f"{taken / ours:.2f}", "seed": SEED})
                print(f"{classes:2} classes  {kind:5} {name:28} {taken:7.3f} s   {taken / ours:6.2f} x seglib")
    write_rows("results/detection_speed.csv", rows, ("numpy", "pycocotools"))


if __name__ == "__main__":
    main()
