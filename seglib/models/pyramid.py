"""Feature pyramid network (Lin et al. 2017): maps of several resolutions, each with the meaning of the coarsest."""

from torch import nn
from torch.nn import functional as F


class FeaturePyramid(nn.Module):
    """From the coarsest map down, each map is added to the one above, which is brought to its size.

    ``in_channels`` holds the channels of the backbone's maps, finest first; all come out with ``channels``, at the
    sizes they had. A single map works too: there is then nothing to add. A 1x1 convolution brings the channels to one
    number, a 3x3 convolution smooths after the sum. ``from_above`` is the weight of the map above, 1 in the paper: less
    keeps the noise of coarse layers that have not learned yet out of the fine maps.

    Shape: list of (N, C_i, H_i, W_i) -> list of (N, channels, H_i, W_i).
    """

    def __init__(self, in_channels, channels, from_above=1.0):
        super().__init__()
        self.from_above = from_above
        self.lateral = nn.ModuleList(nn.Conv2d(inputs, channels, 1) for inputs in in_channels)
        self.smooth = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in in_channels)
        for conv in (*self.lateral, *self.smooth):
            nn.init.kaiming_uniform_(conv.weight, a=1)  # no ReLU follows
            nn.init.zeros_(conv.bias)

    def forward(self, features):
        top = self.lateral[-1](features[-1])
        levels = [self.smooth[-1](top)]
        for i in range(len(features) - 2, -1, -1):
            top = self.lateral[i](features[i]) + self.from_above * F.interpolate(
                top, features[i].shape[-2:], mode="nearest"
            )
            levels.insert(0, self.smooth[i](top))
        return levels
