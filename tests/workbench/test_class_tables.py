"""Class tables of names, labels and colours, and what is void in them."""

import numpy as np
import pytest
from picture_files import save

from workbench.class_tables import MaskReader, as_table, class_names, likely_cause, read_table


def test_void_means_255_in_every_table(tmp_path):
    """A class called void on any line of names, or of numbers or colours, is none."""
    (tmp_path / "names.txt").write_text("sky\nunlabelled\nroad\n")
    mask = save(tmp_path / "m.png", np.array([[0, 1, 2, 255]], np.uint8))
    reader = MaskReader(read_table(tmp_path / "names.txt"))
    assert reader.classes == ("sky", "road")
    assert reader(mask).tolist() == [[0, 255, 1, 255]]
    for word in ("void", "Void", "ignore", "__ignore__", "unlabeled", "Unlabelled"):
        table = as_table({"sky": 2, word: 0, "road": 1})
        assert class_names(table) == ("sky", "road")
        assert MaskReader(table)(mask).tolist() == [[255, 1, 0, 255]]
        assert class_names(as_table({"sky": [0, 0, 0], word: [1, 2, 3]})) == ("sky",)


TABLES = {
    "0,background\n7,car\n11,bus\n": {"background": 0, "car": 7, "bus": 11},
    "id;name\n0;background\n7;car\n": {"background": 0, "car": 7},
    "background,0\ncar,7\n": {"background": 0, "car": 7},
    "2 wheelers\nlorry\n": {"2 wheelers": 0, "lorry": 1},
    "0: background\n1: cell\n": {"background": 0, "cell": 1},
    "0,background,0,0,0\n1,car,64,0,128\n": {"background": (0, 0, 0), "car": (64, 0, 128)},
    "\ufeffPixel Value, Class\n0, background\n1, cell\n": {"background": 0, "cell": 1},
    "__ignore__\n_background_\ncat\n": {"__ignore__": 255, "_background_": 0, "cat": 1},
}


def test_a_void_class_beside_the_first_one_is_no_black_and_white_mask(tmp_path):
    """Values 0 and 1 of void, ground, cell are 255 and 0: nobody has to say what 255 means."""
    path = save(tmp_path / "a.png", np.array([[0, 1, 1]], np.uint8))
    labels, fault = MaskReader(as_table(("void", "ground", "cell"))).examine(path)
    assert fault is None
    assert labels.tolist() == [[255, 0, 0]]


def test_a_few_classes_with_void_are_no_blurred_mask():
    """VOC's masks without a table hold 0, some classes and 255; a blurred one has many greys between."""
    mask = np.zeros((60, 60), np.uint8)
    mask[:5], mask[5:9, :9], mask[20:24, 30:40] = 255, 7, 15
    assert "blurred" not in likely_cause(mask)
    mask[9:11, :40] = np.arange(40, 200, 4)
    assert "blurred" in likely_cause(mask)


@pytest.mark.parametrize("text", TABLES)
def test_tables_with_labels(tmp_path, text):
    (tmp_path / "classes.csv").write_text(text, encoding="utf-8")
    assert read_table(tmp_path / "classes.csv") == TABLES[text]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,a\n0,b\n", "'a' and 'b' have the same label 0"),
        ("0,a\nb\n", "'b' has no colour or label, 1 others have"),
        ("void\nignore\n", "names no classes"),
    ],
)
def test_tables_with_labels_that_make_no_sense(tmp_path, text, message):
    (tmp_path / "classes.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_table(tmp_path / "classes.csv")
