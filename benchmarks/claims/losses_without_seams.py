"""Lesson 06's claim, objects without a seam class: the same network of two classes, nucleus and background.

    python -m benchmarks.claims.losses_without_seams

After `python -m benchmarks.claims.losses nuclei`, to whose rows it adds. Same halves, steps and seeds, plain
cross-entropy; the learning rate is chosen in the same way. "object_f1" takes the pieces, "split_f1" cuts them by shape.
"""

import numpy as np
import torch

from benchmarks.claims.losses import RATES, SEARCH_SEED, SEEDS, NucleiTask, pieces, train
from benchmarks.record import write_rows
from seglib import losses
from seglib.classical import split_touching
from seglib.metrics import confusion_matrix, instance_f1, mean_iou, pixel_accuracy
from seglib.training import predict_logits


class TwoClasses(NucleiTask):
    classes = 2

    def __init__(self):
        super().__init__()
        self.mask = torch.as_tensor(self.instances > 0).long()

    def score(self, net, final):
        part = np.s_[:, 256:] if final else np.s_[384:, :256]
        found = predict_logits(net, self.image[None])[0].argmax(0).cpu().numpy()[part]
        matrix = confusion_matrix(found, self.mask.numpy()[part], self.classes)
        return {
            "mean_iou": mean_iou(matrix),
            "accuracy": pixel_accuracy(matrix),
            "object_f1": instance_f1(pieces(found), self.instances[part]).f1,
            "split_f1": instance_f1(split_touching(found > 0), self.instances[part]).f1,
        }


def main():
    task, rows = TwoClasses(), []
    found = {
        rate: task.score(train(task, losses.cross_entropy, rate, SEARCH_SEED, task.steps // 2), final=False)["mean_iou"]
        for rate in RATES
    }
    best = max(found, key=found.get)
    print(found, flush=True)
    for seed in SEEDS:
        values = task.score(train(task, losses.cross_entropy, best, seed), final=True)
        row = {"pictures": task.name, "variant": "two classes, no seams", "seed": seed, "learning_rate": best}
        rows.append({**row, **{key: round(float(value), 4) for key, value in values.items()}})
        print(rows[-1], flush=True)
    write_rows("results/claims/losses.csv", rows)


if __name__ == "__main__":
    main()
