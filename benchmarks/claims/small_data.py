"""Lesson 16's claim: what helps with four labelled pictures of a new microscope, over five seeds.

    python -m benchmarks.claims.small_data       about ten minutes on one core

Each seed has other pictures to learn from, other generated ones before them, and other weights to begin with; the
held-out pictures are the same. Every network sees as many crops. The weights that are handed on come from generated
Cells, which look different. The lesson trains seed 0 of "frozen, then unfrozen" live, with these same lines.
"""

import copy

import torch
from skimage.measure import label

from benchmarks.pooled import pooled_scores
from benchmarks.record import write_rows
from seglib.datasets import InMemory
from seglib.models import UNet
from seglib.scenes import Cells, NewMicroscope
from seglib.training import fit, predict_logits
from seglib.transforms import (
    Compose,
    ElasticDeform,
    Jitter,
    RandomCrop,
    RandomFlip,
    RandomRotate90,
    RandomScale,
    SeparateTouching,
    Standardize,
)

SEEDS = range(5)
LABELLED, HELD_OUT = 4, 60
FROZEN, THAWED = 30, 60  # steps on the labelled pictures; the other variants take as many in one go
AUGMENT = [
    Jitter(),
    Standardize(),
    RandomScale(0.75, 1.33),
    RandomCrop(96),
    ElasticDeform(3),
    RandomFlip(),
    RandomRotate90(),
]


def new_net(seed):
    torch.manual_seed(seed)
    return UNet(1, 2, width=16, depth=3)


def generated_weights(seed):
    """A network that learned from Cells alone: what others may have left to you."""
    net = new_net(seed)
    train = Cells(2000, seed=1 + seed, transform=Compose([SeparateTouching(), Standardize()]))
    fit(net, train, steps=250, batch_size=8, learning_rate=3e-3, seed=seed, progress=False)
    return net


def labelled(seed, augment):
    """The four labelled pictures; drawn once, cut and changed anew each time."""
    moves = AUGMENT if augment else [Standardize(), RandomCrop(96)]
    pictures = NewMicroscope(LABELLED, seed=100 + seed, transform=SeparateTouching())
    return InMemory(pictures, transform=Compose(moves))


def freeze(net, frozen=True):
    """Fix the encoder's weights, or let them go. Batch norm's statistics follow the new pictures either way."""
    net.down.requires_grad_(not frozen)


def learn(net, data, seed, steps=FROZEN + THAWED):
    fit(net, data, steps=steps, batch_size=8, learning_rate=3e-3, seed=seed, progress=False)
    return net


def networks(seed):
    """Yield (variant, network)."""
    yield "from nothing", learn(new_net(seed), labelled(seed, augment=False), seed)
    data = labelled(seed, augment=True)
    yield "from nothing, augmented", learn(new_net(seed), data, seed)
    net = generated_weights(seed)
    yield "generated weights as they are", net
    at_once = learn(copy.deepcopy(net), data, seed)
    freeze(net)
    halfway = learn(copy.deepcopy(net), data, seed, FROZEN)
    yield "frozen encoder", learn(net, data, seed)
    freeze(halfway, frozen=False)
    yield "frozen, then unfrozen", learn(halfway, data, seed, THAWED)
    yield "unfrozen from the start", at_once


def scores(net):
    """IoU of the foreground and F1 of the objects, both pooled over the held-out pictures."""
    pairs = []
    for sample in NewMicroscope(HELD_OUT, seed=10_000, transform=Standardize()):
        found = predict_logits(net, sample["image"][None])[0].argmax(0).numpy() == 1
        pairs.append((label(found, connectivity=1), sample["instances"].numpy()))
    pooled = pooled_scores(pairs)
    return {name: pooled[name] for name in ("iou", "object_f1")}


def main():
    rows = []
    for seed in SEEDS:
        for variant, net in networks(seed):
            rows.append({"variant": variant, "seed": seed, **scores(net)})
            print(rows[-1], flush=True)
    order = list(dict.fromkeys(row["variant"] for row in rows))
    write_rows("results/claims/small_data.csv", sorted(rows, key=lambda row: order.index(row["variant"])))


if __name__ == "__main__":
    main()
