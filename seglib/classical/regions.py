"""Regions from a mask, from markers, and from a graph of pixels."""

import numpy as np
from scipy import ndimage
from skimage.measure import label
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import felzenszwalb, random_walker, relabel_sequential, watershed

from seglib.inputs import as_picture, label_map

SMOOTHING = 1.0  # px: sigma of the blur on the distance map
MIN_DEPTH = 0.75  # px: how far a saddle must lie below the lower one of its summits to part them
MIN_SIZE = 20  # px: smaller objects are dropped as noise


def split_touching(foreground):
    """Cut a foreground mask into objects where it has a waist: watershed on the distance to the background.

    Every summit of the distance map becomes one object; a saddle parts two summits only if it lies 0.75 pixels below
    the lower one, so that a bumpy outline does not shatter an object. Objects of fewer than 20 pixels are dropped.

    Parameters
    ----------
    foreground : (H, W) bool array

    Returns
    -------
    (H, W) int64 instance map, 0 = none, 1..n.

    Raises
    ------
    ValueError
        If ``foreground`` is not a boolean picture: probabilities need a threshold first.
    """
    foreground = np.asarray(foreground)
    if foreground.ndim != 2 or foreground.dtype != bool:
        raise ValueError(
            f"foreground is a boolean (H, W) mask, not {foreground.dtype} {foreground.shape}: "
            "put probabilities above a threshold first, as in probability > 0.5"
        )
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(foreground), SMOOTHING)
    # Lowered by MIN_DEPTH and flooded up to the map again, only summits that stand out enough stay maxima.
    summits = label(local_maxima(reconstruction(depth - MIN_DEPTH, depth)) & foreground)
    pieces = label(foreground, connectivity=1)
    without = ~np.isin(pieces, pieces[summits > 0])  # a speck beside a large object may lie on its slope
    summits[without & foreground] = pieces[without & foreground] + summits.max()
    return without_small(watershed(-depth, summits, mask=foreground), MIN_SIZE)


def without_small(labels, min_size):
    """The label map (0 = none) without regions of fewer than `min_size` pixels, the others numbered 1..n."""
    sizes = np.bincount(labels.ravel())
    return relabel_sequential(np.where(sizes[labels] >= min_size, labels, 0))[0].astype(np.int64)


def random_walker_segment(image, markers, beta=130.0):
    """Random walker (Grady 2006): each pixel goes to the markers that a random walk from it reaches first.

    A step between two pixels is the less likely the more they differ, so walks seldom cross an edge. scikit-image's
    implementation: solved directly up to half a million pixels (6 s and 0.6 GB for 512 x 512 and three regions), above
    by conjugate gradients, approximately, so that memory suffices.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
    markers : (H, W) integer array
        1..n name regions, each somewhere; 0 = to be decided.
    beta : float
        How strongly an edge hinders: weights are exp(-beta d² / (10 s)), d the step's difference, s the standard
        deviation of the whole picture.

    Returns
    -------
    (H, W) int64 label map with the markers' numbers; no pixel is 0. On a constant picture distance alone decides.

    Raises
    ------
    ValueError
        For a picture as `as_picture` refuses it, a negative beta, markers of another shape or dtype, negative ones,
        fewer than two of them, or numbers left out.
    """
    image = as_picture(image)
    markers = label_map(markers, "markers", image.shape[:2], objects=True)
    names = np.setdiff1d(markers, 0).tolist()
    if len(names) < 2 or names != list(range(1, len(names) + 1)):
        raise ValueError(
            f"markers name the regions {names[:10]}; 1, 2, ... without gaps are wanted, at least two. "
            "Usual cause: the background was left without a marker of its own"
        )
    if not 0 <= beta < np.inf:
        raise ValueError(f"beta is {beta}; a number of 0 or more is wanted")
    markers = markers.astype(np.int64)
    if (markers > 0).all():
        return markers
    if image.std() == 0:  # scikit-image would divide by it; with beta = 0 the picture does not matter
        image, beta = np.arange(markers.size).reshape(markers.shape) / markers.size, 0
    mode = "bf" if markers.size <= 2**19 else "cg_j"
    channels = -1 if image.ndim == 3 else None
    return random_walker(image, markers, beta=beta, mode=mode, prob_tol=np.inf, channel_axis=channels)


def graph_segment(image, scale=100.0, sigma=0.8, min_size=20):
    """Graph-based segmentation (Felzenszwalb and Huttenlocher 2004), scikit-image's implementation.

    Pixels are joined along the smallest differences first. Two pieces stay apart if the smallest difference between
    them exceeds the largest one that was needed inside either, plus ``scale`` divided by the size of the piece.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
    scale : float
        Above 0, differences counted in levels of 0..255 as in the paper: larger gives larger pieces.
    sigma : float
        Pixels of the Gaussian blur before.
    min_size : int
        Smaller pieces are joined to a neighbour at the end.

    Returns
    -------
    (H, W) int64 label map, 1..n; there is no background.

    Raises
    ------
    ValueError
        For a picture as `as_picture` refuses it, or parameters below their range.
    """
    image = as_picture(image)
    if not (scale > 0 and sigma >= 0 and min_size >= 1):
        raise ValueError(f"scale is {scale}, sigma {sigma}, min_size {min_size}; > 0, >= 0 and >= 1 are wanted")
    return felzenszwalb(image, scale, sigma, min_size, channel_axis=-1 if image.ndim == 3 else None) + 1
