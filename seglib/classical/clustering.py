"""Clustering: pixels are points, and similar points belong together, wherever they lie."""

import numpy as np
from skimage.color import gray2rgb, rgb2hsv, rgb2lab
from sklearn.cluster import KMeans, MeanShift
from sklearn.metrics import pairwise_distances_argmin

from seglib.arrays import relabel
from seglib.inputs import as_picture

SAMPLE = 10_000  # pixels from which kmeans_segment learns its centres
SHIFTED = 1_500  # pixels from which mean_shift_segment learns its modes


def kmeans(points, k, seed=0, starts=5, start=None):
    """k-means: k centres with the least sum of squared distances from each point to its nearest centre.

    Lloyd's algorithm (Lloyd 1982, MacQueen 1967) assigns points to centres and moves centres to the means of their
    points, until nothing changes. The centres start spread out by k-means++ (Arthur & Vassilvitskii 2007), and the
    best of several starts is kept. scikit-learn's `KMeans` computes it.

    Parameters
    ----------
    points : (n, d) array of real numbers
        For a picture ``image.reshape(-1, 3)``: one row for each pixel.
    k : int
        1 up to the number of distinct points.
    seed : int
    starts : int
        Number of k-means++ starts.
    start : (k, d) array or None
        Centres to start from, once, in the place of k-means++.

    Returns
    -------
    labels : (n,) int64, 0..k-1
    centres : (k, d) float64
    inertia : float
        The sum of squared distances.

    Raises
    ------
    ValueError
        For points of another shape or with NaN, and for a k larger than the number of distinct points.
    """
    points = np.asarray(points)
    if points.ndim != 2 or points.size == 0:
        hint = "; a picture has one row for each pixel: image.reshape(-1, 3)" if points.ndim == 3 else ""
        raise ValueError(f"points has shape {points.shape}; (n, d) is wanted, n points of d numbers{hint}")
    if points.dtype.kind not in "biuf" or not np.isfinite(points).all():
        raise ValueError(f"points ({points.dtype}) holds NaN, infinity or no real numbers; drop or fill those rows")
    if not isinstance(k, int | np.integer) or k < 1 or starts < 1:
        raise ValueError(f"k is {k!r}, starts {starts!r}; whole numbers from 1 on are wanted")
    if start is not None and np.shape(start) != (k, points.shape[1]):
        raise ValueError(f"start has shape {np.shape(start)}; one centre a row is wanted, {(k, points.shape[1])}")
    distinct = len(np.unique(points, axis=0))
    if k > distinct:
        raise ValueError(f"k is {k}, but there are only {distinct} distinct points (pixels: distinct colours)")
    points = points.astype(np.float64)
    if start is None:
        model = KMeans(k, n_init=starts, tol=0, random_state=seed).fit(points)
    else:
        model = KMeans(k, init=np.asarray(start), n_init=1, tol=0).fit(points)
    return model.labels_.astype(np.int64), model.cluster_centers_, model.inertia_


def kmeans_segment(image, k, space="lab", position=0.0, seed=0):
    """Segment a picture by k-means on the colours of its pixels, with their positions if asked for.

    The centres are learned from all pixels, of a larger picture from 10,000 drawn at random; then every pixel goes to
    its nearest centre. Segments need not be connected.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
    k : int
    space : "lab", "rgb", "hsv" or "grey"
        What is clustered. Lab is divided by 100; hue is an angle, so HSV becomes the point
        (s v cos h, s v sin h, v) of its cone. Black to white is a distance of 1 in "lab", "hsv" and "grey".
    position : float
        Weight of the position: the distance added for a step along the picture's whole longer side. 0 = none.
    seed : int

    Returns
    -------
    (H, W) int64 label map, 0..k-1, from the darkest segment to the brightest.

    Raises
    ------
    ValueError
        For pictures `kmeans` cannot take, an unknown space, a negative weight, and a k larger than the number of
        distinct colours (with a position weight: of pixels).
    """
    picture = as_picture(image)
    if not 0 <= position < np.inf:
        raise ValueError(f"position is {position}; a weight of 0 (none) or more is wanted")
    features = _colours(picture, space)
    if position:
        places = np.stack(np.indices(picture.shape[:2]), axis=2).reshape(-1, 2)
        features = np.hstack([features, position * places / max(picture.shape[:2])])
    sample = _sample(features, SAMPLE, seed)
    if len(np.unique(sample, axis=0)) < k:  # rare colours may be missing
        sample = features
    _, centres, _ = kmeans(sample, k, seed)
    return _by_brightness(pairwise_distances_argmin(features, centres), picture)


def mean_shift_segment(image, colour_bandwidth=12.0, seed=0):
    """Segment a picture by mean shift (Comaniciu & Meer 2002): pixels climb to the peaks of the density of colours.

    The number of segments follows from the bandwidth. To be fast, scikit-learn's `MeanShift` (a flat kernel) finds the
    peaks among 1,500 random pixels, starting from one in each occupied cell of a grid as wide as the bandwidth; every
    pixel then goes to the nearest peak instead of climbing by itself.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
    colour_bandwidth : float
        Radius of the window in Lab, where 100 is the distance from black to white.
    seed : int

    Returns
    -------
    (H, W) int64 label map, 0..n-1, from the darkest segment to the brightest.

    Raises
    ------
    ValueError
        For pictures that `kmeans_segment` cannot take either, and for a bandwidth that is not above 0.
    """
    picture = as_picture(image)
    if not 0 < colour_bandwidth < np.inf:
        raise ValueError(f"colour_bandwidth is {colour_bandwidth}; a width above 0 is wanted")
    features = to_lab(picture).reshape(-1, 3) / colour_bandwidth
    sample = _sample(features, SHIFTED, seed)
    _, first = np.unique(np.round(sample), axis=0, return_index=True)
    shift = MeanShift(bandwidth=1.0, seeds=sample[first]).fit(sample)
    return _by_brightness(pairwise_distances_argmin(features, shift.cluster_centers_), picture)


def to_lab(picture):
    """CIELAB of a picture of floats in 0..1, (H, W) or (H, W, 3): (H, W, 3), lightness 0..100, then a and b."""
    return rgb2lab(gray2rgb(picture) if picture.ndim == 2 else picture)


def _colours(picture, space):
    if space == "grey":
        return as_picture(picture, grey=True).reshape(-1, 1)
    if space == "lab":
        return to_lab(picture).reshape(-1, 3) / 100
    picture = gray2rgb(picture) if picture.ndim == 2 else picture
    if space == "rgb":
        return picture.reshape(-1, 3)
    if space == "hsv":
        hue, saturation, value = np.moveaxis(rgb2hsv(picture), 2, 0).reshape(3, -1)
        radius, angle = saturation * value, 2 * np.pi * hue
        return np.stack([radius * np.cos(angle), radius * np.sin(angle), value], axis=1)
    raise ValueError(f"space is {space!r}; 'lab', 'rgb', 'hsv' or 'grey' is wanted")


def _sample(features, size, seed):
    chosen = np.random.default_rng(seed).permutation(len(features))[:size]
    return features[chosen]


def _by_brightness(labels, picture):
    """Label map from labels in any numbering: those that occur, from the darkest on."""
    labels, _ = relabel(labels)
    mean = np.bincount(labels, as_picture(picture, grey=True).ravel()) / np.bincount(labels)
    rank = np.argsort(np.argsort(mean, kind="stable"))
    return rank[labels].reshape(picture.shape[:2])
