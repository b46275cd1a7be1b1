"""Real nuclei: the 2018 Data Science Bowl."""

from collections import Counter

import torch

from seglib.datasets.fetching import data_root, download, unpack
from seglib.datasets.reading import check_same_size, image_size, read_image, read_mask

URL = "https://data.broadinstitute.org/bbbc/BBBC038/stage1_train.zip"
ENTRY = r"(?:stage1_train/)?([\w-]+/(?:images|masks)/(?:[\w-]+\.png)?)"  # of the archive
SHA256 = "dcb6edc2690f137406638b2309581a71522c4dff19157d118453b448dcddcb68"


class DSB2018:
    """Nuclei of the 2018 Data Science Bowl, stage 1 training set: 670 pictures, a mask for every nucleus.

    Half of them are fluorescence pictures of 256 x 256 pixels; larger ones and stained tissue are among them. Where
    two masks overlap (by a pixel or two) the first by file name keeps the pixel; an empty mask gets no id.
    Pictures are kept in memory once read, 5 bytes a pixel, because every nucleus is a file of its own.

    Broad Bioimage Benchmark Collection, image set BBBC038v1, CC0: Caicedo et al., Nature Methods 16 (2019) 1247.

    Parameters
    ----------
    root : path, optional
        Holds ``stage1_train`` or ``stage1_train.zip`` (which is unpacked beside itself, once), straight or in a
        folder ``dsb2018``. By default what the environment variable SEGLIB_DATA names, else the user's cache.
    split : {"train", "val", "all"}
        The publishers give no validation set. Here the pictures whose id ends in an odd hexadecimal digit are
        one: about half, and a picture keeps its side whatever else is selected or lies on the disk.
    download : bool
        If the set is not there, fetch its archive (83 MB) and check it.
    size : (height, width), optional
        Only pictures of this size.
    transform : callable, optional
        Sample in, sample out.

    Raises
    ------
    FileNotFoundError
        The set is not there and ``download`` is False; the message says how to get it.
    ValueError
        No picture is left by split and size, or a file is missing or damaged.
    """

    classes = ("background", "nucleus")

    def __init__(self, root=None, split="train", download=False, *, size=None, transform=None):
        if split not in ("train", "val", "all"):
            raise ValueError(f'split is "train", "val" or "all", not {split!r}')
        folder = _find(data_root(root), download)
        names = [path.name for path in sorted(folder.iterdir()) if (path / "images").is_dir()]
        wanted = [name for name in names if split in ("all", "val" if name[-1] in "13579bdf" else "train")]
        self.paths = [folder / name / "images" / f"{name}.png" for name in wanted]
        if size is not None:
            sizes = {path: image_size(path) for path in self.paths}
            self.paths = [path for path in self.paths if sizes[path] == tuple(size)]
            if not self.paths:
                raise ValueError(f"no picture is {size} (height, width); there are {dict(Counter(sizes.values()))}")
        if not self.paths:
            raise ValueError(f"{folder} has no picture of the split {split!r}, only {len(names)} others")
        self.transform, self.memory = transform, {}

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        path = self.paths[index]
        if path not in self.memory:
            image = read_image(path)
            instances = merged(path.parent.parent / "masks", image, path)
            self.memory[path] = (image * 255).round().to(torch.uint8), instances.to(torch.int16)
        image, instances = self.memory[path]
        instances = instances.long()
        sample = {"image": image / 255, "mask": (instances > 0).long(), "instances": instances, "name": path.stem}
        return self.transform(sample) if self.transform else sample


def _find(root, may_download):
    """Return the folder of the pictures' folders; unpack or download the archive if need be."""
    for folder in (root / "stage1_train", root / "dsb2018" / "stage1_train", root / "dsb2018", root):
        if folder.is_dir() and any((path / f"images/{path.name}.png").is_file() for path in folder.iterdir()):
            return folder
    archives = [path for path in (root / "stage1_train.zip", root / "dsb2018/stage1_train.zip") if path.is_file()]
    if not archives and may_download:
        archives = [download(URL, f"sha256:{SHA256}", root / "dsb2018" / "stage1_train.zip")]
    if not archives:
        raise FileNotFoundError(
            f"no DSB2018 pictures in {root}: DSB2018(download=True) fetches them (83 MB) into its folder dsb2018. "
            f"Or save {URL} there by hand, or let the environment variable SEGLIB_DATA name another folder"
        )
    return unpack(archives[0], ENTRY, archives[0].with_suffix(""))


def merged(folder, image, image_path):
    """Merge a folder of 0/255 masks, one a nucleus, into one map of ids 1..n."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is missing: only stage1_train comes with masks, the test sets do not")
    instances = torch.zeros(image.shape[1:], dtype=torch.int64)
    for path in sorted(folder.glob("*.png")):
        mask = read_mask(path)
        check_same_size(mask, path, image, image_path)
        new = (mask > 0) & (instances == 0)
        instances[new] = instances.max() + 1
    return instances
