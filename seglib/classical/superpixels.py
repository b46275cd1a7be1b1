"""Superpixels: small connected pieces of one colour that keep to the borders, and merging them to larger ones."""

import heapq

import numpy as np
from skimage.segmentation import slic

from seglib.arrays import neighbours, relabel
from seglib.classical.clustering import to_lab
from seglib.inputs import as_picture, label_map


def slic_superpixels(image, n_segments=200, compactness=10.0):
    """SLIC (Achanta et al. 2012): k-means on Lab colour and position, each centre searching only its surroundings.

    Centres start on a grid of step S, about sqrt(H W / n_segments) pixels. A pixel is compared with the centres whose
    window of 2 S x 2 S it lies in, by the squared distance d_lab² + (compactness / S)² d_xy². At the end connectivity
    is enforced: pieces of less than a quarter of the mean size are joined to a neighbour. scikit-image's `slic`
    computes it, from Lab, because it would stretch the contrast of a picture before it turned it into Lab itself.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
    n_segments : int
        Roughly how many, 1 up to the number of pixels.
    compactness : float
        The Lab distance (100 = black to white) that weighs as much as S pixels: small follows colour, large gives
        squares.

    Returns
    -------
    (H, W) int64 label map, 1..n; every pixel belongs to a superpixel, every superpixel is 4-connected.

    Raises
    ------
    ValueError
        For pictures of other shapes, dtypes or ranges, and for numbers out of range.
    """
    lab = to_lab(as_picture(image))
    pixels = lab.shape[0] * lab.shape[1]
    if not isinstance(n_segments, int | np.integer) or not 1 <= n_segments <= pixels:
        raise ValueError(f"n_segments is {n_segments!r}; 1 to {pixels} (one a pixel) are wanted")
    if not 0 < compactness < np.inf:
        raise ValueError(f"compactness is {compactness}; a number above 0 is wanted (0 would give segments of colour)")
    spread = np.ptp(lab) or 1.0  # scikit-image divides what it gets by its spread
    return slic(lab, n_segments, compactness / spread, min_size_factor=0.25, convert2lab=False, start_label=1)


def merge_regions(image, labels, threshold):
    """Merge neighbouring regions of similar colour: the most similar pair first, until none is similar enough.

    The difference of two regions is the Lab distance of their mean colours; a merged region has the mean of all its
    pixels. A larger threshold only continues where a smaller one stops. Ties go to the regions with the smaller
    numbers, merged regions last.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
    labels : (H, W) integer array
        Every number is a region, 0 too. Regions are neighbours if pixels of theirs touch in a row or column.
    threshold : float
        Largest difference that is merged, in Lab, where 100 is the distance from black to white.

    Returns
    -------
    (H, W) int64 label map, 1..n

    Raises
    ------
    ValueError
        If the shapes differ, labels are no integers, or the threshold is negative or NaN.
    """
    lab = to_lab(as_picture(image))
    labels = label_map(labels, "labels", lab.shape[:2], objects=True)
    if not threshold >= 0:
        raise ValueError(f"threshold is {threshold}; a difference in Lab, 0 or more, is wanted")
    labels, _ = relabel(labels)
    sizes = np.bincount(labels.ravel()).tolist()
    sums = list(np.stack([np.bincount(labels.ravel(), band.ravel()) for band in np.moveaxis(lab, 2, 0)], axis=1))
    near = list(neighbours(labels).values())
    parent = list(range(len(sizes)))

    def entry(a, b):
        return float(np.linalg.norm(sums[a] / sizes[a] - sums[b] / sizes[b])), a, b

    heap = [entry(a, b) for a in parent for b in near[a] if a < b]
    heapq.heapify(heap)
    while heap and heap[0][0] <= threshold:
        _, a, b = heapq.heappop(heap)
        if parent[a] != a or parent[b] != b:
            continue  # one of them is part of a larger region by now
        # The union is a new region with a new number, so that entries about its parts are known to be stale.
        parent[a] = parent[b] = new = len(parent)
        parent.append(new)
        sizes.append(sizes[a] + sizes[b])
        sums.append(sums[a] + sums[b])
        near.append((near[a] | near[b]) - {a, b})
        for other in near[new]:
            near[other] = near[other] - {a, b} | {new}
            heapq.heappush(heap, entry(other, new))
    for region in reversed(range(len(parent))):  # parents have larger numbers than their parts
        parent[region] = parent[parent[region]]
    return relabel(np.array(parent)[labels])[0] + 1
