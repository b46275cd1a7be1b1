"""A tiny training run for the tests of resuming, which may kill itself at a given moment as `kill -9` would."""

import os
import signal

import torch

from seglib.models import UNet
from seglib.scenes import Cells
from seglib.training import fit
from seglib.transforms import Compose, RandomFlip, Standardize
from workbench.run import Run

STEPS, EVERY, BATCH = 9, 3, 2


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly:
    """A data set that kills its process when draw number ``last`` is asked for."""

    def __init__(self, data, last):
        self.data, self.last, self.drawn = data, last, 0

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        if self.drawn == self.last:
            die()
        self.drawn += 1
        return self.data[index]


def train(folder, resume=False, draw=None, write=None, replaced=None, workers=0):
    """Train for STEPS steps; die at a draw, or while a file is written, or right after one took its place."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = UNet(1, 2, width=4, depth=2, dropout=0.3)  # dropout: the random state has to come back as well
    data = Cells(7, size=32, transform=Compose([RandomFlip(), Standardize()]))
    val = Cells(3, size=32, seed=9, transform=Standardize())
    count_down(os, "fsync", write, before=True)
    count_down(os, "replace", replaced, before=False)
    run = Run(folder, {"classes": ["background", "nucleus"]}, EVERY, resume=resume)
    fit(
        network,
        Deadly(data, draw),
        val,
        steps=STEPS,
        batch_size=BATCH,
        eval_every=2,
        seed=5,
        workers=workers,
        progress=False,
        run=run,
    )
    run.close()


def count_down(module, name, calls, before):
    """Have a function of a module kill the process at its call number ``calls``, before or after it did its work."""
    if calls is None:
        return
    original, count = getattr(module, name), 0

    def deadly(*arguments):
        nonlocal count
        count += 1
        if before and count == calls:
            die()
        result = original(*arguments)
        if count == calls:
            die()
        return result

    setattr(module, name, deadly)
