"""Faster R-CNN (Ren, He, Girshick, Sun 2015) on a feature pyramid: propose regions, then look at each of them.

The stages are methods and parts of the network, to be called one by one: `prepare`, `features`, `rpn`
(`seglib.models.rpn`), `choose_rois`, `pool`, `box_head`, `best_detections` (`seglib.models.roi`), `restore`.
"""

import torch
from torch import nn

from seglib.models import backbones
from seglib.models.boxes import scale_boxes
from seglib.models.detector_inputs import check_pictures, check_targets, pad, resize
from seglib.models.detector_weights import freeze_batch_norm, load_detector_weights
from seglib.models.pyramid import FeaturePyramid, coarser
from seglib.models.roi import BoxHead, ConvBoxHead, best_detections, box_losses, choose_rois, pool_rois, read_boxes
from seglib.models.rpn import RPN

MAX_SIZE = 1333  # longest side of a resized picture

# What the two sizes differ in. The paper's, on ResNets, starts from trained weights, with frozen batch norm. The
# laptop's, on "compact", learns from nothing, on pictures of about 100 px as they are. So that a few hundred steps
# suffice, its heads look at finer features that few layers lie before (regions from stride 2, little added from above,
# convolutions in the box head), and it calls more anchors and regions positive. The last three are Mask R-CNN's.
PAPER = {
    "channels": 256,
    "finest_stride": 4,
    "from_above": 1.0,
    "anchor_sizes": (32, 64, 128, 256, 512),
    "positive_iou": 0.7,
    "rpn_samples": 256,
    "proposals": (2000, 1000),
    "rois": 512,
    "positive_rois": 0.25,
    "roi_samples": 2,
    "box_cells": 7,
    "box_head": BoxHead,
    "min_size": 800,
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
    "mask_rois": None,
    "mask_convolutions": 4,
    "exact_masks": False,
}
LAPTOP = {
    "channels": 32,
    "finest_stride": 2,
    "from_above": 0.1,
    "anchor_sizes": (16, 32, 64, 128),
    "positive_iou": 0.5,
    "rpn_samples": 64,
    "proposals": (200, 100),
    "rois": 32,
    "positive_rois": 0.5,
    "roi_samples": 1,
    "box_cells": 10,
    "box_head": ConvBoxHead,
    "min_size": None,
    "mean": (0.0,),
    "std": (1.0,),
    "mask_rois": 6,
    "mask_convolutions": 2,
    "exact_masks": True,
}
ANCHOR_STRIDE = 4  # of the finest map with anchors


class FasterRCNN(nn.Module):
    """Object detector: boxes, each with a class and a score.

    ``FasterRCNN(91)`` is torchvision's fasterrcnn_resnet50_fpn, 41,755,286 parameters and its batch norm frozen.
    ``FasterRCNN(11, "compact", width=24)`` learns from nothing on a laptop: 976,702 parameters.

    Parameters
    ----------
    num_classes : int
        The background, 0, is one of them.
    backbone : {"resnet50", "resnet18", "compact"}
        With it go the other numbers of `PAPER` and `LAPTOP`.
    in_channels, width : int
        For "compact" only: ResNets have 3 and 64.
    stride : int, optional
        None: a pyramid, of maps of stride 4 to 32 and one above for anchors only, regions of up to 112 px being cut
        from stride 4; for "compact" of stride 2 to 16 and one above, regions of up to 56 px being cut from stride 2,
        which has no anchors. Else a single map of this stride, as `backbones.backbone` takes it.
    roi_pooling : {"align", "pool"}
        See `seglib.models.roi.pool_rois`.
    anchor_sizes : tuple of numbers, optional
        In px. In a pyramid one size a map, from stride 4 on: 32 to 512 for ResNets, 16 to 128 for "compact". On a
        single map all of them.
    rois : int, optional
        Regions of a picture that the heads are trained on: 512, or 32 for "compact".
    min_size : int, optional
        Pictures are resized until their shorter side has so many px, or the longer 1333. By default 800 for ResNets;
        "compact" then takes pictures as they are.
    weights : str or path, optional
        "COCO_V1", or a file: see `seglib.models.detector_weights`.

    The attributes ``score_threshold`` 0.05, ``nms_threshold`` 0.5 and ``max_detections`` 100 decide what is kept in
    evaluation, and may be set.

    Input and output
    ----------------
    ``images`` is a list of float tensors (in_channels, H, W) in 0..1, whose sizes may differ. In training, ``targets``
    is a list of dicts, "boxes" (n, 4) float and "labels" (n,) int64 from 1; n may be 0. Other keys are not read:
    leave crowds out. The result is a dict of scalars to be added up: "loss_classifier", "loss_box_reg",
    "loss_objectness" and "loss_rpn_box_reg". In evaluation it is a list of dicts "boxes", "labels" and "scores", best
    first, in pixels of the pictures as given.

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
        size = LAPTOP if backbone == "compact" else PAPER
        self.num_classes, self.in_channels = num_classes, in_channels
        self.roi_pooling, self.roi_samples, self.box_cells = roi_pooling, size["roi_samples"], size["box_cells"]
        self.rois, self.positive_rois = rois or size["rois"], size["positive_rois"]
        self.min_size = min_size or size["min_size"]
        self.score_threshold, self.nms_threshold, self.max_detections = 0.05, 0.5, 100
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(size[name])[:, None, None], persistent=False)

        self.with_coarser = stride is None
        coarsest = stride or (16 if backbone == "compact" else 32)
        self.backbone = backbones.backbone(backbone, in_channels, width, output_stride=coarsest)
        if size is PAPER:
            freeze_batch_norm(self.backbone)
        strides = self.backbone.strides
        self.stages = [i for i in range(4) if strides[i] >= size["finest_stride"]] if stride is None else [3]
        self.strides = [strides[i] for i in self.stages]
        inputs = [self.backbone.channels[i] for i in self.stages]
        self.pyramid = FeaturePyramid(inputs, size["channels"], size["from_above"])

        anchors = self.by_map(anchor_sizes or size["anchor_sizes"])
        self.rpn = RPN(size["channels"], anchors, size["positive_iou"], size["rpn_samples"], size["proposals"])
        self.box_head = size["box_head"](size["channels"], self.box_cells, 4 * size["channels"], num_classes)
        if weights is not None:
            self.load(weights)

    def by_map(self, anchor_sizes):
        """The tuple of anchor sizes of every map that has anchors."""
        if not self.with_coarser:
            return [tuple(anchor_sizes)]
        strides = [stride for stride in self.strides if stride >= ANCHOR_STRIDE]
        if len(anchor_sizes) != len(strides) + 1:
            raise ValueError(
                f"anchor_sizes is {anchor_sizes}; this pyramid wants {len(strides) + 1} sizes, one for each map of "
                f"stride {strides} and one for the map above"
            )
        return [(size,) for size in anchor_sizes]

    def load(self, weights):
        """Fill the network with torchvision's weights and return their names, see `load_detector_weights`."""
        return load_detector_weights(self, self.torchvision_name, weights)

    def forward(self, images, targets=None):
        batch, sizes, targets = self.prepare(images, targets)
        maps = self.features(batch)
        proposals, losses = self.rpn(self.anchored(maps), batch.shape[-2:], sizes, targets)
        if self.training:
            rois = choose_rois(proposals, targets, self.rois, self.positive_rois)
            return self.roi_losses(maps, rois, targets) | losses
        found = self.detect(maps, proposals, sizes)
        originals = [image.shape[-2:] for image in images]
        return [self.restore(each, *old_new) for each, *old_new in zip(found, sizes, originals, strict=True)]

    def prepare(self, images, targets=None):
        """Check, normalise, resize and pad: returns the batch, the pictures' sizes in it, and the targets to match.

        Targets count in training only; else they come back as None.
        """
        check_pictures(images, self.in_channels)
        if self.training:
            check_targets(images, targets, self.num_classes, self.target_masks)
        targets = targets if self.training else [None] * len(images)
        images = [(image - self.mean) / self.std for image in images]
        if self.min_size is not None:
            resized = [resize(*pair, self.min_size, MAX_SIZE) for pair in zip(images, targets, strict=True)]
            images, targets = zip(*resized, strict=True)
        sizes = [tuple(image.shape[-2:]) for image in images]
        return pad(images, self.backbone.strides[-1]), sizes, targets if self.training else None

    def features(self, batch):
        """(N, C, H, W) -> maps (N, channels, H / stride, W / stride), finest first.

        With the pyramid there is one more than ``strides`` says: from the last no regions are cut.
        """
        stages = self.backbone(batch)
        maps = self.pyramid([stages[i] for i in self.stages])
        return [*maps, coarser(maps[-1])] if self.with_coarser else maps

    def anchored(self, maps):
        """Those of the maps on which anchors stand."""
        return maps[-len(self.rpn.shapes) :]

    def pool(self, maps, boxes, cells):
        """Cut the regions ``boxes``, a list of (r, 4) in pixels of the batch, from the maps: (R, C, cells, cells)."""
        maps = maps[: len(self.strides)]
        return pool_rois(maps, self.strides, boxes, cells, self.roi_pooling, self.roi_samples)

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
