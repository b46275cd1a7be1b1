"""CamVid at half size (240 x 180): a pretrained backbone against the same network from nothing, ten minutes each.

    python -m benchmarks.camvid_pretrained time             how many steps ten minutes hold, on a quiet machine
    python -m benchmarks.camvid_pretrained val START SEED   judged on the validation drive, to choose a recipe
    python -m benchmarks.camvid_pretrained test START SEED  the test drives, once the recipe is chosen

START is "ImageNet" or "nothing". A run takes STEPS steps: what ten minutes held on two quiet cores, so that figures do
not depend on what else a machine does. Needs the set under the folder that SEGLIB_DATA names.
"""

import sys

import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from benchmarks.camvid import scores
from benchmarks.claims.semantic import balanced
from benchmarks.record import write_rows
from seglib.datasets import CamVid, InMemory
from seglib.losses import cross_entropy, lovasz_loss
from seglib.models import parameters
from seglib.models.blocks import conv_bn_relu, he_init
from seglib.models.efficientnet_lite import EfficientNetLite0
from seglib.training import fit
from seglib.training.loop import Alone
from seglib.transforms import Compose, Jitter, Normalize, RandomCrop, RandomFlip, RandomScale

SECONDS, STEPS = 600, 1080
BATCH, RATE, DECAY, CHANNELS, CELL, MEMORY = 8, 3e-3, 1e-2, 64, 32, 0.995
K = len(CamVid.classes)
PREPARE = Normalize(EfficientNetLite0.mean, EfficientNetLite0.std)
AUGMENT = Compose([RandomFlip(vertical=False), RandomScale(0.75, 1.5), RandomCrop((160, 224)), Jitter(), PREPARE])
STARTS = {"ImageNet": ("imagenet", 0.2), "nothing": (None, 1.0)}  # weights; the backbone's share of the learning rate


class PyramidNet(nn.Module):
    """EfficientNet-Lite0 and a feature pyramid down to stride 4 that names pixels (after Kirillov et al. 2019).

    From the coarsest map down, each is brought to ``CHANNELS``, added to what comes from above, and mixed. The coarsest
    also gets the mean over the whole picture. Pictures are continued to whole cells of stride 32, see the backbone.
    """

    def __init__(self, num_classes, weights):
        super().__init__()
        self.backbone = EfficientNetLite0(weights=weights).backbone
        self.lateral = nn.ModuleList(nn.Conv2d(channels, CHANNELS, 1) for channels in self.backbone.channels)
        self.mix = nn.ModuleList(conv_bn_relu(CHANNELS, CHANNELS) for _ in self.backbone.channels)
        self.context = nn.Conv2d(self.backbone.channels[-1], CHANNELS, 1)
        self.head = nn.Sequential(conv_bn_relu(CHANNELS, CHANNELS), nn.Conv2d(CHANNELS, num_classes, 1))
        for part in (self.lateral, self.mix, self.context, self.head):
            he_init(part)

    def forward(self, x):
        height, width = x.shape[-2:]
        x = F.pad(x, (0, -width % CELL, 0, -height % CELL), mode="replicate")
        features = self.backbone(x)
        top = self.context(features[-1].mean((2, 3), keepdim=True))
        for lateral, mix, feature in zip(self.lateral[::-1], self.mix[::-1], features[::-1], strict=True):
            above = F.interpolate(top, feature.shape[-2:], mode="nearest")
            top = mix(lateral(feature) + above)
        return F.interpolate(self.head(top), x.shape[-2:], mode="bilinear")[..., :height, :width]


class Averaging(Alone):
    """Keeps a running mean of the network's weights, which judges better than the last step's."""

    def begin(self, model, optimizer):
        self.mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(MEMORY), use_buffers=True)
        return model

    def keep(self, step, done, model, optimizer, record):
        self.mean.update_parameters(model)


def train(start, seed, **length):
    """A network after its training, and the number of its steps."""
    frames = InMemory(CamVid(split="train"), AUGMENT)
    weights = balanced([sample["mask"] for sample in frames.samples], K, power=0.5)

    def loss(logits, mask):
        # Lovász sorts every pixel: on a quarter of them it costs a quarter.
        few = lovasz_loss(logits[..., ::2, ::2], mask[..., ::2, ::2])
        return cross_entropy(logits, mask, class_weights=torch.as_tensor(weights).float()) + few

    pretrained, share = STARTS[start]
    torch.manual_seed(seed)
    net, run = PyramidNet(K, pretrained), Averaging()
    recipe = {"batch_size": BATCH, "learning_rate": RATE, "backbone_rate": share, "weight_decay": DECAY}
    history = fit(net, frames, loss=loss, seed=seed, progress=False, run=run, **recipe, **length)
    return run.mean.module.eval(), len(history["step"])


def main(split, start, seed):
    net, steps = train(start, seed, steps=STEPS)
    row = {"split": split, "start": start, "seed": seed, "parameters": parameters(net), "steps": steps}
    row |= scores(net, InMemory(CamVid(split=split, transform=PREPARE)))
    print(row)
    write_rows("results/camvid_pretrained.csv", [row])


if __name__ == "__main__":
    if sys.argv[1:] == ["time"]:
        print(f"{train('ImageNet', 0, seconds=SECONDS)[1]} steps in {SECONDS} s")
    elif len(sys.argv) == 4 and sys.argv[1] in ("val", "test") and sys.argv[2] in STARTS:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(__doc__)
