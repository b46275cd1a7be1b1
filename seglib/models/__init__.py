"""The architectures of the course, one file each, each readable beside its paper's figure."""

from seglib.models.blocks import parameters
from seglib.models.deeplab import DeepLabV3, DeepLabV3Plus
from seglib.models.faster_rcnn import FasterRCNN
from seglib.models.fcn import FCN
from seglib.models.mask_rcnn import MaskRCNN
from seglib.models.pspnet import PSPNet
from seglib.models.segnet import SegNet, SegNetBasic
from seglib.models.unet import UNet

__all__ = [
    "FCN",
    "DeepLabV3",
    "DeepLabV3Plus",
    "FasterRCNN",
    "MaskRCNN",
    "PSPNet",
    "SegNet",
    "SegNetBasic",
    "UNet",
    "parameters",
]
