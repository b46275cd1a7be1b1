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
from seglib.carried import carried
from seglib.scenes import photo, photo_names, photographs, photos

NAMES = photo_names()
DRAWN = [*NAMES, "bright_nuclei", "portrait"]


@pytest.mark.parametrize("name", [*DRAWN, "nuclei"])
def test_a_photo_is_complete(name):
    sample = photo(name)
    height, width = sample["mask"].shape
    assert sample["image"].shape[:2] == sample["instances"].shape == (height, width)
    assert sample["image"].dtype == np.float64
    assert 0 <= sample["image"].min() < 0.2 < 0.8 < sample["image"].max() <= 1
    assert set(sample) == {"name", "title", "image", "mask", "instances", "classes"}
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
@pytest.mark.parametrize("name", [*DRAWN, "stained_tissue"])
def test_the_stored_mask_is_what_the_outlines_give(name):
    stored = np.array(Image.open(photographs.FOLDER / f"{name}.png"))
    assert np.array_equal(stored, draw_masks.mask(name))


@pytest.mark.parametrize("name", [*DRAWN, "nuclei", "stained_tissue"])
def test_the_notes_say_who_drew_what_and_how(name):
    notes = photographs.read_notes(name)
    for key in ("title", "credit", "licence"):
        assert notes[key]
    assert notes["classes"][0] in ("background", "none")
    assert {"by", "date", "how"} <= set(notes["drawn"])
    assert {"typical", "largest", "checked"} <= set(notes["accuracy"])
    assert (notes["accuracy"]["largest"] or 0) <= 3  # px
    for source in [*notes["sources"], notes.get("truth", notes["sources"][0])]:
        path = carried(source["carried"]) if "carried" in source else files(source["package"]) / source["file"]
        content = path.read_bytes()
        assert hashlib.sha256(content).hexdigest() == source["sha256"]


def test_there_are_enough_and_they_are_named_once():
    assert len(NAMES) == 13
    assert list(photos()) == NAMES
    assert {path.stem for path in photographs.FOLDER.glob("*.json")} == {*NAMES, *photographs.MORE}
    with pytest.raises(ValueError, match="no photo 'dog'; there are: astronaut"):
        photo("dog")


def test_the_coins_are_24_separate_round_objects():
    instances = photo("coins")["instances"]
    assert instances.max() == 24
    for number, box in enumerate(ndimage.find_objects(instances), start=1):
        coin = instances[box] == number
        assert ndimage.label(coin)[1] == 1
        height, width = coin.shape
        assert 0.75 < coin.sum() / (np.pi / 4 * height * width) < 1.05


@pytest.mark.parametrize(
    ("name", "count", "shape", "brightest"),
    [("nuclei", 125, (512, 512), 235), ("bright_nuclei", 57, (1024, 1344), 255), ("portrait", 1, (600, 512, 3), 255)],
)
def test_what_was_numbered_is_counted_and_in_one_piece(name, count, shape, brightest):
    sample = photo(name)
    assert sample["image"].shape == shape
    assert sample["image"].max() == pytest.approx(brightest / 255)
    assert sample["instances"].max() == count
    for number, box in enumerate(ndimage.find_objects(sample["instances"]), start=1):
        pieces = ndimage.label(sample["instances"][box] == number, np.ones((3, 3)))[1]
        assert pieces == 1, f"{name}: region {number} has {pieces} pieces"


def test_the_experts_instances_are_the_files():
    truth = np.array(Image.open(carried("nuclei_instances.tif")))
    instances = photo("nuclei")["instances"]
    assert len(np.unique(truth)) == 126
    assert len(np.unique(np.stack([truth, instances]).reshape(2, -1), axis=1).T) == 126, "numbered anew, one to one"
    assert np.array_equal(truth == 0, instances == 0)


def test_the_bright_nuclei_are_bright_and_the_stained_tissue_has_no_truth():
    sample = photo("bright_nuclei")
    mean = ndimage.mean(sample["image"], sample["instances"], range(1, 58)) * 255
    assert (np.flatnonzero(mean > 100) + 1).tolist() == [12, 56, 57]
    assert 25 < np.median(mean) < 50
    assert mean.min() > 1.15 * np.median(sample["image"][sample["mask"] == 0]) * 255
    area = np.bincount(sample["instances"].ravel())[1:]
    assert 60 < 2 * np.sqrt(np.median(area) / np.pi) < 100
    assert 0.01 < (sample["mask"] == 255).mean() < 0.04
    tissue = photo("stained_tissue")
    assert tissue["image"].shape == (300, 500, 3)
    assert (tissue["mask"] == 255).all()
    assert not tissue["instances"].any()


def test_an_unknown_name_lists_the_others():
    with pytest.raises(ValueError, match=r"no photo 'dog'; there are: astronaut, .*, bright_nuclei, nuclei, "):
        photo("dog")


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
