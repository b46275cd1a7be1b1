"""FCN against the reference nets' counts, crops and kernels, and against the classifier it is made from."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from seglib.models.blocks import parameters
from seglib.models.fcn import FCN, BilinearUpsampling, add_skip, bilinear_kernel

KERNELS = {32: [64], 16: [4, 32], 8: [4, 4, 16]}  # of the reference nets' upsampling layers


@pytest.mark.parametrize(
    ("stride", "learned", "with_kernels"),
    [(32, 134_346_581, 136_152_917), (16, 134_357_354, 134_815_994), (8, 134_362_751, 134_489_759)],
)
def test_paper_size_has_the_reference_nets_parameters(stride, learned, with_kernels):
    with torch.device("meta"):
        net = FCN(21, stride=stride)
    assert parameters(net) == learned
    assert parameters(net) + sum(21 * 21 * k * k for k in KERNELS[stride]) == with_kernels


def test_default_is_the_papers_layout():
    with torch.device("meta"):
        net, compact = FCN(21), FCN(11, "vgg16_bn", width=8, padding=1)
    assert parameters(compact) == 2_107_145
    assert sum(isinstance(m, nn.BatchNorm2d) for m in compact.modules()) == 13
    convs = [m for stage in net.stages for m in stage if isinstance(m, nn.Conv2d)]
    assert [c.padding for c in convs] == [(100, 100)] + [(1, 1)] * 12
    assert (net.fc6.kernel_size, net.fc6.padding, net.fc7.kernel_size) == ((7, 7), (0, 0), (1, 1))
    assert (net.fc6.out_channels, net.fc7.out_channels, net.dropout.p) == (4096, 4096, 0.5)
    assert not any(isinstance(m, nn.BatchNorm2d | nn.Linear) for m in net.modules())


@pytest.mark.parametrize("stride", [32, 16, 8])
@pytest.mark.parametrize("padding", [100, 1])
def test_every_size_comes_back(stride, padding):
    """All remainders by 32, at two magnitudes; on the meta device, which only works out the shapes."""
    with torch.device("meta"):
        net = FCN(3, stride=stride, width=1, padding=padding)
        for size in range(1, 34):
            assert net(torch.empty(1, 3, size, 300 + size)).shape == (1, 3, size, 300 + size)


@pytest.mark.parametrize("padding", [100, 1])
@pytest.mark.parametrize(("stride", "slope", "offset"), [(32, 1, 15.5), (16, 2, 23), (8, 3, 26.5)])
def test_skips_and_scores_lie_where_they_belong(padding, stride, slope, offset):
    """Averaging convolutions leave a ramp as it is; a pooling of maxima, 2^k px wide, adds half its width - 1."""
    net = FCN(1, stride=stride, in_channels=1, width=1, padding=padding).double().eval()
    for conv in (m for m in net.modules() if isinstance(m, nn.Conv2d)):
        nn.init.constant_(conv.weight, 1 / conv.weight[0].numel()), nn.init.zeros_(conv.bias)
    x = torch.arange(640, dtype=torch.float64).expand(1, 1, 640, 640)
    with torch.no_grad():
        ramp = net(x)[0, 0]
        upright = net(x.mT)[0, 0]
    # The middle, further from the border than the receptive field's 202 px.
    middle = torch.arange(300, 340, dtype=torch.float64)
    assert torch.allclose(ramp[320, 300:340], slope * middle + offset, atol=1e-9)
    assert torch.allclose(upright[300:340, 320], slope * middle + offset, atol=1e-9)


def test_bilinear_kernels_by_hand():
    assert bilinear_kernel(3)[1].tolist() == [0.5, 1, 0.5]
    assert (16 * bilinear_kernel(4)).tolist() == [[1, 3, 3, 1], [3, 9, 9, 3], [3, 9, 9, 3], [1, 3, 3, 1]]
    kernel = bilinear_kernel(64)
    for i, j in ((0, 0), (5, 40), (31, 32), (63, 63)):
        assert kernel[i, j].item() == pytest.approx((1 - abs(i - 31.5) / 32) * (1 - abs(j - 31.5) / 32))


@pytest.mark.parametrize("stride", [2, 8, 16, 32])
def test_upsampling_is_bilinear_inside_a_margin_of_its_stride(stride):
    x = torch.rand(1, 3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    up = BilinearUpsampling(stride).double()(x)
    assert up.shape[-2:] == (5 * stride, 6 * stride)
    inside = F.interpolate(x, scale_factor=stride, mode="bilinear")[..., stride // 2 : -stride // 2, :]
    inside = inside[..., stride // 2 : -stride // 2]
    assert torch.allclose(up[..., stride:-stride, stride:-stride], inside, atol=1e-12)


def test_upsampling_equals_the_reference_nets_full_kernel():
    x = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    full = torch.zeros(3, 3, 16, 16)
    full[range(3), range(3)] = bilinear_kernel(16)
    assert torch.allclose(BilinearUpsampling(8)(x), F.conv_transpose2d(x, full, stride=8), atol=1e-6)


def test_kernels_are_frozen_and_not_saved():
    net = FCN(2, width=1)
    assert not any("up" in name.split(".")[0] for name in [*dict(net.named_parameters()), *net.state_dict()])
    assert not any(buffer.requires_grad for buffer in net.buffers())


def test_add_skip_cuts_whichever_begins_first():
    row = torch.arange(8.0).view(1, 1, 1, 8).expand(1, 1, 8, 8)
    assert add_skip(row[..., :3, :3], 10 * row, 2)[0, 0, 0].tolist() == [20, 31, 42]
    assert add_skip(row, 10 * row[..., :3, :3], -2)[0, 0, 0].tolist() == [2, 13, 24]


def trained(stride, **options):
    """A net as if it was trained: all scores have weights."""
    torch.manual_seed(stride)
    net = FCN(3, stride=stride, width=2, **options).eval()
    for name, layer in net.named_children():
        if name.startswith("score"):
            nn.init.normal_(layer.weight), nn.init.normal_(layer.bias)
    return net


@pytest.mark.parametrize(("stride", "finer"), [(32, 16), (16, 8)])
@torch.no_grad()
def test_finer_net_starts_as_the_coarser_one_but_for_cut_corners(stride, finer):
    """Twice linear is linear, but at the kinks: 1/4 pixel to both sides, hence 1/8 of the second difference."""
    coarse, fine = trained(stride), FCN(3, stride=finer, width=2).eval()
    fine.load_state_dict(coarse.state_dict(), strict=False)
    scores = []
    coarse.up.register_forward_pre_hook(lambda _module, inputs: scores.append(F.pad(inputs[0], (2, 2, 2, 2))))
    x = torch.rand(1, 3, 90, 140)
    difference = (fine(x) - coarse(x)).abs().max()
    bound = (scores[0].diff(n=2, dim=-1).abs().max() + scores[0].diff(n=2, dim=-2).abs().max()) / 8
    assert 0 < difference <= bound
    assert all(torch.equal(value, fine.state_dict()[key]) for key, value in coarse.state_dict().items())


def small_vgg(batch_norm):
    """torchvision's VGG16, a sixteenth as wide."""
    widths = [4, 4, "M", 8, 8, "M", 16, 16, 16, "M", 32, 32, 32, "M", 32, 32, 32, "M"]
    net = nn.Module()
    net.features = torchvision.models.vgg.make_layers(widths, batch_norm)
    net.classifier = nn.Sequential(
        nn.Linear(32 * 49, 256), nn.ReLU(), nn.Dropout(), nn.Linear(256, 256), nn.ReLU(), nn.Dropout()
    )
    return net.eval()


@pytest.mark.parametrize("backbone", ["vgg16", "vgg16_bn"])
@torch.no_grad()
def test_dense_layers_become_convolutions(downloaded, backbone):
    torch.manual_seed(0)
    vgg = small_vgg(backbone == "vgg16_bn")
    downloaded(vgg.state_dict())
    net = FCN(2, backbone, width=4, padding=1, weights="IMAGENET1K_V1").eval()
    fc7 = []
    net.fc7.register_forward_hook(lambda _module, _inputs, out: fc7.append(F.relu(out)))
    x = torch.rand(2, 3, 224, 224)
    net(x)
    dense = vgg.classifier(vgg.features(x).flatten(1))
    # On 7 x 7 features, only the middle of the padded convolution sees what the dense layer sees: all.
    assert dense.std() > 1e-3
    assert torch.allclose(fc7[0][:, :, 3, 3], dense, atol=1e-5)


def test_weights_of_another_width_are_refused(downloaded):
    downloaded(small_vgg(False).state_dict())
    with pytest.raises(ValueError, match=r"features.0.weight \(4, 3, 3, 3\) where 0.0.weight \(2, 3, 3, 3\)"):
        FCN(2, width=2, weights="IMAGENET1K_V1")
    with pytest.raises(ValueError, match="not 'IMAGENET'"):
        FCN(2, width=4, weights="IMAGENET")


def test_dropout_acts_in_training_only():
    net, x = trained(32, padding=1), torch.rand(1, 3, 64, 64)
    assert torch.equal(net(x), net(x))
    net.train()
    assert not torch.equal(net(x), net(x))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backbone": "resnet50"}, "backbone is.*not 'resnet50'"),
        ({"stride": 4}, "stride is 8, 16 or 32, not 4"),
        ({"padding": 3}, "padding is 100.*not 3"),
    ],
)
def test_unknown_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        FCN(2, width=1, **options)
