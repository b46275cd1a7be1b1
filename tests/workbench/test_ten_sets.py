"""A newcomer's ten data sets go from what is unpacked to a score by the commands that README prints, and no others."""

import json
import re
import shlex
from pathlib import Path

import pytest
from ten_sets import SETS, Maker

from workbench.cli import main

README = Path(__file__).resolve().parents[2] / "README.md"
ROW = re.compile(r"\| (?P<name>[^|]+?) \| (?:`seglib (?P<first>[^`]+)`[^|]*)?\| `(?P<data>[^`]+)`[^|]*\|")
CLASSES = {  # what the score tells of
    "DRIVE": ["background", "object"],
    "CWFID": ["ground", "crop", "weed"],
    "CrackForest": ["background", "object"],
    "ISBI 2012": ["background", "object"],
    "magnetic tiles": ["background", "object"],
    "CamVid": ["Car", "Road", "Sky"],
    "coco128": ["background", "person", "bicycle"],
    "labelme": ["background", "bottle", "person"],
    "DSB2018": ["background", "object"],
}


def rows():
    """{set: (words of a command that comes first or None, words that name the data)} of README's table."""
    found = {match["name"]: match for match in map(ROW.match, README.read_text(encoding="utf-8").splitlines()) if match}
    words = {name: (match["first"], shlex.split(match["data"])) for name, match in found.items() if name in SETS}
    return {name: (first and shlex.split(first), data) for name, (first, data) in words.items()}


def test_the_table_has_all_ten():
    assert list(rows()) == list(SETS)


@pytest.fixture(params=SETS)
def unpacked(request, tmp_path, monkeypatch):
    """(name, words that name the data) of a set, small, converted if README says so."""
    SETS[request.param](Maker(tmp_path))
    monkeypatch.chdir(tmp_path)
    first, data = rows()[request.param]
    if first:
        assert main(first) == 0
    return request.param, data


def test_check_finds_nothing_wrong(unpacked, capsys):
    _, data = unpacked
    assert main(["data", "check", *data, "--page", "page.html"]) == 0, capsys.readouterr().out
    assert "nothing is wrong" in capsys.readouterr().out


@pytest.mark.slow
def test_train_and_evaluate_take_the_same_words(unpacked):
    name, data = unpacked
    short = ["--steps", "1", "--batch-size", "2", "--crop", "32", "--workers", "0"]
    assert main(["train", "--model", "unet", "--data", *data, "--out", "run", *short]) == 0
    assert main(["evaluate", "run", *data, "--out", "out"]) == 0
    scores = json.loads(Path("out/scores.json").read_text())
    classes = list(scores["classes"])
    assert (classes if name in CLASSES else [classes[0], classes[7], classes[15]]) == CLASSES.get(
        name, ["background", "car", "person"]
    )
    assert ("PQ" in scores["mean"]) == (name == "DSB2018")
    assert len(scores["pictures"]) == (2 if name == "PASCAL VOC" else 1)  # val/, or every fifth of six
