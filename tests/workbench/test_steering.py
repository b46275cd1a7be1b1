"""Training that can be steered: windows, tiles, losses, weights, lengths, devices, what is said on the way."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from picture_files import save
from PIL import Image

from seglib.datasets import FolderDataset
from workbench.cli import main
from workbench.kept import Windows
from workbench.networks import load_run
from workbench.run import read_checkpoint
from workbench.sets import training_sets

RNG = np.random.default_rng(11)
SHORT = ["--batch-size", "2", "--crop", "32", "--workers", "0"]


def folder(home, n=5, side=(64, 80), deep=False):
    """Noise with a gradient, and masks of the left half, a band of void, and a rare third class."""
    (home / "classes.txt").parent.mkdir(parents=True, exist_ok=True)
    (home / "classes.txt").write_text("ground\ntree\nrare\n")
    for number in range(n):
        image = RNG.integers(0, 256, (*side, 3), dtype=np.uint8)
        mask = np.zeros(side, np.uint8)
        mask[:, : side[1] // 2], mask[0], mask[5, :2] = 1, 255, 2
        if deep:
            image = image[..., 0].astype(np.uint16) * 100 + 7
        save(home / f"images/{number}.png", image)
        save(home / f"masks/{number}.png", mask)
    return home


def dataset(home):
    return FolderDataset(home / "images", home / "masks", ("ground", "tree", "rare"))


def train(home, out, *more):
    return main(["train", "--model", "unet", "--data", str(home), "--out", str(out), *SHORT, *more])


@pytest.mark.slow
def test_a_class_that_is_never_predicted_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        "workbench.learning.Loss.never_predicted", lambda self: ["rare"]
    )  # how they are counted: test_kept
    assert train(folder(tmp_path / "set"), tmp_path / "run", "--steps", "4", "--eval-every", "2") == 0
    out = capsys.readouterr().out.splitlines()
    assert [line for line in out if "never predicted" in line] == [
        f"step {step}: never predicted: rare" for step in (2, 4)
    ]
    assert [line.split(":")[0] for line in out if "loss" in line][:2] == ["step 2", "step 4"]


@pytest.mark.slow
def test_a_run_is_made_longer_and_by_epochs(tmp_path, capsys):
    home = folder(tmp_path / "set")
    assert train(home, tmp_path / "run", "--steps", "2") == 0
    assert train(home, tmp_path / "run", "--steps", "5", "--resume") == 0
    assert read_checkpoint(tmp_path / "run/checkpoint.pt")["record"]["history"]["step"] == [1, 2, 3, 4, 5]
    assert json.loads((tmp_path / "run/config.json").read_text())["steps"] == 5
    assert train(home, tmp_path / "run", "--steps", "5", "--crop", "48", "--resume") == 1
    assert "begun with other arguments: crop 32, not 48" in capsys.readouterr().err
    assert train(home, tmp_path / "epochs", "--epochs", "3") == 0  # of 4 pictures, two at a time
    assert read_checkpoint(tmp_path / "epochs/checkpoint.pt")["record"]["history"]["step"] == [1, 2, 3, 4, 5, 6]


@pytest.mark.slow
def test_pictures_are_reduced_in_predict_as_in_training(tmp_path):
    home = folder(tmp_path / "set")
    assert train(home, tmp_path / "run", "--steps", "2", "--loss", "dice", "--augment", "flips", "--size", "40") == 0
    (tmp_path / "new").mkdir()
    (home / "images/3.png").rename(tmp_path / "new/3.png")
    assert (
        main(["predict", "--weights", str(tmp_path / "run"), str(tmp_path / "new"), "--out", str(tmp_path / "p")]) == 0
    )
    labels = np.array(Image.open(tmp_path / "p/labels/3.png"))
    assert labels.shape == (64, 80)
    assert (labels == labels[::2, ::2].repeat(2, 0).repeat(2, 1)).all()  # reduced as in training, and enlarged


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [6, 12])
def test_seconds_include_everything(tmp_path, seconds):
    home = folder(tmp_path / "set", n=10, side=(300, 300))
    train(home, tmp_path / "warm", "--steps", "1")  # torch and TensorBoard are loaded
    started = time.monotonic()
    assert train(home, tmp_path / "run", "--seconds", str(seconds), "--eval-every", "4") == 0
    assert time.monotonic() - started < seconds + 5


@pytest.mark.slow
@pytest.mark.parametrize("model", ["unet", "fcn", "pspnet", "deeplab"])
def test_a_backbone_is_trained_at_its_own_rate_and_loaded_again(tmp_path, model):
    home = folder(tmp_path / "set")
    common = ["--batch-size", "2", "--crop", "64", "--workers", "0", "--steps", "1", "--backbone", "efficientnet_lite0"]
    command = ["train", "--model", model, "--data", str(home), *common, "--out", str(tmp_path / "run")]
    assert main([*command, "--pretrained", "--learning-rate", "1e-30", "--head-rate", "0.01"]) == 0
    network, config = load_run(tmp_path / "run")
    assert (config["backbone"], config["pretrained"], config["head_rate"]) == ("efficientnet_lite0", True, 0.01)
    from seglib.models import EfficientNetLite0

    for mine, theirs in zip(
        network.backbone.parameters(), EfficientNetLite0(weights="imagenet").backbone.parameters(), strict=True
    ):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pretrained"], "--pretrained is for a --backbone"),
        (["--model", "segnet", "--backbone", "efficientnet_lite0"], "--backbone is for unet, fcn, pspnet, deeplab"),
        (["--head-rate", "1"], "--head-rate is for a network with a --backbone"),
        (["--device", "cuda:99"], "--device is cuda:99; this machine has cpu"),
        (["--model", "mask_rcnn"], "has classes of pixels alone, or pass --numbered"),
        (["--class-weights", "1"], "--class-weights is 1: wanted is one of 0 or more for each of ground, tree, rare"),
    ],
)
def test_options_that_do_not_go_together_leave_nothing_behind(tmp_path, capsys, options, message):
    home = folder(tmp_path / "set")
    try:
        status = train(home, tmp_path / "run", "--steps", "1", *options)
    except SystemExit as stop:
        status = stop.code
    assert status in (1, 2)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_one_value_a_channel_is_said(tmp_path, capsys):
    """F19."""
    home = folder(tmp_path / "set")
    command = ["train", "--model", "fcn", "--data", str(home), "--out", str(tmp_path / "run"), "--workers", "0"]
    assert main([*command, "--batch-size", "1", "--crop", "16", "--steps", "2"]) == 1
    assert "take a larger --batch-size or --crop" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["images", "masks"])
def test_bad_files_are_told_in_one_line_before_the_run_has_a_folder(tmp_path, capsys, where):
    home = folder(tmp_path / "set", n=9)
    path = home / where / "7.png"
    path.write_bytes(path.read_bytes()[:60])
    assert train(home, tmp_path / "run", "--steps", "1", "--workers", "2") == 1
    told = capsys.readouterr().err.strip()
    assert told.startswith("seglib train: ")
    assert "7.png" in told
    assert "\n" not in told
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_numbered_masks_teach_objects(tmp_path):
    """Own label maps of nuclei, as StarDist and Cellpose have them."""
    home = tmp_path / "set"
    for number in range(5):
        ids = np.arange(1, 26).reshape(5, 5).repeat(16, 0).repeat(16, 1)
        ids[::16], ids[:, ::16] = 0, 0
        save(home / f"images/{number}.png", ((ids > 0) * 150 + RNG.integers(0, 40, ids.shape)).astype(np.uint8))
        save(home / f"masks/{number}.png", ids.astype(np.uint16))
    for model in ("nuclei", "mask_rcnn", "unet"):
        out = tmp_path / model
        command = ["train", "--model", model, "--data", str(home), "--numbered", "--out", str(out), "--workers", "0"]
        assert main([*command, "--steps", "1", "--batch-size", "2", "--crop", "64"]) == 0
        config = json.loads((out / "config.json").read_text())
        assert config["objects"]
        assert config["classes"] == ["background", "object"]
    train_set, val, _ = training_sets(str(home), 64, {"numbered": True}, model="mask_rcnn")
    assert len(val[0]["boxes"]) == 25
    assert train_set[0]["masks"].shape[1:] == (64, 64)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for others")
def test_ctrl_c_says_how_to_go_on(tmp_path):
    home = folder(tmp_path / "set")
    command = [sys.executable, "-m", "workbench", "train", "--model", "unet", "--data", str(home), "--out"]
    process = subprocess.Popen(
        [*command, str(tmp_path / "run"), *SHORT, "--eval-every", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line.startswith("step 1"):
            break
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "seglib train: stopped; the same command with --resume goes on" in told


@pytest.mark.slow
def test_checkpoints_come_by_the_clock_too(tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.run.MINUTE", 0)
    written = []
    monkeypatch.setattr(
        "workbench.run.Run._report", lambda self, weights, record: written.append(len(record["history"]["step"]))
    )
    assert train(folder(tmp_path / "set"), tmp_path / "run", "--steps", "3", "--eval-every", "3") == 0
    assert written == [1, 2, 3]


@pytest.mark.slow
def test_waiting_for_pictures_is_said(tmp_path, capsys, monkeypatch):
    cut = Windows.__getitem__

    def slow(self, place):
        time.sleep(0.5)
        return cut(self, place)

    monkeypatch.setattr(Windows, "__getitem__", slow)
    assert train(folder(tmp_path / "set"), tmp_path / "run", "--steps", "2") == 0
    assert "waiting for pictures took" in capsys.readouterr().out


def test_models_are_listed(capsys, monkeypatch):
    monkeypatch.setattr("workbench.networks.NETWORKS", {})
    assert main(["models"]) == 0
    assert "multiply-adds" in capsys.readouterr().out


@pytest.mark.slow
def test_models_are_listed_with_their_sizes(capsys):
    assert main(["models"]) == 0
    lines = {line.split("  ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "482,754" in lines["unet"]
    assert "2.32 G" in lines["unet"]
    assert len(lines) == 12


def test_samples_say_which_row_is_which(tmp_path):
    from seglib.models import UNet
    from workbench.learning import draw_samples

    dark = [{"image": torch.zeros(3, 64, 64), "mask": torch.zeros(64, 64, dtype=torch.int64)}] * 5
    draw_samples(UNet(3, 3, width=2, depth=1).eval(), dark, tmp_path / "s.png")
    drawn = np.array(Image.open(tmp_path / "s.png")).min(-1)
    assert drawn.shape == (128, 4 * 68)
    assert drawn[2:14, :60].max() > 200 > drawn[20:60].max()
    assert drawn[66:78, :40].max() > 200 > drawn[84:].max()
