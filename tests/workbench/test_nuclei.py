"""The network for nuclei: its targets, how it cuts apart, the size and the exposure it gives a picture."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from picture_files import save
from PIL import Image
from skimage.draw import disk, ellipse
from skimage.measure import block_reduce

from seglib.carried import carried
from seglib.metrics import instance_f1
from seglib.scenes import Cells, photo
from workbench.cli import main
from workbench.detections import enlarged
from workbench.networks import load_run
from workbench.nuclei import (
    Nuclei,
    any_exposure,
    as_nuclei_ask,
    centrality,
    cut_apart,
    exposed,
    exposed_as_predicted,
    reduced,
    reduction,
    typical_diameter,
)
from workbench.pictures import Picture


def drawn(*shapes, size=(64, 64)):
    """An instance map with these (rows, columns) in it."""
    instances = np.zeros(size, int)
    for number, pixels in enumerate(shapes, start=1):
        instances[pixels] = number
    return instances


def test_centrality_of_a_disk_falls_evenly_from_its_middle_to_its_edge():
    central = centrality(drawn(disk((32, 32), 20)))
    radius = np.hypot(*(np.indices((64, 64)) - 32))
    inside = radius < 19
    assert central[32, 32] == 1
    assert np.abs(central - (1 - radius / 20.5))[inside].max() < 0.06
    assert (central[radius > 20] == 0).all()


@pytest.mark.parametrize("ratio", [1, 2, 4])
def test_however_long_a_nucleus_is_it_stays_in_one_piece(ratio):
    central = centrality(drawn(ellipse(32, 32, 6, 6 * ratio, rotation=0.4)))
    assert cut_apart(central > 0, central).max() == 1


def test_nuclei_that_touch_are_told_apart_and_the_border_is_no_edge():
    instances = np.ones((20, 40), int)
    instances[:, 20:] = 2
    central = centrality(instances)
    assert central[10, 19] < 0.1
    assert central[10, 0] > central[10, 19]
    assert (central > 0).all()
    assert (centrality(np.zeros((5, 7), int)) == 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_nuclei_are_cut_as_their_centrality_says(seed):
    truth = Cells(1, size=160, seed=seed)[0]["instances"].numpy()
    central = centrality(truth)
    score = instance_f1(cut_apart(central > 0, central), truth)
    assert score.f1 > 0.93


def test_specks_and_flat_ground_are_no_nuclei():
    speck = drawn(disk((20, 20), 2))
    assert cut_apart(speck > 0, centrality(speck)).max() == 0
    ground = np.ones((30, 30), bool)
    assert cut_apart(ground, np.full((30, 30), 0.2)).max() == 0


def test_a_picture_is_reduced_to_nuclei_of_about_twenty_pixels():
    assert [reduction(diameter) for diameter in (0, 6, 20, 29.9, 30, 40, 88, 120)] == [1, 1, 1, 1, 2, 2, 4, 6]
    assert typical_diameter([np.pi * 25, np.pi * 100, np.pi * 10_000]) == pytest.approx(20)
    assert typical_diameter([]) == 0


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 6))
def test_reducing_takes_means_of_blocks(height, width, step):
    image = torch.rand(1, height, width)
    small = reduced(image, step)[0].numpy()
    padded = np.pad(image[0].numpy(), ((0, -height % step), (0, -width % step)), mode="edge")
    assert np.allclose(small, block_reduce(padded, (step, step), np.mean), atol=1e-6)


def test_what_was_reduced_comes_back_in_its_place():
    large = drawn(disk((50, 61), 28), size=(103, 118)) > 0
    small = reduced(torch.from_numpy(large[None].astype(np.float32)), 4)[0].numpy() >= 0.5
    rows, columns = np.flatnonzero(small.any(1)), np.flatnonzero(small.any(0))
    part = small[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    _, _, top, left, mask = enlarged((0.5, 1, rows[0], columns[0], part), 4, large.shape)
    back = np.zeros(large.shape, bool)
    back[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    assert (back & large).sum() / (back | large).sum() > 0.92


def test_an_enlarged_object_ends_with_its_picture():
    _, _, top, left, mask = enlarged((0.5, 1, 0, 2, np.ones((3, 3), bool)), 4, (10, 18))
    assert (top, left, mask.shape) == (0, 8, (10, 10))
    assert mask[2:8, 2:8].all()


def test_the_exposure_keeps_the_order_and_spreads_what_is_dim():
    values = exposed(torch.tensor([0.1, 0.2, 0.3, 0.6]), 0.1, 0.6)
    assert values[0] == pytest.approx(0, abs=1e-6)
    assert values[-1] == pytest.approx(1, abs=1e-6)
    assert 0.3 < values[1] < values[2] < 1
    assert torch.isfinite(exposed(torch.zeros(3), 0.0, 0.0)).all()


@pytest.mark.parametrize(("kind", "most"), [(np.uint8, 255), (np.uint16, 65535), (np.uint16, 235)])
def test_a_picture_is_exposed_by_its_percentiles_whatever_its_bits(tmp_path, kind, most):
    values = (np.random.default_rng(0).random((90, 70)) ** 3 * most).astype(kind)
    save(tmp_path / "a.png", values)
    picture = Picture(tmp_path / "a.png", grey=True, exposed=True)
    image = torch.from_numpy(values / np.iinfo(kind).max).float()[None]
    assert torch.allclose(picture.read(0, 90), exposed_as_predicted({"image": image})["image"], atol=0.02)
    picture.step = 3
    assert picture.size == (30, 24)
    assert torch.allclose(picture.raw(3, 7), reduced(image, 3)[:, 3:7], atol=1e-6)


def test_the_same_picture_with_less_light_gives_the_same_nuclei(tmp_path):
    sample = (photo("nuclei")["image"] * 255).astype(np.uint8)[:128, :128]
    save(tmp_path / "in/as_it_is.png", sample)
    save(tmp_path / "in/sixteen_bits.png", sample.astype(np.uint16) * 40 + 500)
    assert main(["predict", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 0
    one, other = (np.array(Image.open(path)) for path in sorted((tmp_path / "out/labels").iterdir()))
    assert (one > 0).sum() > 500
    assert (one != other).mean() < 0.01


def test_training_pictures_are_reduced_by_what_their_nuclei_ask_for():
    instances = torch.from_numpy(drawn(disk((60, 60), 28), size=(150, 122)))
    sample = {"image": torch.rand(1, 150, 122), "mask": (instances > 0).long(), "instances": instances}
    small = as_nuclei_ask(sample, 40)
    assert small["image"].shape[1:] == small["mask"].shape == small["instances"].shape
    assert small["mask"].shape[0] == 50
    assert 17 < typical_diameter([int(small["mask"].sum())]) < 21
    assert as_nuclei_ask(sample, 100)["mask"].shape == (150, 122)
    empty = sample | {"mask": torch.zeros(150, 122).long(), "instances": torch.zeros(150, 122).long()}
    assert as_nuclei_ask(empty, 40)["mask"].shape == (150, 122)


def test_any_exposure_is_drawn_anew():
    sample = {"image": torch.rand(1, 20, 20)}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first, second = any_exposure(sample)["image"], any_exposure(sample)["image"]
    assert not torch.equal(first, second)
    assert first.isfinite().all()


def test_the_network_learns_as_a_detector_and_answers_as_one():
    network = Nuclei()
    masks = torch.zeros(1, 40, 56, dtype=torch.uint8)
    masks[0, 10:20, 10:24] = 1
    losses = network([torch.rand(1, 40, 56)] * 2, [{"masks": masks}, {"masks": masks[:0]}])
    sum(losses.values()).backward()
    assert losses.keys() == {"foreground", "centrality"}
    assert all(parameter.grad is not None for parameter in network.parameters())
    network.eval()
    with torch.no_grad():
        found = network([torch.rand(1, 40, 56), torch.rand(1, 5, 3)])
    for each, size in zip(found, [(40, 56), (5, 3)], strict=True):
        assert each["masks"].shape[2:] == size
        assert len(each["boxes"]) == len(each["labels"]) == len(each["scores"]) == len(each["masks"])


@pytest.mark.slow
def test_stained_tissue_is_told_from_fluorescence(tmp_path, capsys):
    stained = Picture(carried("stained_tissue.jpg"), grey=True, exposed=True)
    assert stained.is_bright_field()
    for name in ("nuclei.tif", "bright_nuclei.png"):
        assert not Picture(carried(name), grey=True, exposed=True).is_bright_field()
    assert main(["predict", str(carried("stained_tissue.jpg")), "--out", str(tmp_path / "out")]) == 0
    assert "made for fluorescence" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("name", "file"), [("nuclei", "nuclei.tif"), ("bright_nuclei", "bright_nuclei.png")])
def test_real_nuclei_are_found_with_no_options(tmp_path, name, file):
    assert main(["predict", str(carried(file)), "--out", str(tmp_path)]) == 0
    sample, found = photo(name), json.loads((tmp_path / "objects.json").read_text())["annotations"]
    labels = np.array(Image.open(next((tmp_path / "labels").iterdir())))
    certain = sample["mask"] != 255
    truth = sample["instances"] > 0
    assert ((labels > 0) & truth).sum() / ((labels > 0) | truth)[certain].sum() > 0.75
    assert 0.85 * sample["instances"].max() < len(found) < 1.2 * sample["instances"].max()


@pytest.mark.parametrize("diameter", ["0", "-3", "nan"])
def test_a_diameter_is_above_zero_and_for_nuclei(tmp_path, capsys, diameter):
    save(tmp_path / "a.png", np.zeros((64, 64), np.uint8))
    arguments = ["predict", str(tmp_path / "a.png"), "--out", str(tmp_path / "out"), "--diameter", diameter]
    assert main(arguments) == 1
    assert "--diameter" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_given_diameter_is_taken_and_an_empty_picture_has_none(tmp_path):
    save(tmp_path / "a.png", np.full((70, 64), 9, np.uint8))
    assert main(["predict", str(tmp_path / "a.png"), "--out", str(tmp_path / "out"), "--diameter", "50"]) == 0
    assert json.loads((tmp_path / "out/objects.json").read_text())["annotations"] == []
    assert main(["predict", str(tmp_path / "a.png"), "--out", str(tmp_path / "more")]) == 0


@pytest.mark.slow
def test_it_is_trained_goes_on_from_the_shipped_one_and_predicts(tmp_path):
    short = ["--steps", "1", "--batch-size", "2", "--crop", "64", "--workers", "0"]
    run = ["train", "--model", "nuclei", "--data", "cells", "--out", str(tmp_path / "run")]
    assert main([*run, "--weights", "nuclei", *short]) == 0
    assert load_run(tmp_path / "run")[1]["model"] == "nuclei"
    save(tmp_path / "a.png", (Cells(1, size=96)[0]["image"][0].numpy() * 255).astype(np.uint8))
    predict = ["predict", str(tmp_path / "a.png"), "--out", str(tmp_path / "out"), "--weights", str(tmp_path / "run")]
    assert main(predict) == 0
    assert (tmp_path / "out/objects.json").exists()
