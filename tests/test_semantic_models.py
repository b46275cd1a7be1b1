"""What every semantic network must stand: odd sizes, channels, batch 1, precisions, export, compile, bad input."""

import copy
import io

import pytest
import torch
from torch import nn

from seglib import models
from seglib.models.deeplab import DeepLabV3, DeepLabV3Plus
from seglib.models.fcn import FCN
from seglib.models.pspnet import PSPNet
from seglib.models.segnet import SegNet, SegNetBasic
from seglib.models.unet import UNet

CLASSES = 5
# Name -> tiny network for a number of input channels.
NETWORKS = {
    "UNet": lambda channels: UNet(channels, CLASSES, width=4, depth=3),
    "FCN": lambda channels: FCN(CLASSES, "vgg16_bn", in_channels=channels, width=2, padding=1),
    "FCN as in the paper": lambda channels: FCN(CLASSES, in_channels=channels, width=2),
    "SegNet": lambda channels: SegNet(CLASSES, in_channels=channels, width=4),
    "SegNetBasic": lambda channels: SegNetBasic(CLASSES, in_channels=channels, width=4),
    "PSPNet": lambda channels: PSPNet(CLASSES, "compact", channels, width=4),
    "DeepLabV3": lambda channels: DeepLabV3(CLASSES, "compact", channels, width=4, rates=(1, 2), aux=True),
    "DeepLabV3Plus": lambda channels: DeepLabV3Plus(CLASSES, "compact", channels, width=4, rates=(1, 2)),
}
WITH_AUX = {"PSPNet", "DeepLabV3"}
# These pool to one value per channel, of which batch norm cannot learn when there is one picture.
NEEDS_TWO = {"PSPNet", "DeepLabV3", "DeepLabV3Plus"}
# Shortest side; those not named take everything from 1 px.
SMALLEST = {"UNet": 8, "DeepLabV3": 8, "DeepLabV3Plus": 16}


def build(name, channels=3):
    """The network with every number drawn at random: fresh ones hold zeros and ones that hide mistakes."""
    torch.manual_seed(0)
    net = NETWORKS[name](channels)
    for parameter in net.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    for norm in (m for m in net.modules() if isinstance(m, nn.BatchNorm2d)):
        norm.running_mean.normal_(0, 0.1)
        norm.running_var.uniform_(0.5, 1.5)
    return net


def heads(result):
    return result if isinstance(result, dict) else {"out": result}


def same(one, other, tolerance=0.0):
    """The same heads, and values that differ by at most ``tolerance`` of the largest."""
    one, other = heads(one), heads(other)
    return set(one) == set(other) and all(
        one[key].shape == other[key].shape and (one[key] - other[key]).abs().max() <= tolerance * other[key].abs().max()
        for key in one
    )


def nearly(one, other, deviation):
    """Mean deviation as a share of the mean value; and the classes chosen, 9 of 10.

    No bound on single pixels: rounding lets a pooling take another of two like values, and SegNet's unpooling then
    puts it at another place, which changes a few logits by much.
    """
    return all(
        (one[key].float() - other[key].float()).abs().mean() <= deviation * other[key].abs().mean()
        and (one[key].argmax(1) == other[key].argmax(1)).float().mean() > 0.9
        for key in one
    )


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


@pytest.mark.parametrize("size", [(97, 45), (64, 64), (33, 110)])
def test_any_size_comes_back_as_it_was(name, size):
    net, x = build(name), torch.rand(2, 3, *size)
    for mode in (True, False):
        result = net.train(mode)(x)
        assert set(heads(result)) == ({"out", "aux"} if name in WITH_AUX and mode else {"out"})
        assert isinstance(result, dict) == (name in WITH_AUX)
        assert all(logits.shape == (2, CLASSES, *size) for logits in heads(result).values())
        assert all(logits.isfinite().all() for logits in heads(result).values())


@pytest.mark.parametrize("name", sorted(WITH_AUX))
def test_the_auxiliary_head_is_asked_in_training_only(name):
    net, x, calls = build(name), torch.rand(2, 3, 32, 24), []
    net.aux.register_forward_hook(lambda *_: calls.append(1))
    logits = net(x)
    assert not torch.equal(logits["out"], logits["aux"])
    assert len(calls) == 1
    before = net.eval()(x)
    assert len(calls) == 1
    assert torch.equal(net(x, aux=True)["out"], before["out"])
    assert len(calls) == 2


@pytest.mark.parametrize("channels", [1, 5])
def test_other_numbers_of_channels(name, channels):
    net, x = build(name, channels).eval(), torch.rand(1, channels, 40, 40)
    before = heads(net(x))["out"]
    assert before.shape == (1, CLASSES, 40, 40)
    for channel in range(channels):
        changed = x.clone()
        changed[:, channel] = 1 - x[:, channel]
        assert not torch.allclose(heads(net(changed))["out"], before), f"channel {channel} is not looked at"


def test_a_batch_of_one_trains_or_says_why_not(name):
    net, x = build(name).train(), torch.rand(1, 3, 40, 48)
    if name in NEEDS_TWO:
        with pytest.raises(ValueError, match=r"batch(.|\n)*(2|two)"):
            net(x)
    else:
        net(x).sum().backward()
    assert heads(net.eval()(x))["out"].shape == (1, CLASSES, 40, 48)


def test_each_picture_is_judged_by_itself(name):
    net, x = build(name).eval(), torch.rand(3, 3, 40, 48)
    with torch.inference_mode():
        whole = {key: logits[1:2] for key, logits in heads(net(x)).items()}
        assert same(net(x[1:2]), whole, 1e-5)


def test_the_input_is_left_as_it_was_and_its_memory_format_does_not_matter(name):
    net, x = build(name).eval(), torch.rand(2, 3, 45, 37)
    kept = x.clone()
    with torch.inference_mode():
        before = net(x)
        assert torch.equal(x, kept)
        channels_last = copy.deepcopy(net).to(memory_format=torch.channels_last)
        assert same(channels_last(x.contiguous(memory_format=torch.channels_last)), before, 1e-5)


def test_gradients_reach_every_parameter(name):
    net = build(name).train()
    sum(logits.square().sum() for logits in heads(net(torch.rand(2, 3, 64, 72))).values()).backward()
    # Biases in front of batch norm have no effect; of the others, none may be left out.
    dead = [key for key, p in net.named_parameters() if p.grad is None or (p.ndim > 1 and not p.grad.any())]
    assert dead == []


def test_every_class_and_every_place_gets_a_gradient_to_the_picture(name):
    net, x = build(name).eval(), torch.rand(1, 3, 40, 48, requires_grad=True)
    logits = heads(net(x))["out"]
    for k in range(CLASSES):
        (grad,) = torch.autograd.grad(logits[:, k].square().sum(), x, retain_graph=True)
        assert (grad.abs().sum(1) > 0).float().mean() > 0.9


def test_bfloat16_autocast_trains_and_predicts_nearly_the_same(name):
    net, x = build(name), torch.rand(2, 3, 45, 64)
    with torch.inference_mode():
        exact = net.eval()(x)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert nearly(heads(net(x)), heads(exact), 0.15)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = heads(net.train()(x))
    sum(values.float().square().mean() for values in logits.values()).backward()
    assert all(p.grad.isfinite().all() and p.grad.dtype == torch.float32 for p in net.parameters())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_networks_of_other_precision(name, dtype):
    net, x = build(name).eval(), torch.rand(2, 3, 45, 64)
    with torch.inference_mode():
        exact, result = net(x), copy.deepcopy(net).to(dtype)(x.to(dtype))
    assert all(logits.dtype == dtype for logits in heads(result).values())
    deviation = {torch.bfloat16: 0.15, torch.float16: 0.01, torch.float64: 1e-4}[dtype]
    assert nearly(heads(result), heads(exact), deviation)


@pytest.mark.slow
def test_export_and_back(name):
    net, x = build(name).eval(), torch.rand(2, 3, 45, 64)
    file = io.BytesIO()
    torch.export.save(torch.export.export(net, (x,)), file)
    file.seek(0)
    other = torch.rand(2, 3, 45, 64)
    with torch.inference_mode():
        assert same(torch.export.load(file).module()(other), net(other), 1e-6)


@pytest.mark.slow
def test_compiles_in_one_graph(name):
    """As for training, where the check of the batch, too, could break the graph; export has seen the other mode."""
    net, x = build(name).train(), torch.rand(2, 3, 45, 64)
    for dropout in (m for m in net.modules() if isinstance(m, nn.Dropout | nn.Dropout2d)):
        dropout.p = 0.0
    torch.compiler.reset()
    with torch.no_grad():
        assert same(torch.compile(net, backend="aot_eager", fullgraph=True)(x), net(x), 1e-5)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 64, 64), r"\(3, 64, 64\)"),
        ((64, 64), r"\(64, 64\)"),
        ((2, 1, 64, 64), "channel"),
        ((2, 4, 64, 64), "channel"),
        ((2, 64, 64, 3), "channel"),
    ],
)
def test_what_is_no_batch_of_pictures_is_refused(name, shape, message):
    with pytest.raises(ValueError, match=message):
        build(name).eval()(torch.zeros(shape))


def test_the_smallest_pictures(name):
    net, least = build(name).eval(), SMALLEST.get(name, 1)
    for height, width in [(least, least), (least, 64), (64, least)]:
        assert heads(net(torch.rand(1, 3, height, width)))["out"].shape == (1, CLASSES, height, width)
    for height, width in [(least - 1, 64), (64, least - 1)] if least > 1 else []:
        with pytest.raises(ValueError, match=rf"{height}x{width} px.*at least.*{least} px"):
            net(torch.rand(1, 3, height, width))


def test_every_name_is_there_and_others_are_not():
    for name in models.__all__:
        assert getattr(models, name).__name__ == name
    assert set(models.__all__) <= set(dir(models))
    with pytest.raises(AttributeError, match="no 'Unet'; it has FCN"):
        models.Unet  # noqa: B018
