"""The ladder's rows before networks: doing nothing, masks that do not look, methods without learning, a forest.

A method without learning takes the setting with the best IoU + object F1 on the validation pictures.
"""

from functools import cache, partial

import numpy as np
from skimage.feature import multiscale_basic_features, peak_local_max
from skimage.filters import gaussian, threshold_otsu
from skimage.transform import resize
from sklearn.ensemble import RandomForestClassifier

from benchmarks import forest
from benchmarks.classical import merged_superpixels, settings
from benchmarks.graph_cut import grab_cut
from benchmarks.ladder_pictures import TRAIN, VALIDATION, VOID, Row, count, pictures
from seglib.classical import canny_regions, grow_regions, kmeans_segment, watershed_segment
from seglib.scenes import Streets
from seglib.transforms import Standardize

PIXELS = 50  # of each training picture, for the forests
BACKGROUND_SEEDS = 16  # px between two of them


def all_background(image):
    return np.zeros(image.shape, bool)


def one_object(image):
    return np.ones(image.shape, np.int64)


def image_blind(image, share):
    """The places, this share of the picture, where training pictures hold nuclei most often."""
    often = resize(shares_of_classes("nuclei")[1], image.shape)
    return often >= np.quantile(often, 1 - share)


def otsu(image, sigma):
    smooth = gaussian(image, sigma)
    return smooth > threshold_otsu(smooth)


def filled_canny(image, sigma, high, gap):
    return canny_regions(image, sigma, high / 2, high, gap) > 0


def watershed(image, sigma):
    return watershed_segment(image, sigma=sigma) > 0


def brighter_cluster(image, sigma):
    return kmeans_segment(gaussian(image, sigma), 2) == 1


def superpixels(image, count, threshold):
    """All merged superpixels but the one that covers most of the frame."""
    labels = merged_superpixels(image, count, threshold)
    frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return labels != np.bincount(frame).argmax()


def grown(image, sigma, distance):
    """Regions that grow from the bright summits, against one that grows from the dark valleys."""
    smooth = gaussian(image, sigma)
    bright = smooth > threshold_otsu(smooth)
    # +1: peak_local_max wants values above 0
    valleys = peak_local_max(1 - smooth, BACKGROUND_SEEDS, exclude_border=False, labels=(~bright).astype(int))
    summits = peak_local_max(1 + smooth, distance, exclude_border=False, labels=bright.astype(int))
    return grow_regions(smooth, [valleys, *summits]) > 1


# lesson, name, method, settings to try
WITHOUT_LEARNING = [
    (0, "nothing: all background", all_background, settings()),
    (0, "nothing: one object", one_object, settings()),
    (0, "image-blind mask", image_blind, settings(share=[0.1, 0.25, 0.5, 0.75, 1.0])),
    (1, "Otsu's threshold", otsu, settings(sigma=[0, 0.5, 1, 2])),
    (1, "Canny, closed and filled", filled_canny, settings(sigma=[1, 2, 3], high=[0.02, 0.05, 0.1], gap=[2, 4, 6])),
    (1, "edges + watershed", watershed, settings(sigma=[0.5, 1, 2])),
    (2, "k-means", brighter_cluster, settings(sigma=[0, 0.5, 1, 2])),
    (2, "superpixels, merged", superpixels, settings(count=[200, 400, 800], threshold=[8, 12, 16])),
    (3, "growing, competing", grown, settings(sigma=[0.5, 1, 2], distance=[1, 3, 5])),
    (3, "graph cut", grab_cut, settings(smoothness=[0.5, 2, 10], components=[1, 3], rounds=[1, 3])),
]


def make_tuned(method, tried, seed):
    """The method with its best setting."""
    setting = max(tried, key=partial(validation_score, method)) if len(tried) > 1 else tried[0]
    text = ", ".join(f"{name} {value}" for name, value in setting.items())
    return on_grey(method, setting), {"setting": text}


def on_grey(method, setting):
    return lambda sample: method(sample["image"][0].numpy().astype(float), **setting)


def validation_score(method, setting):
    """IoU + object F1, both pooled."""
    answer = on_grey(method, setting)
    counts = [count("nuclei", answer(sample), sample) for sample in pictures("nuclei", VALIDATION)]
    shared, covered, hits, errors = (
        sum(c[name][0] for c in counts) for name in ("shared", "covered", "hits", "errors")
    )
    return shared / covered + 2 * hits / max(2 * hits + errors, 1)


@cache
def shares_of_classes(task):
    """(classes, H, W): in how many of the training pictures a pixel has a class."""
    masks = np.stack([sample["mask"].numpy() for sample in pictures(task, TRAIN)])
    classes = len(Streets.classes) if task == "streets" else 2
    return np.stack([(masks == label).mean(0) for label in range(classes)])


def make_most_frequent_class(seed):
    label = shares_of_classes("streets").sum((1, 2)).argmax()
    return lambda sample: np.full(sample["mask"].shape, label), {"setting": Streets.classes[label]}


def make_most_frequent_classes(seed):
    labels = shares_of_classes("streets").argmax(0)
    return lambda sample: labels, {"setting": ""}


def describe_cells(sample):
    """Features (H, W, F): brightness, edges and texture at six scales."""
    image = Standardize()(sample)["image"][0].numpy()
    return multiscale_basic_features(image, sigma_min=0.5, sigma_max=16)


def describe_streets(sample):
    return forest.describe(sample, *(forest.BEST[name] for name in ("colour", "sigma_max", "position")))


# What a forest sees of a sample, and how it is grown: as in lesson 05, and as benchmarks.forest found best.
FORESTS = {
    "nuclei": (describe_cells, {"n_estimators": 50, "min_samples_leaf": 5}),
    "streets": (describe_streets, {"n_estimators": forest.BEST["trees"], "min_samples_leaf": forest.BEST["leaf"]}),
}


@cache
def drawn_pixels(task):
    """For each seed, features (n, F) and classes (n,) of random pixels of the training pictures, void left out."""
    draws = [(np.random.default_rng(seed), [], []) for seed in Row.seeds]
    for sample in pictures(task, TRAIN):
        mask, values = sample["mask"].numpy(), FORESTS[task][0](sample)
        for rng, features, classes in draws:
            place = tuple(rng.choice(np.argwhere(mask != VOID), PIXELS, replace=False).T)
            features.append(values[place])
            classes.append(mask[place])
    return [(np.concatenate(features), np.concatenate(classes)) for _, features, classes in draws]


def make_forest(task, seed):
    describe, options = FORESTS[task]
    features, classes = drawn_pixels(task)[seed]
    balance = "balanced" if task == "streets" else None
    trees = RandomForestClassifier(**options, class_weight=balance, n_jobs=1, random_state=seed).fit(features, classes)

    def answer(sample):
        values = describe(sample)
        found = trees.predict(values.reshape(-1, values.shape[-1])).reshape(values.shape[:2])
        return found > 0 if task == "nuclei" else found

    return answer, {"setting": f"{options['n_estimators']} trees, {PIXELS} pixels of each picture"}


ROWS = [
    *(
        Row("nuclei", lesson, name, partial(make_tuned, method, tried), simple=True, seeds=(0,))
        for lesson, name, method, tried in WITHOUT_LEARNING
    ),
    Row("streets", 0, "nothing: one class", make_most_frequent_class, simple=True, seeds=(0,)),
    Row("streets", 0, "image-blind mask", make_most_frequent_classes, simple=True, seeds=(0,)),
    *(Row(task, 5, "random forest", partial(make_forest, task), simple=True) for task in FORESTS),
]
