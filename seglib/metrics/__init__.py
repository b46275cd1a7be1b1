"""Rulers for masks: semantic (confusion matrix, IoU, Dice), boundaries, instances, detections, whole partitions.

Everything here takes NumPy arrays or torch tensors and gives NumPy arrays or Python floats.
"""

from .boundary import boundary_f1, boundary_iou, mean_boundary_f1
from .comparison import paired_interval
from .detection import average_precision
from .instances import InstanceScore, instance_f1, merged_objects, overlap_table
from .panoptic import panoptic_quality
from .regions import best_overlap, boundary_recall, label_boundary_f1, undersegmentation_error
from .semantic import binary_dice, binary_iou, confusion_matrix, dice, iou, mean_accuracy, mean_iou, pixel_accuracy
