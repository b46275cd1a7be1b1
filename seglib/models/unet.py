"""U-Net (Ronneberger, Fischer, Brox 2015): an encoder, a decoder, and skips that carry features across."""

import torch
from torch import nn
from torch.nn import functional as F

from seglib.models.blocks import check_images, conv3x3, he_init


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
        Probability of dropping a channel's values at the end of the contracting path; the paper has it, at the
        two lowest levels.

    Shape
    -----
    (N, in_channels, H, W) -> logits (N, num_classes, H, W), or H - 184, W - 184 for "valid" at depth 4.
    """

    def __init__(self, in_channels, num_classes, width=64, depth=4, padding="same", skips=True, dropout=0.0):
        super().__init__()
        if padding not in ("same", "valid"):
            raise ValueError(f'padding is "same" or "valid", not {padding!r}')
        self.in_channels, self.padding, self.depth, self.skips = in_channels, padding, depth, skips
        widths = [width * 2**level for level in range(depth + 1)]

        def double_conv(inputs, outputs):
            pad, norm = (1, True) if padding == "same" else (0, False)
            return nn.Sequential(conv3x3(inputs, outputs, pad, norm), conv3x3(outputs, outputs, pad, norm))

        self.down = nn.ModuleList(double_conv(i, o) for i, o in zip([in_channels, *widths], widths, strict=False))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in reversed(widths[:-1]))
        self.merge = nn.ModuleList(double_conv(2 * w if skips else w, w) for w in reversed(widths[:-1]))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Conv2d(width, num_classes, 1)
        he_init(self)

    def forward(self, x):
        self._check(x)
        features = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else F.max_pool2d(x, 2))
            if level >= self.depth - 1:
                x = self.dropout(x)
            features.append(x)
        for up, merge, skip in zip(self.up, self.merge, reversed(features[:-1]), strict=True):
            x = up(x)
            if self.padding == "same":
                x = pad_to(x, skip.shape[-2:])
            else:
                skip = crop_to(skip, x.shape[-2:])
            x = merge(torch.cat([skip, x], dim=1) if self.skips else x)
        return self.head(x)

    def _check(self, x):
        check_images(x, self.in_channels)
        if self.padding == "valid":
            valid_output_size(x.shape[-2], self.depth), valid_output_size(x.shape[-1], self.depth)
        elif min(x.shape[-2:]) < 2**self.depth:
            raise ValueError(
                f"a picture of {x.shape[-2]}x{x.shape[-1]} px vanishes in {self.depth} poolings: "
                f"each side needs at least {2**self.depth} px"
            )


def valid_output_size(size, depth=4):
    """Output length of a U-Net without padding, for an input length: 572 -> 388 at depth 4.

    Raises ValueError for lengths that meet an odd number before a pooling (the paper asks for even ones), or that
    nothing is left of; the message names the nearest lengths that fit.
    """

    def walk(n):
        for _ in range(depth):
            n -= 4
            if n <= 0 or n % 2:
                return None
            n //= 2
        n -= 4
        for _ in range(depth):
            n = 2 * n - 4
        return n if n > 0 else None

    output = walk(size)
    if output is None:
        fitting = sorted(range(1, size + 2 ** (depth + 4)), key=lambda n: (abs(n - size), n))
        below_or_above = sorted([n for n in fitting if walk(n) is not None][:2])
        raise ValueError(
            f"a length of {size} px does not fit an unpadded U-Net with {depth} poolings: every pooling must meet "
            f"an even length. Near it, {' and '.join(map(str, below_or_above))} fit"
        )
    return output


def crop_to(x, size):
    """Cut (..., H, W) to its centre of the given size; where the margin is odd the extra pixel goes at the end."""
    top, left = (x.shape[-2] - size[0]) // 2, (x.shape[-1] - size[1]) // 2
    return x[..., top : top + size[0], left : left + size[1]]


def pad_to(x, size):
    """Repeat the last row and column until (..., H, W) has the given size.

    Pooling drops the last row of an odd height, so what comes up again is one short of its skip.
    """
    bottom, right = size[0] - x.shape[-2], size[1] - x.shape[-1]
    return F.pad(x, (0, right, 0, bottom), mode="replicate") if bottom or right else x
