"""Weights in files: written so that a crash leaves no half file, read so that no code can run."""

import os

import torch


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
