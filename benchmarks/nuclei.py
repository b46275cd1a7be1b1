"""Real nuclei (2018 Data Science Bowl, 256x256 fluorescence pictures): what lesson 08's U-Net does on them.

    python -m benchmarks.nuclei zero-shot     trained on generated Cells alone for 120 s
    python -m benchmarks.nuclei half          trained on every other real picture for 180 s, scored on the rest, beside
                                              segmentation_models_pytorch (pip install -e ".[compare]")

Needs the pictures under the folder that SEGLIB_DATA names; seconds count on the machine that the results name.
"""

import sys

from skimage.measure import label

from benchmarks.pooled import pooled_scores
from benchmarks.record import write_rows
from seglib.classical import split_touching
from seglib.datasets import DSB2018
from seglib.models import UNet
from seglib.scenes import Cells
from seglib.training import fit, predict_logits
from seglib.transforms import (
    BorderWeights,
    Compose,
    ElasticDeform,
    Grayscale,
    RandomCrop,
    RandomFlip,
    RandomRotate90,
    RandomScale,
    SeparateTouching,
    Standardize,
)

SEEDS = {"zero-shot": range(3), "half": range(1)}  # half: nine minutes a seed
SIZE = (256, 256)
AUGMENT = [
    Grayscale(),
    RandomCrop(128),
    RandomScale(0.75, 1.33),
    RandomCrop(96),
    ElasticDeform(sigma=3),
    RandomFlip(),
    RandomRotate90(),
]
DECISIONS = {
    "connected components": lambda foreground: label(foreground, connectivity=1),
    "watershed": split_touching,
}


def zero_shot(seed):
    train = Cells(1_000_000, seed=1 + seed, transform=Compose([SeparateTouching(), Standardize()]))
    net = UNet(1, 2, width=16, depth=3)
    history = fit(net, train, seconds=120, learning_rate=3e-3, seed=seed)
    for variant, figures in scores(net, DSB2018(split="all", size=SIZE)).items():
        yield {"experiment": "zero-shot", "variant": f"U-Net, {variant}", "steps": len(history["step"]), **figures}


def half(seed):
    import segmentation_models_pytorch as smp

    contestants = {
        "U-Net, gaps cut": (UNet(1, 2, width=16, depth=3), [SeparateTouching()]),
        "smp Unet resnet18": (smp.Unet("resnet18", encoder_weights=None, in_channels=1, classes=2), []),
        "U-Net, gaps cut, border weights": (
            UNet(1, 2, width=16, depth=3),
            [SeparateTouching(), BorderWeights(sigma=3)],
        ),
    }
    for name, (net, extra) in contestants.items():
        train = DSB2018(split="train", size=SIZE, transform=Compose([*AUGMENT, *extra, Standardize()]))
        history = fit(net, train, seconds=180, learning_rate=2e-3, seed=seed)
        for variant, figures in scores(net, DSB2018(split="val", size=SIZE)).items():
            yield {"experiment": "half", "variant": f"{name}, {variant}", "steps": len(history["step"]), **figures}


def scores(net, real):
    """IoU of the foreground and F1 of the objects at IoU 0.5, both pooled over the pictures, for each decision."""
    prepare = Compose([Grayscale(), Standardize()])
    foregrounds = [foreground_share(net, prepare(sample)["image"][None]) > 0.5 for sample in real]
    figures = {}
    for variant, decide in DECISIONS.items():
        pairs = zip(map(decide, foregrounds), (sample["instances"].numpy() for sample in real), strict=True)
        figures[variant] = pooled_scores(pairs)
    return figures


def foreground_share(net, image):
    """Probability of foreground (H, W), the mean over the picture and its three mirrorings."""
    share = 0
    for mirrored in ([], [2], [3], [2, 3]):
        share = share + predict_logits(net, image.flip(mirrored)).softmax(1).flip(mirrored)
    return (share[0, 1] / 4).cpu().numpy()


def main(experiment):
    rows = []
    for seed in SEEDS[experiment]:
        for row in {"zero-shot": zero_shot, "half": half}[experiment](seed):
            rows.append({**row, "seed": seed})
            print(rows[-1], flush=True)
            write_rows("results/nuclei.csv", rows)


if __name__ == "__main__":
    if sys.argv[1:] not in (["zero-shot"], ["half"]):
        sys.exit(__doc__)
    main(sys.argv[1])
