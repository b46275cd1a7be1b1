"""Lesson 06's claim, the strongest simple row: class weights after training, on networks of plain cross-entropy.

    python -m benchmarks.claims.losses_afterwards

On Streets, after `python -m benchmarks.claims.losses streets`, to whose rows it adds: the same networks of plain
cross-entropy, learned again, get log(weight) added to each logit before the largest one decides (logit adjustment). The
weights are those of the rows that learn with weights, or their square roots. "best_power" is that power of the weights,
of POWERS, which is best for the network on the 60 pictures that chose the learning rate.
"""

import numpy as np

from benchmarks.claims.losses import SEEDS, StreetTask, street_scores, train
from benchmarks.record import write_rows
from seglib import losses, results
from seglib.training import predict_logits

POWERS = np.linspace(0, 1.5, 7)


def scores(net, samples, shift):
    """Scores when `shift` (K, 1, 1) is added to the logits."""
    found = [(predict_logits(net, sample["image"][None])[0].cpu() + shift).argmax(0).numpy() for sample in samples]
    return street_scores(found, [sample["mask"].numpy() for sample in samples])


def main():
    task, rows = StreetTask(), []
    log_weights = losses.class_weights(task.counts).log()[:, None, None]
    plain = [row for row in results.read("claims/losses") if row["pictures"] == "streets"]
    plain = {row["seed"]: row for row in plain if row["variant"] == "cross-entropy"}
    for seed in SEEDS:
        net = train(task, losses.cross_entropy, plain[seed]["learning_rate"], seed)
        again = scores(net, task.test, 0 * log_weights)["mean_iou"]
        print(f"seed {seed}: mean IoU {again:.4f}, before {plain[seed]['mean_iou']}", flush=True)
        best = max(POWERS, key=lambda power: scores(net, task.search, power * log_weights)["mean_iou"])
        for name, power in (("square root", 0.5), ("median freq.", 1.0)):
            row = {"pictures": "streets", "variant": f"weights after, {name}", "seed": seed}
            values = {key: round(float(value), 4) for key, value in scores(net, task.test, power * log_weights).items()}
            rows.append({**row, "learning_rate": plain[seed]["learning_rate"], "best_power": float(best), **values})
            print(rows[-1], flush=True)
        write_rows("results/claims/losses.csv", rows)


if __name__ == "__main__":
    main()
