"""The networks that the command line trains, each in the compact size that the course measured on CamVid."""

import json
from pathlib import Path

from seglib.models import FCN, DeepLabV3Plus, MaskRCNN, PSPNet, SegNetBasic, UNet
from seglib.training import weights
from workbench.nuclei import Nuclei
from workbench.run import WEIGHTS

SHIPPED = {"nuclei": Path(__file__).resolve().parents[1] / "data" / "weights" / "nuclei.safetensors"}


def small_objects(channels, classes):
    """A Mask R-CNN for objects of 8 to 64 px, up to 300 of them in a window."""
    net = MaskRCNN(classes, "compact", in_channels=channels, width=24, anchor_sizes=(8, 16, 32, 64), rois=64)
    net.rpn.proposals, net.mask_rois, net.max_detections = (500, 300), 16, 300
    return net


def grey_nuclei(channels, classes):
    """The network that comes with the course. Raises ValueError for colours and for more classes than one."""
    if (channels, classes) != (1, 2):
        told = f"this set has {classes - 1}, {channels} channels"
        raise ValueError(f"nuclei learns one class of objects in grey pictures; {told}")
    return Nuclei()


NETWORKS = {
    "unet": lambda channels, classes: UNet(channels, classes, width=16, depth=3),
    "fcn": lambda channels, classes: FCN(classes, "vgg16_bn", in_channels=channels, width=16, padding=1),
    "segnet": lambda channels, classes: SegNetBasic(classes, channels, width=24),
    "pspnet": lambda channels, classes: PSPNet(classes, "compact", channels, width=24, output_stride=4),
    "deeplab": lambda channels, classes: DeepLabV3Plus(
        classes, "compact", channels, width=24, output_stride=8, rates=(2, 4, 6)
    ),
    "mask_rcnn": small_objects,
    "nuclei": grey_nuclei,
}
WITH_BACKBONE = {
    "unet": (UNet, {"width": 16}),
    "fcn": (FCN, {}),
    "pspnet": (PSPNet, {"output_stride": 16}),
    "deeplab": (DeepLabV3Plus, {"output_stride": 16}),
}
DETECTORS = ("mask_rcnn", "nuclei")


def build(config, weights=None):
    """A network for a run's config: "model", "grey" (one channel, else three), "classes", perhaps "backbone".

    Untrained, or with ``weights="imagenet"`` in its backbone. Raises ValueError for what can't be had.
    """
    channels, classes = 1 if config["grey"] else 3, len(config["classes"])
    if not config.get("backbone"):
        if weights:
            raise ValueError("--pretrained is for a --backbone: efficientnet_lite0")
        return NETWORKS[config["model"]](channels, classes)
    if config["model"] not in WITH_BACKBONE:
        raise ValueError(f"--backbone is for {', '.join(WITH_BACKBONE)}, not {config['model']}")
    if weights and config["grey"]:
        raise ValueError(f"--pretrained wants pictures in colours; those of {config.get('data')} are made grey")
    kind, more = WITH_BACKBONE[config["model"]]
    return kind(in_channels=channels, num_classes=classes, backbone=config["backbone"], weights=weights, **more)


def check_fit(before, config):
    """Raise ValueError unless the weights of a run with config ``before`` fit a run that is to begin with them."""
    if kind(before) != kind(config):
        wanted = f"wanted are weights for {kind(config)}"
        raise ValueError(f"the weights of {config['weights']} are for {kind(before)}; {wanted}")


def kind(config):
    """What weights have to agree on, in words."""
    return f"{config['model']}, {'grey' if config['grey'] else 'colour'} pictures, {len(config['classes'])} classes"


def load_run(path):
    """(network in eval mode, config) of a run's folder, of its weights.safetensors alone, or of a name in `SHIPPED`.

    Raises ValueError if the file is something else; it is read as numbers, never run as code.
    """
    path = Path(path)
    if not path.exists() and str(path) in SHIPPED:
        name, path = str(path), SHIPPED[str(path)]
        if not path.is_file():
            remedy = "run from a clone of the course, installed with `pip install -e .`, or give --weights of a run"
            told = f"the weights {name!r} lie in the course's folder, and there is none at {path.parents[2]}"
            raise ValueError(f"{told}: {remedy} of your own")
    path = path / WEIGHTS if path.is_dir() else path
    if not path.is_file():
        wanted = f"the folder of a run (seglib train --out), its {WEIGHTS}, or one of {', '.join(SHIPPED)}"
        raise ValueError(f"there is no {path}: give {wanted}")
    tensors, header = weights.read(path)
    try:
        config = json.loads(header["config"])
        network = build(config)
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} holds no weights of seglib train: {type(error).__name__} {error}") from None
    return network.eval(), config
