"""The course's compact networks beside other libraries' small ones: same seconds, same Streets, all from nothing.

    python -m benchmarks.peers_semantic        half an hour on 2 cores; pip install -e ".[compare]" first

All get the same pictures with their mirror images, the same class weights, and SECONDS of `seglib.training.fit`, with
the learning rate of RATES that serves each best (one run each with seed 100, half as long, scored on pictures that
serve for nothing else). Seconds count on the machine that the results name.
"""

import segmentation_models_pytorch as smp
import torch
from torchvision.models import segmentation

from benchmarks.claims import semantic
from benchmarks.claims.semantic import BATCH, CLASSES, HELD_OUT, RATES, SEARCH_SEED, SIZE, USUAL, VALIDATION
from benchmarks.record import write_rows
from seglib.models import FCN, DeepLabV3Plus, PSPNet, SegNetBasic, UNet, parameters
from seglib.scenes import Streets
from seglib.training import fit

SECONDS, SEEDS = 60, range(2)
SCRATCH = {"weights": None, "weights_backbone": None, "num_classes": CLASSES}
NETWORKS = {
    "seglib FCN-8s": lambda: FCN(CLASSES, "vgg16_bn", width=8, padding=1),
    "seglib U-Net": lambda: UNet(3, CLASSES, width=16, depth=4),
    "seglib SegNet-Basic, indices": lambda: SegNetBasic(CLASSES, width=16),
    "seglib SegNet-Basic, full features": lambda: SegNetBasic(CLASSES, width=16, decoder="features"),
    "seglib PSPNet": lambda: PSPNet(CLASSES, "compact", width=16, output_stride=4),
    "seglib DeepLabv3+": lambda: DeepLabV3Plus(CLASSES, "compact", width=16, output_stride=8, rates=(2, 4, 6)),
    "smp Unet resnet18": lambda: smp.Unet("resnet18", encoder_weights=None, classes=CLASSES),
    "smp PSPNet resnet18": lambda: smp.PSPNet("resnet18", encoder_weights=None, classes=CLASSES),
    "torchvision lraspp_mobilenet_v3_large": lambda: segmentation.lraspp_mobilenet_v3_large(**SCRATCH),
    "torchvision deeplabv3_mobilenet_v3_large": lambda: segmentation.deeplabv3_mobilenet_v3_large(**SCRATCH),
}


def train(build, seed, rate, seconds):
    torch.manual_seed(seed)
    net = build()
    masks = [sample["mask"] for sample in Streets(200, size=SIZE, seed=1)]
    options = {"class_weights": semantic.balanced(masks, CLASSES, USUAL), "batch_size": BATCH, "learning_rate": rate}
    history = fit(net, semantic.pictures(seed), seconds=seconds, seed=seed, progress=False, **options)
    return net, len(history["step"])


def main():
    rows = []
    for name, build in NETWORKS.items():
        found = {}
        for rate in RATES:
            net, _ = train(build, SEARCH_SEED, rate, SECONDS / 2)
            found[rate] = semantic.scores(net, semantic.held_out(*VALIDATION))["mean_iou"]
        rate = max(found, key=found.get)
        print(name, found, flush=True)
        for seed in SEEDS:
            net, steps = train(build, seed, rate, SECONDS)
            row = {"network": name, "seed": seed, "learning_rate": rate, "seconds": SECONDS, "steps": steps}
            rows.append({**row, **semantic.scores(net, semantic.held_out(*HELD_OUT)), "parameters": parameters(net)})
            print(rows[-1], flush=True)
            write_rows("results/peers_semantic.csv", rows)


if __name__ == "__main__":
    main()
