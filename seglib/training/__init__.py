"""Train, score, save: what lesson 05 writes out by hand, with what a real run needs around it."""

from .detection import fit_detector, predict_detector
from .loop import autocast, best_device, rate_factor
from .run import Run
from .semantic import evaluate, fit, predict_logits, training_step
from .weights import load, save

__all__ = [
    "Run",
    "autocast",
    "best_device",
    "evaluate",
    "fit",
    "fit_detector",
    "load",
    "predict_detector",
    "predict_logits",
    "rate_factor",
    "save",
    "training_step",
]
