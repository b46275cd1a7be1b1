"""Picture files to tensors: what is clear is read right, what is not is refused with the file's name."""

from pathlib import Path

import numpy as np
import tifffile
import torch
from PIL import Image, ImageOps

LOSSLESS = (".png", ".tif", ".tiff", ".bmp")
PICTURES = (*LOSSLESS, ".jpg", ".jpeg", ".webp")
BANDS = {"MINISWHITE": 1, "MINISBLACK": 1, "PALETTE": 1, "RGB": 3, "YCBCR": 3, "SEPARATED": 4}  # of a TIFF's colours
ALPHA = ([], ["ASSOCALPHA"], ["UNASSALPHA"])  # its further bands


def read_image(path):
    """Read a picture as float32 (3, H, W) in 0..1, turned as its EXIF orientation says.

    Values are divided by 255 or, in grey pictures of 16 bits, by 65535 (of 16-bit colours, the upper 8 bits are
    read). An alpha channel that hides nothing is dropped; a picture with transparent places raises ValueError,
    since its colours depend on what is put behind it.
    """
    image = decode(path)
    if image.mode in ("I", "F"):
        raise ValueError(f"{path} has 32 bits a pixel or signs, whose range is unknown: save it with 8 or 16 bits")
    if image.mode.startswith("I;16"):
        return torch.from_numpy(np.array(image, np.float32) / 65535).repeat(3, 1, 1)
    return torch.from_numpy(colours(image, path)).permute(2, 0, 1).contiguous() / 255


def read_mask(path):
    """Read a map of labels as int64 (H, W): grey values or palette indices, as they stand in the file."""
    image = decode(path, stored=True)
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
    folder, found = Path(folder), {}
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder} (looked from {Path.cwd()})")
    for path in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        if path.suffix.lower() not in suffixes or not path.is_file():
            raise ValueError(f"{path} is none of {' '.join(suffixes)}: move it elsewhere or convert it")
        if path.stem in found:
            raise ValueError(f"{path} and {found[path.stem].name} have the same name up to the suffix: keep one")
        found[path.stem] = path
    if not found:
        raise ValueError(f"{folder} holds no pictures; wanted are {' '.join(suffixes)}")
    return found


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


def decode(path, stored=False):
    """Read a whole picture, turned upright; with ``stored`` a grey TIFF's numbers as they stand, whatever is white."""
    tiff = Path(path).suffix.lower() in (".tif", ".tiff") and Path(path).is_file()
    kind, page, numbers = _look_into_tiff(path) if tiff else ("", 0, None)
    if numbers is not None:
        return Image.fromarray(numbers)
    with open_picture(path) as image:
        try:
            # An MPO is a phone's JPEG with a preview behind it; in other formats there is no first among equals.
            frames = 1 if tiff or image.format == "MPO" else getattr(image, "n_frames", 1)
            image.seek(page)
            upright = ImageOps.exif_transpose(image)
        except Exception as error:  # decoders fail in many ways: OSError, SyntaxError, struct.error ...
            raise ValueError(f"{path} is damaged or cut off: {error}. Copy or download it again") from error
        if frames > 1:
            raise ValueError(f"{path} holds {frames} pictures; wanted is one a file")
    # Pillow turns such a TIFF over, so that white is white, if it has up to 8 bits.
    turned = kind == "MINISWHITE" and stored != upright.mode.startswith("I")
    return Image.fromarray(~np.array(upright)) if turned else upright


def _look_into_tiff(path):
    """The kind of a TIFF's colours, its full-size page, and its numbers if they are none of Pillow's, else None."""
    try:
        with tifffile.TiffFile(path) as file:
            page, *more = [page for page in file.pages if not (page.is_reduced or page.is_mask)]
            kind, bits, extra = page.photometric.name, page.bitspersample, [each.name for each in page.extrasamples]
            count = max(1 + len(more), file.series[0].size // page.size)
            simple = page.sampleformat == 1 and (bits in (1, 8, 16) or kind == "PALETTE")
            numbers = None if simple or count > 1 else page.asarray()
    except Exception as error:
        raise ValueError(f"{path} can't be read as a picture, or is damaged or cut off: {error}") from error
    if count > 1 or BANDS.get(kind) != page.samplesperpixel - len(extra) or extra not in ALPHA:
        raise ValueError(f"{path} holds {count} pictures, {kind} in {page.samplesperpixel} bands: not 1, grey or RGB")
    if numbers is not None:
        if numbers.ndim > 2 or not (numbers.dtype.kind == "f" or np.array_equal(numbers.astype(np.int32), numbers)):
            raise ValueError(f"{path} holds {numbers.dtype} up to {numbers.max()}; wanted are whole numbers below 2^31")
        numbers = numbers.astype(np.float32 if numbers.dtype.kind == "f" else np.int32)
    return kind, page.index, numbers
