"""Objects of a picture in their three forms: a map of ids, masks in their bounding boxes, COCO's run lengths."""

import numpy as np
from scipy.ndimage import find_objects

from seglib.datasets.coco_masks import runs_of


def boxes(labels):
    """Yield (top, left, mask) of every object of a map of ids, cut to its bounding box."""
    for number, place in enumerate(find_objects(labels), start=1):
        if place is not None:
            yield place[0].start, place[1].start, labels[place] == number


def run_lengths(top, left, mask, size):
    """COCO's uncompressed RLE of an object in a picture of ``size`` (height, width): runs of 0, 1, 0 ... by columns."""
    height, width = size
    columns = np.zeros((mask.shape[1], height), np.int8)
    columns[:, top : top + mask.shape[0]] = mask.T
    edges = np.flatnonzero(np.diff(columns.ravel(), prepend=0, append=0)) + left * height
    counts = np.diff(edges, prepend=0, append=height * width).tolist()
    return {"size": [height, width], "counts": counts if counts[-1] else counts[:-1]}


def pixels_of(segmentation, size):
    """Numbers (n,) of an outline's pixels, counted down the columns of a picture of ``size``; as `runs_of` reads it."""
    runs = runs_of(segmentation, *size)
    lengths, ends = runs[1::2], runs.cumsum()[1::2]
    return np.repeat(ends - lengths.cumsum(), lengths) + np.arange(lengths.sum())


def painted(annotations, size, source):
    """The objects of a picture, in COCO's format, as a map of ids; the first one keeps what two of them claim.

    No mask of the whole picture is made for an object, so thousands of them may lie in a large picture.

    Returns
    -------
    instances : (H, W) int32 array, 0 = none, 1..n; objects of which nothing is left get no id
    scores : (n,) array, 1 where an annotation has none

    Raises
    ------
    ValueError
        An outline is faulty; the message names the source and the annotation.
    """
    columns, scores = np.zeros(size[0] * size[1], np.int32), []  # one column of the picture after the other
    for annotation in annotations:
        try:
            pixels = pixels_of(annotation["segmentation"], size)
        except ValueError as error:
            raise ValueError(f"{source}: annotation {annotation.get('id')}: {error}") from error
        free = pixels[columns[pixels] == 0]
        if len(free):
            scores.append(annotation.get("score", 1.0))
            columns[free] = len(scores)
    return np.ascontiguousarray(columns.reshape(size[1], size[0]).T), np.array(scores)
