"""Pictures of predictions as files, each written whole or not at all."""

import io

import numpy as np
from PIL import Image

from seglib.plotting import class_color
from seglib.training.weights import write_whole

VOID_GREY = (170, 170, 170)


def save_picture(path, picture):
    """Write a float picture (H, W, 3) in 0..1 as PNG."""
    _write(path, Image.fromarray((np.asarray(picture) * 255).round().astype(np.uint8)))


def save_labels(path, labels):
    """Write class ids, uint8 (H, W), as a PNG whose palette shows the course's colours; 255 is grey."""
    image = Image.fromarray(labels)
    colours = [class_color(k) for k in range(255)]
    image.putpalette([*(np.array(colours) * 255).round().astype(np.uint8).ravel().tolist(), *VOID_GREY])
    _write(path, image)


def _write(path, image):
    out = io.BytesIO()
    image.save(out, "PNG")
    write_whole(path, out.getvalue())
