"""DeepLabv3 and v3+ against torchvision's network, the papers' figures, and atrous convolution worked by hand."""

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torchvision.models.segmentation import deeplabv3_resnet50

from seglib.models import parameters
from seglib.models.deeplab import ASPP, DeepLabV3, DeepLabV3Plus, ImagePooling, conv_bn_relu, separable_conv

# Name here -> name in torchvision, by beginnings; the longest that fits counts.
TORCHVISION_NAMES = {
    "backbone.": "backbone.",
    "backbone.stem.": "backbone.",
    "aspp.branches.": "classifier.0.convs.",
    "aspp.branches.4.conv.0.": "classifier.0.convs.4.1.",
    "aspp.branches.4.conv.1.": "classifier.0.convs.4.2.",
    "aspp.mix.0.": "classifier.0.project.",
    "head.0.0.": "classifier.1.",
    "head.0.1.": "classifier.2.",
    "head.1.": "classifier.4.",
    "aux.0.": "aux_classifier.",
    "aux.2.": "aux_classifier.4.",
}


def name_in_torchvision(name):
    beginning = max(filter(name.startswith, TORCHVISION_NAMES), key=len)
    return TORCHVISION_NAMES[beginning] + name.removeprefix(beginning)


def torchvision_net(aux):
    return deeplabv3_resnet50(weights=None, weights_backbone=None, num_classes=21, aux_loss=aux)


def compact(net=DeepLabV3, **options):
    return net(5, "compact", **({"width": 4, "rates": (1, 2, 3)} | options))


@pytest.mark.parametrize(("aux", "count"), [(True, 42_004_074), (False, 39_638_869)])
def test_v3_has_torchvisions_parameters(aux, count):
    with torch.device("meta"):
        assert parameters(DeepLabV3(21, aux=aux)) == parameters(torchvision_net(aux)) == count


@pytest.mark.slow
@pytest.mark.parametrize("aux", [True, False])
def test_v3_with_torchvisions_weights_gives_torchvisions_output(aux):
    torch.manual_seed(0)
    theirs = torchvision_net(aux).eval()
    for norm in (m for m in theirs.modules() if isinstance(m, nn.BatchNorm2d)):
        # Fresh running statistics are 0 and 1 everywhere: a batch norm left out would go unnoticed.
        norm.running_mean.normal_(0, 0.1)
        norm.running_var.uniform_(0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.2, 0.2)
    with torch.device("meta"):
        ours = DeepLabV3(21, aux=aux).eval()
    state = theirs.state_dict()
    names = {name: name_in_torchvision(name) for name in ours.state_dict()}
    assert sorted(names.values()) == sorted(state)
    ours.load_state_dict({name: state[there] for name, there in names.items()}, assign=True)
    x = torch.rand(2, 3, 75, 52)
    with torch.inference_mode():
        mine, wanted = ours(x, aux=aux), theirs(x)
    mine = mine if aux else {"out": mine}
    assert set(mine) == set(wanted) == ({"out", "aux"} if aux else {"out"})
    for head, logits in mine.items():
        assert logits.std() > 1e-3
        assert (logits - wanted[head]).abs().max() <= 1e-5 * wanted[head].abs().max()


# By hand, ResNet-50 23,508,032 and 21 classes; every batch norm has 2 numbers a channel.
ONES = 2048 * 256 + 512 + 2048 * 256 + 512 + 1280 * 256 + 512  # 1x1 branch, image pooling, mix
PLUS_COUNTS = {
    (True, True): 26_696_133,
    (True, False): 23_508_032 + ONES + 3 * (2048 * 9 + 4096 + 2048 * 256 + 512) + 256 * 21 + 21,
    (False, True): 40_352_181,
    (False, False): 23_508_032 + ONES + 3 * (2048 * 256 * 9 + 512) + 256 * 21 + 21,
}


@pytest.mark.parametrize(("separable", "decoder"), PLUS_COUNTS)
def test_v3plus_parameters(separable, decoder):
    with torch.device("meta"):
        net = DeepLabV3Plus(21, separable=separable, decoder=decoder)
    assert parameters(net) == PLUS_COUNTS[separable, decoder]


def with_holes(kernel, rate):
    """(O, I, 3, 3) -> (O, I, 2 rate + 1, 2 rate + 1): the same weights with zeros in between."""
    holes = kernel.new_zeros(*kernel.shape[:2], 2 * rate + 1, 2 * rate + 1)
    holes[..., ::rate, ::rate] = kernel
    return holes


def integers(*shape):
    """Whole numbers in float64: sums of their products are exact, in whatever order they are added."""
    return torch.randint(-9, 10, shape).double()


def atrous(kernel, rate):
    conv = conv_bn_relu(kernel.shape[1], kernel.shape[0], rate=rate)[0].double()
    conv.weight.data = kernel
    return conv


SIZES = {"rate": st.integers(1, 7), "height": st.integers(1, 19), "width": st.integers(1, 19)}


@settings(max_examples=40, deadline=None)
@given(**SIZES)
def test_atrous_convolution_is_convolution_with_a_kernel_with_holes(rate, height, width):
    x, kernel = integers(2, 3, height, width), integers(4, 3, 3, 3)
    assert torch.equal(atrous(kernel, rate)(x), F.conv2d(x, with_holes(kernel, rate), padding=rate))


def test_pyramid_of_large_rates_sees_one_cell_and_image_pooling_the_whole_map():
    """What the paper found at rates near the map's size, and its remedy: here as gradients."""
    torch.manual_seed(0)
    for image_pooling, seen in ((False, 1), (True, 64)):
        x = torch.randn(1, 3, 8, 8, requires_grad=True)
        ASPP(3, 8, (12, 24, 36), image_pooling).eval()(x)[0, :, 4, 4].sum().backward()
        assert (x.grad[0].abs().sum(0) > 0).sum() == seen
    x = torch.randn(1, 3, 8, 8, requires_grad=True)
    ASPP(3, 8, (1, 3), image_pooling=False).eval()(x)[0, :, 4, 4].sum().backward()
    rows, columns = x.grad[0].abs().sum(0).nonzero(as_tuple=True)
    near, far = {3, 4, 5}, {1, 4, 7}
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {
        *((i, j) for i in near for j in near),
        *((i, j) for i in far for j in far),
    }


def test_image_pooling_is_the_mean_by_hand_at_every_place():
    pool = ImagePooling(2, 1).eval()
    pool.conv[0].weight.data = torch.tensor([[[[10.0]], [[-1.0]]]])
    pool.conv[1].eps = 0.0  # so that fresh running statistics, 0 and 1, change nothing
    x = torch.tensor([[[[1.0, 2, 3], [4, 5, 9]], [[6.0, 6, 6], [0, 0, 0]]]])
    # Means 24/6 and 18/6: 10 * 4 - 3 = 37.
    assert torch.equal(pool(x), torch.full((1, 1, 2, 3), 37.0))
    assert torch.equal(pool(-x), torch.zeros(1, 1, 2, 3))  # ReLU


def test_image_pooling_refuses_one_picture_only_where_batch_norm_learns():
    pool = ImagePooling(2, 3)
    with pytest.raises(ValueError, match=r"2 pictures or more, with image_pooling=False, or .* eval"):
        pool(torch.rand(1, 2, 4, 4))
    assert pool(torch.rand(2, 2, 4, 4)).shape == (2, 3, 4, 4)
    pool.conv[1].eval()  # frozen batch norm, as in fine-tuning on few pictures
    assert pool(torch.rand(1, 2, 4, 4)).shape == (1, 3, 4, 4)


@pytest.mark.slow
@pytest.mark.parametrize("net", [DeepLabV3, DeepLabV3Plus])
def test_one_picture_a_batch_trains_without_image_pooling(net):
    one = torch.rand(1, 3, 32, 32)
    with pytest.raises(ValueError, match="image_pooling=False"):
        compact(net)(one)
    assert compact(net, image_pooling=False)(one).shape == (1, 5, 32, 32)


def test_separable_convolution_mixes_places_first_and_channels_second():
    depthwise, pointwise = separable_conv(6, 4, rate=3)
    assert depthwise[0].weight.shape == (6, 1, 3, 3)
    assert depthwise[0].dilation == (3, 3)
    assert pointwise[0].weight.shape == (4, 6, 1, 1)
    # Batch norm and ReLU after each of the two, as in the released code.
    assert [type(m) for part in (depthwise, pointwise) for m in part] == 2 * [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]


def test_a_branch_for_every_rate():
    pyramid = ASPP(3, 8, (2, 5), image_pooling=False)
    assert [(b[0].kernel_size[0], b[0].dilation[0]) for b in pyramid.branches] == [(1, 1), (3, 2), (3, 5)]
    assert pyramid.mix[0][0].weight.shape == (8, 24, 1, 1)
    assert ASPP(3, 8, ())(torch.rand(2, 3, 5, 4)).shape == (2, 8, 5, 4)
    with pytest.raises(ValueError, match=r"rates are whole numbers from 1.*\(6, 0\)"):
        ASPP(3, 8, (6, 0))


def test_decoder_and_low_level_features_matter():
    torch.manual_seed(0)
    net, x = compact(DeepLabV3Plus).eval(), torch.rand(1, 3, 48, 40)
    before = net(x)
    hook = net.low.register_forward_hook(lambda _module, _inputs, out: out * 1.5)
    assert not torch.allclose(net(x), before)
    hook.remove()
    plain = compact(DeepLabV3Plus, decoder=False)
    assert not hasattr(plain, "low")
    assert plain(torch.rand(2, 3, 48, 40)).shape == (2, 5, 48, 40)


@pytest.mark.slow
@pytest.mark.parametrize("net", [DeepLabV3, DeepLabV3Plus])
def test_weights_reach_the_backbone(net, downloaded):
    resnet = torchvision.models.resnet18()
    downloaded(resnet.state_dict())
    filled = net(2, "resnet18", weights="IMAGENET1K_V1").backbone
    assert torch.equal(filled.layer4[1].conv2.weight, resnet.layer4[1].conv2.weight)
    assert torch.equal(filled.stem.conv1.weight, resnet.conv1.weight)
