"""A page of thumbnails with their masks laid over them, in one file that needs no network."""

import base64
import html
import io
import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import adaptive_avg_pool2d

from seglib.datasets import read_image
from seglib.plotting import class_color, overlay, overlay_instances, to_rgb

SHOWN = 60  # pictures, those with faults first
SIDE = 200  # px, the longer one
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 15px/1.4 sans-serif; margin: 2em; color: #222; background: #fff }}
main {{ display: flex; flex-wrap: wrap; gap: 1em }}
figure {{ margin: 0; width: 200px; overflow-wrap: anywhere }}
img {{ max-width: 100%; display: block }}
b {{ color: #a00000 }}
i {{ display: inline-block; width: 1em; height: 1em; border: 1px solid #555; vertical-align: -2px }}
</style>
<h1>{title}</h1>
<p>{summary}</p>
<p>{legend}</p>
<main>
{figures}
</main></html>
"""


def write_page(report, path):
    """Write the page of a `checking.Report`, whole or not at all. Raises OSError where it can't be written."""
    shown = choose(report.pictures)
    title = html.escape(f"{report.folder.name}: {len(shown)} of {len(report.pictures)} pictures")
    wrong = sum(map(len, report.faults.values()))
    summary = f"{wrong} faults, those pictures first." if wrong else "Nothing is wrong."
    names = report.reader.classes if report.named else ()
    legend = " · ".join(
        f'<i style="background:{_css(label)}"></i> {html.escape(name)}' for label, name in enumerate(names)
    )
    figures = "\n".join(_figure(report, picture) for picture in shown)
    scratch = Path(f"{path}.part")
    try:
        scratch.write_text(
            PAGE.format(title=title, summary=summary, legend=legend, figures=figures), "utf-8", "replace"
        )
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def choose(pictures):
    """At most SHOWN pictures in their order, first those with faults; the others evenly from the whole set."""
    wrong = [picture for picture in pictures if picture.faults][:SHOWN]
    fine = [picture for picture in pictures if not picture.faults]
    count = min(len(fine), SHOWN - len(wrong))
    return wrong + [fine[place * len(fine) // count] for place in range(count)]


def _figure(report, picture):
    place = f"{picture.split}/{picture.name}" if picture.split != "all" else picture.name
    labels = ", ".join(report.class_name(label) for label in sorted(picture.pixels)[:12]) or "no mask"
    told = "".join(f"<br><b>{html.escape(sentence)}</b>" for _, sentence in picture.faults)
    caption = f"<figcaption>{html.escape(place)}{told}</figcaption>"
    if picture.size is None:
        return f"<figure>{caption}</figure>"
    source = base64.b64encode(_jpeg(_painted(report, picture))).decode()
    alt = html.escape(f"{place}, {picture.size[0]} x {picture.size[1]} px, with its mask laid over it: {labels}")
    return f'<figure><img src="data:image/jpeg;base64,{source}" alt="{alt}">{caption}</figure>'


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


def _css(label):
    return "#" + "".join(f"{round(float(value) * 255):02x}" for value in class_color(label))
