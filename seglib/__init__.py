"""The small library behind an open course on image segmentation.

Nothing is imported until it is named: ``import seglib`` is instant, ``seglib.metrics`` and
``seglib.plotting`` need NumPy only, and PyTorch comes in with the first module that trains.

>>> import seglib
>>> seglib.metrics.iou([[3, 1], [1, 5]]).round(2).tolist()
[0.6, 0.71]
"""

from importlib import import_module

__version__ = "0.1.0"
__all__ = [
    "arrays",
    "carried",
    "classical",
    "datasets",
    "exercises",
    "losses",
    "metrics",
    "models",
    "plotting",
    "progress",
    "results",
    "scenes",
    "scribbles",
    "targets",
    "training",
    "transforms",
    "widgets",
]


def __getattr__(name):
    if name in __all__:
        return import_module(f"seglib.{name}")
    raise AttributeError(f"seglib has no module {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return [*globals(), *__all__]
