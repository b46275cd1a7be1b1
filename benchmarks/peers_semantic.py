"""The course's compact networks beside other libraries' small ones: same seconds, same Streets, all from nothing.

    python -m benchmarks.peers_semantic                 all, 40 minutes on 2 cores; pip install -e ".[compare]" first
    python -m benchmarks.peers_semantic NAME ...        some of NETWORKS

All get the same pictures with their mirror images, the same class weights, and SECONDS of `seglib.training.fit`, with
the learning rate of RATES that serves each best (one run each with seed 100, half as long, scored on pictures that
serve for nothing else). Seconds count on the machine that the results name.

torchvision's MobileNets move the running statistics of their batch norm by 0.01 a step, made for long runs: after a
few hundred steps they are still far from the truth, and the network that uses them is lost. So both stand here
twice, as they come and with PyTorch's usual 0.1.
"""

import sys

import segmentation_models_pytorch as smp
from torch import nn
from torchvision.models import segmentation

from benchmarks.claims import semantic
from benchmarks.claims.semantic import CLASSES, HELD_OUT, USUAL
from benchmarks.record import write_rows
from seglib.models import UNet, parameters

SECONDS, SEEDS = 60, range(2)
SCRATCH = {"weights": None, "weights_backbone": None, "num_classes": CLASSES}
NETWORKS = {
    "seglib FCN-8s": semantic.fcn(8),
    "seglib U-Net": lambda: UNet(3, CLASSES, width=16, depth=4),
    "seglib SegNet-Basic, indices": semantic.segnet("indices"),
    "seglib SegNet-Basic, full features": semantic.segnet("features"),
    "seglib PSPNet": semantic.pspnet(),
    "seglib DeepLabv3+": semantic.deeplab(decoder=True),
    "smp Unet resnet18": lambda: smp.Unet("resnet18", encoder_weights=None, classes=CLASSES),
    "smp PSPNet resnet18": lambda: smp.PSPNet("resnet18", encoder_weights=None, classes=CLASSES),
    "torchvision lraspp_mobilenet_v3_large": lambda: segmentation.lraspp_mobilenet_v3_large(**SCRATCH),
    "torchvision deeplabv3_mobilenet_v3_large": lambda: segmentation.deeplabv3_mobilenet_v3_large(**SCRATCH),
    "lraspp_mobilenet_v3_large, momentum 0.1": lambda: quicker(segmentation.lraspp_mobilenet_v3_large(**SCRATCH)),
    "deeplabv3_mobilenet_v3_large, momentum 0.1": lambda: quicker(segmentation.deeplabv3_mobilenet_v3_large(**SCRATCH)),
}


def quicker(net):
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1
    return net


def main(names):
    rows, weights = [], semantic.balanced(semantic.street_masks(), CLASSES, USUAL)
    for name in names or NETWORKS:
        build = NETWORKS[name]
        rate = semantic.best_rate(build, weights, seconds=SECONDS / 2)
        for seed in SEEDS:
            net, steps = semantic.train(build, seed, rate, weights, seconds=SECONDS)
            row = {"network": name, "seed": seed, "learning_rate": rate, "seconds": SECONDS, "steps": steps}
            rows.append({**row, **semantic.scores(net, semantic.held_out(*HELD_OUT)), "parameters": parameters(net)})
            print(rows[-1], flush=True)
            write_rows("results/peers_semantic.csv", rows)


if __name__ == "__main__":
    if not set(sys.argv[1:]) <= NETWORKS.keys():
        sys.exit(__doc__)
    main(sys.argv[1:])
