"""Edges, and what it takes to make regions of them: Canny from its parts, closed contours, watershed on the gradient.

An image is an (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1, and grey is made of its colours.
What is no image raises a ValueError, as do thresholds, lengths and arrays that make no sense.
"""

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.segmentation import expand_labels, watershed

from seglib.arrays import relabel
from seglib.classical.regions import without_small
from seglib.inputs import as_picture, label_map

MIN_AREA = 50  # px: smaller areas between edges go to their neighbours
MIN_OBJECT = 20  # px: smaller objects of the watershed are dropped


def gradients(image):
    """Sobel derivatives of an image, down the rows and along the columns: two (H, W) float64 arrays in -4..4.

    They are not divided: a ramp that rises by s from pixel to pixel gives 8 s. The border is mirrored.
    """
    return _sobel(as_picture(image, grey=True))


def thin(magnitude, d_rows, d_columns):
    """Non-maximum suppression: keep the gradient's magnitude where no neighbour across the edge has more.

    Across means along the gradient, one step either way. That step seldom ends on a pixel, so the magnitude there
    is interpolated between the two pixels that it passes, a straight and a diagonal neighbour. A pixel on the frame
    lacks neighbours and is never kept. Takes three (H, W) float arrays, returns the magnitude with zeros in it.
    """
    magnitude, d_rows, d_columns = (np.ascontiguousarray(a, dtype=float) for a in (magnitude, d_rows, d_columns))
    if magnitude.ndim != 2 or not magnitude.shape == d_rows.shape == d_columns.shape:
        shapes = (magnitude.shape, d_rows.shape, d_columns.shape)
        raise ValueError(f"magnitude, d_rows, d_columns have shapes {shapes}; three times the same (H, W) is wanted")
    kept = np.zeros(magnitude.shape)
    inner = np.zeros(magnitude.shape, bool)
    inner[1:-1, 1:-1] = magnitude[1:-1, 1:-1] > 0
    place, flat, width = np.flatnonzero(inner), magnitude.ravel(), kept.shape[1]  # a row down is a step of `width`
    down, right = d_rows.ravel()[place], d_columns.ravel()[place]
    slant = np.where((down > 0) == (right > 0), 1, -1)
    down, right = np.abs(down), np.abs(right)
    straight = np.where(down > right, width, slant)
    share = np.minimum(down, right) / np.maximum(np.maximum(down, right), np.finfo(float).tiny)
    for step in (1, -1):
        diagonal = flat[place + step * (width + slant)]
        good = diagonal * share + flat[place + step * straight] * (1 - share) <= flat[place]
        place, slant, straight, share = (a[good] for a in (place, slant, straight, share))
    kept.flat[place] = flat[place]
    return kept


def hysteresis(strength, low, high):
    """Keep the pixels of at least `low` that hang together, corners included, with one of at least `high`.

    Takes the (H, W) strength that `thin` returns and 0 <= low <= high, returns an (H, W) bool array. Pixels of
    strength 0 are never kept.
    """
    strength = np.asarray(strength)
    if strength.ndim != 2:
        raise ValueError(f"strength has shape {strength.shape}; (H, W) is wanted, a number for each pixel")
    if not 0 <= low <= high:
        raise ValueError(f"low is {low}, high is {high}; 0 <= low <= high is wanted. Are they swapped?")
    chains = label((strength >= low) & (strength > 0), connectivity=2)
    strong = np.zeros(chains.max() + 1, bool)
    strong[chains[strength >= high]] = True
    return strong[chains] & (chains > 0)


def canny(image, sigma=1.0, low=0.1, high=0.2):
    """Canny's edges (Canny 1986): smooth, differentiate, thin, and keep weak edges only beside strong ones.

    Equal to ``skimage.feature.canny`` on float64 pictures, for it treats the border alike: pixels beyond it count
    for nothing in the smoothing (the other weights are raised instead), and the frame holds no edges. If the border
    were mirrored, the outer 4 sigma rows and columns would differ, and whatever hysteresis ties to them. For integer
    pictures scikit-image divides thresholds by the type's largest number; float32 it computes in single precision.

    Parameters
    ----------
    image : see above
    sigma : float
        Of the Gaussian blur, in pixels; 0 for none.
    low, high : float
        Thresholds on the gradient's magnitude, 0 <= low <= high. A step from 0 to 1 has 4 before the blur.

    Returns
    -------
    (H, W) bool array
    """
    d_rows, d_columns = _sobel(_smooth(as_picture(image, grey=True), sigma))
    magnitude = np.sqrt(d_rows * d_rows + d_columns * d_columns)
    return hysteresis(thin(magnitude * (magnitude > 1e-14), d_rows, d_columns), low, high)  # less is rounding


def close_contours(edges, gap):
    """Bridge gaps of up to `gap` missing pixels, wherever that parts two areas; (H, W) bool to (H, W) bool.

    Walls grow around the edges, half a gap wide, and part the picture into areas. These grow back into the walls,
    and where two of them meet, a line one pixel wide is drawn: a watershed on the distance to the edges. No edge is
    lost. An odd gap counts as the next even one, and a slanting gap is longer than its pixels. Areas are 4-connected.
    """
    edges = np.asarray(edges)
    if edges.ndim != 2 or edges.dtype != bool:
        raise ValueError(f"edges is {edges.dtype} {edges.shape}; a bool array (H, W) is wanted, as from canny")
    if not gap >= 0:
        raise ValueError(f"gap is {gap}; a number of pixels, 0 or more, is wanted")
    away = ndimage.distance_transform_edt(~edges) if edges.any() else np.full(edges.shape, np.inf)
    areas = label(away > (gap + 1) / 2, connectivity=1)
    if gap == 0 or areas.max() < 2:
        return edges.copy()
    return edges | (watershed(-away, areas, watershed_line=True) == 0)


def canny_regions(image, sigma=1.0, low=0.1, high=0.2, gap=2):
    """The areas that Canny's edges enclose once gaps are bridged.

    Edges are drawn out to the frame. The area that holds most of the frame is the outside. Areas of fewer than
    50 pixels, and the contours themselves, go to the nearest area.

    Parameters
    ----------
    image, sigma, low, high : as for `canny`
    gap : int
        In pixels; see `close_contours`.

    Returns
    -------
    (H, W) int64 label map, 0 = outside, 1..n. A picture without edges is all outside.
    """
    return enclosed_areas(canny(image, sigma, low, high), gap)


def enclosed_areas(edges, gap=2):
    """What `canny_regions` makes of edges, (H, W) bool, that are drawn already."""
    if min(edges.shape) < 3:
        return np.zeros(edges.shape, np.int64)
    contours = close_contours(np.pad(edges[1:-1, 1:-1], 1, mode="edge"), gap)
    areas = without_small(label(~contours, connectivity=1), MIN_AREA)
    areas = expand_labels(areas, distance=sum(areas.shape))
    areas[areas == _most_of_frame(areas)] = 0
    return relabel(areas)[0]


def watershed_segment(image, markers=None, sigma=1.0):
    """Watershed on the gradient: basins grow from markers and meet on edges.

    Watersheds for segmentation: Beucher and Lantuéjoul 1979; from markers: Meyer and Beucher 1990; by a queue of
    pixels, lowest first: Meyer 1991.

    Without markers, two kinds are found. The local light, a mean over a square of a third of the diagonal, is taken
    off, and Otsu's threshold (1979) parts dark from bright. The darker half of the dark pixels and the brighter half of
    the bright ones are sure; the flood decides the rest. The side that holds most of the frame is the background; each
    4-connected piece of the other with at least 20 pixels is an object.

    Parameters
    ----------
    image : see above
    markers : (H, W) integer array or None
        0 = the flood decides, 1.. = surely of that region. The background needs a marker too.
    sigma : float
        Of the Gaussian blur before the gradient, in pixels.

    Returns
    -------
    (H, W) int64 label map
        The markers' numbers, or without markers 0 = background, 1..n.
    """
    picture = _smooth(as_picture(image, grey=True), sigma)
    relief = np.hypot(*_sobel(picture))
    if markers is not None:
        return watershed(relief, _checked(markers, picture.shape)).astype(np.int64)
    if np.ptp(picture) < 1e-9:
        return np.zeros(picture.shape, np.int64)
    flat = picture - ndimage.uniform_filter(picture, max(3, round(np.hypot(*picture.shape) / 3)))
    dark = flat <= threshold_otsu(flat)
    sure = np.zeros(picture.shape, np.int64)
    sure[flat <= np.median(flat[dark])] = 1
    sure[flat >= np.median(flat[~dark])] = 2
    sides = watershed(relief, sure)
    return without_small(label(sides != _most_of_frame(sides), connectivity=1), MIN_OBJECT)


def _smooth(picture, sigma):
    if not 0 <= sigma < np.inf:
        raise ValueError(f"sigma is {sigma}; a number of pixels, 0 or more, is wanted")
    inside = ndimage.gaussian_filter(np.ones_like(picture), sigma, mode="constant") + np.finfo(float).eps
    return ndimage.gaussian_filter(picture, sigma, mode="constant") / inside


def _sobel(picture):
    return ndimage.sobel(picture, axis=0), ndimage.sobel(picture, axis=1)


def _most_of_frame(labels):
    return np.bincount(np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])).argmax()


def _checked(markers, shape):
    markers = label_map(markers, "markers", shape, objects=True)
    if markers.min() < 0 or not markers.any():
        raise ValueError("markers are to be 0 where the flood decides, and 1.. at seeds, of which there must be some")
    return markers
