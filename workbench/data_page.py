"""A page of thumbnails with their masks laid over them, in one file that needs no network."""

import base64
import io

import numpy as np
import torch
from matplotlib.colors import to_hex
from PIL import Image
from torch.nn.functional import adaptive_avg_pool2d

from seglib.datasets import read_image
from seglib.plotting import class_color, overlay, overlay_instances, to_rgb
from seglib.training.weights import write_whole
from workbench.report import template

SHOWN = 60  # pictures, those with faults first
SIDE = 200  # px, the longer one


def write_page(report, path):
    """Write the page of a `checking.Report`, whole or not at all. Raises OSError where it can't be written."""
    shown = choose(report.pictures)
    names = report.reader.classes if report.named else ()
    page = template("data_page.html").render(
        title=f"{report.folder.name}: {len(shown)} of {len(report.pictures)} pictures",
        wrong=sum(map(len, report.faults.values())),
        legend=[(name, to_hex(class_color(label))) for label, name in enumerate(names)],
        figures=[_figure(report, picture) for picture in shown],
    )
    write_whole(path, page.encode("utf-8", "replace"))


def choose(pictures):
    """At most SHOWN pictures in their order, first those with faults; the others evenly from the whole set."""
    wrong = [picture for picture in pictures if picture.faults][:SHOWN]
    fine = [picture for picture in pictures if not picture.faults]
    count = min(len(fine), SHOWN - len(wrong))
    return wrong + [fine[place * len(fine) // count] for place in range(count)]


def _figure(report, picture):
    """What the template shows of a picture: its name, faults, and the thumbnail with what it shows."""
    place = f"{picture.split}/{picture.name}" if picture.split != "all" else picture.name
    figure = {"place": place, "faults": [sentence for _, sentence in picture.faults]}
    if picture.size is None:
        return figure
    labels = ", ".join(report.class_name(label) for label in sorted(picture.pixels)[:12]) or "no mask"
    height, width = picture.size
    alt = f"{place}, {height} x {width} px, with its mask laid over it: {labels}"
    return figure | {"jpeg": base64.b64encode(_jpeg(_painted(report, picture))).decode(), "alt": alt}


def _painted(report, picture):
    """Thumbnail with overlay, float (H, W, 3); without one where the mask is missing, broken or of another size."""
    image = read_image(picture.image)
    scale = min(1, SIDE / max(picture.size))
    size = [max(1, round(side * scale)) for side in picture.size]
    small = adaptive_avg_pool2d(image, size)
    if image.max() < 0.1:  # 12 bits of 16, say
        small = small / image.max().clamp(min=1e-6)
    if not picture.pixels or any(kind in ("sizes", "broken") for kind, _ in picture.faults):
        return to_rgb(small)
    labels, _ = report.reader.examine(picture.mask)
    rows, cols = ((torch.arange(count) * side) // count for count, side in zip(size, picture.size, strict=True))
    labels = torch.where(labels < 0, 255, labels)[rows][:, cols]
    return (overlay if labels.max() <= 255 else overlay_instances)(small, labels)


def _jpeg(picture):
    buffer = io.BytesIO()
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
