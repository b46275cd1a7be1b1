"""What all classical methods ask of a picture: one form of numbers, and errors that name the usual cause."""

import numpy as np


def as_picture(image, grey=False):
    """The picture as float64 in 0..1; bool, uint8 and uint16 are scaled by their range.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
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
    if image.dtype in (np.uint8, np.uint16):
        image = image / np.iinfo(image.dtype).max
    elif image.dtype == bool or np.issubdtype(image.dtype, np.floating):
        image = image.astype(np.float64)
    else:
        raise ValueError(
            f"image has dtype {image.dtype}; bool, uint8, uint16 or float in 0..1 is wanted. "
            "Usual cause: a label map in the place of the picture"
        )
    if not np.isfinite(image).all():
        raise ValueError("image holds NaN or infinity; fill or crop those pixels first")
    if image.min() < 0 or image.max() > 1:
        raise ValueError(
            f"image reaches from {image.min():.4g} to {image.max():.4g}; floats are wanted in 0..1. "
            "Usual cause: 0..255 stored as float (divide by 255)"
        )
    return image @ (0.2125, 0.7154, 0.0721) if grey and image.ndim == 3 else image
