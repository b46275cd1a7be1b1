"""Segmentation without learning: image in, label map out, NumPy arrays."""

from seglib.classical.regions import split_touching

__all__ = ["split_touching"]
