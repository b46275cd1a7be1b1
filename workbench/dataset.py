"""A data set as every command sees it: its pictures, masks, splits and classes, said once and kept with it."""

import json
from dataclasses import dataclass
from pathlib import Path

from seglib.training.weights import write_whole
from workbench.class_tables import MaskReader, as_table, find_table
from workbench.layouts import as_dataset, find_splits, pair_up, table_places
from workbench.options import KEPT, OPTIONS

HELD_BACK = 5  # every fifth picture of a set without a validation set


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


def kept(*places):
    """What was said of a set once: the options in KEPT, of the first of these folders that has it."""
    for place in places:
        path = Path(place) / KEPT
        if path.is_file():
            try:
                options = json.loads(path.read_text(encoding="utf-8"))
                unknown = sorted(options.keys() - set(OPTIONS))
            except (ValueError, AttributeError) as error:
                raise ValueError(f"{path} can't be read: {error}") from None
            if unknown:
                raise ValueError(f"{path} says {unknown[0]!r}; known are {', '.join(OPTIONS)}")
            return options
    return {}


def keep(data):
    """Write what was said of a set into its folder; return the path."""
    write_whole(data.folder / KEPT, json.dumps(data.options, indent=1).encode())
    return data.folder / KEPT


def reader_of(options, *places):
    """A `MaskReader` for masks of which this was said, with the class table of these folders if no other is named."""
    classes = options.get("classes")
    table = as_table(classes) if classes else find_table(*places)
    return MaskReader(
        table, *(options.get(name) for name in ("foreground", "threshold")), options.get("numbered", False)
    )


def open_data(folder, **options):
    """Find out what a folder holds, as a `DataSet`; nothing but names and the class table is read.

    Parameters
    ----------
    folder : path
        Laid out as `layouts.find_splits` knows it.
    options : OPTIONS
        What they mean stands in `add_options`. They go before what KEPT says.

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such folder, its layout is not recognised, or the class table can't be read.
    """
    options = kept(folder) | options
    places = find_splits(folder, options.get("images"), options.get("masks"))
    if options.get("split"):
        if options["split"] not in places:
            raise ValueError(f"{folder} has {', '.join(places)}, no --split {options['split']}")
        places = {options["split"]: places[options["split"]]}
    if options.get("val"):
        place, *more = map(Path, options["val"])
        places["val"] = (place, *more) if more else next(iter(find_splits(place).values()))
    reader, pairs, left_out = reader_of(options, *table_places(folder, places)), {}, 0
    for split, (images, masks) in places.items():
        pairs[split] = pair_up(images, masks)
        if options.get("skip_unlabelled"):
            labelled = {name: path for name, path in pairs[split].images.items() if name in pairs[split].masks}
            left_out += len(pairs[split].images) - len(labelled)
            pairs[split] = pairs[split]._replace(images=labelled)
    return DataSet(Path(folder), places, pairs, reader, options, left_out)
