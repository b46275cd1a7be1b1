"""Real photographs and micrographs that ship inside packages, most of them with outlines drawn for this course."""

import hashlib
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image

from seglib.arrays import relabel
from seglib.carried import carried

FOLDER = Path(__file__).resolve().parent.parent.parent / "data" / "photos"
# Pictures that `photo` knows besides the thirteen on which lessons 01 to 03 compare methods.
MORE = ("bright_nuclei", "nuclei", "portrait", "stained_tissue")


def photo_names():
    """Names of the thirteen photos of the bench, in alphabetical order.

    `photo` knows four more. Raises FileNotFoundError where the outlines are not there.
    """
    names = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem not in MORE)
    if not names:
        raise FileNotFoundError(
            f"there are no outlines of photos in {FOLDER}: they come with a copy of the course, not with the installed "
            "package. Clone or download the course's repository; in its folder, run `make lab` or `pip install -e .`"
        )
    return names


def photo(name):
    """One photo with its annotation.

    Parameters
    ----------
    name : str
        One of `photo_names()`, or

        - "nuclei": 125 fluorescent nuclei, (512, 512), numbered by the experts of the 2018 Data Science Bowl. The file
          has 16 bits but no value above 235: here 1 is 255, as in the other photos.
        - "bright_nuclei": 57 fluorescent nuclei about 90 px wide, (1024, 1344), three of them far brighter than the
          rest; drawn for this course. Void: glow, bodies out of focus, fragments.
        - "stained_tissue": a section stained with H&E, (300, 500, 3). Nobody has drawn its nuclei: all of it is void.
        - "portrait": Grace Hopper, (600, 512, 3), with one person.

    Returns
    -------
    dict
        image: (H, W) or (H, W, 3) float64 in 0..1. mask: (H, W) uint8, class of each pixel, 0 = background,
        255 = void. instances: (H, W) uint8, number of the region, 1..n, 0 = background or void. classes: names,
        background first. name and title: str.

    Raises
    ------
    FileNotFoundError
        If the course's folder is missing, see `photo_names`, or a file that `python tools/carry.py` fetches.
    ValueError
        If there is no such photo, or the installed library ships another picture than the one that was annotated.
    """
    if name not in [*photo_names(), *MORE]:
        raise ValueError(f"no photo {name!r}; there are: {', '.join([*photo_names(), *MORE])}")
    notes = read_notes(name)
    regions = read_regions(name)
    classes = np.zeros(256, np.uint8)
    classes[255] = 255
    if "truth" in notes:  # instances that came with the picture, all of one class
        classes[1:255] = 1
    for number, region in enumerate(notes["regions"], start=1):
        if region["class"] != "void":
            classes[number] = notes["classes"].index(region["class"])
    return {
        "name": name,
        "title": notes["title"],
        "image": read_picture(name, notes) / 255,
        "mask": classes[regions],
        "instances": np.where(regions == 255, 0, regions),
        "classes": notes["classes"],
    }


def photos():
    """The thirteen photos of the bench, a dict of name -> `photo(name)`."""
    return {name: photo(name) for name in photo_names()}


def read_notes(name):
    """What data/photos/NAME.json says: where the picture comes from, its classes, and the outlines."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def read_picture(name, notes):
    """The picture that was annotated, cropped and reduced as its notes say; uint8 (H, W) or (H, W, 3)."""
    panels = read_panels(name, notes)
    if len(panels) == 1:
        return panels[0]
    # Several surfaces side by side: region 1 shows the first of them, region 2 the second, and so on.
    return np.choose(read_regions(name) - 1, panels)


def read_regions(name):
    """The number of the region at each pixel, uint8 (H, W): 0 = none, 1..n, 255 = void."""
    truth = read_notes(name).get("truth")
    if truth:
        return relabel(_read_file(name, truth))[0].astype(np.uint8)
    return np.array(Image.open(FOLDER / f"{name}.png"))


def read_panels(name, notes):
    """Each of the photo's sources, cropped and reduced as the notes say."""
    return [_cut(_read_file(name, source), notes) for source in notes["sources"]]


def _cut(picture, notes):
    top, left, bottom, right = notes.get("crop", (0, 0, *picture.shape[:2]))
    picture = picture[top:bottom, left:right]
    step = notes.get("reduce", 1)
    height, width = (side // step for side in picture.shape[:2])
    blocks = picture[: height * step, : width * step].reshape(height, step, width, step, *picture.shape[2:])
    return blocks.mean((1, 3)).round().astype(np.uint8)


def _read_file(name, source):
    path = carried(source["carried"]) if "carried" in source else files(source["package"]) / source["file"]
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != source["sha256"]:
        raise ValueError(
            f"photo {name!r}: {source.get('package', 'data/carried')}/{source.get('file', path.name)} is not the file "
            f"that was annotated ({len(content)} bytes here). Another release of that library has it: requirements.lock"
            " names one. What belongs into data/carried, `python tools/carry.py` fetches"
        )
    with path.open("rb") as file, Image.open(file) as picture:
        if picture.mode != "I;16":
            picture = picture.convert("L" if source.get("grey") else "RGB")
        return np.array(picture)
