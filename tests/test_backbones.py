"""Backbones against torchvision's networks: same counts, same dilation, same weights, same outputs."""

import os
import pickle

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from seglib.models import parameters
from seglib.models.backbones import backbone, load_weights, read_weights, vgg_stages

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
def resnets(tmp_path_factory):
    """Name -> torchvision's network, and the path of its weights."""
    folder, made = tmp_path_factory.mktemp("weights"), {}
    torch.manual_seed(0)
    for name in ("resnet18", "resnet50"):
        net = stir(getattr(torchvision.models, name)())
        torch.save(net.state_dict(), folder / f"{name}.pth")
        made[name] = (net, str(folder / f"{name}.pth"))
    return made


def stages_of(net, x):
    """The four stages' outputs of a network of torchvision."""
    x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
    return [x := layer(x) for layer in (net.layer1, net.layer2, net.layer3, net.layer4)]


def test_vgg_has_the_papers_encoder():
    with torch.device("meta"):
        assert parameters(vgg_stages()) == 14_714_688
        assert parameters(vgg_stages(batch_norm=True)) == 14_723_136
        stages = vgg_stages(width=8, in_channels=2)
    widths = [[m.out_channels for m in stage if isinstance(m, nn.Conv2d)] for stage in stages]
    assert widths == [[8, 8], [16, 16], [32, 32, 32], [64, 64, 64], [64, 64, 64]]


@pytest.mark.parametrize(("name", "batch_norm"), [("vgg16", False), ("vgg16_bn", True)])
def test_vgg_with_torchvisions_weights_gives_torchvisions_features(name, batch_norm, tmp_path):
    with torch.device("meta"):  # the classifier alone would fill half a gigabyte
        other = getattr(torchvision.models, name)().features
    other.to_empty(device="cpu").apply(lambda m: m.reset_parameters() if hasattr(m, "reset_parameters") else None)
    state = {f"features.{key}": value for key, value in stir(other).state_dict().items()}
    torch.save(state | {"classifier.0.weight": torch.zeros(1)}, tmp_path / "file.pth")
    stages = vgg_stages(batch_norm=batch_norm).eval()
    report = load_weights(stages, name, tmp_path / "file.pth")
    assert set(report["loaded"]) == set(state)
    assert report["unexpected"] == ["classifier.0.weight"]
    assert report["missing"] == report["mismatched"] == []
    x = picture = torch.rand(1, 3, 40, 48)
    for stage in stages:
        x = F.max_pool2d(stage(x), 2)
    assert torch.equal(x, other(picture))


@pytest.mark.parametrize(("name", "count"), [("resnet18", 11_176_512), ("resnet50", 23_508_032)])
def test_resnets_have_torchvisions_parameters_without_the_classifier(name, count):
    with torch.device("meta"):
        other = getattr(torchvision.models, name)()
        assert parameters(backbone(name)) == parameters(other) - parameters(other.fc) == count


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_every_tensor_of_a_weight_file_arrives(name, resnets):
    other, path = resnets[name]
    net = backbone(name).eval()
    report = load_weights(net, name, path)
    assert report["unexpected"] == ["fc.bias", "fc.weight"]
    assert report["missing"] == report["mismatched"] == []
    assert sorted(report["loaded"] + report["unexpected"]) == sorted(other.state_dict())
    assert all(
        torch.equal(value, other.state_dict()[key.removeprefix("stem.")]) for key, value in net.state_dict().items()
    )
    picture = torch.rand(1, 3, 65, 96)
    for mine, theirs, channels in zip(net(picture), stages_of(other, picture), net.channels, strict=True):
        assert torch.equal(mine, theirs)
        assert mine.shape[1] == channels


@pytest.mark.parametrize(("stride", "replace"), [(16, [False, False, True]), (8, [False, True, True])])
def test_dilated_resnet50_is_torchvisions(stride, replace, resnets):
    plain, path = resnets["resnet50"]
    other = torchvision.models.resnet50(replace_stride_with_dilation=replace).eval()
    other.load_state_dict(plain.state_dict())
    net = backbone("resnet50", output_stride=stride).eval()
    load_weights(net, "resnet50", path)
    picture = torch.rand(1, 3, 65, 50)
    assert all(map(torch.equal, net(picture), stages_of(other, picture)))


@pytest.mark.parametrize(
    ("name", "width", "coarse", "fine"),
    [("resnet18", 64, 32, 8), ("resnet50", 64, 32, 16), ("compact", 4, 16, 4), ("compact", 4, 16, 8)],
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


def dilations(layer):
    convolutions = [m for m in layer.modules() if isinstance(m, nn.Conv2d)]
    assert all(c.stride == (1, 1) for c in convolutions)
    assert all(c.padding == c.dilation for c in convolutions if c.kernel_size == (3, 3))
    assert all(c.dilation == (1, 1) for c in convolutions if c.kernel_size == (1, 1))
    return [c.dilation[0] for c in convolutions if c.kernel_size == (3, 3)]


def test_two_schemes_of_dilation():
    with torch.device("meta"):
        like_torchvision = backbone("resnet18", output_stride=8)
        assert dilations(like_torchvision.layer3) == [1, 2, 2, 2]
        assert dilations(like_torchvision.layer4) == [2, 4, 4, 4]
        for name, third, fourth in (("resnet18", 4, 4), ("resnet50", 6, 3)):
            like_pspnet = backbone(name, output_stride=8, uniform_dilation=True)
            assert dilations(like_pspnet.layer3) == [2] * third
            assert dilations(like_pspnet.layer4) == [4] * fourth


@pytest.mark.parametrize(("name", "more"), [("resnet50", 123_776), ("resnet18", 148_480)])
def test_deep_stem_has_three_convolutions_and_128_channels(name, more):
    # 3x3 convolutions 3-64-64-128 with batch norm 112,832, for 7x7 9,536; and a first block that takes 128 channels.
    with torch.device("meta"):
        net, plain = backbone(name, stem="deep"), backbone(name)
    assert parameters(net) - parameters(plain) == more
    assert [name for name, _ in net.stem.named_children() if "conv" in name] == ["conv1", "conv2", "conv3"]
    assert [net.stem.get_submodule(f"conv{i}").out_channels for i in (1, 2, 3)] == [64, 64, 128]
    assert net.channels == plain.channels


def test_deep_stem_takes_a_file_of_its_own_form_and_refuses_the_standard_one(resnets, tmp_path):
    deep = stir(backbone("resnet18", stem="deep"))
    state = {key.removeprefix("stem."): value for key, value in deep.state_dict().items()}
    torch.save(state, tmp_path / "deep.pth")
    net = backbone("resnet18", stem="deep").eval()
    assert len(load_weights(net, "resnet18", tmp_path / "deep.pth")["loaded"]) == len(state)
    picture = torch.rand(1, 3, 40, 40)
    assert all(map(torch.equal, net(picture), deep(picture)))
    with pytest.raises(ValueError, match=r"missing \['conv2.weight'.*\('conv1.weight', \(64, 3, 7, 7\), \(64, 3, 3, 3"):
        load_weights(net, "resnet18", resnets["resnet18"][1])


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 12), st.sampled_from([4, 8, 16]))
def test_every_size_fits_and_strides_are_what_they_say(height, width, channels, stride):
    net = backbone("compact", channels, width=2, output_stride=stride).eval()
    assert net.strides[-1] == stride
    for features, s, c in zip(net(torch.rand(1, channels, height, width)), net.strides, net.channels, strict=True):
        assert features.shape == (1, c, -(-height // s), -(-width // s))


@pytest.mark.parametrize("channels", [1, 9])
@pytest.mark.parametrize("stem", ["standard", "deep"])
def test_resnet_takes_any_number_of_channels(channels, stem):
    features = backbone("resnet18", channels, stem=stem)(torch.rand(2, channels, 33, 33))
    assert [tuple(f.shape[1:]) for f in features] == [(64, 9, 9), (128, 5, 5), (256, 3, 3), (512, 2, 2)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "resnet5O"}, "'resnet5O'"),
        ({"name": "resnet18", "width": 32}, "not 32"),
        ({"name": "resnet50", "output_stride": 4}, r"\[8, 16, 32\], not 4"),
        ({"name": "compact", "width": 4}, r"\[4, 8, 16\], not 32"),
        ({"name": "resnet18", "stem": "wide"}, "'wide'"),
    ],
)
def test_what_there_is_not_is_refused(arguments, message):
    with torch.device("meta"), pytest.raises(ValueError, match=message):
        backbone(**arguments)


def test_weights_by_name_come_through_torchvision(resnets, tmp_path, monkeypatch):
    """A file in torchvision's own cache stands for the download."""
    other, path = resnets["resnet18"]
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    os.link(path, cache / RESNET18_FILE)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    net = backbone("resnet18")
    assert len(load_weights(net, "resnet18", "IMAGENET1K_V1")["loaded"]) == len(other.state_dict()) - 2
    assert torch.equal(net.layer4[1].conv2.weight, other.layer4[1].conv2.weight)


def serve(monkeypatch, url):
    """Let torchvision find its weights at another address."""

    def load(_url, **options):
        return torch.hub.load_state_dict_from_url(url, **options)

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", load)


def test_download_is_checked_against_its_hash(resnets, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    os.link(resnets["resnet18"][1], tmp_path / RESNET18_FILE)
    serve(monkeypatch, (tmp_path / RESNET18_FILE).as_uri())
    with pytest.raises(OSError, match="IMAGENET1K_V1 of resnet18 can't be fetched: invalid hash value"):
        load_weights(backbone("resnet18"), "resnet18", "IMAGENET1K_V1")
    assert list((tmp_path / "cache" / "hub" / "checkpoints").iterdir()) == []


def test_offline_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    serve(monkeypatch, (tmp_path / "not_there.pth").as_uri())
    with pytest.raises(OSError, match="Without a network, give the path of a file"):
        read_weights("resnet50", "IMAGENET1K_V2")


def test_what_does_not_fit_is_reported_and_leaves_the_net_alone(resnets):
    net = backbone("resnet18", in_channels=1)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(
        ValueError, match=r"119 tensors do; missing \[\].*\('conv1.weight', \(64, 3, 7, 7\), \(64, 1, 7"
    ):
        load_weights(net, "resnet18", resnets["resnet18"][1])
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


def test_weights_of_another_network_or_size_are_refused(resnets):
    with pytest.raises(ValueError, match=r"layer1.0.conv1.weight"):
        load_weights(backbone("resnet18"), "resnet18", resnets["resnet50"][1])
    with pytest.raises(ValueError, match=r"0 tensors do; missing \['features.0.weight'.*not wanted \['bn1.bias'"):
        load_weights(vgg_stages(width=4), "vgg16", resnets["resnet18"][1])
    with pytest.raises(ValueError, match="compact"):
        load_weights(backbone("compact", width=4, output_stride=8), "compact", "IMAGENET1K_V1")


def test_old_files_load_too_and_a_missing_tensor_is_seen(resnets, tmp_path):
    """Before 2018 batch norm kept no counter, and PyTorch wrote another file format."""
    state = {k: v for k, v in resnets["resnet18"][0].state_dict().items() if not k.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    report = load_weights(backbone("resnet18"), "resnet18", tmp_path / "old.pth")
    assert report["missing"] == []
    assert len(report["loaded"]) == 100
    del state["layer2.0.downsample.1.running_var"]
    torch.save(state, tmp_path / "short.pth")
    with pytest.raises(ValueError, match=r"99 tensors do; missing \['layer2.0.downsample.1.running_var'\]"):
        load_weights(backbone("resnet18"), "resnet18", tmp_path / "short.pth")


class Trap:
    def __reduce__(self):
        return os.mkdir, ("trap",)


def test_hostile_and_wrong_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"IMAGENET1K_V1.*'IMAGENET_1K' is neither"):
        read_weights("resnet18", "IMAGENET_1K")
    torch.save({"epoch": 3, "model": {}}, "checkpoint.pth")
    with pytest.raises(ValueError, match="no table of tensors"):
        read_weights("resnet18", "checkpoint.pth")
    torch.save({"conv1.weight": Trap()}, "trap.pth")
    with pytest.raises(pickle.UnpicklingError):
        read_weights("resnet18", "trap.pth")
    assert not (tmp_path / "trap").exists()


def test_compact_is_small():
    """Six blocks; the numbers of each part at width w: stem 9*3 w + 2 w, blocks of 2*9 and 1 times in x out."""
    w = 16
    stem, first = 27 * w + 2 * w, 2 * (9 * w * w + 2 * w)

    def down(i, o):
        return 9 * i * o + 9 * o * o + i * o + 6 * o

    deep = 2 * (9 * (4 * w) ** 2 + 2 * 4 * w)
    wanted = stem + first + down(w, 2 * w) + down(2 * w, 4 * w) + deep + down(4 * w, 4 * w) + deep
    assert parameters(backbone("compact", width=w, output_stride=8)) == wanted == 303_568
