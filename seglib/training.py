"""Train, score, save: the loop that lesson 05 writes out by hand, with what a real run needs around it."""

import copy
import math
import os
import time

import torch
from torch.utils.data import DataLoader, Dataset

from seglib.losses import cross_entropy
from seglib.metrics import confusion_matrix, iou, mean_iou, pixel_accuracy
from seglib.progress import Progress

HEAD_WEIGHTS = {"out": 1.0, "aux": 0.4}


def fit(
    model,
    train,
    val=None,
    *,
    steps=300,
    seconds=None,
    batch_size=16,
    learning_rate=2e-3,
    schedule="cosine",
    weight_decay=1e-4,
    loss=None,
    class_weights=None,
    clip=1.0,
    eval_every=50,
    patience=None,
    seed=0,
    workers=0,
    progress=True,
):
    """Train a network on a map-style data set with AdamW and return the history.

    Every step draws ``batch_size`` samples; sample j of a run depends on (seed, j) alone, whatever the number of
    workers, so a run is reproducible on the same machine. With ``val``, the network is scored every ``eval_every``
    steps and ends with the weights that scored best.

    Parameters
    ----------
    model : nn.Module
        Takes (N, C, H, W), gives logits (N, K, H, W), or {"out": logits, "aux": logits} if it has an auxiliary
        head, whose loss then counts 0.4 (Zhao et al. 2017). Moved to the GPU if there is one.
    train, val : data sets of dicts with "image" and "mask", optionally "weights" (H, W) for the pixels' loss
    steps : int
        Length of the run; or ``seconds`` on the clock, for comparisons at equal time (then steps is not used).
    learning_rate : float
        At the top of the schedule, which warms up over the first 5 % of the run.
    schedule : {"cosine", "poly", "constant"}
        How the learning rate falls: to zero along a cosine, as (1 - progress) ** 0.9, or not at all.
    loss : callable, optional
        (logits, mask) -> scalar; by default cross-entropy with ``class_weights`` (K,) and the samples' "weights".
    clip : float or None
        Largest norm of the gradient.
    patience : int, optional
        Stop after this many scorings without a better one.

    Returns
    -------
    dict of lists
        "step", "loss", "learning_rate" for every step; "val_step", "val_loss", "val_mean_iou" for every scoring.

    Raises
    ------
    ValueError
        For an empty data set, an unknown schedule, or a loss that is no longer a finite number.
    """
    if len(train) == 0:
        raise ValueError("the training set is empty: check the folder, the split, or the length given")
    if schedule not in ("cosine", "poly", "constant"):
        raise ValueError(f'schedule is "cosine", "poly" or "constant", not {schedule!r}')
    device = best_device()
    torch.manual_seed(seed)
    model.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    loss = batch_loss(loss, class_weights, device)
    batches = iter(DataLoader(_Stream(train, seed), batch_size, num_workers=workers))
    history = {key: [] for key in ("step", "loss", "learning_rate", "val_step", "val_loss", "val_mean_iou")}
    best, best_score, waited, started, score_text = None, -math.inf, 0, time.perf_counter(), ""

    with Progress("training", show=progress) as bar:
        step, done = 0, 0.0
        while done < 1:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate * rate_factor(schedule, done)
            batch = next(batches)
            value = training_step(model, batch, loss, optimizer, clip, device)
            step += 1
            if not math.isfinite(value):
                raise ValueError(
                    f"the loss is {value} at step {step}: usually the learning rate ({learning_rate}) is too high, "
                    "or the pictures hold NaN"
                )
            history["step"].append(step)
            history["loss"].append(value)
            history["learning_rate"].append(optimizer.param_groups[0]["lr"])
            done = (time.perf_counter() - started) / seconds if seconds else step / steps
            if val is not None and (step % eval_every == 0 or done >= 1):
                scores = evaluate(model, val, batch_size, loss)
                history["val_step"].append(step)
                history["val_loss"].append(scores["loss"])
                history["val_mean_iou"].append(scores["mean_iou"])
                score_text = f", val mean IoU {scores['mean_iou']:.3f}"
                waited += 1
                if scores["mean_iou"] > best_score:
                    best, best_score, waited = copy.deepcopy(model.state_dict()), scores["mean_iou"], 0
                if patience and waited >= patience:
                    break
            bar.update(min(done, 1), f"step {step}, loss {value:.3f}{score_text}")
        if best is not None:
            model.load_state_dict(best)
        bar.close_with(f"{step} steps, loss {value:.3f}" + (f", best val mean IoU {best_score:.3f}" if best else ""))
    model.eval()
    return history


def training_step(model, batch, loss, optimizer, clip, device):
    """One batch forward, backward, one step downhill. Returns the loss as a float."""
    batch = {key: value.to(device) for key, value in batch.items() if torch.is_tensor(value)}
    with autocast(device):
        heads = model(batch["image"].contiguous(memory_format=torch.channels_last))
    heads = heads if isinstance(heads, dict) else {"out": heads}
    value = sum(HEAD_WEIGHTS[name] * loss(logits.float(), batch) for name, logits in heads.items())
    optimizer.zero_grad(set_to_none=True)
    value.backward()
    if clip:
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return value.item()


def batch_loss(loss, class_weights, device):
    """Return a function (logits, batch) -> scalar from what ``fit`` was given."""
    if loss is not None:
        return lambda logits, batch: loss(logits, batch["mask"])
    if class_weights is not None:
        class_weights = torch.as_tensor(class_weights, dtype=torch.float32, device=device)
    return lambda logits, batch: cross_entropy(
        logits, batch["mask"], class_weights=class_weights, pixel_weights=batch.get("weights")
    )


def rate_factor(schedule, done):
    """Share of the learning rate at ``done`` (0..1) of the run: a short warm-up, then the schedule."""
    fall = {"cosine": 0.5 * (1 + math.cos(math.pi * done)), "poly": (1 - done) ** 0.9, "constant": 1.0}[schedule]
    return fall * min(1, (done + 0.002) / 0.05)


@torch.no_grad()
def evaluate(model, data, batch_size=16, loss=None):
    """Score a network on a whole data set; the confusion matrix is pooled over all pixels, then divided.

    Returns a dict: "confusion_matrix" (K, K), "iou" (K,), "mean_iou", "pixel_accuracy", and "loss", the mean over
    batches of ``loss(logits, batch)`` (cross-entropy by default).
    """
    device = next(model.parameters()).device
    loss = loss or batch_loss(None, None, device)
    was_training = model.training
    model.eval()
    matrix, losses = 0, []
    for batch in DataLoader(data, batch_size):
        batch = {key: value.to(device) for key, value in batch.items() if torch.is_tensor(value)}
        logits = predict_logits(model, batch["image"])
        losses.append(loss(logits, batch).item())
        matrix = matrix + confusion_matrix(logits.argmax(1), batch["mask"], logits.shape[1])
    model.train(was_training)
    return {
        "confusion_matrix": matrix,
        "iou": iou(matrix),
        "mean_iou": mean_iou(matrix),
        "pixel_accuracy": pixel_accuracy(matrix),
        "loss": sum(losses) / len(losses),
    }


@torch.no_grad()
def predict_logits(model, images):
    """Logits float32 (N, K, H, W) of a batch of images, in the network's present mode and on its device."""
    device = next(model.parameters()).device
    with autocast(device):
        heads = model(images.to(device).contiguous(memory_format=torch.channels_last))
    return (heads["out"] if isinstance(heads, dict) else heads).float()


def best_device():
    """The GPU if there is one (CUDA, then Apple's), else the CPU."""
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


def save(model, path):
    """Write a network's weights to a file, replacing it in one step: a crash leaves the old file or the new one."""
    part = f"{path}.part"
    torch.save(model.state_dict(), part)
    os.replace(part, path)


def load(model, path):
    """Fill a network with the weights of a file made by ``save``. Only tensors are read, never code."""
    state = torch.load(path, map_location=next(model.parameters()).device, weights_only=True)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(
            f"{path} does not fit this {type(model).__name__}: was it built with the same arguments? {error}"
        ) from None
    return model


class _Stream(Dataset):
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
