"""The explorer to draw on, without a browser; tests/test_scribble_explorer.py draws in one."""

import numpy as np
import pytest
from test_widgets import move, png, square

from seglib.plotting import PALETTE
from seglib.widgets import scribble_explorer
from seglib.widgets.scribbles import draw_strokes

STROKES = [(1, [(25, 25), (35, 35)]), (2, [(5, 5), (5, 50)])]


@pytest.mark.slow
def test_strokes_find_the_square():
    image, mask = square()
    explorer = scribble_explorer(image, STROKES)
    found = explorer.rgb[..., 0] > explorer.rgb[..., 2]  # orange, not blue
    assert (found & mask).sum() > 0.6 * mask.sum()
    assert explorer.answer["status"].startswith("2 strokes: class 1 ")
    assert explorer.answer["status"].endswith("cursor on class 1")
    assert move(explorer, row=50, column=50).endswith("cursor on class 2")
    assert np.allclose(explorer.rgb[30, 30], PALETTE[1])
    assert np.allclose(explorer.rgb[5, 20], PALETTE[5])
    assert move(explorer, strokes=[[1, [[30, 30]]]]) == "1 stroke: strokes of a second class are wanted"
    assert move(explorer, strokes=[]) == "0 strokes: strokes of a second class are wanted"
    assert np.array_equal(png(explorer.answer["png"]), np.rint(255 * explorer.rgb))


@pytest.mark.slow
def test_strokes_are_reduced_with_a_large_picture():
    image = np.tile(np.linspace(0, 1, 576), (300, 1))
    explorer = scribble_explorer(image, [(1, [(299, 575), (0, 0)]), (3, [(10, 20)])])
    assert explorer.rgb.shape == (150, 288, 3)
    assert explorer.settings["strokes"] == [[1, [[149, 287], [0, 0]]], [3, [[5, 10]]]]
    data, _ = explorer._repr_mimebundle_()
    assert "image/png" in data


def test_a_stroke_is_five_pixels_wide_and_the_later_one_lies_above():
    drawn = draw_strokes([(1, [(10, 4), (10, 14)]), (2, [(10, 14)])], (20, 20))
    wanted = np.zeros((20, 20), int)
    wanted[8:13, 2:17] = 1
    wanted[8:13, 12:17] = 2
    assert np.array_equal(drawn, wanted)
    assert draw_strokes([(3, [(0, 0)])], (2, 9)).tolist() == [[3, 3, 3, 0, 0, 0, 0, 0, 0]] * 2
    assert not draw_strokes([], (3, 3)).any()


@pytest.mark.slow
def test_what_is_no_stroke_is_refused():
    image = square()[0]
    for bad in ([(4, [(1, 1)])], [(0, [(1, 1)])], [(1, [(1, 1), (60, 1)])], [(1, [(-1, 2)])]):
        with pytest.raises(ValueError, match=r"class 1, 2 or 3 is wanted.* inside a picture of 60 x 60"):
            scribble_explorer(image, bad)
    for bad in (np.full((9, 9), np.nan), np.zeros((9, 9, 4)), np.full((9, 9), 255.0)):
        with pytest.raises(ValueError, match="image"):
            scribble_explorer(bad)
