"""Training that can be steered: windows, tiles, losses, weights, lengths, configs, devices, what is said on the way."""

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

from seglib import losses
from seglib.datasets import FolderDataset
from seglib.transforms import Standardize
from workbench import kept, sets
from workbench.cli import main
from workbench.kept import AUGMENT, Kept, Tiles, Windows
from workbench.learning import Loss, class_weights
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


@pytest.mark.parametrize("deep", [False, True])
def test_pictures_are_kept_to_the_last_bit(tmp_path, deep):
    data = dataset(folder(tmp_path, deep=deep))
    held = Kept(data).read_all()
    for index in (0, 4):
        sample, raw = held.window(index, 0, 0, 64, 80)
        torch.testing.assert_close(sample["image"], data[index]["image"], rtol=0, atol=1e-7)
        assert torch.equal(sample["mask"], data[index]["mask"])
        mean, deviation = raw["moments"]
        standard = Standardize()(data[index])["image"]
        torch.testing.assert_close((sample["image"] - mean) / deviation, standard, rtol=0, atol=1e-4)
    assert held.counts[0].tolist() == [63 * 40, 63 * 40 - 2, 2]
    assert len(held.memory) == 5
    assert held.__getstate__()["memory"] == {}


def test_memory_has_an_end_and_the_rest_is_read_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "MEMORY", 2 * 64 * 80 * 4 + 1)
    data = dataset(folder(tmp_path))
    held = Kept(data).read_all()
    assert sorted(held.memory) == [0, 1]
    assert torch.equal(held.window(4, 3, 5, 9, 9)[0]["mask"], data[4]["mask"][3:12, 5:14])


@pytest.mark.parametrize(
    ("top", "left", "side"), [(0, 0, 20), (-9, -30, 40), (50, 70, 60), (-100, -100, 300), (10, 20, 200)]
)
def test_a_window_is_what_crop_cuts(tmp_path, top, left, side):
    from seglib.transforms import crop

    data = dataset(folder(tmp_path, n=1))
    sample, _ = Kept(data).window(0, top, left, side, side)
    wanted = crop(data[0], top, left, side, side)
    torch.testing.assert_close(sample["image"], wanted["image"])
    assert torch.equal(sample["mask"], wanted["mask"])


@pytest.mark.parametrize("augment", AUGMENT)
def test_windows_are_small_before_anything_else_is_done(tmp_path, augment, monkeypatch):
    """58 s a batch: jitter and scale once ran on the whole picture of 12 megapixels."""
    windows = Windows(Kept(dataset(folder(tmp_path, side=(600, 800)))), 32, augment, [0, 3])
    seen, jitter = [], kept.Jitter.__call__
    monkeypatch.setattr(
        kept.Jitter, "__call__", lambda self, sample: seen.append(sample["image"].numel()) or jitter(self, sample)
    )
    torch.manual_seed(0)
    samples = [windows[k % 2] for k in range(20)]
    assert all(sample["image"].shape == (3, 32, 32) and sample["mask"].shape == (32, 32) for sample in samples)
    assert max(seen, default=0) <= 3 * (kept.GLANCE + (32 / 0.75 + 1) ** 2)
    assert bool(seen) == (augment in ("photo", "microscope"))
    stacked = torch.stack([sample["image"] for sample in samples])
    assert abs(stacked.mean()) < 0.1
    assert 0.4 < stacked.std() < 1.2  # noise that is scaled is smoother


def test_without_augmentation_a_window_is_a_piece_of_the_standardised_picture(tmp_path):
    data = dataset(folder(tmp_path, n=1))
    whole = Standardize()(data[0])
    torch.manual_seed(1)
    sample = Windows(Kept(data), 16, "none", [0])[0]
    hits = [
        (top, left)
        for top in range(49)
        for left in range(65)
        if torch.allclose(whole["image"][:, top : top + 16, left : left + 16], sample["image"], atol=1e-4)
    ]
    assert len(hits) == 1
    ((top, left),) = hits
    assert torch.equal(whole["mask"][top : top + 16, left : left + 16], sample["mask"])


def test_held_back_pictures_are_scored_whole(tmp_path):
    """The middle 256 px, 5 % of a picture, were all that was looked at."""
    data = dataset(folder(tmp_path, n=3, side=(300, 600)))
    held = Kept(data).read_all()
    tiles = Tiles(held, [0, 2])
    assert (len(tiles), tiles.all) == (2 * 2 * 3, 12)
    counted = sum(np.bincount(tile["mask"].numpy().ravel(), minlength=256) for tile in tiles)
    assert counted[:3].tolist() == (held.counts[0] + held.counts[2]).tolist()
    pieces = Standardize()(data[2])["image"]
    torch.testing.assert_close(tiles[6]["image"], pieces[:, :256, :256], rtol=0, atol=1e-4)
    many = Tiles(held, [0, 2] * 100)
    assert (len(many), many.all) == (256, 1200)
    assert {place[1:] for place in many.places} == {(top, left) for top in (0, 256) for left in (0, 256, 512)}


def test_a_smaller_size_is_a_whole_reduction(tmp_path):
    data = dataset(folder(tmp_path, n=1, side=(60, 90)))
    sample, _ = Kept(data, size=30).read_all().window(0, 0, 0, 20, 30)
    means = data[0]["image"].unfold(1, 3, 3).unfold(2, 3, 3).mean((3, 4))
    torch.testing.assert_close(sample["image"], means, rtol=0, atol=1 / 65535)
    assert torch.equal(sample["mask"], data[0]["mask"][1::3, 1::3])


def test_class_weights_by_hand(tmp_path):
    train, _, _ = training_sets(str(folder(tmp_path)), 32)
    assert train.counts.tolist() == [[63 * 40, 63 * 40 - 2, 2]] * 4
    names = ("ground", "tree", "rare")
    median = torch.tensor([2518 / 2520, 1, 2518 / 2])
    torch.testing.assert_close(class_weights("median", names, train), median)
    torch.testing.assert_close(class_weights("sqrt", names, train), median.sqrt())
    torch.testing.assert_close(class_weights(None, names, train), median.sqrt())
    assert class_weights(None, names[:2], None).tolist() == [1, 1]
    assert class_weights("1,5,0.5", names, None).tolist() == [1, 5, 0.5]
    for wrong in ("1,2", "1,-2,3", "1,nan,2", "rare", "1,inf,1"):
        with pytest.raises(ValueError, match=f"--class-weights is {wrong}"):
            class_weights(wrong, names, train)
    with pytest.raises(ValueError, match="for the cross-entropy, not for --loss dice"):
        class_weights("median", names, train, "dice")


@pytest.mark.parametrize("kind", ["cross-entropy", "dice", "focal", "lovasz", "tversky"])
def test_losses_are_seglibs_and_count_what_is_said(kind):
    loss = Loss(kind, None, ("a", "b"), None)
    logits, mask = torch.randn(2, 2, 5, 6), torch.randint(0, 2, (2, 5, 6))
    mask[0, 0] = 255
    function = getattr(losses, {"cross-entropy": "cross_entropy"}.get(kind, f"{kind}_loss"))
    torch.testing.assert_close(loss(logits, mask), function(logits, mask))
    assert not loss.seen.any()
    with torch.no_grad():
        loss(torch.stack([torch.ones(2, 5, 6), torch.zeros(2, 5, 6)], 1), mask)
    assert loss.seen[0].tolist() == [54, 0]
    assert loss.never_predicted() == ["b"]
    assert loss.never_predicted() == []


def train(home, out, *more):
    return main(["train", "--model", "unet", "--data", str(home), "--out", str(out), *SHORT, *more])


@pytest.mark.slow
def test_a_class_that_is_never_predicted_is_named(tmp_path, capsys):
    options = ["--steps", "30", "--eval-every", "10", "--class-weights", "1,0,0", "--learning-rate", "0.01"]
    assert train(folder(tmp_path / "set"), tmp_path / "run", *options) == 0
    out = capsys.readouterr().out
    assert "never predicted: " in out
    assert [line.split(":")[0] for line in out.splitlines() if "loss" in line][:3] == ["step 10", "step 20", "step 30"]


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
def test_a_config_file_says_what_the_command_line_says(tmp_path, capsys):
    home = folder(tmp_path / "set")
    assert train(home, tmp_path / "run", "--steps", "2", "--loss", "dice", "--augment", "flips", "--size", "40") == 0
    config = json.loads((tmp_path / "run/config.json").read_text())
    again = ["train", "--config", str(tmp_path / "run/config.json"), "--out", str(tmp_path / "again"), "--workers", "0"]
    assert main(again) == 0
    assert json.loads((tmp_path / "again/config.json").read_text()) == config
    assert (tmp_path / "again/metrics.csv").read_bytes() == (tmp_path / "run/metrics.csv").read_bytes()
    assert main([*again[:-4], "--out", str(tmp_path / "third"), "--seconds", "0.1", "--workers", "0"]) == 0
    text = f"model: unet\ndata: {home}\nsteps: 1\nbatch_size: 2\ncrop: 32\nworkers: 0\nskip_unlabelled: true\n"
    (tmp_path / "run.yaml").write_text(text)
    assert main(["train", "--config", str(tmp_path / "run.yaml"), "--out", str(tmp_path / "fourth")]) == 0
    assert json.loads((tmp_path / "fourth/config.json").read_text())["reading"]["skip_unlabelled"]
    (tmp_path / "run.yaml").write_text("lerning_rate: 1\n")
    with pytest.raises(SystemExit):
        main(["train", "--config", str(tmp_path / "run.yaml"), "--model", "unet", "--data", "x", "--out", "y"])
    assert "--lerning-rate is unknown, did you mean --learning-rate?" in capsys.readouterr().err


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
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
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


def test_dsb2018_is_recognised_as_a_folder(tmp_path):
    from picture_files import nuclei_tree

    place = nuclei_tree(tmp_path) / "dsb2018/stage1_train"
    train_set, val, facts = training_sets(str(place), 32)
    assert (len(train_set), len(val), facts["objects"]) == (2, 2, True)
    assert sets.bowl("nowhere") is None


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
