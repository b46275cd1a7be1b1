"""Figures in the course's style; each is shown once, as a small PNG that carries its description."""

import base64
import html
import io
import textwrap
from pathlib import Path

import matplotlib
import numpy as np
from IPython import get_ipython
from IPython.display import display
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from seglib.arrays import to_numpy
from seglib.plotting.colours import HEAT_MAP, PALETTE, _hatch, class_color, to_rgb

STYLE = matplotlib.rc_params_from_file(Path(__file__).with_name("course.mplstyle"), use_default_template=False)
_DPI = STYLE["figure.dpi"]
_WIDEST = 11  # inches; wider figures only make larger files
_GAP = 12  # px between pictures
_LINES = PALETTE[[5, 6, 2, 0, 8, 3, 11]]  # those that read well on white
_DASHES = ["-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1))]
_MARKERS = "osD^vPX"
_CAPTION = '<div class="caption" style="max-width: 46em; margin: 0 0 1em 1em; opacity: 0.8">{}</div>'


def show(figure, description, caption=None):
    """Display a matplotlib figure once, as a PNG with its description, and close it.

    The description is stored as the picture's alternative text (metadata {"image/png": {"alt": ...}}) and as
    the output's plain text: what the figure shows, for readers who cannot see it. The caption stands below the
    figure and says what to see in it. Outside IPython nothing is displayed. Draw within
    `matplotlib.rc_context(STYLE)` to get the course's look.
    """
    _display(figure, description, caption, bbox_inches=None if figure.get_layout_engine() else "tight")


def grid(images, titles=None, columns=4, *, description, caption=None, width=3.0):
    """Show pictures side by side.

    Small pictures are enlarged by a whole number of times, each pixel a square, so that nothing is blurred.

    Parameters
    ----------
    images : list of pictures, see `to_rgb`; sizes may differ
    titles : list of str, optional
    columns : int
    description, caption : str
        See `show`.
    width : float
        Of one picture in inches at most; less where the figure would grow wider than 11 inches.
    """
    images = [to_rgb(image) for image in images]
    titles = [""] * len(images) if titles is None else [str(title) for title in titles]
    if not images or len(titles) != len(images):
        raise ValueError(f"grid: {len(images)} images, {len(titles)} titles; wanted some, as many of both")
    columns = min(columns, len(images))
    room = int(min(width, _WIDEST / columns) * _DPI)
    sizes = [_shown_size(image.shape, room) for image in images]
    cell = max(w for _, w in sizes)
    total = columns * (cell + _GAP) + _GAP
    points = max(12.0, 1.35 * total / _DPI)  # readable even where the page shows the figure half as wide
    line = int(points * _DPI / 72 * 1.25)
    letters = max(8, int(cell / line * 2.1))
    titles = ["\n".join(textwrap.fill(part, letters) for part in title.split("\n")) for title in titles]

    places, y = [], _GAP  # left and top of every picture; whole pixels keep enlarged pixels square
    for first in range(0, len(images), columns):
        row = range(first, min(first + columns, len(images)))
        y += max(line * (titles[i].count("\n") + 1) if titles[i] else 0 for i in row)
        places += [(_GAP + (i - first) * (cell + _GAP) + (cell - sizes[i][1]) // 2, y) for i in row]
        y += max(sizes[i][0] for i in row) + _GAP

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(total / _DPI, y / _DPI))
        for image, title, (h, w), (left, top) in zip(images, titles, sizes, places, strict=True):
            axes = figure.add_axes((left / total, 1 - (top + h) / y, w / total, h / y))
            enlarged = w % image.shape[1] == 0 and h % image.shape[0] == 0
            axes.imshow(image, interpolation="nearest" if enlarged else "antialiased", aspect="auto")
            axes.set_axis_off()
            axes.set_title(title, fontsize=points, pad=0.3 * points)
        _display(figure, description, caption)


def curves(series, xlabel, ylabel, description, caption=None):
    """Show lines, told apart by colour, dash and marker.

    Parameters
    ----------
    series : dict of name -> (x, y)
        Arrays, tensors or lists of equal length; NaN leaves a gap.
    xlabel, ylabel, description, caption : str
        The last two see `show`.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.add_subplot(xlabel=xlabel, ylabel=ylabel)
        whole = True  # no epoch 1.5
        for i, (name, (x, y)) in enumerate(series.items()):
            x, y = to_numpy(x), to_numpy(y)
            whole = whole and x.dtype.kind in "iu"
            color, dash, marker = (choices[i % len(choices)] for choices in (_LINES, _DASHES, _MARKERS))
            axes.plot(x, y, label=name, color=color, linestyle=dash, marker=marker, markevery=max(1, len(x) // 8))
        axes.xaxis.get_major_locator().set_params(integer=whole)
        if len(series) > 1:
            longest = max(len(str(name)) for name in series)
            figure.legend(loc="outside upper left", handlelength=3.2, ncols=max(1, min(3, 66 // (longest + 9))))
        _display(figure, description, caption)


def confusion(cm, class_names, description, caption=None):
    """Show a confusion matrix (K, K), rows = truth, in per cent of each row; rows of absent classes are grey."""
    cm = to_numpy(cm).astype(float)
    k = len(class_names)
    if cm.shape != (k, k):
        raise ValueError(f"confusion: matrix of shape {cm.shape} for {k} class names; wanted ({k}, {k})")
    total = cm.sum(axis=1, keepdims=True)
    share = np.divide(cm, total, out=np.full(cm.shape, np.nan), where=total > 0)
    side = max(3.4, 1.6 + 0.5 * k)
    with matplotlib.rc_context(STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(side + 0.4, side), layout="constrained")
        axes = figure.add_subplot(xlabel="predicted", ylabel="true", facecolor="#d9d9d9")
        picture = axes.imshow(share, vmin=0, vmax=1, cmap=HEAT_MAP)
        axes.set_xticks(range(k), class_names, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(k), class_names)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        for (row, column), value in np.ndenumerate(share):
            if value > 0:
                text = "<1" if value < 0.005 else f"{100 * value:.0f}"
                ink = "black" if value > 0.5 else "white"
                axes.text(column, row, text, ha="center", va="center", color=ink)
        bar = figure.colorbar(picture, ax=axes, ticks=[0, 0.5, 1], shrink=0.6, aspect=16)
        bar.ax.set_yticklabels(["0 %", "50 %", "100 %"])
        bar.outline.set_visible(False)
        _display(figure, description, caption, bbox_inches="tight")


def legend(class_names, description, caption=None, void=False):
    """Show the colours of the classes 0, 1, ... with their names, and the hatch of void if wanted."""
    entries = [(str(i), name, class_color(i)[None, None]) for i, name in enumerate(class_names)]
    if void:
        entries.append(("", "void", _hatch((12, 18))))
    wide = 0.75 + 0.1 * max(len(name) for _, name, _ in entries)  # inches for a swatch and the longest name
    columns = min(int(_WIDEST * 0.8 / wide), len(entries))
    size = (wide * columns, 0.4 * -(-len(entries) // columns) + 0.1)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        for i, (number, name, swatch) in enumerate(entries):
            x, y = wide * (i % columns) + 0.05, 0.4 * (i // columns) + 0.25
            axes.imshow(swatch, extent=(x, x + 0.45, y + 0.15, y - 0.15), aspect="auto")
            axes.add_patch(Rectangle((x, y - 0.15), 0.45, 0.3, fill=False, edgecolor="#222222"))
            ink = "white" if swatch.mean() < 0.5 else "black"
            axes.text(x + 0.225, y, number, ha="center", va="center_baseline", color=ink)
            axes.text(x + 0.53, y, name, va="center_baseline")
        axes.set(xlim=(0, size[0]), ylim=(size[1], 0))
        _display(figure, description, caption)


def _shown_size(shape, room):
    """Height and width in pixels: enlarged by a whole number if possible, else fitted into the room."""
    scale = min(room / shape[1], 1.5 * room / shape[0])
    scale = int(scale) if scale >= 2 else scale
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _display(figure, description, caption=None, **options):
    if not isinstance(description, str) or not description.strip():
        raise ValueError("description is empty; wanted what the figure shows, for readers who cannot see it")
    if get_ipython() is not None:
        png = base64.b64encode(_png(figure, **options)).decode()
        data = {"image/png": png, "text/plain": description}
        display(data, metadata={"image/png": {"alt": description}}, raw=True)
        if caption is not None:
            display({"text/html": _CAPTION.format(html.escape(caption)), "text/plain": caption}, raw=True)
    pyplot.close(figure)  # or the inline backend would show it a second time


def _png(figure, **options):
    """PNG bytes that depend on the figure alone, small enough for a notebook with many figures.

    Large charts and masks are reduced to 256 colours, large photos to 32 levels a channel; one hardly sees it.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, **options)
    picture = Image.open(buffer).convert("RGB")
    if len(exact := _encode(picture)) < 48_000:
        return exact
    pixels = np.asarray(picture).astype(int)
    few = picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    if np.abs(np.asarray(few.convert("RGB")) - pixels).max() > 8:
        few = Image.fromarray(np.rint(np.rint(pixels * (31 / 255)) * (255 / 31)).astype(np.uint8))
    return _encode(few)


def _encode(picture):
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
