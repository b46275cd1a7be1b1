"""torchvision's detectors with random weights under which much is detected, and pictures to compare ours on."""

import torch
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

from seglib.models.blocks import fill

MIN_SIZE = 96  # px: 800 would take minutes


def twin(build, name):
    """torchvision's detector ``build`` on the ResNet ``name`` with frozen batch norm and random, stirred weights."""
    torch.manual_seed(0)
    backbone = resnet_fpn_backbone(backbone_name=name, weights=None, trainable_layers=5)
    net = build(backbone, 91, min_size=MIN_SIZE)
    for key, value in net.state_dict().items():  # fresh statistics would hide mistakes
        if key.endswith("running_mean"):
            value.normal_(0, 0.1)
        elif key.endswith("running_var"):
            value.uniform_(0.8, 1.2)
    with torch.no_grad():
        net.roi_heads.box_predictor.cls_score.weight.mul_(2)
        net.roi_heads.box_predictor.bbox_pred.weight.mul_(3)
        net.rpn.head.cls_logits.weight.mul_(20)
        net.rpn.head.bbox_pred.weight.mul_(5)
    return net


def filled(build, theirs):
    """Ours, with the twin's weights."""
    net = build(91, min_size=MIN_SIZE)
    fill(net, theirs.state_dict(), "the twin")
    return net


def compact(build, **options):
    """A small detector of ours for pictures of about 64 px."""
    torch.manual_seed(0)
    return build(4, "compact", width=8, **options)


def small_target(*boxes):
    """A target of these boxes in a picture of 64 px, of the classes 1, 2, 3 in turn."""
    return target((64, 64), [list(box) for box in boxes], [1 + i % 3 for i in range(len(boxes))])


def pictures():
    """Three pictures of different sizes: noise, stripes, and a spot."""
    generator = torch.Generator().manual_seed(1)
    spot = torch.zeros(3, 96, 96)
    spot[:, 30:70, 20:50] = torch.tensor([0.9, 0.2, 0.5])[:, None, None]
    stripes = torch.rand(3, 120, 1, generator=generator).expand(3, 120, 90)
    return [torch.rand(3, 100, 140, generator=generator), stripes, spot]


def target(size, boxes, labels):
    """A target whose masks fill the lower left triangle of each box, so that they differ from the boxes."""
    masks = torch.zeros(len(boxes), *size, dtype=torch.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes, strict=True):
        mask[y1:y2, x1:x2] = torch.ones(y2 - y1, x2 - x1).tril()
    return {"boxes": torch.tensor(boxes).float().view(-1, 4), "labels": torch.tensor(labels).long(), "masks": masks}


def targets():
    """For `pictures`: two objects of which one touches two borders, one object, none."""
    return [
        target((100, 140), [[20, 10, 50, 60], [100, 40, 140, 100]], [3, 90]),
        target((120, 90), [[5, 30, 80, 90]], [7]),
        target((96, 96), [], []),
    ]


def compare_losses(theirs, mine, close):
    """Both networks' losses and gradients on `pictures` with one seed; ``close`` is the relative tolerance."""
    theirs.transform.torch_choice = lambda sizes: sizes[0]  # it would draw a random number even from one size
    losses = []
    for net in (theirs, mine):
        net.train()
        torch.manual_seed(5)
        losses.append(net(pictures(), targets()))
        sum(losses[-1].values()).backward()
        net.eval()
    assert losses[0].keys() == losses[1].keys()
    for name, value in losses[0].items():
        torch.testing.assert_close(losses[1][name], value, rtol=close, atol=0)
        assert value > 0
    for (name, parameter), own in zip(theirs.named_parameters(), mine.parameters(), strict=True):
        gradient = own.grad
        assert (gradient is None) == (parameter.grad is None), name
        if gradient is not None:
            assert (gradient - parameter.grad).abs().max() <= 100 * close * parameter.grad.abs().max(), name


def compare_detections(theirs, mine, images, least):
    """Both networks' detections on images, of which there must be ``least`` at least."""
    theirs.eval()
    mine.eval()
    with torch.no_grad():
        expected, found = theirs(images), mine(images)
    assert sum(len(each["boxes"]) for each in expected) >= least
    assert len(torch.cat([each["labels"] for each in expected]).unique()) >= 5
    for a, b in zip(expected, found, strict=True):
        assert a.keys() == b.keys()
        assert torch.equal(a["labels"], b["labels"])
        for name in a:
            torch.testing.assert_close(b[name], a[name], rtol=1e-4, atol=1e-3 if name == "boxes" else 1e-5)
