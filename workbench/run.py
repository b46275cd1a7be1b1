"""A training run in a folder: checkpoints to go on from, weights to predict with, curves to look at."""

import csv
import io
import json
import pickle
import time
from pathlib import Path

import torch

from seglib.training.weights import save, write_whole
from workbench import processes
from workbench.formats.common import load_json

CHECKPOINT, WEIGHTS = "checkpoint.pt", "weights.safetensors"
MINUTE = 60  # seconds from one checkpoint to the next at the most
MAY_CHANGE = ("steps", "seconds", "epochs", "patience", "device")  # of a run that goes on


class Run:
    """What `seglib.training.fit` keeps of a run, so that it can be killed at any moment and goes on to the bit.

    The folder gets ``config.json``, ``checkpoint.pt`` (the state of the run, one file and so all of one moment),
    ``weights.safetensors`` (the best network so far, with the config in its header), ``metrics.csv`` and TensorBoard's
    events. Each file is written whole and then put in the place of the one before. Of several processes the first
    writes, and all of them share every batch.

    Parameters
    ----------
    folder : path
    config : dict
        What has to be known to build the network and to prepare its pictures, and the arguments of the run; of what
        JSON can say.
    every : int
        Steps from one scoring to the next; a checkpoint comes with each, and after a minute without one.
    resume : bool
        Go on from the folder's checkpoint, if there is one.
    show : callable, optional
        ``show(step, record, waited)`` is called after every scoring, to draw predictions, say; ``waited`` is the share
        of the time since the last one in which the network waited for pictures.
    until : float, optional
        When the run has to be over, by `time.monotonic`; it ends as soon as the last scoring just fits.
    scoring : float
        Seconds that a scoring takes, as far as is known.

    Raises
    ------
    ValueError
        The folder holds a run and ``resume`` is False, or its config is another one, or its checkpoint is damaged.
    OSError
        The folder can't be written, or the disk is full. The last whole checkpoint stays as it was.
    """

    def __init__(self, folder, config, every, resume=False, show=None, until=None, scoring=0.0):
        self.folder, self.config, self.every, self.show = Path(folder), config, every, show
        self.until, self.scoring, self.scored = until, scoring, time.monotonic()
        self.written = self.stepped = self.scored
        self.waited, self.waiting = 0.0, False
        self.writes, self.events, self.record = processes.rank_and_size()[0] == 0, None, None
        there, weights = self.folder / CHECKPOINT, self.folder / WEIGHTS
        if (there.exists() or weights.exists()) and not resume:
            raise ValueError(f"{folder} holds a run already: go on with --resume, or take another folder")
        if weights.exists() and not there.exists():
            raise ValueError(f"{folder} holds weights but no {CHECKPOINT} to go on from: take another folder")
        if there.exists():
            self.state = read_checkpoint(there)
            self.record = self.state["record"]
            self._check_config()
            if self.writes:  # it may have been killed between the checkpoint and the rest
                self._report(self.state["model"], self.record)
        elif self.writes:
            write_whole(self.folder / "config.json", json.dumps(self.config, indent=1).encode())

    def begin(self, model, optimizer):
        """Bring model, optimizer and random numbers back to the checkpoint's moment; return the network to train."""
        if self.record:
            model.load_state_dict(self.state["model"])
            optimizer.load_state_dict(self.state["optimizer"])
            torch.set_rng_state(self.state["random"])
            if torch.cuda.is_available() and self.state["random on the gpu"] is not None:
                torch.cuda.set_rng_state(self.state["random on the gpu"])
        model.register_forward_pre_hook(self._arrived)
        self.stepped, self.waiting = time.monotonic(), True
        return processes.together(model, next(model.parameters()).device)

    def _arrived(self, *_):
        """A batch has come, the first one since the last step or the first of a scoring."""
        if self.waiting:
            self.waited += time.monotonic() - self.stepped
            self.waiting = False

    def share(self, batch):
        """This process's part of a batch of draws. Raises ValueError if the processes can't share it equally."""
        rank, size = processes.rank_and_size()
        if len(batch) % size:
            raise ValueError(f"a batch of {len(batch)} can't be shared equally by {size} processes: take a multiple")
        part = len(batch) // size
        return batch[part * rank : part * (rank + 1)]

    def agree(self, value, done):
        """A figure averaged over all processes, and how far the run is by the first one's clock."""
        if done > 0:  # a step's loss, and not the score of a scoring
            self.stepped = time.monotonic()
        if self.until and self.stepped + self.scoring > self.until:
            done = max(done, 1.0)
        return processes.agreed(value, done)

    def keep(self, step, done, model, optimizer, record):
        """Write the state of the run, if a checkpoint is due after this step."""
        scored = step % self.every == 0 or done >= 1
        if scored or time.monotonic() - self.written > MINUTE:
            self._write(step, model, optimizer, record)
            if scored:
                now = time.monotonic()
                waited, self.waited = self.waited / max(self.stepped - self.scored, 1e-6), 0.0
                if self.show and self.writes:
                    self.show(step, record, waited)
                self.scoring, self.scored = max(self.scoring, time.monotonic() - self.stepped), now
        self.stepped, self.waiting = time.monotonic(), True

    def _write(self, step, model, optimizer, record):
        """Write checkpoint, weights and curves, if this is the process that does."""
        self.written = time.monotonic()
        if not self.writes:
            return
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "random on the gpu": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
            "record": record,
        }
        content = io.BytesIO()
        torch.save(state, content)
        write_whole(self.folder / CHECKPOINT, content.getvalue())
        self._report(state["model"], record)

    def close(self):
        """Finish TensorBoard's file."""
        if self.events:
            self.events.close()

    def _report(self, weights, record):
        """Write the weights and the curves of a moment."""
        save(record["best"]["weights"] or weights, self.folder / WEIGHTS, {"config": json.dumps(self.config)})
        write_whole(self.folder / "metrics.csv", curves_as_csv(record["history"], record["scored"]))
        self._log(record)

    def _log(self, record):
        """Add to TensorBoard's events what came since the last checkpoint."""
        if self.events is None:
            from torch.utils.tensorboard import SummaryWriter

            # A run that goes on tells TensorBoard all of it anew: nobody knows how far the killed one came in telling.
            self.events, self.logged = SummaryWriter(self.folder / "events", purge_step=0), 0
        for curves, steps in ((record["history"], "step"), (record["scored"], "val_step")):
            for name in curves.keys() - {steps}:
                for step, value in zip(curves[steps], curves[name], strict=True):
                    if step > self.logged:
                        self.events.add_scalar(name, value, step)
        self.events.flush()
        self.logged = record["history"]["step"][-1]

    def _check_config(self):
        before = load_json(self.folder / "config.json")
        now = json.loads(json.dumps(self.config))
        differ = [key for key in before | now if before.get(key) != now.get(key) and key not in MAY_CHANGE]
        if differ:
            told = ", ".join(f"{key} {before.get(key)!r}, not {now.get(key)!r}" for key in differ)
            remedy = "Give the same ones to go on, or take another folder"
            raise ValueError(f"{self.folder} was begun with other arguments: {told}. {remedy}")
        if before != now and self.writes:
            write_whole(self.folder / "config.json", json.dumps(self.config, indent=1).encode())


def read_checkpoint(path):
    """The state that `Run.keep` wrote. Raises ValueError for anything else; nothing in the file is run."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        missing = {"model", "optimizer", "random", "record"} - state.keys()
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, OSError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} is no checkpoint of a run, or cut off: {reason}") from None
    if missing:
        raise ValueError(f"{path} is no checkpoint of a run: {', '.join(sorted(missing))} is missing")
    return state


def curves_as_csv(history, scored):
    """One line a step; the figures of a scoring stand in the line of its step."""
    steps, names = history["step"], [name for name in scored if name != "val_step"]
    at_step = dict(zip(scored.get("val_step", []), zip(*(scored[name] for name in names), strict=True), strict=True))
    rows = zip(steps, zip(*history.values(), strict=True), strict=True)
    return as_csv([[*history, *names], *([*row, *at_step.get(step, [""] * len(names))] for step, row in rows)])


def as_csv(rows):
    """Bytes of a file of comma-separated rows."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()
