"""Faster R-CNN against torchvision's, stage by stage by hand, and against what it may be given."""

from functools import partial

import detector_twins
import pytest
import torch
import torchvision
from detector_twins import compare_detections, compare_losses, filled, pictures, small_target, targets, twin
from torch import nn
from torchvision.models.detection import FasterRCNN as Theirs
from torchvision.models.detection import fasterrcnn_resnet50_fpn
from torchvision.ops import FrozenBatchNorm2d

from seglib.models import FasterRCNN, parameters
from seglib.models.roi import best_detections, choose_rois


@pytest.fixture(scope="module")
def twins():
    """torchvision's network, and ours with its weights."""
    theirs = twin(Theirs, "resnet50")
    return theirs, filled(FasterRCNN, theirs)


compact = partial(detector_twins.compact, FasterRCNN)


def train_step(net, images, goals):
    """Losses of one step, which must be finite, as must be all gradients."""
    losses = net.train()(images, goals)
    sum(losses.values()).backward()
    assert all(torch.isfinite(value) for value in losses.values())
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)
    return {name: value.item() for name, value in losses.items()}


def test_sizes():
    with torch.device("meta"):
        net, theirs = FasterRCNN(91), fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)
        assert parameters(net) == 41_755_286 == parameters(theirs) - 53_120  # batch norm's, here buffers
        assert parameters(FasterRCNN(11, "compact", width=24)) == 976_702
    parts = (
        (net.rpn, theirs.rpn),
        (net.pyramid, theirs.backbone.fpn),
        (net.box_head.layers, theirs.roi_heads.box_head),
    )
    assert all(parameters(mine) == parameters(other) for mine, other in parts)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in net.modules())
    assert not any(isinstance(module, FrozenBatchNorm2d) for module in compact().modules())


@pytest.mark.slow
def test_detections_are_torchvisions(twins):
    compare_detections(*twins, pictures(), least=60)
    compare_detections(*twins, pictures()[1:2], least=10)


@pytest.mark.slow
def test_losses_and_gradients_are_torchvisions(twins):
    compare_losses(*twins, close=1e-4)


def old_names(state):
    """Rename as in torchvision's COCO_V1, whose layers have no blocks around them."""
    renamed = {}
    for name, value in state.items():
        for new, old in ((".conv.0.0.", ".conv."), ("blocks.0.0.", "blocks.0."), ("blocks.1.0.", "blocks.1.")):
            name = name.replace(new, old)
        renamed[name.replace("blocks.2.0.", "blocks.2.").replace("blocks.3.0.", "blocks.3.")] = value
    return renamed


@pytest.mark.slow
def test_coco_weights_arrive_by_their_old_names(twins, monkeypatch):
    theirs, mine = twins
    asked = []

    def instead_of_downloading(weights, **_):
        asked.append(weights)
        return old_names(theirs.state_dict())

    monkeypatch.setattr(torchvision.models.WeightsEnum, "get_state_dict", instead_of_downloading)
    net = FasterRCNN(91, weights="COCO_V1")
    assert asked == [torchvision.models.detection.FasterRCNN_ResNet50_FPN_Weights.COCO_V1]
    assert set(old_names(theirs.state_dict())) != set(theirs.state_dict())
    assert all(map(torch.equal, net.state_dict().values(), mine.state_dict().values()))
    # These weights were trained before frozen batch norm had an eps; torchvision takes it back for them too.
    assert {module.eps for module in net.modules() if isinstance(module, FrozenBatchNorm2d)} == {0.0}
    assert {module.eps for module in mine.modules() if isinstance(module, FrozenBatchNorm2d)} == {1e-5}


def test_weights_that_do_not_fit_are_named_and_change_nothing(downloaded):
    net = compact()
    state = net.state_dict()
    downloaded(state)
    with pytest.raises(ValueError, match=r"cls_score.weight \(4, 128\) where .* \(3, 128\).*number of classes"):
        FasterRCNN(3, "compact", width=8, weights="COCO_V1")
    before = {name: value.clone() for name, value in state.items()}
    downloaded({name: value + 1 for name, value in state.items()} | {"rpn.head.more": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"rpn.head.more \(1,\) where nothing"):
        net.load("COCO_V1")
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    with pytest.raises(ValueError, match=r"\['COCO_V1', 'DEFAULT'\], not 'COCO_V2'"):
        net.load("COCO_V2")


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"stride": 16}, {"roi_pooling": "pool"}, {"stride": 8, "rois": 5}])
def test_no_object_one_object_objects_at_the_border_and_sixty(options):
    net = compact(**options)
    torch.manual_seed(1)
    sixty = [(x, y, x + 6, y + 6) for x in range(0, 60, 6) for y in range(0, 36, 6)]
    for boxes in ((), ((10, 10, 30, 40),), ((0, 0, 20, 20), (44, 50, 64, 64), (0, 0, 64, 64)), sixty):
        losses = train_step(net, [torch.rand(3, 64, 64)] * 2, [small_target(), small_target(*boxes)])
        assert set(losses) == {"loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg"}
        assert (losses["loss_box_reg"] > 0) == (losses["loss_rpn_box_reg"] > 0) == bool(boxes)


def test_different_sizes_in_one_batch_stay_inside_their_pictures():
    net = compact().eval()
    net.score_threshold = 0.0
    images = [torch.rand(3, 40, 90), torch.rand(3, 97, 33), torch.rand(3, 16, 16)]
    with torch.no_grad():
        batch, sizes, _ = net.prepare(images)
        found = net(images)
    assert tuple(batch.shape) == (3, 3, 112, 96)  # of the largest sides, made multiples of 16
    assert sizes == [(40, 90), (97, 33), (16, 16)]
    assert torch.equal(batch[0, :, :40, :90], images[0])
    assert batch[0, :, 40:].abs().sum() == 0
    for (height, width), each in zip(sizes, found, strict=True):
        assert 0 < len(each["boxes"]) <= 100
        assert each["boxes"].min() >= 0
        assert (each["boxes"] <= torch.tensor([width, height, width, height])).all()
        assert (each["scores"].diff() <= 0).all()
    net.max_detections = 3
    assert [len(each["scores"]) for each in net(images)] == [3, 3, 3]


def test_the_stages_one_by_one_are_the_forward_pass():
    net = compact().eval()
    net.score_threshold = 0.1
    images = [torch.rand(3, 64, 64), torch.rand(3, 50, 70)]
    with torch.no_grad():
        batch, sizes, _ = net.prepare(images)
        maps = net.features(batch)
        logits, codes = net.rpn.predict(maps[-len(net.rpn.shapes) :])
        anchors = net.rpn.anchors(maps[-len(net.rpn.shapes) :], batch.shape[-2:])
        proposals = net.rpn.propose(logits, codes, anchors, sizes)
        found = [net.restore(*each) for each in zip(net.detect(maps, proposals, sizes), sizes, sizes, strict=True)]
        for one, other in zip(found, net(images), strict=True):
            assert all(torch.equal(one[name], other[name]) for name in other)
    assert [m.shape[-2:] for m in maps] == [(32, 40), (16, 20), (8, 10), (4, 5), (2, 3)]
    assert [len(a) for a in anchors] == [3 * 320, 3 * 80, 3 * 20, 3 * 6]
    assert all(len(p) <= 100 for p in proposals)


def test_regions_to_train_on_hold_the_objects_themselves():
    goal = {"boxes": torch.tensor([[10.0, 10, 30, 30], [40, 40, 60, 60]]), "labels": torch.tensor([3, 1])}
    far = torch.tensor([[0.0, 0, 5, 5], [31, 31, 39, 39], [10, 10, 30, 20], [10, 10, 30, 19]])  # IoU 0.5, then 0.45
    (rois,) = choose_rois([far], [goal], 100, 0.25)
    count = len(rois["objects"])
    positive = {
        (*box.tolist(), label.item()) for box, label in zip(rois["boxes"][:count], rois["labels"], strict=False)
    }
    assert positive == {(10, 10, 30, 30, 3), (40, 40, 60, 60, 1), (10, 10, 30, 20, 3)}
    assert torch.equal(goal["labels"][rois["objects"]], rois["labels"][:count])
    assert rois["labels"][count:].tolist() == [0, 0, 0]
    (few,) = choose_rois([far], [goal], 4, 0.25)
    assert (len(few["boxes"]), len(few["objects"])) == (4, 1)
    (none,) = choose_rois([far], [{"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}], 4, 0.25)
    assert (none["labels"].tolist(), len(none["objects"])) == ([0, 0, 0, 0], 0)


def test_what_is_kept_of_overlapping_detections():
    box = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 6], [0, 0, 10, 5], [30, 30, 90, 90], [5, 5, 5, 9]])
    boxes = box[:, None].repeat(1, 3, 1)
    scores = torch.tensor([[0.1, 0.9, 0], [0.2, 0.8, 0.04], [0.3, 0.7, 0.06], [0.95, 0, 0.05], [0.1, 0.9, 0]])
    kept = best_detections(scores, boxes, (40, 50), 0.05, 0.5, 100)
    # Of class 1 the second overlaps by 0.6 and goes, the third by just 0.5 and stays; the last has no width. Class 2
    # keeps what is above the threshold, not on it.
    assert kept["labels"].tolist() == [1, 1, 2]
    assert kept["boxes"].tolist() == [[0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 10, 5]]
    assert kept["scores"].tolist() == pytest.approx([0.9, 0.7, 0.06])
    assert len(best_detections(scores, boxes, (40, 50), 0.05, 0.5, 2)["scores"]) == 2
    # With 0.7 the second stays, which then drives out the third.
    assert best_detections(scores, boxes, (40, 50), 0.05, 0.7, 100)["boxes"][:2].tolist() == boxes[:2, 0].tolist()
    clipped = best_detections(scores, boxes, (40, 50), 0.01, 0.5, 100)["boxes"]
    assert [30, 30, 50, 40] in clipped.tolist()


def bad(**changes):
    return small_target((10, 10, 30, 40), (5, 5, 9, 9)) | changes


@pytest.mark.parametrize(
    ("goal", "message"),
    [
        (bad(boxes=torch.tensor([[1.0, 1, 5, 5], [10, 10, 10, 40]])), r"object 1 of picture 1.*no area.*add 1"),
        (bad(boxes=torch.tensor([[9.0, 1, 5, 5], [10, 10, 20, 40]])), "object 0 of picture 1"),
        (bad(boxes=torch.tensor([[1.0, 1, 5, 5], [1, 1, float("nan"), 4]])), "object 1 of picture 1"),
        (bad(boxes=torch.tensor([[1.0, 1, 5, 5], [1, 1, float("inf"), 4]])), "object 1 of picture 1"),
        (bad(boxes=torch.tensor([[1, 1, 5, 5], [1, 1, 4, 4]])), r"picture 1 are torch.int64.*float \(n, 4\)"),
        (bad(boxes=torch.zeros(0)), r"torch.zeros\(0, 4\) for a picture with no object"),
        (bad(labels=torch.tensor([1, 0])), "object 1 of picture 1 has the label 0.*background"),
        (bad(labels=torch.tensor([4, 1])), "object 0 of picture 1 has the label 4; 1 to 3"),
        (bad(labels=torch.tensor([1])), r"labels of picture 1.*int64 \(2,\)"),
        (bad(labels=torch.tensor([1.0, 2.0])), "labels of picture 1 are torch.float32"),
        ({"labels": torch.tensor([1])}, r"picture 1 has no \['boxes'\]"),
    ],
)
def test_bad_targets_are_refused_by_picture_and_object(goal, message):
    with pytest.raises(ValueError, match=message):
        compact()([torch.rand(3, 64, 64)] * 2, [bad(), goal])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "images is empty"),
        ([torch.rand(3, 8, 8), torch.rand(8, 8, 3)], r"picture 1 is \(8, 8, 3\).*\(3, H, W\)"),
        (torch.rand(3, 8, 8), r"picture 0 is \(8, 8\).*\[image\]"),
        ([torch.rand(3, 0, 8)], r"picture 0 is \(3, 0, 8\)"),
        ([torch.zeros(3, 8, 8, dtype=torch.uint8)], "picture 0 is torch.uint8.*255"),
    ],
)
def test_what_are_no_pictures_is_refused(images, message):
    with pytest.raises(ValueError, match=message):
        compact().eval()(images)


def test_training_wants_targets_and_evaluation_does_not():
    net = compact()
    with pytest.raises(ValueError, match=r"targets is missing.*\.eval\(\)"):
        net([torch.rand(3, 64, 64)])
    with pytest.raises(ValueError, match="2 pictures came with 1 targets"):
        net([torch.rand(3, 64, 64)] * 2, [bad()])
    found = net.eval()([torch.rand(3, 64, 64)], targets()[:1])
    assert set(found[0]) == {"boxes", "labels", "scores"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"roi_pooling": "warp"}, "'warp'"),
        ({"anchor_sizes": (8, 16)}, r"\(8, 16\); wanted is one for each stride of \[4, 8, 16\]"),
        ({"backbone": "vgg16"}, "'vgg16'"),
        ({"backbone": "resnet18", "in_channels": 1}, "resnet18 takes 3 channels, not 1"),
        ({"num_classes": 1}, "num_classes is 1"),
    ],
)
def test_what_there_is_not_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        FasterRCNN(**({"num_classes": 4, "backbone": "compact", "width": 8} | options))


def test_grey_pictures_and_one_map():
    net = compact(in_channels=1, stride=16, anchor_sizes=(10, 30)).eval()
    with torch.no_grad():
        assert [m.shape[-2:] for m in net.features(torch.rand(1, 1, 64, 80))] == [(4, 5)]
        assert net([torch.rand(1, 60, 77)])[0]["boxes"].shape[1] == 4
    assert len(net.rpn.shapes[0]) == 6
