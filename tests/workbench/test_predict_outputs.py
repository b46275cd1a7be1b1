"""What `seglib predict` writes beside label maps: probabilities, means over looks, legends; and what it finds."""

import numpy as np
import pytest
import torch
from picture_files import save
from PIL import Image

from seglib.plotting import class_color
from workbench.cli import main
from workbench.drawing import outlined, with_legend
from workbench.pictures import Picture, find_pictures
from workbench.tiles import mean_of_looks

FACTS = {"model": "unet", "grey": True, "objects": False, "classes": ["background", "cell", "nut"]}


class Slope(torch.nn.Module):
    """Logits that follow the prepared picture: the brighter, the surer of class 1; class 2 is never likely."""

    def __init__(self):
        super().__init__()
        self.steepness = torch.nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return torch.cat([x * 0, x * self.steepness, x * 0 - 9], 1)


@pytest.fixture
def predict(tmp_path, monkeypatch):
    """Predict with `Slope`; return the status."""
    monkeypatch.setattr("workbench.networks.load_run", lambda _: (Slope(), FACTS))
    return lambda *arguments: main(["predict", "--weights", "x", "--out", str(tmp_path / "out"), *map(str, arguments)])


def test_probabilities_and_threshold(tmp_path, predict):
    picture = np.tile(np.arange(0, 250, 2, dtype=np.uint8), (70, 1))
    path = save(tmp_path / "ramp.png", picture)
    prepared = (picture - picture.mean()) / picture.std()
    wanted = 1 / (1 + np.exp(-prepared) + np.exp(-9 - prepared))
    assert predict(path, "--probabilities", "--threshold", 0.7) == 0
    shares = np.load(tmp_path / "out/probabilities/ramp.npy")
    assert shares.shape == (3, 70, 125)
    assert shares.dtype == np.float16
    assert np.abs(shares[1] - wanted).max() < 1e-3
    labels = np.array(Image.open(tmp_path / "out/labels/ramp.png"))
    sure = np.abs(wanted - 0.7) > 1e-4
    assert np.array_equal(labels[sure], (wanted > 0.7)[sure].astype(int))
    assert 0.2 < labels.mean() < 0.4
    assert predict(path) == 0
    assert 0.49 < np.array(Image.open(tmp_path / "out/labels/ramp.png")).mean() < 0.51


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("unet", ["--threshold", "1.5"], "--threshold is 1.5; wanted is a probability between 0 and 1"),
        ("nuclei", ["--looks", "4"], "nuclei finds objects and has no probabilities of pixels"),
        ("nuclei", ["--threshold", "0.5"], "leave out --probabilities, --threshold and --looks"),
    ],
)
def test_options_that_a_network_cannot_follow(tmp_path, predict, monkeypatch, capsys, model, arguments, message):
    monkeypatch.setattr("workbench.networks.load_run", lambda _: (Slope(), FACTS | {"model": model}))
    assert predict(save(tmp_path / "a.png", np.zeros((40, 40), np.uint8)), *arguments) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def lopsided(batch):
    """Logits that grow to the right whatever the picture is: a network that mirrored looks should correct."""
    ramp = torch.linspace(-3, 3, batch.shape[-1]).expand(len(batch), 1, *batch.shape[-2:])
    return torch.cat([ramp, -ramp], 1)


def test_the_mean_over_looks():
    batch = torch.rand(2, 3, 64, 96)
    assert mean_of_looks(lopsided, 1) is lopsided
    for looks in (4, 12):
        shares = mean_of_looks(lopsided, looks)(batch).softmax(1)
        assert torch.allclose(shares, torch.full_like(shares, 0.5), atol=1e-5)
    sizes = []

    def seen(batch):
        sizes.append(tuple(batch.shape[-2:]))
        return lopsided(batch)

    mean_of_looks(seen, 12)(torch.rand(1, 3, 128, 256))
    assert sorted(set(sizes)) == [(96, 192), (128, 256), (160, 320)]
    assert len(sizes) == 12

    # What hardly depends on place and size comes out as it was; an answer of the picture alone stays itself.
    def bright(batch):
        return torch.cat([batch[:, :1] * 0, batch[:, :1] * 4 - 2], 1)

    flat = torch.full((1, 3, 64, 64), 0.75)
    assert torch.allclose(mean_of_looks(bright, 12)(flat).softmax(1), bright(flat).softmax(1), atol=1e-5)


def test_folders_are_walked_and_masks_left_alone(tmp_path, predict, capsys):
    grey = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64).astype(np.uint8)
    for name in (
        "images/june/a.png",
        "images/july/a.png",
        "masks/june/a.png",
        "trainannot/a.png",
        "x.png",
        "x_mask.png",
    ):
        save(tmp_path / "set" / name, grey)
    save(tmp_path / "set/.cache/b.png", grey)
    assert sorted(find_pictures([tmp_path / "set"])) == ["images/july/a", "images/june/a", "x"]
    assert "3 masks among the pictures are passed over" in capsys.readouterr().err
    assert predict(tmp_path / "set") == 0
    written = sorted(
        path.relative_to(tmp_path / "out/labels").as_posix() for path in (tmp_path / "out").rglob("labels/**/*.png")
    )
    assert written == ["images/july/a.png", "images/june/a.png", "x.png"]
    save(tmp_path / "set/x.tif", grey)
    assert predict(tmp_path / "set") == 1
    assert "have the same name up to the suffix: keep one" in capsys.readouterr().err


def test_pictures_of_any_size_are_opened(tmp_path, predict, monkeypatch, recwarn):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow refuses above twice as many
    picture = np.arange(80 * 90, dtype=np.uint16).reshape(80, 90).astype(np.uint8)
    path = save(tmp_path / "large.png", picture)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(path)
    assert predict(path) == 0
    assert main(["score", str(tmp_path / "out"), str(tmp_path / "out")]) == 0
    assert Image.MAX_IMAGE_PIXELS == 1000
    assert not [each for each in recwarn if "decompression bomb" in str(each.message)]


def test_outlines_are_one_pixel_wide_and_thin_things_keep_their_colour():
    picture, labels = np.full((300, 400, 3), 128, np.uint8), np.zeros((300, 400), np.uint8)
    labels[100:200, 100:200], labels[20, 10:390] = 1, 2
    figure = outlined(picture, labels)
    assert np.allclose(figure[labels == 0], 128 / 255)  # nothing spreads out
    assert np.allclose(figure[20, 10:390], class_color(2))
    assert np.allclose(figure[100, 100:200], class_color(1))
    inside = figure[101:199, 101:199].reshape(-1, 3)
    assert np.allclose(inside, 0.65 * 128 / 255 + 0.35 * class_color(1))


def test_a_legend_is_wrapped_and_shows_the_colours():
    picture = np.zeros((50, 120, 3))
    figure = with_legend(picture, [(f"class {k}", class_color(k)) for k in range(1, 7)])
    assert np.array_equal(figure[:50], picture)
    assert figure.shape[1] == 120
    assert figure.shape[0] > 50 + 3 * 22 - 1  # six entries of some 70 px
    below = figure[50:].reshape(-1, 3)
    for k in range(1, 7):
        assert (np.abs(below - class_color(k)).max(1) < 0.01).sum() > 100


def test_pictures_of_16_bits_are_stretched_in_figures(tmp_path):
    dim = (np.arange(64 * 64).reshape(64, 64) % 400 + 300).astype(np.uint16)
    shown = Picture(save(tmp_path / "dim.png", dim), True).reduced(1)
    assert shown.min() == 0
    assert shown.max() == 255
    assert 100 < shown.mean() < 155
