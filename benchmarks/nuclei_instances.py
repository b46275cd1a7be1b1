"""Real nuclei one by one: Mask R-CNN beside lesson 08's U-Net, on half of DSB2018's pictures of 256x256.

    python -m benchmarks.nuclei_instances        twenty minutes on 2 cores

Each network learns for ten minutes from the training half with one augmentation, and is scored on the other half. The
U-Net has gaps cut between touching nuclei and border weights. Needs the pictures under the folder that SEGLIB_DATA
names; seconds count on the machine that the results name.
"""

import torch

from benchmarks.cells_two_ways import by_mask_rcnn, by_unet, figures, train_detector
from benchmarks.nuclei import AUGMENT, SIZE
from benchmarks.record import write_rows
from seglib.datasets import DSB2018, InMemory
from seglib.models import UNet, parameters
from seglib.targets import instances_to_targets
from seglib.training import fit
from seglib.transforms import BorderWeights, Compose, Grayscale, SeparateTouching, Standardize

SECONDS, SEED = 600, 0


def unet(data):
    net = UNet(1, 2, width=16, depth=3)
    extra = Compose([*AUGMENT, SeparateTouching(), BorderWeights(sigma=3), Standardize()])
    return net, fit(net, InMemory(data, extra), seconds=SECONDS, learning_rate=2e-3, seed=SEED, progress=False)


def mask_rcnn(data):
    return train_detector(InMemory(data, Compose([*AUGMENT, Standardize(), instances_to_targets])), SECONDS, SEED)


def main():
    learn = DSB2018(split="train", size=SIZE)
    judge = list(DSB2018(split="val", size=SIZE, transform=Compose([Grayscale(), Standardize(), instances_to_targets])))
    rows = []
    for train, predict in ((unet, by_unet), (mask_rcnn, by_mask_rcnn)):
        torch.manual_seed(SEED)
        net, history = train(learn)
        cost = {"seconds": SECONDS, "steps": len(history["step"]), "parameters": parameters(net)}
        for variant, answers in predict(net, judge).items():
            rows.append({"variant": variant, "seed": SEED, **cost, **figures(answers, judge)})
            print(rows[-1], flush=True)
        write_rows("results/nuclei_instances.csv", rows)


if __name__ == "__main__":
    main()
