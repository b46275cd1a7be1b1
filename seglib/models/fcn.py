"""FCN (Long, Shelhamer, Darrell 2015): a classifier's dense layers become convolutions, skips bring detail back."""

import torch
from torch import nn
from torch.nn import functional as F

from seglib.models.backbones import read_weights, vgg_stages
from seglib.models.blocks import check_images, fill, he_init
from seglib.models.efficientnet_lite import EfficientNetLite0

# By padding: pixel i of the upsampled scores lies on pixel i + offset of the skip ("pool4", "pool3"), and the picture
# begins at this pixel of the last scores (8, 16, 32: their stride). Padding 100 in front of conv1_1 and none around
# fc6's 7x7 move the grids against each other by 5 and 9 px; with ordinary padding only the kernels' own margin is cut.
OFFSETS = {
    100: {"pool4": 5, "pool3": 9, 8: 31, 16: 27, 32: 19},
    1: {"pool4": -1, "pool3": -1, 8: 4, 16: 8, 32: 16},
}


class FCN(nn.Module):
    """Fully convolutional network on VGG16 or EfficientNet-Lite0, for semantic segmentation.

    ``FCN(21)`` is the paper's FCN-8s: 134,362,751 parameters; stride 16 has 134,357,354 and stride 32 134,346,581.
    Written with the reference nets' full (classes, classes, k, k) upsampling kernels, which are frozen and zero off
    the channels' diagonal, they are 134,489,759, 134,815,994 and 136,152,917. ``FCN(11, "vgg16_bn", width=8,
    padding=1)`` is the course's compact size: 2.1 million. ``FCN(11, "efficientnet_lite0", weights="imagenet")``, 3.4
    million, does to a newer classifier what the paper did to VGG16: its layer of 1,280 channels stands for fc6 and fc7.

    The paper trains 32 -> 16 -> 8. ``finer.load_state_dict(coarser.state_dict(), strict=False)`` takes over what the
    coarser net has learned. The new skip's scores start at zero, so the finer net first gives what the coarser one
    gives, but for the cut corners of upsampling in two steps.

    Parameters
    ----------
    num_classes : int
    backbone : {"vgg16", "vgg16_bn", "efficientnet_lite0"}
        VGG16 without batch norm as in the paper, or with it, to learn from scratch.
    stride : {8, 16, 32}
        Of the finest scores: 32 has no skip, 16 adds scores of pool4, 8 also of pool3.
    width : int
        Channels of VGG16's first stage; fc6 and fc7 have 64 times as many.
    padding : {100, 1}
        Of VGG16's first convolution. 100 is the paper's: a border so wide that fc6 needs no padding, cropped at last.
        1 pads every layer by half its kernel instead, for small pictures: 96 px then are not worked on as 294.
    weights : str, optional
        "IMAGENET1K_V1", torchvision's VGG16: fills the stages, and fc6 and fc7 with the classifier's dense layers.
        Needs width 64 and three channels, normalised as torchvision does. For EfficientNet-Lite0 "imagenet", see
        `seglib.models.efficientnet_lite.EfficientNetLite0`.

    Shape
    -----
    (N, in_channels, H, W) -> logits (N, num_classes, H, W), for every H and W.

    Raises ValueError for a backbone, stride or padding that there is not, for weights that do not fit, and for input
    that is no batch or has other channels.
    """

    def __init__(self, num_classes, backbone="vgg16", stride=8, in_channels=3, width=64, padding=100, weights=None):
        super().__init__()
        if backbone not in ("vgg16", "vgg16_bn", "efficientnet_lite0"):
            raise ValueError(f'backbone is "vgg16", "vgg16_bn" or "efficientnet_lite0", not {backbone!r}')
        if stride not in (8, 16, 32):
            raise ValueError(f"stride is 8, 16 or 32, not {stride!r}")
        if padding not in OFFSETS:
            raise ValueError(f"padding is 100 (the paper's) or 1, not {padding!r}: the crops fit these two")
        self.in_channels, self.stride, self.vgg = in_channels, stride, backbone != "efficientnet_lite0"
        if self.vgg:
            self.offsets, channels = OFFSETS[padding], (4 * width, 8 * width, 64 * width)
            self.stages = vgg_stages(in_channels, width, batch_norm=backbone == "vgg16_bn")
            self.stages[0][0].padding = (padding, padding)
            self.fc6 = nn.Conv2d(8 * width, 64 * width, 7, padding=0 if padding == 100 else 3)
            self.fc7 = nn.Conv2d(64 * width, 64 * width, 1)
        else:
            self.offsets, channels = OFFSETS[1], (40, 112, 1280)
            classifier = EfficientNetLite0(in_channels=in_channels, weights=weights)
            self.backbone, self.head = classifier.backbone, classifier.head
        self.dropout = nn.Dropout(0.5)
        self.score = scoring(channels[2], num_classes)
        if stride <= 16:
            self.score_pool4 = scoring(channels[1], num_classes)
        if stride == 8:
            self.score_pool3 = scoring(channels[0], num_classes)
        self.up2, self.up = BilinearUpsampling(2), BilinearUpsampling(stride)
        if self.vgg:
            he_init(self.fc6)
            he_init(self.fc7)
            if weights is not None:
                self._load_vgg(backbone, weights)

    def forward(self, x):
        check_images(x, self.in_channels)
        pool3, pool4, last = self.features(x)
        scores = self.score(last)
        if self.stride <= 16:
            scores = add_skip(self.up2(scores), self.score_pool4(pool4), self.offsets["pool4"])
        if self.stride == 8:
            scores = add_skip(self.up2(scores), self.score_pool3(pool3), self.offsets["pool3"])
        return crop(self.up(scores), self.offsets[self.stride], x.shape[-2:])

    def features(self, x):
        """What is scored: the features of stride 8 and 16, and the last ones, of stride 32."""
        if not self.vgg:
            _, third, fourth, fifth = self.backbone(x)
            return third, fourth, self.dropout(self.head(fifth))
        pooled = []
        for stage in self.stages:
            x = F.max_pool2d(stage(x), 2, ceil_mode=True)
            pooled.append(x)
        x = self.dropout(F.relu(self.fc6(x)))
        return pooled[2], pooled[3], self.dropout(F.relu(self.fc7(x)))

    @torch.no_grad()
    def _load_vgg(self, name, weights):
        """A dense layer on C x 7 x 7 features, row by row, is a 7x7 convolution: only the tensor's shape changes."""
        state = read_weights(name, weights)
        fill(self.stages, {key: value for key, value in state.items() if key.startswith("features.")}, weights)
        for layer, place in ((self.fc6, "classifier.0"), (self.fc7, "classifier.3")):
            layer.weight.copy_(state[f"{place}.weight"].view_as(layer.weight))
            layer.bias.copy_(state[f"{place}.bias"])


class BilinearUpsampling(nn.Module):
    """Transposed convolution that enlarges every channel by itself, with a frozen bilinear kernel of twice the stride.

    (N, C, H, W) -> (N, C, (H + 1) * stride, (W + 1) * stride). Half a stride is margin on each side: without it, this
    is ``F.interpolate(mode="bilinear")``, but for half a stride more along the border, where it fades to zero.
    """

    def __init__(self, stride):
        super().__init__()
        self.stride = stride
        # Not saved: it follows from the stride, and nets of different strides then share their weights' names.
        self.register_buffer("kernel", bilinear_kernel(2 * stride)[None, None], persistent=False)

    def forward(self, x):
        kernel = self.kernel.expand(x.shape[1], -1, -1, -1)
        with torch.autocast("cpu", enabled=False):  # in bfloat16 this takes a CPU 7 to 34 times as long
            return F.conv_transpose2d(x.to(kernel.dtype), kernel, stride=self.stride, groups=x.shape[1])


def bilinear_kernel(size):
    """Weights (size, size) that a transposed convolution of stride (size + 1) // 2 interpolates with.

    w[i, j] = (1 - |i - c| / f) (1 - |j - c| / f) with f = (size + 1) // 2 and c the kernel's centre; for an odd size,
    c = f - 1. The values at the picture's positions sum to 1.
    """
    factor = (size + 1) // 2
    centre = factor - 1 if size % 2 else factor - 0.5
    line = 1 - (torch.arange(size, dtype=torch.float32) - centre).abs() / factor
    return torch.outer(line, line)


def scoring(channels, num_classes):
    """1x1 convolution to class scores that starts at zero, as in the reference nets: no class is preferred."""
    conv = nn.Conv2d(channels, num_classes, 1)
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)
    return conv


def add_skip(scores, skip, offset):
    """Add where they lie upon each other: pixel i of ``scores`` on pixel i + offset of ``skip``; cut the rest."""
    if offset < 0:
        return crop(scores, -offset, skip.shape[-2:]) + skip
    return scores + crop(skip, offset, scores.shape[-2:])


def crop(x, offset, size):
    """Cut (..., H, W) to the given size, from pixel (offset, offset) on."""
    return x[..., offset : offset + size[0], offset : offset + size[1]]
