"""Superpixels: small connected pieces of one colour that keep to the borders, and merging them to larger ones."""

import heapq

import numpy as np
from skimage.measure import label
from skimage.segmentation import watershed

from seglib.classical._inputs import as_picture
from seglib.classical.clustering import moved, to_lab


def slic_superpixels(image, n_segments=200, compactness=10.0, iterations=10):
    """SLIC (Achanta et al. 2012): k-means on Lab colour and position, each centre searching only its surroundings.

    Centres start on a grid with a step of S = sqrt(H W / n_segments) pixels, each moved to the flattest of its 3 x 3
    pixels. A pixel is compared with the centres no farther than S in rows and columns, by the squared distance
    d_lab² + (compactness / S)² d_xy². At the end connectivity is enforced: of each superpixel's 4-connected pieces
    those of at least S² / 4 pixels stay, the rest is filled by growing the pieces around it.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
    n_segments : int
        Roughly how many, 1 up to the number of pixels.
    compactness : float
        The Lab distance (100 = black to white) that weighs as much as S pixels: small follows colour, large gives
        squares.
    iterations : int

    Returns
    -------
    (H, W) int64 label map, 1..n; every pixel belongs to a superpixel, every superpixel is 4-connected.

    Raises
    ------
    ValueError
        For pictures of other shapes, dtypes or ranges, and for numbers out of range.
    """
    lab = to_lab(as_picture(image))
    shape = lab.shape[:2]
    if not isinstance(n_segments, int | np.integer) or not 1 <= n_segments <= shape[0] * shape[1]:
        raise ValueError(f"n_segments is {n_segments!r}; 1 to {shape[0] * shape[1]} (one a pixel) are wanted")
    if not 0 < compactness < np.inf or iterations < 1:
        raise ValueError(
            f"compactness is {compactness}, iterations {iterations}; above 0 and at least 1 are wanted. Without "
            "weight on the position superpixels would be segments of colour"
        )
    step = np.sqrt(shape[0] * shape[1] / n_segments)
    place = np.indices(shape) * (compactness / step)
    features = np.concatenate([np.moveaxis(lab, 2, 0), place])  # (5, H, W): distances are Euclidean in this space
    centres = features[:, *_seeds(lab, n_segments, step)].T
    for _ in range(iterations):
        labels = _assign(features, centres, step, compactness / step)
        centres = moved(features.reshape(len(features), -1).T, labels.ravel(), centres)
    return _connect(labels, step**2 / 4)


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
    lab, labels = to_lab(as_picture(image)), np.asarray(labels)
    if labels.shape != lab.shape[:2] or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels is {labels.dtype} {labels.shape}; an integer label map of the picture's {lab.shape[:2]} is wanted"
        )
    if not threshold >= 0:
        raise ValueError(f"threshold is {threshold}; a difference in Lab, 0 or more, is wanted")
    numbers, labels = np.unique(labels, return_inverse=True)
    labels = labels.reshape(lab.shape[:2])
    sizes = list(np.bincount(labels.ravel()))
    sums = list(np.stack([np.bincount(labels.ravel(), band.ravel()) for band in np.moveaxis(lab, 2, 0)], axis=1))
    neighbours = _neighbours(labels, len(numbers))
    parent = list(range(len(numbers)))

    def entry(a, b):
        return float(np.linalg.norm(sums[a] / sizes[a] - sums[b] / sizes[b])), a, b

    heap = [entry(a, b) for a in range(len(numbers)) for b in neighbours[a] if a < b]
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
        neighbours.append((neighbours[a] | neighbours[b]) - {a, b})
        for other in neighbours[new]:
            neighbours[other] = neighbours[other] - {a, b} | {new}
            heapq.heappush(heap, entry(other, new))
    for region in reversed(range(len(parent))):  # parents have larger numbers than their parts
        parent[region] = parent[parent[region]]
    return np.unique(np.array(parent)[labels], return_inverse=True)[1].reshape(labels.shape) + 1


def _seeds(lab, n_segments, step):
    """Rows and columns of a grid's centres, each moved to the smallest gradient among its 3 x 3 pixels."""
    height, width = lab.shape[:2]
    down = max(1, min(n_segments, round(height / step)))
    across = max(1, round(n_segments / down))
    rows = ((np.arange(down) + 0.5) * height / down).astype(int).repeat(across)
    columns = np.tile(((np.arange(across) + 0.5) * width / across).astype(int), down)
    if step < 3:  # the 3 x 3 squares would overlap
        return rows, columns
    padded = np.pad(lab, ((1, 1), (1, 1), (0, 0)), mode="edge")
    slope = sum((each**2).sum(2) for each in np.gradient(padded, axis=(0, 1)))
    slope[[0, -1]] = slope[:, [0, -1]] = np.inf  # the rim is no part of the picture
    offsets = np.array(sorted(np.ndindex(3, 3), key=lambda place: abs(place[0] - 1) + abs(place[1] - 1)))
    best = offsets[np.argmin([slope[rows + i, columns + j] for i, j in offsets], axis=0)]  # on flat ground (1, 1)
    return rows + best[:, 0] - 1, columns + best[:, 1] - 1


def _assign(features, centres, step, scale):
    """Number of the nearest centre among those within S in rows and columns, for each pixel."""
    labels = np.full(features.shape[1:], -1)
    nearest = np.full(labels.shape, np.inf)
    for number, centre in enumerate(centres):
        row, column = centre[3:] / scale
        window = (
            slice(max(0, int(np.ceil(row - step))), int(row + step) + 1),
            slice(max(0, int(np.ceil(column - step))), int(column + step) + 1),
        )
        some = features[:, *window] - centre[:, None, None]
        distance = np.einsum("fij,fij->ij", some, some)
        closer = distance < nearest[window]
        nearest[window][closer] = distance[closer]
        labels[window][closer] = number
    return _fill(labels + 1) - 1 if (labels < 0).any() else labels


def _connect(labels, least):
    pieces = label(labels, background=-1, connectivity=1)
    sizes = np.bincount(pieces.ravel())
    kept = sizes >= min(least, sizes.max())
    kept[0] = False
    return _fill((np.cumsum(kept) * kept)[pieces])


def _fill(labels):
    """Let the pieces grow into the pixels with 0, step by step: what was connected stays so."""
    return watershed(np.zeros(labels.shape), labels, connectivity=1).astype(np.int64)


def _neighbours(labels, count):
    """The set of neighbours of each region."""
    pairs = np.concatenate(
        [
            np.stack([first.ravel(), second.ravel()], axis=1)
            for first, second in ((labels[:-1], labels[1:]), (labels[:, :-1], labels[:, 1:]))
        ]
    )
    neighbours = [set() for _ in range(count)]
    for a, b in np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0).tolist():
        neighbours[a].add(b)
        neighbours[b].add(a)
    return neighbours
