"""The nuclei network that comes with the course: trained on generated pictures alone, scored on real nuclei.

    python -m benchmarks.nuclei_weights train           35 minutes of one core; writes data/weights/nuclei.safetensors
    python -m benchmarks.nuclei_weights score           ten minutes; needs DSB2018 under the folder of SEGLIB_DATA
    python -m benchmarks.nuclei_weights score RUN ...   beside it, runs of `seglib train --model nuclei --data dsb2018`

Scored are the fluorescence pictures of DSB2018 (of all sizes), StarDist's example and mahotas' bright nuclei, as
`seglib predict` predicts them with no options; beside the network Otsu's threshold with a watershed. No picture was
trained on; how summits become nuclei (SMOOTHING, SADDLE) was chosen on every sixth picture of DSB2018.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from skimage.filters import gaussian, threshold_otsu

from benchmarks.any_microscope import AnyMicroscope
from benchmarks.pooled import pooled_scores
from benchmarks.record import write_rows
from seglib.carried import carried
from seglib.classical import split_touching
from seglib.datasets import DSB2018, InMemory
from seglib.scenes import photo
from seglib.targets import instances_to_targets
from seglib.training import detection_batch, fit
from seglib.transforms import Compose, RandomCrop, RandomFlip, RandomRotate90
from workbench.detections import paint
from workbench.networks import SHIPPED, load_run
from workbench.nuclei import Nuclei, any_exposure
from workbench.pictures import Picture
from workbench.predicting import find_nuclei
from workbench.run import Run

RUN, PICTURES, STEPS, BATCH, RATE, SEED = Path("build/nuclei"), 6000, 8000, 8, 2e-3, 0
HELD_BACK = "DSB2018, held back"
CONFIG = {"model": "nuclei", "classes": list(AnyMicroscope.classes), "grey": True, "objects": True}


def train():
    """Train, or go on from the last checkpoint in RUN: remove that folder after changing what pictures look like."""
    move = [any_exposure, RandomCrop(96), RandomFlip(), RandomRotate90(), instances_to_targets]
    pictures = InMemory(AnyMicroscope(PICTURES, size=128, seed=1), Compose(move))
    torch.manual_seed(SEED)
    config = CONFIG | {"pictures": PICTURES, "steps": STEPS, "batch_size": BATCH, "seed": SEED}
    run = Run(RUN, config, every=250, resume=True)
    recipe = {"steps": STEPS, "batch_size": BATCH, "learning_rate": RATE, "seed": SEED}
    fit(Nuclei(), pictures, collate=detection_batch, run=run, **recipe)
    run.close()
    shutil.copy(RUN / "weights.safetensors", SHIPPED["nuclei"])


def real_pictures():
    """Yield (groups, path, true instances, void) of every fluorescence picture."""
    data, held_back = DSB2018(split="all"), set(DSB2018(split="val").paths)
    for path, sample in zip(data.paths, data, strict=True):
        if not Picture(path, True, exposed=True).is_bright_field():
            truth = sample["instances"].numpy()
            groups = ["DSB2018, " + "x".join(map(str, truth.shape)), "DSB2018, all"]
            if path in held_back:
                groups.append(HELD_BACK)
            yield groups, path, truth, np.zeros(truth.shape, bool)
    for name, file in (("nuclei", "nuclei.tif"), ("bright_nuclei", "bright_nuclei.png")):
        sample = photo(name)
        yield [name], carried(file), sample["instances"], sample["mask"] == 255


def network_of(path):
    network, _ = load_run(path)

    def find(picture):
        return paint(find_nuclei(network, picture, (512, 128), lambda share: None), picture.size)[0]

    return find


def otsu(picture):
    grey = gaussian(picture.raw(0, picture.size[0])[0].numpy(), 1)
    return split_touching(grey > threshold_otsu(grey))


def score(*runs):
    methods = {"Otsu, watershed": otsu, "nuclei": network_of("nuclei")}
    methods |= {f"nuclei, {Path(run).name}": network_of(run) for run in runs}
    pairs = {name: {} for name in methods}
    for groups, path, truth, void in real_pictures():
        picture = Picture(path, True, exposed=True)
        for name, find in methods.items():
            found = outside(find(picture), void)
            for group in groups:
                pairs[name].setdefault(group, []).append((found, truth))
    rows = []
    for group in sorted(pairs["nuclei"]):
        for name, groups in pairs.items():
            if name.startswith("nuclei, ") and group.startswith("DSB2018") and group != HELD_BACK:
                continue  # it learned from the other half
            found = groups[group]
            rows.append({"pictures": group, "count": len(found), "method": name, "seed": SEED, **pooled_scores(found)})
            print(rows[-1])
    write_rows("results/nuclei_weights.csv", rows)


def outside(found, void):
    """The instance map without objects that lie mostly where nobody knows what is true."""
    sizes, doubtful = np.bincount(found.ravel()), np.bincount(found[void], minlength=found.max() + 1)
    return np.where((2 * doubtful > sizes)[found], 0, found)


if __name__ == "__main__":
    {"train": train, "score": score}[sys.argv[1]](*sys.argv[2:])
