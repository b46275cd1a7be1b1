"""Lesson 05's claim: a small network that learned from pictures finds nuclei better than any method before it.

    python -m benchmarks.claims.learning_pixels

On generated nuclei and, where SEGLIB_DATA names a folder that holds them, on real ones. Each classical method takes
the setting with the best IoU + object F1 on the first 100 training pictures; the forest and the network learn from the
same 400. None sees a real picture before the test. The lesson trains seed 0 of the network live, with the same lines.
"""

import numpy as np
import torch
from skimage.feature import multiscale_basic_features
from skimage.filters import gaussian, threshold_otsu
from skimage.measure import label
from sklearn.ensemble import RandomForestClassifier
from torch import nn

from benchmarks.record import write_rows
from seglib.classical import graph_segment, kmeans_segment, watershed_segment
from seglib.datasets import DSB2018
from seglib.metrics import instance_f1
from seglib.scenes import Cells
from seglib.training import fit, predict_logits
from seglib.transforms import Compose, Grayscale, RandomFlip, RandomRotate90, Standardize

SEEDS = range(5)
SMALLEST = 20  # px; smaller objects are dropped, whatever the method


def otsu(image, sigma):
    image = gaussian(image, sigma)
    return image > threshold_otsu(image)


def brighter_cluster(image, sigma):
    return kmeans_segment(gaussian(image, sigma), 2) == 1


def graph(image, scale):
    """All segments but the one that covers most of the frame."""
    labels = graph_segment(image, scale=scale)
    frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.where(labels == np.bincount(frame).argmax(), 0, labels + 1)


CLASSICAL = {
    "Otsu's threshold": (otsu, "sigma", (0, 1, 2)),
    "k-means": (brighter_cluster, "sigma", (0, 1, 2)),
    "watershed": (watershed_segment, "sigma", (1, 2, 3)),
    "graph-based": (graph, "scale", (30, 100, 300)),
}


def describe(image):
    """Features (H, W, F) of an image (1, H, W): brightness, edges, texture at six scales, and the place."""
    rows, columns = np.indices(image.shape[1:], dtype=np.float32) / 64
    return np.dstack([multiscale_basic_features(image[0].numpy(), sigma_min=0.5, sigma_max=16), rows, columns])


def grow_forest(seed):
    rng, values, classes = np.random.default_rng(seed), [], []
    for sample in Cells(400, size=64, seed=1 + seed, transform=Standardize()):
        chosen = rng.choice(64 * 64, 100, replace=False)
        values.append(describe(sample["image"]).reshape(64 * 64, -1)[chosen])
        classes.append(sample["mask"].flatten()[chosen])
    forest = RandomForestClassifier(50, min_samples_leaf=5, n_jobs=2, random_state=seed)
    return forest.fit(np.concatenate(values), np.concatenate(classes))


def block(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def train_net(seed):
    torch.manual_seed(seed)
    net = nn.Sequential(
        *block(1, 16),
        *block(16, 16),
        nn.MaxPool2d(2),
        *block(16, 32),
        *block(32, 32),
        nn.Conv2d(32, 2, 1),
        nn.Upsample(scale_factor=2, mode="bilinear"),
    )
    moves = Compose([RandomFlip(), RandomRotate90(), Standardize()])
    train = Cells(400, size=64, seed=1 + seed, transform=moves)
    val = Cells(60, size=64, seed=5_000, transform=Standardize())
    fit(net, train, val, steps=600, batch_size=8, learning_rate=3e-3, eval_every=100, seed=seed, progress=False)
    return net


def score(find, samples):
    """IoU of the foreground and F1 of the objects, both pooled over the pictures."""
    shared, covered, objects = 0, 0, []
    for sample in samples:
        found, truth = np.asarray(find(sample["image"])), sample["instances"].numpy()
        shared += ((found > 0) & (truth > 0)).sum()
        covered += ((found > 0) | (truth > 0)).sum()
        pieces = label(found, connectivity=1)
        pieces[np.bincount(pieces.ravel())[pieces] < SMALLEST] = 0
        objects.append(instance_f1(pieces, truth))
    pooled = sum(objects[1:], objects[0])
    return {"iou": round(float(shared / covered), 4), "object_f1": round(pooled.f1, 4)}


def on_raw(method, **setting):
    """Classical methods take a NumPy picture in 0..1."""
    return lambda image: method(image[0].numpy(), **setting)


def tuned(method, name, values, samples):
    """The method with the setting that does best on the samples."""
    return max(
        (on_raw(method, **{name: value}) for value in values), key=lambda find: sum(score(find, samples).values())
    )


def learned_by(forest):
    def find(image):
        values = describe(Standardize()({"image": image})["image"])
        return forest.predict(values.reshape(-1, values.shape[-1])).reshape(values.shape[:2])

    return find


def foreground_of(net):
    return lambda image: predict_logits(net, Standardize()({"image": image})["image"][None])[0].argmax(0).cpu()


def main():
    pictures = {"generated": list(Cells(100, size=64, seed=10_000))}
    try:
        pictures["real"] = list(DSB2018(split="all", size=(256, 256), transform=Grayscale()))
    except FileNotFoundError as error:
        print(error)
    rows = []
    for seed in SEEDS:
        samples = list(Cells(100, size=64, seed=1 + seed))
        methods = {name: tuned(*choice, samples) for name, choice in CLASSICAL.items()}
        methods |= {"random forest": learned_by(grow_forest(seed)), "network": foreground_of(train_net(seed))}
        for name, find in methods.items():
            for kind, tested in pictures.items():
                rows.append({"pictures": kind, "variant": name, "seed": seed, **score(find, tested)})
                print(rows[-1], flush=True)
        packages = ("torch", "numpy", "scikit-image", "scikit-learn")
        write_rows("results/claims/learning_pixels.csv", rows, packages)


if __name__ == "__main__":
    main()
