"""The nuclei network that comes with the course: trained on generated Cells alone, scored on real nuclei.

    python -m benchmarks.nuclei_weights train      20 minutes on 2 cores; writes data/weights/nuclei.safetensors
    python -m benchmarks.nuclei_weights score      a minute; needs DSB2018 under the folder that SEGLIB_DATA names

Scored are all 256x256 pictures, none of which was trained on, as `seglib predict` predicts them. For comparison stands
what no network can know: every picture's answer grown or shrunk by the one distance that suits its annotator best.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from benchmarks.nuclei import SIZE
from benchmarks.pooled import pooled_scores
from benchmarks.record import write_rows
from seglib.classical import split_touching
from seglib.datasets import DSB2018, InMemory
from seglib.targets import instances_to_targets
from seglib.training import detection_batch, fit, predict_logits
from seglib.transforms import Compose, Grayscale, RandomCrop, RandomFlip, RandomRotate90, Standardize
from workbench.any_microscope import AnyMicroscope
from workbench.networks import SHIPPED, load_run
from workbench.nuclei import AnyExposure, Nuclei
from workbench.run import Run

RUN, PICTURES, STEPS, BATCH, RATE, SEED = Path("build/nuclei"), 4000, 4000, 8, 2e-3, 0
CONFIG = {"model": "nuclei", "classes": list(AnyMicroscope.classes), "grey": True, "objects": True}


def train():
    move = [AnyExposure(), RandomCrop(96), RandomFlip(), RandomRotate90(), instances_to_targets]
    pictures = InMemory(AnyMicroscope(PICTURES, size=128, seed=1), Compose(move))
    shutil.rmtree(RUN, ignore_errors=True)
    torch.manual_seed(SEED)
    run = Run(RUN, CONFIG | {"pictures": PICTURES, "steps": STEPS, "batch_size": BATCH, "seed": SEED}, every=500)
    recipe = {"steps": STEPS, "batch_size": BATCH, "learning_rate": RATE, "seed": SEED}
    fit(Nuclei(), pictures, collate=detection_batch, run=run, **recipe)
    run.close()
    shutil.copy(RUN / "weights.safetensors", SHIPPED["nuclei"])


def score():
    network, config = load_run("nuclei")
    prepare = Compose([Grayscale(), Standardize()])
    pairs, moved = [], []
    for sample in DSB2018(split="all", size=SIZE):
        found = predict_logits(network, prepare(sample)["image"][None])[0].argmax(0).cpu().numpy() == 1
        truth = sample["instances"].numpy()
        pairs.append((split_touching(found), truth))
        moved.append([shared_and_covered(each, truth > 0) for each in shifted(found)])
    moved = np.array(moved)  # (pictures, shifts, 2)
    best = moved[np.arange(len(moved)), (moved[..., 0] / moved[..., 1].clip(1)).argmax(1)]
    # The foreground as the network says it: cutting it into objects loses its specks.
    figures = pooled_scores(pairs) | {"iou": iou(moved[:, SHIFTS.index(0)]), "iou_best_shifts": iou(best)}
    row = {"pictures": len(moved), **figures}
    print(row)
    write_rows("results/nuclei_weights.csv", [{**row, "steps": config["steps"], "seed": config["seed"]}])


def shifted(mask):
    """The mask with its outline moved outwards by each of SHIFTS."""
    distance = distance_transform_edt(~mask) - distance_transform_edt(mask)
    return [distance <= shift if shift > 0 else distance < shift if shift < 0 else mask for shift in SHIFTS]


def shared_and_covered(found, truth):
    return (found & truth).sum(), (found | truth).sum()


def iou(counts):
    shared, covered = counts.sum(0)
    return round(float(shared / covered), 4)


if __name__ == "__main__":
    if sys.argv[1:] not in (["train"], ["score"]):
        sys.exit(__doc__)
    {"train": train, "score": score}[sys.argv[1]]()
