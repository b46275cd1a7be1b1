"""Train a network that names pixels, and score it: the loop that lesson 05 writes out by hand."""

import copy
import itertools
import math

import torch
from torch.utils.data import DataLoader

from seglib.losses import cross_entropy
from seglib.metrics import confusion_matrix, iou, mean_iou, pixel_accuracy
from seglib.training.loop import autocast, best_device, descend
from seglib.training.processes import fair_share, gathered, rank_and_size, together

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
    run=None,
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
    run : Run, optional
        Keeps the run in a folder, out of which it goes on after an interruption.

    Returns
    -------
    dict of lists
        "step", "loss", "learning_rate" for every step; "val_step", "val_loss", "val_mean_iou" for every scoring.

    Raises
    ------
    ValueError
        For an empty data set, an unknown schedule, or a loss that is no longer a finite number.
    """
    device = best_device()
    loss = batch_loss(loss, class_weights, device)
    network = together(model, device)
    start = run.start if run else None
    chosen = start["chosen"] if start else {"score": -math.inf, "waited": 0, "weights": None}
    scored = start["scored"] if start else {key: [] for key in ("val_step", "val_loss", "val_mean_iou")}

    def score(step, done):
        if val is None:
            return ""
        if step % eval_every == 0 or done >= 1:
            scores = evaluate(model, val, batch_size, loss)
            for key, value in (("val_step", step), ("val_loss", scores["loss"]), ("val_mean_iou", scores["mean_iou"])):
                scored[key].append(value)
            chosen["waited"] += 1
            if scores["mean_iou"] > chosen["score"]:
                weights = copy.deepcopy(model.state_dict())
                chosen.update(score=scores["mean_iou"], waited=0, weights=weights)
        if patience and chosen["waited"] >= patience:
            return None
        return f", val mean IoU {scored['val_mean_iou'][-1]:.3f}" if scored["val_step"] else ""

    def keep(step, done, state):
        run.keep(step, done, lambda: state() | {"scored": scored, "chosen": chosen})

    history = descend(
        model,
        train,
        lambda batch, optimizer: training_step(network, batch, loss, optimizer, clip, device),
        score,
        steps=steps,
        seconds=seconds,
        batch_size=batch_size,
        learning_rate=learning_rate,
        schedule=schedule,
        weight_decay=weight_decay,
        seed=seed,
        workers=workers,
        progress=progress,
        start=start,
        keep=keep if run else None,
    )
    if chosen["weights"] is not None:
        model.load_state_dict(chosen["weights"])
    return history | scored


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

    def weighted(logits, batch):
        mask, weights = batch["mask"], batch.get("weights")
        value = cross_entropy(logits, mask, class_weights=class_weights, pixel_weights=weights)
        if not (torch.is_grad_enabled() and rank_and_size()[1] > 1):
            return value
        counted = mask != 255
        weight = counted.float() if weights is None else weights.masked_fill(~counted, 0)
        if class_weights is not None:
            weight = weight * class_weights[mask * counted]
        return value * fair_share(weight.sum())

    return weighted


@torch.no_grad()
def evaluate(model, data, batch_size=16, loss=None):
    """Score a network on a whole data set; the confusion matrix is pooled over all pixels, then divided.

    Returns a dict: "confusion_matrix" (K, K), "iou" (K,), "mean_iou", "pixel_accuracy", and "loss", the mean over
    batches of ``loss(logits, batch)`` (cross-entropy by default). Several processes that have met share the batches,
    each batch goes to one of them, and all return the same.
    """
    device = next(model.parameters()).device
    loss = loss or batch_loss(None, None, device)
    was_training = model.training
    model.eval()
    matrix, losses = 0, []
    rank, size = rank_and_size()
    parts = [range(first, min(first + batch_size, len(data))) for first in range(0, len(data), batch_size)]
    for batch in DataLoader(data, batch_sampler=parts[rank::size]):
        batch = {key: value.to(device) for key, value in batch.items() if torch.is_tensor(value)}
        logits = predict_logits(model, batch["image"])
        losses.append(loss(logits, batch).item())
        matrix = matrix + confusion_matrix(logits.argmax(1), batch["mask"], logits.shape[1])
    model.train(was_training)
    matrices, losses = zip(*gathered((matrix, losses)), strict=True)
    matrix, losses = sum(matrices), list(itertools.chain(*losses))
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
