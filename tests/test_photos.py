"""The real photos: outlines become masks, masks fit the pictures, and data/photos says where all of it comes from."""

import hashlib
import json
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import draw_masks
import outlines
from seglib.scenes import photo, photo_names, photographs, photos

NAMES = photo_names()


@pytest.mark.parametrize("name", NAMES)
def test_a_photo_is_complete(name):
    sample = photo(name)
    height, width = sample["mask"].shape
    assert sample["image"].shape[:2] == sample["instances"].shape == (height, width)
    assert sample["image"].dtype == np.float64
    assert 0 <= sample["image"].min() < 0.2 < 0.8 < sample["image"].max() <= 1
    assert sample["mask"].dtype == sample["instances"].dtype == np.uint8
    used = set(np.unique(sample["mask"]).tolist()) - {0, 255}
    assert used == set(range(1, len(sample["classes"]))), "every class of the list occurs, and no other"
    numbers = np.unique(sample["instances"])
    numbers = numbers[numbers > 0]
    assert numbers.tolist() == list(range(1, len(numbers) + 1)), "no region is hidden under the others"
    assert not sample["instances"][(sample["mask"] == 0) | (sample["mask"] == 255)].any()
    for number in numbers:
        assert len(np.unique(sample["mask"][sample["instances"] == number])) == 1
    assert (sample["mask"] == 255).mean() < 0.3


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_stored_mask_is_what_the_outlines_give(name):
    stored = np.array(Image.open(photographs.FOLDER / f"{name}.png"))
    assert np.array_equal(stored, draw_masks.mask(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_notes_say_who_drew_what_and_how(name):
    notes = photographs.read_notes(name)
    for key in ("title", "credit", "licence"):
        assert notes[key]
    assert notes["classes"][0] in ("background", "none")
    assert {"by", "date", "how"} <= set(notes["drawn"])
    assert {"typical", "largest", "checked"} <= set(notes["accuracy"])
    assert notes["accuracy"]["largest"] <= 3  # px
    for source in notes["sources"]:
        content = (files(source["package"]) / source["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == source["sha256"]


def test_there_are_enough_and_they_are_named_once():
    assert len(NAMES) >= 10
    assert list(photos()) == NAMES
    with pytest.raises(ValueError, match="no photo 'dog' in data/photos; there are: astronaut"):
        photo("dog")


def test_the_coins_are_24_separate_round_objects():
    instances = photo("coins")["instances"]
    assert instances.max() == 24
    for number, box in enumerate(ndimage.find_objects(instances), start=1):
        coin = instances[box] == number
        assert ndimage.label(coin)[1] == 1
        height, width = coin.shape
        assert 0.75 < coin.sum() / (np.pi / 4 * height * width) < 1.05


def test_a_missing_folder_of_the_course_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(photographs, "FOLDER", tmp_path / "data/photos")
    for ask in (photos, photo_names, lambda: photo("coins")):
        with pytest.raises(FileNotFoundError, match=r"no outlines of photos in .*photos: they come with a copy of the"):
            ask()


def test_another_picture_in_the_library_is_refused(tmp_path, monkeypatch):
    notes = photographs.read_notes("coins")
    notes["sources"][0]["sha256"] = "0" * 64
    (tmp_path / "coins.json").write_text(json.dumps(notes), encoding="utf-8")
    (tmp_path / "coins.png").write_bytes((photographs.FOLDER / "coins.png").read_bytes())
    monkeypatch.setattr(photographs, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"skimage/data/coins\.png is not the file that was annotated \(\d+ bytes"):
        photo("coins")


def region(*parts, minus=(), name="thing"):
    return {"class": name, "parts": list(parts), "minus": list(minus)}


def test_polygons_are_painted_in_order_with_holes_and_void():
    left, right = ({"polygon": [[x, -1], [x + 4, -1], [x + 4, 9], [x, 9]]} for x in (-0.5, 2.5))
    hole = {"polygon": [[4.5, 1.5], [5.5, 1.5], [5.5, 2.5], [4.5, 2.5]]}
    everything = {"polygon": "all"}
    painted = outlines.paint([region(everything), region(left), region(right, minus=[hole])], (4, 8))
    row = [2, 2, 2, 3, 3, 3, 3, 1]
    assert painted.tolist() == [row, row, [2, 2, 2, 3, 3, 1, 3, 1], row]
    assert outlines.paint([region(left, name="void")], (1, 8)).tolist() == [[255] * 4 + [0] * 4]


def test_an_ellipse_has_its_area_and_tilt():
    shape = {"ellipse": [40, 30, 20, 8, 90]}
    mask = outlines.paint([region(shape)], (60, 80)) > 0
    assert mask.sum() == pytest.approx(np.pi * 20 * 8, rel=0.015)
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max()) == (10, 50)
    assert (columns.min(), columns.max()) == (32, 48)


def test_a_curve_passes_through_its_points_and_is_round():
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    points = np.stack([50 + 30 * np.cos(angle), 50 + 30 * np.sin(angle)], axis=1)
    curve = outlines.outline({"curve": points.tolist()})
    assert np.abs(np.linalg.norm(curve - 50, axis=1) - 30).max() < 0.1
    np.testing.assert_allclose(curve[::8], points)
