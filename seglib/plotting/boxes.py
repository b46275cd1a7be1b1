"""Boxes drawn on their picture."""

import numpy as np
from PIL import Image, ImageDraw

from seglib.plotting.colours import class_color, to_rgb

_DARK = (20, 20, 20)  # beside every line, so that it stands out on bright ground too


def draw_boxes(image, boxes, colors, texts=(), zoom=3, width=2):
    """Enlarge a picture and draw boxes on it, the last on top.

    Parameters
    ----------
    image : see `to_rgb`
        (H, W) or three channels.
    boxes : (n, 4) array or tensor
        x1, y1, x2, y2 in pixels of the picture; may reach beyond it.
    colors : int or (n,) integers
        Places in the palette, one for all or one a box.
    texts : sequence of str
        One for every box, beside its upper left corner; or none.
    zoom : int
        Pixels drawn for one of the picture, so that lines are finer than pixels.
    width : int
        Of the lines, in drawn pixels.

    Returns
    -------
    float array, shape (zoom * H, zoom * W, 3), values in 0..1
    """
    boxes = np.asarray(boxes, float).reshape(-1, 4)
    if len(texts) not in (0, len(boxes)):
        raise ValueError(f"{len(boxes)} boxes and {len(texts)} texts; one for every box is wanted, or none")
    picture = np.rint(255 * to_rgb(image)).astype(np.uint8)
    canvas = Image.fromarray(picture.repeat(zoom, 0).repeat(zoom, 1))
    pen, colors = ImageDraw.Draw(canvas), np.broadcast_to(colors, len(boxes))
    for k, (left, top, right, bottom) in enumerate(zoom * boxes):
        color = tuple(np.rint(255 * class_color(int(colors[k]))).astype(int).tolist())
        frame = left, top, max(left, right - 1), max(top, bottom - 1)
        pen.rectangle([edge + step for edge, step in zip(frame, (-1, -1, 1, 1), strict=True)], outline=_DARK)
        pen.rectangle(frame, outline=color, width=width)
        if texts:
            place = min(max(left + 3, 2), max(canvas.width - 60, 2)), max(top + 2, 2)
            pen.text(place, texts[k], fill=color, font_size=17, stroke_width=2, stroke_fill=_DARK)
    return np.asarray(canvas) / 255
