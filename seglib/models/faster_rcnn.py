"""Faster R-CNN (Ren, He, Girshick, Sun 2015) on a feature pyramid: propose regions, then look at each of them.

The stages are methods and parts of the network, to be called one by one: `prepare`, `features`, `rpn`
(`seglib.models.rpn`), `choose_rois`, `pool`, `box_head`, `best_detections` (`seglib.models.roi`), `restore`.
"""

import torch
from torch import nn
from torchvision.ops import FrozenBatchNorm2d

from seglib.models import backbones
from seglib.models.blocks import fill
from seglib.models.boxes import scale_boxes
from seglib.models.detector_inputs import check_pictures, check_targets, pad, resize_picture
from seglib.models.efficientnet_lite import EfficientNetLite0
from seglib.models.pyramid import FeaturePyramid
from seglib.models.roi import BoxHead, best_detections, box_losses, choose_rois, convolved, dense, pool_rois, read_boxes
from seglib.models.rpn import RPN

MAX_SIZE = 1333  # px, longest side of a resized picture


class FasterRCNN(nn.Module):
    """Object detector: boxes, each with a class and a score.

    ``FasterRCNN(91)`` is torchvision's fasterrcnn_resnet50_fpn, 41,755,286 parameters and its batch norm frozen.
    ``FasterRCNN(11, "compact", width=24)`` learns from nothing on a laptop: 976,702 parameters. So that a few hundred
    steps suffice, its heads look at finer features that few layers lie before (regions from stride 2, little added from
    above, convolutions in the box head), and it calls more anchors and regions positive.

    Parameters
    ----------
    num_classes : int
        The background, 0, is one of them.
    backbone : {"resnet50", "resnet18", "efficientnet_lite0", "compact"}
    in_channels, width : int
        For "compact" only: the others have 3 and 64.
    stride : int, optional
        None: a pyramid, of maps of stride 4 to 32 and one above for anchors only, regions of up to 112 px being cut
        from stride 4; for "compact" of stride 2 to 16 and one above, regions of up to 56 px being cut from stride 2,
        which has no anchors. Else a single map of this stride, as `backbones.backbone` takes it.
    roi_pooling : {"align", "pool"}
        See `seglib.models.roi.pool_rois`.
    anchor_sizes : tuple of numbers, optional
        In px. In a pyramid one size a map, from stride 4 on: 16 to 128 for "compact", 32 to 512 for the others. On a
        single map all of them.
    rois : int, optional
        Regions of a picture that the heads are trained on: 512, or 32 for "compact".
    min_size : int, optional
        Pictures are resized until their shorter side has so many px, or the longer 1333. By default "compact" takes
        pictures as they are, and the others 800 px.
    weights : str, optional
        "imagenet", for EfficientNet-Lite0, fills the backbone and freezes its batch norm. "COCO_V1", for ResNet-50 with
        a pyramid and 91 classes, fills the whole network; torchvision downloads it once.

    The attributes ``score_threshold`` 0.05, ``nms_threshold`` 0.5 and ``max_detections`` 100 decide what is kept in
    evaluation, and may be set.

    Input and output
    ----------------
    ``images`` is a list of float tensors (in_channels, H, W) in 0..1, whose sizes may differ; they are brought to the
    network's type. In training, ``targets`` is a list of dicts, "boxes" (n, 4) float and "labels" (n,) int64 from 1; n
    may be 0. Other keys are not read: leave crowds out. The result is a dict of scalars to be added up:
    "loss_classifier", "loss_box_reg", "loss_objectness" and "loss_rpn_box_reg". In evaluation it is a list of dicts
    "boxes", "labels" and "scores", best first, in pixels of the pictures as given; they are float32, but float64 in a
    network of float64.

    Raises ValueError for other pictures and targets, naming picture and object, and for options that there are not.
    """

    torchvision_name = "fasterrcnn_resnet50_fpn"
    target_masks = False

    def __init__(
        self,
        num_classes=91,
        backbone="resnet50",
        in_channels=3,
        width=64,
        stride=None,
        roi_pooling="align",
        anchor_sizes=None,
        rois=None,
        min_size=None,
        weights=None,
    ):
        super().__init__()
        if num_classes < 2:
            raise ValueError(f"num_classes is {num_classes}; at least 2 are wanted, the background and one of objects")
        if roi_pooling not in ("align", "pool"):
            raise ValueError(f'roi_pooling is "align" or "pool", not {roi_pooling!r}')
        if backbone != "compact" and in_channels != 3:
            raise ValueError(f'{backbone} takes 3 channels, not {in_channels}: only "compact" takes other numbers')
        pretrained = weights if weights == "imagenet" else None
        self.num_classes, self.in_channels, self.roi_pooling = num_classes, in_channels, roi_pooling
        self.score_threshold, self.nms_threshold, self.max_detections = 0.05, 0.5, 100
        if backbone == "compact":
            self.min_size, self.rois, self.positive_rois = min_size, rois or 32, 0.5
            self.channels, self.box_cells, self.roi_samples = 32, 10, 1
            mean, std, finest, from_above, sizes = (0.0,), (1.0,), 2, 0.1, (16, 32, 64, 128)
            rpn, box_layers = {"positive_iou": 0.5, "samples": 64, "proposals": (200, 100)}, convolved
            self.backbone = backbones.backbone("compact", in_channels, width, stride or 16, weights=pretrained)
        else:
            self.min_size, self.rois, self.positive_rois = min_size or 800, rois or 512, 0.25
            self.channels, self.box_cells, self.roi_samples = 256, 7, 2
            mean, std, finest = backbones.IMAGENET_MEAN, backbones.IMAGENET_STD, 4
            from_above, sizes, rpn, box_layers = 1.0, (32, 64, 128, 256, 512), {}, dense
            if backbone == "efficientnet_lite0":
                mean, std = EfficientNetLite0.mean, EfficientNetLite0.std
            self.backbone = backbones.backbone(backbone, 3, width, stride or 32, weights=pretrained)
            if pretrained or backbone != "efficientnet_lite0":  # from nothing it has statistics to learn
                backbones.freeze_batch_norm(self.backbone)
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(std)[:, None, None], persistent=False)

        self.with_coarser = stride is None
        self.stages = [i for i in range(4) if self.backbone.strides[i] >= finest] if self.with_coarser else [3]
        self.strides = [self.backbone.strides[i] for i in self.stages]
        inputs = [self.backbone.channels[i] for i in self.stages]
        self.pyramid = FeaturePyramid(inputs, self.channels, from_above)
        self.rpn = RPN(self.channels, self.by_map(anchor_sizes or sizes), **rpn)
        hidden = 4 * self.channels
        self.box_head = BoxHead(box_layers(self.channels, self.box_cells, hidden), hidden, num_classes)
        if weights not in (None, "imagenet"):
            self.load(weights)

    def by_map(self, anchor_sizes):
        """The tuple of anchor sizes of every map that has anchors: those from stride 4 on."""
        if not self.with_coarser:
            return [tuple(anchor_sizes)]
        strides = [stride for stride in self.strides if stride >= 4]
        if len(anchor_sizes) != len(strides) + 1:
            raise ValueError(
                f"anchor_sizes is {anchor_sizes}; wanted is one for each stride of {strides}, and one more"
            )
        return [(size,) for size in anchor_sizes]

    def load(self, weights):
        """Fill the network with weights, as the constructor takes them. ValueError, and no change, unless they fit."""
        fill(self, backbones.read_weights(self.torchvision_name, weights), weights)
        for module in self.modules():
            if isinstance(module, FrozenBatchNorm2d):
                module.eps = 0.0  # these weights are of a time when torchvision's did not add eps yet

    def forward(self, images, targets=None):
        batch, sizes, targets = self.prepare(images, targets)
        maps = self.features(batch)
        anchored = maps[-len(self.rpn.shapes) :]
        proposals, losses = self.rpn(anchored, batch.shape[-2:], sizes, targets)
        if self.training:
            rois = choose_rois(proposals, targets, self.rois, self.positive_rois)
            return self.roi_losses(maps, rois, targets) | losses
        found = self.detect(maps, proposals, sizes)
        return [self.restore(*each, image.shape[-2:]) for *each, image in zip(found, sizes, images, strict=True)]

    def prepare(self, images, targets=None):
        """Check, normalise, resize and pad: returns the batch, the pictures' sizes in it, and the targets to match.

        Targets count in training only; else they come back as None.
        """
        check_pictures(images, self.in_channels)
        if self.training:
            check_targets(images, targets, self.num_classes, self.target_masks)
            dtype = torch.promote_types(self.mean.dtype, torch.float32)
            targets = [target | {"boxes": target["boxes"].to(dtype)} for target in targets]
        else:
            targets = [None] * len(images)
        images = [(image.to(self.mean.dtype) - self.mean) / self.std for image in images]
        if self.min_size is not None:
            pairs = zip(images, targets, strict=True)
            resized = [resize_picture(image, target, self.min_size, MAX_SIZE) for image, target in pairs]
            images, targets = zip(*resized, strict=True)
        sizes = [tuple(image.shape[-2:]) for image in images]
        return pad(images, self.backbone.strides[-1]), sizes, targets if self.training else None

    def features(self, batch):
        """(N, C, H, W) -> maps (N, channels, H / stride, W / stride), finest first.

        With the pyramid there is one more than ``strides`` says, every other cell of the coarsest: anchors for the
        largest objects stand on it, and no regions are cut from it.
        """
        stages = self.backbone(batch)
        maps = self.pyramid([stages[i] for i in self.stages])
        return [*maps, maps[-1][..., ::2, ::2]] if self.with_coarser else maps

    def pool(self, maps, boxes, cells):
        """Cut the regions ``boxes``, a list of (r, 4) in pixels of the batch, from the maps: (R, C, cells, cells)."""
        return pool_rois(maps[: len(self.strides)], self.strides, boxes, cells, self.roi_pooling, self.roi_samples)

    def roi_losses(self, maps, rois, targets):
        """How wrong classes and boxes are, of the regions that `choose_rois` chose."""
        logits, codes = self.box_head(self.pool(maps, [roi["boxes"] for roi in rois], self.box_cells))
        return box_losses(logits, codes, rois, targets)

    def detect(self, maps, proposals, sizes):
        """Classify the proposals and refine their boxes: the list of detections, in pixels of the batch."""
        logits, codes = self.box_head(self.pool(maps, proposals, self.box_cells))
        return [
            best_detections(scores, boxes, size, self.score_threshold, self.nms_threshold, self.max_detections)
            for (scores, boxes), size in zip(read_boxes(logits, codes, proposals), sizes, strict=True)
        ]

    def restore(self, detections, size, original):
        """Bring the detections of a picture from its ``size`` in the batch back to its ``original`` one."""
        return detections | {"boxes": scale_boxes(detections["boxes"], size, original)}
