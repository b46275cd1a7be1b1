"""Regions from a mask, from markers, and from a graph of pixels."""

import numpy as np
from scipy import ndimage
from skimage.measure import label
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import felzenszwalb, random_walker, watershed

from ._inputs import as_picture


def split_touching(foreground, smoothing=1.0, min_depth=0.75, min_size=20):
    """Cut a foreground mask into objects where it has a waist: watershed on the distance to the background.

    Every summit of the distance map becomes one object; a saddle parts two summits only if it lies ``min_depth``
    pixels below the lower one, so that a bumpy outline does not shatter an object.

    Parameters
    ----------
    foreground : (H, W) bool array
    smoothing : float
        Sigma in pixels of the blur on the distance map.
    min_depth : float
        Pixels.
    min_size : int
        Objects of fewer pixels are dropped as noise.

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
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(foreground), smoothing)
    # Lowered by min_depth and flooded up to the map again, only summits that stand out enough stay maxima.
    summits = label(local_maxima(reconstruction(depth - min_depth, depth)) & foreground)
    pieces = label(foreground, connectivity=1)
    without = ~np.isin(pieces, pieces[summits > 0])  # a speck beside a large object may lie on its slope
    summits[without & foreground] = pieces[without & foreground] + summits.max()
    objects = watershed(-depth, summits, mask=foreground)
    sizes = np.bincount(objects.ravel())
    kept = (sizes >= min_size) & (np.arange(len(sizes)) > 0)
    return (np.cumsum(kept) * kept)[objects]


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
    image, markers = as_picture(image), np.asarray(markers)
    if markers.shape != image.shape[:2] or markers.dtype.kind not in "iu":
        raise ValueError(
            f"markers are {markers.dtype} {markers.shape}; an integer map of the picture's {image.shape[:2]} "
            "is wanted, 0 = undecided, 1..n = regions"
        )
    names = np.unique(markers)
    names = names[names != 0].tolist()
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
        raise ValueError(
            f"scale is {scale}, sigma {sigma}, min_size {min_size}; more than 0, 0 or more, and 1 or more are wanted"
        )
    return felzenszwalb(image, scale, sigma, min_size, channel_axis=-1 if image.ndim == 3 else None) + 1
