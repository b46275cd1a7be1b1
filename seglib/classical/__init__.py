"""Segmentation without learning: image in, label map out, NumPy arrays."""

from seglib.classical.clustering import kmeans, kmeans_segment, mean_shift_segment
from seglib.classical.edges import canny, canny_regions, close_contours, gradients, hysteresis, thin, watershed_segment
from seglib.classical.growing import grow_region, grow_regions
from seglib.classical.regions import graph_segment, random_walker_segment, split_touching
from seglib.classical.superpixels import merge_regions, slic_superpixels
