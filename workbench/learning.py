"""What a run of ``seglib train`` asks of each batch and shows of each scoring."""

import time

import numpy as np
import torch
from torch.utils.data import Subset

from seglib import losses
from seglib.plotting import overlay, overlay_instances
from seglib.training import detection_batch, evaluate, predict_logits
from seglib.training.batches import pixel_batch
from seglib.training.scoring import evaluating
from workbench.detections import detect, paint
from workbench.drawing import save_picture
from workbench.processes import fair_share, rank_and_size

SHOWN = 4  # held-back pictures in a picture of samples
POWERS = {"median": 1.0, "sqrt": 0.5}  # of median-frequency weights


class Loss:
    """(logits, mask) -> scalar, by a name in `train.LOSSES`; counts what the network says while it is scored.

    The cross-entropy takes class weights, and is fair to several processes: those with more void count less. Where
    more than two classes compete, rare ones weigh more by default: by the square roots of median-frequency weights.

    Raises ValueError for weights that are none or don't fit.
    """

    def __init__(self, kind, weights, classes, train):
        self.kind, self.classes = kind.replace("-", "_"), classes
        self.weights = class_weights(weights, classes, train, kind)
        self.seen = np.zeros((2, len(classes)), np.int64)  # pixels of each class, predicted and true

    def __call__(self, logits, mask):
        if not torch.is_grad_enabled():
            known = mask != 255
            for row, labels in enumerate((logits.argmax(1), mask)):
                self.seen[row] += np.bincount(labels[known].cpu().numpy(), minlength=len(self.classes))
        if self.kind != "cross_entropy":
            return getattr(losses, f"{self.kind}_loss")(logits, mask)
        by_class = self.weights.to(logits.device)
        value = losses.cross_entropy(logits, mask, class_weights=by_class)
        if not (torch.is_grad_enabled() and rank_and_size()[1] > 1):
            return value
        counted = torch.where(mask == 255, 0.0, by_class[mask.where(mask != 255, 0)])
        return value * fair_share(counted.sum())

    def never_predicted(self):
        """The classes that occur among the held-back pictures and were not predicted since this was last asked."""
        missing = [name for name, found, true in zip(self.classes, *self.seen, strict=True) if true and not found]
        self.seen[:] = 0
        return missing


def class_weights(asked, classes, train, loss="cross-entropy"):
    """Weights (K,) for what --class-weights says, or by default."""
    if asked is not None and loss != "cross-entropy":
        raise ValueError(f"--class-weights are for the cross-entropy, not for --loss {loss}")
    kind = asked or ("sqrt" if len(classes) > 2 else "none")
    if kind == "none":
        return torch.ones(len(classes))
    if kind not in POWERS:
        try:
            weights = torch.tensor([float(part) for part in kind.split(",")])
        except ValueError:
            raise ValueError(f"--class-weights is {kind}: wanted is none, sqrt, median, or numbers, 1,5,5") from None
        if len(weights) != len(classes) or not (weights >= 0).all() or not weights.isfinite().all():
            raise ValueError(f"--class-weights is {kind}: wanted is one of 0 or more for each of {', '.join(classes)}")
        return weights
    if not hasattr(train, "counts"):
        raise ValueError(f"--class-weights {kind} counts the masks of a folder; for this set give numbers")
    return losses.class_weights(train.counts, power=POWERS[kind])


def scoring_time(network, val, batch, loss, detector):
    """Seconds that scoring takes: those of one batch, times the number of batches."""
    started, some = time.monotonic(), min(batch, len(val))
    collate = detection_batch if detector else pixel_batch
    evaluate(network, Subset(val, range(some)), batch, loss=loss, collate=collate)
    if loss:
        loss.never_predicted()
    return (time.monotonic() - started) * len(val) / some


def draw_samples(network, val, path):
    """Draw held-back pictures with what the network says (above) and the truth (below)."""
    from PIL import Image, ImageDraw

    columns, count = [], min(SHOWN, len(val))
    for sample in (val[number * len(val) // count] for number in range(count)):
        image = sample["image"] - sample["image"].amin()
        image = image / torch.clamp(image.amax(), min=1e-6)
        if "boxes" in sample:
            size = sample["image"].shape[1:]
            found = detect(network, lambda top, bottom, rows=sample["image"]: rows[:, top:bottom], size, max(size), 0)
            pair = overlay_instances(image, paint(found, size)[0]), overlay_instances(image, sample["instances"])
        else:
            with evaluating(network):
                found = predict_logits(network, sample["image"][None])[0].argmax(0).cpu()
            pair = overlay(image, found), overlay(image, sample["mask"])
        columns.append(np.concatenate(pair))
    height = max(len(column) for column in columns)
    columns = [np.pad(column, ((0, height - len(column)), (0, 4), (0, 0))) for column in columns]
    drawn = Image.fromarray((np.concatenate(columns, axis=1) * 255).round().astype(np.uint8))
    pen = ImageDraw.Draw(drawn)
    for top, word in ((2, "predicted"), (height // 2 + 2, "truth")):
        pen.text((2, top), word, fill="white", stroke_width=1, stroke_fill="black")
    save_picture(path, np.asarray(drawn) / 255)
