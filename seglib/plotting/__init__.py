"""Figures of the course: one palette, overlays, grids and curves, each shown with its description."""

from .boxes import draw_boxes
from .colours import PALETTE, class_color, colorize, colorize_instances, heat, overlay, overlay_instances, to_rgb
from .figures import STYLE, confusion, curves, grid, legend, show
