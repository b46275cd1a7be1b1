"""Ask a trained network, and score it: `fit` does it with a validation set, the lessons with held-out pictures."""

from contextlib import contextmanager

import torch
from torch.utils.data import DataLoader

from seglib.losses import cross_entropy
from seglib.metrics import average_precision, confusion_matrix, iou, mean_iou, pixel_accuracy
from seglib.training.batches import detection_batch, pixel_batch, to_device
from seglib.training.device import autocast


def evaluate(model, data, batch_size=16, *, loss=None, class_weights=None, collate=pixel_batch):
    """Score a network on a whole data set.

    Parameters
    ----------
    model : nn.Module
        Left in the mode, training or evaluation, that it was in.
    data : data set of dicts, see `fit`
    batch_size : int
    loss, class_weights, collate
        As for `fit`.

    Returns
    -------
    dict
        Of a network that names pixels: "confusion_matrix" (K, K), pooled over all pixels, and from it "iou" (K,),
        "mean_iou" and "pixel_accuracy"; "loss" is the mean over the batches. Of a detector: what
        `metrics.average_precision` gives ("AP", "AP50", ...), for masks if it gives masks, else for boxes.

    Raises
    ------
    ValueError
        For an empty data set, and for pictures of unequal size in one batch.
    """
    if len(data) == 0:
        raise ValueError("there is nothing to score, the data set is empty: check the folder, the split, or the length")
    if collate is detection_batch:
        return score_detector(model, data, batch_size)
    device, loss = next(model.parameters()).device, pixel_loss(loss, class_weights)
    matrix, losses = 0, []
    with torch.no_grad(), evaluating(model):
        for batch in DataLoader(data, batch_size, collate_fn=collate):
            batch = to_device(batch, device)
            logits = predict_logits(model, batch["image"])
            losses.append(loss(logits, batch).item())
            matrix = matrix + confusion_matrix(logits.argmax(1), batch["mask"], logits.shape[1])
    return {
        "confusion_matrix": matrix,
        "iou": iou(matrix),
        "mean_iou": mean_iou(matrix),
        "pixel_accuracy": pixel_accuracy(matrix),
        "loss": sum(losses) / len(losses),
    }


def score_detector(model, data, batch_size):
    """Average precision of a detector on a data set, for masks if the set and the detector have masks."""
    found = list(predict_detector(model, data, batch_size))
    kind = "mask" if "masks" in found[0] and "masks" in data[0] else "box"
    targets = (detection_batch([data[i]])[1][0] for i in range(len(data)))
    return average_precision(found, targets, kind)


def pixel_loss(loss=None, class_weights=None):
    """A function (logits, batch) -> scalar of what `fit` was given."""
    if loss is not None:
        return lambda logits, batch: loss(logits, batch["mask"])

    def weighted(logits, batch):
        weights = class_weights
        if weights is not None:
            weights = torch.as_tensor(weights, dtype=torch.float32, device=logits.device)
        return cross_entropy(logits, batch["mask"], class_weights=weights, pixel_weights=batch.get("weights"))

    return weighted


@torch.no_grad()
def predict_logits(model, images):
    """Logits float32 (N, K, H, W) of a batch of images, in the network's present mode and on its device."""
    device = next(model.parameters()).device
    with autocast(device):
        heads = model(images.to(device).contiguous(memory_format=torch.channels_last))
    return (heads["out"] if isinstance(heads, dict) else heads).float()


def predict_detector(model, data, batch_size=8):
    """Yield the detections of every picture of a data set: dicts of "boxes", "labels", "scores" (and "masks"), on CPU.

    What `metrics.average_precision` takes; being a generator, it holds one batch's masks at a time. Between two
    pictures the model is in the mode that it was in before.
    """
    device = next(model.parameters()).device
    for start in range(0, len(data), batch_size):
        images = [data[i]["image"].to(device) for i in range(start, min(start + batch_size, len(data)))]
        with torch.no_grad(), evaluating(model), autocast(device):
            found = model(images)
        for each in found:
            yield {
                key: value.float().cpu() if value.is_floating_point() else value.cpu() for key, value in each.items()
            }


@contextmanager
def evaluating(model):
    """Put a model into evaluation mode, and back into the mode that it was in, whatever happens."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
