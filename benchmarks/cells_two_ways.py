"""Semantic or instance: the same generated Cells by lesson 08's U-Net and by Mask R-CNN, same rulers (lesson 14).

    python -m benchmarks.cells_two_ways

Each network learns for 120 s from fresh Cells and is scored on 100 held-out ones; seconds count on the machine that the
results name. U-Net's foreground becomes objects in two ways. All answers are scored as maps without overlaps.
"""

import numpy as np
import torch
from skimage.measure import label

from benchmarks.record import write_rows
from seglib.classical import split_touching
from seglib.metrics import average_precision, instance_f1, panoptic_quality
from seglib.models import MaskRCNN, UNet, parameters
from seglib.scenes import Cells
from seglib.targets import instances_to_targets
from seglib.training import detection_batch, fit, predict_detector, predict_logits
from seglib.transforms import Compose, SeparateTouching, Standardize

SEEDS, SECONDS, MANY = range(3), 120, 1_000_000
HELD_OUT = (100, 10_000)  # length and seed
SURE = 0.5  # score from which on a detection enters the map
DECISIONS = {
    "U-Net, components": lambda foreground: label(foreground, connectivity=1),
    "U-Net, watershed": split_touching,
}


def train_unet(seed):
    torch.manual_seed(seed)
    net = UNet(1, 2, width=16, depth=3)
    train = Cells(MANY, seed=1 + seed, transform=Compose([SeparateTouching(), Standardize()]))
    return net, fit(net, train, seconds=SECONDS, learning_rate=3e-3, seed=seed, progress=False)


def train_detector(train, seconds, seed):
    """Nuclei are 8 to 48 px wide and up to a hundred: smaller anchors than for Digits, and more of everything."""
    torch.manual_seed(seed)
    net = MaskRCNN(2, "compact", in_channels=1, width=24, anchor_sizes=(8, 16, 32, 64), rois=64)
    net.rpn.proposals, net.mask_rois, net.max_detections = (500, 300), 16, 300
    options = {"batch_size": 4, "learning_rate": 2e-3, "seed": seed, "progress": False}
    return net, fit(net, train, seconds=seconds, collate=detection_batch, **options)


def train_mask_rcnn(seed):
    train = Cells(MANY, seed=1 + seed, transform=Compose([Standardize(), instances_to_targets]))
    return train_detector(train, SECONDS, seed)


def by_unet(net, data):
    """For each decision the instance maps and the scores of their objects: mean probability of a nucleus."""
    answers = {name: [] for name in DECISIONS}
    for sample in data:
        probability = predict_logits(net, sample["image"][None])[0].softmax(0)[1].cpu().numpy()
        for name, decide in DECISIONS.items():
            objects = decide(probability > 0.5)
            answers[name].append((objects, [probability[objects == i].mean() for i in range(1, objects.max() + 1)]))
    return answers


def by_mask_rcnn(net, data):
    """The detections as maps, the best first, each with the pixels that are still free; and their scores."""
    answers = []
    for found in predict_detector(net, data):
        objects, scores = np.zeros(found["masks"].shape[2:], int), []
        for mask, score in zip(found["masks"][:, 0].numpy() >= 0.5, found["scores"].tolist(), strict=True):
            free = mask & (objects == 0)
            if score >= SURE and free.any():
                scores.append(score)
                objects[free] = len(scores)
        answers.append((objects, scores))
    return {"Mask R-CNN": answers}


def figures(answers, data):
    """Object F1 at IoU 0.5, pooled; AP at 0.5; panoptic quality of the nuclei."""
    f1 = [instance_f1(objects, sample["instances"]) for (objects, _), sample in zip(answers, data, strict=True)]
    detections = (as_detections(objects, scores) for objects, scores in answers)
    maps = ({"mask": (objects > 0).astype(int), "instances": objects} for objects, _ in answers)
    nuclei = panoptic_quality(maps, data)["per_class"][1]
    return {
        "object_f1": round(sum(f1[1:], f1[0]).f1, 4),
        "ap50": round(average_precision(detections, data)["AP50"], 4),
        "pq": round(nuclei["PQ"], 4),
        "sq": round(nuclei["SQ"], 4),
        "rq": round(nuclei["RQ"], 4),
    }


def as_detections(objects, scores):
    masks = objects == np.arange(1, len(scores) + 1)[:, None, None]
    return {"masks": masks, "labels": np.ones(len(scores), int), "scores": np.array(scores)}


def main():
    length, seed = HELD_OUT
    data = list(Cells(length, seed=seed, transform=Compose([Standardize(), instances_to_targets])))
    rows = []
    for seed in SEEDS:
        for train, predict in ((train_unet, by_unet), (train_mask_rcnn, by_mask_rcnn)):
            net, history = train(seed)
            cost = {"steps": len(history["step"]), "parameters": parameters(net)}
            for variant, answers in predict(net, data).items():
                rows.append({"variant": variant, "seed": seed, "seconds": SECONDS, **cost, **figures(answers, data)})
                print(rows[-1], flush=True)
        write_rows("results/cells_two_ways.csv", rows)


if __name__ == "__main__":
    main()
