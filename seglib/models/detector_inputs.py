"""What a detector is given: pictures of several sizes and the objects in them, checked, resized, made one batch."""

import math

import torch
from torch.nn import functional as F

from seglib.models.blocks import resize
from seglib.models.boxes import scale_boxes


def check_pictures(images, channels):
    """Raise ValueError unless images is a non-empty list of float tensors (channels, H, W)."""
    if len(images) == 0:
        raise ValueError("images is empty: a detector takes a list of at least one picture (C, H, W)")
    for i, image in enumerate(images):
        if image.ndim != 3 or image.shape[0] != channels or 0 in image.shape:
            raise ValueError(
                f"picture {i} is {tuple(image.shape)}; a detector takes a list of pictures ({channels}, H, W), which "
                "may differ in size. Give [image] for a single picture; set in_channels for other channels"
            )
        if not image.is_floating_point():
            raise ValueError(f"picture {i} is {image.dtype}; float in 0..1 is wanted: divide uint8 by 255")


def check_targets(images, targets, num_classes, with_masks):
    """Raise ValueError, naming picture and object, unless the targets are torchvision's and fit the pictures."""
    if targets is None:
        raise ValueError("targets is missing: a detector in training mode learns from them; call .eval() to predict")
    if len(targets) != len(images):
        raise ValueError(f"{len(images)} pictures came with {len(targets)} targets; each picture has one")
    wanted = ("boxes", "labels", "masks") if with_masks else ("boxes", "labels")
    for i, (image, target) in enumerate(zip(images, targets, strict=True)):
        missing = [name for name in wanted if name not in target]
        if missing:
            raise ValueError(f"the target of picture {i} has no {missing}; it holds {sorted(target)}")
        check_boxes(i, target["boxes"])
        check_labels(i, target["labels"], len(target["boxes"]), num_classes)
        if with_masks:
            check_masks(i, target["masks"], (len(target["boxes"]), *image.shape[1:]))


def check_boxes(picture, boxes):
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not boxes.is_floating_point():
        raise ValueError(
            f"the boxes of picture {picture} are {boxes.dtype} {tuple(boxes.shape)}; float (n, 4) is wanted, x1, y1, "
            "x2, y2 in pixels, and torch.zeros(0, 4) for a picture with no object"
        )
    # NaN is not greater than anything, so it is caught here too.
    bad = torch.where(~((boxes[:, 2:] > boxes[:, :2]) & boxes.isfinite().view(-1, 2, 2).all(1)).all(1))[0].tolist()
    if bad:
        raise ValueError(
            f"object {bad[0]} of picture {picture} has the box {boxes[bad[0]].tolist()}, which has no area: x2 > x1 "
            "and y2 > y1 are wanted. Usual causes: a mask of one pixel's width whose box ends on its last pixel (add "
            "1), boxes given as x, y, width, height, or a crop that left the object outside"
        )


def check_labels(picture, labels, count, num_classes):
    if labels.dtype != torch.int64 or labels.shape != (count,):
        told = f"{labels.dtype} {tuple(labels.shape)}"
        raise ValueError(f"the labels of picture {picture} are {told}; int64 ({count},) is wanted, one for each box")
    bad = torch.where((labels < 1) | (labels >= num_classes))[0].tolist()
    if bad:
        raise ValueError(
            f"object {bad[0]} of picture {picture} has the label {int(labels[bad[0]])}; 1 to {num_classes - 1} are "
            "wanted, as 0 is the background and counts in num_classes"
        )


def check_masks(picture, masks, wanted):
    if masks.shape != wanted:
        raise ValueError(f"the masks of picture {picture} are {tuple(masks.shape)}; wanted is one a box, {wanted}")
    if masks.numel() and (masks.max() > 1 or masks.min() < 0):
        raise ValueError(
            f"the masks of picture {picture} hold values from {masks.min()} to {masks.max()}; 0 and 1 are wanted: "
            "write masks > 0 if they are 0 and 255, or make one mask for each id if they are ids"
        )


def resize_picture(image, target, min_size, max_size):
    """Bring a picture's shorter side to min_size px, or less where the longer would pass max_size; its target too.

    Pictures are interpolated, masks take the nearest value. ``target`` may be None.
    """
    old = image.shape[-2:]
    factor = min(min_size / min(old), max_size / max(old))
    new = [math.floor(side * factor) for side in old]
    if target is not None:
        target = target | {"boxes": scale_boxes(target["boxes"], old, new)}
        if "masks" in target:
            target["masks"] = F.interpolate(target["masks"][:, None].float(), new)[:, 0].byte()
    return resize(image[None], new)[0], target


def pad(images, multiple):
    """One batch (N, C, H, W) with the pictures in its upper left corners, zeros beside; sides divide by multiple."""
    height = math.ceil(max(image.shape[1] for image in images) / multiple) * multiple
    width = math.ceil(max(image.shape[2] for image in images) / multiple) * multiple
    return torch.stack([F.pad(image, (0, width - image.shape[2], 0, height - image.shape[1])) for image in images])
