"""The four explorers. Each takes a picture and its true mask, and returns what a cell shows."""

import numpy as np
from scipy import ndimage
from skimage.measure import label
from skimage.segmentation import find_boundaries
from skimage.transform import resize

from seglib.classical import canny, grow_region, kmeans_segment
from seglib.classical.edges import enclosed_areas
from seglib.inputs import as_picture
from seglib.metrics import best_overlap, binary_dice, binary_iou, boundary_f1
from seglib.plotting import PALETTE, overlay, to_rgb
from seglib.widgets._explorer import Explorer, choice, count, slider

_WRONG, _RIGHT, _MISSED, _LINE = 1, 2, 5, 10  # places in the palette
_TOLERANCE = 2  # px, of boundary F1


def canny_explorer(image, truth=None):
    """Canny's edges, and the regions that they close: choose the blur and the two thresholds.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
        Shown and segmented with 288 pixels along the longer side, if it has more.
    truth : (H, W) bool array or None
        The true foreground; None shows no score.

    Returns
    -------
    Explorer

    Raises
    ------
    ValueError
        For a picture that `canny` cannot take, and a truth that is no mask of it.
    """
    image, truth = prepared(image, truth, 288)

    def solve(sigma, low, high):
        edges = canny(image, sigma, low, high)
        regions = enclosed_areas(edges)
        picture = _compared(image, regions > 0, truth)
        picture[edges] = PALETTE[_LINE]
        return picture, _scored(regions > 0, truth, count(regions.max(), "region"))

    controls = [
        slider("sigma", "blur σ", 0.5, 6, 0.25, 2.0),
        slider("low", "low threshold", 0, 0.5, 0.01, 0.05, at_most="high"),
        slider("high", "high threshold", 0, 0.5, 0.01, 0.15),
    ]
    return Explorer("Canny edges and their regions", controls, [*_legend(truth), (_LINE, "edges")], solve)


def clustering_explorer(image, truth=None):
    """k-means: choose the number of clusters, the colour space and the weight of the position.

    The score is the IoU of the cluster, or of the connected piece of a cluster, that fits the truth best.
    Parameters, result and errors are those of `canny_explorer`; the longer side has 144 pixels at most.
    """
    image, truth = prepared(image, truth, 144)
    most = min(8, len(np.unique(to_rgb(image).reshape(-1, 3), axis=0)))

    def solve(k, space, position):
        labels = kmeans_segment(image, k, space, position)
        picture = 0.4 * to_rgb(image) + 0.6 * PALETTE[labels]
        status = count(k, "cluster")
        if truth is not None:
            picture[find_boundaries(truth, mode="inner")] = PALETTE[_LINE]
            status = f"best overlap {best_overlap(labels, truth.astype(int)).sum():.2f}, {status}"
        return picture, status

    controls = [
        slider("k", "clusters k", 1, most, 1, min(3, most)),
        choice("space", "colour space", ["lab", "rgb", "hsv", "grey"]),
        slider("position", "position", 0, 2, 0.05, 0.0),
    ]
    legend = [] if truth is None else [(_LINE, "outline of the truth")]
    return Explorer("k-means clusters", controls, legend, solve, hint="Each colour is a cluster.")


def growing_explorer(image, truth=None):
    """Region growing: put the seed by a click, the arrow keys or the sliders; choose how far the region may go.

    If the seed lies on the truth, the score is for the connected piece of it that holds the seed.
    Parameters, result and errors are those of `canny_explorer`.
    """
    image, truth = prepared(image, truth, 288)
    height, width = image.shape[:2]
    pieces = None if truth is None else label(truth)
    row, column = height // 2, width // 2
    if truth is not None and truth.any():  # the truth's innermost pixel
        depth = ndimage.distance_transform_edt(np.pad(truth, 1))[1:-1, 1:-1]
        row, column = (int(i) for i in np.unravel_index(depth.argmax(), depth.shape))

    def solve(row, column, tolerance, criterion, connectivity):
        region = grow_region(image, (row, column), tolerance, criterion, connectivity)
        wanted = pieces == pieces[row, column] if truth is not None and truth[row, column] else truth
        picture = _compared(image, region, wanted)
        draw_cross(picture, row, column)
        return picture, _scored(region, wanted, count(region.sum(), "pixel"))

    controls = [
        slider("row", "seed row", 0, height - 1, 1, row),
        slider("column", "seed column", 0, width - 1, 1, column),
        slider("tolerance", "tolerance", 0, 0.5, 0.01, 0.1),
        choice("criterion", "compared with", ["seed", "neighbour", "mean"]),
        choice("connectivity", "neighbours", [4, 8]),
    ]
    hint = "Click the seed on the picture, or move it with the arrow keys (with Shift by 10 pixels)."
    legend = [*_legend(truth), (_LINE, "seed")]
    return Explorer("Region growing", controls, legend, solve, ["row", "column"], hint)


def metric_explorer(image, truth):
    """Scores: push a copy of the true mask over it, grow it or shrink it, and watch what each score makes of it.

    Boundary F1 forgives 2 pixels. Parameters, result and errors are those of `canny_explorer`; a truth is needed.
    """
    image, truth = prepared(image, truth, 288)
    if truth is None:
        raise ValueError("truth is None; metric_explorer needs the mask that it moves")
    height, width = truth.shape
    outside, inside = (ndimage.distance_transform_edt(mask) for mask in (~truth, truth))

    def solve(down, right, grow):
        grown = outside <= grow if truth.any() else truth
        if grow < 0:
            grown = inside > -grow
        pushed = ndimage.shift(grown, (down, right), order=0)
        scores = {"IoU": binary_iou(pushed, truth), "Dice": binary_dice(pushed, truth)}
        scores["boundary F1"] = boundary_f1(pushed, truth, _TOLERANCE)
        return _compared(image, pushed, truth), ", ".join(f"{name} {score:.2f}" for name, score in scores.items())

    controls = [
        slider("down", "push down", -(height // 2), height // 2, 1, 0),
        slider("right", "push right", -(width // 2), width // 2, 1, min(3, width // 2)),
        slider("grow", "grow", -10, 10, 1, 0),
    ]
    hint = "Push the mask with the sliders, or with the arrow keys on the picture (with Shift by 10 pixels)."
    return Explorer("A mask pushed over the truth", controls, _legend(truth), solve, ["down", "right"], hint)


def prepared(image, truth, size):
    """Picture and truth, both reduced once if the longer side has more than `size` pixels."""
    image = as_picture(image)
    if truth is not None:
        truth = np.asarray(truth)
        if truth.dtype != bool or truth.shape != image.shape[:2]:
            raise ValueError(
                f"truth has shape {truth.shape} and type {truth.dtype}; bool {image.shape[:2]} is wanted. "
                "Usual cause: a map of classes or objects; choose from it, as in truth == 1 or truth > 0"
            )
    shape = [max(1, round(side * size / max(image.shape[:2]))) for side in image.shape[:2]]
    if max(image.shape[:2]) > size:
        image = resize(image, shape, anti_aliasing=True)
        truth = None if truth is None else resize(truth, shape, order=0)
    return image, truth


def draw_cross(picture, row, column):
    """Mark a pixel of the RGB picture (H, W, 3), which is changed, with a cross that shows on any ground."""
    for size, colour in ((7, PALETTE[0]), (5, PALETTE[_LINE])):
        for i, j in ((size, size // 2 - 1), (size // 2 - 1, size)):
            picture[max(row - i, 0) : row + i + 1, max(column - j, 0) : column + j + 1] = colour


def _compared(image, region, truth):
    """The picture, tinted where the region is right or too much, and faintly where it is missing."""
    picture, right = to_rgb(image), region
    if truth is not None:
        picture, right = overlay(picture, (truth & ~region) * _MISSED, alpha=0.35), region & truth
    grey = to_rgb(as_picture(image, grey=True))  # the picture's own colours would mix with a tint
    return overlay(np.where(region[..., None], grey, picture), np.where(right, _RIGHT, region * _WRONG))


def _scored(region, truth, words):
    return words if truth is None else f"IoU {binary_iou(region, truth):.2f}, {words}"


def _legend(truth):
    if truth is None:
        return [(_RIGHT, "region")]
    return [(_RIGHT, "right"), (_WRONG, "too much"), (_MISSED, "missed")]
