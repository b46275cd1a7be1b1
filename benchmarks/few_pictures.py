"""What a network's start is worth by the number of labelled pictures: street frames, real nuclei, generated streets.

    for seed in 0 1 2 3 4; do python -m benchmarks.few_pictures SET $seed; done      a quarter of an hour a seed

SET is CamVid, DSB2018 or Streets. One network, one schedule and one loss for all. A seed draws the labelled pictures,
the crops and the weights that are new; the four starts share them, so compare them seed by seed. Needs the sets under
the folder that SEGLIB_DATA names.
"""

import sys

import numpy as np
import torch
from torch.utils.data import Subset

from benchmarks.camvid_pretrained import PREPARE, PyramidNet
from benchmarks.claims.semantic import balanced
from benchmarks.pooled import pooled_scores
from benchmarks.record import write_rows
from seglib.classical import split_touching
from seglib.datasets import DSB2018, CamVid, InMemory
from seglib.models.efficientnet_lite import EfficientNetLite0
from seglib.scenes import Cells, Streets
from seglib.training import evaluate, fit, predict_logits
from seglib.transforms import (
    Compose,
    Grayscale,
    Jitter,
    RandomCrop,
    RandomFlip,
    RandomRotate90,
    RandomScale,
    SeparateTouching,
    Standardize,
)

COUNTS = 4, 12, 40, None  # None: all there are
STEPS, GENERATED_STEPS, BATCH, RATE = 150, 400, 8, 3e-3
STARTS = {  # where the backbone's weights come from, and its share of the learning rate
    "nothing": (None, 1.0),
    "generated pictures": ("generated", 0.2),
    "ImageNet, frozen": ("imagenet", 0.0),
    "ImageNet, fine-tuned": ("imagenet", 0.2),
}


def three_channels(sample):
    """A standardised grey picture as the pretrained backbone takes it."""
    return {**sample, "image": sample["image"].expand(3, -1, -1)}


GREY = [Standardize(), three_channels]


def street_moves(crop):
    return Compose([RandomFlip(vertical=False), RandomScale(0.75, 1.5), RandomCrop(crop), Jitter(), PREPARE])


def nuclei_moves(crop):
    cut = [RandomFlip(), RandomRotate90(), RandomScale(0.75, 1.33), RandomCrop(crop)]
    return Compose([*cut, SeparateTouching(), Grayscale(), *GREY])


class Frames:
    """CamVid at half size; scored on every fifth frame of the test drives, which follow each other closely."""

    moves = street_moves((96, 128))
    classes = len(CamVid.classes)

    def labelled(self):
        return CamVid(split="train")

    def generated(self, seed):
        moves = Compose([RandomFlip(vertical=False), PREPARE])
        return Streets(3000, size=96, seed=1 + seed, transform=moves), len(Streets.classes)

    def held_out(self):
        test = CamVid(split="test", transform=PREPARE)
        return Subset(test, range(0, len(test), 5))


class Nuclei:
    """DSB2018's fluorescence pictures of 256 x 256; scored on the half that is held back."""

    moves = nuclei_moves(128)
    classes = 2

    def labelled(self):
        return DSB2018(split="train", size=(256, 256))

    def generated(self, seed):
        return Cells(3000, seed=1 + seed, transform=Compose([SeparateTouching(), *GREY])), 2

    def held_out(self):
        return DSB2018(split="val", size=(256, 256), transform=Compose([Grayscale(), *GREY]))


class Drawings:
    """Generated streets: does a drawing gain from what photographs taught?"""

    moves = Compose([RandomFlip(vertical=False), PREPARE])
    classes = len(Streets.classes)
    generated = None

    def labelled(self):
        return Streets(1000, size=96, seed=1)

    def held_out(self):
        return Streets(200, size=96, seed=10_000, transform=PREPARE)


def score_classes(net, samples):
    return {"score": round(float(evaluate(net, samples, batch_size=1)["mean_iou"]), 4)}


def score_objects(net, samples):
    pairs = []
    for sample in samples:
        foreground = predict_logits(net, sample["image"][None])[0].argmax(0).cpu().numpy() == 1
        pairs.append((split_touching(foreground), sample["instances"].numpy()))
    figures = pooled_scores(pairs)
    return {"score": figures["object_f1"], "iou": figures["iou"]}


TASKS = {"CamVid": Frames, "DSB2018": Nuclei, "Streets": Drawings}


def generated_backbone(task, seed):
    """What a backbone learned from drawings alone."""
    data, classes = task.generated(seed)
    torch.manual_seed(seed)
    net = PyramidNet(classes, None)
    fit(net, data, steps=GENERATED_STEPS, batch_size=BATCH, learning_rate=RATE, seed=seed, progress=False)
    return net.backbone.state_dict()


def main(name, seed):
    task, rows = TASKS[name](), []
    pictures, held_out = list(task.labelled()), InMemory(task.held_out())
    score = score_objects if name == "DSB2018" else score_classes
    order = np.random.default_rng(seed).permutation(len(pictures))
    learned = {None: None, "imagenet": EfficientNetLite0(weights="imagenet").backbone.state_dict()}
    if task.generated:
        learned["generated"] = generated_backbone(task, seed)
    for count in COUNTS:
        chosen = [pictures[i] for i in order[:count]]
        weights = balanced([sample["mask"] for sample in chosen], task.classes, power=0.5)
        for start, (source, share) in STARTS.items():
            if source not in learned:
                continue
            torch.manual_seed(seed)
            net = PyramidNet(task.classes, None)
            if source:
                net.backbone.load_state_dict(learned[source])
            recipe = {"steps": STEPS, "batch_size": BATCH, "learning_rate": RATE, "backbone_rate": share}
            fit(net, InMemory(chosen, task.moves), class_weights=weights, seed=seed, progress=False, **recipe)
            row = {"set": name, "pictures": len(chosen), "start": start, "seed": seed, "steps": STEPS}
            rows.append(row | score(net, held_out))
            print(rows[-1], flush=True)
    write_rows("results/few_pictures.csv", rows)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in TASKS:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]))
