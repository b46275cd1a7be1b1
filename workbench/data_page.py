"""A page of thumbnails with their masks laid over them, in one file that needs no network."""

import math

import torch

from seglib.plotting import overlay, overlay_instances
from seglib.training.weights import write_whole
from workbench.drawing import encoded
from workbench.pictures import Picture
from workbench.report import in_page, legend_of, template

SHOWN = 60  # pictures, those with faults first
SIDE = 200  # px, that the longer one has at most


def write_page(report, path):
    """Write the page of a `checking.Report`, whole or not at all. Raises OSError where it can't be written."""
    shown = choose(report.pictures)
    page = template("data_page.html").render(
        title=f"{report.folder.name}: {len(shown)} of {len(report.pictures)} pictures",
        wrong=sum(map(len, report.faults.values())),
        legend=legend_of(report.reader.classes if report.named else ()),
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
    alt = f"{place}, {' x '.join(map(str, picture.size))} px, with its mask laid over it: {labels}"
    return figure | {"jpeg": in_page(encoded(_painted(report, picture), "JPEG"), "jpeg"), "alt": alt}


def _painted(report, picture):
    """Thumbnail with overlay, float (H, W, 3); without one where the mask is missing, broken or of another size."""
    step, small = math.ceil(max(picture.size) / SIDE), Picture(picture.image, False, longest=SIDE).reduced(1)
    if not picture.pixels or any(kind in ("sizes differ", "can't be read") for kind, _ in picture.faults):
        return small / 255
    labels = report.reader.examine(picture.mask)[0][::step, ::step]
    labels = torch.where(labels < 0, 255, labels)
    return (overlay if labels.max() <= 255 else overlay_instances)(small, labels)
