"""Windows of single objects give the average precision and panoptic quality of whole pictures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seglib.metrics import average_precision, panoptic_quality
from workbench.scoring import score_objects
from workbench.windows import VOID, windows


def maps(rng, side, step, classes, jitter):
    """Blocks that touch each other, some of them missing, cut in two or moved; a class for each."""
    instances, mask, number = np.zeros((side, side), np.int32), np.zeros((side, side), np.uint8), 0
    for row in range(0, side, step):
        for column in range(0, side, step):
            top, left = (max(place + rng.integers(-jitter, jitter + 1), 0) for place in (row, column))
            halves = [(top, step)] if rng.random() < 0.7 else [(top, step // 2), (top + step // 2, step // 2)]
            for first, height in halves:
                if rng.random() < 0.1:
                    continue
                view = slice(first, first + height), slice(left, left + step)
                free = instances[view] == 0
                if free.any():
                    number += 1
                    instances[view][free] = number
                    mask[view][free] = rng.integers(1, classes + 1)
    return {"mask": mask, "instances": instances, "scores": rng.random(number)}


def whole(found, true):
    """The same figures with one mask of the whole picture for each object."""

    def detections(side):
        ids = np.arange(1, len(side["scores"]) + 1)
        labels = [np.bincount(side["mask"][side["instances"] == number]).argmax() for number in ids]
        masks = side["instances"] == ids[:, None, None]
        return {"masks": masks, "labels": np.array(labels, int), "scores": side["scores"]}

    precision = average_precision(map(detections, found), map(detections, true))
    quality = panoptic_quality(found, true)["per_class"]
    return precision, {label: each["PQ"] for label, each in quality.items() if label != 0}


def same(found, true):
    cut = [pair for one, other in zip(found, true, strict=True) for pair in windows(one, other)]
    figures, by_class = score_objects(cut)
    precision, quality = whole(found, true)
    assert figures["AP"] == pytest.approx(precision["AP"], nan_ok=True)
    assert figures["AP50"] == pytest.approx(precision["AP50"], nan_ok=True)
    assert figures["PQ"] == pytest.approx(np.mean(list(quality.values())))
    for label, each in by_class.items():
        for name, values in (("AP", precision["per_class"]), ("AP50", precision["per_class_50"]), ("PQ", quality)):
            assert (each[name] is None and label not in values) or each[name] == pytest.approx(values[label])


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), step=st.sampled_from([2, 4, 6]), classes=st.integers(1, 3), jitter=st.integers(0, 2))
def test_figures_are_those_of_whole_pictures(seed, step, classes, jitter):
    """Blocks of even sides: an IoU of exactly one half is common, and so are objects cut in two."""
    rng = np.random.default_rng(seed)
    found, true = ([maps(rng, 24, step, classes, jitter) for _ in range(2)] for _ in range(2))
    void = rng.random((24, 24)) < 0.1
    for side in true:
        side["mask"][void] = VOID
        side["instances"][void] = 0
        _, numbered = np.unique(side["instances"], return_inverse=True)
        side["instances"] = numbered.reshape(24, 24).astype(np.int32)
        side["scores"] = np.ones(side["instances"].max())
    same(found, true)


def test_of_a_class_the_hundred_best_of_a_picture_count():
    rng = np.random.default_rng(1)
    found, true = maps(rng, 60, 4, 1, 0), maps(rng, 60, 4, 1, 0)
    assert len(found["scores"]) > 200
    found["scores"] = found["scores"].round(1)  # many are equal: the first ones count
    same([found], [true])


def test_windows_are_as_small_as_their_objects():
    found, true = ({"mask": np.zeros((900, 900), np.uint8), "scores": np.ones(2)} for _ in range(2))
    for side, moved in ((found, 0), (true, 1)):
        side["instances"] = np.zeros((900, 900), np.int32)
        side["instances"][10 + moved : 20 + moved, 10:20] = 1
        side["instances"][800 : 805 + moved, 400:420] = 2
        side["mask"] = (side["instances"] > 0).astype(np.uint8)
    assert sorted(window["mask"].shape for window, _ in windows(found, true)) == [(6, 20), (11, 10)]


def test_a_picture_without_objects_is_one_empty_window():
    empty = {"mask": np.zeros((5, 6), np.uint8), "instances": np.zeros((5, 6), np.int32), "scores": np.zeros(0)}
    ((prediction, target),) = windows(empty, empty)
    assert len(prediction["labels"]) == len(target["labels"]) == 0
    assert score_objects([(prediction, target)])[0] == {"AP": None, "AP50": None, "PQ": None}


def test_an_object_on_the_background_is_refused():
    maps = {"mask": np.zeros((5, 6), np.uint8), "instances": np.ones((5, 6), np.int32), "scores": np.ones(1)}
    with pytest.raises(ValueError, match="object 1 lies on the background"):
        windows(maps, maps)
