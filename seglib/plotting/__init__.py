"""Figures of the course: one palette, overlays, grids and curves, each shown with its description."""

from seglib.plotting.boxes import draw_boxes
from seglib.plotting.colours import (
    PALETTE,
    class_color,
    colorize,
    colorize_instances,
    heat,
    overlay,
    overlay_instances,
    to_rgb,
)
from seglib.plotting.figures import STYLE, confusion, curves, grid, legend, show
