"""Several processes: every sample goes to one of them, and together they are one process with the same batch."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from seglib.losses import cross_entropy
from seglib.training.batches import draws
from workbench import processes
from workbench.run import Run, read_checkpoint

TESTS = Path(__file__).parent
STEPS, BATCH = 4, 4
CPU = {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}


def make_folder(folder):
    """Ten pictures of bright squares; every other mask is half void, so that processes differ in what counts."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(10):
        mask = np.zeros((40, 40), np.uint8)
        top, left = rng.integers(0, 24, 2)
        mask[top : top + 16, left : left + 16] = 1
        noise = rng.integers(0, 60, (40, 40, 3), dtype=np.uint8)
        image = noise + 150 * mask[..., None]
        if number % 2:
            mask[:, : 4 * number] = 255
        for kind, array in (("images", image), ("masks", mask)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(folder / kind / f"{number}.png")
    return folder


def launched(count, tmp_path, *arguments):
    """Train with so many processes; return (folder of the run, what each process told: draws, sums of weights)."""
    out = tmp_path / f"run_{count}"
    command = [sys.executable]
    if count > 1:  # Accelerate's own launcher wants MPI for processes on CPUs; torchrun sets the same variables
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(count)]
    command += [str(TESTS / "launched.py"), str(tmp_path), "train", *arguments, "--out", str(out), "--workers", "0"]
    command += ["--steps", str(STEPS), "--batch-size", str(BATCH), "--eval-every", "2"]
    result = subprocess.run(command, capture_output=True, text=True, env=os.environ | CPU)
    assert result.returncode == 0, result.stderr[-3000:]
    assert result.stdout.count(f"training: {STEPS} steps") == 1  # one process speaks
    return out, [json.loads((tmp_path / f"told_{rank}.json").read_text()) for rank in range(count)]


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path):
    data = make_folder(tmp_path / "squares")
    arguments = ["--model", "unet", "--data", str(data), "--crop", "32", "--foreground", "1"]
    (alone, told_alone), (both, told) = (launched(count, tmp_path, *arguments) for count in (1, 2))
    assert told_alone[0]["draws"] == list(range(STEPS * BATCH))
    assert told[0]["draws"] == [0, 1, 4, 5, 8, 9, 12, 13]
    assert told[1]["draws"] == [2, 3, 6, 7, 10, 11, 14, 15]
    assert told[0]["weights"] == told[1]["weights"]
    rows, wanted = (list(csv.DictReader((folder / "metrics.csv").open())) for folder in (both, alone))
    assert len(rows) == STEPS
    for row, other in zip(rows, wanted, strict=True):
        for name in ("loss", "val_loss", "val_mean_iou"):
            if other[name]:
                assert float(row[name]) == pytest.approx(float(other[name]), rel=2e-3, abs=2e-3), (row, other)
    found, expected = (read_checkpoint(folder / "checkpoint.pt")["model"] for folder in (both, alone))
    assert found.keys() == expected.keys()
    for name in (name for name in found if "running" in name):
        assert torch.allclose(found[name], expected[name], rtol=1e-3, atol=1e-3), name
    assert sorted(path.name for path in both.iterdir()) == sorted(path.name for path in alone.iterdir())
    assert len(list((both / "events").iterdir())) == 1  # one process writes


@pytest.mark.slow
def test_two_processes_train_one_detector(tmp_path):
    _, told = launched(2, tmp_path, "--model", "mask_rcnn", "--data", "cells", "--crop", "64")
    assert told[0]["draws"] != told[1]["draws"]
    assert told[0]["weights"] == told[1]["weights"]


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "rank_and_size", lambda: (0, 3))
    with pytest.raises(ValueError, match="a batch of 16 can't be shared equally by 3 processes"):
        Run(tmp_path, {}, 1).share(range(16))


def test_shares_of_all_processes_are_the_batch_and_go_on_from_any_step(tmp_path, monkeypatch):
    run, parts = Run(tmp_path, {}, 1), []
    for rank in range(4):
        monkeypatch.setattr(processes, "rank_and_size", lambda rank=rank: (rank, 4))
        batches = draws(8, 5)
        parts += [*run.share(next(batches)), *run.share(next(batches))]
    assert sorted(parts) == list(range(40, 56))


class Others:
    """Stands in for torch.distributed: two processes that hold the same."""

    @staticmethod
    def get_world_size():
        return 2


def test_shared_batch_norm_is_torchs_on_the_whole_batch(monkeypatch):
    """Two processes with equal halves are one with both: all-reduce then doubles."""
    monkeypatch.setattr(processes, "distributed", Others)
    monkeypatch.setattr(processes, "all_reduce", lambda x: 2 * x)
    half = torch.randn(3, 5, 4, 4, dtype=torch.float64).float()
    whole, shared = nn.BatchNorm2d(5), nn.BatchNorm2d(5)
    with torch.no_grad():
        for norm in (whole, shared):
            norm.weight.copy_(torch.arange(5.0))
            norm.bias.copy_(torch.arange(5.0) - 2)
    shared.__class__ = processes.SharedBatchNorm
    for _ in range(2):
        expected = whole(torch.cat([half, half]))[:3]
        assert torch.allclose(shared(half), expected, atol=1e-5)
    for name, value in whole.state_dict().items():
        assert torch.allclose(shared.state_dict()[name], value, atol=1e-6), name
    assert torch.allclose(shared.eval()(half), whole.eval()(half), atol=1e-6)


def test_fair_shares_make_the_mean_over_the_pixels_of_all(monkeypatch):
    """The gradient's mean over processes of fairly weighted losses is the loss over both batches."""
    logits, masks = torch.randn(2, 2, 6, 6), torch.randint(0, 2, (2, 6, 6))
    masks[1, :5] = 255
    weights = [(mask != 255).sum().float() for mask in masks]
    monkeypatch.setattr(processes, "rank_and_size", lambda: (0, 2))
    monkeypatch.setattr(processes.distributed, "all_reduce", lambda x: x.copy_(sum(weights)))
    parts = [cross_entropy(logits[i : i + 1], masks[i : i + 1]) * processes.fair_share(weights[i]) for i in range(2)]
    assert sum(parts) / 2 == pytest.approx(cross_entropy(logits, masks).item(), rel=1e-5)


@pytest.mark.slow
def test_a_process_alone_needs_no_accelerate():
    """Training in a notebook neither imports Accelerate nor TensorBoard."""
    code = (
        "import sys, torch; from seglib.training import fit; from seglib.models import UNet; "
        "from seglib.scenes import Cells; "
        "fit(UNet(1, 2, width=2, depth=1), Cells(2, size=16), steps=1, batch_size=2, progress=False); "
        "print({'accelerate', 'tensorboard'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
