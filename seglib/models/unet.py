"""U-Net (Ronneberger, Fischer, Brox 2015): an encoder, a decoder, and skips that carry features across."""

import torch
from torch import nn
from torch.nn import functional as F

from seglib.models.blocks import Backbone, check_images, conv_bn_relu, he_init
from seglib.models.efficientnet_lite import EfficientNetLite0


class UNet(nn.Module):
    """U-Net for semantic segmentation.

    ``UNet(1, 2, padding="valid", dropout=0.5)`` is the paper's network: 23 convolutional layers without padding and
    without batch norm, 31,030,658 parameters, 572x572 in and 388x388 out. ``padding="same"`` (the default) is
    the variant most people use today: padded convolutions with batch norm, output as large as the input, any
    size. ``UNet(1, 2, width=16, depth=3)`` is the course's compact size: 0.5 million parameters.
    ``UNet(3, 2, width=16, backbone="efficientnet_lite0", weights="imagenet")`` descends with a pretrained classifier,
    down to stride 32, and has 5.4 million.

    Parameters
    ----------
    in_channels, num_classes : int
    width : int
        Channels of the first level; each level below has twice as many.
    depth : int
        Number of poolings; always 5 with a backbone.
    padding : {"same", "valid"}
    skips : bool
        False cuts the skips, to see what they are worth. The decoder's first convolutions then get half the input.
    dropout : float
        Probability of dropping a value at the end of the contracting path; the paper has it, at the two lowest levels.
    backbone : {None, "efficientnet_lite0"}
        What goes down in place of the double convolutions. Skips come from stride 16, 8, 4 and 2, and the picture.
    weights : {None, "imagenet"}
        Of the backbone, see `seglib.models.efficientnet_lite.EfficientNetLite0`.

    Shape
    -----
    (N, in_channels, H, W) -> logits (N, num_classes, H, W), or H - 184, W - 184 for "valid" at depth 4.

    Raises ValueError for a padding, backbone or weights that there are not or that do not go together, and for pictures
    that are too small, do not fit "valid" (see `valid_output_size`) or are no batch of in_channels.
    """

    def __init__(
        self,
        in_channels,
        num_classes,
        width=64,
        depth=4,
        padding="same",
        skips=True,
        dropout=0.0,
        backbone=None,
        weights=None,
    ):
        super().__init__()
        if padding not in ("same", "valid"):
            raise ValueError(f'padding is "same" or "valid", not {padding!r}')
        if backbone not in (None, "efficientnet_lite0"):
            raise ValueError(f'backbone is None or "efficientnet_lite0", not {backbone!r}')
        if backbone is None and weights is not None:
            raise ValueError(f'weights {weights!r} fill a backbone: give backbone="efficientnet_lite0" with them')
        if backbone is not None and padding == "valid":
            raise ValueError('with a backbone, padding is "same": its own convolutions are padded')
        depth = depth if backbone is None else 5
        self.in_channels, self.padding, self.depth, self.skips = in_channels, padding, depth, skips
        widths = [width * 2**level for level in range(depth + 1)]
        # The figure's left side, right side (an up-convolution and a double one at each level), and last arrow.
        self.backbone = None
        if backbone is None:
            inputs, channels = [in_channels, *widths[:-1]], widths
            self.down = nn.ModuleList(DoubleConv(i, o, padding) for i, o in zip(inputs, widths, strict=True))
        else:
            self.backbone = EfficientNetLite0(in_channels=in_channels, weights=weights).backbone
            channels = [in_channels, 16, *self.backbone.channels]
        upwards, skipped = list(reversed(widths[:-1])), list(reversed(channels[:-1]))
        below = [channels[-1], *upwards[:-1]]
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, w, 2, stride=2) for b, w in zip(below, upwards, strict=True))
        merged = [w + skip if skips else w for w, skip in zip(upwards, skipped, strict=True)]
        self.merge = nn.ModuleList(DoubleConv(i, w, padding) for i, w in zip(merged, upwards, strict=True))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Conv2d(width, num_classes, 1)
        for part in self.children():
            if not isinstance(part, Backbone):  # which has its weights
                he_init(part)

    def forward(self, x):
        features = self.contract(x)
        x = features[-1]
        for up, double_conv, skip in zip(self.up, self.merge, reversed(features[:-1]), strict=True):
            x = up(x)
            if self.padding == "same":
                height, width = skip.shape[-2:]
                x = pad_to(x[..., :height, :width], (height, width))
            else:
                skip = crop_to(skip, x.shape[-2:])
            x = double_conv(torch.cat([skip, x], dim=1) if self.skips else x)
        return self.head(x)

    def contract(self, x):
        """The features of every level, the finest first: what the skips carry across, and where the way up begins."""
        if self.backbone is not None:
            check_images(x, self.in_channels)
            *features, lowest = self.backbone.with_stem(x)
            return [x, *features, self.dropout(lowest)]
        check_images(x, self.in_channels, smallest=2**self.depth if self.padding == "same" else 1)
        if self.padding == "valid":
            for side in x.shape[-2:]:
                valid_output_size(side, self.depth)
        features = []
        for level, double_conv in enumerate(self.down):
            x = double_conv(x if level == 0 else F.max_pool2d(x, 2))
            if level >= self.depth - 1:
                x = self.dropout(x)
            features.append(x)
        return features


class DoubleConv(nn.Sequential):
    """Two of the figure's blue arrows: 3x3 convolution and ReLU, twice; with padding, batch norm in between."""

    def __init__(self, in_channels, out_channels, padding):
        if padding == "same":
            super().__init__(conv_bn_relu(in_channels, out_channels), conv_bn_relu(out_channels, out_channels))
        else:
            super().__init__(
                nn.Sequential(nn.Conv2d(in_channels, out_channels, 3), nn.ReLU(inplace=True)),
                nn.Sequential(nn.Conv2d(out_channels, out_channels, 3), nn.ReLU(inplace=True)),
            )


def pad_to(x, size):
    """Repeat the last row and column until (..., H, W) has the given size.

    Pooling drops the last row of an odd height, so what comes up again is one short of its skip.
    """
    bottom, right = size[0] - x.shape[-2], size[1] - x.shape[-1]
    return F.pad(x, (0, right, 0, bottom), mode="replicate") if bottom or right else x


def crop_to(x, size):
    """Cut (..., H, W) to its centre of the given size; where the margin is odd the extra pixel goes at the end."""
    top, left = (x.shape[-2] - size[0]) // 2, (x.shape[-1] - size[1]) // 2
    return x[..., top : top + size[0], left : left + size[1]]


def valid_output_size(size, depth=4):
    """Output length of a U-Net without padding, for an input length: 572 -> 388 at depth 4.

    Raises ValueError for lengths that meet an odd number before a pooling (the paper asks for even ones), or that
    nothing is left of; the message names the nearest lengths that fit.
    """

    step = 2**depth
    # From the bottom up: each level's length is twice the one below it, and 4 px for its two convolutions.
    margin = 4 * (step - 1)
    lowest, rest = divmod(size - margin, step)
    output = step * (lowest - 4) - margin
    if rest or output <= 0:
        smallest = margin + step * (margin // step + 5)
        below = max(size - rest, smallest)
        raise ValueError(
            f"a length of {size} px does not fit an unpadded U-Net with {depth} poolings: every pooling must meet "
            f"an even length. Near it, {below} and {below + step} fit"
        )
    return output
