"""Smaller steps for a pretrained backbone."""

import math

import pytest
import torch
from squares import QUIET, Squares
from torch import nn

from seglib.models import UNet
from seglib.training import fit


class Backed(nn.Module):
    """A network with a backbone, as the pretrained ones have it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.backbone, self.head = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 2, 1)

    def forward(self, x):
        return self.head(self.backbone(x).relu())


def moved(backbone_rate):
    """How far one step moves the backbone's and the head's weights, most of all."""
    net, before = Backed(), Backed()
    fit(net, Squares(8), steps=1, weight_decay=0, backbone_rate=backbone_rate, **QUIET)
    return [
        (getattr(net, part).weight - getattr(before, part).weight).abs().max().item() for part in ("backbone", "head")
    ]


def test_a_pretrained_backbone_takes_smaller_steps_or_none():
    (whole, head), (tenth, same), (none, also) = moved(1.0), moved(0.1), moved(0)
    assert head == same == also > 0
    assert tenth == pytest.approx(whole / 10, rel=1e-3)
    assert none == 0


@pytest.mark.parametrize("rate", [-0.1, math.nan, math.inf])
def test_a_backbones_rate_is_zero_or_more(rate):
    with pytest.raises(ValueError, match="backbone_rate is"):
        moved(rate)


def test_a_backbones_rate_is_for_models_that_have_one():
    with pytest.raises(ValueError, match=r"for a model with a \.backbone"):
        fit(UNet(1, 2, width=8, depth=2), Squares(8), steps=1, backbone_rate=0.1, **QUIET)
