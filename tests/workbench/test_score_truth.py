"""What `seglib score` takes for truth: numbered objects, data sets, names of any kind; and what can't stop it."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from picture_files import save
from test_score import predicted

from seglib.metrics import average_precision
from workbench.class_tables import looks_numbered
from workbench.cli import main

IDS = np.arange(1, 401).reshape(20, 20).repeat(6, 0).repeat(6, 1)
IDS[::6] = 0  # so that no object touches the one above


def scored(tmp_path, *arguments):
    assert main(["score", *map(str, arguments), "--json", str(tmp_path / "scores.json")]) == 0
    return json.loads((tmp_path / "scores.json").read_text())


@pytest.mark.parametrize("options", [(), ("--numbered",)])
def test_numbered_objects_are_recognised_on_both_sides(tmp_path, capsys, options):
    """F14: they were 400 classes."""
    found = np.where(IDS > 300, 0, IDS)
    save(tmp_path / "pred/a.png", found.astype(np.uint16))
    (tmp_path / "truth").mkdir()
    tifffile.imwrite(tmp_path / "truth/a.tif", IDS.astype(np.uint16) * 3)
    report = scored(tmp_path, tmp_path / "pred", tmp_path / "truth", *options)
    assert "truth: numbered objects" in capsys.readouterr().out
    assert list(report["classes"]) == ["background", "object"]
    assert report["classes"]["object"]["IoU"] == pytest.approx(300 / 400)
    assert report["mean"]["PQ"] == pytest.approx(2 * 300 / 700)
    masks = [{"masks": ids == np.unique(ids)[1:, None, None]} for ids in (found, IDS)]
    for each, more in zip(masks, ({"scores": np.ones(300)}, {}), strict=True):
        each |= {"labels": [1] * len(each["masks"])} | more
    assert report["mean"]["AP50"] == pytest.approx(average_precision(masks[:1], masks[1:])["AP50"])


def test_objects_that_seglib_found_against_numbered_truth(tmp_path):
    folder = predicted(tmp_path / "found", "a", IDS.astype(np.int32), np.linspace(0, 1, 400))
    save(tmp_path / "truth/a_mask.png", IDS.astype(np.uint16))
    report = scored(tmp_path, folder, tmp_path / "truth")
    assert report["classes"]["nucleus"]["PQ"] == 1
    assert report["pictures"].keys() == {"a"}


def test_what_numbers_and_what_are_classes():
    assert looks_numbered(IDS)
    streets = np.random.default_rng(0).integers(0, 12, (60, 60)).repeat(3, 0).repeat(3, 1)
    assert not looks_numbered(streets)  # twelve classes in many places
    assert not looks_numbered((IDS > 0).astype(int))
    assert looks_numbered(IDS * 1000)


def test_few_labels_without_names_stay_classes(tmp_path):
    true = np.zeros((9, 9), np.uint8)
    true[2:4, 2:4], true[5:8, 5:8], true[0, 0] = 1, 2, 5
    save(tmp_path / "pred/a.png", true)
    save(tmp_path / "truth/a.png", true)
    assert list(scored(tmp_path, tmp_path / "pred", tmp_path / "truth")["classes"]) == list("012345")
    noise = np.random.default_rng(0).integers(0, 200, (40, 40)).astype(np.uint8)
    save(tmp_path / "truth/a.png", noise)
    save(tmp_path / "pred/a.png", noise)
    assert main(["score", str(tmp_path / "pred"), str(tmp_path / "truth")]) == 1


@pytest.mark.parametrize(
    ("mask", "prediction"),
    [("p0_mask.png", "p0"), ("21_manual1.gif", "21_training"), ("0001TP_1_L.png", "0001TP_1"), ("b/p.png", "p")],
)
def test_names_pair_as_in_training(tmp_path, mask, prediction):
    """F6: one picture alone, and beside a second one."""
    true = np.array([[0, 255]], np.uint8)
    for number in ("", "2"):
        save(
            tmp_path / "truth" / mask.replace(".", f"{number}.", 1)
            if "_" not in mask
            else tmp_path / "truth" / (number + mask),
            true,
        )
        save(tmp_path / "found" / (f"{number}{prediction}.png" if "_" in mask else f"{prediction}{number}.png"), true)
    report = scored(tmp_path, tmp_path / "found", tmp_path / "truth", "--foreground", "255")
    assert len(report["pictures"]) == 2
    assert report["mean"]["IoU"] == 1


def test_a_data_set_is_truth_and_the_split_is_found_by_its_pictures(tmp_path, capsys):
    for split, names in (("train", "ab"), ("test", "cd")):
        for name in names:
            save(tmp_path / f"set/{split}/images/{name}.png", np.zeros((4, 4, 3), np.uint8))
            save(tmp_path / f"set/{split}/masks/{name}_mask.png", np.eye(4, dtype=np.uint8))
            save(tmp_path / f"{split}/{name}.png", np.eye(4, dtype=np.uint8))
    assert scored(tmp_path, tmp_path / "test", tmp_path / "set")["pictures"].keys() == {"c", "d"}
    (tmp_path / "test/d.png").unlink()
    assert main(["score", str(tmp_path / "test"), str(tmp_path / "set")]) == 1
    assert "set has train, test: pass one of them as --split" in capsys.readouterr().err
    assert main(["score", str(tmp_path / "test"), str(tmp_path / "set"), "--split", "test"]) == 1
    assert "d has no prediction" in capsys.readouterr().err


LATIN = os.fsdecode(b"M\xfcller")


def latin_set(home):
    for name in (LATIN, "\u4e2d\u6587"):
        try:
            save(home / f"images/{name}.png", np.random.default_rng(len(name)).integers(0, 255, (9, 9, 3), np.uint8))
        except (OSError, UnicodeError):
            pytest.skip("this disk takes no such names")
        save(home / f"masks/{name}.png", np.eye(9, dtype=np.uint8))
    return home


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_no_name_and_no_console_stops_a_command(tmp_path, encoding):
    """F11: the page and the figures are written, whatever can be printed."""
    home = latin_set(tmp_path / "set")
    run = [sys.executable, "-m", "workbench"]
    environment = os.environ | {"PYTHONIOENCODING": f"{encoding}:strict", "PYTHONUTF8": "0"}
    for arguments in (
        ["data", "check", home, "--page", tmp_path / "page.html"],
        ["score", home / "masks", home / "masks", "--json", tmp_path / "s.json"],
    ):
        done = subprocess.run([*run, *map(str, arguments)], capture_output=True, env=environment)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.html").read_text(encoding="utf-8").count("<figure>") == 2
    assert len(json.loads((tmp_path / "s.json").read_text())["pictures"]) == 2


def test_results_are_written_before_they_are_printed(tmp_path, monkeypatch):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError("no space left on the console")

    for side in ("pred", "truth"):
        save(tmp_path / side / "a.png", np.eye(4, dtype=np.uint8))
    save(tmp_path / "set/images/a.png", np.zeros((4, 4, 3), np.uint8))
    save(tmp_path / "set/masks/a.png", np.eye(4, dtype=np.uint8))
    monkeypatch.setattr(sys, "stdout", Full())
    main(["score", str(tmp_path / "pred"), str(tmp_path / "truth"), "--json", str(tmp_path / "s.json")])
    main(["data", "check", str(tmp_path / "set"), "--page", str(tmp_path / "page.html")])
    monkeypatch.undo()
    assert json.loads((tmp_path / "s.json").read_text())["mean"]["IoU"] == 1
    assert (tmp_path / "page.html").stat().st_size > 500
