"""Train, score, predict, save: what lesson 05 writes out by hand."""

from .batches import detection_batch
from .device import autocast, best_device
from .loop import fit, rate_factor
from .scoring import evaluate, predict_detector, predict_logits
from .weights import load, save
