"""Paint data/photos/NAME.png from the outlines in data/photos/NAME.json: ``python tools/draw_masks.py [NAME...]``.

The JSON is what was drawn by hand; the PNG follows from it (a test compares the two).
"""

import sys

import numpy as np
from PIL import Image

import outlines
from seglib.plotting import PALETTE
from seglib.scenes import photographs


def mask(name):
    """The (H, W) uint8 picture of region numbers that the outlines of a photo give."""
    notes = photographs.read_notes(name)
    picture = photographs.read_panels(name, notes)[0]
    numbers = outlines.paint(notes["regions"], picture.shape[:2])
    for x0, y0, x1, y1, threshold in notes.get("ink", []):  # text: the dark pixels of each box, judged by eye
        box = np.s_[y0:y1, x0:x1]
        numbers[box][(picture[box] < threshold) & (numbers[box] == 0)] = 1
    return numbers


def main(names):
    for name in names or sorted(path.stem for path in photographs.FOLDER.glob("*.png")):
        picture = Image.fromarray(mask(name), mode="P")
        colours = np.zeros((256, 3), np.uint8)  # any viewer then shows the regions apart
        colours[1:255] = np.resize((PALETTE * 255).astype(np.uint8), (254, 3))
        colours[255] = 128
        picture.putpalette(colours.ravel().tolist())
        picture.save(photographs.FOLDER / f"{name}.png", optimize=True)
        print(name, np.unique(np.array(picture)).tolist())


if __name__ == "__main__":
    main(sys.argv[1:])
