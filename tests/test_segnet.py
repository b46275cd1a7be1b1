"""SegNet against the paper's and the released nets' counts and sizes, and its unpooling against loops."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from seglib.models.blocks import parameters
from seglib.models.segnet import DECODERS, SegNet, SegNetBasic


def count(net, kind):
    return sum(p.numel() for m in net.modules() if isinstance(m, kind) for p in m.parameters(recurse=False))


def convolutions(net):
    return count(net, nn.Conv2d | nn.ConvTranspose2d)


def test_paper_size_has_the_released_nets_parameters():
    with torch.device("meta"):
        net = SegNet(11)
    assert (convolutions(net), count(net, nn.BatchNorm2d)) == (29_433_483, 15_872)
    assert convolutions(net.encoder) == 14_714_688
    with torch.device("meta"):
        assert parameters(SegNet(11, width=16)) == 1_846_571  # the course's compact size
        assert parameters(SegNetBasic(11, decoder="features")) == 1_661_067 + 512  # the paper: 1.625 M
    assert parameters(net) == 29_449_355
    with pytest.raises(ValueError, match=r"decoder is one of.*not 'full'"):
        SegNetBasic(3, decoder="full")


def test_decoder_mirrors_the_encoder_and_ends_bare():
    with torch.device("meta"):
        net = SegNet(11)
    convs = [m for stage in net.decoder for m in stage if isinstance(m, nn.Conv2d)]
    # conv4_1_D, conv3_1_D and conv2_1_D, the last of their stages, have the next stage's channels.
    assert [c.out_channels for c in convs] == [512] * 3 + [512, 512, 256] + [256, 256, 128] + [128, 64] + [64]
    layers = [m for m in net.modules() if not list(m.children())]
    assert [sum(isinstance(m, kind) for m in layers) for kind in (nn.Conv2d, nn.BatchNorm2d, nn.ReLU)] == [26, 25, 25]
    assert all(c.kernel_size == (3, 3) and c.bias is not None for c in [*convs, net.classifier])
    assert net.classifier.out_channels == 11


def inputs_and_outputs(modules):
    """Lists that fill with each module's input and output when the net runs."""
    seen = [{} for _ in modules]
    for module, store in zip(modules, seen, strict=True):
        module.register_forward_hook(lambda _module, inputs, out, store=store: store.update(x=inputs[0], y=out))
    return seen


@pytest.mark.parametrize("size", [(97, 45), (1, 1), (33, 2)])
def test_every_size_comes_back(size):
    x = torch.zeros(2, 1, *size)
    assert SegNet(5, in_channels=1, width=1)(x).shape == (2, 5, *size)
    for decoder in DECODERS:
        assert SegNetBasic(5, in_channels=1, width=2, decoder=decoder)(x).shape == (2, 5, *size)


def pool_by_hand(x):
    """(H, W) -> the maxima of 2x2 windows, cut off at the border, and where in x they stand (first of equals)."""
    values, places = {}, {}
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            window = (i // 2, j // 2)
            if window not in values or x[i, j] > values[window]:
                values[window], places[window] = x[i, j], (i, j)
    return values, places


def unpool_by_hand(values, places, size):
    out = torch.zeros(size)
    for window, place in places.items():
        out[place] = values[window]
    return out


@torch.no_grad()
def test_each_decoder_stage_gets_the_values_at_the_mirrored_encoder_stages_maxima():
    torch.manual_seed(0)
    net = SegNet(3, width=1).eval()
    down, up = inputs_and_outputs(net.encoder), inputs_and_outputs(net.decoder)
    net(torch.rand(1, 3, 37, 26))
    given_values = F.max_pool2d(down[4]["y"], 2, ceil_mode=True)
    for encoder, decoder in zip(reversed(down), up, strict=True):
        for channel, features in enumerate(encoder["y"][0]):
            _, places = pool_by_hand(features)
            expected = unpool_by_hand(given_values[0, channel], places, features.shape)
            assert torch.equal(decoder["x"][0, channel], expected)
        given_values = decoder["y"]


@pytest.mark.parametrize(
    ("decoder", "learned", "norm", "paper"),
    [
        ("indices", 1_415_563, 1024, 1.425),
        ("addition", 1_415_563, 1024, 1.425),
        ("single", 625_291, 1024, 0.625),
        ("bilinear", 612_491, 512, 0.625),
        ("reduced", 645_612, 512, 0.65),
    ],
)
def test_basic_has_the_papers_parameters(decoder, learned, norm, paper):
    with torch.device("meta"):
        net = SegNetBasic(11, decoder=decoder)
    assert (convolutions(net), count(net, nn.BatchNorm2d)) == (learned, norm)
    assert round(parameters(net) / 25_000) * 0.025 == pytest.approx(paper)


def test_basic_is_four_7x7_convolutions_each_way_without_relu_in_the_decoder():
    net = SegNetBasic(11, width=2)
    convs = [m for m in [*net.encoder.modules(), *net.decoder.modules()] if isinstance(m, nn.Conv2d)]
    assert len(convs) == 8
    assert all(c.kernel_size == (7, 7) and c.out_channels == 2 for c in convs)
    assert sum(isinstance(m, nn.ReLU) for m in net.encoder.modules()) == 4
    assert not any(isinstance(m, nn.ReLU) for m in net.decoder.modules())


def run_basic(decoder):
    """A net in evaluation, the picture it gets, and what its encoder and decoder stages see and give."""
    torch.manual_seed(0)
    net = SegNetBasic(3, width=4, decoder=decoder).eval()
    down, up = inputs_and_outputs(net.encoder), inputs_and_outputs(getattr(net, "decoder", []))
    with torch.no_grad():
        logits = net(torch.rand(1, 3, 52, 39))
    return net, down, up, logits


@pytest.mark.parametrize(("decoder", "adds"), [("indices", 0), ("single", 0), ("addition", 1)])
def test_unpooling_decoders_pass_on_what_the_paper_says(decoder, adds):
    _, down, up, _ = run_basic(decoder)
    pooled = [F.max_pool2d(each["y"], 2, ceil_mode=True) for each in down]
    passed = [pooled[3], *(up[level]["y"] + adds * pooled[level - 1] for level in (3, 2, 1))]
    for level, values in zip((3, 2, 1, 0), passed, strict=True):
        _, indices = F.max_pool2d(down[level]["y"], 2, ceil_mode=True, return_indices=True)
        assert torch.equal(up[level]["x"], F.max_unpool2d(values, indices, 2, output_size=down[level]["y"].shape[-2:]))


def test_transposed_decoders_start_as_interpolation_and_add_the_features():
    net, down, up, logits = run_basic("features")
    pooled = [F.max_pool2d(each["y"], 2, ceil_mode=True) for each in down]
    for level in (3, 2, 1, 0):
        interpolated = F.interpolate(up[level]["x"], scale_factor=2, mode="bilinear")
        assert torch.allclose(up[level]["y"][..., 1:-1, 1:-1], interpolated[..., 1:-1, 1:-1], atol=1e-6)
    for level in (3, 2, 1):
        height, width = pooled[level - 1].shape[-2:]
        assert torch.equal(up[level - 1]["x"], up[level]["y"][..., :height, :width] + pooled[level - 1])
    assert torch.equal(logits, net.classifier(up[0]["y"][..., :52, :39]))
    _, _, up, logits = run_basic("reduced")  # works on class scores alone
    assert [each["x"].shape[1] for each in up] == [3, 3, 3, 3]
    assert torch.equal(logits, up[0]["y"][..., :52, :39])


def test_bilinear_decoder_learns_nothing_and_remembers_nothing():
    net, down, _, logits = run_basic("bilinear")
    assert not hasattr(net, "decoder")
    coarse = net.classifier(F.max_pool2d(down[3]["y"], 2, ceil_mode=True))
    assert torch.equal(logits, F.interpolate(coarse, size=(52, 39), mode="bilinear", align_corners=False))


def test_single_channel_decoder_keeps_channels_apart():
    net = SegNetBasic(3, width=4, decoder="single").eval()
    x = torch.rand(1, 4, 9, 9)
    changed = x.clone()
    changed[:, 2] += 1
    difference = (net.decoder[0](changed) - net.decoder[0](x)).abs().amax((0, 2, 3))
    assert (difference > 0).tolist() == [False, False, True, False]


def nets():
    return [SegNet(3, width=2, dropout=0.2), *(SegNetBasic(3, width=4, decoder=decoder) for decoder in DECODERS)]


@pytest.mark.parametrize("index", range(7))
def test_every_parameter_learns(index):
    torch.manual_seed(0)
    net = nets()[index]
    net(torch.rand(2, 3, 70, 50)).square().mean().backward()
    assert all(p.grad is not None for p in net.parameters())
    # Biases in front of batch norm are taken away again, and features that no picture stirs have no gradient.
    weights = [p for name, p in net.named_parameters() if name.endswith("weight")]
    assert all(p.grad.abs().max() > 0 for p in weights)


def test_dropout_for_monte_carlo_leaves_batch_norm_alone():
    torch.manual_seed(0)
    net, x = SegNet(3, width=4, dropout=0.5).eval(), torch.rand(1, 3, 64, 64)
    assert torch.equal(net(x), net(x))
    before = {key: value.clone() for key, value in net.state_dict().items()}
    net.dropout.train()
    seen = []
    net.dropout.register_forward_hook(lambda _module, inputs, _out: seen.append(tuple(inputs[0].shape[1:])))
    assert not torch.equal(net(x), net(x))
    # Behind pool3, pool4, pool5 and the decoder's three deepest stages, as in the released Bayesian SegNet.
    assert seen == 2 * [(16, 8, 8), (32, 4, 4), (32, 2, 2), (32, 4, 4), (16, 8, 8), (8, 16, 16)]
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
