"""The thirteen photos of the open exercise on clustering, and how well a rule segments them."""

import numpy as np

from seglib import metrics
from seglib.exercises import NotYet, expect_shape
from seglib.scenes import photo

PHOTOS = ("chelsea", "coffee", "coins", "flower", "ihc", "rocket")
OTHERS = ("astronaut", "camera", "china", "horse", "page", "retina", "textures")


def overlaps(segment, names=PHOTOS, mirrored=False):
    """Mean best overlap of `segment(image) -> label map` on each of six (or other) photos, as a dict.

    Mirrored photos also lose four pixels on each side.
    """
    scores = {}
    for name in names:
        scene = photo(name)
        image, truth = scene["image"], np.where(scene["mask"] == 255, -1, scene["instances"].astype(int))
        if mirrored:
            image, truth = (each[4:-4, -5:3:-1] for each in (image, truth))
        labels = segment(image.copy())
        expect_shape(f"`segment(image)` of {name}", labels, image.shape[:2])
        if np.asarray(labels).dtype.kind not in "iub":
            raise NotYet(f"`segment(image)` holds {np.asarray(labels).dtype}; a label map has whole numbers.")
        scores[name] = float(metrics.best_overlap(np.asarray(labels).astype(int), truth).mean())
    return scores
