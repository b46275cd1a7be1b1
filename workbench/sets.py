"""The data sets that the command line knows by name, and a learner's own folder, prepared for training."""

import math
import os
from functools import partial
from pathlib import Path

import numpy as np

from seglib import transforms as moves
from seglib.datasets import DSB2018, CamVid
from seglib.scenes import Cells
from seglib.targets import instances_to_targets
from workbench.dataset import HELD_BACK, open_data
from workbench.kept import Kept, Tiles, Whole, Windows
from workbench.networks import DETECTORS
from workbench.nuclei import any_exposure, as_nuclei_ask, exposed_as_predicted
from workbench.pictures import PUBLIC
from workbench.torchvision_sets import oxford_pets, voc

NAMES = ("cells", *PUBLIC, "voc", "oxford_pets")
VAL_SIZE = 256  # px; while training, detectors and all on dsb2018 are scored on the middles of held-back pictures
SMALLER = 0.75  # the least that a training picture is scaled by
TURNS = [moves.RandomFlip(), moves.RandomRotate90()]


def training_sets(name, side, said=None, grey=False, model="unet", augment=None, size=None):
    """(training set, held-back set, facts) of a named set or a folder; facts: "classes", "grey", "objects", "reading".

    Where objects are told apart, a detector gets boxes, labels and masks; other networks get gaps between objects
    that touch, to learn them.

    Every picture is standardised as a whole, or for "nuclei" reduced and exposed, as it will be when it is predicted.
    Nuclei are always grey; ``grey`` makes the others so. ``said`` is for a folder, see `dataset.open_data`, ``augment``
    and ``size`` for all but "cells" and "dsb2018", see `kept`.

    Raises ValueError for options that don't go together and for everything that is wrong with the files of a set.
    """
    if said and name in NAMES:
        option = f"--{next(iter(said)).replace('_', '-')}"
        raise ValueError(f"{option} is for a folder of your own; what the masks of {name} mean is known")
    detector, nuclei = model in DETECTORS, model == "nuclei"
    apart = instances_to_targets if detector else moves.SeparateTouching()
    targets = [instances_to_targets] if detector else []
    learn = [any_exposure if nuclei else moves.Standardize()]
    scored = [exposed_as_predicted] if nuclei else learn
    sized = [partial(as_nuclei_ask, least=math.ceil(side / SMALLER))] if nuclei else []
    if (augment or size) and (nuclei or name in ("cells", "dsb2018")):
        raise ValueError(f"--model {model} on {name} brings its own --augment and --size: leave them out")
    if name == "cells":
        train = Cells(1_000_000, size=side, seed=1, transform=moves.Compose([*learn, apart]))
        val = Cells(64, size=side, transform=moves.Compose([*scored, *targets]))
        return train, val, {"classes": list(Cells.classes), "grey": True, "objects": True}
    move = [moves.RandomScale(SMALLER, 1.33), moves.RandomCrop(side), moves.ElasticDeform(sigma=3), *TURNS, apart]
    middle = partial(centre, padded=not detector)  # a detector would be charged for objects in a padding
    look = moves.Compose([*sized, *scored, middle, *targets])
    if name == "dsb2018":
        train = DSB2018(split="train", transform=moves.Compose([moves.Grayscale(), *sized, *learn, *move]))
        val = DSB2018(split="val", transform=moves.Compose([moves.Grayscale(), look]))
        return train, val, {"classes": list(DSB2018.classes), "grey": True, "objects": True}
    train, val, held, reading = both_parts(name, said or {})
    numbered = reading.get("numbered", False)
    grey = grey or (nuclei and numbered)
    train = Kept(train, grey, size).read_all()
    val = Kept(val, grey, size).read_all() if val else train
    chosen = [index for index in range(len(train)) if index not in held]
    held = held or range(len(val))
    if "foreground" in reading and not any(train.counts[index][1] for index in chosen):
        raise ValueError(f"no mask of {name} holds the value {reading['foreground']}: what is --foreground to be?")
    if nuclei and numbered:
        learned, judged = Whole(train, chosen, moves.Compose([*sized, *learn, *move])), Whole(val, held, look)
    else:
        learned = Windows(train, side, augment or "photo", chosen, apart if numbered else None)
        judged = Whole(val, held, look) if detector and numbered else Tiles(val, held)
    learned.counts = np.array([train.counts[index] for index in chosen])
    facts = {"classes": list(learned.classes), "grey": grey, "objects": numbered, "reading": reading}
    return learned, judged, facts


def centre(sample, padded=True):
    """A transform: the middle window of VAL_SIZE px; a smaller picture is padded all around, or stays as it is."""
    sides = sample["image"].shape[-2:]
    size = [VAL_SIZE if padded else min(side, VAL_SIZE) for side in sides]
    return moves.crop(sample, *((side - part) // 2 for side, part in zip(sides, size, strict=True)), *size)


def both_parts(name, said):
    """(set to learn from, set to score on or None, what of the first is held back for that, what was said of it)."""
    if name == "camvid":
        return CamVid(split="train"), CamVid(split="val"), (), {}
    if name == "voc":
        return voc("train"), voc("val"), (), {}
    if name == "oxford_pets":
        pets = oxford_pets()
        return pets, None, range(HELD_BACK - 1, len(pets), HELD_BACK), {}
    if not Path(name).is_dir():
        raise ValueError(f"--data is {name}: that is no folder, nor one of {', '.join(NAMES)}")
    data = open_data(name, **said)
    split = next((split for split in ("train", "all", data.options.get("split")) if split in data.pairs), None)
    if split is None:
        raise ValueError(f"{name} has {', '.join(data.pairs)}, but no train/ to learn from; --split names another part")
    train, speaks = data.part(split), os.environ.get("RANK", "0") == "0"  # of several processes, the first one speaks
    if data.left_out and speaks:
        print(f"{data.left_out} pictures without a mask are left out")
    reading = data.options | ({"classes": data.reader.table} if data.reader.table else {})
    if "val" in data.pairs and split != "val":
        return train, data.part("val"), (), reading
    if len(train) < HELD_BACK:
        raise ValueError(f"{name} holds {len(train)} pictures; {HELD_BACK} are wanted, one of them to score on")
    held = range(HELD_BACK - 1, len(train), HELD_BACK)
    named = f"{split}/" if split != "all" else name
    if speaks:
        print(f"{name} has no val/: every fifth picture of {named} is held back to score on, {len(held)} in all")
    return train, None, held, reading
