"""Pictures of predictions as files, each written whole or not at all."""

import io
import math

import numpy as np
from matplotlib.colors import to_hex
from PIL import Image, ImageDraw, ImageFont
from skimage.segmentation import find_boundaries

from seglib.plotting import class_color, colorize_instances
from seglib.training.weights import write_whole

VOID_GREY = (170, 170, 170)
TINT = 0.35
LINE = 22  # px, height of a legend's line


def save_picture(path, picture):
    """Write a float picture (H, W, 3) in 0..1 as PNG."""
    write_whole(path, encoded(picture))


def encoded(picture, form="PNG"):
    """Bytes of a file of a float picture (H, W, 3) in 0..1, or of Pillow's."""
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray((np.asarray(picture) * 255).round().astype(np.uint8))
    out = io.BytesIO()
    picture.save(out, form, quality=85)
    return out.getvalue()


def outlined(picture, labels, instances=None):
    """A picture, uint8 (h, w, 3), with its classes or objects tinted and an outline of one pixel inside of each.

    Thin things keep their colour to the last pixel. Returns float (h, w, 3).
    """
    regions = labels if instances is None else instances
    table = np.array([class_color(label) for label in range(256)])
    colours = table[labels] if instances is None else colorize_instances(instances)
    share = np.where(regions > 0, TINT, 0.0)
    share[find_boundaries(regions, mode="inner") & (regions > 0)] = 1
    return picture / 255 * (1 - share[..., None]) + colours * share[..., None]


def with_legend(picture, entries):
    """A float picture (h, w, 3) with lines below it that name colours: entries are (text, colour or None)."""
    font = ImageFont.load_default(14)
    wide = 32 + max(int(font.getlength(text)) for text, _ in entries)
    columns = max(1, picture.shape[1] // wide)
    strip = Image.new("RGB", (picture.shape[1], LINE * math.ceil(len(entries) / columns)), "white")
    draw = ImageDraw.Draw(strip)
    for number, (text, colour) in enumerate(entries):
        left, top = 4 + number % columns * wide, number // columns * LINE
        if colour is not None:
            draw.rectangle((left, top + 4, left + 14, top + 18), fill=to_hex(colour), outline="black")
            left += 20
        draw.text((left, top + 3), text, fill="black", font=font)
    return np.concatenate([picture, np.asarray(strip) / 255])


def save_labels(path, labels):
    """Write class ids, uint8 (H, W), as a PNG whose palette shows the course's colours; 255 is grey."""
    image = Image.fromarray(labels)
    colours = np.round([class_color(k) * 255 for k in range(255)]).astype(int)
    image.putpalette([*colours.ravel().tolist(), *VOID_GREY])
    write_whole(path, encoded(image))
