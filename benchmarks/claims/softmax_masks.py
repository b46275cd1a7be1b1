"""Why a softmax over the classes of a mask draws nothing in lesson 14: does its head know where, or which digit?

    python -m benchmarks.claims.softmax_masks

The networks of "softmax" in `benchmarks.claims.instances masks`, asked about the true boxes of held-out digits: the
largest probability that any pixel of a region gets for the true class, and the IoU of "not background" with the digit.
"""

import torch

from benchmarks.claims.instances import SEEDS, STEPS, build, held_out, train
from benchmarks.record import write_rows
from seglib.models.mask_rcnn import MASK_CELLS, crop_masks


@torch.no_grad()
def ask(net):
    surest, ious = [], []
    for sample in held_out():
        batch, *_ = net.prepare([sample["image"]])
        boxes, labels = sample["boxes"], sample["labels"]
        says = net.mask_head(net.pool(net.features(batch), [boxes], MASK_CELLS)).softmax(1)
        digits = torch.arange(len(labels))
        truth = crop_masks(sample["masks"], digits, boxes, says.shape[-1]) >= 0.5
        found = says[:, 0] < 0.5
        surest.append(says[digits, labels].amax((1, 2)))
        ious.append((found & truth).sum((1, 2)) / (found | truth).sum((1, 2)))
    return {
        "true_class": round(torch.cat(surest).mean().item(), 4),
        "not_background_iou": round(torch.cat(ious).mean().item(), 4),
    }


def main():
    rows = []
    for seed in SEEDS:
        net, _ = train(lambda: build({"mask_scores": "softmax"}), seed)
        rows.append({"variant": "softmax", "seed": seed, "steps": STEPS, **ask(net.cpu().eval())})
        print(rows[-1], flush=True)
        write_rows("results/claims/softmax_masks.csv", rows)


if __name__ == "__main__":
    main()
