"""Graph cut with colour models: GrabCut (Rother, Kolmogorov, Blake 2004) without a hand, on SciPy's maximum flow.

A mask costs, at each pixel, how unlikely its grey value is under the model of the side that it is on, and along its
border, how alike the parted neighbours are. The cheapest mask of all is a minimum cut (Boykov and Jolly 2001).
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow
from skimage.filters import gaussian, threshold_otsu
from sklearn.mixture import GaussianMixture

UNIT = 1 / 1000  # the flow is counted in whole numbers of this
DEAREST = 100.0  # nothing costs more, so that sums of whole numbers stay small
STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))  # to the neighbours that have not been linked yet: right, below, slanting


def grab_cut(image, smoothness, components, rounds):
    """Foreground (H, W) bool of a picture (H, W): Otsu's threshold, then models and cuts in turn.

    ``components`` Gaussians describe the grey values of each side; ``smoothness`` is the price of a border between two
    pixels that are equal.
    """
    smooth = gaussian(image, 1)
    mask = smooth > threshold_otsu(smooth)
    links = grid_links(image, smoothness)
    values = image.reshape(-1, 1)
    for _ in range(rounds):
        sides = [values[mask.ravel() == side] for side in (False, True)]
        if min(len(np.unique(side)) for side in sides) < components:
            return mask  # nothing is left to describe
        models = [GaussianMixture(components, random_state=0).fit(side) for side in sides]
        costs = -np.stack([model.score_samples(values) for model in models])
        mask = cheapest_mask(costs, *links).reshape(image.shape)
    return mask


def grid_links(image, smoothness):
    """The pairs of neighbours, 8 to a pixel: two lists of pixels, and what it costs to part them."""
    places = np.arange(image.size).reshape(image.shape)
    ends, differences, lengths = [], [], []
    for down, right in STEPS:
        here = slice(0, image.shape[0] - down), slice(max(0, -right), image.shape[1] - max(0, right))
        there = slice(down, None), slice(max(0, right), image.shape[1] + min(0, right))
        ends.append((places[here].ravel(), places[there].ravel()))
        differences.append(((image[here] - image[there]) ** 2).ravel())
        lengths.append(np.full(differences[-1].size, np.hypot(down, right)))
    one, other = (np.concatenate(side) for side in zip(*ends, strict=True))
    differences = np.concatenate(differences)
    usual = differences.mean() or 1.0
    return one, other, smoothness * np.exp(-differences / (2 * usual)) / np.concatenate(lengths)


def cheapest_mask(costs, one, other, prices):
    """The labels (n,) bool of least energy, for ``costs`` (2, n) of False and True and the pairs of `grid_links`."""
    pixels = costs.shape[1]
    source, sink = pixels, pixels + 1
    # Only the difference of a pixel's two costs matters. An arc that is cut is paid: from the source to a pixel that
    # stays False, from a True pixel to the sink.
    costs, prices = (np.rint(np.minimum(c, DEAREST) / UNIT).astype(np.int32) for c in (costs - costs.min(0), prices))
    everyone = np.arange(pixels)
    tails = np.concatenate([np.full(pixels, source), everyone, one, other])
    heads = np.concatenate([everyone, np.full(pixels, sink), other, one])
    capacity = np.concatenate([costs[0], costs[1], prices, prices])
    graph = coo_array((capacity, (tails, heads)), shape=(pixels + 2, pixels + 2)).tocsr()
    left = graph - maximum_flow(graph, source, sink).flow
    left.eliminate_zeros()
    mask = np.zeros(pixels + 2, bool)
    mask[breadth_first_order(left, source, return_predecessors=False)] = True
    return mask[:pixels]


def energy(mask, costs, one, other, prices):
    """What `cheapest_mask` makes least."""
    return costs[mask.astype(int), np.arange(mask.size)].sum() + prices[mask[one] != mask[other]].sum()
