import pickle

import numpy as np
import pytest
import torch
from picture_files import colours, labels, save
from torch.utils.data import DataLoader

from seglib.datasets import FolderDataset, InMemory, read_image, read_mask
from seglib.transforms import Compose, Grayscale, RandomCrop, RandomFlip


@pytest.fixture
def folders(tmp_path):
    """Images and masks of three pictures, 8 x 10, whose names want counting."""
    for name in ("cell2", "cell10", "cell1"):
        save(tmp_path / f"images/{name}.png", colours())
        save(tmp_path / f"masks/{name}.png", labels())
    return tmp_path / "images", tmp_path / "masks"


def test_samples_of_a_folder(folders):
    data = FolderDataset(*folders)
    assert len(data) == 3
    assert data.classes == ("background", "object")
    assert [sample["name"] for sample in data] == ["cell1", "cell2", "cell10"]  # as people count
    assert data[-1]["name"] == "cell10"
    sample = data[1]
    assert torch.equal(sample["image"], read_image(folders[0] / "cell2.png"))
    assert torch.equal(sample["mask"], read_mask(folders[1] / "cell2.png"))
    with pytest.raises(IndexError):
        data[3]


def test_folder_suffixes_may_differ_and_hidden_files_do_not_count(tmp_path):
    save(tmp_path / "i/a.JPG", colours(), quality=90)
    save(tmp_path / "m/a.png", labels())
    (tmp_path / "i/.DS_Store").write_text("x")
    (tmp_path / "m/._a.png").write_text("x")
    data = FolderDataset(tmp_path / "i", str(tmp_path / "m"))
    assert len(data) == 1
    assert data[0]["image"].shape == (3, 8, 10)


def test_a_folder_feeds_a_loader_with_workers_and_transforms(folders):
    transform = Compose([RandomCrop(6), RandomFlip(), Grayscale()])
    data = pickle.loads(pickle.dumps(FolderDataset(*folders, transform=transform)))
    batch = next(iter(DataLoader(data, batch_size=3, num_workers=1)))
    assert batch["image"].shape == (3, 1, 6, 6)
    assert batch["mask"].shape == (3, 6, 6)
    assert batch["name"] == ["cell1", "cell2", "cell10"]


def test_reading_is_lazy(folders):
    (folders[0] / "cell2.png").write_bytes(b"no picture")
    data = FolderDataset(*folders)
    assert data[0]["name"] == "cell1"
    with pytest.raises(ValueError, match=r"cell2\.png can't be read"):
        data[1]


def test_a_missing_partner_is_named(folders):
    images, masks = folders
    (masks / "cell2.png").unlink()
    with pytest.raises(ValueError, match=r"image .*images.cell2\.png has no mask: wanted is .*masks.cell2\.png"):
        FolderDataset(images, masks)
    (images / "cell2.png").unlink()
    (images / "cell1.png").unlink()
    with pytest.raises(ValueError, match=r"mask .*masks.cell1\.png has no image.* 1 of 2 masks are alone"):
        FolderDataset(images, masks)


def test_a_mask_of_another_size_is_named(folders):
    save(folders[1] / "cell1.png", labels(10, 8))
    with pytest.raises(ValueError, match=r"masks.cell1\.png is \(10, 8\) but .*cell1\.png \(8, 10\)"):
        FolderDataset(*folders)[0]


def test_labels_must_fit_the_classes(folders):
    mask = labels(highest=2)
    mask[0, :2] = 255, 7
    save(folders[1] / "cell1.png", mask)
    with pytest.raises(ValueError, match=r"cell1\.png holds the labels 7; wanted are 0, 1, 2, 255 for"):
        FolderDataset(*folders, classes=["sky", "road", "car"])[0]
    with pytest.raises(ValueError, match=r"holds the labels 2, 7; wanted are 0, 1, 255"):
        FolderDataset(*folders)[0]
    names = list("abcdefgh")
    assert torch.equal(FolderDataset(*folders, classes=names)[0]["mask"], torch.from_numpy(mask).long())


def test_labels_in_grey_values_are_told_without_a_flood(folders):
    save(folders[1] / "cell1.png", np.arange(80, dtype=np.uint8).reshape(8, 10))
    with pytest.raises(ValueError, match=r"labels 2, 3, 4, 5, 6 \.\.\. 79; wanted"):
        FolderDataset(*folders)[0]


def test_black_and_white_masks_are_asked_about(folders):
    mask = labels()
    save(folders[1] / "cell1.png", mask * 255)
    with pytest.raises(ValueError, match=r"cell1\.png holds 0 and 255 only.*pass foreground=255"):
        FolderDataset(*folders)[0]
    assert torch.equal(FolderDataset(*folders, foreground=255)[0]["mask"], torch.from_numpy(mask).long())
    void = FolderDataset(*folders, foreground=1)[0]["mask"]
    assert torch.equal(void, torch.from_numpy(mask).long() * 255)
    save(folders[1] / "cell1.png", mask * 254)
    with pytest.raises(ValueError, match=r"labels 254; wanted are 0, 255"):
        FolderDataset(*folders, foreground=255)[0]
    with pytest.raises(ValueError, match="foreground is for two classes, not 3"):
        FolderDataset(*folders, classes="abc", foreground=255)


def test_a_mask_without_objects_or_without_labels_is_fine(folders):
    save(folders[1] / "cell1.png", np.zeros((8, 10), np.uint8))
    save(folders[1] / "cell2.png", np.full((8, 10), 255, np.uint8))
    data = FolderDataset(*folders)
    assert data[0]["mask"].max() == 0
    assert data[1]["mask"].min() == 255


def test_what_does_not_belong_into_a_folder_is_named(folders, tmp_path):
    images, masks = folders
    for name in ("notes.txt", "cell1.gif", "Thumbs.db"):
        (images / name).write_text("x")
        with pytest.raises(ValueError, match=rf"{name} is none of \.png"):
            FolderDataset(images, masks)
        (images / name).unlink()
    (images / "old.png").mkdir()
    with pytest.raises(ValueError, match=r"old\.png is none of"):
        FolderDataset(images, masks)
    (images / "old.png").rmdir()
    save(masks / "cell1.jpg", labels())
    with pytest.raises(ValueError, match=r"masks.cell1\.jpg is none of \.png \.tif \.tiff \.bmp"):
        FolderDataset(images, masks)
    (masks / "cell1.jpg").unlink()
    save(images / "cell1.bmp", colours())
    with pytest.raises(ValueError, match=r"cell1\.png and cell1\.bmp have the same name"):
        FolderDataset(images, masks)
    (images / "cell1.bmp").unlink()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty holds no pictures"):
        FolderDataset(tmp_path / "empty", masks)
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*absent"):
        FolderDataset(images, tmp_path / "absent")


class Counting:
    """Counts how often it is asked."""

    def __init__(self):
        self.asked = 0

    def __len__(self):
        return 2

    def __getitem__(self, index):
        self.asked += 1
        return {"image": torch.arange(2.0).view(1, 1, 2) + 10 * index, "mask": torch.tensor([[0, 1]])}


def test_each_sample_is_read_once_and_stays_as_it_was():
    source = Counting()
    data = InMemory(source)
    assert [data[i]["image"].tolist() for i in (1, 0, 1)] == [[[[10, 11]]], [[[0, 1]]], [[[10, 11]]]]
    assert (len(data), source.asked) == (2, 2)
    with pytest.raises(IndexError):
        data[2]


def test_a_random_transform_is_drawn_anew_each_time():
    data = InMemory(Counting(), RandomFlip(vertical=False))
    torch.manual_seed(0)
    versions = [data[0] for _ in range(20)]
    assert {tuple(v["mask"].flatten().tolist()) for v in versions} == {(0, 1), (1, 0)}
    assert all(v["image"].flatten().tolist() == v["mask"].flatten().tolist() for v in versions)
    assert data.samples[0]["mask"].tolist() == [[0, 1]]
