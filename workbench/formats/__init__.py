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

READERS = {
    "COCO": coco.read,
    "labelme": shapes.labelme,
    "VIA": shapes.via,
    "Label Studio": shapes.label_studio,
    "YOLO": yolo.read,
    "VOC": voc.read,
}
REFUSED = {
    "CVAT's XML": "export it from CVAT as COCO 1.0 or as Segmentation mask 1.1",
    "VOC's XML": "it holds boxes alone; export outlines as COCO, or masks",
}
LOOKED_AT = 20  # JSON files of unknown kind, before a folder counts as one of no known format


def recognise(place):
    """(format, its annotation files) of a folder or a file: a key of READERS or REFUSED, or (None, [])."""
    files = [place] if place.is_file() else [path for path in sorted(place.rglob("*")) if path.name[0] != "."]
    jsons = [path for path in files if path.suffix.lower() == ".json"]
    kind = next(filter(None, map(kind_of, jsons[:LOOKED_AT])), None)
    if kind:
        return kind, [path for path in jsons if kind_of(path) == kind]
    homes = [path.parent for path in files if path.name == voc.FOLDERS[0] and path.is_dir()]
    if homes:
        return "VOC", homes
    texts = [path for path in files if path.suffix == ".txt" and is_yolo(path)]
    if texts:
        return "YOLO", texts
    for path in (path for path in files if path.suffix.lower() == ".xml"):
        head = path.read_bytes()[:2000]
        return ("CVAT's XML" if b"<annotations>" in head else "VOC's XML" if b"<annotation>" in head else None), [path]
    return None, []


def kind_of(path):
    """The format of a JSON file, or None."""
    content = load_json(path)
    if isinstance(content, list):
        first = content[0] if content else None
        return "Label Studio" if isinstance(first, dict) and {"annotations", "data"} <= first.keys() else None
    if not isinstance(content, dict):
        return None
    inner = next(iter(content.values()), None)
    if "_via_img_metadata" in content or (isinstance(inner, dict) and {"filename", "regions"} <= inner.keys()):
        return "VIA"
    coco, labelme = {"images", "annotations", "categories"}, {"shapes", "imagePath"}
    return "COCO" if coco <= content.keys() else "labelme" if labelme <= content.keys() else None


def is_yolo(path):
    """Whether the first line of a text file holds a class and shares, or the file lies in labels/ and is empty."""
    words = path.read_text(encoding="utf-8", errors="replace").partition("\n")[0].split()
    if not words:
        return "labels" in path.parts
    try:
        return len(words) >= 5 and int(words[0]) >= 0 and bool([float(word) for word in words])
    except ValueError:
        return False


def unconverted(place):
    """A sentence for whoever meets an annotation tool's export where pictures and masks are wanted, or None."""
    place = Path(place)
    if any(path.suffix.lower() in LOSSLESS for name in ("masks", "labels") for path in place.glob(f"{name}/**/*")):
        return None
    kind, _ = recognise(place)
    call = REFUSED.get(kind, f"convert it with: seglib data convert {place} NEW_FOLDER")
    return f"{place} is annotated in {kind} form: {call}" if kind else None


def read(place, images=None):
    """(format, classes, annotated pictures, notes) of an export; its pictures may lie in another folder, ``images``.

    Raises ValueError if it is of no form that is known, or faulty.
    """
    place, notes = Path(place), Counter()
    if not place.exists():
        raise FileNotFoundError(f"there is no {place} (looked from {Path.cwd()})")
    kind, files = recognise(place)
    if kind not in READERS:
        hint = f"{kind} is not read: {REFUSED[kind]}" if kind else f"known are {', '.join(READERS)}"
        raise ValueError(f"{place} can't be converted: {hint}")
    root = place if place.is_dir() else place.parent
    classes, annotated = READERS[kind](root, files, Pictures(images or root), notes)
    return kind, classes or sorted({thing.label for each in annotated for thing in each.things}), annotated, notes
