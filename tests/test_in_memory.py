"""InMemory: every sample is read once, and transformed anew each time."""

import pytest
import torch

from seglib.datasets import InMemory
from seglib.transforms import RandomFlip


class Counting:
    """Counts how often it is asked."""

    def __init__(self):
        self.asked = 0

    def __len__(self):
        return 2

    def __getitem__(self, index):
        self.asked += 1
        return {"image": torch.arange(2.0).view(1, 1, 2) + 10 * index, "mask": torch.tensor([[0, 1]])}


def test_each_sample_is_read_once_and_stays_as_it_was():
    source = Counting()
    data = InMemory(source)
    assert [data[i]["image"].tolist() for i in (1, 0, 1)] == [[[[10, 11]]], [[[0, 1]]], [[[10, 11]]]]
    assert (len(data), source.asked) == (2, 2)
    with pytest.raises(IndexError):
        data[2]


def test_a_random_transform_is_drawn_anew_each_time():
    data = InMemory(Counting(), RandomFlip(vertical=False))
    torch.manual_seed(0)
    versions = [data[0] for _ in range(20)]
    assert {tuple(v["mask"].flatten().tolist()) for v in versions} == {(0, 1), (1, 0)}
    assert all(v["image"].flatten().tolist() == v["mask"].flatten().tolist() for v in versions)
    assert data.samples[0]["mask"].tolist() == [[0, 1]]
