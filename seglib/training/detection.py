"""Train a detector and ask it: `fit` for networks that take lists of pictures and of targets."""

import torch

from seglib.training.loop import autocast, best_device, descend

TARGET = ("boxes", "labels", "masks")


def fit_detector(
    model,
    train,
    *,
    steps=300,
    seconds=None,
    batch_size=8,
    learning_rate=2e-3,
    schedule="cosine",
    weight_decay=1e-4,
    clip=1.0,
    seed=0,
    workers=0,
    progress=True,
):
    """Train a detector with AdamW and return the history; arguments as those of `fit`.

    Parameters
    ----------
    model : nn.Module
        In training mode takes a list of images and a list of targets and gives a dict of losses, whose sum is
        lowered: `FasterRCNN`, `MaskRCNN`, or torchvision's.
    train : data set of dicts with "image", "boxes", "labels" and, for masks, "masks"

    Returns
    -------
    dict of lists
        "step", "loss", "learning_rate", and every loss by its name.

    Raises
    ------
    ValueError
        For an empty data set, an unknown schedule, or a loss that is no longer a finite number.
    """
    device, parts = best_device(), {}

    def take_step(batch, optimizer):
        images, targets = batch
        images = [image.to(device) for image in images]
        targets = [{key: value.to(device) for key, value in target.items()} for target in targets]
        with autocast(device):
            losses = model(images, targets)
        total = sum(value.float() for value in losses.values())
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        for name, value in losses.items():
            parts.setdefault(name, []).append(value.item())
        return total.item()

    history = descend(
        model,
        train,
        take_step,
        lambda step, done: "",
        steps=steps,
        seconds=seconds,
        batch_size=batch_size,
        learning_rate=learning_rate,
        schedule=schedule,
        weight_decay=weight_decay,
        seed=seed,
        workers=workers,
        progress=progress,
        collate=as_lists,
    )
    return history | parts


@torch.no_grad()
def predict_detector(model, data, batch_size=8):
    """Yield the detections of every picture of a data set: dicts of "boxes", "labels", "scores" (and "masks"), on CPU.

    What `metrics.average_precision` takes; being a generator, it holds one batch's masks at a time.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    for start in range(0, len(data), batch_size):
        images = [data[i]["image"].to(device) for i in range(start, min(start + batch_size, len(data)))]
        with autocast(device):
            found = model(images)
        for each in found:
            yield {
                key: value.float().cpu() if value.is_floating_point() else value.cpu() for key, value in each.items()
            }
    model.train(was_training)


def as_lists(samples):
    """Samples -> list of images, list of targets: pictures differ in size and in their number of objects."""
    images = [sample["image"] for sample in samples]
    return images, [{key: sample[key] for key in TARGET if key in sample} for sample in samples]
