"""PSPNet (Zhao, Shi, Qi, Wang, Jia 2017): every pixel is classified with a summary of the whole scene beside it."""

import torch
from torch import nn
from torch.nn import functional as F

from seglib.models import backbones
from seglib.models.blocks import check_images, conv_bn_relu, he_init, resize


class PSPNet(nn.Module):
    """Pyramid scene parsing network for semantic segmentation.

    ``PSPNet(21)`` is the authors' network: ResNet-50 with a stem of three convolutions and output stride 8, a pyramid
    of 1, 2x2, 3x3 and 6x6 bins, an auxiliary head on the third stage: 49,081,578 parameters, 46,716,373 without the
    auxiliary head; with the standard stem, which ImageNet weights need, 48,957,802 and 46,592,597.
    ``PSPNet(11, "compact", width=24)`` is the course's compact size: 753,790 parameters.

    Parameters
    ----------
    num_classes : int
    backbone : {"resnet50", "resnet18", "efficientnet_lite0", "compact"}
    in_channels, width : int
        The width counts for "compact" only: channels of its first stage.
    bins : tuple of int
        Cells along a side at each level of the pyramid; () leaves the pyramid out.
    pooling : {"average", "max"}
    aux : bool
        Adds a second classifier on the third stage, whose loss counts 0.4: it helps the deep network to train.
    stem : {"deep", "standard"}
        Of a ResNet: three 3x3 convolutions, or one 7x7.
    output_stride : int
        Pixels of the picture between neighbouring features; 4 ("compact" only) keeps more of small pictures.
    weights : str, optional
        ImageNet weights for the backbone, see `seglib.models.backbones.backbone`: "imagenet" for EfficientNet-Lite0;
        those of ResNets need ``stem="standard"``.

    Shape
    -----
    (N, in_channels, H, W) -> logits (N, num_classes, H, W). A network with an auxiliary head gives a dict: in training
    {"out": logits, "aux": logits}; in evaluation {"out": logits}, as nobody asks that head then, unless by
    ``net(x, aux=True)``. Any H and W; the authors' code asks for multiples of 8 plus 1, where the corner pixels of
    features and picture coincide.

    ValueError for what is no batch of such pictures, for weights that do not fit, and in training mode for a batch of
    one if 1 is among the bins.
    """

    def __init__(
        self,
        num_classes,
        backbone="resnet50",
        in_channels=3,
        width=64,
        bins=(1, 2, 3, 6),
        pooling="average",
        aux=True,
        stem="deep",
        output_stride=8,
        weights=None,
    ):
        super().__init__()
        self.in_channels = in_channels
        self.backbone = backbones.backbone(
            backbone, in_channels, width, output_stride, stem, uniform_dilation=True, weights=weights
        )
        third, fourth = self.backbone.channels[2:]
        self.pyramid = PyramidPooling(fourth, bins, pooling)
        self.classifier = classifier(self.pyramid.out_channels, fourth // 4, num_classes)
        self.aux = classifier(third, third // 4, num_classes) if aux else None
        he_init(self.pyramid)
        he_init(self.classifier)
        if aux:
            he_init(self.aux)

    def forward(self, x, aux=False):
        check_images(x, self.in_channels)
        third, fourth = self.backbone(x)[2:]
        size = x.shape[-2:]
        heads = {"out": resize(self.classifier(self.pyramid(fourth)), size, align_corners=True)}
        if self.aux is not None and (self.training or aux):
            heads["aux"] = resize(self.aux(third), size, align_corners=True)
        return heads["out"] if self.aux is None else heads


class PyramidPooling(nn.Module):
    """The features beside their summaries over grids of bins: (N, C, H, W) -> (N, 2C, H, W).

    Each level averages (or takes the maximum) over the cells of its grid, cuts the channels to C // len(bins) and comes
    back to H, W by bilinear interpolation. ValueError in training mode for a batch of one if 1 is among the bins.
    """

    def __init__(self, channels, bins=(1, 2, 3, 6), pooling="average"):
        super().__init__()
        if pooling not in ("average", "max"):
            raise ValueError(f'pooling is "average" or "max", not {pooling!r}')
        if not isinstance(bins, tuple) or not all(isinstance(size, int) and size > 0 for size in bins):
            raise ValueError(f"bins is a tuple of numbers of cells along a side, such as (1, 2, 3, 6), not {bins!r}")
        self.bins, reduced = bins, channels // max(len(bins), 1)
        self.out_channels = channels + len(bins) * reduced
        self.pool = F.adaptive_avg_pool2d if pooling == "average" else F.adaptive_max_pool2d
        self.reduce = nn.ModuleList(conv_bn_relu(channels, reduced, kernel=1) for _ in bins)

    def forward(self, x):
        if self.training and len(x) == 1 and 1 in self.bins:
            raise ValueError(
                "the 1x1 bin leaves one value per channel in a batch of 1, and batch norm can't train on that: give "
                "two pictures or more (drop a short last batch), leave 1 out of bins, or call .pyramid.eval() to use "
                "the running averages"
            )
        levels = [x]
        for size, reduce in zip(self.bins, self.reduce, strict=True):
            levels.append(resize(reduce(self.pool(x, size)), x.shape[-2:], align_corners=True))
        return torch.cat(levels, dim=1)


def classifier(in_channels, hidden, num_classes):
    """3x3 convolution, batch norm, ReLU, dropout of whole channels (0.1), and scores by a 1x1 convolution."""
    return nn.Sequential(conv_bn_relu(in_channels, hidden), nn.Dropout2d(0.1), nn.Conv2d(hidden, num_classes, 1))
