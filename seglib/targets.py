"""What a detector learns from, made out of maps: boxes, labels and one mask an object."""

import torch

from seglib.arrays import to_numpy, windows

_RANGES = {"mask": "wanted are classes from 0 to 254, and 255 = ignore", "instances": "wanted is 0 = none, 1..n"}


def instances_to_targets(sample):
    """Add a detector's target to a sample of "mask" and "instances"; a transform like those of `seglib.transforms`.

    Added are "boxes" float32 (n, 4), xyxy, "labels" int64 (n,) and "masks" uint8 (n, H, W), the form that torchvision
    asks for; row k is the object of id k + 1. Ids without a pixel (after a crop, say) are left out and the others
    numbered anew, 1..n; rows of "full_masks", where there are any, are left out likewise. A box ends where its last
    pixel ends: one pixel makes a box of area 1. (torchvision's masks_to_boxes ends on that pixel's index: area 0.)

    Parameters
    ----------
    sample : dict
        "mask" integer (H, W), class ids, and "instances" integer (H, W), 0 = none, 1..n.

    Returns
    -------
    dict
        A new sample; the given one is left as it was.

    Raises
    ------
    ValueError
        A map is missing or not an integer (H, W), or an object has no class (0 or 255) or more than one.
    """
    mask, instances = (_map(sample, name) for name in ("mask", "instances"))
    if mask.shape != instances.shape:
        raise ValueError(f"mask is {tuple(mask.shape)}, instances {tuple(instances.shape)}: wanted is one size")
    inside = instances > 0
    pairs = (256 * instances[inside] + mask[inside]).unique()  # sorted by id
    ids, labels = pairs // 256, pairs % 256
    wrong = (labels == 0) | (labels == 255) | (ids == ids.roll(1)) & (len(ids) > 1)
    if wrong.any():
        classes = labels[ids == ids[wrong][0]].tolist()
        raise ValueError(
            f"instance {int(ids[wrong][0])} lies on the classes {classes} of mask; wanted is one from 1 to 254. Usual "
            "cause: mask and instances belong to different pictures, or were moved differently"
        )
    masks = instances == ids[:, None, None]
    numbered = torch.where(inside, torch.searchsorted(ids, instances) + 1, 0)
    target = {"instances": numbered, "boxes": boxes_of(masks), "labels": labels, "masks": masks.to(torch.uint8)}
    if "full_masks" in sample:
        target["full_masks"] = sample["full_masks"][ids - 1]
    return sample | target


def boxes_of(masks):
    """Tight boxes of masks (n, H, W), none of them empty: float32 (n, 4), xyxy, the far edges behind the last pixel."""
    return torch.from_numpy(windows(to_numpy(masks))).float()


def _map(sample, name):
    values = sample.get(name)
    if not torch.is_tensor(values) or values.ndim != 2 or values.is_floating_point():
        kind = f"{values.dtype} {tuple(values.shape)}" if torch.is_tensor(values) else type(values).__name__
        raise ValueError(f'"{name}" of the sample is to be an integer tensor (H, W), not {kind}')
    if values.numel() and (values.min() < 0 or (name == "mask" and values.max() > 255)):
        raise ValueError(f'"{name}" of the sample runs from {values.min()} to {values.max()}; {_RANGES[name]}')
    return values.long().contiguous()
