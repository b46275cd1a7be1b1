"""The architectures of the course, one file each, each readable beside its paper's figure."""

from seglib.models.blocks import parameters
from seglib.models.unet import UNet

__all__ = ["UNet", "parameters"]
