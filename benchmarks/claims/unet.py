"""Three claims of lesson 08, each tested alone over five seeds: same data, same steps, one change.

    python -m benchmarks.claims.unet             all of them, about ten minutes on 2 cores
    python -m benchmarks.claims.unet skips       one of: skips, border_weights, elastic

The lesson trains "equal weights" live, on 1,000 pictures that each come twice; its IoU must lie in the band of five.
"""

import sys

import numpy as np
from skimage.measure import label

from benchmarks.pooled import pooled_scores
from benchmarks.record import write_rows
from seglib.metrics import boundary_f1, merged_objects
from seglib.models import UNet, parameters
from seglib.scenes import Cells
from seglib.training import fit, predict_logits
from seglib.transforms import BorderWeights, Compose, ElasticDeform, RandomFlip, SeparateTouching, Standardize

SEEDS = range(5)
HELD_OUT = 100


def train_net(seed, skips=True, weights=True):
    """The lesson's network on fresh Cells."""
    steps = [SeparateTouching(), BorderWeights(sigma=3), Standardize()]
    train = Cells(
        4800, seed=1 + seed, transform=Compose([s for s in steps if weights or not isinstance(s, BorderWeights)])
    )
    net = UNet(1, 2, width=16, depth=3, skips=skips)
    fit(net, train, steps=250, batch_size=8, learning_rate=3e-3, seed=seed, progress=False)
    return net


def train_on_eight(seed, elastic):
    """The same network on eight pictures only, turned and mirrored, with or without bending them."""
    bend = [ElasticDeform(sigma=6)] if elastic else []
    train = Cells(8, seed=100 + seed, transform=Compose([*bend, RandomFlip(), SeparateTouching(), Standardize()]))
    net = UNet(1, 2, width=16, depth=3)
    fit(net, train, steps=200, batch_size=8, learning_rate=3e-3, seed=seed, progress=False)
    return net


def scores(net):
    """Figures on held-out Cells: pixels pooled, boundary F1 as a mean over pictures, objects pooled."""
    data = Cells(HELD_OUT, seed=10_000, transform=Standardize())
    pairs = []
    for sample in data:
        found = predict_logits(net, sample["image"][None])[0].argmax(0).numpy() == 1
        pairs.append((label(found, connectivity=1), sample["instances"].numpy()))
    pooled = pooled_scores(pairs)
    return {
        "iou": pooled["iou"],
        "boundary_f1": round(
            float(np.mean([boundary_f1(found > 0, truth > 0, tolerance=1) for found, truth in pairs])), 4
        ),
        "object_f1": pooled["object_f1"],
        "merged": sum(merged_objects(*pair) for pair in pairs),
    }


CLAIMS = {
    "skips": {
        "skips": lambda seed: train_net(seed),
        "no skips": lambda seed: train_net(seed, skips=False),
    },
    "border_weights": {
        "border weights": lambda seed: train_net(seed),
        "equal weights": lambda seed: train_net(seed, weights=False),
    },
    "elastic": {
        "elastic deformation": lambda seed: train_on_eight(seed, elastic=True),
        "flips only": lambda seed: train_on_eight(seed, elastic=False),
    },
}


def main(names):
    base = {}
    for name in names:
        rows = []
        for variant, train in CLAIMS[name].items():
            for seed in SEEDS:
                key = (seed, variant in ("skips", "border weights") or variant)  # these two are one network
                if key not in base:
                    net = train(seed)
                    base[key] = {**scores(net), "parameters": parameters(net)}
                rows.append({"variant": variant, "seed": seed, **base[key]})
                print(name, rows[-1], flush=True)
        write_rows(f"results/claims/unet_{name}.csv", rows)


if __name__ == "__main__":
    main(sys.argv[1:] or list(CLAIMS))
