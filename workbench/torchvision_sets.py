"""Two public sets that torchvision reads, as data sets of this course."""

from pathlib import Path

from torchvision.datasets import OxfordIIITPet, VOCSegmentation

from seglib.datasets import FolderDataset
from seglib.datasets.fetching import data_root
from workbench.class_tables import VOC_CLASSES, MaskReader

TRIMAP = {"background": 2, "pet": 1, "void": 3}  # the border is not classified


def voc(split):
    """PASCAL VOC 2012 (Everingham et al. 2010), "train" or "val": twenty classes of things, void along their outlines.

    Read from ``VOCdevkit`` in the folder of all public sets. Raises FileNotFoundError where it is not there.
    """
    found = _find(VOCSegmentation, image_set=split)
    return FolderDataset(_by_name(found.images), _by_name(found.masks), VOC_CLASSES)


def oxford_pets():
    """Oxford-IIIT Pet (Parkhi et al. 2012), the 3,680 pictures that are not for testing: cats and dogs, border void.

    Read from ``oxford-iiit-pet`` in the folder of all public sets. Raises FileNotFoundError where it is not there.
    """
    found = _find(OxfordIIITPet, split="trainval", target_types="segmentation")
    reader = MaskReader(TRIMAP)
    return FolderDataset(_by_name(found._images), _by_name(found._segs), reader.classes, read=reader)


def _by_name(paths):
    return {Path(path).stem: Path(path) for path in paths}


def _find(kind, **arguments):
    try:
        return kind(data_root(), **arguments)
    except RuntimeError as error:
        remedy = f"torchvision.datasets.{kind.__name__}({str(data_root())!r}, download=True) fetches it, in Python"
        raise FileNotFoundError(f"no {kind.__name__} ({error}): {remedy}; or let SEGLIB_DATA name its folder") from None
