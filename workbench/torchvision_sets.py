"""Two public sets that torchvision reads, as data sets of this course."""

from pathlib import Path

import torch
from torchvision.datasets import OxfordIIITPet, VOCSegmentation

from seglib.datasets import FolderDataset, read_mask
from seglib.datasets.fetching import data_root
from workbench.class_tables import VOC_CLASSES

TRIMAP = torch.tensor([-1, 1, 0, 255])  # classes of 1 = pet, 2 = background, 3 = not classified (the border)


def voc(split, transform=None):
    """PASCAL VOC 2012 (Everingham et al. 2010), "train" or "val": twenty classes of things, void along their outlines.

    Read from ``VOCdevkit`` in the folder of all public sets. Raises FileNotFoundError where it is not there.
    """
    found = _find(VOCSegmentation, image_set=split)
    return FolderDataset(_by_name(found.images), _by_name(found.masks), VOC_CLASSES, transform=transform)


def oxford_pets(transform=None):
    """Oxford-IIIT Pet (Parkhi et al. 2012), the 3,680 pictures that are not for testing: cats and dogs, border void.

    Read from ``oxford-iiit-pet`` in the folder of all public sets. Raises FileNotFoundError where it is not there.
    """
    found = _find(OxfordIIITPet, split="trainval", target_types="segmentation")
    images, masks, classes = _by_name(found._images), _by_name(found._segs), ("background", "pet")
    return FolderDataset(images, masks, classes, read=read_trimap, transform=transform)


def read_trimap(path):
    """Class ids, int64 (H, W), of a trimap. Raises ValueError if it holds anything but 1, 2, 3."""
    trimap = read_mask(path)
    if trimap.min() < 1 or trimap.max() > 3:
        raise ValueError(f"{path} holds {trimap.min()} to {trimap.max()}; wanted are 1, 2, 3. Is it a trimap?")
    return TRIMAP[trimap]


def _by_name(paths):
    return {Path(path).stem: Path(path) for path in paths}


def _find(kind, **arguments):
    try:
        return kind(data_root(), **arguments)
    except RuntimeError as error:
        remedy = f"torchvision.datasets.{kind.__name__}({str(data_root())!r}, download=True) fetches it, in Python"
        raise FileNotFoundError(f"no {kind.__name__} ({error}): {remedy}; or let SEGLIB_DATA name its folder") from None
