"""How people lay out pictures and their masks: the folders, splits and endings of names that are recognised."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from seglib.datasets import FolderDataset, reading
from workbench.class_tables import TABLES, MaskReader, as_table, find_table

LOSSLESS, PICTURES = (*reading.LOSSLESS, ".gif"), (*reading.PICTURES, ".gif")
IMAGES = ("images", "image", "imgs", "img", "JPEGImages", "PNGImages", "leftImg8bit", "701_StillsRaw_full")
MASKS = (
    *("masks", "mask", "labels", "label", "annotations", "gt", "PedMasks", "SegmentationClass", "SegmentationClassPNG"),
    *("groundTruth", "ground_truth", "1st_manual", "manual", "annot", "seg", "segmentation", "segmentations", "gtFine"),
    "LabeledApproved_full",  # CamVid's, as its pictures' above
)
SPLITS = {"train": "train|training", "val": "val|valid|validation", "test": "test|testing"}  # train2017 is one too
ENDINGS = "_masks?|_labels?|_seg|_gt|_annotation|_segmentation"  # of masks' names
PICTURE_ENDINGS = "_image|_img|_rgb|_sat"  # of pictures' names, where a mask is called NAME_mask
BESIDE = ("annot", "_annot", "_labels", "_label", "_masks", "_mask")  # train/ and trainannot/
BLURRED = (".jpg", ".jpeg", ".webp")
SIDECARS = (".txt", ".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".md", ".ini", ".db", ".log", ".html", ".pdf")

DESCRIPTION = (
    "images/ + masks/ (or imgs, labels ...), each perhaps with train/, val/ and test/; train/images/ + train/masks/ "
    "and so on; train/ + train_masks/; or one folder of a.jpg and a_mask.png; --images and --masks name others; TIFF "
    "stacks and MATLAB's files become PNG by `seglib data convert`"
)


class Unrecognised(ValueError):
    """A folder's layout is none of DESCRIPTION."""


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
    classes : names of the classes, ``{name: (red, green, blue)}`` or ``{name: label}``, optional
        With colours, masks are read by their colours (palettes included), 0..255. A class "void" or "ignore" means 255.
        By default the table in the folder, classes.csv or classes.txt, say (see `class_tables.read_table`), else
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
        samples are read, the errors are those of `MaskReader` and `FolderDataset`.

    >>> data = open_folder("cats", split="train")  # doctest: +SKIP
    """
    splits = find_splits(folder)
    if "all" in splits and split is not None:
        raise ValueError(f"{folder} is not split into train/, val/ and test/, so leave out split={split!r}")
    if "all" not in splits and split not in splits:
        raise ValueError(f"{folder} has the splits {', '.join(splits)}: pass one of them as split, not {split!r}")
    images, masks = splits[split or "all"]
    table = as_table(classes) if classes else find_table(*table_places(folder, splits))
    return as_dataset(pair_up(images, masks), images, masks, MaskReader(table, foreground), transform)


def as_dataset(pairs, images, masks, reader, transform=None):
    """Pairs without a fault as a `FolderDataset`. Raises ValueError for those with one, and for empty folders."""
    if pairs.faults:
        raise ValueError(pairs.faults[0])
    for place, files, suffixes in ((images, pairs.images, PICTURES), (masks, pairs.masks, LOSSLESS)):
        if not files:
            raise ValueError(f"{place} holds no pictures; wanted are {' '.join(suffixes)}")
    return FolderDataset(pairs.images, pairs.masks, reader.classes, read=reader, transform=transform)


def table_places(folder, splits):
    """The folders in which a class table may lie: that of the set first, then those of its splits."""
    inner = [place for pair in splits.values() for place in reversed(pair)]
    return [folder, *dict.fromkeys([*inner, *(place.parent for place in inner)])]


def find_splits(folder, images=None, masks=None):
    """Return {split: (folder of images, folder of masks)}, the same folder twice where both lie in one.

    Keys are "train", "val" and "test", or "all" where the set is not split. ``images`` and ``masks`` name these folders
    by a path, or as they are called in the set or in each of its splits. Raises FileNotFoundError where there is no
    such folder, ValueError where its layout is none of DESCRIPTION.
    """
    folder, listed = Path(folder), _listed(folder)
    outer = _two_folders(folder, images, masks)
    if outer:
        split = {name: [_split_of(each, name) for each in outer] for name in SPLITS}
        for name, (inner_images, inner_masks) in split.items():
            if bool(inner_images) != bool(inner_masks) and (inner_masks or name != "test"):
                raise ValueError(f"{folder}: {name} is in only one of {outer[0].name} and {outer[1].name}")
        split = {name: tuple(pair) for name, pair in split.items() if all(pair)}
        return split or {"all": outer}
    split = {name: _inside(folder, name, images, masks) for name in SPLITS}
    if any(split.values()):
        return {name: pair for name, pair in split.items() if pair}
    if _mixed(folder):
        return {"all": (folder, folder)}
    holds = ", ".join(path.name for path in listed[:8]) or "nothing"
    raise Unrecognised(f"{folder} holds {holds}; recognised are {DESCRIPTION}")


def pair_up(images, masks):
    """List two folders (or one twice) and match pictures and masks by name, without an ending such as _mask.

    Where names differ otherwise, what all pictures share at an end of their names, and all masks, is left out:
    21_training and 21_manual1 are a pair. Nothing is raised for files that don't belong there: see the faults.
    Partners may be missing.
    """
    faults = []
    if Path(images) == Path(masks) and apart(images):
        return apart(images)
    if Path(images) == Path(masks):
        mask_paths, pictures = part(walk(images))
    else:
        mask_paths, pictures = walk(masks), [path for path in walk(images) if path != Path(masks)]
    names, masks = by_name(pictures, images, PICTURES, faults), by_name(mask_paths, masks, LOSSLESS, faults)
    return Pairs(*match(names, masks, faults), faults)


def match(names, masks, faults):
    """Two dicts of files by the names that they have in common; what stands in the way is added to the faults."""
    if masks.keys() - names.keys():
        masks = _shorten(masks, ENDINGS, faults)
    if names.keys() - masks.keys():
        names = _shorten(names, PICTURE_ENDINGS, faults)
    for shorten in (_without_folders, _without_common):
        short = shorten(names), shorten(masks)
        if not names.keys() & masks.keys() and short[0].keys() & short[1].keys():
            names, masks = short
    return names, masks


def apart(folder):
    """The `Pairs` of a folder laid out as DSB2018's, NAME/images/NAME.png and a file for each object in NAME/masks/."""
    found = {path.parent.name: path.parent for path in sorted(Path(folder).glob("*/masks")) if path.is_dir()}
    images = {name: place / f"images/{name}.png" for name, place in found.items()}
    whole = bool(found) and all(path.is_file() for path in images.values())
    return Pairs(images, {name: place / "masks" for name, place in found.items()}, []) if whole else None


def walk(folder):
    """The files of a folder, or if it holds none but folders alone, of those, without hidden ones."""
    paths = _listed(folder)
    if any(path.suffix.lower() in PICTURES for path in paths):
        return paths
    inner = [path for path in paths if path.is_dir() and path.name != "__MACOSX"]
    return [path for path in paths if path not in inner] + [path for place in inner for path in walk(place)]


def _listed(folder):
    """What lies in a folder, sorted, without what is hidden."""
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"there is no folder {folder} (looked from {Path.cwd()})")
    return [path for path in sorted(Path(folder).iterdir()) if not path.name.startswith(".")]


def by_name(paths, folder, suffixes, faults):
    """{path in the folder, without suffix: path} of pictures; what lies among them is added to the faults."""
    found = {}
    for path in paths:
        name = path.relative_to(folder).with_suffix("").as_posix()
        if path.name in TABLES or path.suffix.lower() in SIDECARS:
            continue
        if path.is_symlink() and not path.exists():
            faults.append(f"{path} is a link to a missing file, {os.readlink(path)}")
        elif path.suffix.lower() not in suffixes or not path.is_file():
            faults.append(f"{path} is none of {' '.join(suffixes)}: move or convert it (.mat: `seglib data convert`)")
        elif name in found:
            faults.append(f"{path} and {found[name].name} have the same name up to the suffix: keep one")
        else:
            found[name] = path
    return found


def part(paths):
    """(masks, pictures) among files that lie together: a mask is called a_mask, or a.png beside a.jpg."""
    names = {path.with_suffix("") for path in paths if path.suffix.lower() in BLURRED}
    twins = {path for path in paths if path.suffix.lower() in LOSSLESS and path.with_suffix("") in names}
    masks = {path for path in paths if _bare(path.stem, ENDINGS)} or twins
    return [path for path in paths if path in masks], [path for path in paths if path not in masks]


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


def _without_folders(files):
    """The files by their names alone, if these differ."""
    short = {path.stem: path for path in files.values()}
    return short if len(short) == len(files) else files


def _without_common(files):
    """The files by their names without what all of them begin and end with, digits but for those cut off."""
    backwards = [name[::-1] for name in files]
    first = re.sub(r"\d+$", "", os.path.commonprefix(list(files)))  # noqa: RUF071 - letter by letter
    last = re.sub(r"^\d+", "", os.path.commonprefix(backwards)[::-1])  # noqa: RUF071
    short = {name[len(first) : len(name) - len(last)]: path for name, path in files.items()}
    return short if len(short) == len(files) > 1 and "" not in short else files


def _two_folders(folder, images, masks):
    """The folders of images and masks in a folder, or None."""
    found = [_child(folder, *each) for each in ((IMAGES, images, PICTURES), (MASKS, masks, LOSSLESS))]
    if found[1] and not found[0] and not images and any(path.suffix.lower() in PICTURES for path in folder.iterdir()):
        found[0] = folder  # masks/ beside the pictures themselves
    return tuple(found) if all(found) else None


def _child(folder, names, given, suffixes):
    """The subfolder of one of the names, in any case, that holds pictures, or the one that was ``given``; or None."""
    if given:
        return next((path for path in (folder / given, Path(given)) if path.is_dir()), None)
    wanted = {name.lower() for name in names}
    found = [path for path in _listed(folder) if path.is_dir() and path.name.lower() in wanted]
    found = [path for path in found if any(each.suffix.lower() in suffixes for each in path.rglob("*"))] or found
    if len(found) > 1:
        option = "--masks" if suffixes == LOSSLESS else "--images"
        raise ValueError(f"{folder} holds {', '.join(path.name for path in found)}: name one, {option} {found[0].name}")
    return found[0] if found else None


def _split_of(folder, name):
    """The subfolder of a split, such as train, training or train2017, or None."""
    wanted = re.compile(rf"(?:{SPLITS[name]})[-_]?\d*", re.IGNORECASE)
    found = [path for path in _listed(folder) if path.is_dir() and wanted.fullmatch(path.name)]
    if len(found) > 1:
        raise ValueError(f"{folder} holds {', '.join(path.name for path in found)}: keep one")
    return found[0] if found else None


def _inside(folder, name, images, masks):
    """The two folders of a split that has its own folder, or None."""
    split = _split_of(folder, name)
    if split is None:
        return None
    pair = _two_folders(split, images, masks)
    if images or masks:  # what else lies there is not what was named
        return pair
    beside = pair or _child(folder, [split.name + ending for ending in BESIDE], None, LOSSLESS)
    return pair or ((split, beside) if beside else (split, split) if _mixed(split) else None)


def _mixed(folder):
    """Whether pictures and masks lie here side by side."""
    masks, pictures = part([path for path in walk(folder) if path.suffix.lower() in PICTURES])
    return apart(folder) or (pictures and any(path.suffix.lower() in LOSSLESS for path in masks))


def _bare(name, endings):
    """The name without its ending, or None if it has none of them."""
    match = re.fullmatch(rf"(.+)(?:{endings})", name, re.IGNORECASE)
    return match and match[1]
