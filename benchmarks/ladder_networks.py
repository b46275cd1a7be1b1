"""The ladder's networks, in the compact sizes and at the learning rates of their lessons.

All learn for the same number of steps from the same pictures, each with weights, order and moves drawn by its seed.
"""

from functools import cache, partial

import numpy as np
import torch
from torch import nn

from benchmarks.cells_two_ways import SURE
from benchmarks.claims.learning_pixels import block
from benchmarks.ladder_pictures import SCENES, TRAIN, Row, pictures
from seglib.datasets import InMemory
from seglib.losses import class_pixels, class_weights, cross_entropy, dice_loss
from seglib.models import FCN, DeepLabV3Plus, MaskRCNN, PSPNet, SegNetBasic, UNet, parameters
from seglib.scenes import Streets
from seglib.targets import instances_to_targets
from seglib.training import detection_batch, fit, predict_detector, predict_logits
from seglib.transforms import BorderWeights, Compose, RandomFlip, RandomRotate90, SeparateTouching, Standardize

STEPS, BATCH = 400, 8
CHANNELS = {"nuclei": 1, "streets": 3}
MOVES = {"nuclei": [RandomFlip(), RandomRotate90(), Standardize()], "streets": [RandomFlip(vertical=False)]}


def small(inputs, classes):
    """Lesson 05's network."""
    return nn.Sequential(
        *block(inputs, 16),
        *block(16, 16),
        nn.MaxPool2d(2),
        *block(16, 32),
        *block(32, 32),
        nn.Conv2d(32, classes, 1),
        nn.Upsample(scale_factor=2, mode="bilinear"),
    )


def fcn(inputs, classes):
    return FCN(classes, "vgg16_bn", stride=8, in_channels=inputs, width=8, padding=1)


def unet(inputs, classes):
    return UNet(inputs, classes, width=16, depth=3)


def segnet(inputs, classes):
    return SegNetBasic(classes, in_channels=inputs, width=16)


def pspnet(inputs, classes):
    return PSPNet(classes, "compact", in_channels=inputs, width=16, output_stride=4)


def deeplab(inputs, classes):
    return DeepLabV3Plus(classes, "compact", in_channels=inputs, width=16, output_stride=8, rates=(2, 4, 6))


def entropy_and_dice(logits, mask):
    return cross_entropy(logits, mask) + dice_loss(logits, mask)


@cache
def mild_weights():
    """The square roots of median-frequency weights, which the lessons on Streets use."""
    masks = [sample["mask"] for sample in pictures("streets", TRAIN).samples[:200]]
    return class_weights(class_pixels(masks, len(Streets.classes)), power=0.5)


LOSSES = {
    "cross-entropy": dict,
    "cross-entropy + Dice": lambda: {"loss": entropy_and_dice},
    "weighted cross-entropy": lambda: {"class_weights": mild_weights()},
}


def make_network(task, build, rate, loss, gaps, seed):
    """Train a network that names pixels. It is asked with even sides, since lesson 05's gives no others back."""
    torch.manual_seed(seed)
    net = build(CHANNELS[task], len(SCENES[task].classes))
    data = pictures(task, TRAIN)
    if gaps:
        data = InMemory(InMemory(data, Compose([SeparateTouching(), BorderWeights(sigma=3)])))
    data = InMemory(data, Compose(MOVES[task]))
    options = {"steps": STEPS, "batch_size": BATCH, "learning_rate": rate, "seed": seed, "progress": False}
    fit(net, data, **LOSSES[loss](), **options)

    def answer(sample):
        if task == "nuclei":
            sample = Standardize()(sample)
        height, width = sample["mask"].shape
        image = nn.functional.pad(sample["image"][None], (0, width % 2, 0, height % 2), mode="replicate")
        found = predict_logits(net, image)[0, :, :height, :width].argmax(0).cpu().numpy()
        return found == 1 if task == "nuclei" else found

    return answer, facts(rate, loss + ", gaps and border weights" * gaps, BATCH, net)


def make_mask_rcnn(seed):
    """Lesson 14's detector, with anchors for nuclei. It sees as many pictures as the others, half of them a step."""
    torch.manual_seed(seed)
    net = MaskRCNN(2, "compact", in_channels=1, width=24, anchor_sizes=(8, 16, 32, 64), rois=64)
    net.rpn.proposals, net.mask_rois, net.max_detections = (500, 300), 16, 300
    data = InMemory(pictures("nuclei", TRAIN), Compose([*MOVES["nuclei"], instances_to_targets]))
    options = {"steps": 2 * STEPS, "batch_size": BATCH // 2, "learning_rate": 2e-3, "seed": seed, "progress": False}
    fit(net, data, collate=detection_batch, **options)

    def answer(sample):
        """The detections as a map, the best first, each with the pixels that are still free."""
        (found,) = predict_detector(net, [Standardize()(sample)])
        objects = np.zeros(found["masks"].shape[2:], int)
        masks = found["masks"][found["scores"] >= SURE, 0].numpy() >= 0.5
        for number, mask in enumerate(masks, start=1):
            objects[mask & (objects == 0)] = number
        return objects

    return answer, facts(2e-3, "the detector's five", BATCH // 2, net)


def facts(rate, loss, batch, net):
    steps = STEPS * BATCH // batch
    setting = f"{loss}, learning rate {rate:g}, {steps} steps of {batch}"
    return {"setting": setting, "parameters": parameters(net)}


# lesson, method, network, learning rate
NETWORKS = [
    (5, "small network", small, 3e-3),
    (6, "small network, lesson 06's loss", small, 3e-3),
    (7, "FCN-8s", fcn, 6e-3),
    (8, "U-Net", unet, 3e-3),
    (9, "SegNet-Basic", segnet, 6e-3),
    (10, "PSPNet", pspnet, 6e-3),
    (11, "DeepLabv3+", deeplab, 6e-3),
]


def loss_of(task, lesson):
    """Streets' networks keep what lesson 06 brings, as the lessons have it; those for nuclei go back, as lesson 08."""
    if task == "streets":
        return "weighted cross-entropy" if lesson > 5 else "cross-entropy"
    return "cross-entropy + Dice" if lesson == 6 else "cross-entropy"


ROWS = [
    *(
        Row(task, lesson, name, partial(make_network, task, build, rate, loss_of(task, lesson), False))
        for task in SCENES
        for lesson, name, build, rate in NETWORKS
    ),
    Row("nuclei", 8, "U-Net, gaps, border weights", partial(make_network, "nuclei", unet, 3e-3, "cross-entropy", True)),
    Row("nuclei", 14, "Mask R-CNN", make_mask_rcnn),
]
