"""CocoDataset: pycocotools' masks to the pixel, and errors that name file and annotation."""

import copy
import json
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import colours, save
from pycocotools import mask as oracle
from pycocotools.coco import COCO

from seglib.datasets import CocoDataset, read_image
from seglib.datasets.coco_masks import mask_of
from seglib.targets import instances_to_targets
from seglib.transforms import Normalize, RandomFlip

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools

BLOB = np.zeros((6, 7), np.uint8, order="F")
BLOB[1:3, 1:3] = 1
# Two pictures with objects, one without; polygons, both RLEs, a crowd; ids that are no places in a list.
SQUARE = [[1, 1, 5, 1, 5, 4, 1, 4]]  # 4 x 3 pixels at row 1, column 1
CONTENT = {
    "images": [
        {"id": 70, "file_name": "b.png", "height": 8, "width": 10},
        {"id": 7, "file_name": "sub/a.png", "height": 6, "width": 7},
        {"id": 1, "file_name": "none.png", "height": 8, "width": 10},
    ],
    "categories": [{"id": 18, "name": "dog"}, {"id": 3, "name": "car"}],
    "annotations": [
        {"id": 5, "image_id": 70, "category_id": 3, "iscrowd": 1, "bbox": [0, 0, 10, 8],
         "segmentation": {"size": [8, 10], "counts": [0, 80]}},
        {"id": 9, "image_id": 70, "category_id": 18, "iscrowd": 0, "bbox": [1, 1, 4, 3], "segmentation": SQUARE},
        {"id": 6, "image_id": 70, "category_id": 3, "bbox": [2.5, 1, 4, 6.5],
         "segmentation": [[3, 1, 7, 1, 7, 8, 3, 8]]},
        {"id": 4, "image_id": 7, "category_id": 18, "iscrowd": 0, "bbox": [1, 1, 2, 2],
         "segmentation": {"size": [6, 7], "counts": oracle.encode(BLOB)["counts"].decode()}},
    ],
}  # fmt: skip


def write(folder, content):
    path = folder / "notes.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path):
    for name, size in (("b", (8, 10)), ("sub/a", (6, 7)), ("none", (8, 10))):
        save(tmp_path / f"{name}.png", colours(*size))
    write(tmp_path, CONTENT)
    return tmp_path


def changed(path, value):
    """CONTENT with one place changed; the path's last part may be new."""
    content = copy.deepcopy(CONTENT)
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return content


def test_samples(folder):
    data = CocoDataset(folder, folder / "notes.json")
    assert len(data) == 3
    assert data.classes == ("background", "dog", "car")
    sample = data[0]
    assert sample["name"] == "b"
    assert torch.equal(sample["image"], read_image(folder / "b.png"))
    assert sample["labels"].tolist() == [1, 2, 2]  # the objects in the file's order, then the crowd
    assert sample["iscrowd"].tolist() == [0, 0, 1]
    assert sample["boxes"].tolist() == [[1, 1, 5, 4], [2.5, 1, 6.5, 7.5], [0, 0, 10, 8]]
    square, tall = torch.zeros(2, 8, 10, dtype=torch.uint8)
    square[1:4, 1:5], tall[1:8, 3:7] = 1, 1
    assert torch.equal(sample["masks"], torch.stack([square, tall, torch.ones_like(tall)]))
    ids = torch.where(square == 1, 1, torch.where(tall == 1, 2, 0))  # the smaller one on top
    assert torch.equal(sample["instances"], ids)
    assert torch.equal(sample["mask"], torch.tensor([2, 1, 2])[ids])
    assert [sample[key].dtype for key in ("boxes", "labels", "masks", "iscrowd", "mask", "instances")] == [
        torch.float32, torch.int64, torch.uint8, torch.int64, torch.int64, torch.int64]  # fmt: skip
    assert data[1]["masks"][0].tolist() == BLOB.tolist()
    assert data[1]["name"] == "a"
    with pytest.raises(IndexError):
        data[3]


@pytest.mark.parametrize("box", [None, "missing"])
def test_a_box_that_is_null_or_missing_is_put_around_the_mask(folder, box):
    content = changed(("annotations", 1, "bbox"), box)
    if box == "missing":
        del content["annotations"][1]["bbox"]
    given = CocoDataset(folder, folder / "notes.json")[0]["boxes"]
    assert torch.equal(CocoDataset(folder, write(folder, content))[0]["boxes"], given)
    content["annotations"][1]["segmentation"] = [[1, 1, 1, 1, 1, 1]]
    with pytest.raises(ValueError, match=r"annotation 9 of b\.png: it has no box, and its mask no pixel"):
        CocoDataset(folder, write(folder, content))[0]


def test_a_picture_without_objects(folder):
    sample = CocoDataset(folder, folder / "notes.json")[2]
    shapes = {key: tuple(sample[key].shape) for key in ("boxes", "labels", "masks", "iscrowd")}
    assert shapes == {"boxes": (0, 4), "labels": (0,), "masks": (0, 8, 10), "iscrowd": (0,)}
    assert sample["mask"].max() == sample["instances"].max() == 0


def test_masks_are_those_of_pycocotools(folder, capsys):
    data, other = CocoDataset(folder, folder / "notes.json"), COCO(folder / "notes.json")
    for (picture, _), sample in zip(data.samples, data, strict=True):
        annotations = other.loadAnns(other.getAnnIds(imgIds=picture["id"]))
        annotations.sort(key=lambda each: each.get("iscrowd", 0))
        assert [other.annToMask(each).tolist() for each in annotations] == sample["masks"].tolist()


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(data=st.data(), height=st.integers(1, 40), width=st.integers(1, 40), places=st.sampled_from([0, 1, 2, 15]))
def test_every_pixel_of_any_polygon(data, height, width, places):
    """Corners on and between pixels, outside, twice; outlines that cross themselves; several parts: one union."""
    x, y = (st.floats(-0.4 * side, 1.4 * side).map(lambda v: round(v, places)) for side in (width, height))
    corner = st.tuples(x, y)
    polygons = data.draw(st.lists(st.lists(corner, min_size=3, max_size=9), min_size=1, max_size=3))
    polygons = [[value for corner in polygon for value in corner] for polygon in polygons]
    expected = oracle.decode(oracle.merge(oracle.frPyObjects(polygons, height, width)))
    assert np.array_equal(mask_of(polygons, height, width), expected)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 999), height=st.integers(1, 90), width=st.integers(1, 90), share=st.floats(0, 1))
def test_every_pixel_of_any_runs(seed, height, width, share):
    rng = np.random.default_rng(seed)
    mask = rng.random((height, width)) < share
    mask[:, width // 2 :] = rng.random() < 0.5  # long runs
    packed = oracle.encode(np.asfortranarray(mask, np.uint8))["counts"].decode()
    assert np.array_equal(mask_of({"size": [height, width], "counts": packed}, height, width), mask)
    flat = mask.T.ravel()
    changes = np.flatnonzero(np.diff(np.concatenate([[False], flat]).astype(int)))
    runs = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    assert np.array_equal(mask_of({"size": [height, width], "counts": runs}, height, width), mask)


def test_a_byte_order_mark_and_windows_paths_are_read(folder):
    (folder / "deep").mkdir()
    (folder / "b.png").rename(folder / "deep/b.png")
    path = write(folder, changed(("images", 0, "file_name"), "deep\\b.png"))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert CocoDataset(folder, path)[0]["name"] == "b"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("images", 0, "file_name"), "c.png", r"notes\.json: image 70, .*c\.png, is missing"),
        (("images", 0, "height"), 0, r"image 70, b\.png, is of size \[0, 10\]"),
        (("images", 1, "id"), 70, r"images has the id 70 twice"),
        (("images", 0), {"id": 3}, r"images has an entry without file_name, height, width"),
        (("images", 0, "id"), [70], r"images has an entry without id: "),
        (("images", 0, "file_name"), None, r"images has an entry without file_name: "),
        (("images", 0, "file_name"), 12, r"images has an entry without file_name: "),
        (("images", 0, "height"), 8.0, r"image 70, b\.png, is of size \[8\.0, 10\]"),
        (("annotations", 1, "image_id"), [70], r"annotations has an entry without image_id: "),
        (("annotations", 1, "segmentation"), 5, r"annotations has an entry without segmentation: "),
        (("annotations", 1, "segmentation"), [[1, 1]], r"annotation 9 of b\.png has a polygon of 2 numbers"),
        (("categories", 1, "id"), 18, r"categories has the id 18 twice"),
        (("categories", 1, "name"), "dog", r"but background, not \('dog', 'dog'\)"),
        (("categories", 1, "name"), "background", r"but background, not \('dog', 'background'\)"),
        (("categories",), [], r"1 to 254 different names"),
        (("categories",), None, r"notes\.json holds .*; wanted are the lists images, annotations, categories"),
        (("annotations", 2, "id"), 9, r"annotations has the id 9 twice"),
        (("annotations", 1), "x", r"annotations has an entry without id, image_id"),
        (("annotations", 1, "image_id"), 71, r"annotation 9 belongs to image 71, which is not among the images"),
        (("annotations", 1, "category_id"), 1, r"annotation 9 of b\.png has the category 1; there are \[18, 3\]"),
        (("annotations", 1, "iscrowd"), 2, r"annotation 9 of b\.png has iscrowd 2"),
        (("annotations", 1, "bbox"), [1, 1, 0, 3], r"annotation 9 of b\.png has the box \[1, 1, 0, 3\]"),
        (("annotations", 1, "bbox"), [1, 1, 4, -3], r"annotation 9 of b\.png has the box"),
        (("annotations", 1, "bbox"), [1, 1, 4, float("nan")], r"annotation 9 of b\.png has the box"),
        (("annotations", 1, "bbox"), [1, 1, 4], r"annotation 9 of b\.png has the box"),
        (("annotations", 1, "bbox"), ["1", "1", "4", "3"], r"annotation 9 of b\.png has the box"),
        (("annotations", 1, "segmentation"), [], r"annotation 9 of b\.png has no list of polygons .* only boxes"),
        (("annotations", 1, "segmentation"), [1, 1, 5, 1, 5, 4], r"annotation 9 of b\.png has no list of polygons"),
        (("annotations", 1, "segmentation"), [[1, 1, 5, 1]], r"annotation 9 of b\.png has a polygon of 4 numbers"),
        (("annotations", 1, "segmentation"), [[1, 1, 5, 1, 5, 4, 2]], r"polygon of 7 numbers"),
        (("annotations", 0, "segmentation"), {"size": [8, 10]}, r"annotation 5 of b\.png has an RLE without size or"),
    ],
)  # fmt: skip
def test_a_faulty_file_is_refused_at_once(folder, path, value, message):
    with pytest.raises(ValueError, match=message):
        CocoDataset(folder, write(folder, changed(path, value)))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (1, [[1, 1, 500, 1, 5, 4]], r"annotation 9 of b\.png: its polygon's point \[500\.0, 1\.0\] is far outside"),
        (1, [[1, 1, float("nan"), 1, 5, 4]], r"annotation 9 of b\.png: its polygon's point \[nan, 1\.0\]"),
        (
            0,
            {"size": [10, 8], "counts": [80]},
            r"annotation 5 of b\.png: its RLE is of height and width \[10, 8\]",
        ),
        (
            0,
            {"size": [8, 10], "counts": [79]},
            r"annotation 5 of b\.png: the runs of its RLE are not whole numbers that add up to 8 x 10",
        ),
        (0, {"size": [8, 10], "counts": [90, -10]}, r"not whole numbers that add up"),
        (0, {"size": [8, 10], "counts": [40.0, 40.0]}, r"not whole numbers that add up"),
        (0, {"size": [8, 10], "counts": []}, r"not whole numbers that add up"),
        (1, [[{"x": 1, "y": 2}] * 6], r"annotation 9 of b\.png: float\(\) argument must be"),
        (0, {"size": None, "counts": [1]}, r"annotation 5 of b\.png: its RLE is of height and width None"),
        (0, {"size": [8, 10], "counts": "!"}, r"annotation 5 of b\.png: its RLE holds letters that no RLE has"),
        (0, {"size": [8, 10], "counts": "Po"}, r"annotation 5 of b\.png: its RLE .* breaks off"),
    ],
)
def test_a_faulty_outline_is_refused_when_it_is_read(folder, place, value, message):
    data = CocoDataset(folder, write(folder, changed(("annotations", place, "segmentation"), value)))
    assert data[1]["name"] == "a"  # pictures without it can be read
    with pytest.raises(ValueError, match=message):
        data[0]


def test_a_picture_of_another_size_is_named(folder):
    save(folder / "b.png", colours(10, 8))
    with pytest.raises(ValueError, match=r"b\.png is \(10, 8\) but .*notes\.json says \(8, 10\) .*EXIF"):
        CocoDataset(folder, folder / "notes.json")[0]


@pytest.mark.parametrize("content", ["{", "", "[1, 2]", '{"images": []}', '"x"'])
def test_no_json_or_another(folder, content):
    with pytest.raises(ValueError, match=r"notes\.json (is no JSON|holds)"):
        CocoDataset(folder, write(folder, content))


def test_nothing_there(folder):
    with pytest.raises(FileNotFoundError, match=r"other\.json"):
        CocoDataset(folder, folder / "other.json")
    with pytest.raises(ValueError, match=r"absent.b\.png, is missing. Is it the right folder"):
        CocoDataset(folder / "absent", folder / "notes.json")


def test_pictures_are_read_when_asked_for(folder):
    (folder / "b.png").write_bytes(b"no picture")
    data = CocoDataset(str(folder), str(folder / "notes.json"))
    assert data[1]["labels"].tolist() == [1]
    with pytest.raises(ValueError, match=r"b\.png can't be read"):
        data[0]


def moved(sample):
    maps = {key: sample[key] for key in ("image", "mask", "instances")}
    return instances_to_targets(RandomFlip(vertical=False)(maps))


def test_transforms_and_workers(folder):
    looks = pickle.loads(
        pickle.dumps(CocoDataset(folder, folder / "notes.json", transform=Normalize((0,) * 3, (2,) * 3)))
    )
    plain = CocoDataset(folder, folder / "notes.json")
    loader = torch.utils.data.DataLoader(looks, batch_size=None, num_workers=1)
    for sample, before in zip(loader, plain, strict=True):
        assert torch.equal(sample["image"], before["image"] / 2)
        assert torch.equal(sample["masks"], before["masks"])
    with pytest.raises(ValueError, match="would not move along"):
        CocoDataset(folder, folder / "notes.json", transform=RandomFlip())[0]
    torch.manual_seed(1)
    boxes = {str(CocoDataset(folder, folder / "notes.json", transform=moved)[1]["boxes"].tolist()) for _ in range(8)}
    assert boxes == {"[[1.0, 1.0, 3.0, 3.0]]", "[[4.0, 1.0, 6.0, 3.0]]"}
