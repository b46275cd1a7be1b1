"""Time seglib's confusion matrix beside torchmetrics' and scikit-learn's: 1,000 masks of 256x256, 11 classes.

Masks are handled one by one, as a validation loop meets them. Both int64 (torch's masks) and uint8 (masks
read from files) are timed. Seconds are processor time on one core, the best of several runs, so that other
programs on the machine hardly matter.

    python -m benchmarks.metrics_speed
"""

import time

import numpy as np
import torch
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix
from torchmetrics.functional.classification import multiclass_confusion_matrix

from benchmarks.record import write_rows
from seglib.metrics import confusion_matrix

CLASSES, COUNT, SIZE, RUNS, SEED = 11, 1000, 256, 3, 0
LABELS = list(range(CLASSES))


def masks(dtype):
    """Street-like targets (blocks of one class, 5 % void), predictions wrong on a fifth of the pixels."""
    random = np.random.default_rng(SEED)
    blocks = random.integers(0, CLASSES, (COUNT, SIZE // 16, SIZE // 16))
    target = blocks.repeat(16, axis=1).repeat(16, axis=2).astype(dtype)
    wrong = random.random(target.shape, dtype=np.float32) < 0.2
    prediction = np.where(wrong, random.integers(0, CLASSES, target.shape, dtype=np.uint8), target).astype(dtype)
    target[random.random(target.shape, dtype=np.float32) < 0.05] = 255
    return prediction, target


def ours(predictions, targets):
    return sum(confusion_matrix(p, t, CLASSES) for p, t in zip(predictions, targets, strict=True))


def by_bincount(predictions, targets):
    """The least that counting costs: nothing checked, void dropped by the size of the table."""
    matrix = 0
    for prediction, target in zip(predictions, targets, strict=True):
        pair = np.multiply(target, CLASSES, dtype=np.int64) + prediction
        matrix = matrix + np.bincount(pair.ravel(), minlength=256 * CLASSES)[: CLASSES**2]
    return matrix.reshape(CLASSES, CLASSES)


def by_torchmetrics(predictions, targets):
    pairs = zip(torch.from_numpy(predictions), torch.from_numpy(targets), strict=True)
    return sum(multiclass_confusion_matrix(p, t, CLASSES, ignore_index=255) for p, t in pairs).numpy()


def by_torchmetrics_unchecked(predictions, targets):
    pairs = zip(torch.from_numpy(predictions), torch.from_numpy(targets), strict=True)
    options = {"ignore_index": 255, "validate_args": False}
    return sum(multiclass_confusion_matrix(p, t, CLASSES, **options) for p, t in pairs).numpy()


def by_sklearn(predictions, targets):
    pairs = zip(predictions, targets, strict=True)
    return sum(sklearn_confusion_matrix(t.ravel(), p.ravel(), labels=LABELS) for p, t in pairs)


def seconds(function, arguments, runs):
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        result = function(*arguments)
        best = min(best, time.process_time() - start)
    return best, result


def main():
    torch.set_num_threads(1)  # the others use one core, too
    rows = []
    for dtype in ("int64", "uint8"):
        arrays = masks(dtype)
        base, expected = seconds(ours, arrays, RUNS)
        for name, function, runs in (
            ("seglib", ours, RUNS),
            ("np.bincount, unchecked", by_bincount, RUNS),
            ("torchmetrics", by_torchmetrics, RUNS),
            ("torchmetrics, unchecked", by_torchmetrics_unchecked, RUNS),
            ("scikit-learn", by_sklearn, 1),
        ):
            taken, matrix = (base, expected) if function is ours else seconds(function, arrays, runs)
            assert np.array_equal(matrix, expected), name
            rows.append(
                {
                    "library": name,
                    "masks": f"{COUNT} x {SIZE}x{SIZE} {dtype}",
                    "classes": CLASSES,
                    "seconds": f"{taken:.3f}",
                    "times_seglib": f"{taken / base:.2f}",
                    "seed": SEED,
                }
            )
            print(f"{dtype:6}  {name:24} {taken:7.3f} s   {taken / base:6.2f} x seglib")
    packages = ("numpy", "torch", "torchmetrics", "scikit-learn")
    write_rows("results/metrics_speed.csv", rows, packages)


if __name__ == "__main__":
    main()
