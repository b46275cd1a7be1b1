"""torchvision's weights for Faster and Mask R-CNN by name, and the frozen batch norm that they were trained with."""

import re

import torch
from torch import nn

from seglib.models.backbones import read_weights

# Names in torchvision's files -> names here. Where two are given for a layer, the first is of files before 2022.
NAMES = [
    (r"^backbone\.body\.(conv1|bn1)\.", r"backbone.stem.\1."),
    (r"^backbone\.body\.", "backbone."),
    (r"^backbone\.fpn\.inner_blocks\.(\d)\.(0\.)?", r"pyramid.lateral.\1."),
    (r"^backbone\.fpn\.layer_blocks\.(\d)\.(0\.)?", r"pyramid.smooth.\1."),
    (r"^rpn\.head\.(conv\.0\.0|conv|cls_logits|bbox_pred)\.", lambda m: f"rpn.{m[1].split('.')[0]}."),
    (r"^roi_heads\.(box_head|box_predictor)\.", "box_head."),
    (r"^roi_heads\.mask_head\.mask_fcn(\d)\.", lambda m: f"mask_head.convolutions.{int(m[1]) - 1}."),
    (r"^roi_heads\.mask_head\.(\d)\.0\.", r"mask_head.convolutions.\1."),
    (r"^roi_heads\.mask_predictor\.", "mask_head."),
]


class FrozenBatchNorm(nn.Module):
    """Batch norm that keeps the statistics and scales it was given: it learns nothing, so small batches do it no harm.

    Detectors are fine-tuned with one or two pictures a GPU, too few to average over.
    """

    def __init__(self, channels):
        super().__init__()
        self.eps = 1e-5
        for name, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((channels,), value))

    def forward(self, x):
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale[:, None, None] + shift[:, None, None]


def freeze_batch_norm(module):
    """Put `FrozenBatchNorm` in the place of every batch norm inside the module, with the same numbers."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            frozen = FrozenBatchNorm(child.num_features)
            frozen.load_state_dict({key: child.state_dict()[key] for key in frozen.state_dict()})
            setattr(module, name, frozen)
        else:
            freeze_batch_norm(child)


def own_name(name):
    """The name here of the tensor that torchvision calls ``name``."""
    for pattern, replacement in NAMES:
        renamed, count = re.subn(pattern, replacement, name)
        if count:
            return renamed
    return name


def load_detector_weights(model, name, weights):
    """Fill a `FasterRCNN` or `MaskRCNN` with weights of torchvision's detector ``name``.

    ``weights`` is "COCO_V1", or the path of a file with torchvision's or this library's names, as `read_weights` takes
    it. Every tensor must arrive. Returns the sorted names, as they are here, of the tensors loaded.

    Raises ValueError, and leaves the model as it was, where tensors are missing, left over or of another shape; it
    lists them. Counters of batches, which frozen batch norm does not have, don't matter.
    """
    state = read_weights(name, weights)
    old_file = "rpn.head.conv.weight" in state
    state = {own_name(key): value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    own = {key: value for key, value in model.state_dict().items() if not key.endswith("num_batches_tracked")}
    missing, unexpected = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    shapes = {key: (tuple(state[key].shape), tuple(own[key].shape)) for key in sorted(own.keys() & state.keys())}
    mismatched = [(key, *pair) for key, pair in shapes.items() if pair[0] != pair[1]]
    if missing or unexpected or mismatched:
        raise ValueError(
            f"{weights} does not fit this {type(model).__name__}: {len(shapes) - len(mismatched)} tensors do; missing "
            f"{missing}; of another shape (name, in the file, here) {mismatched}; left over {unexpected}. Usual "
            "causes: another number of classes (COCO_V1 has 91), another backbone, a mask head on one side only"
        )
    model.load_state_dict(state, strict=False)
    if old_file:  # its frozen batch norm did not add eps yet
        for module in model.modules():
            if isinstance(module, FrozenBatchNorm):
                module.eps = 0.0
    return sorted(state)
