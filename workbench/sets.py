"""The data sets that the command line knows by name, and a learner's own folder, prepared for training."""

import math
import os
from pathlib import Path

from torch.utils.data import Subset

from seglib.datasets import DSB2018, CamVid
from seglib.scenes import Cells
from seglib.targets import instances_to_targets
from seglib.transforms import (
    Compose,
    ElasticDeform,
    Grayscale,
    Jitter,
    RandomCrop,
    RandomFlip,
    RandomRotate90,
    RandomScale,
    SeparateTouching,
    Standardize,
    crop,
)
from workbench.layouts import find_splits, open_folder
from workbench.networks import DETECTORS
from workbench.nuclei import AnyExposure, Exposed, Reduced
from workbench.torchvision_sets import oxford_pets, voc

PUBLIC = ("dsb2018", "camvid")  # of which predict and score know the held-back pictures
NAMES = ("cells", *PUBLIC, "voc", "oxford_pets")
HELD_BACK = 5  # every fifth picture of a set without a validation set
VAL_SIZE = 256  # px; while training, networks are scored on the middles of the held-back pictures
SMALLER = 0.75  # the least that a training picture is scaled by
NUCLEI_AUGMENT = [RandomFlip(), RandomRotate90()]


def training_sets(name, side, foreground=None, grey=False, model="unet"):
    """(training set, held-back set, facts) of a named set or a folder; facts: "classes", "grey", "objects".

    Where objects are told apart, a detector gets boxes, labels and masks; other networks get gaps between objects
    that touch, to learn them.

    Every picture is standardised as a whole, or for "nuclei" reduced and exposed, as it will be when it is predicted,
    and then cut. Nuclei are always grey; ``grey`` makes the others so. ``foreground`` is for a folder, see
    `layouts.open_folder`; ValueError for a named set.
    """
    if foreground is not None and name in NAMES:
        raise ValueError(f"--foreground is for a folder of your own; what the masks of {name} mean is known")
    detector, nuclei = model in DETECTORS, model == "nuclei"
    apart = instances_to_targets if detector else SeparateTouching()
    targets = [instances_to_targets] if detector else []
    learn, scored = ([AnyExposure()], [Exposed()]) if nuclei else ([Standardize()], [Standardize()])
    sized = [Reduced(math.ceil(side / SMALLER))] if nuclei else []
    if name == "cells":
        train = Cells(1_000_000, size=side, seed=1, transform=Compose([*learn, apart]))
        val = Cells(64, size=side, transform=Compose([*scored, *targets]))
        return train, val, {"classes": list(Cells.classes), "grey": True, "objects": True}
    if name == "dsb2018":
        move = [RandomScale(SMALLER, 1.33), RandomCrop(side), ElasticDeform(sigma=3), *NUCLEI_AUGMENT, apart]
        train = DSB2018(split="train", transform=Compose([Grayscale(), *sized, *learn, *move]))
        val = DSB2018(
            split="val", transform=Compose([Grayscale(), *sized, *scored, inside if detector else centre, *targets])
        )
        return train, val, {"classes": list(DSB2018.classes), "grey": True, "objects": True}
    prepare = [Grayscale(), Standardize()] if grey else [Standardize()]
    augment = Compose([Jitter(), *prepare, RandomScale(SMALLER, 1.5), RandomCrop(side), RandomFlip(vertical=False)])
    middle = Compose([*prepare, centre])
    if name == "camvid":
        train, val = CamVid(split="train", transform=augment), CamVid(split="val", transform=middle)
    elif name == "voc":
        train, val = voc("train", augment), voc("val", middle)
    elif name == "oxford_pets":
        train, val = hold_back(oxford_pets(augment), oxford_pets(middle))
    else:
        train, val = folder_sets(name, foreground, augment, middle)
    classes = train.dataset.classes if isinstance(train, Subset) else train.classes
    return train, val, {"classes": list(classes), "grey": grey, "objects": False}


def centre(sample):
    """A transform: the middle window of VAL_SIZE px; a smaller picture is padded all around."""
    rows, cols = sample["image"].shape[-2:]
    return crop(sample, (rows - VAL_SIZE) // 2, (cols - VAL_SIZE) // 2, VAL_SIZE, VAL_SIZE)


def inside(sample):
    """As `centre`, but what is smaller stays as it is: a detector would be charged for objects in a padding."""
    rows, cols = sample["image"].shape[-2:]
    height, width = min(rows, VAL_SIZE), min(cols, VAL_SIZE)
    return crop(sample, (rows - height) // 2, (cols - width) // 2, height, width)


def folder_sets(folder, foreground, augment, middle):
    """A folder's train and val; where it has no val, every fifth picture is held back, and a line says so."""
    if not Path(folder).is_dir():
        raise ValueError(f"--data is {folder}: that is no folder, nor one of {', '.join(NAMES)}")
    splits = find_splits(folder)
    if not splits.keys() & {"all", "train"}:
        raise ValueError(f"{folder} has {', '.join(splits)}, but no train/ to learn from")
    split = "train" if "train" in splits else None
    train = open_folder(folder, split, foreground=foreground, transform=augment)
    if "val" in splits:
        return train, open_folder(folder, "val", foreground=foreground, transform=middle)
    if len(train) < HELD_BACK:
        raise ValueError(f"{folder} holds {len(train)} pictures; {HELD_BACK} are wanted, one of them to score on")
    train, val = hold_back(train, open_folder(folder, split, foreground=foreground, transform=middle))
    if os.environ.get("RANK", "0") == "0":  # of several processes, the first one speaks
        named = "train/" if split else folder
        print(f"{folder} has no val/: every fifth picture of {named} is held back to score on, {len(val)} in all")
    return train, val


def hold_back(train, val):
    """Two parts of one set that is given with two transforms: all but every fifth picture, and every fifth."""
    held = range(HELD_BACK - 1, len(val), HELD_BACK)
    return Subset(train, [i for i in range(len(train)) if i not in held]), Subset(val, held)


def held_back(name):
    """(data set, paths of its pictures) that a public set keeps for testing: DSB2018's val, CamVid's test."""
    data = DSB2018(split="val") if name == "dsb2018" else CamVid(split="test")
    return data, data.paths if name == "dsb2018" else [image for image, _ in data.pairs]
