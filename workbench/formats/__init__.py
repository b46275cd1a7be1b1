"""The exports of annotation tools: told apart by what lies in a folder, and read into one form.

A reader takes the folder, its annotation files, the `Pictures`, and a Counter of sentences on what could not be taken
as it is. It returns the names of the classes in the tool's order, None for that of the alphabet, and a list of
`Annotated` pictures. Faulty files raise ValueError with file and place.
"""

from collections import Counter
from pathlib import Path

from seglib.datasets.reading import LOSSLESS
from workbench.formats import coco, shapes, voc, yolo
from workbench.formats.common import Pictures, load_json

READERS = {"COCO": coco.read, "labelme": shapes.labelme, "Label Studio": shapes.label_studio}  # of JSON
READERS |= {"VIA": shapes.via, "YOLO": yolo.read, "VOC": voc.read}
KEYS = [  # that tell a JSON's format: keys of itself, or of its first entry
    ("COCO", False, {"images", "annotations", "categories"}),
    ("labelme", False, {"shapes", "imagePath"}),
    ("VIA", False, {"_via_img_metadata"}),
    ("VIA", True, {"filename", "regions"}),
    ("Label Studio", True, {"annotations", "data"}),
]
LOOKED_AT = 20  # JSON files of unknown kind, before a folder counts as one of no known format


def recognise(place):
    """(format, its annotation files) of a folder or a file; (None, []) if it is of none in READERS."""
    files = [place] if place.is_file() else [path for path in sorted(place.rglob("*")) if path.name[0] != "."]
    jsons = [path for path in files if path.suffix.lower() == ".json"]
    kind = next(filter(None, map(kind_of, jsons[:LOOKED_AT])), None)
    if kind:
        return kind, [path for path in jsons if kind_of(path) == kind]
    homes = [path.parent for path in files if path.name == voc.FOLDERS[0] and path.is_dir()]
    if homes:
        return "VOC", homes
    texts = [path for path in files if path.suffix == ".txt" and yolo.is_label_file(path)]
    return ("YOLO", texts) if texts else (None, [])


def kind_of(path):
    """The format of a JSON file, or None."""
    content = load_json(path)
    entries = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    keys = [set(each) if isinstance(each, dict) else set() for each in (content, next(iter(entries), None))]
    return next((kind for kind, inside, wanted in KEYS if wanted <= keys[inside]), None)


def unconverted(place):
    """A sentence for whoever meets an annotation tool's export where pictures and masks are wanted, or None."""
    if any(path.suffix.lower() in LOSSLESS for name in ("masks", "labels") for path in place.glob(f"{name}/**/*")):
        return None
    kind, _ = recognise(place)
    return kind and f"{place} is annotated in {kind} form: convert it with: seglib data convert {place} NEW_FOLDER"


def read(place, images=None):
    """(format, classes, annotated pictures, notes) of an export; its pictures may lie in another folder, ``images``.

    Raises ValueError if it is of no form that is known, or faulty.
    """
    place, notes = Path(place), Counter()
    kind, files = recognise(place)
    if kind is None:
        raise ValueError(f"{place} is no export of a form that is known: {', '.join(READERS)}. CVAT exports COCO, too")
    root = place if place.is_dir() else place.parent
    classes, annotated = READERS[kind](root, files, Pictures(images or root), notes)
    found = {thing.label for each in annotated for thing in each.things if thing.outline}
    return kind, classes or sorted(found), annotated, notes
