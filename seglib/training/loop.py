"""What every training run has in common: batches, clock, learning rate, records, and the device."""

import itertools
import math
import os
import time
from functools import partial

import torch
from torch.utils.data import DataLoader, Dataset

from seglib.progress import Progress
from seglib.training import snapshot
from seglib.training.processes import agreed, rank_and_size


def descend(
    model,
    train,
    take_step,
    after_step,
    *,
    steps,
    seconds,
    batch_size,
    learning_rate,
    schedule,
    weight_decay,
    seed,
    workers,
    progress,
    collate=None,
    start=None,
    keep=None,
):
    """The loop under `fit` and `fit_detector`: the clock, the learning rate, the batches, the records.

    ``take_step(batch, optimizer)`` returns the loss as a float; ``after_step(step, done)`` what the progress bar is to
    say besides, or None to stop. After that, ``keep(step, done, state)`` is called, if given: ``state()`` is a dict
    from which, given as ``start``, a later call goes on as if it had never been interrupted. Returns the history
    of "step", "loss" and "learning_rate"; the network ends in eval mode.

    Several processes that have met (see `seglib.training.processes`) share every batch: each takes its own part.
    """
    if len(train) == 0:
        raise ValueError("the training set is empty: check the folder, the split, or the length given")
    if schedule not in ("cosine", "poly", "constant"):
        raise ValueError(f'schedule is "cosine", "poly" or "constant", not {schedule!r}')
    torch.manual_seed(seed)
    model.to(best_device(), memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    history = start["history"] if start else {key: [] for key in ("step", "loss", "learning_rate")}
    step, elapsed = len(history["step"]), start["elapsed"] if start else 0.0
    parts = share_of_batches(batch_size, step)
    batches = iter(DataLoader(Stream(train, seed), batch_sampler=parts, num_workers=workers, collate_fn=collate))
    if start:
        snapshot.restore(start, model, optimizer)
    done, note, started = elapsed / seconds if seconds else step / steps, "", time.perf_counter() - elapsed
    value = history["loss"][-1] if step else math.nan
    with Progress("training", show=progress) as bar:
        while done < 1 and note is not None:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate * rate_factor(schedule, done)
            value = take_step(next(batches), optimizer)
            step += 1
            elapsed = time.perf_counter() - started
            value, done = agreed(value, elapsed / seconds if seconds else step / steps)
            if not math.isfinite(value):
                raise ValueError(
                    f"the loss is {value} at step {step}: usually the learning rate ({learning_rate}) is too high, "
                    "or the pictures hold NaN"
                )
            history["step"].append(step)
            history["loss"].append(value)
            history["learning_rate"].append(optimizer.param_groups[0]["lr"])
            note = after_step(step, done)
            if keep:
                keep(step, 1.0 if note is None else done, partial(snapshot.take, model, optimizer, history, elapsed))
            bar.update(min(done, 1), f"step {step}, loss {value:.3f}{note or ''}")
        bar.close_with(f"{step} steps, loss {value:.3f}{note or ''}")
    model.eval()
    return history


def share_of_batches(batch_size, step):
    """Yield the draws of this process's part of every batch from ``step`` on, without end."""
    rank, size = rank_and_size()
    if batch_size % size:
        raise ValueError(f"a batch of {batch_size} can't be shared equally by {size} processes: take a multiple")
    part = batch_size // size
    for first in itertools.count(batch_size * step + part * rank, batch_size):
        yield range(first, first + part)


def rate_factor(schedule, done):
    """Share of the learning rate at ``done`` (0..1) of the run: a short warm-up, then the schedule."""
    fall = {"cosine": 0.5 * (1 + math.cos(math.pi * done)), "poly": (1 - done) ** 0.9, "constant": 1.0}[schedule]
    return fall * min(1, (done + 0.002) / 0.05)


def best_device():
    """The GPU if there is one (CUDA, then Apple's) and ``accelerate launch --cpu`` did not forbid it, else the CPU."""
    if os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true"):
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def autocast(device):
    """bfloat16 where it is faster than float32: on CUDA, and on CPUs with instructions for it."""
    fast = device.type == "cuda" or (device.type == "cpu" and cpu_has_bfloat16())
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast)


def cpu_has_bfloat16():
    """True where the CPU multiplies bfloat16 itself (AVX512-BF16 or AMX). Emulated, it is slower than float32."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


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
        # Random transforms draw from torch's global generator; the network's dropout must not feel it.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(hash((self.seed, draw)) % 2**63)
            return self.data[self.order[place]]
