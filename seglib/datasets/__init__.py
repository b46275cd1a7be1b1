"""Real pictures with their masks, from your own folders or a public set.

Data sets are map-style: ``data[i]`` is a sample, a dict with "image" (float32, (3, H, W), 0..1), "mask" (int64,
(H, W), 255 = ignore), "name" and, where objects are told apart, "instances" (int64, (H, W), 0 = none, 1..n).
`seglib.targets.instances_to_targets` turns those into what a detector learns from; `CocoDataset` gives that by itself.
Grey pictures get three equal channels, so that all samples are alike; `transforms.Grayscale` makes one of them.
The public sets are found under the folder that SEGLIB_DATA names, or downloaded with ``download=True`` (`fetching`).
File names are checked when the data set is made, contents when a sample is read. What does not fit raises
ValueError with the file's name. `workbench.layouts.open_folder` finds out by itself where in a folder pictures, masks
and classes are.
"""

from seglib.datasets.camvid import CamVid
from seglib.datasets.coco import CocoDataset
from seglib.datasets.dsb2018 import DSB2018
from seglib.datasets.folder import FolderDataset
from seglib.datasets.memory import InMemory
from seglib.datasets.reading import read_image, read_mask

__all__ = ["DSB2018", "CamVid", "CocoDataset", "FolderDataset", "InMemory", "read_image", "read_mask"]
