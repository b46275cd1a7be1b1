"""The architectures of the course, one file each, each readable beside its paper's figure.

Naming one imports one: a U-Net needs no torchvision.
"""

from importlib import import_module

MODULES = {
    "FCN": "fcn",
    "DeepLabV3": "deeplab",
    "DeepLabV3Plus": "deeplab",
    "EfficientNetLite0": "efficientnet_lite",
    "FasterRCNN": "faster_rcnn",
    "MaskRCNN": "mask_rcnn",
    "PSPNet": "pspnet",
    "SegNet": "segnet",
    "SegNetBasic": "segnet",
    "UNet": "unet",
    "parameters": "blocks",
}
__all__ = list(MODULES)


def __getattr__(name):
    if name in MODULES:
        return getattr(import_module(f"seglib.models.{MODULES[name]}"), name)
    raise AttributeError(f"seglib.models has no {name!r}; it has {', '.join(MODULES)}")


def __dir__():
    return [*globals(), *MODULES]
