"""A detector on pictures larger than its window: every object once, drawn without overlaps."""

import json

import numpy as np
import pytest
import torch
from detected_spots import Spots
from picture_files import own_pictures, save
from PIL import Image

from workbench.cli import main
from workbench.detections import detect, paint
from workbench.networks import load_run


@pytest.mark.parametrize("tile", [64, 96, 512])
def test_every_object_is_found_once_and_whole_wherever_windows_meet(tile):
    picture, expected = torch.zeros(1, 200, 170), []
    for number, (top, left) in enumerate([(0, 0), (20, 26), (60, 60), (28, 90), (100, 5), (185, 155), (118, 120)]):
        picture[0, top : top + 12, left : left + 10] = 0.6 + number / 20
        expected.append((round(0.6 + number / 20, 4), 1, top, left))
    picture[0, 150, 20] = 0.3  # too faint to count
    shares = []
    found = detect(Spots(), lambda top, bottom: picture[:, top:bottom], (200, 170), tile, 32, shares.append)
    assert [(round(score, 4), *place) for score, *place, _ in found] == sorted(expected, reverse=True)
    assert {part.shape for *_, part in found} == {(12, 10)}
    assert shares[-1] == 1


def test_the_better_of_two_that_overlap_is_drawn_whole_and_doubles_are_dropped():
    square = np.ones((4, 4), bool)
    found = [(0.9, 1, 0, 0, square), (0.8, 1, 0, 1, square), (0.7, 2, 0, 3, square), (0.6, 1, 0, 0, square)]
    instances, kept = paint(found, (4, 8))
    assert [each[:4] for each in kept] == [found[0][:4], found[2][:4]]
    assert [each[4].sum(0).tolist() for each in kept] == [[4, 4, 4, 4], [0, 4, 4, 4]]
    assert instances[0].tolist() == [1, 1, 1, 1, 2, 2, 2, 0]


def test_nothing_found_is_an_empty_map():
    assert detect(Spots(), lambda top, bottom: torch.zeros(1, bottom - top, 40), (70, 40), 64, 32) == []
    instances, kept = paint([], (3, 5))
    assert (instances.shape, instances.max(), kept) == ((3, 5), 0, [])


@pytest.mark.slow
def test_a_detector_is_trained_asked_and_scored(tmp_path, capsys):
    short = ["--steps", "1", "--batch-size", "2", "--crop", "64", "--workers", "0"]
    run = str(tmp_path / "run")
    assert main(["train", "--model", "mask_rcnn", "--data", "cells", "--out", run, *short]) == 0
    header = (tmp_path / "run/metrics.csv").read_text().splitlines()[0]
    assert {"loss_mask", "loss_objectness", "val_AP"} <= set(header.split(","))
    network, config = load_run(run)
    assert (config["model"], config["objects"], network.training) == ("mask_rcnn", True, False)
    own_pictures(tmp_path / "own")
    asked = ["--data", str(tmp_path / "own"), "--foreground", "255"]
    assert main(["train", "--model", "mask_rcnn", *asked, "--out", run + "2", *short]) == 1
    assert "mask_rcnn learns single objects" in capsys.readouterr().err
    assert not (tmp_path / "run2").exists()


def test_detections_become_labels_overlays_and_coco_with_their_classes(tmp_path, monkeypatch):
    picture = np.zeros((90, 200), np.uint8)
    picture[10:30, 10:40], picture[40:70, 120:150] = 255, 200
    path = save(tmp_path / "spots.png", picture)
    facts = {"model": "mask_rcnn", "grey": True, "objects": True, "classes": ["background", "dim", "bright"]}

    class ByBrightness(Spots):
        def forward(self, images):
            found = super().forward(images)
            for each in found:
                each["labels"] = 1 + (each["scores"] > each["scores"].amax() - 0.1).long()
                each["scores"] = each["scores"] * 0 + 0.75
            return found

    monkeypatch.setattr("workbench.networks.load_run", lambda _: (ByBrightness(), facts))
    assert main(["predict", "--weights", "x", str(path), "--out", str(tmp_path / "out")]) == 0
    labels = np.array(Image.open(tmp_path / "out/labels/spots.png"))
    assert np.array_equal(labels, np.select([picture == 255, picture == 200], [2, 1], 0))
    coco = json.loads((tmp_path / "out/objects.json").read_text())
    assert [each["name"] for each in coco["categories"]] == ["dim", "bright"]
    assert sorted((each["category_id"], each["bbox"], each["area"], each["score"]) for each in coco["annotations"]) == [
        (1, [120, 40, 30, 30], 900, 0.75),
        (2, [10, 10, 30, 20], 600, 0.75),
    ]
    assert main(["score", str(tmp_path / "out"), str(tmp_path / "out"), "--json", str(tmp_path / "s.json")]) == 0
    assert json.loads((tmp_path / "s.json").read_text())["mean"]["AP"] == 1
