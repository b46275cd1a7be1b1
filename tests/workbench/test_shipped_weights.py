"""The nuclei network that comes with the course: small, made as its card says, and good out of the box."""

import json

import numpy as np
import pytest
from picture_files import save

from seglib import results
from seglib.scenes import Cells
from workbench.cli import main
from workbench.networks import SHIPPED, load_run

CARD = SHIPPED["nuclei"].with_name("README.md")


def test_the_file_is_small_and_says_how_it_was_made():
    network, config = load_run("nuclei")
    assert SHIPPED["nuclei"].stat().st_size < 5e6
    assert {key: config[key] for key in ("model", "pictures", "seed")} == {
        "model": "nuclei",
        "pictures": 6000,
        "seed": 0,
    }
    assert not network.training


def test_the_card_tells_the_measured_figures():
    _, config = load_run("nuclei")
    card = CARD.read_text(encoding="utf-8")
    assert f"{config['pictures']:,} generated pictures" in card
    assert f"{config['steps']:,} steps" in card
    rows = results.read("nuclei_weights")
    assert len(rows) > 20
    for row in rows:
        line = (
            f"| {row['pictures']} | {row['count']:.0f} | {row['method']} | {row['object_f1']:.3f} | {row['iou']:.3f} |"
        )
        assert line in card, line


@pytest.mark.slow
def test_predict_needs_no_weights_of_ones_own(tmp_path):
    samples = list(Cells(12, size=128, seed=10_000))
    for number, sample in enumerate(samples):
        save(tmp_path / f"in/{number:02}.png", (sample["image"][0].numpy() * 255).round().astype(np.uint8))
        save(tmp_path / f"truth/{number:02}.png", sample["mask"].numpy().astype(np.uint8))
    assert main(["predict", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 0
    report = tmp_path / "scores.json"
    assert main(["score", str(tmp_path / "out"), str(tmp_path / "truth"), "--json", str(report)]) == 0
    assert json.loads(report.read_text())["classes"]["nucleus"]["IoU"] > 0.85


def test_a_folder_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nuclei").mkdir()
    with pytest.raises(ValueError, match=r"there is no nuclei.weights\.safetensors"):
        load_run("nuclei")
