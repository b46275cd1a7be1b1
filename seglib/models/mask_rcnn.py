"""Mask R-CNN (He, Gkioxari, Dollar, Girshick 2017): Faster R-CNN with a third head, which draws the object."""

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.detection.roi_heads import paste_masks_in_image
from torchvision.ops import roi_align

from seglib.models.blocks import start_near_zero
from seglib.models.boxes import at_least_float32
from seglib.models.faster_rcnn import FasterRCNN

MASK_CELLS = 14  # side of a region for the mask head; the mask has twice as many


class MaskRCNN(FasterRCNN):
    """Instance segmentation: boxes, each with a class, a score and a mask.

    ``MaskRCNN(91)`` is torchvision's maskrcnn_resnet50_fpn, 44,401,393 parameters and its batch norm frozen.
    ``MaskRCNN(11, "compact", width=24)`` learns from nothing on a laptop: 999,689 parameters. `FasterRCNN` with the
    same arguments is the same network without masks.

    Parameters
    ----------
    num_classes, backbone, weights, **options
        See `seglib.models.faster_rcnn.FasterRCNN`.
    mask_head : {"conv", "fc"}
        How a mask is drawn: four 3x3 convolutions (two for "compact"), or two fully connected layers.
    mask_scores : {"sigmoid", "softmax"}
        Each class's mask for itself, the class being the box head's business; or classes that compete for each pixel.
    class_agnostic : bool
        One mask a region instead of one for every class.

    Input and output
    ----------------
    As `FasterRCNN`, and "masks" (n, H, W), 0 or 1, in the targets; "loss_mask" among the losses; and "masks" (n, 1, H,
    W) float, 0 to 1, in the detections: 0.5 and above is the object.

    But for "compact" masks are cut out and pasted as torchvision does it, which is up to a pixel off: see
    `paste_masks_in_whole_pixels`. That matters little to objects of 100 px and much to those of 20; "compact" is exact.
    """

    torchvision_name = "maskrcnn_resnet50_fpn"
    target_masks = True

    def __init__(
        self,
        num_classes=91,
        backbone="resnet50",
        *,
        mask_head="conv",
        mask_scores="sigmoid",
        class_agnostic=False,
        weights=None,
        **options,
    ):
        super().__init__(num_classes, backbone, weights=weights if weights == "imagenet" else None, **options)
        if mask_head not in ("conv", "fc"):
            raise ValueError(f'mask_head is "conv" or "fc", not {mask_head!r}')
        if mask_scores not in ("sigmoid", "softmax"):
            raise ValueError(f'mask_scores is "sigmoid" or "softmax", not {mask_scores!r}')
        self.softmax = mask_scores == "softmax"
        self.mask_classes = 2 if class_agnostic else num_classes  # background and object
        self.exact_masks = backbone == "compact"
        self.mask_rois = 6 if backbone == "compact" else None  # positive regions of a picture; None: all
        if mask_head == "conv":
            self.mask_head = MaskHead(self.channels, 2 if backbone == "compact" else 4, self.mask_classes)
        else:
            self.mask_head = ConnectedMaskHead(self.channels, 4 * self.channels, self.mask_classes)
        if weights not in (None, "imagenet"):
            self.load(weights)

    def roi_losses(self, maps, rois, targets):
        losses = super().roi_losses(maps, rois, targets)
        boxes, labels, masks = [], [], []
        for roi, target in zip(rois, targets, strict=True):
            objects = roi["objects"][: self.mask_rois]  # the positive regions come first
            boxes.append(roi["boxes"][: len(objects)])
            labels.append(roi["labels"][: len(objects)])
            masks.append(crop_masks(target["masks"], objects, boxes[-1], 2 * MASK_CELLS, self.exact_masks))
        logits = self.mask_head(self.pool(maps, boxes, MASK_CELLS))
        return losses | {"loss_mask": mask_loss(logits, self.drawn(torch.cat(labels)), torch.cat(masks), self.softmax)}

    def detect(self, maps, proposals, sizes):
        detections = super().detect(maps, proposals, sizes)
        logits = self.mask_head(self.pool(maps, [each["boxes"] for each in detections], MASK_CELLS))
        labels = torch.cat([each["labels"] for each in detections])
        masks = mask_probabilities(logits, self.drawn(labels), self.softmax)
        masks = masks.split([len(each["labels"]) for each in detections])
        return [each | {"masks": mask} for each, mask in zip(detections, masks, strict=True)]

    def restore(self, detections, size, original):
        detections = super().restore(detections, size, original)
        paste = paste_masks if self.exact_masks else paste_masks_in_whole_pixels
        return detections | {"masks": paste(detections["masks"], detections["boxes"], original)}

    def drawn(self, labels):
        """Which of the head's masks belongs to objects of these labels; class-agnostic heads have number 1 only."""
        return labels.clamp(max=self.mask_classes - 1)


class MaskHead(nn.Module):
    """Convolutions keep the places of things: (R, channels, 14, 14) -> logits (R, num_classes, 28, 28).

    3x3 convolutions, a transposed one that doubles the side, and a 1x1 that scores.
    """

    def __init__(self, channels, convolutions, num_classes):
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(convolutions))
        self.conv5_mask = nn.ConvTranspose2d(channels, channels, 2, stride=2)
        self.mask_fcn_logits = nn.Conv2d(channels, num_classes, 1)
        for conv in (*self.convolutions, self.conv5_mask):
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(conv.bias)
        start_near_zero(self.mask_fcn_logits, 0.001)

    def forward(self, x):
        for conv in self.convolutions:
            x = F.relu(conv(x))
        return at_least_float32(self.mask_fcn_logits(F.relu(self.conv5_mask(x))))


class ConnectedMaskHead(nn.Module):
    """The paper's comparison: two fully connected layers, then all the mask's pixels at once; same shapes."""

    def __init__(self, channels, hidden, num_classes):
        super().__init__()
        self.fc1 = nn.Linear(channels * MASK_CELLS**2, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.mask_logits = nn.Linear(hidden, num_classes * (2 * MASK_CELLS) ** 2)
        for layer in (self.fc1, self.fc2):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        start_near_zero(self.mask_logits, 0.001)

    def forward(self, x):
        x = self.mask_logits(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))
        return at_least_float32(x.view(len(x), -1, 2 * MASK_CELLS, 2 * MASK_CELLS))


def crop_masks(masks, objects, boxes, cells, exact=True):
    """What the head should draw: the objects' masks (n, H, W) inside their regions, (r, cells, cells) in 0..1.

    ``objects`` (r,) says which mask, ``boxes`` (r, 4) where. Not exact: with the centre of pixel 0 at 0, not at 0.5.
    """
    rois = torch.cat([objects[:, None].to(boxes.dtype), boxes], dim=1)
    return roi_align(masks[:, None].to(boxes.dtype), rois, cells, aligned=exact)[:, 0]


def mask_loss(logits, labels, masks, softmax=False):
    """Cross-entropy of the pixels of positive regions; sigmoids are asked about the true class's mask only.

    Parameters
    ----------
    logits : (R, K, m, m) float tensor
    labels : (R,) int64 tensor, which of the K masks
    masks : (R, m, m) float tensor in 0..1
        Values between 0 and 1, where the outline crosses a cell, are taken as probabilities.
    softmax : bool
        The K classes compete for each pixel, 0 being everything that is not this object.

    Returns a scalar, 0 without regions.
    """
    if len(logits) == 0:
        return logits.sum()
    regions = torch.arange(len(labels), device=labels.device)
    if not softmax:
        return F.binary_cross_entropy_with_logits(logits[regions, labels], masks)
    log_p = F.log_softmax(logits, dim=1)
    return -(masks * log_p[regions, labels] + (1 - masks) * log_p[:, 0]).mean()


def mask_probabilities(logits, labels, softmax=False):
    """How likely each pixel of a region belongs to its object: (R, K, m, m), (R,) -> (R, m, m)."""
    regions = torch.arange(len(labels), device=labels.device)
    return (logits.softmax(dim=1) if softmax else logits.sigmoid())[regions, labels]


def paste_masks(masks, boxes, size):
    """Stretch each mask (m, m) over its box in an empty picture of ``size``: (n, 1, H, W), bilinear."""
    height, width = size
    x = torch.arange(width, device=boxes.device) + 0.5
    y = torch.arange(height, device=boxes.device) + 0.5
    # Where in its mask each pixel's centre lies: -1 at the box's left (top) edge, 1 at the right (bottom) one.
    x = 2 * (x - boxes[:, 0:1]) / (boxes[:, 2:3] - boxes[:, 0:1]) - 1
    y = 2 * (y - boxes[:, 1:2]) / (boxes[:, 3:4] - boxes[:, 1:2]) - 1
    places = torch.stack([x[:, None].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], dim=-1)
    return F.grid_sample(masks[:, None], places, align_corners=False)


def paste_masks_in_whole_pixels(masks, boxes, size):
    """`paste_masks` as the authors' code and torchvision do it: boxes are cut to whole pixels before.

    A ring of zeros is laid around the mask, so that the object can end softly; the enlarged box's edges are rounded
    towards 0, and the pixel of the last edge belongs to it. A box of 10 px becomes a mask of 12.
    """
    return paste_masks_in_image(masks[:, None], boxes, size)
