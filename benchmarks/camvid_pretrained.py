"""CamVid at half size (240 x 180): a pretrained backbone against the same network from nothing, in ten minutes each.

    python -m benchmarks.camvid_pretrained val NAME SEED      judged on the validation drive, to choose a recipe
    python -m benchmarks.camvid_pretrained test NAME SEED     the test drives, once the recipe is chosen

NAME is one of NETWORKS; a run takes eleven minutes. Needs the set under the folder that SEGLIB_DATA names; seconds
count on the machine that the results name.
"""

import sys

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.camvid import SixLooks
from benchmarks.claims.semantic import balanced, judge
from benchmarks.record import write_rows
from seglib.datasets import CamVid, InMemory
from seglib.losses import cross_entropy, lovasz_loss
from seglib.metrics import iou, mean_accuracy, mean_iou, pixel_accuracy
from seglib.models import DeepLabV3Plus, UNet, parameters
from seglib.models.efficientnet_lite import EfficientNetLite0
from seglib.training import evaluate, fit
from seglib.transforms import Compose, Jitter, Normalize, RandomCrop, RandomFlip, RandomScale

SECONDS, BATCH, RATE, CELL = 600, 8, 3e-3, 32
K = len(CamVid.classes)
PREPARE = Normalize(EfficientNetLite0.mean, EfficientNetLite0.std)
AUGMENT = Compose([RandomFlip(vertical=False), RandomScale(0.75, 1.5), RandomCrop((160, 224)), Jitter(), PREPARE])
BACKBONE = {"backbone": "efficientnet_lite0"}
NETWORKS = {  # and the backbone's share of the learning rate
    "U-Net, ImageNet": (lambda: UNet(3, K, width=16, **BACKBONE, weights="imagenet"), 0.2),
    "U-Net, from nothing": (lambda: UNet(3, K, width=16, **BACKBONE), 1.0),
    "DeepLabv3+, ImageNet": (lambda: DeepLabV3Plus(K, **BACKBONE, weights="imagenet", output_stride=16), 0.2),
    "DeepLabv3+, from nothing": (lambda: DeepLabV3Plus(K, **BACKBONE, output_stride=16), 1.0),
}


class WholeCells(nn.Module):
    """A network that sees its pictures continued to whole cells of its coarsest map, where its maps lie upon them."""

    def __init__(self, net):
        super().__init__()
        self.net, self.backbone = net, net.backbone

    def forward(self, x):
        height, width = x.shape[-2:]
        logits = self.net(F.pad(x, (0, -width % CELL, 0, -height % CELL), mode="replicate"))
        logits = logits["out"] if isinstance(logits, dict) else logits
        return logits[..., :height, :width]


def main(split, name, seed):
    frames = InMemory(CamVid(split="train"), AUGMENT)
    weights = balanced([sample["mask"] for sample in frames.samples], K, power=0.5)

    def loss(logits, mask):
        return cross_entropy(logits, mask, class_weights=torch.as_tensor(weights).float()) + lovasz_loss(logits, mask)

    build, share = NETWORKS[name]
    torch.manual_seed(seed)
    net = WholeCells(build())
    recipe = {"batch_size": BATCH, "learning_rate": RATE, "backbone_rate": share, "loss": loss, "seed": seed}
    history = fit(net, frames, seconds=SECONDS, progress=False, **recipe)
    pictures = InMemory(CamVid(split=split, transform=PREPARE))
    matrix, boundary = judge(net, pictures, K)
    row = {"split": split, "network": name, "seed": seed, "parameters": parameters(net), "seconds": SECONDS}
    row |= {
        "steps": len(history["step"]),
        "global_accuracy": round(float(pixel_accuracy(matrix)), 4),
        "class_average": round(float(mean_accuracy(matrix)), 4),
        "mean_iou": round(float(mean_iou(matrix)), 4),
        "boundary_f1": round(boundary, 4),
        "mean_iou_six_looks": round(float(evaluate(SixLooks(net), pictures, batch_size=1)["mean_iou"]), 4),
        **{label: round(float(value), 4) for label, value in zip(CamVid.classes, iou(matrix), strict=True)},
    }
    print(row)
    write_rows("results/camvid_pretrained.csv", [row])


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("val", "test") or sys.argv[2] not in NETWORKS:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
