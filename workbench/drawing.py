"""Pictures of predictions as files, each written whole or not at all."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage.segmentation import find_boundaries

from seglib.plotting import class_color, colorize_instances
from seglib.training.weights import write_whole

VOID_GREY = (170, 170, 170)
TINT = 0.35
LINE = 22  # px, height of a legend's line


def save_picture(path, picture):
    """Write a float picture (H, W, 3) in 0..1 as PNG."""
    write_whole(path, as_png(picture))


def as_png(picture):
    """PNG of a float picture (H, W, 3) in 0..1, or of Pillow's."""
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray((np.asarray(picture) * 255).round().astype(np.uint8))
    out = io.BytesIO()
    picture.save(out, "PNG")
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
    font, places, x, y = ImageFont.load_default(14), [], 4, 0
    for text, colour in entries:
        width = int(font.getlength(text)) + (28 if colour is not None else 8)
        if x > 4 and x + width > picture.shape[1]:
            x, y = 4, y + LINE
        places.append((text, colour, x, y))
        x += width + 8
    strip = Image.new("RGB", (picture.shape[1], y + LINE), "white")
    draw = ImageDraw.Draw(strip)
    for text, colour, left, top in places:
        if colour is not None:
            fill = tuple(np.round(255 * colour).astype(int).tolist())
            draw.rectangle((left, top + 4, left + 14, top + 18), fill=fill, outline="black")
            left += 20
        draw.text((left, top + 3), text, fill="black", font=font)
    return np.concatenate([picture, np.asarray(strip) / 255])


def save_labels(path, labels):
    """Write class ids, uint8 (H, W), as a PNG whose palette shows the course's colours; 255 is grey."""
    image = Image.fromarray(labels)
    colours = [class_color(k) for k in range(255)]
    image.putpalette([*(np.array(colours) * 255).round().astype(np.uint8).ravel().tolist(), *VOID_GREY])
    write_whole(path, as_png(image))
