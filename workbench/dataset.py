"""A data set as every command sees it: its pictures, masks, splits and classes, said once."""

from dataclasses import dataclass
from pathlib import Path

from seglib.datasets.folder import natural
from workbench.class_tables import MaskReader, as_table, find_table
from workbench.layouts import apart, as_dataset, find_splits, pair_up, table_places

HELD_BACK = 5  # every fifth picture of a set without a validation set ...
HELD = "held-back"  # ... which may be asked for as a split


@dataclass
class DataSet:
    """Files of a set by split, and how its masks are read. ``places`` are the folders of images and masks."""

    folder: Path
    places: dict  # {split: (images, masks)}
    pairs: dict  # {split: Pairs}
    reader: MaskReader
    options: dict  # what was said of it, for JSON
    left_out: int = 0  # pictures without a mask

    def part(self, split, transform=None):
        """A split as a `FolderDataset`. Raises ValueError for what does not belong there or has no partner."""
        return as_dataset(self.pairs[split], *self.places[split], self.reader, transform)


def reader_of(options, *places):
    """A `MaskReader` for masks of which this was said, with the class table of these folders if no other is named."""
    classes = options.get("classes")
    table = as_table(classes) if classes else find_table(*places)
    return MaskReader(table, options.get("foreground"), options.get("threshold"), options.get("numbered", False))


def open_data(folder, **options):
    """Find out what a folder holds, as a `DataSet`; nothing but names and the class table is read.

    Parameters
    ----------
    folder : path
        Laid out as `layouts.find_splits` knows it.
    options : OPTIONS
        What they mean stands in `add_options`.

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such folder, its layout is not recognised, or the class table can't be read.
    """
    places = find_splits(folder, options.get("images"), options.get("masks"))
    wanted = options.get("split")
    if wanted == HELD and places.keys() & {"train", "all"}:
        places = {HELD: places.get("train") or places["all"]}
    if wanted and wanted not in places:
        raise ValueError(f"{folder} has {', '.join(places)}, no --split {wanted}")
    places = {wanted: places[wanted]} if wanted else places
    if options.get("val"):
        place, *more = map(Path, options["val"])
        places["val"] = (place, *more) if more else next(iter(find_splits(place).values()))
    if all(apart(images) for images, _ in places.values()):
        options |= {"numbered": True}
    reader, pairs, left_out = reader_of(options, *table_places(folder, places)), {}, 0
    for split, (images, masks) in places.items():
        found = pair_up(images, masks)
        names, masks = sorted(found.images, key=natural), found.masks
        if options.get("skip_unlabelled"):
            names = [name for name in names if name in masks]
            left_out += len(found.images) - len(names)
        if split == HELD:
            names = names[HELD_BACK - 1 :: HELD_BACK]
            masks = {name: masks[name] for name in names if name in masks}
        pairs[split] = found._replace(images={name: found.images[name] for name in names}, masks=masks)
    return DataSet(Path(folder), places, pairs, reader, options, left_out)
