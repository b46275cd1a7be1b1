"""The ladder: its graph cut is the cheapest, its intervals are those of all resamples, its table is never stale."""

import csv
import json
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from seglib import metrics
from seglib.scenes import Cells, Streets
from seglib.transforms import crop

sys.path.append(str(Path(__file__).resolve().parent.parent))  # benchmarks/ is no installed package

from benchmarks import graph_cut, ladder, ladder_networks, ladder_pictures, ladder_simple


@pytest.mark.parametrize("seed", range(4))
def test_no_mask_of_nine_pixels_is_cheaper_than_the_cut(seed):
    rng = np.random.default_rng(seed)
    links = graph_cut.grid_links(rng.random((3, 3)), smoothness=(0.1, 0.5, 1, 5)[seed])
    costs = rng.normal(size=(2, 9))

    def energy(mask):
        """Counted from the links one by one."""
        parted = sum(price for one, other, price in zip(*links, strict=True) if mask[one] != mask[other])
        return sum(costs[int(mask[pixel]), pixel] for pixel in range(9)) + parted

    cheapest = min(energy(mask) for mask in product((False, True), repeat=9))
    assert energy(graph_cut.cheapest_mask(costs, *links)) == pytest.approx(cheapest, abs=0.02)  # prices are rounded


def test_each_pair_of_neighbours_is_linked_once():
    one, other, prices = graph_cut.grid_links(np.zeros((3, 4)), smoothness=2.0)
    rows, columns = (abs(np.subtract(*np.unravel_index([one, other], (3, 4))[axis])) for axis in (0, 1))
    assert np.maximum(rows, columns).max() == 1
    assert len({frozenset(pair) for pair in zip(one.tolist(), other.tolist(), strict=True)}) == len(one) == 29
    assert prices == pytest.approx(2 / np.hypot(rows, columns))  # no difference: only the distance counts


def test_grab_cut_finds_a_square_under_noise():
    truth = np.zeros((40, 40), bool)
    truth[10:30, 15:35] = True
    noisy = np.clip(0.3 + 0.2 * truth + 0.1 * np.random.default_rng(0).standard_normal((40, 40)), 0, 1)
    assert metrics.binary_iou(graph_cut.grab_cut(noisy, smoothness=2, components=1, rounds=3), truth) > 0.95
    assert not graph_cut.grab_cut(np.full((9, 9), 0.5), smoothness=10, components=1, rounds=3).any()


def runs_of(shared, covered):
    return {"shared": np.array(shared, float)[:, None], "covered": np.array(covered, float)[:, None]}


def test_the_interval_is_that_of_all_resamples():
    ones = [runs_of([9, 5, 1, 8, 6], [10, 10, 9, 20, 7]), runs_of([8, 6, 3, 8, 6], [10, 11, 9, 20, 7])]
    others = [runs_of([7, 6, 1, 2, 5], [11, 10, 9, 20, 8])]
    differences = []
    for drawn in product(range(5), repeat=5):  # 3,125 equally likely resamples
        means = [
            np.mean(
                [sum(run["shared"][i, 0] for i in drawn) / sum(run["covered"][i, 0] for i in drawn) for run in side]
            )
            for side in (ones, others)
        ]
        differences.append(means[0] - means[1])
    expected = np.percentile(differences, [2.5, 97.5])
    assert ladder.interval(ladder.mean_iou, ones, others, resamples=40_000) == pytest.approx(expected, abs=0.004)
    assert np.ptp(expected) > 0.2  # so that the tolerance says something


def test_the_interval_is_paired():
    covered = np.full(20, 100)
    shared = np.arange(20) * 4  # pictures differ widely, and the second method is 5 points behind on each
    low, high = ladder.interval(ladder.mean_iou, [runs_of(shared + 5, covered)], [runs_of(shared, covered)])
    assert (low, high) == pytest.approx((0.05, 0.05))


def test_one_picture_has_no_interval():
    assert ladder.interval(ladder.mean_iou, [runs_of([1], [2])], [runs_of([1], [3])]) == ("", "")


def counted(task, answers, samples):
    counts = [ladder_pictures.count(task, *pair) for pair in zip(answers, samples, strict=True)]
    return ladder.arrays(json.loads(json.dumps(ladder.columns(counts))))


def test_counts_of_streets_give_the_metrics_pooled_over_pictures():
    samples, rng = list(Streets(4, size=32, seed=3)), np.random.default_rng(0)
    answers = [np.where(rng.random((32, 32)) < 0.5, s["mask"] % 11, rng.integers(0, 11, (32, 32))) for s in samples]
    counts = counted("streets", answers, samples)
    matrix = sum(metrics.confusion_matrix(a, s["mask"], 11) for a, s in zip(answers, samples, strict=True))
    assert ladder.pooled(ladder.mean_iou, counts) == pytest.approx(metrics.mean_iou(matrix))
    assert ladder.pooled(ladder.car_iou, counts) == pytest.approx(metrics.iou(matrix)[6])


def test_counts_of_nuclei_give_the_metrics_pooled_over_pictures():
    samples = list(Cells(4, size=64, seed=5))
    answers = [np.roll(s["mask"].numpy() == 1, 2, axis=0) for s in samples]
    counts = counted("nuclei", answers, samples)
    truth = np.stack([s["mask"].numpy() == 1 for s in samples])
    assert ladder.pooled(ladder.mean_iou, counts) == pytest.approx(metrics.binary_iou(np.stack(answers), truth))
    objects = [ladder_pictures.split_touching(a) for a in answers]
    scores = [metrics.instance_f1(o, s["instances"]) for o, s in zip(objects, samples, strict=True)]
    assert ladder.pooled(ladder.object_f1, counts) == pytest.approx(sum(scores[1:], scores[0]).f1)
    assert ladder.pooled(ladder.unsplit_f1, counts) < ladder.pooled(ladder.object_f1, counts)


def test_an_instance_map_is_not_split_again():
    instances = torch.zeros(20, 30, dtype=torch.int64)
    instances[5:15, 3:13], instances[5:15, 13:28] = 1, 2  # they touch, and there is no waist between them
    sample = {"mask": (instances > 0).long(), "instances": instances}
    counts = ladder_pictures.count("nuclei", instances.numpy(), sample)
    assert (counts["hits"], counts["errors"]) == ([2], [0])
    assert (counts["hits_unsplit"], counts["errors_unsplit"]) == ([1], [1])


def test_void_counts_neither_for_nor_against():
    objects = np.zeros((4, 12), int)
    objects[:, :4], objects[:, 6:] = 1, 2
    void = np.zeros((4, 12), bool)
    void[:, 3], void[:, 8:] = True, True  # a quarter of object 1, two thirds of object 2
    found = ladder_pictures.clear_of_void(objects, void)
    assert np.unique(found).tolist() == [0, 1]
    assert (found == 1).sum() == 12


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """A ladder of seven short rows on a few pictures, written into an empty folder."""
    for module in (ladder_pictures, ladder_simple, ladder_networks):
        for name, value in {"TRAIN": (4, 1), "VALIDATION": (2, 5_000), "TEST": (3, 30_000)}.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    caches = (ladder_pictures.pictures, ladder_pictures.test_sets, ladder_simple.shares_of_classes)
    caches += (ladder_simple.drawn_pixels, ladder_networks.mild_weights)
    for cached in caches:
        cached.cache_clear()
    monkeypatch.setattr(ladder_networks, "STEPS", 1)
    monkeypatch.setattr(ladder_networks, "BATCH", 2)
    monkeypatch.setattr(ladder_pictures, "PHOTOS", ())
    wanted = {"nothing: one object", "Otsu's threshold", "nothing: one class", "small network", "Mask R-CNN"}
    monkeypatch.setattr(ladder, "ROWS", [row for row in ladder.ROWS if row.method in wanted])
    monkeypatch.setattr(ladder, "COUNTS", tmp_path / "counts.jsonl")
    monkeypatch.setattr(ladder, "LADDER", tmp_path / "ladder.csv")
    yield tmp_path
    for cached in caches:
        cached.cache_clear()


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_small_ladder_from_nothing(tiny):
    ladder.main([])
    rows = read(tiny / "ladder.csv")
    order = ["nothing: one object", "Otsu's threshold", *["small network"] * 3, *["Mask R-CNN"] * 3]
    assert [row["method"] for row in rows if row["task"] == "nuclei"] == order
    assert [row["seed"] for row in rows if row["task"] == "streets"] == ["0", "0", "1", "2"]
    otsu, network = rows[1], rows[2]
    assert (otsu["previous"], otsu["iou_best_without_network"]) == ("nothing: one object",) * 2
    assert float(otsu["iou_ahead_of_previous"]) == pytest.approx(float(otsu["iou"]) - float(rows[0]["iou"]), abs=1e-4)
    assert float(otsu["iou_ahead_of_previous_low"]) <= float(otsu["iou_ahead_of_previous_high"])
    assert network["object_f1_best_without_network"] == "Otsu's threshold"
    assert network["setting"] == "cross-entropy, learning rate 0.003, 1 steps of 2"
    assert rows[5]["setting"] == "the detector's five, learning rate 0.002, 2 steps of 1"
    assert (rows[0]["previous"], rows[0]["iou_ahead_of_previous_high"]) == (rows[0]["method"], "0.0")
    assert otsu["mean_iou"] == "", "streets' scores do not belong to nuclei"

    before = (tiny / "counts.jsonl").read_text(encoding="utf-8")
    ladder.main([])  # nothing is missing
    assert (tiny / "counts.jsonl").read_text(encoding="utf-8") == before
    ladder.main(["nuclei: Otsu's threshold"])  # replaced, not doubled
    assert read(tiny / "ladder.csv") == rows
    with pytest.raises(SystemExit, match="Rows: nuclei: nothing"):
        ladder.main(["Otsu"])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["small network", "SegNet-Basic", "DeepLabv3+"])
def test_networks_answer_at_every_size(tiny, method):
    (row,) = (row for row in ladder_networks.ROWS if (row.task, row.method) == ("nuclei", method))
    answer, _ = row.make(0)
    found = answer(crop(Cells(1, size=64)[0], 0, 0, 37, 51))
    assert (found.shape, found.dtype) == ((37, 51), bool)


@pytest.mark.slow
def test_the_real_pictures_are_reduced_to_the_generated_nuclei():
    usual = np.median(
        [ladder_pictures.median_diameter(s["instances"]) for s in Cells(100, seed=5_000) if s["mask"].any()]
    )
    real = ladder_pictures.reduced_photo("nuclei")
    assert real["image"].shape == (1, 273, 273)
    assert ladder_pictures.median_diameter(real["instances"]) == pytest.approx(usual, rel=0.05)
    assert len(real["instances"].unique()) == 126


def test_the_stored_table_is_what_the_stored_counts_give():
    """Rows may be missing; none is left from another setting or compared with what is no longer there."""
    stored, runs = read(ladder.LADDER), ladder.read_counts()
    for row, made in zip(stored, ladder.ladder(runs), strict=True):
        for column, value in made.items():
            if isinstance(value, float):
                assert float(row[column]) == pytest.approx(value, abs=1e-3), (row["method"], column)
            else:
                assert row[column] == str(value), (row["method"], column)
    for run in runs:
        assert len(run["counts"]["shared"]) == (1 if run["pictures"].startswith("photo") else 100)


@pytest.mark.parametrize(
    ("pictures", "method", "kind"), [("Cells", "nothing: one object", 1), ("Streets", "nothing: one class", 3)]
)
def test_the_stored_counts_are_of_the_pictures_as_they_are_drawn_today(pictures, method, kind):
    """Whoever changes a scene measures the ladder anew: what fills the picture shares all of the truth's pixels."""
    (run,) = (run for run in ladder.read_counts() if (run["pictures"], run["method"]) == (pictures, method))
    scene = {"Cells": Cells, "Streets": Streets}[pictures](100, seed=30_000)
    place = kind if pictures == "Streets" else 0
    today = [int((scene[i]["mask"] == kind).sum()) for i in range(5)]
    assert [counts[place] for counts in run["counts"]["shared"][:5]] == today
    assert any(today)
