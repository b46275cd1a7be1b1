"""The course's compact Mask R-CNN beside torchvision's, from nothing, given the same seconds of the same Digits.

    python -m benchmarks.peers_instance        35 minutes on 2 cores

torchvision's networks get pictures as they are (96 px, not enlarged to 800), anchors from 16 px on as ours, as few
samples and as many positive ones: with its own settings a step takes many seconds. Each learns with the rate of RATES
that serves it best (one run each with seed 100, half as long, scored on pictures that serve for nothing else). Seconds
count on the machine that the results name.
"""

from torchvision.models import detection
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

from benchmarks.claims.instances import CLASSES, WIDTH, scores, train
from benchmarks.record import write_rows
from seglib.models import MaskRCNN, parameters
from seglib.scenes import Digits

SECONDS, SEEDS, SEARCH_SEED, RATES = 150, range(2), 100, (3e-4, 1e-3, 4e-3)
VALIDATION = (60, 5_000)  # length and seed
AS_OURS = {
    "min_size": 96,
    "rpn_anchor_generator": AnchorGenerator(((16,), (32,), (64,), (128,), (256,)), ((0.5, 1.0, 2.0),) * 5),
    "rpn_batch_size_per_image": 64,
    "rpn_pre_nms_top_n_train": 200,
    "rpn_post_nms_top_n_train": 200,
    "rpn_pre_nms_top_n_test": 100,
    "rpn_post_nms_top_n_test": 100,
    "rpn_fg_iou_thresh": 0.5,
    "box_batch_size_per_image": 32,
    "box_positive_fraction": 0.5,
}
NETWORKS = {
    "seglib Mask R-CNN": lambda: MaskRCNN(CLASSES, "compact", width=WIDTH),
    "torchvision Mask R-CNN, resnet18": lambda: detection.MaskRCNN(
        resnet_fpn_backbone(backbone_name="resnet18", weights=None, trainable_layers=5), CLASSES, **AS_OURS
    ),
    "torchvision maskrcnn_resnet50_fpn": lambda: detection.maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=CLASSES, **AS_OURS
    ),
}


def best_rate(build):
    validation = list(Digits(VALIDATION[0], seed=VALIDATION[1], part="test"))
    reached = {}
    for rate in RATES:
        net, _ = train(build, SEARCH_SEED, rate, seconds=SECONDS / 2)
        reached[rate] = scores(net, validation)["mask_ap50"]
    print("   learning rates", reached, flush=True)
    return max(reached, key=reached.get)


def main():
    rows = []
    for name, build in NETWORKS.items():
        rate = best_rate(build)
        for seed in SEEDS:
            net, steps = train(build, seed, rate, seconds=SECONDS)
            row = {"network": name, "seed": seed, "learning_rate": rate, "seconds": SECONDS, "steps": steps}
            rows.append({**row, **scores(net), "parameters": parameters(net)})
            print(rows[-1], flush=True)
            write_rows("results/peers_instance.csv", rows)


if __name__ == "__main__":
    main()
