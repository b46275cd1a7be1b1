"""CamVid at its full size and DSB2018 whole: two pretrained networks on a GPU, in ten minutes together.

    python -m benchmarks.whole_sets            on a machine with a GPU; figures go to results/whole_sets.csv
    python -m benchmarks.whole_sets 5          5 seconds for each network and a few pictures to score on: does it run?

Needs both sets under the folder that SEGLIB_DATA names: CamVid as SegNet's authors ship it (480 x 360), and the 670
pictures of DSB2018's first stage. Scored are CamVid's 233 test frames, and the half of the nuclei that is held back.
"""

import os
import sys

import torch
from torch.utils.data import Subset

from benchmarks.claims.semantic import balanced
from benchmarks.few_pictures import GREY, PREPARE, nuclei_moves, score_classes, score_objects, street_moves
from benchmarks.record import write_rows
from seglib.datasets import DSB2018, CamVid, InMemory
from seglib.models import DeepLabV3Plus, UNet, parameters
from seglib.training import fit
from seglib.transforms import Compose, Grayscale

SECONDS, SEED, FEW = 110, 0, 4  # for each network; four of them leave two minutes to read and to score
RECIPE = {"batch_size": 8, "learning_rate": 3e-3, "backbone_rate": 0.2, "weight_decay": 1e-2, "seed": SEED}
PRETRAINED = {"backbone": "efficientnet_lite0", "weights": "imagenet"}
NETWORKS = {
    "DeepLabv3+": lambda classes: DeepLabV3Plus(classes, width=24, output_stride=16, **PRETRAINED),
    "U-Net": lambda classes: UNet(3, classes, width=16, **PRETRAINED),
}


def sets():
    """Name -> (pictures to learn from, pictures to score on, classes, power of their weights, ruler)."""
    nuclei = DSB2018(split="val", transform=Compose([Grayscale(), *GREY]))
    return {
        "CamVid": (
            InMemory(CamVid(split="train"), street_moves((320, 448))),
            CamVid(split="test", transform=PREPARE),
            len(CamVid.classes),
            0.5,
            score_classes,
        ),
        "DSB2018": (InMemory(DSB2018(split="train"), nuclei_moves(256)), nuclei, 2, 0.0, score_objects),
    }


def main(seconds=None):
    rows, trial = [], seconds is not None
    for name, (train, held_out, classes, power, score) in sets().items():
        weights = balanced([sample["mask"] for sample in train.samples], classes, power)
        held_out = Subset(held_out, range(FEW)) if trial else held_out
        for network, build in NETWORKS.items():
            torch.manual_seed(SEED)
            net = build(classes)
            options = {"seconds": seconds or SECONDS, "workers": min(os.cpu_count() - 1, 8), "progress": False}
            history = fit(net, train, class_weights=weights, **RECIPE, **options)
            row = {"set": name, "network": network, "seed": SEED, "parameters": parameters(net)}
            rows.append(row | {"seconds": seconds or SECONDS, "steps": len(history["step"])} | score(net, held_out))
            print(rows[-1], flush=True)
    if not trial:
        write_rows("results/whole_sets.csv", rows)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    main(*map(float, sys.argv[1:]))
