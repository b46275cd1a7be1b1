"""The strongest that comes before networks, on Streets: a random forest that labels every pixel for itself.

    python -m benchmarks.forest search    which setting, on the validation pictures (about half an hour)
    python -m benchmarks.forest           the best one, three seeds, on the test pictures

Features: scikit-image's multiscale colours, edges and textures, and the pixel's place. The pictures are those that
the network lessons are scored with. The search changes one thing at a time and keeps it where the mean IoU rises.
"""

import sys
from functools import cache

import numpy as np
from skimage.color import rgb2lab
from skimage.feature import multiscale_basic_features
from sklearn.ensemble import RandomForestClassifier

from benchmarks.record import write_rows
from seglib.metrics import confusion_matrix, iou, mean_iou, pixel_accuracy
from seglib.scenes import Streets

TRAIN, VAL, TEST = 0, 5_000, 10_000  # seeds of the pictures
SEEDS = range(3)  # of the pixels drawn and of the forests
START = {
    "pictures": 100,
    "pixels": 300,  # of each picture
    "colour": "RGB",
    "sigma_max": 16,
    "position": True,
    "trees": 30,
    "leaf": 1,  # fewest training pixels in a leaf
    "share": "sqrt",  # of the features, tried at each node
    "balance": 0.0,  # a class weighs (1 / its share of the pixels) ** balance
}
TRY = [
    {"balance": 0.5},
    {"balance": 1.0},
    {"leaf": 3},
    {"leaf": 10},
    {"colour": "Lab"},
    {"sigma_max": 4},
    {"sigma_max": 8},
    {"sigma_max": 32},
    {"position": False},
    {"share": 0.3},
    {"trees": 100},
    {"pixels": 1000},
    {"pictures": 400, "pixels": 250},
    {"pictures": 2000, "pixels": 50},
]
BEST = START | {
    "pictures": 2000,
    "pixels": 50,
    "colour": "Lab",
    "trees": 100,
    "leaf": 3,
    "balance": 1.0,
}


def describe(sample, colour, sigma_max, position):
    """Features (H, W, F) of a sample: each channel, its slope and its two curvatures, at doubling scales."""
    image = sample["image"].numpy().transpose(1, 2, 0)
    if colour == "Lab":
        image = (rgb2lab(image) / 100).astype(np.float32)
    found = multiscale_basic_features(image, channel_axis=-1, sigma_min=0.5, sigma_max=sigma_max)
    rows, columns = np.indices(image.shape[:2], dtype=np.float32) / image.shape[0]
    return np.dstack([found, rows, columns] if position else [found])


@cache
def drawn_pixels(pictures, pixels, colour, sigma_max, position):
    """For each seed, features (n, F) and classes (n,) of random pixels of the training pictures, void left out."""
    draws = [(np.random.default_rng(seed), [], []) for seed in SEEDS]
    for sample in Streets(pictures, seed=TRAIN):
        mask, found = sample["mask"].numpy(), describe(sample, colour, sigma_max, position)
        for rng, values, classes in draws:
            place = tuple(rng.choice(np.argwhere(mask != 255), pixels, replace=False).T)
            values.append(found[place])
            classes.append(mask[place])
    return [(np.concatenate(values), np.concatenate(classes)) for _, values, classes in draws]


@cache
def described(seed, start, stop, colour, sigma_max, position):
    """Features (n, H, W, F) and masks (n, H, W) of the pictures from start to stop."""
    samples = [Streets(stop, seed=seed)[i] for i in range(start, stop)]
    values = np.stack([describe(sample, colour, sigma_max, position) for sample in samples])
    return values, np.stack([sample["mask"].numpy() for sample in samples])


def grow(setting, seed):
    view = [setting[key] for key in ("colour", "sigma_max", "position")]
    values, classes = drawn_pixels(setting["pictures"], setting["pixels"], *view)[seed]
    weights = (len(classes) / np.bincount(classes, minlength=len(Streets.classes)).clip(1)) ** setting["balance"]
    forest = RandomForestClassifier(
        setting["trees"],
        min_samples_leaf=setting["leaf"],
        max_features=setting["share"],
        n_jobs=2,
        random_state=seed,
    )
    return forest.fit(values, classes, sample_weight=weights[classes])


def score(forest, setting, seed, pictures):
    """Scores of one confusion matrix over all pixels of the pictures, 20 of them at a time."""
    view = [setting[key] for key in ("colour", "sigma_max", "position")]
    matrix = 0
    for start in range(0, pictures, 20):
        values, masks = described(seed, start, start + 20, *view)
        found = forest.predict(values.reshape(-1, values.shape[-1])).reshape(masks.shape)
        matrix = matrix + confusion_matrix(found, masks, len(Streets.classes))
    figures = {"mean_iou": mean_iou(matrix), "pixel_accuracy": pixel_accuracy(matrix)}
    figures |= {f"iou_{name}": value for name, value in zip(Streets.classes, iou(matrix), strict=True)}
    return {name: round(float(value), 4) for name, value in figures.items()}


def run(setting, seed, pictures_seed, pictures):
    row = {**setting, "seed": seed, **score(grow(setting, seed), setting, pictures_seed, pictures)}
    print(row, flush=True)
    return row


def search():
    """Change one thing at a time; keep what raises the mean IoU on 60 validation pictures."""
    best = run(START, 0, VAL, 60)
    rows = [{"scored_on": "validation", **best}]
    for change in TRY:
        row = run({name: best[name] for name in START} | change, 0, VAL, 60)
        rows.append({"scored_on": "validation", **row})
        best = max(best, row, key=lambda row: row["mean_iou"])
        write_rows("results/forest.csv", rows, packages=("numpy", "scikit-image", "scikit-learn"))


def test():
    """The best setting with three seeds, on the 200 pictures that the networks are scored with."""
    rows = []
    for seed in SEEDS:
        rows.append({"scored_on": "test", **run(BEST, seed, TEST, 200)})
        write_rows("results/forest.csv", rows, packages=("numpy", "scikit-image", "scikit-learn"))


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["search"]):
        sys.exit(__doc__)
    search() if sys.argv[1:] else test()
