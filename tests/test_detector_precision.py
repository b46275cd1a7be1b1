"""Detectors in float64, bfloat16 and float16: they follow the type of their weights."""

import copy

import pytest
import torch
from detector_twins import compact, small_target

from seglib.models import MaskRCNN


def stirred(**options):
    """A network in evaluation that finds much, and two pictures."""
    net = compact(MaskRCNN, **options).eval()
    torch.manual_seed(1)
    for parameter in net.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    net.score_threshold, net.max_detections = 0.2, 10
    return net, [torch.rand(3, 64, 64), torch.rand(3, 50, 70)]


@pytest.mark.parametrize("roi_pooling", ["align", "pool"])
@torch.no_grad()
def test_a_network_of_float64_detects_the_same(roi_pooling):
    net, images = stirred(roi_pooling=roi_pooling)
    for single, double in zip(net(images), copy.deepcopy(net).double()(images), strict=True):
        assert len(single["labels"]) == 10
        assert torch.equal(single["labels"], double["labels"])
        for name in ("boxes", "scores", "masks"):
            assert double[name].dtype == torch.float64
            torch.testing.assert_close(single[name].double(), double[name], rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@torch.no_grad()
def test_a_network_of_half_precision_detects(dtype):
    net, images = stirred()
    for found in net.to(dtype)([image.to(dtype) for image in images]):
        assert len(found["labels"]) == 10
        for name in ("boxes", "scores", "masks"):
            assert found[name].dtype == torch.float32
            assert found[name].isfinite().all()


@pytest.mark.slow
def test_training_in_other_precisions():
    """A step in float64 has the losses and gradients of float32; one in bfloat16 is finite and near."""
    steps = {}
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        net = compact(MaskRCNN).to(dtype).train()
        targets = [small_target((10, 12, 30, 40)), small_target()]
        torch.manual_seed(2)
        losses = net([torch.rand(3, 64, 64) for _ in range(2)], targets)
        sum(losses.values()).backward()
        steps[dtype] = torch.stack(list(losses.values())).double(), [p.grad.double() for p in net.parameters()]
    losses, gradients = steps[torch.float32]
    torch.testing.assert_close(steps[torch.float64][0], losses, rtol=1e-4, atol=1e-4)
    for mine, other in zip(gradients, steps[torch.float64][1], strict=True):
        assert (mine - other).abs().max() <= 1e-3 * other.abs().max() + 1e-6
    torch.testing.assert_close(steps[torch.bfloat16][0], losses, rtol=0.05, atol=0.05)
    assert all(gradient.isfinite().all() for gradient in steps[torch.bfloat16][1])
