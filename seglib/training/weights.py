"""Weights in files: written so that a crash leaves no half file, read so that no code can run."""

import os
from contextlib import suppress
from pathlib import Path

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


def write_whole(path, content):
    """Write bytes to a file so that it holds either all of them or what it held before, whatever happens meanwhile.

    Raises OSError that names the file if the folder can't be written or the disk is full.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        kept = "what it held before is kept" if path.exists() else "nothing was written"
        raise OSError(error.errno, f"{path} can't be written ({error.strerror}); {kept}") from None
