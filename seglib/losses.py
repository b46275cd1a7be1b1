"""Losses for dense prediction, and the weights that go with them.

Every loss takes logits (N, K, H, W), K >= 2, before any softmax, and a target (N, H, W) of class ids in which
`ignore_index` marks void. It returns one number for the whole batch, not a mean over pictures. Void pixels change
neither value nor gradient, whatever the logits hold there; a batch that is all void gives 0 with zero gradient.
Bad shapes, dtypes or labels raise ValueError.
"""

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

from seglib.arrays import renumber, to_numpy


def cross_entropy(logits, target, ignore_index=255, class_weights=None, pixel_weights=None):
    """Mean of -log p(true class): PyTorch's, but finite if all pixels are void, and with weights for pixels.

    Parameters
    ----------
    class_weights : (K,) tensor, optional
        One weight for each class, see `class_weights`.
    pixel_weights : (N, H, W) tensor, optional
        One weight for each pixel, such as ``1 + border_weights(...)``. If both kinds are given, they are
        multiplied. The sum is divided by the sum of the weights, so their common scale does not matter.
    """
    logits, labels, counted = _without_void(logits, target, ignore_index)
    losses = F.cross_entropy(logits, labels, reduction="none")
    weight = counted.to(losses.dtype)
    if class_weights is not None:
        _check_weights("class_weights", class_weights, logits.shape[1:2], "channel of the logits")
        weight = weight * class_weights[labels]
    if pixel_weights is not None:
        _check_weights("pixel_weights", pixel_weights, target.shape, "pixel of the target")
        weight = weight * pixel_weights.masked_fill(~counted, 0)
    return _weighted_mean(losses, weight)


def focal_loss(logits, target, gamma=2.0, ignore_index=255):
    """Cross-entropy times (1 - p)^gamma, p = p(true class): easy pixels count less (Lin et al. 2017).

    It is the mean over pixels; with `gamma` = 0 it is the cross-entropy.
    """
    if gamma < 0:
        raise ValueError(f"gamma is {gamma}; 0 or more is wanted.")
    logits, labels, counted = _without_void(logits, target, ignore_index)
    losses = F.cross_entropy(logits, labels, reduction="none")
    # 1 - p without cancellation, and kept above 0, where the slope of the power is infinite if gamma < 1
    doubt = (-torch.expm1(-losses)).clamp(min=torch.finfo(losses.dtype).tiny)
    return _weighted_mean(doubt**gamma * losses, counted.to(losses.dtype))


def dice_loss(logits, target, ignore_index=255):
    """1 - soft Dice, mean over the target's classes, in 0..1; 0 is perfect (after Milletari et al. 2016).

    Soft Dice of class k is 2 sum(p g) / (sum(p) + sum(g)) over the pixels of the whole batch, where p is its softmax
    probability and g is 1 where the target is k, else 0. Classes missing from the target are left out: their soft
    Dice would be 0 whatever is predicted, and pixels that they wrongly take already lower the Dice of the others.
    """
    return tversky_loss(logits, target, alpha=0.5, beta=0.5, ignore_index=ignore_index)


def tversky_loss(logits, target, alpha=0.3, beta=0.7, ignore_index=255):
    """1 - TP / (TP + alpha FP + beta FN), soft counts, mean over the target's classes (Salehi et al. 2017).

    `beta` > `alpha` punishes misses more than false alarms; 0.3 and 0.7 are the paper's best. With 0.5 for both it
    is `dice_loss`.
    """
    if alpha < 0 or beta < 0 or alpha + beta == 0:
        raise ValueError(f"alpha={alpha}, beta={beta}; 0 or more is wanted, and not both 0.")
    probability, truth = _probability_and_truth(logits, target, ignore_index)
    hits = (probability * truth).sum(1)
    false_alarms = (probability * (1 - truth)).sum(1)
    misses = ((1 - probability) * truth).sum(1)
    whole = hits + alpha * false_alarms + beta * misses
    return _mean_or_zero(1 - hits / whole.clamp(min=torch.finfo(whole.dtype).tiny))


def lovasz_loss(logits, target, ignore_index=255):
    """Lovász-softmax (Berman et al. 2018): a smooth stand-in for 1 - IoU, mean over the target's classes.

    For hard predictions (probabilities 0 and 1) it equals 1 - IoU. The pixels of the whole batch are sorted by their
    error |g - p|, largest first. Each error is weighted by how far the IoU falls when this pixel is wrong as well.
    """
    probability, truth = _probability_and_truth(logits, target, ignore_index)
    errors, order = (truth - probability).abs().sort(dim=1, descending=True)
    truth = truth.gather(1, order)
    # With the pixels up to here wrong, IoU = intersection / union. A pixel of the class that is wrong takes 1 from the
    # intersection, another one adds 1 to the union. The fall is written out, because differences would cancel.
    size = truth.sum(1, keepdim=True)
    intersection = size - truth.cumsum(1)
    union = size + (1 - truth).cumsum(1)
    fall = torch.where(truth > 0, 1 / union, intersection / (union * (union - 1).clamp(min=1)))
    return _mean_or_zero((errors * fall).sum(1))


def class_pixels(masks, num_classes):
    """Pixels of each class in each mask, for ``class_weights``: (n, K) int64 array.

    Parameters
    ----------
    masks : n integer arrays or tensors on the CPU, of any sizes
        Class ids 0..num_classes - 1; higher values count as void and are left out.
    num_classes : int
        K.
    """
    return np.stack([np.bincount(np.ravel(mask), minlength=num_classes)[:num_classes] for mask in masks])


def class_weights(counts, power=1.0):
    """Median frequency balancing (Eigen & Fergus 2015; SegNet): (median / frequency)^power for each class.

    The frequency of a class is its share of the pixels in the pictures that show it; the median is over classes.

    Parameters
    ----------
    counts : (n, K) array or tensor
        Pixels of each class in each of n pictures, void left out, as ``class_pixels`` gives them.
    power : float
        1 gives the papers' weights; 0.5 their square roots, milder where frequencies differ a hundredfold.

    Returns
    -------
    (K,) float32 tensor; 0 for a class that never occurs.
    """
    counts = np.asarray(counts, dtype=np.float64)
    if counts.ndim != 2 or not counts.any() or (counts < 0).any():
        raise ValueError(
            f"counts has shape {counts.shape}; (pictures, classes) pixel counts, not all 0, are wanted. "
            f"Usual cause: counts summed over the pictures (keep one row for each)."
        )
    shown_in = (counts.sum(1, keepdims=True) * (counts > 0)).sum(0)
    occurs = shown_in > 0
    frequency = counts.sum(0)[occurs] / shown_in[occurs]
    weights = np.zeros(counts.shape[1], np.float32)
    weights[occurs] = (np.median(frequency) / frequency) ** power
    return torch.from_numpy(weights)


def border_weights(instances, w0=10.0, sigma=5.0):
    """U-Net's border term, w0 exp(-(d1 + d2)^2 / (2 sigma^2)), on the background (Ronneberger et al. 2015).

    d1 and d2 are the distances in pixels from a background pixel to the nearest and second nearest object. The term
    is large in narrow gaps, so that the network learns to keep them open. The paper adds it to a class weight w_c,
    which is not included: ``1 + border_weights(instances)`` are the weights with w_c = 1. Objects that touch have no
    background pixel between them, and so no weight.

    Parameters
    ----------
    instances : (H, W) integer array, or tensor on the CPU
        0 = none, any other id an object. Ids may have gaps.
    w0, sigma : float
        Height of the term, and its width in pixels.

    Returns
    -------
    (H, W) float32 tensor, 0 inside objects and where d1 + d2 > 5 sigma (the term is below 4e-6 w0).
    """
    instances = to_numpy(instances)
    if instances.ndim != 2 or instances.dtype.kind not in "iu" or instances.min(initial=0) < 0:
        raise ValueError(
            f"instances has shape {instances.shape}, dtype {instances.dtype}; an (H, W) map of ids from 1, "
            f"0 = none, is wanted. Usual causes: a boolean mask, or a batch (do this for each picture)."
        )
    if w0 < 0 or sigma <= 0:
        raise ValueError(f"w0={w0}, sigma={sigma}; w0 >= 0 and sigma > 0 are wanted.")
    numbers = renumber(instances)
    first = np.full(instances.shape, np.inf)
    second = first.copy()
    reach = int(np.ceil(5 * sigma))  # an object further away adds nothing: look at it in its own window only
    for number, box in enumerate(ndimage.find_objects(numbers), start=1):
        window = tuple(slice(max(side.start - reach, 0), side.stop + reach) for side in box)
        distance = ndimage.distance_transform_edt(numbers[window] != number)
        second[window] = np.minimum(second[window], np.maximum(first[window], distance))
        first[window] = np.minimum(first[window], distance)
    total = first + second
    weights = w0 * np.exp(-(total**2) / (2 * sigma**2))
    weights[(numbers > 0) | (total > reach)] = 0
    return torch.from_numpy(weights.astype(np.float32))


def _check_weights(name, weights, shape, owner):
    if weights.shape != shape:
        raise ValueError(f"{name} has shape {tuple(weights.shape)}; {tuple(shape)} is wanted, one for each {owner}.")


def _without_void(logits, target, ignore_index):
    """Check the inputs; return logits and labels with 0 at void pixels, and which pixels count, (N, H, W)."""
    if isinstance(logits, dict):
        raise ValueError('logits is a dict, from a network with an auxiliary head: pass output["out"].')
    if logits.ndim != 4 or not logits.is_floating_point():
        raise ValueError(
            f"logits is {tuple(logits.shape)}, {logits.dtype}; floats (N, K, H, W) are wanted. "
            "Usual causes: class ids instead of logits, or a single picture (add an axis: logits[None])."
        )
    classes = logits.shape[1]
    if classes < 2:
        raise ValueError("logits has one channel; two or more are wanted, for background and object num_classes=2.")
    if target.shape != logits[:, 0].shape or target.is_floating_point():
        raise ValueError(
            f"target is {tuple(target.shape)}, {target.dtype}; integers {tuple(logits[:, 0].shape)} are wanted. "
            "Usual causes: a channel axis left in, one-hot masks, or an output smaller than the input."
        )
    labels = target.long()
    counted = labels != ignore_index
    labels = labels.masked_fill(~counted, 0)
    if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        wrong = [label for label in labels.unique().tolist() if not 0 <= label < classes]
        raise ValueError(
            f"target holds {wrong[:10]}; class ids 0..{classes - 1} and {ignore_index} (ignored) are wanted. "
            "Usual causes: labels shifted by one, void not declared as ignore_index, or a 0/255 mask."
        )
    if logits.dtype in (torch.float16, torch.bfloat16):
        logits = logits.float()  # sums over many pixels need the digits
    return logits.masked_fill(~counted[:, None], 0), labels, counted


def _probability_and_truth(logits, target, ignore_index):
    """Softmax and one-hot target, both (classes in the target, pixels of the batch) and 0 at void pixels."""
    logits, labels, counted = _without_void(logits, target, ignore_index)
    counted = counted[:, None].to(logits.dtype)
    probability = logits.softmax(1) * counted
    truth = torch.zeros_like(probability).scatter(1, labels[:, None], counted)
    present = truth.any(dim=(0, 2, 3))
    return (maps.movedim(1, 0)[present].flatten(1) for maps in (probability, truth))


def _weighted_mean(losses, weight):
    return (weight * losses).sum() / weight.sum().clamp(min=torch.finfo(weight.dtype).tiny)


def _mean_or_zero(class_losses):
    return class_losses.sum() / max(len(class_losses), 1)
