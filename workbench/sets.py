"""The data sets that the command line knows by name, and a learner's own folder, prepared for training."""

from pathlib import Path

from torch.utils.data import Subset

from seglib.datasets import DSB2018, CamVid, FolderDataset
from seglib.datasets.layouts import find_splits
from seglib.scenes import Cells
from seglib.transforms import (
    CenterCrop,
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
)

PUBLIC = ("dsb2018", "camvid")
NAMES = ("cells", *PUBLIC)
HELD_BACK = 5  # every fifth picture of a folder that is not split
VAL_SIZE = 256  # px; while training, networks are scored on the middles of the held-back pictures
NUCLEI_AUGMENT = [RandomFlip(), RandomRotate90(), SeparateTouching()]


def training_sets(name, crop, foreground=None, grey=False):
    """(training set, held-back set, facts) of a named set or a folder; facts: "classes", "grey", "objects".

    Every picture is standardised as a whole, as it will be when it is predicted, and then cut. Nuclei are always grey;
    ``grey`` makes the others so.
    """
    if name == "cells":
        train = Cells(1_000_000, size=crop, seed=1, transform=Compose([Standardize(), SeparateTouching()]))
        val = Cells(64, size=crop, transform=Standardize())
        return train, val, {"classes": list(Cells.classes), "grey": True, "objects": True}
    if name == "dsb2018":
        move = [RandomScale(0.75, 1.33), RandomCrop(crop), ElasticDeform(sigma=3), *NUCLEI_AUGMENT]
        train = DSB2018(split="train", transform=Compose([Grayscale(), Standardize(), *move]))
        val = DSB2018(split="val", transform=Compose([Grayscale(), Standardize(), CenterCrop(VAL_SIZE)]))
        return train, val, {"classes": list(DSB2018.classes), "grey": True, "objects": True}
    prepare = [Grayscale(), Standardize()] if grey else [Standardize()]
    augment = Compose([Jitter(), *prepare, RandomScale(0.75, 1.5), RandomCrop(crop), RandomFlip(vertical=False)])
    middle = Compose([*prepare, CenterCrop(VAL_SIZE)])
    if name == "camvid":
        train, val = CamVid(split="train", transform=augment), CamVid(split="val", transform=middle)
    else:
        train, val = folder_sets(name, foreground, augment, middle)
    classes = CamVid.classes if name == "camvid" else classes_of(train)
    return train, val, {"classes": list(classes), "grey": grey, "objects": False}


def folder_sets(folder, foreground, augment, middle):
    """A folder's train and val; where it is not split, every fifth picture is held back."""
    if not Path(folder).is_dir():
        raise ValueError(f"--data is {folder}: that is no folder, nor one of {', '.join(NAMES)}")
    if "all" not in find_splits(folder):
        return (
            FolderDataset(folder, split="train", foreground=foreground, transform=augment),
            FolderDataset(folder, split="val", foreground=foreground, transform=middle),
        )
    train = FolderDataset(folder, foreground=foreground, transform=augment)
    val = FolderDataset(folder, foreground=foreground, transform=middle)
    if len(train) < HELD_BACK:
        raise ValueError(f"{folder} holds {len(train)} pictures; {HELD_BACK} are wanted, one of them to score on")
    held = set(range(HELD_BACK - 1, len(train), HELD_BACK))
    return Subset(train, [i for i in range(len(train)) if i not in held]), Subset(val, sorted(held))


def classes_of(data):
    """Names of a folder's classes."""
    return data.dataset.classes if isinstance(data, Subset) else data.classes


def held_back(name):
    """(data set, paths of its pictures) that a public set keeps for testing: DSB2018's val, CamVid's test."""
    data = DSB2018(split="val") if name == "dsb2018" else CamVid(split="test")
    return data, data.paths if name == "dsb2018" else [image for image, _ in data.pairs]
