"""`seglib train --config`: a run's config.json, or YAML, says what options say; those given beside it come first."""

import json

import numpy as np
import pytest
from picture_files import save
from test_one_reading import make

from workbench import train
from workbench.arguments import Parser
from workbench.cli import main


def parsed(*words):
    parser = Parser(prog="seglib")
    train.add_parser(parser.add_subparsers())
    return parser.parse_args(["train", "--out", "run", *map(str, words)])


def test_yaml_holds_options_and_those_given_beside_it_come_first(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(
        "model: unet\ndata: cells\nepochs: 3\nclass-weights: 1,5\nlearning_rate: 1e-3\nresume: true\n"
        "workers: 0\npretrained: no\nbackbone: ~\naugment: none\nval: [a, b]\nclasses: [ground, tree]\n",
        encoding="utf-8-sig",
    )
    found = parsed("--config", path)
    assert (found.model, found.data, found.epochs, found.class_weights) == ("unet", "cells", 3, "1,5")
    assert (found.learning_rate, found.resume, found.pretrained, found.backbone) == (0.001, True, False, None)
    assert found.workers == 0
    assert (found.augment, found.val, found.classes) == ("none", ["a", "b"], "ground,tree")
    found = parsed(f"--config={path}", "--steps", "7", "--model", "fcn")
    assert (found.model, found.steps, found.epochs) == ("fcn", 7, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("step: 3\nstepz: 3", "--stepz is unknown, did you mean --steps?"),
        ("model: vnet", "invalid choice: 'vnet'"),
        ("steps: many", "argument --steps: invalid positive value: 'many'"),
        ("steps: 3\nepochs: 4", "not allowed with argument"),
        ("model unet", "run.yaml holds no options, in lines such as model: unet"),
        ("model: [", "run.yaml holds no options"),
        ("", "run.yaml holds no options"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(tmp_path, capsys, text, message):
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(SystemExit):
        parsed("--model", "unet", "--data", "cells", "--config", tmp_path / "run.yaml")
    assert message in capsys.readouterr().err


def test_a_file_that_is_not_there(tmp_path, capsys):
    with pytest.raises(SystemExit):
        parsed("--config", tmp_path / "no.yaml")
    assert "no.yaml" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("coloured", [True, False])
def test_the_config_of_a_run_begins_its_twin(tmp_path, capsys, coloured):
    """What was said of the data comes along, a class table in colours too, that lies nowhere else any more."""
    table = np.array([(0, 0, 0), (255, 0, 0)], np.uint8)
    home = make(
        tmp_path / "set",
        save_mask=lambda mask, path: save(f"{path}.png", table[mask] if coloured else mask * np.uint8(255)),
    )
    said = ["--foreground", "255"]
    if coloured:
        (home / "classes.csv").write_text("background,0,0,0\ncar,255,0,0\n")
        said = []
    short = ["--steps", "1", "--batch-size", "2", "--crop", "32", "--workers", "0"]
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["train", "--model", "unet", "--data", str(home), *said, *short, "--out", str(first)]) == 0
    if coloured:
        (home / "classes.csv").unlink()
    call = ["train", "--config", str(first / "config.json"), "--workers", "0", "--out"]
    assert main([*call, str(second)]) == 0
    assert (first / "config.json").read_text() == (second / "config.json").read_text()
    assert (first / "metrics.csv").read_text() == (second / "metrics.csv").read_text()
    assert main([*call, str(second), "--steps", "2", "--resume"]) == 0
    assert main([*call, str(tmp_path / "third"), "--epochs", "1"]) == 0
    assert json.loads((tmp_path / "third/config.json").read_text())["steps"] is None
