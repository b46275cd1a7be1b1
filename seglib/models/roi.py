"""Regions of interest: cut each from the right map, ask what it holds and where exactly, keep the best answers."""

import math

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.ops import batched_nms, box_iou, clip_boxes_to_image, remove_small_boxes, roi_align, roi_pool

from seglib.models.blocks import conv_bn_relu, start_near_zero
from seglib.models.boxes import at_least_float32, code_loss, decode, match, sample

OBJECT_IOU = 0.5  # a proposal that overlaps an object at least so much is trained to be that object
CODE_WEIGHTS = (10.0, 10.0, 5.0, 5.0)  # proposals lie close: their codes are small, and weighed up
CANONICAL = 224  # px, the side of ImageNet's pictures: a box of it is cut from stride 16
SMALLEST_SIDE = 1e-2


def roi_levels(boxes, strides):
    """Which map each box (n, 4) is cut from: a box of 224 px from stride 16, one of half from stride 8.

    Equation 1 of Lin et al. (2017). ``strides`` of the maps double from one to the next. Returns indices (n,) into
    ``strides``.
    """
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    level = torch.floor(4 + torch.log2(area.sqrt() / CANONICAL) + 1e-6)
    first = math.log2(strides[0])
    return (level.clamp(first, first + len(strides) - 1) - first).long()


def pool_rois(features, strides, boxes, size, pooling="align", samples=2):
    """Cut regions from the maps of a batch and bring each to size x size cells.

    Parameters
    ----------
    features : list of (N, C, H_i, W_i) tensors, with their ``strides`` in px
    boxes : list of N tensors (n_i, 4), in pixels of the padded batch
    size : int
    pooling : {"align", "pool"}
        RoIAlign (He et al. 2017) averages bilinear samples at the places where they really lie. It is torchvision's
        default form, which takes a feature to lie in the upper left corner of its cell. RoIPool (Girshick 2015) rounds
        the box to whole cells and takes maxima.
    samples : int
        RoIAlign's for each cell, in both directions: 2 in the paper, which finds that their number hardly matters.

    Returns (sum of n_i, C, size, size), in the maps' type, computed in float32 at least.
    """
    rois = torch.cat([F.pad(box, (1, 0), value=picture) for picture, box in enumerate(boxes)])
    levels = roi_levels(rois[:, 1:], strides)
    pooled = rois.new_zeros(len(rois), features[0].shape[1], size, size)
    for level, (feature, stride) in enumerate(zip(features, strides, strict=True)):
        here = torch.where(levels == level)[0]
        feature = at_least_float32(feature)
        if pooling == "align":
            pooled[here] = roi_align(feature, rois[here], size, 1 / stride, sampling_ratio=samples)
        else:
            pooled[here] = roi_pool(feature, rois[here], size, 1 / stride)
    return pooled.to(features[0].dtype)


def choose_rois(proposals, targets, count, share):
    """Choose which regions of each picture the heads are trained on; the objects' own boxes are proposals too.

    ``count`` of them, of which ``share`` at most are positive.

    Returns a list of dicts, one a picture, positive regions first:
    "boxes" (r, 4); "labels" (r,) int64, 0 for background; "objects" (p,) the object of each positive region, as an
    index into the picture's target.
    """
    rois = []
    for proposal, target in zip(proposals, targets, strict=True):
        boxes = torch.cat([proposal, target["boxes"]])
        matches = match(box_iou(target["boxes"], boxes), OBJECT_IOU, OBJECT_IOU)
        positive, background = sample(matches, count, share)
        objects = matches[positive]
        labels = torch.cat([target["labels"][objects], torch.zeros_like(background)])
        rois.append({"boxes": boxes[torch.cat([positive, background])], "labels": labels, "objects": objects})
    return rois


class BoxHead(nn.Module):
    """Each region's class and, for every class, where its box is.

    ``layers`` make ``hidden`` numbers of a region: `dense` or `convolved`.

    Shape: regions (R, channels, size, size) -> logits (R, num_classes), codes (R, num_classes, 4).
    """

    def __init__(self, layers, hidden, num_classes):
        super().__init__()
        self.layers = layers
        self.cls_score = nn.Linear(hidden, num_classes)
        self.bbox_pred = nn.Linear(hidden, 4 * num_classes)
        for layer in layers:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        start_near_zero(self.cls_score, 0.01)  # all classes equally likely
        start_near_zero(self.bbox_pred, 0.001)  # boxes where they were proposed

    def forward(self, pooled):
        hidden = self.layers(pooled)
        logits, codes = at_least_float32(self.cls_score(hidden)), at_least_float32(self.bbox_pred(hidden))
        return logits, codes.unflatten(1, (-1, 4))


def dense(channels, size, hidden):
    """Two fully connected layers of ``hidden``, as in the paper."""
    first, second = nn.Linear(channels * size**2, hidden), nn.Linear(hidden, hidden)
    return nn.Sequential(nn.Flatten(), first, nn.ReLU(), second, nn.ReLU())


def convolved(channels, size, hidden):
    """Two convolutions and one fully connected layer, for a backbone that has learned nothing yet.

    Fine features of regions brought to one size are a picture to recognise, which convolutions learn from fewer
    examples than fully connected layers.
    """
    first, second = conv_bn_relu(channels, channels), conv_bn_relu(channels, 2 * channels)
    last = nn.Linear(2 * channels * (size // 2) ** 2, hidden)
    return nn.Sequential(first, nn.MaxPool2d(2), second, nn.Flatten(), last, nn.ReLU())


def box_losses(logits, codes, rois, targets):
    """Cross-entropy of the class; smooth L1 of the true class's code, over positive regions (Girshick 2015)."""
    errors, truth = [], torch.cat([roi["labels"] for roi in rois])
    of_picture = codes.split([len(roi["boxes"]) for roi in rois])
    for code, roi, target in zip(of_picture, rois, targets, strict=True):
        count = len(roi["objects"])
        predicted = code[torch.arange(count, device=code.device), roi["labels"][:count]]
        errors.append(code_loss(predicted, target["boxes"][roi["objects"]], roi["boxes"][:count], CODE_WEIGHTS))
    return {"loss_classifier": F.cross_entropy(logits, truth), "loss_box_reg": sum(errors) / len(truth)}


def best_detections(scores, boxes, size, score_threshold, nms_threshold, count):
    """From every region's scores (r, K) and boxes (r, K, 4) to the detections of a picture of ``size``.

    Each pair of region and class is a candidate. Kept are those above the score threshold that overlap no better one
    of their class by more than the NMS threshold, ``count`` at most. Returns "boxes", "labels" and "scores", best
    first.
    """
    region, label = torch.where(scores[:, 1:] > score_threshold)  # 0 is the background
    label = label + 1
    boxes, scores = clip_boxes_to_image(boxes[region, label], size), scores[region, label]
    wide = remove_small_boxes(boxes, SMALLEST_SIDE)
    boxes, scores, label = boxes[wide], scores[wide], label[wide]
    kept = batched_nms(boxes, scores, label, nms_threshold)[:count]
    return {"boxes": boxes[kept], "labels": label[kept], "scores": scores[kept]}


def read_boxes(logits, codes, proposals):
    """Every region's scores (r, K), which sum to 1, and boxes (r, K, 4): a pair of tensors for each picture."""
    scores, boxes = F.softmax(logits, dim=1), decode(codes, torch.cat(proposals), CODE_WEIGHTS)
    counts = [len(proposal) for proposal in proposals]
    return list(zip(scores.split(counts), boxes.split(counts), strict=True))
