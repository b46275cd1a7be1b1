"""DeepLabv3 and v3+ (Chen et al. 2017, 2018): atrous convolutions look far without losing resolution."""

import torch
from torch import nn

from seglib.models import backbones
from seglib.models.blocks import check_images, conv_bn_relu, resize


class DeepLabV3(nn.Module):
    """DeepLabv3 (Chen, Papandreou, Schroff, Adam 2017): a dilated backbone and atrous spatial pyramid pooling.

    ``DeepLabV3(21)`` on ResNet-50 has 39,638,869 parameters, 42,004,074 with ``aux=True``: torchvision's
    deeplabv3_resnet50, to which it is equal layer by layer, but for dropout of 0.1 as in the authors' code, not 0.5.
    Two things differ from the paper: the 3x3 convolution behind the pyramid, which is torchvision's, and the
    multi-grid (1, 2, 4) of the last stage, which both leave out.
    ``DeepLabV3(11, "compact", width=16, rates=(2, 4, 6))`` is a size for a laptop.

    Parameters
    ----------
    num_classes : int
    backbone : {"resnet50", "resnet18", "efficientnet_lite0", "compact"}
    in_channels : int
    width : int
        Of the first stage of "compact"; ResNets have 64. The pyramid has 4 * width channels a branch.
    output_stride : int
        Pixels from one cell of the last feature map to the next: 4, 8 or 16 for "compact", 8, 16 or 32 for the others.
    rates : sequence of int
        One atrous branch each. The paper's (12, 24, 36) suit a stride of 8; at 16 they are half as large.
    image_pooling : bool
        The branch that holds the mean of the whole map. In training mode it needs two pictures a batch.
    aux : bool
        A second classifier on the third stage, for training (Zhao et al. 2017).
    weights : str, optional
        For the backbone, see `seglib.models.backbones.backbone`: "imagenet" for EfficientNet-Lite0, "IMAGENET1K_V1"
        for ResNets.

    Shape
    -----
    (N, in_channels, H, W), each side at least output_stride px -> logits (N, num_classes, H, W). A network with an
    auxiliary head gives a dict: in training {"out": logits, "aux": logits}; in evaluation {"out": logits}, as nobody
    asks that head then, unless by ``net(x, aux=True)``. ValueError for any other input, and for one picture a batch in
    training mode.
    """

    def __init__(
        self,
        num_classes,
        backbone="resnet50",
        in_channels=3,
        width=64,
        output_stride=8,
        rates=(12, 24, 36),
        image_pooling=True,
        aux=False,
        weights=None,
    ):
        super().__init__()
        self.in_channels, self.output_stride = in_channels, output_stride
        self.backbone = backbones.backbone(backbone, in_channels, width, output_stride, weights=weights)
        *_, middle, last = self.backbone.channels
        self.aspp = ASPP(last, 4 * width, rates, image_pooling)
        self.head = nn.Sequential(conv_bn_relu(4 * width, 4 * width), nn.Conv2d(4 * width, num_classes, 1))
        self.aux = None
        if aux:
            conv = conv_bn_relu(middle, middle // 4)
            self.aux = nn.Sequential(conv, nn.Dropout(0.1), nn.Conv2d(middle // 4, num_classes, 1))

    def forward(self, x, aux=False):
        check_images(x, self.in_channels, self.output_stride)
        *_, middle, last = self.backbone(x)
        heads = {"out": resize(self.head(self.aspp(last)), x.shape[-2:])}
        if self.aux is not None and (self.training or aux):
            heads["aux"] = resize(self.aux(middle), x.shape[-2:])
        return heads["out"] if self.aux is None else heads


class DeepLabV3Plus(nn.Module):
    """DeepLabv3+ (Chen, Zhu, Papandreou, Schroff, Adam 2018): a small decoder brings the boundaries back.

    The pyramid's output, enlarged to the size of the first stage's features, joins these, cut to 48 channels; two
    3x3 convolutions refine both. ``DeepLabV3Plus(21)`` on ResNet-50 has 26,696,133 parameters with atrous separable
    convolutions, as in the released code; 40,352,181 with ordinary ones, as in the paper's ResNet tables.

    Parameters
    ----------
    num_classes, backbone, in_channels, width, image_pooling, weights
        As in ``DeepLabV3``. The pyramid has 4 * width channels a branch, the decoder's low-level features
        3/4 * width: 256 and 48 at width 64.
    output_stride, rates
        The paper trains at 16 with (6, 12, 18), and also tests at 8 with twice the rates.
    decoder : bool
        False takes the logits from the pyramid alone, to see what the decoder is worth. On ResNet-50 at 513 px and
        stride 16 it adds 2.8 billion multiply-adds to 36.8; with ordinary convolutions 21.8 to 50.4.
    separable : bool
        Depthwise 3x3 and 1x1 in place of each 3x3 convolution in pyramid and decoder, batch norm and ReLU after both.

    Shape
    -----
    (N, in_channels, H, W), each side at least output_stride px -> logits (N, num_classes, H, W). ValueError as in
    ``DeepLabV3``.
    """

    def __init__(
        self,
        num_classes,
        backbone="resnet50",
        in_channels=3,
        width=64,
        output_stride=16,
        rates=(6, 12, 18),
        image_pooling=True,
        decoder=True,
        separable=True,
        weights=None,
    ):
        super().__init__()
        self.in_channels, self.output_stride, self.decoder = in_channels, output_stride, decoder
        self.backbone = backbones.backbone(backbone, in_channels, width, output_stride, weights=weights)
        first, *_, last = self.backbone.channels
        conv = separable_conv if separable else conv_bn_relu
        self.aspp = ASPP(last, 4 * width, rates, image_pooling, conv)
        if decoder:
            low = 3 * width // 4
            self.low = conv_bn_relu(first, low, kernel=1)
            self.refine = nn.Sequential(conv(4 * width + low, 4 * width), conv(4 * width, 4 * width))
        self.head = nn.Conv2d(4 * width, num_classes, 1)

    def forward(self, x):
        check_images(x, self.in_channels, self.output_stride)
        first, *_, last = self.backbone(x)
        features = self.aspp(last)
        if self.decoder:
            low = self.low(first)
            features = self.refine(torch.cat([resize(features, low.shape[-2:]), low], dim=1))
        return resize(self.head(features), x.shape[-2:])


def separable_conv(in_channels, out_channels, rate=1):
    """Atrous 3x3 convolution of every channel by itself, then a 1x1 convolution across them: far fewer products."""
    depthwise = conv_bn_relu(in_channels, in_channels, rate=rate, groups=in_channels)
    return nn.Sequential(depthwise, conv_bn_relu(in_channels, out_channels, kernel=1))


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: one map seen at several rates and as a whole, side by side, then mixed.

    (N, in_channels, H, W) -> (N, width, H, W). Where a rate reaches the size of the map, eight of the nine weights
    meet nothing but padding, and the branch is a 1x1 convolution: the paper's reason for image pooling, and why
    small pictures want small rates.
    """

    def __init__(self, in_channels, width, rates, image_pooling=True, conv=conv_bn_relu):
        super().__init__()
        if any(rate < 1 for rate in rates):
            raise ValueError(f"rates are whole numbers from 1, the distance between two weights in cells, not {rates}")
        self.branches = nn.ModuleList([conv_bn_relu(in_channels, width, kernel=1)])
        self.branches.extend(conv(in_channels, width, rate=rate) for rate in rates)
        if image_pooling:
            self.branches.append(ImagePooling(in_channels, width))
        self.mix = nn.Sequential(conv_bn_relu(len(self.branches) * width, width, kernel=1), nn.Dropout(0.1))

    def forward(self, x):
        return self.mix(torch.cat([branch(x) for branch in self.branches], dim=1))


class ImagePooling(nn.Module):
    """The mean of each channel over the whole map, through a 1x1 convolution, spread over every place again."""

    def __init__(self, in_channels, width):
        super().__init__()
        self.conv = conv_bn_relu(in_channels, width, kernel=1)

    def forward(self, x):
        if len(x) == 1 and self.conv[1].training:
            raise ValueError(
                "image pooling leaves one value per channel, and batch norm cannot learn from a single one: train on "
                "batches of 2 pictures or more, with image_pooling=False, or with its batch norm in eval()"
            )
        return self.conv(x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[-2:])
