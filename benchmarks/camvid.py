"""CamVid at half size (240 x 180): every compact network, trained for ten minutes from nothing, on the test split.

    for net in FCN-8s U-Net SegNet-Basic PSPNet DeepLabv3+; do python -m benchmarks.camvid $net; done     an hour

Needs the set under the folder that SEGLIB_DATA names; seconds count on the machine that the results name. All
networks get the same pictures, augmentation, class weights and learning rate. The recipe was chosen with DeepLabv3+ on
the training frames of one drive (0006R0), learning from the others; frames of the validation split are not used.
"""

import sys

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.claims.semantic import balanced, judge
from benchmarks.record import write_rows
from seglib.datasets import CamVid, InMemory
from seglib.metrics import iou, mean_accuracy, mean_iou, pixel_accuracy
from seglib.models import FCN, DeepLabV3Plus, PSPNet, SegNetBasic, UNet, parameters
from seglib.training import evaluate, fit, predict_logits
from seglib.transforms import Compose, Jitter, Normalize, RandomCrop, RandomFlip, RandomScale

SECONDS, BATCH, RATE, SEED = 600, 4, 3e-3, 0
LOOKS = 0.75, 1, 1.5
K = len(CamVid.classes)
PREPARE = Normalize(mean=(0.41, 0.42, 0.43), std=(0.30, 0.31, 0.30))  # of the training frames
AUGMENT = Compose([RandomFlip(vertical=False), RandomScale(0.75, 1.5), RandomCrop((144, 192)), Jitter(), PREPARE])
NETWORKS = {
    "FCN-8s": lambda: FCN(K, "vgg16_bn", width=12, padding=1),
    "U-Net": lambda: UNet(3, K, width=16, depth=4),
    "SegNet-Basic": lambda: SegNetBasic(K, width=24),
    "PSPNet": lambda: PSPNet(K, "compact", width=24, output_stride=4),
    "DeepLabv3+": lambda: DeepLabV3Plus(K, "compact", width=24, output_stride=8, rates=(2, 4, 6)),
}


class SixLooks(nn.Module):
    """Mean of the probabilities for a picture in three sizes and their mirror images, as PSPNet and DeepLab test."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        total = 0
        for scale in LOOKS:
            scaled = F.interpolate(x, scale_factor=scale, mode="bilinear")
            for mirrored in ((), (-1,)):
                logits = predict_logits(self.net, scaled.flip(mirrored)).flip(mirrored)
                total = total + F.interpolate(logits, x.shape[-2:], mode="bilinear").softmax(1)
        return total / (2 * len(LOOKS))


def scores(net, frames):
    """Global accuracy, class average, mean IoU over the 11 classes, pooled; boundary F1 as in the SegNet paper."""
    matrix, boundary = judge(net, frames, K)
    return {
        "global_accuracy": round(float(pixel_accuracy(matrix)), 4),
        "class_average": round(float(mean_accuracy(matrix)), 4),
        "mean_iou": round(float(mean_iou(matrix)), 4),
        "boundary_f1": round(boundary, 4),
        "mean_iou_six_looks": round(float(evaluate(SixLooks(net), frames, batch_size=1)["mean_iou"]), 4),
        **{name: round(float(value), 4) for name, value in zip(CamVid.classes, iou(matrix), strict=True)},
    }


def main(name):
    frames = InMemory(CamVid(split="train"), AUGMENT)
    weights = balanced([sample["mask"] for sample in frames.samples], K, power=0.5)
    recipe = {"batch_size": BATCH, "learning_rate": RATE, "class_weights": weights, "seed": SEED}
    torch.manual_seed(SEED)
    net = NETWORKS[name]()
    history = fit(net, frames, seconds=SECONDS, progress=False, **recipe)
    row = {"network": name, "seed": SEED, "parameters": parameters(net), "seconds": SECONDS}
    row |= {"steps": len(history["step"]), **scores(net, InMemory(CamVid(split="test", transform=PREPARE)))}
    print(row)
    write_rows("results/camvid.csv", [row])


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in NETWORKS:
        sys.exit(__doc__)
    main(sys.argv[1])
