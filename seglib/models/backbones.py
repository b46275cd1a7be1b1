"""What the networks see with: VGG16 (Simonyan, Zisserman 2015), dilated ResNets (He et al. 2016), and a compact one.

ImageNet weights fill them by name, or from a file. They expect three channels, normalised by
``transforms.Normalize`` with mean (0.485, 0.456, 0.406) and deviation (0.229, 0.224, 0.225).
"""

from collections import OrderedDict
from itertools import pairwise
from pathlib import Path

import torch
import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock

from seglib.models.blocks import he_init


def vgg_stages(in_channels=3, width=64, batch_norm=False):
    """VGG16's thirteen 3x3 convolutions as five stages, without the poolings that follow each.

    An ``nn.ModuleList`` of five Sequentials with 2, 2, 3, 3, 3 times convolution, (batch norm,) ReLU, of width
    x (1, 2, 4, 8, 8) channels. 14,714,688 parameters at width 64, 14,723,136 with batch norm.
    """
    stages = nn.ModuleList()
    for convolutions, factor in ((2, 1), (2, 2), (3, 4), (3, 8), (3, 8)):
        stages.append(vgg_stage([in_channels, *convolutions * [factor * width]], batch_norm))
        in_channels = factor * width
    he_init(stages)
    return stages


def vgg_stage(channels, batch_norm):
    """3x3 convolution, (batch norm,) ReLU from each number of channels to the next."""
    layers = []
    for inputs, outputs in pairwise(channels):
        layers.append(nn.Conv2d(inputs, outputs, 3, padding=1))
        layers += [nn.BatchNorm2d(outputs)] if batch_norm else []
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class Backbone(nn.Module):
    """A stem and four stages of residual blocks: (N, C, H, W) -> the list of the four stages' features.

    ``channels`` and ``strides`` hold four numbers each, one after each stage. A side of n px becomes n / stride,
    rounded up: every size fits.
    """

    def __init__(self, stem, stages, channels, strides):
        super().__init__()
        self.stem = stem
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.channels, self.strides = channels, strides

    def forward(self, x):
        features = [self.layer1(self.stem(x))]
        for layer in (self.layer2, self.layer3, self.layer4):
            features.append(layer(features[-1]))
        return features


def backbone(name, in_channels=3, width=64, output_stride=32, stem="standard", uniform_dilation=False, weights=None):
    """Build the backbone of a segmentation network, a `Backbone`.

    Parameters
    ----------
    name : {"resnet18", "resnet50", "compact"}
        torchvision's ResNets, 11,176,512 and 23,508,032 parameters without their classifier; or a small one for
        pictures of about 100 px and no GPU, of ``width`` x (1, 2, 4, 4) channels and stride 2, 4, 8, 16.
    width : int
        Channels of the first stage; for ResNets always 64.
    output_stride : int
        Stride of the last stage: 8, 16 or 32 for ResNets, 4, 8 or 16 for "compact". Stages that would be coarser
        lose their stride and get dilated 3x3 convolutions instead, which see as far as before.
    stem : {"standard", "deep"}
        How a ResNet starts: one 7x7 convolution, or three of 3x3 with 64, 64 and 128 channels (as PSPNet).
    uniform_dilation : bool
        False: a stage's first convolution keeps the dilation of the stage before, as in torchvision, so that
        every ``stride``-th value is just what the undilated network gives. True: all 3x3 convolutions of a
        stage have one dilation, 2 then 4 (PSPNet's reference code).
    weights : str or path, optional
        See `load_weights`.

    Raises ValueError for a name, stem, stride or width that there is not, and as `load_weights` does.
    """
    if name not in ("resnet18", "resnet50", "compact"):
        raise ValueError(f'backbone is "resnet18", "resnet50" or "compact", not {name!r}')
    if stem not in ("standard", "deep"):
        raise ValueError(f'stem is "standard" or "deep", not {stem!r}')
    if name != "compact" and width != 64:
        raise ValueError(f'{name} has width 64, not {width}: only "compact" comes in other widths')
    net = compact(in_channels, width) if name == "compact" else resnet(name, in_channels, stem)
    if output_stride not in net.strides[1:]:
        raise ValueError(f"output_stride of {name} is one of {net.strides[1:]}, not {output_stride!r}")
    rate = 1
    for layer in (net.layer2, net.layer3, net.layer4)[net.strides.index(output_stride) :]:
        dilate(layer, rate, 2 * rate if uniform_dilation else rate)
        rate *= 2
    net.strides = [min(stride, output_stride) for stride in net.strides]
    if weights is not None:
        load_weights(net, name, weights)
    return net


def resnet(name, in_channels, stem):
    """torchvision's ResNet without its classifier; the tensors' names stay those of its weight files."""
    net = getattr(torchvision.models, name)()
    if stem == "deep":
        widths = [in_channels, 64, 64, 128]
        layers = {}
        for i in (1, 2, 3):
            layers[f"conv{i}"] = nn.Conv2d(widths[i - 1], widths[i], 3, 2 if i == 1 else 1, padding=1, bias=False)
            layers |= {f"bn{i}": nn.BatchNorm2d(widths[i]), f"relu{i}": nn.ReLU(inplace=True)}
        net.inplanes = 128  # the first stage anew, for the 128 channels that the stem hands over
        net.layer1 = net._make_layer(type(net.layer1[0]), 64, len(net.layer1))
        he_init(net.layer1)
    else:
        conv1 = net.conv1 if in_channels == 3 else nn.Conv2d(in_channels, 64, 7, 2, padding=3, bias=False)
        layers = {"conv1": conv1, "bn1": net.bn1, "relu": net.relu}
    stem = nn.Sequential(OrderedDict(layers | {"maxpool": net.maxpool}))
    if stem.conv1 is not net.conv1:
        he_init(stem)
    expansion = net.layer4[0].expansion
    channels = [expansion * c for c in (64, 128, 256, 512)]
    return Backbone(stem, [net.layer1, net.layer2, net.layer3, net.layer4], channels, [4, 8, 16, 32])


def compact(in_channels, width):
    """A residual network for small pictures: 1, 1, 2 and 2 blocks at stride 2, 4, 8 and 16."""
    stem = nn.Sequential(
        nn.Conv2d(in_channels, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    )
    channels = [width, 2 * width, 4 * width, 4 * width]
    stages = [nn.Sequential(BasicBlock(width, width))]
    for inputs, outputs, blocks in zip(channels, channels[1:], (1, 2, 2), strict=False):
        shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs))
        more = [BasicBlock(outputs, outputs) for _ in range(blocks - 1)]
        stages.append(nn.Sequential(BasicBlock(inputs, outputs, 2, shortcut), *more))
    net = Backbone(stem, stages, channels, [2, 4, 8, 16])
    he_init(net)
    return net


def dilate(stage, rate, first_rate):
    """Take a stage's stride of 2 away and let its 3x3 convolutions step over the pixels that are now between.

    ``rate`` is the dilation in front of the stage; it is twice that behind. ``first_rate`` is given to the 3x3
    convolutions up to the one that had the stride.
    """
    current = first_rate
    for conv in stage.modules():
        if isinstance(conv, nn.Conv2d):
            if conv.kernel_size == (3, 3):
                conv.dilation = conv.padding = (current, current)
            if conv.stride == (2, 2):
                conv.stride, current = (1, 1), 2 * rate


def read_weights(name, weights):
    """Read a network's tensors by the names they have in torchvision.

    ``name`` is a torchvision network such as "vgg16"; ``weights`` one of its sets of weights, "IMAGENET1K_V1",
    which torchvision downloads and checks once, or the path of a local file of that form. Of a file, only tensors
    are read, never code. Raises ValueError if there are no such weights, OSError if they can't be fetched.
    """
    if name == "compact":
        raise ValueError("weights: nobody has trained the compact backbone on ImageNet; take a ResNet, or weights=None")
    known = torchvision.models.get_model_weights(name)
    if weights in known.__members__:
        try:
            return known[weights].get_state_dict(progress=False, check_hash=True, weights_only=True)
        except (OSError, RuntimeError) as error:  # RuntimeError: another checksum
            raise OSError(
                f"the weights {weights} of {name} can't be fetched: {error}. Without a network, give the path of a file"
            ) from error
    if not Path(weights).is_file():
        raise ValueError(
            f"weights of {name} are one of {list(known.__members__)} or the path of a file; {weights!r} is neither"
        )
    state = torch.load(weights, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or not all(map(torch.is_tensor, state.values())):
        raise ValueError(
            f"{weights} holds no table of tensors by name: was it saved with torch.save(net.state_dict())?"
        )
    return state


def load_weights(module, name, weights):
    """Fill a `Backbone` or the stages of `vgg_stages` with weights of torchvision's network ``name``.

    ``weights`` is what `read_weights` takes; returns and raises what `fill` does.
    """
    return fill(module, name, read_weights(name, weights), weights)


def fill(module, name, state, source):
    """Fill a `Backbone` or the stages of `vgg_stages` with the tensors ``state`` that were read from ``source``.

    Returns the report: a dict of lists of names as in the file, "loaded", "missing" (wanted, not in the file),
    "unexpected" (in the file, not wanted: the classifier), and "mismatched", of triples (name, shape in the file,
    shape wanted).

    Raises ValueError with that report, and leaves the module as it was, if anything is missing or mismatched.
    Counters of batches that batch norm keeps may be missing, as they are from files of before 2018.
    """
    own, names = module.state_dict(), names_in_file(module)
    report = {"loaded": [], "missing": [], "mismatched": [], "unexpected": sorted(set(state) - set(names.values()))}
    for key, there in names.items():
        if there not in state:
            report["missing"] += [] if there.endswith("num_batches_tracked") else [there]
        elif state[there].shape != own[key].shape:
            report["mismatched"].append((there, tuple(state[there].shape), tuple(own[key].shape)))
        else:
            report["loaded"].append(there)
    if report["missing"] or report["mismatched"]:
        raise ValueError(
            f"{source} does not fit this {name}: {len(report['loaded'])} tensors do; missing {report['missing']}; of "
            f"another shape (name, in the file, here) {report['mismatched']}; not wanted {report['unexpected']}. "
            "Usual causes: weights of another network; another number of input channels, width or stem"
        )
    module.load_state_dict({key: state[there] for key, there in names.items() if there in state}, strict=False)
    return report


def names_in_file(module):
    """Own name -> torchvision's name of every tensor."""
    if isinstance(module, Backbone):
        return {key: key.removeprefix("stem.") for key in module.state_dict()}
    # torchvision numbers VGG's layers through all stages, counting a pooling after each.
    first = [sum(len(stage) + 1 for stage in module[:i]) for i in range(len(module))]
    names = {}
    for key in module.state_dict():
        stage, layer, tensor = key.split(".")
        names[key] = f"features.{first[int(stage)] + int(layer)}.{tensor}"
    return names
