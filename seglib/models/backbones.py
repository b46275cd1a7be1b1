"""What the networks see with: VGG16 (Simonyan, Zisserman 2015), dilated ResNets (He et al. 2016), and small ones.

ResNets are torchvision's, and VGG16 and they take its ImageNet weights. These expect three channels, normalised by
``transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD)``; EfficientNet-Lite0's, which come with the course, by
``transforms.Normalize(EfficientNetLite0.mean, EfficientNetLite0.std)``.
"""

from collections import OrderedDict
from itertools import pairwise

import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock
from torchvision.ops import FrozenBatchNorm2d

from seglib.models.blocks import Backbone, conv_bn_relu, he_init
from seglib.models.efficientnet_lite import EfficientNetLite0

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of torchvision's networks


def read_weights(name, weights):
    """The state dict of torchvision's network ``name``, such as "vgg16", with ``weights`` such as "IMAGENET1K_V1".

    torchvision downloads them once, checks them, and reads tensors only, never code. Raises ValueError for weights
    that it does not have.
    """
    known = torchvision.models.get_model_weights(name).__members__
    if weights not in known:
        raise ValueError(f"weights of {name} are None or one of {list(known)}, not {weights!r}")
    return known[weights].get_state_dict(check_hash=True, weights_only=True)


def vgg_stages(in_channels=3, width=64, batch_norm=False):
    """VGG16's thirteen 3x3 convolutions as five stages, without the poolings that follow each.

    An ``nn.ModuleList`` of five Sequentials with 2, 2, 3, 3, 3 times convolution, (batch norm,) ReLU, of width
    x (1, 2, 4, 8, 8) channels. 14,714,688 parameters at width 64, 14,723,136 with batch norm.
    """
    stages = nn.ModuleList()
    for convolutions, factor in ((2, 1), (2, 2), (3, 4), (3, 8), (3, 8)):
        stages.append(vgg_stage([in_channels] + convolutions * [factor * width], batch_norm))
        in_channels = factor * width
    he_init(stages)
    return stages


def vgg_stage(channels, batch_norm):
    """3x3 convolution, (batch norm,) ReLU from each number of channels to the next."""
    layers = []
    for inputs, outputs in pairwise(channels):
        if batch_norm:
            layers.extend(conv_bn_relu(inputs, outputs, bias=True))
        else:
            layers.extend([nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)])
    return nn.Sequential(*layers)


def backbone(name, in_channels=3, width=64, output_stride=32, stem="standard", uniform_dilation=False, weights=None):
    """Build the backbone of a segmentation network, a `Backbone`.

    Parameters
    ----------
    name : {"resnet18", "resnet50", "efficientnet_lite0", "compact"}
        torchvision's ResNets, 11,176,512 and 23,508,032 parameters without their classifier; EfficientNet-Lite0
        without head and classifier, 2,958,848; or a small one for pictures of about 100 px and no GPU, of ``width`` x
        (1, 2, 4, 4) channels and stride 2, 4, 8, 16.
    in_channels, width : int
        Channels of the picture, and of the first stage of "compact": 3 and 64 for ResNets; EfficientNet-Lite0 comes in
        one width.
    output_stride : int
        Stride of the last stage: 4, 8 or 16 for "compact", 8, 16 or 32 for the others. Stages that would be coarser
        lose their stride and get dilated convolutions instead, which see as far as before.
    stem : {"standard", "deep"}
        How a ResNet (no other) starts: one 7x7 convolution, or three of 3x3 with 64, 64 and 128 channels (as PSPNet).
    uniform_dilation : bool
        False: a stage's first convolution keeps the dilation of the stage before, as in torchvision, so that
        every ``stride``-th value is just what the undilated network gives (in EfficientNet-Lite0 not always from the
        first on: see `seglib.models.efficientnet_lite.SameConv2d`). True: all convolutions of a stage have one
        dilation, 2 then 4 (PSPNet's reference code).
    weights : str, optional
        Of EfficientNet-Lite0, with three channels: "imagenet", which comes with the course. Of a ResNet with the
        standard stem: "IMAGENET1K_V1", which torchvision downloads once.

    Raises ValueError for a name, stem, stride, width or number of channels that there is not, and for weights that do
    not fit.
    """
    if stem not in ("standard", "deep"):
        raise ValueError(f'stem is "standard" or "deep", not {stem!r}')
    if weights is not None and (name == "compact" or (name.startswith("resnet") and stem == "deep")):
        raise ValueError(f"there are no weights of {name} with the {stem} stem: change these, or take weights=None")
    if name == "efficientnet_lite0":
        net = EfficientNetLite0(in_channels=in_channels, weights=weights).backbone
    elif name == "compact":
        net = compact(in_channels, width)
    elif name in ("resnet18", "resnet50"):
        if (width, in_channels) != (64, 3):
            raise ValueError(f"{name} has width 64 and 3 channels, not {width} and {in_channels}")
        net = resnet(name, stem, weights)
    else:
        raise ValueError(f'backbone is "resnet18", "resnet50", "efficientnet_lite0" or "compact", not {name!r}')
    if output_stride not in net.strides[1:]:
        raise ValueError(f"output_stride of {name} is one of {net.strides[1:]}, not {output_stride!r}")
    rate = 1
    for layer, stride in zip((net.layer2, net.layer3, net.layer4), net.strides[1:], strict=True):
        if stride > output_stride:
            dilate(layer, rate, 2 * rate if uniform_dilation else rate)
            rate *= 2
    net.strides = [min(stride, output_stride) for stride in net.strides]
    return net


def resnet(name, stem, weights):
    """torchvision's ResNet without its classifier."""
    net = torchvision.models.get_model(name)
    if weights is not None:
        net.load_state_dict(read_weights(name, weights))
    start = nn.Sequential(OrderedDict(conv1=net.conv1, bn1=net.bn1, relu=net.relu, maxpool=net.maxpool))
    if stem == "deep":
        first, second = conv_bn_relu(3, 64, stride=2), conv_bn_relu(64, 64)
        start = nn.Sequential(first, second, conv_bn_relu(64, 128), net.maxpool)
        net.inplanes = 128  # the first stage anew, for the 128 channels that the stem hands over
        net.layer1 = net._make_layer(type(net.layer1[0]), 64, len(net.layer1))
        he_init(net.layer1)
        he_init(start)
    expansion = net.layer4[0].expansion
    channels = [expansion * c for c in (64, 128, 256, 512)]
    return Backbone(start, [net.layer1, net.layer2, net.layer3, net.layer4], channels, [4, 8, 16, 32])


def compact(in_channels, width):
    """A residual network for small pictures: 1, 1, 2 and 2 blocks at stride 2, 4, 8 and 16."""
    stem = conv_bn_relu(in_channels, width, stride=2)
    channels = [width, 2 * width, 4 * width, 4 * width]
    stages = [nn.Sequential(BasicBlock(width, width))]
    for inputs, outputs, blocks in zip(channels[:-1], channels[1:], (1, 2, 2), strict=True):
        shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs))
        more = [BasicBlock(outputs, outputs) for _ in range(blocks - 1)]
        stages.append(nn.Sequential(BasicBlock(inputs, outputs, 2, shortcut), *more))
    net = Backbone(stem, stages, channels, [2, 4, 8, 16])
    he_init(net)
    return net


def freeze_batch_norm(net):
    """Let every batch norm keep statistics, scale and shift: detectors see too few pictures at once to learn them."""
    for module in list(net.modules()):
        for name, norm in module.named_children():
            if isinstance(norm, nn.BatchNorm2d):
                frozen = FrozenBatchNorm2d(norm.num_features, norm.eps)
                frozen.load_state_dict(norm.state_dict())
                setattr(module, name, frozen)


def dilate(stage, rate, first_rate):
    """Take a stage's stride of 2 away and let its convolutions step over the pixels that are now between.

    ``rate`` is the dilation in front of the stage; it is twice that behind. ``first_rate`` is given to the
    convolutions up to the one that had the stride.
    """
    current = first_rate
    for conv in stage.modules():
        if isinstance(conv, nn.Conv2d):
            if conv.kernel_size != (1, 1):
                conv.dilation = (current, current)
                conv.padding = tuple(current * (side // 2) for side in conv.kernel_size)
            if conv.stride == (2, 2):
                conv.stride, current = (1, 1), 2 * rate
