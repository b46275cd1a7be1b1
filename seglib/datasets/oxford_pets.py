"""Real pets, cut out with an uncertain border: the Oxford-IIIT Pet Dataset."""

import torch

from seglib.datasets.fetching import data_root, provide
from seglib.datasets.reading import check_same_size, read_image, read_lines, read_mask

URL = "https://www.robots.ox.ac.uk/~vgg/data/pets/data/{}.tar.gz"
MD5 = {"images": "5c4f3ee8e5d25df40f4fd59a7f44e54c", "annotations": "95a8c909bbe2e81eed6a22bccdf3f68f"}
ENTRIES = {  # of the archives
    "images": r"images/([\w-]+\.jpg)",
    "annotations": r"annotations/(?:(trimaps)/([\w-]+\.png)|((?:trainval|test)\.txt))",
}
LABELS = torch.tensor([-1, 1, 0, 255])  # of the trimaps' 1 = pet, 2 = background, 3 = not classified (the border)


class OxfordPets:
    """Cats and dogs of 37 breeds: 3,680 pictures to train and validate on, 3,669 to test; pet, background, void.

    The publishers' layout: ``oxford-iiit-pet/images`` and ``oxford-iiit-pet/annotations``, with the trimaps and the
    lists ``trainval.txt`` and ``test.txt``, whose names count. A trimap's border, some pixels wide, is void.

    Parkhi, Vedaldi, Zisserman, Jawahar: Cats and Dogs (2012); CC BY-SA 4.0. Checksums as torchvision knows them. Tested
    on small trees of this layout, not on the whole set: the download and the 7,349 pictures themselves were not tried.

    Parameters
    ----------
    root : path, optional
        Holds ``oxford-iiit-pet``, or is it. By default what the environment variable SEGLIB_DATA names, else the
        user's cache.
    split : {"train", "val", "test", "all"}
        The publishers have no validation set: here every fifth name of ``trainval.txt`` is one, the others are "train".
    download : bool
        If the set is not there, fetch its two archives (800 MB) and check them.
    transform : callable, optional
        Sample in, sample out.

    Raises
    ------
    FileNotFoundError
        The set is not there and ``download`` is False; the message says how to get it.
    ValueError
        A file is missing or damaged, or a trimap holds another value.
    """

    classes = ("background", "pet")

    def __init__(self, root=None, split="train", download=False, *, transform=None):
        if split not in ("train", "val", "test", "all"):
            raise ValueError(f'split is "train", "val", "test" or "all", not {split!r}')
        folder = _find(data_root(root), download)
        trainval, test = (_names(folder / "annotations" / f"{name}.txt") for name in ("trainval", "test"))
        parts = {"val": trainval[4::5], "test": test, "all": trainval + test}
        parts["train"] = [name for number, name in enumerate(trainval, start=1) if number % 5]
        self.pairs = [
            (folder / "images" / f"{name}.jpg", folder / "annotations" / "trimaps" / f"{name}.png")
            for name in parts[split]
        ]
        self.transform = transform

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        image_path, mask_path = self.pairs[index]
        image, trimap = read_image(image_path), read_mask(mask_path)
        check_same_size(trimap, mask_path, image, image_path)
        if trimap.min() < 1 or trimap.max() > 3:
            raise ValueError(f"{mask_path} holds {trimap.min()} to {trimap.max()}; wanted are 1, 2, 3. Is it a trimap?")
        sample = {"image": image, "mask": LABELS[trimap], "name": image_path.stem}
        return self.transform(sample) if self.transform else sample


def _find(root, may_download):
    """Return the folder that holds images and annotations; unpack or download what is missing."""
    if (root / "images").is_dir() and (root / "annotations/trimaps").is_dir():
        return root
    folder = root / "oxford-iiit-pet"
    for name in ENTRIES:
        archive = folder / f"{name}.tar.gz"
        provide(URL.format(name), f"md5:{MD5[name]}", archive, ENTRIES[name], folder / name, may_download)
    return folder


def _names(path):
    """Names in a list, whose lines are: name, breed, species, number within the species."""
    return [line.split()[0] for line in read_lines(path) if line.strip() and not line.startswith("#")]
