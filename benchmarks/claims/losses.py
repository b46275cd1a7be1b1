"""Lesson 06's claim: which loss helps what? The same small network, data and steps; only the loss changes.

    python -m benchmarks.claims.losses nuclei          or: streets

Two tasks in which some classes are rare. On generated Streets the eleven classes, poles, people and signs among them.
On the real nuclei that StarDist ships three classes: background, nucleus, and seam, which is what lies between two
nuclei; the left half of the picture trains, the right half is scored. Every loss takes that one of RATES which serves
it best: one run with seed 100, half as long, scored on pictures that serve for nothing else (on the nuclei, on the
lowest quarter of the left half, which then is not trained on). The lesson trains seed 0 of three losses live.
"""

import sys
from functools import lru_cache, partial

import numpy as np
import torch
from scipy import ndimage
from skimage.feature import multiscale_basic_features
from skimage.filters import threshold_otsu
from skimage.measure import label
from sklearn.ensemble import RandomForestClassifier
from torch import nn

from benchmarks.record import write_rows
from seglib import losses
from seglib.classical import split_touching
from seglib.datasets import InMemory
from seglib.metrics import binary_iou, confusion_matrix, instance_f1, iou, mean_iou, pixel_accuracy
from seglib.scenes import Streets, photo
from seglib.training import fit, predict_logits
from seglib.transforms import Compose, RandomCrop, RandomFlip, RandomRotate90

SEEDS, SEARCH_SEED = range(5), 100
RATES = (2e-3, 6e-3)
SIZE, BATCH = 64, 8
COMMON, RARE = ("sky", "building", "road"), ("person", "pole", "sign")
SEAM, SMALLEST = 2, 20  # a class of the nuclei; px of the smallest object that counts


def block(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def small_net(channels, classes):
    """Lesson 05's blocks, with one more pooling: it sees about 36 px."""
    return nn.Sequential(
        *block(channels, 16),
        nn.MaxPool2d(2),
        *block(16, 32),
        nn.MaxPool2d(2),
        *block(32, 64),
        *block(64, 64),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        *block(64, 32),
        nn.Conv2d(32, classes, 1),
        nn.Upsample(scale_factor=2, mode="bilinear"),
    )


def choices(counts):
    """The losses by name; `counts` are the pixels of the classes in the training pictures (see `class_weights`)."""
    weighted = {
        name: partial(losses.cross_entropy, class_weights=losses.class_weights(counts, power))
        for name, power in (("weights, square root", 0.5), ("weights, median frequency", 1.0))
    }
    return {
        "cross-entropy": losses.cross_entropy,
        **weighted,
        "focal": losses.focal_loss,
        "Dice": losses.dice_loss,
        "Tversky 0.3, 0.7": losses.tversky_loss,
        "Lovász": losses.lovasz_loss,
        "cross-entropy + Dice": lambda logits, target: (
            losses.cross_entropy(logits, target) + losses.dice_loss(logits, target)
        ),
    }


def seams(instances, reach=2):
    """Pixels, of nuclei or between them, from which two nuclei are at most `reach` px away."""
    distances = [ndimage.distance_transform_edt(instances != i) for i in range(1, instances.max() + 1)]
    return np.sort(distances, axis=0)[1] <= reach


def nuclei():
    """The real picture in one float32 channel, its classes, and its instances."""
    sample = photo("nuclei")
    image = sample["image"].astype(np.float32)
    image = (image - image.mean()) / image.std()
    mask = np.where(seams(sample["instances"]), SEAM, sample["instances"] > 0)
    return torch.tensor(image)[None], torch.tensor(mask), sample["instances"]


def train(task, loss, rate, seed, steps=None):
    torch.manual_seed(seed)
    net, data = small_net(task.channels, task.classes), task.data(seed)
    options = {"steps": steps or task.steps, "batch_size": BATCH, "learning_rate": rate}
    fit(net, data, loss=loss, seed=seed, progress=False, **options)
    return net


def answers(net, samples):
    return [predict_logits(net, sample["image"][None])[0].argmax(0).cpu().numpy() for sample in samples]


def street_scores(found, masks):
    """Pooled over the pictures: mean IoU, pixel accuracy, and of pole, person and sign IoU, precision and recall."""
    matrix = sum(confusion_matrix(each, mask, len(Streets.classes)) for each, mask in zip(found, masks, strict=True))
    each, hits = iou(matrix), matrix.diagonal()
    called, true = np.maximum(matrix.sum(0), 1), matrix.sum(1)
    row = {"mean_iou": mean_iou(matrix), "accuracy": pixel_accuracy(matrix)}
    row["common"] = each[[Streets.classes.index(name) for name in COMMON]].mean()
    for name in RARE:
        k = Streets.classes.index(name)
        row |= {name: each[k], f"{name}_precision": hits[k] / called[k], f"{name}_recall": hits[k] / true[k]}
    return row


def nuclei_scores(found, mask, objects, instances):
    """Mean IoU, accuracy, the seams' IoU, precision and recall, and the objects' F1."""
    matrix = confusion_matrix(found, mask, 3)
    hits, called = matrix[SEAM, SEAM], max(matrix[:, SEAM].sum(), 1)
    return {
        "mean_iou": mean_iou(matrix),
        "accuracy": pixel_accuracy(matrix),
        "seam": iou(matrix)[SEAM],
        "seam_precision": hits / called,
        "seam_recall": hits / matrix[SEAM].sum(),
        "object_f1": instance_f1(objects, instances).f1,
    }


def pieces(found):
    """The pieces of nucleus, specks dropped, each grown over the half of the seam that is next to it."""
    labels = label(found == 1, connectivity=1)
    labels[np.bincount(labels.ravel())[labels] < SMALLEST] = 0
    distance, nearest = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    return np.where((found == SEAM) & (distance <= 3), labels[tuple(nearest)], labels)


def describe(image):
    """Features (H W, F) of an image (3, H, W): colour, edges and texture at several scales, and the place."""
    features = multiscale_basic_features(image.numpy().transpose(1, 2, 0), sigma_max=8, channel_axis=-1)
    rows, columns = np.indices(image.shape[1:]) / SIZE
    return np.dstack([features, rows, columns]).reshape(SIZE * SIZE, -1)


@lru_cache(maxsize=1)
def streets(seed):
    return InMemory(Streets(1000, size=SIZE, seed=1 + seed), RandomFlip(vertical=False))


class StreetTask:
    """1000 pictures and their mirror images; 200 others are scored."""

    name, channels, classes, steps = "streets", 3, len(Streets.classes), 400

    def __init__(self):
        self.search = InMemory(Streets(60, size=SIZE, seed=5_000))
        self.test = InMemory(Streets(200, size=SIZE, seed=10_000))
        self.counts = losses.class_pixels([s["mask"] for s in Streets(200, size=SIZE, seed=1)], self.classes)

    def data(self, seed):
        return streets(seed)

    def score(self, net, final):
        samples = self.test if final else self.search
        return street_scores(answers(net, samples), [sample["mask"].numpy() for sample in samples])

    def untrained(self):
        """Rows without a network: the commonest class; at each place what is commonest there; a forest for pixels."""
        masks = np.stack([sample["mask"] for sample in self.data(0).samples])
        votes = np.stack([(masks == k).sum(0) for k in range(self.classes)])
        truth = [sample["mask"].numpy() for sample in self.test]
        for name, guess in (
            ("nothing: commonest class", np.full(votes.shape[1:], votes.sum((1, 2)).argmax())),
            ("image-blind guess", votes.argmax(0)),
        ):
            yield name, street_scores([guess] * len(truth), truth)
        values, classes, rng = [], [], np.random.default_rng(0)
        for sample in self.data(0).samples[:400]:
            chosen = rng.choice(SIZE * SIZE, 100, replace=False)
            values.append(describe(sample["image"])[chosen])
            classes.append(sample["mask"].flatten()[chosen])
        values, classes = np.concatenate(values), np.concatenate(classes)
        forest = RandomForestClassifier(50, min_samples_leaf=5, random_state=0).fit(
            values[classes != 255], classes[classes != 255]
        )
        found = [forest.predict(describe(sample["image"])).reshape(SIZE, SIZE) for sample in self.test]
        yield "random forest", street_scores(found, truth)


class NucleiTask:
    """The left half of a real picture trains, the right half is scored."""

    name, channels, classes, steps = "nuclei", 1, 3, 300

    def __init__(self):
        self.image, self.mask, self.instances = nuclei()
        self.counts = losses.class_pixels([self.mask[:384, :256]], self.classes)

    def data(self, seed):
        rows = 384 if seed == SEARCH_SEED else 512
        part = {"image": self.image[:, :rows, :256], "mask": self.mask[:rows, :256]}
        return InMemory([part], Compose([RandomCrop(SIZE), RandomFlip(), RandomRotate90()]))

    def score(self, net, final):
        part = np.s_[:, 256:] if final else np.s_[384:, :256]
        probability = predict_logits(net, self.image[None])[0].softmax(0).cpu().numpy()
        found, mask = probability.argmax(0)[part], self.mask.numpy()
        scores = nuclei_scores(found, mask[part], pieces(found), self.instances[part])
        seam, learned = probability[SEAM], np.s_[:, :256]
        tried = np.linspace(0.02, 0.98, 49)
        best = max(tried, key=lambda t: binary_iou(seam[learned] > t, mask[learned] == SEAM))
        scores["split_f1"] = instance_f1(split_touching(found > 0), self.instances[part]).f1
        return scores | {"threshold": best, "seam_at_threshold": binary_iou(seam[part] > best, mask[part] == SEAM)}

    def untrained(self):
        """Rows without a network: all background; Otsu's threshold, which knows no seams; Otsu and watershed."""
        image = self.image[0].numpy()
        bright = ndimage.gaussian_filter(image, 1) > threshold_otsu(image)
        split = split_touching(bright)
        for name, found, objects in (
            ("nothing: commonest class", np.zeros(image.shape, int), np.zeros(image.shape, int)),
            ("Otsu's threshold", bright.astype(int), pieces(bright.astype(int))),
            ("Otsu and watershed", np.where(seams(split), SEAM, split > 0), split),
        ):
            mine = found[:, 256:], self.mask[:, 256:].numpy(), objects[:, 256:], self.instances[:, 256:]
            yield name, nuclei_scores(*mine)


TASKS = {"nuclei": NucleiTask, "streets": StreetTask}


def main(name):
    rows, best, task = [], {}, TASKS[name]()
    for name, loss in choices(task.counts).items():
        found = {
            rate: task.score(train(task, loss, rate, SEARCH_SEED, task.steps // 2), final=False)["mean_iou"]
            for rate in RATES
        }
        best[name] = max(found, key=found.get)
        print(task.name, name, found, flush=True)
    scored = [(name, 0, "", values) for name, values in task.untrained()]
    for seed in SEEDS:
        for name, loss in choices(task.counts).items():
            scored.append((name, seed, best[name], task.score(train(task, loss, best[name], seed), final=True)))
            print(task.name, seed, name, scored[-1][-1], flush=True)
    for name, seed, rate, values in scored:
        row = {"pictures": task.name, "variant": name, "seed": seed, "learning_rate": rate}
        rows.append({**row, **{key: round(float(value), 4) for key, value in values.items()}})
    write_rows("results/claims/losses.csv", rows)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in TASKS:
        sys.exit(__doc__)
    main(sys.argv[1])
