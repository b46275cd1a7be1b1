"""What all explorers share: a picture, its controls and a status line, live in Jupyter and still elsewhere."""

import base64
import io
import textwrap
from pathlib import Path

import anywidget
import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image
from traitlets import Dict, List, Unicode

from seglib.plotting import PALETTE, STYLE
from seglib.plotting.figures import _png

_SHOWN = 576  # px; the longer side of the still picture, about as explorer.js shows the live one


class Explorer(anywidget.AnyWidget):
    """An interactive figure; the last line of a cell shows it.

    Where a kernel runs, it has controls. Its output also holds a PNG of the first answer with a description, for
    readers without a kernel. Assigning to `settings` in Python moves the controls, too. If `solve` fails, the status
    line shows the error and it is raised.

    Parameters
    ----------
    title : str
    controls : list of dict
        Made by `slider` and `choice`.
    legend : list of (int, str)
        Places in the palette, and what they mean.
    solve : callable
        Takes the settings by name; returns a picture, float RGB (H, W, 3) in 0..1, and a status of a few words.
    arrows : list of str
        Names of the sliders that the arrow keys move down and right on the picture, or none. If the first is "row", a
        click on the picture sets "row" and "column".
    hint : str
        A sentence or two beside the controls.
    strokes : list of [class, [[row, column], ...]] or None
        What is drawn on the picture to begin with, a setting of its own; ``arrows`` are then "row" and
        "column", and the choice "kind" says which class the next stroke has. None: nothing can be drawn.
    """

    _esm = Path(__file__).with_name("explorer.js")
    _css = Path(__file__).with_name("explorer.css")
    title = Unicode().tag(sync=True)
    controls, legend, arrows = List().tag(sync=True), List().tag(sync=True), List().tag(sync=True)
    hint = Unicode().tag(sync=True)
    settings = Dict().tag(sync=True)
    answer = Dict().tag(sync=True)  # settings, png, alt, status, failed; in one piece, so that they belong together

    def __init__(self, title, controls, legend, solve, arrows=(), hint="", strokes=None):
        self.solve = solve
        super().__init__(
            title=title,
            controls=controls,
            legend=[[matplotlib.colors.to_hex(PALETTE[place]), text] for place, text in legend],
            arrows=list(arrows),
            hint=hint,
            settings={each["name"]: each["value"] for each in controls}
            | ({} if strokes is None else {"strokes": strokes}),
        )
        self._update()
        # The frontend sends the newest settings only, and only when the answer to those before has come.
        self.observe(self._update, "settings")

    def _update(self, change=None):
        try:
            self.rgb, status = self.solve(**self.settings)
        except Exception as error:
            self.answer = self.answer | {"settings": self.settings, "status": f"{error}", "failed": True}
            raise
        names = {each["name"]: each["label"] for each in self.controls}
        chosen = ", ".join(f"{label} {self.settings[name]}" for name, label in names.items())
        buffer = io.BytesIO()
        Image.fromarray(np.rint(255 * self.rgb).astype(np.uint8)).save(buffer, "PNG", compress_level=1)
        alt = f"{self.title}: {chosen}. {status}."
        self.answer = {"settings": self.settings, "png": buffer.getvalue(), "alt": alt, "status": status}

    def _repr_mimebundle_(self, **kwargs):
        """The live widget and its still picture in one output: a frontend shows what it can."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        alt = self.answer["alt"]
        still = {"image/png": base64.b64encode(self._still()).decode(), "text/plain": alt}
        return data | still, metadata | {"image/png": {"alt": alt}}

    def _still(self):
        scale = max(1, _SHOWN // max(self.rgb.shape)) / STYLE["figure.dpi"]
        height, width = (side * scale for side in self.rgb.shape[:2])
        with matplotlib.rc_context(STYLE):
            figure = Figure(figsize=(width, height))
            axes = figure.add_axes((0, 0, 1, 1))
            axes.imshow(self.rgb, aspect="auto")
            axes.set_axis_off()
            parts = self.answer["alt"].removesuffix(".").replace(": ", ". ", 1).split(". ")
            axes.set_title("\n".join(textwrap.fill(part, 60) for part in parts))
            patches = [Patch(facecolor=colour, edgecolor="#222222", label=text) for colour, text in self.legend]
            figure.legend(handles=patches, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=4, handlelength=1.2)
            return _png(figure, bbox_inches="tight")


def slider(name, label, low, high, step, value, **more):
    """A slider of an explorer; ``at_most`` names another one that it pushes along."""
    return {"name": name, "label": label, "min": low, "max": high, "step": step, "value": value} | more


def choice(name, label, choices):
    """A list to choose from, the first one chosen."""
    return {"name": name, "label": label, "choices": choices, "value": choices[0]}


def count(number, noun):
    """The number with its noun: 1 pixel, 2 pixels."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
