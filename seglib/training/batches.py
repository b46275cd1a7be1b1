"""Which samples come together in a step, and how a list of samples becomes a batch."""

import itertools

import torch
from torch.utils.data import Dataset

PIXELS = ("image", "mask", "weights")
OBJECTS = ("boxes", "labels", "masks")


def pixel_batch(samples):
    """Samples -> a dict of "image" (N, C, H, W), "mask" (N, H, W) and, where they have them, "weights" (N, H, W).

    Raises ValueError for pictures of unequal size.
    """
    sizes = {tuple(sample["image"].shape): sample.get("name", "") for sample in samples}
    if len(sizes) > 1:
        told = ", ".join(f"{size} {name}".strip() for size, name in sizes.items())
        raise ValueError(
            f"pictures of unequal size can't share a batch: {told} (channels, height, width). Cut them to one size "
            "with a transform, RandomCrop or Resize, or take batch_size=1"
        )
    return {key: torch.stack([sample[key] for sample in samples]) for key in PIXELS if key in samples[0]}


def detection_batch(samples):
    """Samples -> what a detector takes: a list of images, and a list of targets, dicts of "boxes", "labels", "masks".

    Pictures may differ in size and in their number of objects, so nothing is stacked. Given to `fit` and `evaluate` as
    ``collate``, it is what tells a detector from a network that names pixels.
    """
    images = [sample["image"] for sample in samples]
    return images, [{key: sample[key] for key in OBJECTS if key in sample} for sample in samples]


def to_device(batch, device):
    """A batch with its tensors on a device."""
    if torch.is_tensor(batch):
        return batch.to(device)
    if isinstance(batch, dict):
        return {key: to_device(value, device) for key, value in batch.items()}
    return [to_device(value, device) for value in batch]


def draws(batch_size, step):
    """Yield the numbers of the draws of every batch from ``step`` on, without end."""
    for first in itertools.count(batch_size * step, batch_size):
        yield range(first, first + batch_size)


class Stream(Dataset):
    """An endless run through a data set in shuffled epochs, where draw j depends on (seed, j) alone."""

    def __init__(self, data, seed):
        self.data, self.seed, self.epoch, self.order = data, seed, None, None

    def __len__(self):
        return 2**62

    def __getitem__(self, draw):
        epoch, place = divmod(draw, len(self.data))
        if epoch != self.epoch:
            generator = torch.Generator().manual_seed(hash((self.seed, epoch)) % 2**63)
            self.epoch, self.order = epoch, torch.randperm(len(self.data), generator=generator).tolist()
        # Random transforms draw from torch's global generator; the network's dropout must not feel it. And not by
        # torch.manual_seed, which seeds GPUs too: where there is none, it formats a stack trace each time.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(hash((self.seed, draw)) % 2**63)
            return self.data[self.order[place]]
