"""U-Net (Ronneberger, Fischer, Brox 2015): an encoder, a decoder, and skips that carry features across."""

import torch
from torch import nn
from torch.nn import functional as F

from seglib.models.blocks import check_images, conv_bn_relu, he_init


class UNet(nn.Module):
    """U-Net for semantic segmentation.

    ``UNet(1, 2, padding="valid", dropout=0.5)`` is the paper's network: 23 convolutional layers without padding and
    without batch norm, 31,030,658 parameters, 572x572 in and 388x388 out. ``padding="same"`` (the default) is
    the variant most people use today: padded convolutions with batch norm, output as large as the input, any
    size. ``UNet(1, 2, width=16, depth=3)`` is the course's compact size: 0.5 million parameters.

    Parameters
    ----------
    in_channels, num_classes : int
    width : int
        Channels of the first level; each level below has twice as many.
    depth : int
        Number of poolings.
    padding : {"same", "valid"}
    skips : bool
        False cuts the skips, to see what they are worth. The decoder's first convolutions then get half the input.
    dropout : float
        Probability of dropping a value at the end of the contracting path; the paper has it, at the two lowest levels.

    Shape
    -----
    (N, in_channels, H, W) -> logits (N, num_classes, H, W), or H - 184, W - 184 for "valid" at depth 4.

    Raises ValueError for a padding that there is not, and for pictures that are too small, do not fit "valid"
    (see `valid_output_size`) or are no batch of in_channels.
    """

    def __init__(self, in_channels, num_classes, width=64, depth=4, padding="same", skips=True, dropout=0.0):
        super().__init__()
        if padding not in ("same", "valid"):
            raise ValueError(f'padding is "same" or "valid", not {padding!r}')
        self.in_channels, self.padding, self.depth, self.skips = in_channels, padding, depth, skips
        widths = [width * 2**level for level in range(depth + 1)]
        inputs = [in_channels, *widths[:-1]]
        upwards = list(reversed(widths[:-1]))
        # The figure's left side, right side (an up-convolution and a double one at each level), and last arrow.
        self.down = nn.ModuleList(DoubleConv(i, o, padding) for i, o in zip(inputs, widths, strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in upwards)
        self.merge = nn.ModuleList(DoubleConv(2 * w if skips else w, w, padding) for w in upwards)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Conv2d(width, num_classes, 1)
        he_init(self)

    def forward(self, x):
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
        for up, double_conv, skip in zip(self.up, self.merge, reversed(features[:-1]), strict=True):
            x = up(x)
            if self.padding == "same":
                x = pad_to(x, skip.shape[-2:])
            else:
                skip = crop_to(skip, x.shape[-2:])
            x = double_conv(torch.cat([skip, x], dim=1) if self.skips else x)
        return self.head(x)


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
