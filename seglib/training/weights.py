"""Weights in files: written so that a crash leaves no half file, read so that no code can run."""

import json
import os
from contextlib import suppress
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError


def save(model, path, header=None):
    """Write a network's weights as a safetensors file, whole or not at all.

    Parameters
    ----------
    model : nn.Module, or a dict of tensors such as its state_dict()
    path : path
    header : dict of str -> str, optional
        Goes along with the weights, such as what they were trained on.
    """
    tensors = model if isinstance(model, dict) else model.state_dict()
    laid_out = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_whole(path, safetensors.torch.save(laid_out, metadata=header))


def load(model, path):
    """Fill a network with the weights of a file that `save` made, and return it. Only numbers are read, never code.

    Raises ValueError for a file that is no safetensors file, or is that of another network.
    """
    # torch.compile and DataParallel put a word before each name.
    tensors = {name.removeprefix("_orig_mod.").removeprefix("module."): part for name, part in read(path)[0].items()}
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(
            f"{path} does not fit this {type(model).__name__}: was it built with the same arguments? {error}"
        ) from None
    return model


def read(path):
    """(tensors by name, header) of a safetensors file. Only numbers are read, never code.

    Raises ValueError if it is something else, such as a pickle, or cut off.
    """
    content = Path(path).read_bytes()
    try:
        size = int.from_bytes(content[:8], "little")
        return safetensors.torch.load(content), json.loads(content[8 : 8 + size]).get("__metadata__", {})
    except (SafetensorError, ValueError) as error:
        raise ValueError(
            f"{path} is no safetensors file, or cut off ({error}). Files of torch.save and pickles are not read: "
            "they can hold code"
        ) from None


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
