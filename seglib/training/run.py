"""A training run in a folder: checkpoints to go on from, weights to predict with, curves to look at."""

import csv
import io
import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from seglib.training.processes import rank_and_size
from seglib.training.snapshot import named
from seglib.training.weights import write_whole

CHECKPOINT, WEIGHTS = "checkpoint.safetensors", "weights.safetensors"
CURVES = ("step", "loss", "learning_rate"), ("val_step", "val_loss", "val_mean_iou")


class Run:
    """What `fit` keeps of a run, so that it can be killed at any moment and goes on to the bit.

    The folder gets ``config.json``, ``checkpoint.safetensors`` (the state of the run, one file and so all of one
    moment), ``weights.safetensors`` (the best network so far, with the config in its header), ``metrics.csv`` and
    TensorBoard's events. Each file is written whole and then put in the place of the one before. Of several processes
    the first writes.

    Parameters
    ----------
    folder : path
    config : dict
        What has to be known to build the network and to prepare its pictures, and the arguments of the run; of what
        JSON can say.
    every : int
        Steps from one checkpoint to the next.
    resume : bool
        Go on from the folder's checkpoint, if there is one.
    show : callable, optional
        ``show(step)`` is called after every checkpoint, to draw predictions, say.

    Raises
    ------
    ValueError
        The folder holds a run and ``resume`` is False, or its config is another one, or its checkpoint is damaged.
    OSError
        The folder can't be written, or the disk is full. The last whole checkpoint stays as it was.
    """

    def __init__(self, folder, config, every, resume=False, show=None):
        self.folder, self.config, self.every, self.show = Path(folder), config, every, show
        self.writes, self.events = rank_and_size()[0] == 0, None
        there = self.folder / CHECKPOINT
        if there.exists() and not resume:
            raise ValueError(f"{folder} holds a run already: go on with --resume, or take another folder")
        self.start = read_state(there) if there.exists() else None
        if self.start:
            self._check_config()
            if self.writes:  # it may have been killed between the checkpoint and the rest
                self.report(self.start)
        elif self.writes:
            write_whole(self.folder / "config.json", json.dumps(config, indent=1).encode())

    def keep(self, step, done, state):
        """Write the state of the run, if a checkpoint is due after this step. ``state()`` makes it."""
        if not self.writes or (step % self.every and done < 1):
            return
        state = state()
        write_state(self.folder / CHECKPOINT, state)
        self.report(state)
        if self.show:
            self.show(step)

    def report(self, state):
        """Write the weights and the curves of a state."""
        weights = state["chosen"]["weights"] or named(state["tensors"], "model.")
        write_tensors(self.folder / WEIGHTS, weights, {"config": json.dumps(self.config)})
        write_whole(self.folder / "metrics.csv", curves_as_csv(state["history"] | state["scored"]).encode())
        self._log(state)

    def close(self):
        """Finish TensorBoard's file."""
        if self.events:
            self.events.close()

    def _log(self, state):
        """Add to TensorBoard's events what came since the last checkpoint."""
        curves = state["history"] | state["scored"]
        if self.events is None:
            from torch.utils.tensorboard import SummaryWriter

            # A run that goes on tells TensorBoard all of it anew: nobody knows how far the killed one came in telling.
            self.events, self.logged = SummaryWriter(self.folder / "events", purge_step=0), 0
        for names in CURVES:
            for name in names[1:]:
                for step, value in zip(curves[names[0]], curves[name], strict=True):
                    if step > self.logged:
                        self.events.add_scalar(name, value, step)
        self.events.flush()
        self.logged = len(state["history"]["step"])

    def _check_config(self):
        path = self.folder / "config.json"
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} can't be read, so the run can't go on: {error}") from None
        now = json.loads(json.dumps(self.config))
        differ = [key for key in before | now if before.get(key) != now.get(key)]
        if differ:
            raise ValueError(
                f"{self.folder} was begun with other arguments: "
                + ", ".join(f"{key} {before.get(key)!r}, not {now.get(key)!r}" for key in differ)
                + ". Give the same ones to go on, or take another folder"
            )


def write_state(path, state):
    """Write a run's state as one safetensors file: tensors, and the numbers as JSON in its header."""
    tensors = dict(state["tensors"])
    for curves in ("history", "scored"):
        for name, values in state[curves].items():
            dtype = torch.int64 if name.endswith("step") else torch.float64
            tensors[f"{curves}.{name}"] = torch.tensor(values, dtype=dtype)
    for name, value in (state["chosen"]["weights"] or {}).items():
        tensors[f"best.{name}"] = value
    numbers = {"elapsed": state["elapsed"], "waited": state["chosen"]["waited"], "score": state["chosen"]["score"]}
    write_tensors(path, tensors, {"numbers": json.dumps(numbers)})


def read_state(path):
    """Read what `write_state` wrote. Raises ValueError for anything else; nothing in the file is run."""
    tensors, header = read_tensors(path)
    try:
        numbers = json.loads(header["numbers"])
        best = named(tensors, "best.")
        return {
            "tensors": tensors,
            "history": {name: tensors[f"history.{name}"].tolist() for name in CURVES[0]},
            "scored": {name: tensors[f"scored.{name}"].tolist() for name in CURVES[1]},
            "elapsed": numbers["elapsed"],
            "chosen": {"score": numbers["score"], "waited": numbers["waited"], "weights": best or None},
        }
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} is no checkpoint of a run: {error} is missing or damaged") from None


def write_tensors(path, tensors, header):
    """Write tensors by name and a dict of strings as a safetensors file, whole or not at all."""
    laid_out = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_whole(path, save(laid_out, metadata=header))


def read_tensors(path):
    """(tensors by name, header) of a safetensors file. Only numbers are read, never code.

    Raises ValueError if it is something else, such as a pickle, or cut off.
    """
    content = Path(path).read_bytes()
    try:
        tensors = load(content)
        size = int.from_bytes(content[:8], "little")
        return tensors, json.loads(content[8 : 8 + size]).get("__metadata__", {})
    except (SafetensorError, ValueError) as error:
        raise ValueError(
            f"{path} is no safetensors file, or cut off ({error}). Files of torch.save and pickles are not read: "
            "they can hold code"
        ) from None


def curves_as_csv(curves):
    """One line a step; the figures of a scoring stand in the line of its step."""
    scores = {step: values for step, *values in zip(*(curves[name] for name in CURVES[1]), strict=True)}
    out = io.StringIO(newline="")
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow([*CURVES[0], *CURVES[1][1:]])
    for step, *values in zip(*(curves[name] for name in CURVES[0]), strict=True):
        lines.writerow([step, *values, *scores.get(step, ("", ""))])
    return out.getvalue()
