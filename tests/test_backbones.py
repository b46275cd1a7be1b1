"""Backbones against torchvision's networks: same counts, same dilation, same weights, same outputs."""

import os

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from seglib.models import parameters
from seglib.models.backbones import backbone, vgg_stages
from seglib.models.blocks import fill

RESNET18_FILE = "resnet18-f37072fd.pth"  # as torchvision names its download


def stir(net, seed=0):
    """Give batch norm the statistics and scales that a trained net might have: fresh ones hide mistakes."""
    generator = torch.Generator().manual_seed(seed)
    for key, value in net.state_dict().items():
        if key.endswith(("running_mean", "bias")):
            value.normal_(0, 0.1, generator=generator)
        elif key.endswith("running_var") or (value.ndim == 1 and key.endswith("weight")):
            value.uniform_(0.5, 1.5, generator=generator)
    return net.eval()


@pytest.fixture(scope="module")
def resnets():
    """Name -> torchvision's network, with weights as if it had been trained."""
    torch.manual_seed(0)
    return {name: stir(getattr(torchvision.models, name)()) for name in ("resnet18", "resnet50")}


def stages_of(net, x):
    """The four stages' outputs of a network of torchvision."""
    x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
    return [x := layer(x) for layer in (net.layer1, net.layer2, net.layer3, net.layer4)]


def test_counts_of_vgg_and_of_the_compact_one():
    with torch.device("meta"):
        assert parameters(backbone("compact", width=16, output_stride=8)) == 303_568
        assert parameters(vgg_stages()) == 14_714_688
        assert parameters(vgg_stages(batch_norm=True)) == 14_723_136
        stages = vgg_stages(width=8, in_channels=2)
    widths = [[m.out_channels for m in stage if isinstance(m, nn.Conv2d)] for stage in stages]
    assert widths == [[8, 8], [16, 16], [32, 32, 32], [64, 64, 64], [64, 64, 64]]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "batch_norm"), [("vgg16", False), ("vgg16_bn", True)])
def test_vgg_with_torchvisions_weights_gives_torchvisions_features(name, batch_norm):
    with torch.device("meta"):  # the classifier alone would fill half a gigabyte
        other = getattr(torchvision.models, name)().features
    other.to_empty(device="cpu").apply(lambda m: m.reset_parameters() if hasattr(m, "reset_parameters") else None)
    stages = vgg_stages(batch_norm=batch_norm).eval()
    fill(stages, stir(other).state_dict(), name)
    x = picture = torch.rand(1, 3, 40, 48)
    for stage in stages:
        x = F.max_pool2d(stage(x), 2)
    assert torch.equal(x, other(picture))


@pytest.mark.parametrize(("name", "count"), [("resnet18", 11_176_512), ("resnet50", 23_508_032)])
def test_resnets_have_torchvisions_parameters_without_the_classifier(name, count):
    with torch.device("meta"):
        other = getattr(torchvision.models, name)()
        assert parameters(backbone(name)) == parameters(other) - parameters(other.fc) == count


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_every_tensor_of_the_weights_arrives(name, resnets, downloaded):
    other = resnets[name]
    downloaded(other.state_dict())
    net, state = backbone(name, weights="IMAGENET1K_V1").eval(), other.state_dict()
    assert len(net.state_dict()) == len(state) - 2  # the classifier
    assert all(torch.equal(value, state[key.removeprefix("stem.")]) for key, value in net.state_dict().items())
    picture = torch.rand(1, 3, 65, 96)
    for mine, theirs, channels in zip(net(picture), stages_of(other, picture), net.channels, strict=True):
        assert torch.equal(mine, theirs)
        assert mine.shape[1] == channels


@pytest.mark.slow
@pytest.mark.parametrize(("stride", "replace"), [(16, [False, False, True]), (8, [False, True, True])])
def test_dilated_resnet50_is_torchvisions(stride, replace, resnets, downloaded):
    other = torchvision.models.resnet50(replace_stride_with_dilation=replace).eval()
    other.load_state_dict(resnets["resnet50"].state_dict())
    downloaded(other.state_dict())
    net = backbone("resnet50", output_stride=stride, weights="IMAGENET1K_V1").eval()
    picture = torch.rand(1, 3, 65, 50)
    assert all(map(torch.equal, net(picture), stages_of(other, picture)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "width", "coarse", "fine"), [("resnet18", 64, 32, 8), ("compact", 4, 16, 4), ("compact", 4, 16, 8)]
)
def test_dilation_only_fills_in_between_the_undilated_values(name, width, coarse, fine):
    torch.manual_seed(1)
    undilated = stir(backbone(name, width=width, output_stride=coarse)).double()
    dilated = backbone(name, width=width, output_stride=fine).double().eval()
    dilated.load_state_dict(undilated.state_dict())
    picture = torch.randn(1, 3, 33, 46, dtype=torch.float64)
    strides = list(zip(undilated.strides, dilated.strides, strict=True))
    assert strides[-1] == (coarse, fine)
    for sparse, dense, (before, after) in zip(undilated(picture), dilated(picture), strides, strict=True):
        step = before // after
        assert dense.shape[-1] == -(-46 // after)
        torch.testing.assert_close(dense[..., ::step, ::step], sparse, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("name", "more"), [("resnet50", 123_776), ("resnet18", 148_480)])
def test_deep_stem_has_three_convolutions_and_128_channels(name, more):
    # 3x3 convolutions 3-64-64-128 with batch norm 112,832, for 7x7 9,536; and a first block that takes 128 channels.
    with torch.device("meta"):
        net, plain = backbone(name, stem="deep"), backbone(name)
    assert parameters(net) - parameters(plain) == more
    convolutions = [m for m in net.stem.modules() if isinstance(m, nn.Conv2d)]
    assert [(c.out_channels, c.stride) for c in convolutions] == [(64, (2, 2)), (64, (1, 1)), (128, (1, 1))]
    assert net.channels == plain.channels


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 12), st.sampled_from([4, 8, 16]))
def test_every_size_fits_and_strides_are_what_they_say(height, width, channels, stride):
    net = backbone("compact", channels, width=2, output_stride=stride).eval()
    assert net.strides[-1] == stride
    for features, s, c in zip(net(torch.rand(1, channels, height, width)), net.strides, net.channels, strict=True):
        assert features.shape == (1, c, -(-height // s), -(-width // s))


@pytest.mark.parametrize("stem", ["standard", "deep"])
def test_sizes_of_a_resnets_features(stem):
    features = backbone("resnet18", stem=stem)(torch.rand(2, 3, 33, 33))
    assert [tuple(f.shape[1:]) for f in features] == [(64, 9, 9), (128, 5, 5), (256, 3, 3), (512, 2, 2)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "resnet5O"}, "'resnet5O'"),
        ({"name": "resnet18", "width": 32}, "not 32 and 3"),
        ({"name": "resnet50", "in_channels": 1}, "not 64 and 1"),
        ({"name": "resnet50", "output_stride": 4}, r"\[8, 16, 32\], not 4"),
        ({"name": "compact", "width": 4}, r"\[4, 8, 16\], not 32"),
        ({"name": "resnet18", "stem": "wide"}, "'wide'"),
        ({"name": "resnet18", "stem": "deep", "weights": "IMAGENET1K_V1"}, "with the deep stem"),
        ({"name": "resnet18", "weights": "IMAGENET_1K"}, r"None or one of \['IMAGENET1K_V1', .*not 'IMAGENET_1K'"),
        ({"name": "compact", "weights": "IMAGENET1K_V1"}, "no weights of compact"),
    ],
)
def test_what_there_is_not_is_refused(arguments, message):
    with torch.device("meta"), pytest.raises(ValueError, match=message):
        backbone(**arguments)


@pytest.mark.slow
def test_weights_by_name_come_through_torchvision_and_are_checked(resnets, tmp_path, monkeypatch):
    """A file in torchvision's own cache stands for the download; one of another content, to be fetched, is refused."""
    other = resnets["resnet18"]
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(other.state_dict(), cache / RESNET18_FILE)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    net = backbone("resnet18", weights="IMAGENET1K_V1")
    assert torch.equal(net.layer4[1].conv2.weight, other.layer4[1].conv2.weight)
    os.rename(cache / RESNET18_FILE, tmp_path / RESNET18_FILE)

    def fetch(_url, **options):
        return torch.hub.load_state_dict_from_url((tmp_path / RESNET18_FILE).as_uri(), **options)

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", fetch)
    with pytest.raises(RuntimeError, match="invalid hash value"):
        backbone("resnet18", weights="IMAGENET1K_V1")


def test_what_does_not_fit_is_named_and_changes_nothing(resnets):
    stages = vgg_stages(width=4)
    before = {key: value.clone() for key, value in stages.state_dict().items()}
    with pytest.raises(ValueError, match=r"conv1.weight \(64, 3, 7, 7\) where 0.0.weight \(4, 3, 3, 3\) is wanted"):
        fill(stages, resnets["resnet18"].state_dict(), "resnet18")
    with pytest.raises(ValueError, match=r"nothing \(0,\) where 0.0.weight"):
        fill(stages, {}, "an empty file")
    assert all(torch.equal(value, before[key]) for key, value in stages.state_dict().items())


def test_counters_may_lack_and_the_order_counts(resnets):
    """Before 2018 batch norm kept no counter."""
    other, net = resnets["resnet18"], torchvision.models.resnet18()
    state = {k: v for k, v in other.state_dict().items() if not k.endswith("num_batches_tracked")}
    fill(net, state, "old")
    assert torch.equal(net.layer4[1].bn2.running_var, other.layer4[1].bn2.running_var)
    mean = state.pop("layer2.0.bn1.running_mean")
    with pytest.raises(ValueError, match=r"holds layer2.0.bn1.running_var .* where layer2.0.bn1.running_mean"):
        fill(net, state, "short")
    with pytest.raises(ValueError, match=r"where layer2.0.bn1.running_mean"):
        fill(net, state | {"layer2.0.bn1.running_mean": mean}, "in another order")
