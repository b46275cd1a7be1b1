"""The interactive explorers: move a control, watch the picture and the score."""

from seglib.widgets.detectors import anchor_explorer, nms_explorer
from seglib.widgets.explorers import canny_explorer, clustering_explorer, growing_explorer, metric_explorer
from seglib.widgets.scribbles import scribble_explorer
