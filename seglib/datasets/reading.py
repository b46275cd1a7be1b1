"""Picture files to tensors: what is clear is read right, what is not is refused with the file's name."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

LOSSLESS = (".png", ".tif", ".tiff", ".bmp")
PICTURES = (*LOSSLESS, ".jpg", ".jpeg", ".webp")


def read_image(path):
    """Read a picture as float32 (3, H, W) in 0..1, turned as its EXIF orientation says.

    Values are divided by 255 or, in grey pictures of 16 bits, by 65535 (of 16-bit colours, the upper 8 bits are
    read). An alpha channel that hides nothing is dropped; a picture with transparent places raises ValueError,
    since its colours depend on what is put behind it.
    """
    image = decode(path)
    if image.mode in ("I", "F"):
        raise ValueError(f"{path} has 32 bits a pixel, whose range is unknown: save it with 8 or 16 bits")
    if image.mode.startswith("I;16"):
        return torch.from_numpy(np.array(image, np.float32) / 65535).repeat(3, 1, 1)
    return torch.from_numpy(colours(image, path)).permute(2, 0, 1).contiguous() / 255


def read_mask(path):
    """Read a map of labels as int64 (H, W): grey values or palette indices, as they stand in the file."""
    image = decode(path)
    if image.mode not in ("1", "L", "P", "I") and not image.mode.startswith("I;16"):
        raise ValueError(
            f"{path} is a picture of mode {image.mode}; wanted is one channel of whole numbers, the class index of "
            "every pixel. Where colours stand for classes, translate them first; where the channels are equal, "
            "Image.open(path).convert('L') keeps one"
        )
    return torch.from_numpy(np.array(image).astype(np.int64))


def image_size(path):
    """(height, width) as stored, from the file's header alone."""
    with open_picture(path) as image:
        return image.height, image.width


def list_pictures(folder, suffixes):
    """Return {name without suffix: path} of a folder in which nothing but pictures (and hidden files) may lie."""
    found, faults = sort_pictures(folder, suffixes)
    if faults:
        raise ValueError(faults[0])
    if not found:
        raise ValueError(f"{folder} holds no pictures; wanted are {' '.join(suffixes)}")
    return found


def sort_pictures(folder, suffixes, others=()):
    """Return {name without suffix: path} of a folder, and sentences on what else lies there.

    Hidden files and files called as in ``others`` are passed over. Raises FileNotFoundError if there is no folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder} (looked from {Path.cwd()})")
    found, faults = {}, []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in others:
            continue
        if path.suffix.lower() not in suffixes or not path.is_file():
            faults.append(f"{path} is none of {' '.join(suffixes)}: move it elsewhere or convert it")
        elif path.stem in found:
            faults.append(f"{path} and {found[path.stem].name} have the same name up to the suffix: keep one")
        else:
            found[path.stem] = path
    return found, faults


def check_same_size(mask, mask_path, image, image_path):
    """Raise ValueError unless a mask (H, W) fits its image (C, H, W)."""
    if mask.shape != image.shape[1:]:
        raise ValueError(
            f"{mask_path} is {tuple(mask.shape)} but {image_path} {tuple(image.shape[1:])} (height, width). Usual "
            "causes: one of them was resized or turned, or they belong to different pictures"
        )


def colours(image, path):
    """Array (H, W, 3) of an opaque picture of 8 bits a channel."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        opacity = image.getchannel("A").getextrema()[0]
        if opacity < 255:
            raise ValueError(f"{path} is transparent in places (alpha {opacity} of 255): flatten it on a background")
    return np.array(image.convert("RGB"))


def open_picture(path):
    """Open a file with Pillow, which reads its header alone. Raises ValueError that names it where that fails."""
    try:
        return Image.open(path)
    except FileNotFoundError:
        raise ValueError(f"{path} is missing: was the set copied or unpacked completely?") from None
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} can't be read as a picture: {error}") from error


def decode(path):
    """Read a whole picture, turned upright."""
    with open_picture(path) as image:
        try:
            # An MPO is a phone's JPEG with a preview behind it; in other formats there is no first among equals.
            frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            upright = ImageOps.exif_transpose(image)
        except Exception as error:  # decoders fail in many ways: OSError, SyntaxError, struct.error ...
            raise ValueError(f"{path} is damaged or cut off: {error}. Copy or download it again") from error
        if frames > 1:
            raise ValueError(f"{path} holds {frames} pictures; wanted is one a file")
        return upright
