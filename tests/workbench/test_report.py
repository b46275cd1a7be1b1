"""The report of `seglib score`, and `seglib evaluate`."""

import csv
import json
import re

import numpy as np
import pytest
import torch
from picture_files import own_pictures, save
from PIL import Image

from seglib.metrics import paired_interval
from workbench.cli import main

FACTS = {"model": "unet", "grey": True, "objects": False, "classes": ["background", "cell"]}


def maps(folder, names="abcd", wrong=()):
    """Label maps of two classes; in picture k of ``wrong`` k rows of ten are of the other class."""
    for name in names:
        labels = np.zeros((10, 12), np.uint8)
        labels[:, 6:] = 1
        rows = dict(wrong).get(name, 0)
        labels[:rows] = 1 - labels[:rows]
        save(folder / f"{name}.png", labels)
    (folder / "classes.txt").parent.mkdir(exist_ok=True)
    return folder


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_the_report_begins_with_the_worst_pictures(tmp_path, capsys):
    found = maps(tmp_path / "found", wrong=[("b", 5), ("d", 1)])
    truth = maps(tmp_path / "truth")
    assert main(["score", str(found), str(truth), "--report", str(tmp_path / "report")]) == 0
    # b: of each class 30 right, 30 wrong of the other's: 30 of 90; d: 54 of 66
    pictures = rows_of(tmp_path / "report/pictures.csv")
    assert pictures[0][:3] == ["picture", "IoU", "Dice"]
    assert [row[0] for row in pictures[1:]] == ["b", "d", "a", "c"]
    assert [float(row[1]) for row in pictures[1:]] == pytest.approx([30 / 90, 54 / 66, 1, 1])
    listed = [line.split()[0] for line in capsys.readouterr().out.partition("picture ")[2].splitlines()[1:]]
    assert listed == ["b", "d", "a", "c"]
    assert rows_of(tmp_path / "report/confusion.csv") == [
        ["true class", "0", "1"],
        ["0", "204", "36"],
        ["1", "36", "204"],
    ]
    assert Image.open(tmp_path / "report/confusion.png").width > 200
    page = (tmp_path / "report/report.html").read_text(encoding="utf-8")
    assert re.findall(r"<figcaption>(.)</figcaption>", page) == ["b", "d", "a", "c"]
    assert page.count('src="data:image/png;base64,') == 5
    assert not re.search(r'(?:src|href)="(?!data:)', page)  # it stands alone
    assert "<td>0.3333</td>" in page


def test_names_are_escaped_and_undefined_figures_left_empty(tmp_path):
    for kind in ("found", "truth"):
        save(tmp_path / kind / "<b>.png", np.zeros((8, 8), np.uint8))
        (tmp_path / kind / "a").mkdir()
        (tmp_path / kind / "a").rmdir()
        (tmp_path / kind / "labels").mkdir()
        (tmp_path / kind / "<b>.png").rename(tmp_path / kind / "labels/<b>.png")
        (tmp_path / kind / "classes.txt").write_text("ground\n<i>tree</i>\n")
    assert main(["score", str(tmp_path / "found"), str(tmp_path / "truth"), "--report", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;" in page
    assert "&lt;i&gt;tree" in page
    assert "<b>" not in page
    assert "nan" not in page
    assert rows_of(tmp_path / "out/confusion.csv")[2] == ["<i>tree</i>", "0", "0"]


def test_two_sets_of_predictions_are_compared_picture_by_picture(tmp_path, capsys):
    names = "abcdefghijkl"
    truth = maps(tmp_path / "truth", names)
    good = maps(tmp_path / "good", names, wrong=[("a", 1)])
    bad = maps(tmp_path / "bad", names, wrong=[(name, 1 + number % 4) for number, name in enumerate(names)])
    call = ["score", str(good), str(truth), "--against", str(bad), "--report", str(tmp_path / "report")]
    assert main([*call, "--json", str(tmp_path / "s.json")]) == 0
    report = json.loads((tmp_path / "s.json").read_text())
    # k of ten rows wrong: (60 - 6 k) of (60 + 6 k) in both classes
    ious = [[(10 - k) / (10 + k) for k in ks] for ks in ([1] + [0] * 11, [1, 2, 3, 4] * 3)]
    mean, low, high = paired_interval(*ious)
    for figure in ("IoU", "IoU of 0", "IoU of 1"):
        wanted = {"pictures": 12, "here": np.mean(ious[0]), "against": np.mean(ious[1])}
        wanted |= {"difference": mean, "low": low, "high": high}
        assert report["against"][figure] == pytest.approx(wanted)
    told = capsys.readouterr().out
    assert re.search(rf"IoU +12 +{np.mean(ious[0]):.4f} +{np.mean(ious[1]):.4f} +{mean:.4f} +{low:.4f}", told)
    assert "if it holds 0, these pictures don't decide" in told
    page = (tmp_path / "report/report.html").read_text(encoding="utf-8")
    assert f"<td>12</td><td>{np.mean(ious[0]):.4f}</td>" in page
    (bad / "l.png").unlink()
    assert main(call) == 1
    assert "l has no prediction" in capsys.readouterr().err


class Bright(torch.nn.Module):
    """Says class 1 where the prepared picture is above its mean."""

    def __init__(self):
        super().__init__()
        self.sure = torch.nn.Parameter(torch.tensor(9.0))

    def forward(self, x):
        return torch.cat([x * 0, x * self.sure], 1)


def test_evaluate_predicts_and_scores_the_held_back_pictures(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("workbench.networks.load_run", lambda _: (Bright(), FACTS))
    own_pictures(tmp_path / "all")
    call = ["evaluate", "a run", str(tmp_path / "all"), "--foreground", "255", "--out"]
    assert main([*call, str(tmp_path / "first")]) == 0
    assert "scored are all pictures" in capsys.readouterr().out
    scores = json.loads((tmp_path / "first/scores.json").read_text())
    assert list(scores["classes"]) == ["background", "cell"]
    assert 0.8 < scores["mean"]["IoU"] < 1
    assert {"report.html", "confusion.csv", "overlays", "labels"} <= {
        path.name for path in (tmp_path / "first").iterdir()
    }
    monkeypatch.setattr("workbench.networks.load_run", lambda _: (Bright(), FACTS | {"data": str(tmp_path / "all")}))
    for more in ([], ["--split", "held-back"]):
        assert main([*call, str(tmp_path / f"held{len(more)}"), *more]) == 0
        assert "scored are the held-back pictures" in capsys.readouterr().out
        held = json.loads((tmp_path / f"held{len(more)}/scores.json").read_text())["pictures"]
        assert list(held) == ["4"]  # as the training has it, see test_one_reading
    for split, names in (("train", "01"), ("val", "2"), ("test", "34")):
        for kind in ("images", "masks"):
            for name in names:
                source = tmp_path / "all" / kind / f"{name}.png"
                save(tmp_path / "set" / kind / split / f"{name}.png", np.array(Image.open(source)))
    call[2] = str(tmp_path / "set")
    for arguments, names in (([], "34"), (["--split", "val"], "2")):
        assert main([*call, str(tmp_path / f"split{names}"), *arguments]) == 0
        assert sorted(json.loads((tmp_path / f"split{names}/scores.json").read_text())["pictures"]) == list(names)
    call[2] = str(tmp_path / "all")
    assert main([*call, str(tmp_path / "none"), "--split", "test"]) == 1
    assert "has all, no --split test" in capsys.readouterr().err
