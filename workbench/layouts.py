"""How people lay out pictures and their masks: the folders, splits and endings of names that are recognised."""

from pathlib import Path
from typing import NamedTuple

from seglib.datasets import FolderDataset
from seglib.datasets.reading import LOSSLESS, PICTURES, sort_pictures
from workbench.class_tables import TABLES, check_colours, class_names, find_table, mask_reader

IMAGES = ("images", "image", "imgs", "img", "JPEGImages", "PNGImages")
MASKS = ("masks", "mask", "labels", "label", "annotations", "gt", "PedMasks", "SegmentationClass")
SPLITS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
ENDINGS = ("_mask", "_masks", "_label", "_labels", "_seg", "_gt")  # of masks' names
PICTURE_ENDINGS = ("_image", "_img", "_rgb")  # of pictures' names, where a mask is called NAME_mask
BESIDE = ("annot", "_annot", "_labels", "_label", "_masks", "_mask")  # train/ and trainannot/

DESCRIPTION = (
    "images/ + masks/ (or imgs, labels ...), each perhaps with train/, val/ and test/; train/images/ + train/masks/ "
    "and so on; train/ + train_masks/ and so on; or one folder of a.jpg and a_mask.png"
)


class Pairs(NamedTuple):
    """The files of a split, by the names that should match, and sentences on what does not belong there."""

    images: dict
    masks: dict
    faults: list


def open_folder(folder, split=None, classes=None, foreground=None, transform=None):
    """The pictures and masks of a folder, whatever its layout, as a `FolderDataset`.

    Parameters
    ----------
    folder : path
        The folder of a whole set: images/ + masks/ (or imgs, labels, ...); these with train/, val/, test/ in them;
        train/images/ + train/masks/; train/ + train_masks/; or pictures and masks side by side, a.jpg and a_mask.png.
        Names of masks may end in _mask, _label, _seg and the like.
    split : {"train", "val", "test"}, optional
        Which part of a set that lies in such folders.
    classes : names of the classes, or {name: (red, green, blue)}, optional
        With colours, masks are read by their colours (palettes included), 0..255, and a class "void" or "ignore" means
        255. By default the table in the folder, classes.csv or classes.txt, say (see `class_tables.read_table`), else
        "background" and "object".
    foreground : int, optional
        With two classes, the value that means class 1, as `FolderDataset` takes it.
    transform : callable, optional
        Sample in, sample out.

    Raises
    ------
    FileNotFoundError
        The folder is not there.
    ValueError
        The layout is not recognised, the table can't be read, a file has no partner, or something else lies there. When
        samples are read, the errors are those of `FolderDataset`.

    >>> data = open_folder("cats", split="train")  # doctest: +SKIP
    """
    table = classes or find_table(folder) or ("background", "object")
    if isinstance(table, dict):
        check_colours(table, "classes")
    images, masks = _choose(folder, split)
    pairs = pair_up(images, masks)
    if pairs.faults:
        raise ValueError(pairs.faults[0])
    for place, files, suffixes in ((images, pairs.images, PICTURES), (masks, pairs.masks, LOSSLESS)):
        if not files:
            raise ValueError(f"{place} holds no pictures; wanted are {' '.join(suffixes)}")
    return FolderDataset(
        pairs.images,
        pairs.masks,
        class_names(table),
        foreground=foreground,
        read=mask_reader(table),
        transform=transform,
    )


def _choose(folder, split):
    """The folders of images and of masks of a split."""
    splits = find_splits(folder)
    if "all" in splits and split is not None:
        raise ValueError(f"{folder} is not split into train/, val/ and test/, so leave out split={split!r}")
    if "all" not in splits and split not in splits:
        raise ValueError(f"{folder} has the splits {', '.join(splits)}: pass one of them as split, not {split!r}")
    return splits[split or "all"]


def find_splits(folder):
    """Return {split: (folder of images, folder of masks)}, the same folder twice where both lie in one.

    Keys are "train", "val" and "test", or "all" where the set is not split. Raises FileNotFoundError where there is no
    such folder, ValueError where its layout is none of DESCRIPTION.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder} (looked from {Path.cwd()})")
    images, masks = _child(folder, IMAGES), _child(folder, MASKS)
    if images and masks:
        split = {name: (_child(images, names), _child(masks, names)) for name, names in SPLITS.items()}
        for name, (inner_images, inner_masks) in split.items():
            if (inner_images is None) != (inner_masks is None):
                raise ValueError(f"{folder}: {name} is in only one of {images.name} and {masks.name}")
        split = {name: pair for name, pair in split.items() if all(pair)}
        return split or {"all": (images, masks)}
    split = {name: _inside(folder, names) for name, names in SPLITS.items()}
    split = {name: pair for name, pair in split.items() if pair}
    if split:
        return split
    if _mixed(folder):
        return {"all": (folder, folder)}
    holds = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
    raise ValueError(f"{folder} holds {holds}; recognised are {DESCRIPTION}")


def pair_up(images, masks):
    """List two folders (or one twice) and match pictures and masks by name, without an ending such as _mask.

    Nothing is raised for files that don't belong there: see the faults. Partners may be missing.
    """
    if Path(images) == Path(masks):
        files, faults = sort_pictures(images, PICTURES, TABLES)
        masks = {name: path for name, path in files.items() if _bare(name, ENDINGS)}
        names = {name: path for name, path in files.items() if name not in masks}
        faults += [
            f"{path} is none of {' '.join(LOSSLESS)}, so it can't be a mask"
            for path in masks.values()
            if path.suffix.lower() not in LOSSLESS
        ]
    else:
        names, faults = sort_pictures(images, PICTURES)
        masks, more = sort_pictures(masks, LOSSLESS)
        faults += more
    if masks.keys() - names.keys():
        masks = _shorten(masks, ENDINGS, faults)
    if names.keys() - masks.keys():
        names = _shorten(names, PICTURE_ENDINGS, faults)
    return Pairs(names, masks, faults)


def _shorten(files, endings, faults):
    """The files by their names without endings, if all have one; else as they are."""
    short = {}
    for name, path in files.items():
        bare = _bare(name, endings)
        if bare is None:
            return files
        if bare in short:
            faults.append(f"{path} and {short[bare].name} differ only in the endings of their names: keep one")
        short.setdefault(bare, path)
    return short


def _child(folder, names):
    """The subfolder of one of the names, in any case, or None."""
    wanted = {name.lower() for name in names}
    found = [path for path in sorted(folder.iterdir()) if path.is_dir() and path.name.lower() in wanted]
    if len(found) > 1:
        raise ValueError(f"{folder} holds {', '.join(path.name for path in found)}: keep one")
    return found[0] if found else None


def _inside(folder, names):
    """The two folders of a split whose own folder has one of the names, or None."""
    split = _child(folder, names)
    if split is None:
        return None
    images, masks = _child(split, IMAGES), _child(split, MASKS)
    if images and masks:
        return images, masks
    beside = _child(folder, [split.name + ending for ending in BESIDE])
    if beside:
        return split, beside
    return (split, split) if _mixed(split) else None


def _mixed(folder):
    """Whether pictures and masks lie here side by side."""
    return any(path.suffix.lower() in LOSSLESS and _bare(path.stem, ENDINGS) for path in folder.iterdir())


def _bare(name, endings):
    """The name without its ending, or None if it has none of them."""
    for ending in endings:
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return None
