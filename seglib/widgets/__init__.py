"""The interactive explorers: move a control, watch the picture and the score."""

from seglib.widgets.explorers import canny_explorer, clustering_explorer, growing_explorer, metric_explorer

__all__ = ["canny_explorer", "clustering_explorer", "growing_explorer", "metric_explorer"]
