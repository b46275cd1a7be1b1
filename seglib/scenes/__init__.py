"""The course's own pictures, drawn on demand: sample i of a scene depends on (seed, i) alone."""

from seglib.scenes.cells import Cells
from seglib.scenes.streets import Streets

__all__ = ["Cells", "Streets"]
