"""Regions that grow from markers."""

import numpy as np
from scipy import ndimage
from skimage.measure import label
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import watershed


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
