"""Label maps and objects to score: of a folder, of a data set, or of a public set's held-back pictures."""

from pathlib import Path

import numpy as np

from seglib.arrays import renumber
from seglib.datasets.folder import few
from workbench.class_tables import GREY_VALUES, VOID, MaskReader, as_table, find_table, looks_numbered
from workbench.dataset import open_data, reader_of
from workbench.formats.common import load_json, within
from workbench.layouts import LOSSLESS, Unrecognised, by_name, match, table_places, walk
from workbench.objects import painted
from workbench.pictures import PUBLIC, held_back
from workbench.predicting import LABELS, OBJECTS

FEW = 8  # labels of a mask that may be classes where nobody named any


class Maps:
    """Label maps by name, read one at a time.

    ``maps[name]`` is a dict: "mask" (H, W), class ids, 255 = void; and where objects are told apart "instances"
    (H, W), 0 = none, 1..n, and "scores" (n,), 1 for the truth. ``names`` are sorted; ``classes`` names the
    classes, None if nobody says.
    """

    def __init__(self, names, read, classes, foreground=None, note=""):
        self.names, self._read, self.classes = sorted(names), read, classes
        self.foreground, self.note = foreground, note

    def __getitem__(self, name):
        return self._read(name)


def both_maps(predictions, truth, **said):
    """(Maps of predictions, Maps of the truth) of the same names.

    Parameters
    ----------
    predictions : path
        A folder that ``seglib predict`` wrote, or one of label maps, of class ids or in the values of the truth.
    truth : path or name
        A data set with its pictures, of which the split counts that was said or that has these pictures; a folder of
        masks; one that ``seglib predict`` wrote; or a name in `sets.PUBLIC`.
    said : options
        What was said of the truth, see `dataset.open_data`.

    Raises
    ------
    FileNotFoundError, ValueError
        A folder is not there or holds something else; classes differ; and when maps are read, what is wrong with them.
    """
    found = _files(predictions)
    own = find_table(predictions)
    if truth in PUBLIC:
        maps = named_maps(truth)
        return folder_maps(predictions, found, MaskReader(own or as_table(maps.classes)), maps.classes), maps
    paths, places, options = _true_files(truth, found, said)
    found, paths = match(found, paths, [])
    reader = reader_of(options, *places)
    named = reader.table is not None
    if reader == MaskReader() and own:
        reader = MaskReader(own)
    unsaid = not (named or options or Path(truth, OBJECTS).is_file())
    numbered = reader.numbered or (unsaid and _numbered(paths, reader))
    if numbered:
        reader = MaskReader(numbered=True)
    mine = MaskReader(own)
    if named and own and mine.classes != reader.classes:
        raise ValueError(f"the predictions are of the classes {few(mine.classes)}, {truth} of {few(reader.classes)}")
    if numbered and not own and _numbered(found, mine):
        mine = reader
    names = reader.classes if named or (reader != MaskReader() and not own) else None
    explained = mine != MaskReader()
    predicted = folder_maps(
        predictions, found, mine if explained else reader, mine.classes if own else names, or_ids=not explained
    )
    return predicted, folder_maps(truth, paths, reader, names, f"{truth}: numbered objects" if numbered else "")


def named_maps(name):
    """Maps of the held-back pictures of a public set."""
    data, paths = held_back(name)
    places = {path.stem: index for index, path in enumerate(paths)}

    def read(stem):
        sample = data[places[stem]]
        maps = {key: sample[key].numpy() for key in ("mask", "instances") if key in sample}
        return maps | ({"scores": np.ones(maps["instances"].max())} if "instances" in maps else {})

    return Maps(places, read, data.classes)


def folder_maps(folder, paths, reader, classes, note="", or_ids=False):
    """Maps of files, and of the objects beside them, if there are any.

    ``or_ids``: files may hold class ids in place of what the reader knows.
    """
    annotated = Path(folder, OBJECTS)
    found = read_objects(annotated) if annotated.is_file() else None

    def read(name):
        if reader.numbered:
            ids = renumber(reader.values(paths[name]).int().numpy()).astype(np.int32)
            return {"mask": (ids > 0).astype(np.uint8), "instances": ids, "scores": np.ones(ids.max())}
        own = MaskReader(as_table(reader.classes)) if or_ids and _are_ids(paths[name], reader) else reader
        mask = (_unnamed if own == MaskReader() else own)(paths[name])
        mask = mask.numpy().astype(np.uint8)  # large pictures are held several times
        if found is None:
            return {"mask": mask}
        if paths[name].stem not in found:
            raise ValueError(f"{annotated} knows no picture {name}: labels and objects belong to different predictions")
        instances, scores = painted(found[paths[name].stem], mask.shape, f"{annotated}, {name}")
        return {"mask": mask, "instances": instances, "scores": scores}

    return Maps(paths, read, classes, reader.foreground, note)


def _are_ids(path, reader):
    """Whether a map holds class ids, not what a reader knows. Raises ValueError where it might be both."""
    if reader == MaskReader() or reader.numbered:
        return False
    if reader.coloured:
        return bool(reader.labels(path)[1])
    values, keys = set(reader.values(path).unique().tolist()), reader.keys or {}
    if reader.threshold is None and keys.get(VOID, VOID) == VOID:
        values.discard(VOID)
    if not values <= set(range(len(reader.classes))):
        return False
    if values <= keys.keys() and any(keys[value] != value for value in values):
        told = "may be class ids or labels of the truth's table: put a table beside it"
        raise ValueError(f"{path}: {few(sorted(values))} {told}")
    return True


def _unnamed(path):
    """Class ids of a mask of which nobody said what its labels mean: as they stand, if they may be classes."""
    labels, fault = MaskReader().examine(path)
    highest = int(labels[labels != VOID].max()) if (labels != VOID).any() else 0
    if fault and not (labels.min() >= 0 and 1 < highest < GREY_VALUES):
        raise ValueError(fault)
    return labels


def _numbered(paths, reader):
    """Whether maps hold what no class stands for, because they number objects."""
    for path in paths.values():
        if reader.examine(path)[1]:
            values = reader.values(path).numpy()
            if reader.coloured or len(np.unique(values)) > (0 if reader.table else FEW):
                return not reader.coloured and looks_numbered(values)
    return False


def _files(folder):
    """{name: path} of the label maps in a folder, or in what ``seglib predict`` wrote."""
    folder, faults = Path(folder), []
    folder = folder / LABELS if (folder / LABELS).is_dir() else folder
    found = by_name(walk(folder), folder, LOSSLESS, faults)
    if faults or not found:
        raise ValueError(faults[0] if faults else f"{folder} holds no pictures; wanted are {' '.join(LOSSLESS)}")
    return found


def _true_files(truth, predicted, said):
    """({name: path} of the true masks, folders where their class table may lie, what was said of them)."""
    try:
        data = open_data(truth, **said)
    except Unrecognised:  # no pictures beside the masks
        folder = Path(truth).resolve()
        places = [folder, folder.parent, folder.parent.parent]
        return _files(truth), places, said
    names = {split: {path.stem for path in pairs.images.values()} for split, pairs in data.pairs.items()}
    fitting = [split for split in names if len(names) == 1 or names[split] == set(predicted)]
    if len(fitting) != 1:
        raise ValueError(f"{truth} has {', '.join(names)}: pass one of them as --split")
    pairs = data.pairs[fitting[0]]
    if pairs.faults:
        raise ValueError(pairs.faults[0])
    masks = {pairs.images[name].stem if name in pairs.images else name: path for name, path in pairs.masks.items()}
    return masks, table_places(truth, data.places), data.options


def read_objects(path):
    """{picture's name: list of annotations} of a file in COCO's format.

    Raises ValueError if the file is something else.
    """
    content = load_json(path)
    with within(f"{path} is no file in COCO's format"):
        names = {image["id"]: Path(image["file_name"]).stem for image in content["images"]}
        found = {name: [] for name in names.values()}
        for annotation in content["annotations"]:
            found[names[annotation["image_id"]]].append(annotation)
    return found
