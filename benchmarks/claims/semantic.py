"""Claims of lessons 07, 09, 10 and 11 on generated Streets, each tested alone: same data, same steps, one change.

    python -m benchmarks.claims.semantic fcn          one of: fcn, segnet, balancing, pspnet, deeplab

Every variant gets the learning rate of RATES that serves it best: one run each with seed 100, a third as long, scored
on pictures that serve for nothing else. Then five seeds with that rate. The lessons train seed 0 of one variant live.
Results were measured with one thread to a process, two processes side by side.
"""

import sys
from functools import lru_cache

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.record import write_rows
from seglib.datasets import InMemory
from seglib.losses import class_pixels, class_weights
from seglib.metrics import confusion_matrix, iou, mean_boundary_f1, mean_iou
from seglib.models import FCN, DeepLabV3Plus, PSPNet, SegNetBasic, parameters
from seglib.models.blocks import he_init
from seglib.scenes import Streets
from seglib.training import fit, predict_logits
from seglib.transforms import RandomFlip

SEEDS, SEARCH_SEED = range(5), 100
RATES = (2e-3, 6e-3)
STEPS = {"fcn": 800, "segnet": 1000, "balancing": 1000, "pspnet": 600, "deeplab": 700}
SIZE, PICTURES, BATCH = 96, 1500, 8
CLASSES = len(Streets.classes)
VALIDATION, HELD_OUT = (60, 5_000), (200, 10_000)  # length and seed
POWERS = {"equal weights": 0.0, "median frequency": 1.0}  # of the weights in the claim "balancing"
USUAL = 0.5  # everywhere else, so the row between those two is "indices" of the claim "segnet"
SHOWN = ("car", "boat", "person", "pole", "sign")  # classes whose IoU has a column
CAR, BOAT = (Streets.classes.index(name) for name in ("car", "boat"))


@lru_cache
def pictures(seed):
    """Generated streets and their mirror images."""
    return InMemory(Streets(PICTURES, size=SIZE, seed=1 + seed), RandomFlip(vertical=False))


@lru_cache
def held_out(length, seed):
    return InMemory(Streets(length, size=SIZE, seed=seed))


def train(build, seed, learning_rate, weights, steps=None, seconds=None):
    """A network trained for so many steps, or seconds on the clock; and the number of its steps."""
    torch.manual_seed(seed)
    net = build()
    options = {"steps": steps, "seconds": seconds, "batch_size": BATCH, "learning_rate": learning_rate}
    history = fit(net, pictures(seed), class_weights=weights, seed=seed, progress=False, **options)
    return net, len(history["step"])


def scores(net, data):
    """Mean IoU (pooled), boundary F1 (mean over pictures of the mean over their classes), IoU of a few classes,
    and how much of all cars and boats is taken for the other."""
    matrix, boundary = judge(net, data, CLASSES)
    each = dict(zip(Streets.classes, iou(matrix), strict=True))
    taken_for_other = (matrix[CAR, BOAT] + matrix[BOAT, CAR]) / matrix[[CAR, BOAT]].sum()
    return {
        "mean_iou": round(float(mean_iou(matrix)), 4),
        "boundary_f1": round(boundary, 4),
        **{name: round(float(each[name]), 4) for name in SHOWN},
        "taken_for_other": round(float(taken_for_other), 4),
    }


def judge(net, data, classes):
    """Pooled confusion matrix of a network's answers, and the mean of its pictures' boundary F1."""
    matrix, boundaries = 0, []
    for sample in data:
        truth = sample["mask"].numpy()
        found = predict_logits(net, sample["image"][None])[0].argmax(0).cpu().numpy()
        matrix = matrix + confusion_matrix(found, truth, classes)
        boundaries.append(mean_boundary_f1(found, truth))
    return matrix, float(np.mean(boundaries))


def multiply_adds(net):
    """Millions of multiply-adds for one picture."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.eval()(torch.zeros(1, 3, SIZE, SIZE))
    return round(counter.get_total_flops() / 2e6)


def street_masks():
    """Masks from which the classes' weights are counted."""
    return [sample["mask"] for sample in Streets(200, size=SIZE, seed=1)]


def balanced(masks, classes, power):
    """Median-frequency weights of the classes of some masks, to a power."""
    return class_weights(class_pixels(masks, classes), power)


def fcn(stride):
    return lambda: FCN(CLASSES, "vgg16_bn", stride=stride, width=8, padding=1)


def segnet(decoder):
    return lambda: SegNetBasic(CLASSES, width=16, decoder=decoder)


def pspnet(near_sighted=False, **arguments):
    def build():
        net = PSPNet(CLASSES, "compact", width=16, output_stride=4, **arguments)
        return shorten_sight(net) if near_sighted else net

    return build


def shorten_sight(net):
    """Make every 3x3 convolution of the backbone's last two stages 1x1: as deep, but it sees 23 px instead of 215."""
    for stage in (net.backbone.layer3, net.backbone.layer4):
        for block in stage:
            for name in ("conv1", "conv2"):
                old = getattr(block, name)
                setattr(block, name, nn.Conv2d(old.in_channels, old.out_channels, 1, bias=False))
        he_init(stage)
    return net


def deeplab(rates=(2, 4, 6), stride=8, decoder=False, image_pooling=True):
    return lambda: DeepLabV3Plus(
        CLASSES, "compact", width=16, output_stride=stride, rates=rates, decoder=decoder, image_pooling=image_pooling
    )


CLAIMS = {
    "fcn": {f"stride {stride}": fcn(stride) for stride in (32, 16, 8)},
    "segnet": {
        "bilinear, not learned": segnet("bilinear"),
        "indices, single channel": segnet("single"),
        "indices": segnet("indices"),
        "encoder addition": segnet("addition"),
        "full features": segnet("features"),
    },
    "balancing": dict.fromkeys(POWERS, segnet("indices")),
    "pspnet": {
        "near-sighted, no pyramid": pspnet(near_sighted=True, bins=()),
        "near-sighted, bins 1236": pspnet(near_sighted=True),
        "no pyramid": pspnet(bins=()),
        "bin 1": pspnet(bins=(1,)),
        "bins 1236, average": pspnet(),
        "bins 1236, max": pspnet(pooling="max"),
        "bins 1236, average, no auxiliary loss": pspnet(aux=False),
    },
    "deeplab": {
        "rates 1 1 1": deeplab((1, 1, 1)),
        "rates 2 4 6": deeplab(),
        "rates 6 12 18": deeplab((6, 12, 18)),
        "rates 2 4 6, no image pooling": deeplab(image_pooling=False),
        "rates 2 4 6, decoder": deeplab(decoder=True),
        "stride 16, rates 1 2 3": deeplab((1, 2, 3), stride=16),
        "stride 16, rates 1 2 3, decoder": deeplab((1, 2, 3), stride=16, decoder=True),
        "stride 4, rates 4 8 12": deeplab((4, 8, 12), stride=4),
    },
}


def best_rate(build, weights, steps=None, seconds=None):
    """The learning rate of RATES whose short run of SEARCH_SEED scores best on the validation pictures."""
    found = {}
    for rate in RATES:
        net, _ = train(build, SEARCH_SEED, rate, weights, steps, seconds)
        found[rate] = scores(net, held_out(*VALIDATION))["mean_iou"]
    print("   learning rates", found, flush=True)
    return max(found, key=found.get)


def main(names):
    masks = street_masks()
    for name in names:
        rows = []
        for variant, build in CLAIMS[name].items():
            weights = balanced(masks, CLASSES, POWERS.get(variant, USUAL))
            rate = best_rate(build, weights, STEPS[name] // 3)
            for seed in SEEDS:
                net, steps = train(build, seed, rate, weights, STEPS[name])
                sizes = {"parameters": parameters(net), "multiply_adds_m": multiply_adds(net)}
                row = {"variant": variant, "seed": seed, "learning_rate": rate, "steps": steps}
                rows.append({**row, **scores(net, held_out(*HELD_OUT)), **sizes})
                print(name, rows[-1], flush=True)
                write_rows(f"results/claims/{name}.csv", rows)


if __name__ == "__main__":
    if not sys.argv[1:] or not set(sys.argv[1:]) <= CLAIMS.keys():
        sys.exit(__doc__)
    main(sys.argv[1:])
