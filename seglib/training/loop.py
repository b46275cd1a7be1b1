"""The training loop, for networks that name pixels and for detectors alike."""

import copy
import math
import time

import torch
from torch.utils.data import DataLoader

from seglib.progress import Progress
from seglib.training.batches import Stream, detection_batch, draws, pixel_batch, to_device
from seglib.training.device import autocast, best_device
from seglib.training.scoring import evaluate, pixel_loss

HEAD_WEIGHTS = {"out": 1.0, "aux": 0.4}
LONGEST_GRADIENT = 1.0  # longer ones are shortened: one odd batch must not throw the network far


def fit(
    model,
    train,
    val=None,
    *,
    steps=300,
    seconds=None,
    batch_size=16,
    learning_rate=2e-3,
    backbone_rate=1.0,
    schedule="cosine",
    weight_decay=1e-4,
    loss=None,
    class_weights=None,
    collate=pixel_batch,
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
    steps and ends with the weights that scored best. It ends in evaluation mode. Random numbers (dropout) come from
    ``seed``; torch's global generator is left as it was.

    Parameters
    ----------
    model : nn.Module
        Takes (N, C, H, W), gives logits (N, K, H, W), or {"out": logits, "aux": logits} if it has an auxiliary
        head, whose loss then counts 0.4 (Zhao et al. 2017). Or, with ``collate=detection_batch``, a detector: takes
        a list of images and a list of targets and gives a dict of losses, whose sum is lowered. Moved to the GPU if
        there is one.
    train, val : data sets of dicts
        With "image" and "mask", optionally "weights" (H, W) for the pixels' loss; for a detector with "image", "boxes",
        "labels" and, for masks, "masks".
    steps : int
        Length of the run; or ``seconds`` on the clock, for comparisons at equal time (then steps is not used).
    learning_rate : float
        At the top of the schedule, which warms up over the first 5 % of the run.
    backbone_rate : float
        Share of the learning rate for ``model.backbone``: pretrained weights want small steps. 0 keeps them as they
        are, but batch norm goes on taking statistics.
    schedule : {"cosine", "poly", "constant"}
        How the learning rate falls: to zero along a cosine, as (1 - progress) ** 0.9, or not at all.
    loss : callable, optional
        (logits, mask) -> scalar; by default cross-entropy with ``class_weights`` (K,) and the samples' "weights".
    collate : callable
        Makes a batch of a list of samples: `pixel_batch` or `detection_batch`.
    patience : int, optional
        Stop after this many scorings without a better one.
    run : optional
        Keeps the run and shares it with other processes, as `Alone` does not and `workbench.run.Run` does.

    Returns
    -------
    dict of lists
        "step", "loss", "learning_rate" for every step, and every part of the loss by its name where there are several;
        "val_step" and "val_loss", "val_mean_iou" or, of a detector, "val_AP" for every scoring.

    Raises
    ------
    ValueError
        For an empty data set, an unknown schedule, pictures of unequal size in a batch of pixels, or a loss that is no
        longer a finite number.
    """
    for name, data in (("training", train), ("validation", val)):
        if data is not None and len(data) == 0:
            raise ValueError(f"the {name} set is empty: check the folder, the split, or the length given")
    if schedule not in ("cosine", "poly", "constant"):
        raise ValueError(f'schedule is "cosine", "poly" or "constant", not {schedule!r}')
    if collate is detection_batch and (loss is not None or class_weights is not None):
        raise ValueError("a detector brings its own losses: loss and class_weights are for networks that name pixels")
    device, run, score = best_device(), run or Alone(), pixel_loss(loss, class_weights)
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        model.to(device, memory_format=torch.channels_last).train()
        groups = parameter_groups(model, backbone_rate)
        optimizer = torch.optim.AdamW(groups, lr=learning_rate, weight_decay=weight_decay)
        record = run.record or {
            "history": {"step": [], "loss": [], "learning_rate": []},
            "scored": {},
            "best": {"score": -math.inf, "weights": None, "waited": 0},
            "elapsed": 0.0,
        }
        history, best = record["history"], record["best"]
        step, started = len(history["step"]), time.perf_counter() - record["elapsed"]
        mine = map(run.share, draws(batch_size, step))
        batches = iter(DataLoader(Stream(train, seed), batch_sampler=mine, num_workers=workers, collate_fn=collate))
        network = run.begin(model, optimizer)
        done, note = record["elapsed"] / seconds if seconds else step / steps, ""
        with Progress("training", show=progress) as bar:
            while done < 1:
                rate = learning_rate * rate_factor(schedule, done)
                for group in optimizer.param_groups:
                    group["lr"] = rate * group["share"]
                parts = losses_of(network, to_device(next(batches), device), score)
                total = sum(parts.values())
                optimizer.zero_grad(set_to_none=True)
                total.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), LONGEST_GRADIENT)
                optimizer.step()
                step += 1
                record["elapsed"] = time.perf_counter() - started
                value, done = run.agree(total.item(), record["elapsed"] / seconds if seconds else step / steps)
                if not math.isfinite(value):
                    raise ValueError(
                        f"the loss is {value} at step {step}: usually the learning rate ({learning_rate}) is too high, "
                        "or the pictures hold NaN"
                    )
                figures = {"step": step, "loss": value, "learning_rate": rate}
                if len(parts) > 1:
                    figures |= {name: part.item() for name, part in parts.items()}
                for name, figure in figures.items():
                    history.setdefault(name, []).append(figure)
                if val is not None and (step % eval_every == 0 or done >= 1):
                    scores = evaluate(model, val, batch_size, loss=loss, class_weights=class_weights, collate=collate)
                    note = keep_best(model, record, step, scores, run)
                    if patience and best["waited"] >= patience:
                        done = 1.0
                run.keep(step, done, model, optimizer, record)
                bar.update(min(done, 1), f"step {step}, loss {value:.3f}{note}")
            bar.close_with(f"{step} steps, loss {history['loss'][-1]:.3f}{note}")
    if best["weights"] is not None:
        model.load_state_dict(best["weights"])
    model.eval()
    return history | record["scored"]


def parameter_groups(model, backbone_rate):
    """The model's parameters for the optimizer, and what share of the learning rate they get."""
    if backbone_rate == 1:
        return [{"params": list(model.parameters()), "share": 1.0}]
    if not isinstance(getattr(model, "backbone", None), torch.nn.Module) or not 0 <= backbone_rate < math.inf:
        raise ValueError(f"backbone_rate is {backbone_rate}: 0 or more is wanted, for a model with a .backbone")
    slow = list(model.backbone.parameters())
    ids = set(map(id, slow))
    rest = [parameter for parameter in model.parameters() if id(parameter) not in ids]
    return [{"params": rest, "share": 1.0}, {"params": slow, "share": backbone_rate}]


def losses_of(network, batch, score):
    """The parts of a batch's loss by name: of a pixel network's heads, or what a detector gives."""
    if not isinstance(batch, dict):
        images, targets = batch
        with autocast(images[0].device):
            return {name: part.float() for name, part in network(images, targets).items()}
    images = batch["image"].contiguous(memory_format=torch.channels_last)
    with autocast(images.device):
        heads = network(images)
    heads = heads if isinstance(heads, dict) else {"out": heads}
    return {name: HEAD_WEIGHTS[name] * score(logits.float(), batch) for name, logits in heads.items()}


def keep_best(model, record, step, scores, run):
    """Write down a scoring, keep the weights if none was better, and return what the progress bar says of it."""
    name = "mean_iou" if "mean_iou" in scores else "AP"
    score, _ = run.agree(float(scores[name]), 0.0)
    figures = {"val_step": step, f"val_{name}": score}
    if "loss" in scores:
        figures["val_loss"] = scores["loss"]
    for key, figure in figures.items():
        record["scored"].setdefault(key, []).append(figure)
    best = record["best"]
    best["waited"] += 1
    if score > best["score"]:
        best.update(score=score, waited=0, weights=copy.deepcopy(model.state_dict()))
    return f", val {name.replace('_iou', ' IoU')} {score:.3f}"


def rate_factor(schedule, done):
    """Share of the learning rate at ``done`` (0..1) of the run: a short warm-up, then the schedule."""
    fall = {"cosine": 0.5 * (1 + math.cos(math.pi * done)), "poly": (1 - done) ** 0.9, "constant": 1.0}[schedule]
    return fall * min(1, (done + 0.002) / 0.05)


class Alone:
    """All that `fit` asks of a run, here of one that is not kept and has no other processes beside it."""

    record = None  # what `fit` wrote down before an interruption, to go on from

    def begin(self, model, optimizer):
        """Called before the first step: the network to train, which may wrap the model."""
        return model

    def share(self, batch):
        """This process's part of a batch of draws."""
        return batch

    def agree(self, value, done):
        """A figure averaged over all processes, and how far the run is by the first one's clock."""
        return value, done

    def keep(self, step, done, model, optimizer, record):
        """Called after every step, and for the last time when done is 1 or more."""
