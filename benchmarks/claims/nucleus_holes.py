"""Lesson 05's guess, tested: a network that sees 14 px leaves holes in wide nuclei, one that sees 38 px does not.

    python -m benchmarks.claims.nucleus_holes

Both networks of `learning_pixels`, five seeds, 400 training pictures each; on the validation pictures the share of the
nucleus pixels that they miss, of all and of those more than 8 px from background.
"""

import numpy as np
from scipy.ndimage import distance_transform_edt

from benchmarks.claims.learning_pixels import SEEDS, train_net
from benchmarks.record import write_rows
from seglib.scenes import Cells
from seglib.training import predict_logits
from seglib.transforms import Standardize

DEPTHS = {"missed": 0, "missed_deep": 8}  # px from background


def missed(net, samples, depth):
    found = []
    for sample in samples:
        logits = predict_logits(net, Standardize()(sample)["image"][None])
        found.append((logits[0].argmax(0).cpu().numpy() == 1)[distance_transform_edt(sample["mask"]) > depth])
    return round(1 - float(np.concatenate(found).mean()), 4)


def main():
    rows, val = [], list(Cells(60, size=64, seed=5_000))
    for seed in SEEDS:
        for variant, dilation in (("view of 14 px", 1), ("view of 38 px", 4)):
            net = train_net(seed, dilation)
            shares = {name: missed(net, val, depth) for name, depth in DEPTHS.items()}
            rows.append({"variant": variant, "seed": seed, **shares})
            print(rows[-1], flush=True)
    write_rows("results/claims/nucleus_holes.csv", rows, ("torch", "numpy", "scipy"))


if __name__ == "__main__":
    main()
