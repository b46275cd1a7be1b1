"""Mask R-CNN against torchvision's; masks, their losses and their pasting by hand; the paper's comparisons."""

import math
from functools import partial

import detector_twins
import pytest
import torch
from detector_twins import compare_detections, compare_losses, filled, pictures, small_target, twin
from hypothesis import strategies as st
from torch.nn import functional as F
from torchvision.models.detection import MaskRCNN as Theirs
from torchvision.models.detection import maskrcnn_resnet50_fpn
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.roi_heads import maskrcnn_loss, project_masks_on_boxes

from seglib.models import FasterRCNN, MaskRCNN, parameters
from seglib.models.mask_rcnn import (
    ConnectedMaskHead,
    MaskHead,
    crop_masks,
    mask_loss,
    mask_probabilities,
    paste_masks,
    paste_masks_in_whole_pixels,
)

FIVE = {"loss_classifier", "loss_box_reg", "loss_mask", "loss_objectness", "loss_rpn_box_reg"}


compact = partial(detector_twins.compact, MaskRCNN)


@pytest.fixture(scope="module")
def twins():
    """torchvision's network, and ours with its weights."""
    theirs = twin(Theirs, "resnet50")
    return theirs, filled(MaskRCNN, theirs)


@pytest.mark.slow
def test_sizes():
    with torch.device("meta"):
        net, theirs = MaskRCNN(91), maskrcnn_resnet50_fpn(weights=None, weights_backbone=None)
        assert parameters(net) == 44_401_393 == parameters(theirs) - 53_120  # batch norm's, here buffers
        assert parameters(MaskRCNN(11, "compact", width=24)) == 999_689
        assert parameters(net.mask_head) == parameters(net) - parameters(FasterRCNN(91))


@pytest.mark.slow
def test_detections_are_torchvisions(twins):
    compare_detections(*twins, pictures(), least=60)


@pytest.mark.slow
def test_losses_and_gradients_are_torchvisions(twins):
    compare_losses(*twins, close=1e-4)


def test_resnet18_is_torchvisions_too():
    with torch.device("meta"):
        theirs = Theirs(resnet_fpn_backbone(backbone_name="resnet18", weights=None), 21).state_dict()
        own = MaskRCNN(21, "resnet18").state_dict()
    assert [value.shape for value in theirs.values()] == [value.shape for value in own.values()]


def test_weights_of_a_detector_without_masks_are_refused(downloaded):
    downloaded(FasterRCNN(4, "compact", width=8).state_dict())
    with pytest.raises(ValueError, match=r"nothing \(0,\) where mask_head.convolutions.0.weight"):
        compact(weights="COCO_V1")


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"roi_pooling": "pool", "stride": 16},
        {"mask_scores": "softmax"},
        {"mask_head": "fc"},
        {"class_agnostic": True},
        {"class_agnostic": True, "mask_scores": "softmax"},
    ],
)
def test_a_step_and_a_prediction_with_every_option(options):
    net = compact(**options)
    sixty = small_target(*[(x, y, x + 6, y + 6) for x in range(0, 60, 6) for y in range(0, 36, 6)])
    goals = [small_target((0, 0, 20, 20), (44, 50, 64, 64)), small_target(), small_target((10, 10, 30, 40)), sixty]
    losses = net([torch.rand(3, 64, 64) for _ in goals], goals)
    assert set(losses) == FIVE
    undecided = math.log(4) if options == {"mask_scores": "softmax"} else math.log(2)
    assert losses["loss_mask"].item() == pytest.approx(undecided, abs=0.01)
    sum(losses.values()).backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)
    net.eval().score_threshold = 0.0
    with torch.no_grad():
        found = net([torch.rand(3, 40, 64), torch.rand(3, 33, 17)])
    for each, size in zip(found, [(40, 64), (33, 17)], strict=True):
        assert each["masks"].shape == (len(each["boxes"]), 1, *size)
        assert 0 < len(each["boxes"]) <= 100
        assert each["masks"].min() >= 0
        assert 0.2 < each["masks"].max() <= 1


def test_pictures_without_objects():
    net = compact()
    losses = net([torch.rand(3, 64, 64)] * 2, [small_target()] * 2)
    assert losses["loss_mask"].item() == losses["loss_box_reg"].item() == 0
    sum(losses.values()).backward()
    net.eval().score_threshold = 1.0
    (found,) = net([torch.rand(3, 50, 64)])
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "boxes": (0, 4), "labels": (0,), "scores": (0,), "masks": (0, 1, 50, 64)
    }  # fmt: skip


@pytest.mark.parametrize("head", [MaskHead(8, 2, 5), ConnectedMaskHead(8, 32, 5)])
def test_an_untrained_mask_head_has_a_loss_of_ln_2(head):
    logits = head(torch.randn(7, 8, 14, 14))
    assert logits.shape == (7, 5, 28, 28)
    masks, labels = (torch.rand(7, 28, 28) > 0.6).float(), torch.randint(0, 5, (7,))
    assert mask_loss(logits, labels, masks).item() == pytest.approx(math.log(2), abs=0.01)
    assert mask_loss(torch.zeros_like(logits), labels, masks).item() == pytest.approx(math.log(2))
    assert mask_loss(torch.zeros_like(logits), labels, masks, softmax=True).item() == pytest.approx(math.log(5))


def test_softmax_masks_let_the_classes_compete():
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 3, 4, 4, requires_grad=True), torch.tensor([2, 1])
    masks = (torch.rand(2, 4, 4) > 0.5).float()
    loss = mask_loss(logits, labels, masks, softmax=True)
    classes = (masks * labels[:, None, None]).long()  # outside of the object all is background
    assert loss.item() == pytest.approx(F.cross_entropy(logits, classes).item())
    loss.backward()
    assert (logits.grad != 0).all()
    higher = logits.detach().clone()
    higher[:, 0] += 1  # another class's score drives the object's down
    assert (mask_probabilities(higher, labels, True) < mask_probabilities(logits, labels, True)).all()
    assert torch.equal(mask_probabilities(higher, labels), mask_probabilities(logits, labels))


def test_class_agnostic_heads_draw_one_mask():
    net = compact(class_agnostic=True)
    assert net.mask_head.mask_fcn_logits.out_channels == 2
    assert net.drawn(torch.tensor([1, 2, 3])).tolist() == [1, 1, 1]
    assert compact().drawn(torch.tensor([1, 2, 3])).tolist() == [1, 2, 3]


def test_targets_of_masks_are_cut_out_at_the_region():
    masks = torch.zeros(2, 8, 8, dtype=torch.uint8)
    masks[1, 2:6, 2:6] = 1
    objects = torch.tensor([1, 0, 1])
    boxes = torch.tensor([[2.5, 2.5, 4.5, 4.5], [0, 0, 8, 8], [0, 0, 8, 8]])
    cut = crop_masks(masks, objects, boxes, 4)
    assert cut.shape == (3, 4, 4)
    assert cut[0].tolist() == [[1] * 4] * 4  # all inside
    assert cut[1].abs().sum() == 0  # the other object
    assert cut[2].tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]  # two pixels a cell
    cut = crop_masks(masks, objects, boxes, 4, exact=False)
    assert torch.equal(cut, project_masks_on_boxes(masks, boxes, objects, 4))
    logits, labels = torch.randn(3, 5, 4, 4), torch.tensor([1, 3, 2])
    theirs = maskrcnn_loss(logits, [boxes], [masks], [torch.tensor([3, 1])], [objects])
    torch.testing.assert_close(mask_loss(logits, torch.tensor([1, 3, 1]), cut), theirs)
    assert mask_loss(logits, labels, cut) != theirs


corner, side = st.floats(-20, 60), st.floats(0.01, 50)


@pytest.mark.parametrize(("paste", "height"), [(paste_masks, 10), (paste_masks_in_whole_pixels, 12)])
def test_a_pasted_mask_fills_its_box(paste, height):
    masks = torch.ones(2, 28, 28)
    masks[1, :, :14] = 0  # the right half
    pasted = paste(masks, torch.tensor([[4.0, 6, 24, 16], [0, 0, 40, 30]]), (30, 40))
    assert pasted.shape == (2, 1, 30, 40)
    inside = pasted[0, 0] >= 0.5
    assert inside[6:16, 4:24].all()
    assert inside.sum() == 20 * height
    assert pasted[0, 0, 8:14, 6:22].min() > 0.999
    assert (pasted[0, 0, :4] == 0).all()
    assert (pasted[1, 0, 2:28, :18] == 0).all()
    assert pasted[1, 0, 2:28, 22:38].min() > 0.999
    assert paste(masks[:0], torch.zeros(0, 4), (30, 40)).shape == (0, 1, 30, 40)


def test_pasting_puts_the_middle_of_each_cell_where_it_lies():
    masks = torch.rand(1, 4, 4)
    pasted = paste_masks(masks, torch.tensor([[2.0, 3, 6, 7]]), (9, 8))
    assert torch.equal(pasted[0, 0, 3:7, 2:6], masks[0])
    assert pasted[0, 0].count_nonzero() == 16
    beyond = paste_masks(masks, torch.tensor([[-2.0, 0, 2, 4]]), (4, 2))
    assert torch.equal(beyond[0, 0], masks[0, :, 2:])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"mask_head": "mlp"}, "'mlp'"), ({"mask_scores": "tanh"}, "'tanh'"), ({"roi_pooling": "warp"}, "'warp'")],
)
def test_what_there_is_not_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        compact(**options)


def test_masks_of_another_picture_are_refused():
    goal = small_target((10, 10, 30, 40))
    for masks in (goal["masks"][:, :60], goal["masks"][0], torch.zeros(2, 64, 64)):
        with pytest.raises(ValueError, match=r"masks of picture 1.*\(1, 64, 64\)"):
            compact()([torch.rand(3, 64, 64)] * 2, [goal, goal | {"masks": masks}])
    with pytest.raises(ValueError, match=r"masks of picture 0 hold values from 0 to 255; 0 and 1"):
        compact()([torch.rand(3, 64, 64)], [goal | {"masks": 255 * goal["masks"]}])
    boolean = compact()([torch.rand(3, 64, 64)], [goal | {"masks": goal["masks"].bool()}])
    assert torch.isfinite(boolean["loss_mask"])
    with pytest.raises(ValueError, match=r"picture 0 has no \['masks'\]"):
        compact()([torch.rand(3, 64, 64)], [{"boxes": goal["boxes"], "labels": goal["labels"]}])
