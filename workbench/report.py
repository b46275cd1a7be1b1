"""The report of ``seglib score``: confusion matrix, pictures from the worst on, one page that stands alone."""

import base64
import io
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay

from seglib.plotting import class_color, colorize
from seglib.training.weights import write_whole
from workbench.drawing import encoded
from workbench.run import as_csv
from workbench.scoring import COMPARED

SHOWN, SIDE = 24, 240  # pictures, px of the longer side


def write_report(folder, report, matrices, predictions, truth):
    """Write confusion.csv and .png, pictures.csv and report.html. ``matrices``: {picture: (K, K), rows truth}."""
    folder, names, pictures = Path(folder), list(report["classes"]), report["pictures"]
    total, columns = sum(matrices.values()), list(report["mean"])
    counts = [[name, *row] for name, row in zip(names, total.tolist(), strict=True)]
    write_whole(folder / "confusion.csv", as_csv([["true class", *names], *counts]))
    figures = [[name, *(each[column] for column in columns)] for name, each in pictures.items()]
    write_whole(folder / "pictures.csv", as_csv([["picture", *columns], *figures]))
    confusion = confusion_picture(total, names)
    write_whole(folder / "confusion.png", confusion)
    page = template("report.html").render(
        columns=columns,
        classes=report["classes"] | {"mean": report["mean"]},
        pictures=pictures,
        against=report.get("against"),
        compared=COMPARED,
        confusion=in_page(confusion),
        legend=legend_of(names),
        worst={name: in_page(side_by_side(predictions[name], truth[name])) for name in list(pictures)[:SHOWN]},
    )
    write_whole(folder / "report.html", page.encode())


def template(name):
    """One of the pages beside this file; what is filled in is escaped."""
    return Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True).get_template(name)


def in_page(content, form="png"):
    """A picture's file as its address in a page that stands alone."""
    return f"data:image/{form};base64,{base64.b64encode(content).decode()}"


def legend_of(names):
    """(name, colour in HTML) of the classes 0, 1, ..."""
    return [(name, to_hex(class_color(label))) for label, name in enumerate(names)]


def side_by_side(found, true):
    """PNG of a picture's predicted and true classes, with a gap between them."""
    step = -(-max(true["mask"].shape) // SIDE)
    left, right = (colorize(maps["mask"][::step, ::step]) for maps in (found, true))
    return encoded(np.concatenate([left, np.ones((len(left), 4, 3)), right], 1))


def confusion_picture(matrix, names):
    """PNG of a confusion matrix (K, K) in per cent of its rows."""
    share = 100 * matrix / matrix.sum(1, keepdims=True).clip(1)
    figure = Figure(figsize=(3 + 0.5 * len(names),) * 2, layout="constrained")
    display = ConfusionMatrixDisplay(share, display_labels=names)
    display.plot(ax=figure.add_subplot(), values_format=".0f", xticks_rotation=90, cmap="cividis", colorbar=False)
    display.ax_.set(xlabel="predicted", ylabel="true")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    return buffer.getvalue()
