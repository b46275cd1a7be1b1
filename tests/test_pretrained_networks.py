"""FCN, U-Net, PSPNet, DeepLab and the R-CNNs on EfficientNet-Lite0: weights that arrive, sizes, what learns."""

import pytest
import torch
from torch import nn

from seglib import models
from seglib.models import EfficientNetLite0, FasterRCNN, MaskRCNN, UNet
from seglib.models.efficientnet_lite import as_batch
from seglib.scenes import photo

LITE = "efficientnet_lite0"
NETWORKS = {
    "FCN": lambda **options: models.FCN(5, LITE, **options),
    "UNet": lambda in_channels=3, **options: UNet(in_channels, 5, width=4, backbone=LITE, **options),
    "PSPNet": lambda **options: models.PSPNet(5, LITE, **options),
    "DeepLabV3": lambda **options: models.DeepLabV3(5, LITE, width=8, **options),
    "DeepLabV3Plus": lambda **options: models.DeepLabV3Plus(5, LITE, width=8, **options),
    "FasterRCNN": lambda **options: FasterRCNN(5, LITE, **options),
    "MaskRCNN": lambda **options: MaskRCNN(5, LITE, **options),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_begin_with_the_weights_or_from_nothing(name):
    wanted = EfficientNetLite0(weights="imagenet").backbone.state_dict()
    fresh, pretrained = NETWORKS[name](), NETWORKS[name](weights="imagenet")
    got = pretrained.backbone.state_dict()
    assert all(torch.equal(value, got[key]) for key, value in wanted.items() if key in got)
    assert len(got) >= len(wanted) * 5 / 6  # frozen batch norm counts no batches
    key = "layer1.0.depthwise.0.weight"
    assert not torch.equal(fresh.backbone.state_dict()[key], wanted[key])
    with pytest.raises(ValueError, match="imagenot"):
        NETWORKS[name](weights="imagenot")
    with pytest.raises(ValueError, match="channels"):
        NETWORKS[name](in_channels=1, weights="imagenet")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NETWORKS if "RCNN" not in name])
def test_every_size_comes_back_and_every_weight_learns(name):
    torch.manual_seed(0)
    net = NETWORKS[name](weights="imagenet")
    for size in ((65, 97), (64, 33), (70, 46)):
        out = net.eval()(torch.randn(1, 3, *size))
        assert (out if torch.is_tensor(out) else out["out"]).shape == (1, 5, *size)
    if name == "FCN":  # its scores start at zero, and pass nothing on
        for score in (net.score, net.score_pool3, net.score_pool4):
            nn.init.normal_(score.weight)
    out = net.train()(torch.randn(2, 3, 64, 64))
    sum(head.square().mean() for head in ([out] if torch.is_tensor(out) else out.values())).backward()
    assert [key for key, p in net.named_parameters() if p.grad is None] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["FasterRCNN", "MaskRCNN"])
def test_detectors_freeze_pretrained_batch_norm_only(name):
    target = {"boxes": torch.tensor([[10.0, 10, 50, 60]]), "labels": torch.tensor([1])}
    target["masks"] = torch.zeros(1, 64, 80, dtype=torch.uint8)
    for weights, frozen in (("imagenet", True), (None, False)):
        net = NETWORKS[name](weights=weights, min_size=64)
        before = {key: value.clone() for key, value in net.backbone.state_dict().items()}
        assert (net.mean.flatten().tolist(), net.min_size) == (pytest.approx(EfficientNetLite0.mean), 64)
        sum(net([torch.rand(3, 64, 80)], [target]).values()).backward()
        after = net.backbone.state_dict()
        assert all(torch.equal(before[key], after[key]) for key in before) == frozen
        assert (net.backbone.stem[0][1].weight.requires_grad) != frozen
        assert net.eval()([torch.rand(3, 50, 64)])[0]["boxes"].shape[1] == 4


def test_unet_on_a_backbone_has_skips_from_every_stride_and_the_picture():
    net = NETWORKS["UNet"]()
    widths = [16 * 4, 8 * 4, 4 * 4, 2 * 4, 4]
    assert [up.out_channels for up in net.up] == widths
    skips = [merge[0][0].in_channels - width for merge, width in zip(net.merge, widths, strict=True)]
    assert skips == [112, 40, 24, 16, 3]
    bare = UNet(3, 5, width=4, backbone=LITE, skips=False)
    assert [merge[0][0].in_channels for merge in bare.merge] == widths


@pytest.mark.slow
def test_export():
    net, x = NETWORKS["DeepLabV3Plus"](weights="imagenet").eval(), torch.randn(1, 3, 45, 64)
    graph = torch.export.export(net, (torch.rand(1, 3, 45, 64),)).module()
    with torch.inference_mode():
        torch.testing.assert_close(graph(x), net(x), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["UNet", "DeepLabV3Plus"])
def test_half_precision_changes_little(name):
    torch.manual_seed(0)
    net = NETWORKS[name](weights="imagenet").eval()
    x = as_batch(photo("coffee")["image"][:192, :256])
    with torch.inference_mode():
        exact, rounded = net(x), net.to(torch.bfloat16)(x.to(torch.bfloat16)).float()
    assert (rounded - exact).abs().mean() < 0.15 * exact.abs().mean()
