"""The page of `seglib data check`, and notes that don't bury each other."""

import base64
import io
import re

import numpy as np
import pytest
from picture_files import labels, save
from PIL import Image
from test_data_check import check, small_set

from workbench import checking
from workbench.checking import check_folder


@pytest.fixture
def folder(tmp_path):
    return small_set(tmp_path)


def test_the_page_stands_alone_and_shows_faults_first(folder):
    save(folder / "test/masks/test2.png", np.full((40, 50), 9, np.uint8))
    path = folder / "test/images/<b>&.png"
    (folder / "test/images/test1.png").rename(path)
    (folder / "test/masks/test1.png").rename(folder / "test/masks/<b>&.png")
    (folder / "train/masks/train1.png").unlink()
    assert check(folder) == 1
    page = (folder.parent / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=.(?!data:)", page)
    captions = re.findall(r"<figcaption>(.*?)(?:<br>|</figcaption>)", page)
    assert captions[:2] == ["train/train1", "test/test2"]
    assert sorted(captions[2:]) == ["test/&lt;b&gt;&amp;", "test/test0", "train/train0", "train/train2"]
    assert page.count("has no mask") == page.count("holds the labels 9") == 1
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)" alt="([^"]+)"', page)
    assert len(pictures) == 6
    assert all(Image.open(io.BytesIO(base64.b64decode(source))).size == (50, 40) for source, _ in pictures)
    assert "test/test0, 40 x 50 px, with its mask laid over it: ground, tree" in [alt for _, alt in pictures]
    assert [path.name for path in folder.parent.iterdir() if "page" in path.name] == ["page.html"]


def test_the_page_of_a_large_set_is_a_sample():
    from workbench.data_page import choose

    pictures = [checking.CheckedPair("all", str(number), None, None) for number in range(1000)]
    pictures[500].faults.append(("can't be read", "x"))
    shown = choose(pictures)
    assert len(shown) == len({picture.name for picture in shown}) == 60
    assert shown[0] is pictures[500]
    assert choose(pictures[:3]) == pictures[:3]


def test_many_near_twins_within_a_split_are_one_note(folder):
    """Frames of a video."""
    original = np.asarray(Image.open(folder / "train/images/train0.png"))
    for number in range(3, 9):
        save(folder / f"train/images/train{number}.png", original // number * number)
        save(folder / f"train/masks/train{number}.png", labels(40, 50))
    told = [note for note in check_folder(folder).notes if "nearly" in note]
    assert len(told) == 1
    assert told[0].startswith("6 pictures are nearly the same as an earlier one of their split, such as: ")


def test_pictures_that_use_few_of_16_bits_are_seen_on_the_page(folder):
    save(folder / "train/images/train0.png", np.full((40, 50), 700, np.uint16) + np.arange(50, dtype=np.uint16) * 20)
    assert check(folder) == 0
    page = (folder.parent / "page.html").read_text(encoding="utf-8")
    sources = re.findall(r'base64,([^"]+)" alt="train/train0,', page)
    assert np.asarray(Image.open(io.BytesIO(base64.b64decode(sources[0])))).max() > 150
