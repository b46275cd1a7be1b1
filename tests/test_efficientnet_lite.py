"""EfficientNet-Lite0 against the package that its weights come from, and what it serves: classes, maps, stages."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from seglib import carried
from seglib.carried import carried as path_of
from seglib.models import EfficientNetLite0, FasterRCNN, MaskRCNN, UNet, parameters
from seglib.models.backbones import backbone
from seglib.models.efficientnet_lite import InvertedResidual, SameConv2d, as_batch
from seglib.scenes import photo
from seglib.transforms import Normalize

LITE = "efficientnet_lite0"


@pytest.fixture(scope="module")
def net():
    return EfficientNetLite0(weights="imagenet").eval()


@pytest.fixture(scope="module")
def reference():
    """The package's own network, which pads by the size of each picture (image_size=None)."""
    package = pytest.importorskip("efficientnet_lite_pytorch")
    net = package.EfficientNet.from_name("efficientnet-lite0", image_size=None)
    net.load_state_dict(torch.load(path_of("efficientnet_lite0.pth"), weights_only=True))
    return net.eval()


def pieces(name, *sizes):
    """A photo at several sizes, ready for the network."""
    whole = as_batch(photo(name)["image"])
    return [F.interpolate(whole, size, mode="bilinear", antialias=True) for size in sizes]


def test_parameters():
    with torch.device("meta"):
        net = EfficientNetLite0()
        assert parameters(net) == 4_652_008
        assert parameters(net) - parameters(net.classifier) == 3_371_008
        assert parameters(net.backbone) == 3_371_008 - parameters(net.head)
        assert sum(isinstance(m, InvertedResidual) for m in net.modules()) == 16


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chelsea", "coffee", "camera"])
def test_logits_are_the_references(name, net, reference):
    sizes = [(224, 224), (225, 225), (97, 160), (111, 203), (64, 33), (32, 32), (7, 5), (1, 1)]
    for x in pieces(name, *sizes):
        with torch.no_grad():
            mine, theirs = net(x), reference(x)
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_every_weight_arrives_and_training_mode_agrees_too(net, reference):
    """In training, batch norm's statistics are the batch's; dropout and dropped paths are switched off in the other."""
    mine = [value for key, value in net.state_dict().items() if not key.endswith("num_batches_tracked")]
    theirs = [value for key, value in reference.state_dict().items() if not key.endswith("num_batches_tracked")]
    assert len(mine) == len(theirs) == 247
    assert all(map(torch.equal, mine, theirs))
    fresh = EfficientNetLite0(weights="imagenet").train()
    x = torch.cat(pieces("chelsea", (96, 96)) + pieces("coffee", (96, 96)))
    reference._global_params = reference._global_params._replace(drop_connect_rate=0)
    reference.train()
    reference._dropout.eval()
    with torch.no_grad():
        torch.testing.assert_close(fresh(x), reference(x), rtol=0, atol=1e-3)
    reference.load_state_dict(torch.load(path_of("efficientnet_lite0.pth"), weights_only=True))
    reference.eval()


@pytest.mark.slow
def test_the_weights_were_trained_with_this_normalisation(net):
    """The stem's batch norm remembers what its convolution gave on ImageNet: photos give as much with the right one."""
    conv, norm = net.backbone.stem[0][:2]

    def spread(mean, std):
        seen = [Normalize(mean, std)({"image": x[0] * 128 / 255 + 127 / 255})["image"][None] for x in batches]
        with torch.no_grad():
            given = torch.cat([conv(x).flatten(2) for x in seen], dim=2)[0]
        alive = norm.running_var > 1e-3
        return (given.var(1) / norm.running_var)[alive].log().median()

    batches = [x for name in ("astronaut", "chelsea", "coffee", "china", "flower") for x in pieces(name, (224, 224))]
    assert abs(spread(EfficientNetLite0.mean, EfficientNetLite0.std)) < 0.5
    assert spread((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)) > 1  # torchvision's: far too much contrast


@pytest.mark.slow
def test_it_names_what_photos_show(net):
    (cat, sure), *others = net.classify(photo("chelsea")["image"])
    assert (cat, len(others)) == ("Egyptian cat", 4)
    assert 0.7 < sure < 0.85
    assert others[0][1] > others[1][1]
    ((drink, sure),) = net.classify(photo("coffee")["image"], top=1)
    assert drink == "espresso"
    assert sure > 0.8
    assert net.classify(photo("camera")["image"])[0][0] == "tripod"  # grey


def test_pictures_of_every_kind_are_one_batch():
    image = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    wanted = (torch.from_numpy(image).permute(2, 0, 1).float() - 127) / 128
    torch.testing.assert_close(as_batch(image)[0], wanted, rtol=0, atol=1e-6)
    torch.testing.assert_close(as_batch(image / 255)[0], wanted, rtol=0, atol=1e-6)
    grey = as_batch(image[..., 0])
    assert grey.shape == (1, 3, 9, 12)
    assert torch.equal(grey[0, 0], grey[0, 2])
    normalised = Normalize(EfficientNetLite0.mean, EfficientNetLite0.std)(
        {"image": torch.from_numpy(image / 255).permute(2, 0, 1)}
    )
    torch.testing.assert_close(as_batch(image)[0], normalised["image"].float(), rtol=0, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 20),
    st.integers(1, 20),
    st.sampled_from([1, 3, 5]),
    st.sampled_from([1, 2]),
    st.sampled_from([1, 2, 4]),
)
def test_same_padding_by_its_definition(height, width, kernel, stride, rate):
    """Of k weights from the first to the last, output i of n looks at those around pixel i * stride, shifted by as few
    zeros as cover ceil(n / stride) outputs, the smaller half in front."""
    torch.manual_seed(0)
    conv = SameConv2d(2, 2, kernel, stride, dilation=rate, groups=2, bias=False).double()
    x = torch.randn(1, 2, height, width, dtype=torch.float64)
    out = conv(x)
    assert out.shape[-2:] == (math.ceil(height / stride), math.ceil(width / stride))

    def first(size):
        return max((math.ceil(size / stride) - 1) * stride + rate * (kernel - 1) + 1 - size, 0) // 2

    row, column = out.shape[2] - 1, out.shape[3] // 2
    wanted = torch.zeros(2, dtype=torch.float64)
    for i in range(kernel):
        for j in range(kernel):
            y, z = row * stride + i * rate - first(height), column * stride + j * rate - first(width)
            if 0 <= y < height and 0 <= z < width:
                wanted += conv.weight[:, 0, i, j] * x[0, :, y, z]
    torch.testing.assert_close(out[0, :, row, column], wanted)


def test_same_padding_is_pytorchs_on_odd_sizes_and_one_pixel_off_on_even_ones():
    for kernel in (3, 5):
        conv = SameConv2d(1, 1, kernel, 2, bias=False)
        odd, even = torch.randn(1, 1, 15, 15), torch.randn(1, 1, 16, 16)
        torch.testing.assert_close(conv(odd), F.conv2d(odd, conv.weight, stride=2, padding=kernel // 2))
        dense = F.conv2d(even, conv.weight, padding=kernel // 2)
        torch.testing.assert_close(conv(even), dense[..., 1::2, 1::2])


def first_kept(size, before, after):
    """Which value of the dilated map is the undilated one's first: at each stride of 2 taken off, one more if even."""
    first, step = 0, 1
    size = math.ceil(size / after)
    while after < before:
        first += step * (size % 2 == 0)
        size, step, after = math.ceil(size / 2), 2 * step, 2 * after
    return first


@pytest.mark.slow
@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("size", [(65, 97), (64, 96), (70, 50), (63, 45)])
def test_dilation_only_fills_in_between_the_undilated_values(stride, size):
    plain = backbone(LITE, weights="imagenet").double().eval()
    dilated = backbone(LITE, weights="imagenet", output_stride=stride).double().eval()
    x = F.interpolate(as_batch(photo("coffee")["image"]), size).double()
    with torch.no_grad():
        pairs = zip(plain(x), dilated(x), plain.strides, dilated.strides, strict=True)
        for sparse, dense, before, after in pairs:
            assert after == min(before, stride)
            assert dense.shape[-2:] == tuple(math.ceil(side / after) for side in size)
            row, column = (first_kept(side, before, after) for side in size)
            step = before // after
            torch.testing.assert_close(dense[..., row::step, column::step], sparse, rtol=1e-9, atol=1e-9)


def test_stages_have_the_channels_and_strides_they_say():
    net = backbone(LITE, in_channels=2).eval()
    x = torch.rand(1, 2, 75, 64)
    stem, *stages = net.with_stem(x)
    assert stem.shape == (1, 16, 38, 32)
    for features, channels, stride in zip(stages, net.channels, net.strides, strict=True):
        assert features.shape == (1, channels, math.ceil(75 / stride), math.ceil(64 / stride))
    assert net.strides == [4, 8, 16, 32]


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70))
def test_the_mean_of_dense_scores_is_the_classifiers_answer(height, width):
    torch.manual_seed(0)
    net = EfficientNetLite0(7).eval()
    x = torch.randn(2, 3, height, width)
    with torch.no_grad():
        scores = net.dense(x)
        assert scores.shape == (2, 7, math.ceil(height / 32), math.ceil(width / 32))
        torch.testing.assert_close(scores.mean((2, 3)), net(x), rtol=1e-4, atol=1e-5)
        places = net.features(x).movedim(1, -1)
        torch.testing.assert_close(scores, net.classifier(places).movedim(-1, 1), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_dense_scores_light_the_cat(net):
    """Of all kinds of cats of ImageNet (281 to 285), the highest mean score lies on the cat, by a margin."""
    sample = photo("chelsea")
    with torch.no_grad():
        cats = net.dense(as_batch(sample["image"])).softmax(1)[0, 281:286].sum(0)
    mask = torch.from_numpy((sample["mask"] > 0).astype(np.float32))[None, None]
    share = F.interpolate(mask, cats.shape, mode="area")[0, 0]
    assert cats[share > 0.9].mean() > 2 * cats[share < 0.1].mean()


def centre_of_sight(stages, size, stride):
    """Where a cell in the middle looks, in px from ``stride`` times its number: the centre of its squared gradients."""
    torch.manual_seed(0)
    seen = []
    for name in ("chelsea", "coffee", "china", "rocket"):
        (x,) = pieces(name, (size, size))
        y = x.requires_grad_()
        for stage in stages:
            y = stage(y)
        cell = y.shape[-1] // 2
        mix = torch.randn(8, y.shape[1])
        gradients = [torch.autograd.grad(y[0, :, cell, cell] @ each, x, retain_graph=True)[0] for each in mix]
        weight = torch.stack(gradients).square().sum((0, 1, 2)).sum(0)
        seen.append(float((weight * torch.arange(size)).sum() / weight.sum()) - stride * cell)
    return np.median(seen)


@pytest.mark.slow
def test_maps_lie_upon_the_picture_where_sides_divide_by_the_stride(net):
    trunk = net.backbone
    stages = (trunk.stem, trunk.layer1, trunk.layer2, trunk.layer3)
    assert abs(centre_of_sight(stages, 256, 16) - 7.5) < 4
    assert centre_of_sight(stages, 257, 16) < 0  # half a cell off: 7.5 would be the middle of its 16 px


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EfficientNetLite0(weights="coco"), "'coco'"),
        (lambda: EfficientNetLite0(10, weights="imagenet"), r"imagenet does not fit.*1000.*number of classes"),
        (lambda: EfficientNetLite0(in_channels=1, weights="imagenet"), "input channels"),
        (lambda: EfficientNetLite0(10).eval().classify(np.zeros((9, 9))), "this network has 10"),
        (lambda: EfficientNetLite0().classify(np.zeros((9, 9))), r"call eval\(\)"),
        (lambda: EfficientNetLite0().eval().classify(np.full((9, 9), 255.0)), "divide by 255"),
        (lambda: EfficientNetLite0()(torch.rand(3, 32, 32)), "batch"),
        (lambda: EfficientNetLite0().dense(torch.rand(1, 1, 32, 32)), "3 channels, not the 1"),
        (lambda: UNet(3, 2, weights="imagenet"), "give backbone="),
        (lambda: UNet(3, 2, backbone="resnet18"), "'resnet18'"),
        (lambda: UNet(3, 2, backbone=LITE, padding="valid"), "padded"),
        (lambda: backbone(LITE, output_stride=4), "not 4"),
        (lambda: FasterRCNN(5, "compact", weights="imagenet"), "no weights of compact"),
        (lambda: MaskRCNN(5, "resnet18", weights="imagenet"), "IMAGENET1K_V1"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_missing_weights_say_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setattr(carried, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"tools/carry\.py"):
        EfficientNetLite0(weights="imagenet")
