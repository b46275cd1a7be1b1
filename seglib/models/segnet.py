"""SegNet (Badrinarayanan, Kendall, Cipolla 2017): the decoder puts values back where the poolings took them from."""

import torch
from torch import nn
from torch.nn import functional as F

from seglib.models.backbones import vgg_stage, vgg_stages
from seglib.models.blocks import check_images, conv_bn_relu, he_init, resize
from seglib.models.fcn import bilinear_kernel

DECODERS = ("indices", "bilinear", "single", "addition", "features", "reduced")


class SegNet(nn.Module):
    """VGG16's thirteen convolutions as encoder, their mirror image as decoder, for semantic segmentation.

    ``SegNet(11)`` is the paper's net: 26 3x3 convolutions of 29,433,483 parameters, 14,714,688 of them in the encoder,
    and 15,872 of batch norm, in all 29,449,355. ``SegNet(11, width=16)`` is the course's compact size: 1.8 million.

    Every pooling keeps the index of each maximum, and the decoder's unpooling puts the values back there, zeros
    between them, for convolutions to fill in. Poolings round up and unpoolings are told the size from before, so that
    every size of picture comes back as it was.

    Parameters
    ----------
    num_classes, in_channels : int
    width : int
        Channels of the first stage.
    dropout : float
        Probability of dropping a value behind the three deepest encoder and decoder stages; 0.5 in Bayesian SegNet
        (Kendall, Badrinarayanan, Cipolla 2017). For Monte-Carlo samples, leave only this on in evaluation:
        ``net.eval()``, then ``net.dropout.train()``.

    Shape
    -----
    (N, in_channels, H, W) -> logits (N, num_classes, H, W), for every H and W.

    Raises ValueError for input that is no batch.
    """

    def __init__(self, num_classes, in_channels=3, width=64, dropout=0.0):
        super().__init__()
        self.in_channels = in_channels
        self.encoder = vgg_stages(in_channels, width, batch_norm=True)
        # Deepest first. The last convolution of a stage has the channels of the indices it meets next.
        factors = [(8, 8, 8, 8), (8, 8, 8, 4), (4, 4, 4, 2), (2, 2, 1), (1, 1)]
        self.decoder = nn.ModuleList(vgg_stage([width * f for f in stage], batch_norm=True) for stage in factors)
        self.classifier = nn.Conv2d(width, num_classes, 3, padding=1)
        self.dropout = nn.Dropout(dropout)
        he_init(self.decoder)
        he_init(self.classifier)

    def forward(self, x):
        check_images(x, self.in_channels)
        places = []
        for level, stage in enumerate(self.encoder):
            x = stage(x)
            size = x.shape[-2:]
            x, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
            places.append((indices, size))
            x = self.dropout(x) if level >= 2 else x
        for level, stage in zip((4, 3, 2, 1, 0), self.decoder, strict=True):
            indices, size = places[level]
            x = stage(F.max_unpool2d(x, indices, 2, output_size=size))
            x = self.dropout(x) if level >= 2 else x
        return self.classifier(x)


class SegNetBasic(nn.Module):
    """The small SegNet with which the paper compares decoders: four 7x7 convolutions down, four up.

    All have the same encoder, of ``width`` channels throughout with batch norm and ReLU; the decoders have no ReLU.
    Convolutions' parameters for 11 classes at width 64, and the paper's Table 1 in millions:

    ==========  ======================================================================  =========  =====
    decoder     how the coarse features come up again                                   here       paper
    ==========  ======================================================================  =========  =====
    indices     SegNet-Basic: unpooling at the maxima's indices, 7x7 convolution        1,415,563  1.425
    addition    ... then the encoder's pooled features of that size are added           1,415,563  1.425
    single      ... but each 7x7 filter sees its own channel only                         625,291  0.625
    bilinear    the scores are interpolated; nothing is learned, nothing remembered       612,491  0.625
    reduced     FCN-Basic: 8x8 transposed convolutions of class scores, to which
                scores of the encoder's pooled features are added                         645,612  0.65
    features    FCN-Basic without reduction: the same with all ``width`` channels       1,661,067  1.625
    ==========  ======================================================================  =========  =====

    The paper seems to round to 0.025, but its 1.625 can't be had from what it describes. Batch norm adds 512
    numbers, and 512 more with a decoder of convolutions. The released nets' convolutions have biases, as these; the
    paper says none.

    What a decoder needs of the encoder, per 2x2 window and channel: two bits for an index, 32 for a float. Indices
    are int64 in PyTorch, however: 64 bits, more than the features, until they are packed.

    Parameters
    ----------
    num_classes, in_channels, width : int
    decoder : {"indices", "addition", "single", "bilinear", "reduced", "features"}

    Shape
    -----
    (N, in_channels, H, W) -> logits (N, num_classes, H, W), for every H and W.

    Raises ValueError for a decoder that there is not, and for input that is no batch.
    """

    def __init__(self, num_classes, in_channels=3, width=64, decoder="indices"):
        super().__init__()
        if decoder not in DECODERS:
            raise ValueError(f"decoder is one of {DECODERS}, not {decoder!r}")
        self.in_channels, self.kind = in_channels, decoder
        inputs = [in_channels, width, width, width]
        self.encoder = nn.ModuleList(conv_bn_relu(channels, width, kernel=7, bias=True) for channels in inputs)
        reduced = decoder == "reduced"
        self.classifier = nn.Identity() if reduced else nn.Conv2d(width, num_classes, 1)
        # Decoder and skips, as the encoder, begin with the finest level.
        if decoder in ("indices", "addition", "single"):
            groups = width if decoder == "single" else 1
            layers = [conv_bn_relu(width, width, kernel=7, groups=groups, bias=True) for _ in range(4)]
            self.decoder = nn.ModuleList(nn.Sequential(conv, norm) for conv, norm, _relu in layers)
        elif decoder in ("reduced", "features"):
            scores = num_classes if reduced else width
            layers = [nn.ConvTranspose2d(scores, scores, 8, stride=2, padding=3, bias=False) for _ in range(4)]
            self.decoder = nn.ModuleList(layers)
        self.skips = nn.ModuleList(nn.Conv2d(width, num_classes, 1) if reduced else nn.Identity() for _ in range(4))
        he_init(self)
        if decoder in ("reduced", "features"):
            for up in self.decoder:
                start_bilinear(up)

    def forward(self, x):
        check_images(x, self.in_channels)
        sizes, places, pooled = [x.shape[-2:]], [], []
        for stage in self.encoder:
            x, indices = F.max_pool2d(stage(x), 2, ceil_mode=True, return_indices=True)
            places.append(indices)
            pooled.append(x)
            sizes.append(x.shape[-2:])
        if self.kind == "bilinear":
            return resize(self.classifier(x), sizes[0])
        x = self.skips[3](x)
        for level in (3, 2, 1, 0):
            height, width = sizes[level]
            if self.kind in ("reduced", "features"):
                x = self.decoder[level](x)[..., :height, :width]
            else:
                x = self.decoder[level](F.max_unpool2d(x, places[level], 2, output_size=(height, width)))
            if level > 0 and self.kind in ("addition", "reduced", "features"):
                x = x + self.skips[level - 1](pooled[level - 1])
        return self.classifier(x)


@torch.no_grad()
def start_bilinear(up):
    """Let an 8x8 transposed convolution of stride 2 start as bilinear interpolation, which needs its inner 4x4."""
    up.weight.zero_()
    for channel in range(up.in_channels):
        up.weight[channel, channel, 2:6, 2:6] = bilinear_kernel(4)
