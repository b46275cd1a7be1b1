"""Measured figures are written with where they come from, and replaced by their own command only."""

import csv
import platform
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace

import pytest

# benchmarks/ is a folder of programs, not an installed package
SPEC = spec_from_file_location("record", Path(__file__).parent.parent / "benchmarks" / "record.py")
record = module_from_spec(SPEC)
SPEC.loader.exec_module(record)


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "ROOT", tmp_path)
    monkeypatch.setattr(record, "command", lambda: "python -m benchmarks.one")
    return tmp_path


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_rows_carry_their_origin(root):
    record.write_rows("results/claims/a.csv", [{"score": 0.5, "seeds": "0 1 2"}], packages=["numpy"])
    (row,) = read(root / "results/claims/a.csv")
    assert list(row) == ["score", "seeds", "machine", "versions", "command"]
    assert row["score"] == "0.5"
    assert " core" in row["machine"]
    assert f"python {platform.python_version()}; numpy " in row["versions"]
    assert row["command"] == "python -m benchmarks.one"


def test_a_command_replaces_its_own_rows_only(root, monkeypatch):
    record.write_rows("a.csv", [{"score": 1, "seed": 0}, {"score": 2, "seed": 1}])
    monkeypatch.setattr(record, "command", lambda: "python -m benchmarks.two")
    record.write_rows("a.csv", [{"score": 3, "seed": 0, "minutes": 5}])
    monkeypatch.setattr(record, "command", lambda: "python -m benchmarks.one")
    record.write_rows("a.csv", [{"score": 4, "seed": 0}])
    rows = read(root / "a.csv")
    assert [(row["score"], row["minutes"]) for row in rows] == [("3", "5"), ("4", "")]


def test_a_row_without_its_seed_is_refused(root):
    with pytest.raises(ValueError, match="seed"):
        record.write_rows("a.csv", [{"score": 1}])
    assert not (root / "a.csv").exists()


def test_the_command_names_no_folder_of_this_machine(tmp_path, monkeypatch):
    script = record.ROOT / "benchmarks" / "speed.py"
    monkeypatch.setattr(sys, "argv", [str(script), "--steps", "300", str(tmp_path / "pictures")])
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=None))
    assert record.command() == "python benchmarks/speed.py --steps 300 pictures"
    started_as_module = SimpleNamespace(__spec__=ModuleSpec("benchmarks.speed", None))
    monkeypatch.setitem(sys.modules, "__main__", started_as_module)
    assert record.command() == "python -m benchmarks.speed --steps 300 pictures"
    monkeypatch.setattr(sys, "argv", ["speed", "small, fast", "plain"])
    assert record.command() == "python -m benchmarks.speed 'small, fast' plain"  # can be pasted into a shell
