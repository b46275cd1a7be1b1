"""PSPNet against the paper's layout, and its pyramid against one written by hand."""

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from seglib.models import parameters
from seglib.models.pspnet import PSPNet, PyramidPooling


def pooled(x, bins, reduce=np.mean):
    """Average over each cell of a bins x bins grid, of (C, H, W); cells share a row where the side does not divide."""

    def cells(n):
        return [slice(i * n // bins, -(-(i + 1) * n // bins)) for i in range(bins)]

    rows, columns = cells(x.shape[1]), cells(x.shape[2])
    return np.stack([[reduce(x[:, r, c], axis=(1, 2)) for c in columns] for r in rows]).transpose(2, 0, 1)


def stretched(x, size):
    """Bilinear interpolation of (C, h, w) in which the corner values stay in the corners, one axis after the other."""
    for axis, n in ((1, size[0]), (2, size[1])):
        places, known = np.linspace(0, x.shape[axis] - 1, n), np.arange(x.shape[axis])
        x = np.apply_along_axis(lambda line, to=places, at=known: np.interp(to, at, line), axis, x)
    return x


def by_hand(pyramid, x, reduce):
    """The pyramid's output for one picture's features, in NumPy."""
    levels = [x]
    for bins, (conv, norm, _) in zip(pyramid.bins, pyramid.reduce, strict=True):
        low = np.einsum("oi,ihw->ohw", conv.weight[:, :, 0, 0].numpy(), pooled(x, bins, reduce))
        mean, var = norm.running_mean.numpy()[:, None, None], norm.running_var.numpy()[:, None, None]
        low = (low - mean) / np.sqrt(var + norm.eps)
        levels.append(stretched(np.maximum(low, 0), x.shape[1:]))
    return np.concatenate(levels)


@pytest.mark.parametrize(
    ("stem", "aux", "count"),
    [
        ("deep", True, 49_081_578),
        ("deep", False, 46_716_373),
        ("standard", True, 48_957_802),
        ("standard", False, 46_592_597),
    ],
)
def test_paper_size_has_the_reference_nets_parameters(stem, aux, count):
    with torch.device("meta"):
        assert parameters(PSPNet(21, stem=stem, aux=aux)) == count


def test_compact_size_and_its_finer_stride():
    with torch.device("meta"):
        assert parameters(PSPNet(11, "compact", width=24)) == 753_790
        net = PSPNet(3, "compact", width=4, output_stride=4, aux=False).eval()
        assert net.backbone(torch.empty(1, 3, 96, 80))[-1].shape[-2:] == (24, 20)
        assert net(torch.empty(1, 3, 96, 80)).shape == (1, 3, 96, 80)


def test_parts_have_the_reference_nets_parameters_and_layout():
    with torch.device("meta"):
        net = PSPNet(21)
    assert parameters(net.pyramid) == 4_198_400
    assert parameters(net.classifier) == 18_886_165
    assert parameters(net.aux) == 2_365_205
    assert [level[0].out_channels for level in net.pyramid.reduce] == [512] * 4
    assert net.backbone.strides == [4, 8, 8, 8]
    for layer, rate in ((net.backbone.layer3, 2), (net.backbone.layer4, 4)):
        convolutions = [m for m in layer.modules() if isinstance(m, nn.Conv2d)]
        assert {c.dilation for c in convolutions if c.kernel_size == (3, 3)} == {(rate, rate)}
        assert {c.stride for c in convolutions} == {(1, 1)}
    assert [m.p for m in net.modules() if isinstance(m, nn.Dropout2d)] == [0.1, 0.1]


@pytest.mark.parametrize(("pooling", "reduce"), [("average", np.mean), ("max", np.max)])
@pytest.mark.parametrize("size", [(12, 12), (13, 7), (3, 5), (1, 1)])
def test_pyramid_is_the_one_by_hand(pooling, reduce, size):
    torch.manual_seed(0)
    pyramid = PyramidPooling(8, pooling=pooling).double().eval()
    for _, norm, _ in pyramid.reduce:
        norm.running_mean.normal_(0, 0.1)
        norm.running_var.uniform_(0.5, 1.5)
    x = torch.randn(2, 8, *size, dtype=torch.float64)
    with torch.no_grad():
        result = pyramid(x).numpy()
        for mine, features in zip(result, x.numpy(), strict=True):
            np.testing.assert_allclose(mine, by_hand(pyramid, features, reduce), atol=1e-12)
    assert result.shape == (2, 16, *size)


@pytest.mark.parametrize(("bins", "reduced"), [((), 0), ((1,), 20), ((1, 2, 3, 6), 5), ((1, 2, 3), 6)])
def test_bins_are_an_argument(bins, reduced):
    pyramid = PyramidPooling(20, bins).eval()
    assert [level[0].out_channels for level in pyramid.reduce] == [reduced] * len(bins)
    assert pyramid(torch.rand(1, 20, 9, 9)).shape[1] == pyramid.out_channels == 20 + len(bins) * reduced
    assert PSPNet(5, "compact", width=4, bins=bins, aux=False)(torch.rand(2, 3, 33, 33)).shape == (2, 5, 33, 33)


def moved_by(net, far):
    """Largest change of the top left logit when the picture's last 16 rows and columns change."""
    torch.manual_seed(1)
    picture = torch.rand(1, 3, 16 + far, 16 + far)
    other = picture.clone()
    other[..., far:, far:] = 0
    with torch.no_grad():
        return (net(picture) - net(other))[..., 0, 0].abs().max().item()


def test_only_with_the_pyramid_a_pixel_knows_the_far_corner():
    torch.manual_seed(0)
    with_it, without = (PSPNet(5, "compact", width=4, bins=bins, aux=False).eval() for bins in ((1, 2, 3, 6), ()))
    assert moved_by(with_it, far=600) > 1e-6
    assert moved_by(without, far=600) == 0
    assert moved_by(without, far=16) > 1e-6


def test_the_auxiliary_head_sits_on_the_third_stage():
    torch.manual_seed(0)
    net, x = PSPNet(5, "compact", width=4).eval(), torch.ones(1, 3, 24, 24)
    before = net(x, aux=True)
    net.backbone.layer4.register_forward_hook(lambda _module, _inputs, out: out * 2)
    after = net(x, aux=True)
    assert torch.equal(before["aux"], after["aux"])
    assert not torch.equal(before["out"], after["out"])


def test_logits_come_up_with_the_corners_kept():
    """At sizes of 8 n + 1, as the authors want them, every eighth pixel shows a value of the head itself."""
    torch.manual_seed(0)
    net = PSPNet(4, "compact", width=4, aux=False).double().eval()
    picture = torch.rand(1, 3, 41, 57, dtype=torch.float64)
    with torch.no_grad():
        coarse = net.classifier(net.pyramid(net.backbone(picture)[-1]))
        logits = net(picture)
    assert coarse.shape == (1, 4, 6, 8)
    torch.testing.assert_close(logits[..., ::8, ::8], coarse, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(logits[0], stretched(coarse[0].numpy(), (41, 57)), atol=1e-10)


def test_one_picture_in_training_is_refused_with_the_remedies():
    net = PSPNet(3, "compact", width=4)
    with pytest.raises(ValueError, match=r"1x1 bin.*batch of 1.*two pictures"):
        net(torch.rand(1, 3, 32, 32))
    net.pyramid.eval()  # its running averages stand in
    assert net(torch.rand(1, 3, 32, 32))["out"].requires_grad
    assert PSPNet(3, "compact", width=4, bins=(2, 3))(torch.rand(1, 3, 32, 32))["out"].shape == (1, 3, 32, 32)
    assert net.eval()(torch.rand(1, 3, 32, 32))["out"].shape == (1, 3, 32, 32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pooling": "mean"}, "'mean'"),
        ({"bins": (0, 2)}, r"\(0, 2\)"),
        ({"bins": 6}, "bins"),
        ({"backbone": "vgg16"}, "'vgg16'"),
    ],
)
def test_what_there_is_not_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        PSPNet(3, **({"backbone": "compact", "width": 4} | arguments))


@pytest.mark.slow
def test_weights_fill_the_backbone(downloaded):
    resnet = torchvision.models.resnet18()
    downloaded(resnet.state_dict())
    net = PSPNet(5, "resnet18", stem="standard", weights="IMAGENET1K_V1")
    assert torch.equal(net.backbone.layer3[1].conv2.weight, resnet.layer3[1].conv2.weight)
    with pytest.raises(ValueError, match="with the deep stem"):
        PSPNet(5, "resnet18", weights="IMAGENET1K_V1")
