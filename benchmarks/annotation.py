"""How far apart two annotators' outlines lie, and how far the horse's outline lies from the horse itself.

Some regions of data/photos were drawn a second time by somebody who had not seen the first outline; their points lie in
data/photos/second. Compared is what is visible: pixels and outline points inside a region painted later are left out
(the saucer below the cup, the rim of the optic disc below the void). Distances are in pixels, from points every 0.1 px
along the second outline to the first; an open stretch has no area and so no IoU. The horse is a binary picture: there
the second outline is the picture cut at half grey. The csv holds the blind comparison, before anything was corrected,
but for bright_nuclei: there the first outlines were a program's proposals that one annotator checked, the second ones
are drawn by eye by the same annotator, and the csv holds what is left after the comparison had shown the proposals
wrong and they were moved (data/README.md has the figures before).

    python -m benchmarks.annotation
"""

import json
from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree
from skimage.measure import find_contours

from benchmarks.record import write_rows
from seglib.scenes import photographs
from tools import outlines

STEP, SEED = 0.1, 0


def dense(points, closed=True):
    """Points (x, y) every 0.1 px or closer along a line through the (n, 2) points, closed or open."""
    points = np.vstack([points, points[:1]]) if closed else np.asarray(points)
    pieces = [points[:1]]
    for start, end in pairwise(points):
        count = max(1, int(np.ceil(np.linalg.norm(end - start) / STEP)))
        pieces.append(start + (end - start) * np.linspace(0, 1, count + 1)[1:, None])
    return np.vstack(pieces)


def drawn(region):
    """The points along all outlines of a region."""
    shapes = region["parts"] + region.get("minus", [])
    return np.vstack([dense(outlines.outline(shape), closed="stretch" not in shape) for shape in shapes])


def compare(first, second_points, second_mask, later):
    """IoU of the two painted shapes and the distances from the second outline to the first, where `later` is False."""
    column, row = np.clip(np.rint(second_points).astype(int), 0, np.array(later.shape)[::-1] - 1).T
    distances = cKDTree(drawn(first)).query(second_points[~later[row, column]])[0]
    iou = ""
    if second_mask is not None:
        a, b = (mask & ~later for mask in (outlines.paint([first], later.shape) > 0, second_mask))
        iou = round((a & b).sum() / (a | b).sum(), 4)
    figures = {"median_px": np.median(distances), "p95_px": np.percentile(distances, 95), "largest_px": distances.max()}
    return {"iou": iou, **{key: round(value, 2) for key, value in figures.items()}}


def twice_drawn(name):
    """A row for each region of a photo that was drawn twice."""
    notes = photographs.read_notes(name)
    shape = photographs.read_picture(name, notes).shape[:2]
    for region in json.loads((photographs.FOLDER / "second" / f"{name}.json").read_text(encoding="utf-8"))["regions"]:
        number = region["first"]
        stretch = "stretch" in region["parts"][0]
        later = outlines.paint(notes["regions"][number:], shape) > 0
        second_mask = None if stretch else outlines.paint([region], shape) > 0
        figures = compare(notes["regions"][number - 1], drawn(region), second_mask, later)
        label = f"{region['class']} {number}" + (", a stretch" if stretch else "")
        yield {"photo": name, "region": label, **figures}


def horse():
    """The first outline of the horse against the picture itself."""
    notes = photographs.read_notes("horse")
    picture = photographs.read_picture("horse", notes)
    truth = np.vstack([dense(line[:, ::-1], closed=False) for line in find_contours(picture.astype(float), 127.5)])
    figures = compare(notes["regions"][0], truth, picture < 127.5, np.zeros(picture.shape, bool))
    return {"photo": "horse", "region": "horse 1, against the picture", **figures}


def main():
    names = sorted(path.stem for path in (photographs.FOLDER / "second").glob("*.json"))
    rows = [row for name in names for row in twice_drawn(name)] + [horse()]
    for row in rows:
        print("{photo:8s} {region:30s} {iou!s:>7s} {median_px:5.2f} {p95_px:5.2f} {largest_px:5.2f}".format(**row))
    packages = ("numpy", "scipy", "scikit-image")
    write_rows("results/annotation.csv", [{**row, "seed": SEED} for row in rows], packages=packages)


if __name__ == "__main__":
    main()
