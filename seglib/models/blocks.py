"""The pieces that several architectures are built from."""

from itertools import zip_longest

import torch
from torch import nn
from torch.nn import functional as F


def parameters(model):
    """Count the learned numbers of a network (batch-norm buffers are not learned and not counted)."""
    return sum(p.numel() for p in model.parameters())


def conv_bn_relu(in_channels, out_channels, kernel=3, stride=1, rate=1, groups=1, bias=False):
    """Convolution padded to keep the size (at stride 1), its weights ``rate`` pixels apart; batch norm; ReLU."""
    padding = rate * (kernel // 2)
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, rate, groups, bias)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))


def resize(x, size, align_corners=False):
    """Bilinear interpolation of (N, C, h, w) to ``size`` (height, width).

    The outer edges of both grids lie upon each other, as in torchvision; with ``align_corners`` the centres of the
    corner pixels do, as in the code of PSPNet's and DeepLab's authors.
    """
    return F.interpolate(x, size, mode="bilinear", align_corners=align_corners)


def he_init(model):
    """Draw every convolution's weights from N(0, 2/N), N = inputs of one output; zero its bias (He et al., 2015)."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            # A transposed convolution whose stride is its kernel size sums over its input channels only.
            inputs = module.in_channels if isinstance(module, nn.ConvTranspose2d) else module.weight[0].numel()
            nn.init.normal_(module.weight, std=(2 / inputs) ** 0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def start_near_zero(layer, deviation):
    """Draw a last layer's weights from N(0, deviation ** 2), its bias 0: at first no answer is preferred."""
    nn.init.normal_(layer.weight, std=deviation)
    nn.init.zeros_(layer.bias)


class Backbone(nn.Module):
    """A stem and four stages: (N, C, H, W) -> the list of the four stages' features.

    ``channels`` and ``strides`` hold four numbers each, one after each stage. A side of n px becomes n / stride,
    rounded up: every size fits.
    """

    def __init__(self, stem, stages, channels, strides):
        super().__init__()
        self.stem = stem
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.channels, self.strides = channels, strides

    def forward(self, x):
        return self.with_stem(x)[1:]

    def with_stem(self, x):
        """The stem's features and those of the four stages, a list of five."""
        features = [self.stem(x)]
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            features.append(layer(features[-1]))
        return features


def fill(module, state, weights):
    """Fill a module with the tensors of torchvision's own, which come in the same order, some under other names.

    ``state`` is the state dict that was read from ``weights``. Counters of batches don't matter: old files lack them.
    Raises ValueError, and changes nothing, unless number, shapes and kinds (weight, bias, running mean) agree.
    """
    own, given = (
        [(name, tensor) for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")]
        for tensors in (module.state_dict(), state)
    )
    for (name, tensor), (there, value) in zip_longest(own, given, fillvalue=("nothing", torch.empty(0))):
        if value.shape != tensor.shape or name.split(".")[-1] != there.split(".")[-1]:
            raise ValueError(
                f"{weights} does not fit: it holds {there} {tuple(value.shape)} where {name} {tuple(tensor.shape)} is "
                "wanted. Usual causes: weights of another network, width, number of classes or of input channels"
            )
    for (_, tensor), (_, value) in zip(own, given, strict=True):
        tensor.copy_(value)


def check_images(x, channels, smallest=1):
    """Raise ValueError unless x is a batch (N, channels, H, W) with sides of at least ``smallest`` px."""
    if x.ndim != 4:
        raise ValueError(f"a network takes a batch (N, C, H, W), not {tuple(x.shape)}: pass image[None] for one alone")
    if x.shape[1] != channels:
        raise ValueError(
            f"the network takes {channels} channels, not the {x.shape[1]} of {tuple(x.shape)}: set in_channels, "
            "or move the channels to the second axis"
        )
    if min(x.shape[-2:]) < smallest:
        raise ValueError(f"{x.shape[-2]}x{x.shape[-1]} px are too small: each side needs at least {smallest} px")
