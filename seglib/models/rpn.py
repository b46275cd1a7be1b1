"""Region proposal network (Ren, He, Girshick, Sun 2015): where might there be an object, of whatever class?"""

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.ops import batched_nms, box_iou, clip_boxes_to_image, remove_small_boxes

from seglib.models.blocks import start_near_zero
from seglib.models.boxes import anchor_shapes, at_least_float32, code_loss, decode, grid_anchors, match, sample

LOW_IOU = 0.3  # anchors that overlap every object less are background
POSITIVE_SHARE = 0.5
NMS_IOU = 0.7
SMALLEST_SIDE = 1e-3  # px


class RPN(nn.Module):
    """A 3x3 convolution slides over every map; two 1x1 convolutions say of every anchor "object?" and "where?".

    Parameters
    ----------
    channels : int
        Of all maps.
    anchor_sizes : list of tuples of numbers
        One tuple a map: its anchors' sizes in px, each at the ratios 1:2, 1:1 and 2:1.
    positive_iou : float
        An anchor that overlaps an object at least so much is positive; so is the best anchor of every object.
    samples : int
        Anchors of a picture that are trained on, at most half of them positive.
    proposals : (int, int)
        In training and in evaluation: how many anchors of a map are kept before non-maximum suppression, and how
        many boxes of a picture after it.
    """

    def __init__(self, channels, anchor_sizes, positive_iou=0.7, samples=256, proposals=(2000, 1000)):
        super().__init__()
        self.shapes = [anchor_shapes(sizes) for sizes in anchor_sizes]
        self.positive_iou, self.samples, self.proposals = positive_iou, samples, proposals
        per_place = len(self.shapes[0])
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.cls_logits = nn.Conv2d(channels, per_place, 1)
        self.bbox_pred = nn.Conv2d(channels, 4 * per_place, 1)
        for conv in (self.conv, self.cls_logits, self.bbox_pred):
            start_near_zero(conv, 0.01)

    def forward(self, features, padded, sizes, targets=None):
        """Propose boxes, and with targets say how wrong objectness and boxes are.

        ``features`` is a list of maps (N, channels, H_i, W_i) of a batch of ``padded`` (height, width), in which the
        pictures have ``sizes`` [(height, width)]. Returns the list of boxes (n, 4), best first, and the dict of losses
        "loss_objectness" and "loss_rpn_box_reg", empty without targets.
        """
        logits, codes = self.predict(features)
        anchors = self.anchors(features, padded)
        proposals = self.propose(logits, codes, anchors, sizes)
        return proposals, {} if targets is None else self.losses(logits, codes, anchors, targets)

    def predict(self, features):
        """Logits (N, H_i * W_i * A) of being an object and codes (N, H_i * W_i * A, 4) of every map's anchors."""
        logits, codes = [], []
        for feature in features:
            hidden = F.relu(self.conv(feature))
            # (N, A, H, W) -> (N, H, W, A): in the order in which the anchors are listed
            logits.append(at_least_float32(self.cls_logits(hidden).movedim(1, -1).flatten(1)))
            codes.append(at_least_float32(self.bbox_pred(hidden).movedim(1, -1).reshape(len(feature), -1, 4)))
        return logits, codes

    def anchors(self, features, padded):
        """The anchors (H_i * W_i * A, 4) of every map, the same for all pictures of a batch."""
        anchors = []
        for feature, shapes in zip(features, self.shapes, strict=True):
            grid = feature.shape[-2:]
            # The coarsest map's cells may lie closer than its stride, where the side does not divide by it.
            stride = (padded[0] // grid[0], padded[1] // grid[1])
            shapes = shapes.to(feature.device, torch.promote_types(feature.dtype, torch.float32))
            anchors.append(grid_anchors(shapes, grid, stride))
        return anchors

    @torch.no_grad()
    def propose(self, logits, codes, anchors, sizes):
        """The best anchors of every map, moved as their codes say, without those that overlap a better one."""
        count = self.proposals[0 if self.training else 1]
        boxes, scores, levels = [], [], []
        for level, (logit, code, anchor) in enumerate(zip(logits, codes, anchors, strict=True)):
            score, chosen = logit.topk(min(count, logit.shape[1]), dim=1)
            code = code.gather(1, chosen[..., None].expand(-1, -1, 4))
            boxes.append(decode(code.flatten(0, 1), anchor[chosen].flatten(0, 1)).view(code.shape))
            scores.append(torch.sigmoid(score))
            levels.append(torch.full_like(chosen, level))
        boxes, scores, levels = torch.cat(boxes, dim=1), torch.cat(scores, dim=1), torch.cat(levels, dim=1)
        proposals = []
        for box, score, level, size in zip(boxes, scores, levels, sizes, strict=True):
            box = clip_boxes_to_image(box, size)
            wide = remove_small_boxes(box, SMALLEST_SIDE)
            box, score, level = box[wide], score[wide], level[wide]
            proposals.append(box[batched_nms(box, score, level, NMS_IOU)[:count]])
        return proposals

    def losses(self, logits, codes, anchors, targets):
        """Cross-entropy of objectness and smooth L1 of the codes, over sampled anchors (Ren et al. 2015)."""
        logits, codes, anchors = torch.cat(logits, dim=1), torch.cat(codes, dim=1), torch.cat(anchors)
        chosen, truth, errors = [], [], []
        for logit, code, target in zip(logits, codes, targets, strict=True):
            matches = match(box_iou(target["boxes"], anchors), self.positive_iou, LOW_IOU, keep_best=True)
            positive, background = sample(matches, self.samples, POSITIVE_SHARE)
            places = torch.cat([positive, background])
            chosen.append(logit[places])
            truth.append((matches[places] >= 0).to(logit))
            errors.append(code_loss(code[positive], target["boxes"][matches[positive]], anchors[positive]))
        chosen, truth = torch.cat(chosen), torch.cat(truth)
        return {
            "loss_objectness": F.binary_cross_entropy_with_logits(chosen, truth),
            "loss_rpn_box_reg": sum(errors) / len(chosen),
        }
