"""Runs that are killed at any moment go on to the bit; full disks and read-only folders cost nothing but the new."""

import csv
import errno
import multiprocessing
import os
import pickle
import signal
import sys

import pytest
import torch
from hostile import Hostile
from interrupted import STEPS, train
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from seglib.models import UNet
from seglib.scenes import Cells
from seglib.training import fit
from seglib.training.weights import write_whole
from workbench.run import Run, read_checkpoint

CONFIG = {"classes": ["background", "nucleus"]}


@pytest.fixture(scope="module")
def fork():
    """Start `train` in a process of its own and return its exit code; PyTorch is loaded once for all of them."""
    if sys.platform == "win32":
        pytest.skip("Windows has no SIGKILL")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["workbench.run", "seglib.models", "seglib.scenes"])

    def start(*arguments, **options):
        process = context.Process(target=train, args=arguments, kwargs=options)
        process.start()
        process.join()
        return process.exitcode

    return start


@pytest.fixture(scope="module")
def uninterrupted(fork, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert fork(folder) == 0
    return folder


def flat(state, prefix=""):
    """A checkpoint as one dict: "model.head.weight" -> tensor."""
    found = {}
    for key, value in state.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def same(value, other):
    return torch.equal(value, other) if torch.is_tensor(value) else value == other


def assert_same_run(folder, other):
    for name in ("metrics.csv", "weights.safetensors", "config.json"):
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    state, wanted = (flat(read_checkpoint(each / "checkpoint.pt")) for each in (folder, other))
    del state["record.elapsed"], wanted["record.elapsed"]
    assert state.keys() == wanted.keys()
    assert [name for name in state if not same(state[name], wanted[name])] == []
    assert not list(folder.glob("*.part"))


# Writes: the config, then of each of 3 checkpoints the state, the weights, the curves.
@pytest.mark.slow
@pytest.mark.parametrize("moment", [{"draw": 11}, {"write": 5}, {"replaced": 5}], ids=str)
def test_a_killed_run_goes_on_to_the_bit(fork, uninterrupted, tmp_path, moment):
    assert fork(tmp_path, **moment) == -signal.SIGKILL
    assert fork(tmp_path, resume=True) == 0
    assert_same_run(tmp_path, uninterrupted)


@pytest.mark.slow
def test_a_run_killed_again_and_again_gets_there(fork, uninterrupted, tmp_path):
    assert fork(tmp_path, draw=8) == -signal.SIGKILL  # the first checkpoint comes after draw 6
    assert fork(tmp_path, resume=True, workers=1, replaced=4) == -signal.SIGKILL  # of step 6 the curves are missing
    assert fork(tmp_path, resume=True, draw=3) == -signal.SIGKILL
    assert fork(tmp_path, resume=True, workers=1) == 0
    assert_same_run(tmp_path, uninterrupted)


@pytest.mark.slow
def test_curves_are_the_history(uninterrupted):
    rows = list(csv.DictReader((uninterrupted / "metrics.csv").open()))
    assert [int(row["step"]) for row in rows] == list(range(1, STEPS + 1))
    assert [int(row["step"]) for row in rows if row["val_loss"]] == [2, 4, 6, 8, 9]
    record = read_checkpoint(uninterrupted / "checkpoint.pt")["record"]
    assert [float(row["loss"]) for row in rows] == record["history"]["loss"]


@pytest.mark.slow
def test_tensorboard_reads_the_curves(uninterrupted):
    events = EventAccumulator(str(uninterrupted / "events"))
    events.Reload()
    record = read_checkpoint(uninterrupted / "checkpoint.pt")["record"]
    losses = events.Scalars("loss")
    assert [each.step for each in losses] == list(range(1, STEPS + 1))
    assert [each.value for each in losses] == pytest.approx(record["history"]["loss"])
    assert len(events.Scalars("val_mean_iou")) == 5


def tiny_run(folder, steps=2, **options):
    torch.manual_seed(0)
    network = UNet(1, 2, width=2, depth=1)
    run = Run(folder, CONFIG, 1, **options)
    fit(network, Cells(4, size=16), steps=steps, batch_size=2, progress=False, run=run)
    run.close()


def test_a_full_disk_is_said_and_the_last_checkpoint_stays(tmp_path, monkeypatch):
    tiny_run(tmp_path)
    before = (tmp_path / "checkpoint.pt").read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"can't be written \(No space left on device\); what it held before is kept"):
        write_whole(tmp_path / "checkpoint.pt", b"half")
    with pytest.raises(OSError, match=r"safetensors can't be written"):
        tiny_run(tmp_path, steps=3, resume=True)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


def test_a_folder_that_cannot_be_written_is_said_before_training(tmp_path, monkeypatch):
    (tmp_path / "a file").touch()
    with pytest.raises(OSError, match=r"config\.json can't be written"):
        tiny_run(tmp_path / "a file" / "run")

    def read_only(*arguments, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("builtins.open", read_only)  # root may write everywhere, so the folder only says it
    with pytest.raises(OSError, match=r"config\.json can't be written \(Read-only file system\); nothing was written"):
        Run(tmp_path / "run", CONFIG, 1)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_keeps_its_checkpoint(tmp_path):
    tiny_run(tmp_path)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OSError, match="can't be written"):
            tiny_run(tmp_path, steps=3, resume=True)
    finally:
        tmp_path.chmod(0o700)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_a_run_is_not_overwritten_nor_continued_as_another(tmp_path):
    tiny_run(tmp_path)
    with pytest.raises(ValueError, match="holds a run already: go on with --resume"):
        Run(tmp_path, CONFIG, 1)
    with pytest.raises(ValueError, match="begun with other arguments: seed None, not 3"):
        Run(tmp_path, CONFIG | {"seed": 3}, 1, resume=True)


@pytest.mark.parametrize("pickled", [True, False], ids=["pickle", "torch.save"])
def test_a_hostile_checkpoint_does_not_run(tmp_path, pickled):
    tiny_run(tmp_path)
    trace, checkpoint = tmp_path / "broken_in", tmp_path / "checkpoint.pt"
    if pickled:
        checkpoint.write_bytes(pickle.dumps({"model.head.weight": Hostile(trace)}, protocol=2))
    else:
        torch.save({"model.head.weight": Hostile(trace)}, checkpoint)
    with pytest.raises(ValueError, match=r"checkpoint\.pt is no checkpoint of a run"):
        Run(tmp_path, CONFIG, 1, resume=True)
    assert not trace.exists()


def test_damaged_checkpoints_are_named(tmp_path):
    tiny_run(tmp_path)
    checkpoint = tmp_path / "checkpoint.pt"
    whole = checkpoint.read_bytes()
    for content in (b"", whole[:100], whole[:-1], b"\xff" * 64):
        checkpoint.write_bytes(content)
        with pytest.raises(ValueError, match=r"checkpoint\.pt is no checkpoint of a run, or cut off"):
            Run(tmp_path, CONFIG, 1, resume=True)
    torch.save({"model": {}, "optimizer": {}, "record": {}}, checkpoint)
    with pytest.raises(ValueError, match=r"checkpoint\.pt is no checkpoint of a run: random is missing"):
        Run(tmp_path, CONFIG, 1, resume=True)
    checkpoint.write_bytes(whole)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json is no JSON, or cut off"):
        Run(tmp_path, CONFIG, 1, resume=True)
