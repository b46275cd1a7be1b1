"""The command line from end to end: train, predict pictures of all kinds, and what goes wrong on the way."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from hostile import Hostile
from picture_files import own_pictures, save
from PIL import Image

from seglib.datasets import CocoDataset, read_image
from seglib.training import weights
from seglib.transforms import Compose, Grayscale, Standardize
from workbench.cli import main
from workbench.networks import DETECTORS, NETWORKS, build, load_run
from workbench.pictures import Picture
from workbench.train import NAMES

FACTS = {"model": "unet", "grey": True, "objects": True, "classes": ["background", "nucleus"]}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on generated cells, a few steps long."""
    folder = tmp_path_factory.mktemp("runs") / "x"
    arguments = ["--steps", "2", "--batch-size", "2", "--crop", "32", "--eval-every", "1", "--workers", "0"]
    assert main(["train", "--model", "unet", "--data", "cells", "--out", str(folder), *arguments]) == 0
    return folder


def test_train_leaves_a_whole_run(run):
    names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    events = {name for name in names if name.startswith("events/")}
    assert names - events == {
        "config.json",
        "checkpoint.pt",
        "weights.safetensors",
        "metrics.csv",
        "samples/step_000001.png",
        "samples/step_000002.png",
    }
    assert len(events) == 1
    config = json.loads((run / "config.json").read_text())
    assert config["model"] == "unet"
    assert config["classes"] == ["background", "nucleus"]
    assert (run / "metrics.csv").read_text().count("\n") == 3
    network, loaded = load_run(run)
    assert loaded == config
    assert not network.training
    assert np.array(Image.open(run / "samples/step_000002.png")).std() > 10


@pytest.mark.slow
def test_a_run_is_continued_only_when_asked(run, capsys):
    arguments = ["--steps", "2", "--batch-size", "2", "--crop", "32", "--eval-every", "1", "--workers", "0"]
    command = ["train", "--model", "unet", "--data", "cells", "--out", str(run)]
    kept = ("weights.safetensors", "metrics.csv", "samples/step_000002.png")
    before = [(run / name).read_bytes() for name in kept]
    assert main([*command, *arguments]) == 1
    assert "holds a run already: go on with --resume" in capsys.readouterr().err
    assert main([*command, *arguments, "--resume", "--seed", "4"]) == 1
    assert "begun with other arguments: seed 0, not 4" in capsys.readouterr().err
    assert main([*command, *arguments, "--resume"]) == 0
    assert [(run / name).read_bytes() for name in kept] == before


def test_predict_goes_through_a_folder_and_reports_what_is_broken(run, tmp_path, capsys):
    rng = np.random.default_rng(0)
    pictures = tmp_path / "pictures"
    save(pictures / "grey.png", rng.integers(0, 256, (70, 90), dtype=np.uint8))
    save(pictures / "colour.jpg", rng.integers(0, 256, (5, 200, 3), dtype=np.uint8))
    save(pictures / "deep.tif", rng.integers(0, 65536, (64, 64)).astype(np.uint16))
    (pictures / "broken.png").write_bytes((pictures / "grey.png").read_bytes()[:200])
    (pictures / "notes.txt").write_text("no picture")
    (pictures / "._grey.png").write_bytes(b"\0\5\26\7")  # macOS keeps notes so
    out = tmp_path / "out"
    assert main(["predict", "--weights", str(run), str(pictures), "--out", str(out)]) == 1
    captured = capsys.readouterr()
    assert "predicting: 3 of 4 pictures" in captured.out
    assert captured.err.count("passed over") == 1
    assert "broken.png is damaged or cut off" in captured.err
    assert sorted(path.name for path in (out / "labels").iterdir()) == ["colour.png", "deep.png", "grey.png"]
    assert sorted(path.name for path in (out / "overlays").iterdir()) == ["colour.png", "deep.png", "grey.png"]
    labels = Image.open(out / "labels/colour.png")
    assert labels.mode == "P"
    assert labels.size == (200, 5)
    assert set(np.unique(np.array(labels))) <= {0, 1}
    assert (out / "classes.txt").read_text() == "background\nnucleus\n"


class Bright(torch.nn.Module):
    """Says "nucleus" where the prepared picture is above 1, and is as sure as can be."""

    def __init__(self):
        super().__init__()
        self.sure = torch.nn.Parameter(torch.tensor(50.0))

    def forward(self, x):
        return torch.cat([x * 0, (x - 1) * self.sure], 1)


@pytest.mark.slow
def test_objects_of_a_large_picture_are_read_back_as_coco(tmp_path, monkeypatch):
    picture = np.full((700, 3000), 20, np.uint8)
    squares = [(10, 10), (10, 40), (500, 2040), (660, 2960), (300, 502)]  # across tiles, windows, and at the edge
    for top, left in squares:
        picture[top : top + 20, left : left + 30] = 200
    path = save(tmp_path / "squares.png", picture)
    monkeypatch.setattr("workbench.networks.load_run", lambda _: (Bright(), FACTS))
    assert main(["predict", "--weights", "x", str(path), "--out", str(tmp_path / "out")]) == 0
    assert np.array_equal(np.array(Image.open(tmp_path / "out/labels/squares.png")), picture > 100)
    sample = CocoDataset(tmp_path, tmp_path / "out/objects.json")[0]
    expected = sorted((left, top, min(left + 30, 3000), top + 20) for top, left in squares)
    assert sorted(tuple(map(int, box)) for box in sample["boxes"].tolist()) == sorted(
        {(10, 10, 70, 30), *expected[2:]}
    )  # the first two touch: one rectangle without a waist
    assert torch.equal(sample["instances"] > 0, torch.from_numpy(picture > 100))
    assert Image.open(tmp_path / "out/overlays/squares.png").size == (1500, 350 + 22)  # a line of legend below


def test_a_picture_is_prepared_as_in_training(tmp_path):
    rng = np.random.default_rng(1)
    colours = save(tmp_path / "a.png", rng.integers(0, 256, (600, 40, 3), dtype=np.uint8))
    deep = save(tmp_path / "b.png", rng.integers(0, 65536, (30, 50)).astype(np.uint16))
    for path in (colours, deep):
        whole = {"image": read_image(path)}
        for grey, prepare in ((True, Compose([Grayscale(), Standardize()])), (False, Standardize())):
            picture = Picture(path, grey)
            found = torch.cat([picture.read(0, 17), picture.read(17, picture.size[0])], 1)
            assert torch.allclose(found, prepare(whole)["image"], atol=1e-5)
    assert Picture(colours, False).reduced(3).shape == (200, 14, 3)
    assert np.array_equal(Picture(colours, False).reduced(1), np.array(Image.open(colours)))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.png", "sub/a.png"], "would both be predicted as a"),
        (["nowhere"], "there is no"),
        (["empty"], "holds no pictures"),
    ],
)
def test_places_without_or_with_too_many_pictures(run, tmp_path, capsys, names, message):
    for name in ("a.png", "sub/a.png"):
        save(tmp_path / name, np.zeros((40, 40), np.uint8))
    (tmp_path / "empty").mkdir()
    places = [str(tmp_path / name) for name in names]
    assert main(["predict", "--weights", str(run), *places, "--out", str(tmp_path / "out")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_hostile_weights_do_not_run(tmp_path, capsys):
    picture = save(tmp_path / "a.png", np.zeros((40, 40), np.uint8))
    for name, write in (("p.safetensors", pickle.dump), ("t.safetensors", torch.save)):
        with open(tmp_path / name, "wb") as file:
            write({"head.weight": Hostile(tmp_path / "broken_in")}, file)
        command = ["predict", "--weights", str(tmp_path / name), str(picture), "--out", str(tmp_path / "out")]
        assert main(command) == 1
        assert f"{name} is no safetensors file" in capsys.readouterr().err
    assert not (tmp_path / "broken_in").exists()


def test_weights_of_something_else_are_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no"):
        load_run(tmp_path / "nothing")
    weights.save({"x": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="holds no weights of seglib train: KeyError 'config'"):
        load_run(tmp_path / "w.safetensors")
    path = tmp_path / "v.safetensors"
    weights.save(build(FACTS), path, {"config": json.dumps(FACTS)})
    load_run(path)
    weights.save(build(FACTS), path, {"config": json.dumps(FACTS | {"classes": ["a", "b", "c"]})})
    with pytest.raises(ValueError, match=r"(?s)v\.safetensors holds no weights.*size mismatch"):
        load_run(path)


@pytest.mark.slow
def test_every_network_can_be_built_and_takes_a_picture():
    assert tuple(NETWORKS) == NAMES
    for name in set(NAMES) - set(DETECTORS):
        for grey in (True, False):
            network = build(FACTS | {"model": name, "grey": grey}).eval()
            with torch.no_grad():
                heads = network(torch.zeros(1, 1 if grey else 3, 64, 64))
            logits = heads["out"] if isinstance(heads, dict) else heads
            assert logits.shape == (1, 2, 64, 64)


@pytest.mark.slow
def test_training_begins_with_given_weights(tmp_path, capsys):
    own_pictures(tmp_path / "own")
    command = ["train", "--model", "unet", "--data", str(tmp_path / "own"), "--foreground", "255"]
    # A learning rate that moves nothing: what comes out is what training began with.
    short = ["--steps", "1", "--batch-size", "2", "--crop", "32", "--workers", "0", "--learning-rate", "1e-12"]
    start, grey = str(tmp_path / "start.safetensors"), FACTS | {"grey": True}
    begun = build(grey)
    weights.save(begun, start, {"config": json.dumps(grey)})
    assert main([*command, *short, "--weights", start, "--out", str(tmp_path / "run")]) == 0
    network, config = load_run(tmp_path / "run")
    assert config["grey"]
    assert config["weights"] == start
    for (name, value), before in zip(network.named_parameters(), begun.parameters(), strict=True):
        assert torch.allclose(value, before, atol=1e-9), name
    assert (
        main(["predict", "--weights", str(tmp_path / "run"), str(tmp_path / "own/images"), "--out", str(tmp_path)]) == 0
    )
    capsys.readouterr()
    refused = [*command, *short, "--out", str(tmp_path / "other"), "--weights"]
    three = FACTS | {"classes": ["a", "b", "c"]}
    weights.save(build(three), tmp_path / "three.safetensors", {"config": json.dumps(three)})
    for other, message in (
        ("nowhere", "there is no nowhere"),
        (str(tmp_path / "three.safetensors"), "3 classes; wanted"),
        ("nuclei", "nuclei are for nuclei, grey pictures, 2 classes; wanted are weights for unet, grey"),
    ):
        assert main([*refused, other]) == 1
        assert message in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_a_folder_of_ones_own_is_trained_on(tmp_path):
    own_pictures(tmp_path / "own")
    command = ["train", "--model", "unet", "--data", str(tmp_path / "own"), "--out", str(tmp_path / "run")]
    short = ["--steps", "1", "--batch-size", "2", "--crop", "32", "--workers", "0"]
    assert main([*command, *short, "--foreground", "255"]) == 0
    assert main([*command, *short, "--foreground", "1", "--resume"]) == 1  # other labels than the run began with
    out = tmp_path / "out"
    images, masks = tmp_path / "own/images", tmp_path / "own/masks"
    assert main(["predict", "--weights", str(tmp_path / "run"), str(images), "--out", str(out)]) == 0
    assert not (out / "objects.json").exists()
    assert main(["score", str(out), str(masks), "--foreground", "255"]) == 0


def test_an_installed_wheel_says_what_it_lacks(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("workbench.networks.SHIPPED", {"nuclei": tmp_path / "data/weights/nuclei.safetensors"})
    picture = save(tmp_path / "a.png", np.zeros((40, 40), np.uint8))
    assert main(["predict", str(picture), "--out", str(tmp_path / "out")]) == 1
    assert "'nuclei' lie in the course's folder, and there is none at" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["predict", "--help"], ["data", "check", "--help"]])
def test_help_loads_nothing_heavy(arguments):
    code = f"""
import sys
from workbench.cli import main
try:
    main({arguments!r})
except SystemExit:
    print("loaded:", *({{"torch", "torchvision", "matplotlib", "PIL", "numpy", "scipy"}} & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.endswith("loaded:\n")
    run = [sys.executable, "-m", "workbench", *arguments]
    assert "usage: seglib" in subprocess.run(run, capture_output=True, text=True, check=True).stdout
