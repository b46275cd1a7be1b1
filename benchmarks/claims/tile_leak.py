"""Lesson 05's mistake, measured: tiles of one picture on both sides of a split make the score too good.

    python -m benchmarks.claims.tile_leak

Five draws of eight pictures, each cut into nine tiles that overlap. The small network of the lesson is trained and
scored in four folds, once with the tiles shuffled into them, once with every picture kept whole. The lesson does the
first draw live, with the same lines.
"""

import numpy as np
from sklearn.model_selection import GroupKFold, KFold

from benchmarks.claims.learning_pixels import pixel_net
from benchmarks.record import write_rows
from seglib.scenes import Cells
from seglib.training import evaluate, fit
from seglib.transforms import Standardize

DRAWS = range(3, 8)  # the lesson draws its pictures with seed 3
PICTURES, STEPS = 8, 60


def cut(draw):
    """The tiles, and the number of the picture that each comes from."""
    tiles, origin = [], []
    for number, large in enumerate(Cells(PICTURES, size=112, seed=draw)):
        for top, left in np.ndindex(3, 3):
            window = np.s_[..., 24 * top : 24 * top + 64, 24 * left : 24 * left + 64]
            tiles.append(Standardize()({"image": large["image"][window], "mask": large["mask"][window]}))
            origin.append(number)
    return tiles, origin


def cross_validated(tiles, splits):
    """Mean over the folds of the nuclei's IoU."""
    scores = []
    for train, held_out in splits:
        net = pixel_net(seed=0, dilation=1)
        fit(net, [tiles[i] for i in train], steps=STEPS, batch_size=8, learning_rate=3e-3, seed=0, progress=False)
        scores.append(evaluate(net, [tiles[i] for i in held_out])["iou"][1].item())
    return round(float(np.mean(scores)), 4)


def main():
    rows = []
    for draw in DRAWS:
        tiles, origin = cut(draw)
        for variant, splits in (
            ("tiles shuffled", KFold(4, shuffle=True, random_state=0).split(tiles)),
            ("pictures kept whole", GroupKFold(4).split(tiles, groups=origin)),
        ):
            rows.append({"variant": variant, "seed": draw, "iou": cross_validated(tiles, splits)})
            print(rows[-1], flush=True)
    write_rows("results/claims/tile_leak.csv", rows, ("torch", "numpy", "scikit-learn"))


if __name__ == "__main__":
    main()
