"""Real things of twenty kinds: the PASCAL Visual Object Classes, 2012."""

import torch

from seglib.datasets.fetching import data_root, provide
from seglib.datasets.reading import check_same_size, read_image, read_lines, read_mask

URL = "https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar"
MD5 = "6cd6e144f989b92b3379bac3b3de84fd"
ENTRY = (  # of the archive; boxes and the lists of other tasks stay in it
    r"VOCdevkit/VOC2012/(?:(ImageSets/Segmentation)/(\w+\.txt)|(JPEGImages|SegmentationClass|SegmentationObject)/"
    r"(\w+\.(?:jpg|png)))"
)
LIMIT = 2**32  # bytes unpacked; the set has 2 GB
LISTS = {"train": "train", "val": "val", "all": "trainval"}


class VOC:
    """Photographs with twenty classes of things and every thing told apart: 1,464 to train on, 1,449 to validate.

    The publishers' layout: ``VOCdevkit/VOC2012`` with ``JPEGImages``, ``SegmentationClass``, ``SegmentationObject`` and
    the lists in ``ImageSets/Segmentation``. Masks are palette pictures whose indices are the classes; 255, a border of
    some pixels around each thing, is void in "mask" and 0 in "instances". (The test set's masks are not published.)

    Everingham, Van Gool, Williams, Winn, Zisserman: The PASCAL Visual Object Classes Challenge (2010). Address and
    checksum as torchvision knows them. Tested on small trees of this layout, not on the whole set: the download and the
    2,913 pictures themselves were not tried.

    Parameters
    ----------
    root : path, optional
        Holds ``VOCdevkit`` or ``VOC2012``, or is the latter. By default what the environment variable SEGLIB_DATA
        names, else the user's cache.
    split : {"train", "val", "all"}
    download : bool
        If the set is not there, fetch its archive (2 GB) and check it.
    transform : callable, optional
        Sample in, sample out.

    Raises
    ------
    FileNotFoundError
        The set is not there and ``download`` is False; the message says how to get it.
    ValueError
        A file is missing or damaged, or a mask holds an unknown class.
    """

    classes = (
        "background",
        *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
        *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
    )

    def __init__(self, root=None, split="train", download=False, *, transform=None):
        if split not in LISTS:
            raise ValueError(f'split is "train", "val" or "all", not {split!r}')
        self.folder, self.transform = _find(data_root(root), download), transform
        listed = self.folder / "ImageSets" / "Segmentation" / f"{LISTS[split]}.txt"
        self.names = " ".join(read_lines(listed)).split()

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        name = self.names[index]
        image_path = self.folder / "JPEGImages" / f"{name}.jpg"
        mask_path, objects_path = (self.folder / f"Segmentation{kind}" / f"{name}.png" for kind in ("Class", "Object"))
        image, mask, objects = read_image(image_path), read_mask(mask_path), read_mask(objects_path)
        check_same_size(mask, mask_path, image, image_path)
        check_same_size(objects, objects_path, image, image_path)
        unknown = mask[(mask >= len(self.classes)) & (mask != 255)]
        if len(unknown):
            raise ValueError(f"{mask_path} holds the label {unknown.max()}; wanted are 0 to 20 and 255")
        sample = {"image": image, "mask": mask, "instances": torch.where(objects == 255, 0, objects), "name": name}
        return self.transform(sample) if self.transform else sample


def _find(root, may_download):
    """Return the folder of the year; unpack or download the archive if need be."""
    for folder in (root, root / "VOC2012"):
        if (folder / "SegmentationClass").is_dir():
            return folder
    target = root / "VOCdevkit" / "VOC2012"
    return provide(URL, f"md5:{MD5}", root / URL.rpartition("/")[2], ENTRY, target, may_download, LIMIT)
