"""Small pictures to train on in tests, and the arguments of a short, silent run."""

import torch
from torch.utils.data import Dataset

QUIET = {"batch_size": 4, "progress": False}


class Squares(Dataset):
    """Bright squares on noise; ``jitter`` adds randomness from torch's generator, as a random transform would."""

    def __init__(self, length=8, jitter=False):
        self.length, self.jitter = length, jitter

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        mask = torch.zeros(16, 16, dtype=torch.int64)
        top, left = torch.randint(0, 10, (2,), generator=generator)
        mask[top : top + 6, left : left + 6] = 1
        noise = torch.rand(1, 16, 16, generator=None if self.jitter else generator)
        return {"image": 0.5 * mask[None] + 0.4 * noise, "mask": mask, "name": f"square {index}"}
