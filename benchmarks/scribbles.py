"""From two strokes a class to the whole photo: pretrained features against others, with the same strokes.

    python -m benchmarks.scribbles

Nine photos: all but the coins, the horse, the page (one grey value nearly separates their two classes) and the mosaic
of textures. The strokes are placed by a rule from the drawn truth, with a seed: for each class, background included,
twice, a pixel of its inside is drawn, and from there a line of up to 40 px in a random direction, 3 px wide, as far as
it stays inside. Inside means at least 6 px from every other class, or half as far as the class's innermost pixel, if
that is less. Each method gets one setting for all photos.
"""

import time

import numpy as np
from scipy import ndimage
from skimage.draw import line
from skimage.feature import multiscale_basic_features
from sklearn.ensemble import RandomForestClassifier

from benchmarks.record import write_rows
from seglib.classical import random_walker_segment
from seglib.metrics import confusion_matrix, mean_iou
from seglib.scenes import photos
from seglib.scribbles import pixel_features, segment_from_strokes

LEFT_OUT = ("coins", "horse", "page", "textures")
SEEDS = range(5)
LENGTH, MARGIN, STROKES = 40, 6, 2
BETA = 3000  # the random walker's, best of four in benchmarks/classical.py


def strokes_on(mask, seed):
    """(H, W) map: 0 = no stroke, class + 1 under a stroke."""
    rng, strokes = np.random.default_rng(seed), np.zeros(mask.shape, np.int64)
    for name in np.setdiff1d(mask, 255):
        depth = ndimage.distance_transform_edt(np.pad(mask == name, 1))[1:-1, 1:-1]
        inside = depth >= min(MARGIN, depth.max() / 2)
        for _ in range(STROKES):
            row, column = rng.choice(np.argwhere(inside))
            angle = rng.uniform(0, 2 * np.pi)
            end = round(row + LENGTH * np.sin(angle)), round(column + LENGTH * np.cos(angle))
            drawn = np.zeros(mask.shape, bool)
            for place in zip(*line(row, column, *end), strict=True):
                if min(place) < 0 or place[0] >= mask.shape[0] or place[1] >= mask.shape[1] or not inside[place]:
                    break
                drawn[place] = True
            strokes[ndimage.binary_dilation(drawn, np.ones((3, 3))) & (mask == name)] = name + 1
    return strokes


def nearest_stroke(image, strokes, seed):
    """What takes no look at the picture: each pixel goes to the stroke next to it."""
    rows, columns = ndimage.distance_transform_edt(strokes == 0, return_distances=False, return_indices=True)
    return strokes[rows, columns]


def random_walker(image, strokes, seed):
    names = np.unique(strokes[strokes > 0])
    return names[random_walker_segment(image, np.searchsorted(names, strokes) + (strokes > 0), beta=BETA) - 1]


def classical_features(image):
    """scikit-image's colours, edges and textures at scales of 0.5 to 16 px."""
    channels = -1 if image.ndim == 3 else None
    return multiscale_basic_features(image, channel_axis=channels, sigma_min=0.5, sigma_max=16)


def forest(features, strokes, seed):
    drawn = strokes > 0
    model = RandomForestClassifier(100, random_state=seed).fit(features[drawn], strokes[drawn])
    return model.predict(features.reshape(-1, features.shape[2])).reshape(strokes.shape)


def logistic_regression(features, strokes, seed):
    return segment_from_strokes(features, strokes)


METHODS = {
    "nearest stroke": (lambda image: image, nearest_stroke),
    "random walker": (lambda image: image, random_walker),
    "forest, scikit-image's features": (classical_features, forest),
    "logistic regression, scikit-image's features": (classical_features, logistic_regression),
    "forest, pretrained features": (pixel_features, forest),
    "logistic regression, pretrained features": (pixel_features, logistic_regression),
}
OURS = "logistic regression, pretrained features"


def measure(sample):
    """A row for each method and each seed of the strokes, all methods with the same strokes."""
    rows, mask = [], sample["mask"]
    for method, (describe, segment) in METHODS.items():
        start = time.process_time()
        features = describe(sample["image"])
        described = time.process_time() - start
        for seed in SEEDS:
            strokes = strokes_on(mask, seed)
            start = time.process_time()
            found = segment(features, strokes, seed) - 1
            rows.append(
                {
                    "method": method,
                    "photo": sample["name"],
                    "seed": seed,
                    "mean_iou": round(float(mean_iou(confusion_matrix(found, mask, len(sample["classes"])))), 4),
                    "stroke_pixels": int((strokes > 0).sum()),
                    "seconds_features": round(described, 2),
                    "seconds": round(time.process_time() - start, 2),
                }
            )
    return rows


def main():
    rows = []
    for name, sample in photos().items():
        if name not in LEFT_OUT:
            rows += measure(sample)
            print(name, flush=True)
    write_rows("results/scribbles.csv", rows, packages=("torch", "scikit-image", "scikit-learn", "numpy"))
    means = {  # over the photos, one for each seed
        method: np.array(
            [np.mean([r["mean_iou"] for r in rows if (r["method"], r["seed"]) == (method, s)]) for s in SEEDS]
        )
        for method in METHODS
    }
    for method, values in means.items():
        gain = means[OURS] - values
        print(f"{method:45s} {values.mean():.3f}   ours - this: {gain.mean():+.3f} ± {gain.std(ddof=1):.3f}")


if __name__ == "__main__":
    main()
