"""What all of seglib asks of pictures and label maps: one form of numbers, and errors that name the usual cause."""

import numpy as np

from seglib.arrays import to_numpy

ROUNDING = 1e-3  # how far beyond 0..1 a float picture may reach


def as_picture(image, grey=False):
    """The picture as float64 in 0..1; bool, uint8 and uint16 are scaled by their range.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
        Floats may be off by 0.001, as after an interpolation; they are cut to the range.
    grey : bool
        Colour becomes luminance, (H, W): 0.2125 red + 0.7154 green + 0.0721 blue.

    Raises
    ------
    ValueError
        For other shapes, dtypes and ranges, empty pictures, NaN and infinity.
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3) or image.size == 0:
        hint = "take one picture off the batch, or move the channels last"
        if image.ndim == 3 and image.shape[2] == 4:
            hint = "drop the alpha channel, image[..., :3]"
        raise ValueError(f"image has shape {image.shape}; (H, W) or (H, W, 3) is wanted: {hint}")
    if image.dtype.newbyteorder("=") in (np.uint8, np.uint16):
        image = image / np.iinfo(image.dtype).max
    elif image.dtype == bool or np.issubdtype(image.dtype, np.floating):
        image = image.astype(np.float64)
    else:
        raise ValueError(
            f"image has dtype {image.dtype}; bool, uint8, uint16 or float in 0..1 is wanted. "
            "Usual cause: a label map in the place of the picture (plotting.colorize shows one)"
        )
    if not np.isfinite(image).all():
        raise ValueError("image holds NaN or infinity; fill or crop those pixels first")
    if image.min() < -ROUNDING or image.max() > 1 + ROUNDING:
        cause = "a normalisation to undo" if image.min() < 0 else "0..255 stored as float (divide by 255)"
        raise ValueError(
            f"image reaches from {image.min():.4g} to {image.max():.4g}; floats are wanted in 0..1. "
            f"Usual cause: {cause}"
        )
    image = image.clip(0, 1)
    return image @ (0.2125, 0.7154, 0.0721) if grey and image.ndim == 3 else image


def whole_numbers(values, name, objects=False):
    """Array of the integers in an array or tensor; bool becomes 0 and 1.

    With ``objects`` the numbers tell things apart, and a boolean mask raises ValueError, as other types do always.
    """
    numbers = to_numpy(values)
    if numbers.dtype.kind not in "biu":
        raise ValueError(
            f"{name} has dtype {numbers.dtype}; integer labels are wanted. Usual cause: logits or probabilities "
            "instead of class ids (take .argmax(1), or compare with 0.5)"
        )
    if numbers.dtype != bool:
        return numbers
    if objects:
        raise ValueError(f"{name} is a boolean mask: number its objects first, say with skimage.measure.label")
    return numbers.view(np.uint8)


def label_map(values, name, shape=None, objects=False):
    """`whole_numbers` of one picture, (H, W), or of the given ``shape``; ValueError for another one."""
    labels = whole_numbers(values, name, objects)
    if labels.ndim != 2 or shape not in (None, labels.shape):
        raise ValueError(
            f"{name} has shape {labels.shape}; one map {shape or '(H, W)'} is wanted. Usual causes: a batch or channel "
            "axis left in (take pictures one by one), or a map of another picture"
        )
    return labels
