"""U-Net against the paper's figures, and on the sizes that break careless copies."""

import pytest
import torch
from torch import nn

from seglib.models import UNet, parameters
from seglib.models.blocks import he_init
from seglib.models.unet import crop_to, pad_to, valid_output_size


def test_sizes_are_the_papers():
    with torch.device("meta"):
        net = UNet(1, 2, padding="valid")
        assert parameters(net) == 31_030_658
        assert parameters(UNet(3, 2, padding="valid")) == 31_031_810
        # with padding less the biases that batch norm replaces, plus its two numbers a channel
        assert parameters(UNet(3, 2)) == 31_037_698
    assert sum(isinstance(m, nn.Conv2d | nn.ConvTranspose2d) for m in net.modules()) == 23
    assert not any(isinstance(m, nn.BatchNorm2d) for m in net.modules())


def test_valid_sizes_come_every_16_px_and_lose_184():
    fitting = []
    for size in range(1, 700):
        try:
            fitting.append((size, valid_output_size(size)))
        except ValueError:
            continue
    assert [size for size, _ in fitting] == list(range(188, 700, 16))
    assert all(size - output == 184 for size, output in fitting)
    with torch.device("meta"):
        logits = UNet(1, 3, width=2, padding="valid")(torch.empty(1, 1, 188, 204))
    assert logits.shape == (1, 3, valid_output_size(188), valid_output_size(204))
    with pytest.raises(ValueError, match=r"570 px does not fit.*556 and 572 fit"):
        UNet(1, 2, width=2, padding="valid")(torch.zeros(1, 1, 572, 570))
    with pytest.raises(ValueError, match="'reflect'"):
        UNet(1, 2, padding="reflect")


@pytest.mark.parametrize("size", [(97, 45), (16, 16), (31, 100), (101, 103)])
@pytest.mark.parametrize("skips", [True, False])
def test_padded_network_keeps_odd_sizes(size, skips):
    assert UNet(3, 5, width=2, skips=skips)(torch.zeros(2, 3, *size)).shape == (2, 5, *size)


def test_valid_pixel_sees_only_its_own_surroundings():
    """Without padding the output equals that of a picture cut out around it: what the overlap-tile scheme rests on."""
    torch.manual_seed(0)
    net = UNet(1, 2, width=2, padding="valid").double().eval()
    picture = torch.randn(1, 1, 220, 220, dtype=torch.float64)
    whole, tile = net(picture), net(picture[..., 16:204, 16:204])
    # The tile starts 16 px in, a multiple of the coarsest stride, so pooling windows line up.
    assert torch.allclose(whole[..., 16:20, 16:20], tile, atol=1e-12)


def test_every_skip_carries_information():
    torch.manual_seed(0)
    net = UNet(1, 2, width=4, depth=3).eval()
    picture = torch.randn(1, 1, 32, 32)
    before = net(picture)
    for level in range(3):
        hook = net.down[level].register_forward_hook(lambda _module, _inputs, out: out * 1.5)
        assert not torch.allclose(net(picture), before)
        hook.remove()


def test_crop_takes_the_centre_and_pad_repeats_the_edge():
    rows = torch.arange(7.0).view(1, 1, 7, 1).expand(1, 1, 7, 4)
    assert crop_to(rows, (3, 2))[0, 0, :, 0].tolist() == [2, 3, 4]
    assert crop_to(rows, (4, 2))[0, 0, :, 0].tolist() == [1, 2, 3, 4]
    assert pad_to(rows[..., :2, :], (3, 4))[0, 0, :, 0].tolist() == [0, 1, 1]


def test_he_initialisation_has_the_papers_deviation():
    torch.manual_seed(0)
    conv = he_init_of(nn.Conv2d(64, 128, 3))
    assert conv.weight.std().item() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)
    assert conv.bias.abs().max() == 0
    up = he_init_of(nn.ConvTranspose2d(128, 64, 2, stride=2))
    assert up.weight.std().item() == pytest.approx((2 / 128) ** 0.5, rel=0.02)


def he_init_of(layer):
    he_init(layer)
    return layer


def test_dropout_acts_in_training_only():
    torch.manual_seed(0)
    net = UNet(1, 2, width=4, depth=2, dropout=0.5)
    x = torch.randn(1, 1, 32, 32)
    assert not torch.equal(net(x), net(x))
    net.eval()
    assert torch.equal(net(x), net(x))
