"""The explorers without a browser: what they answer, what they leave for readers without a kernel, what they refuse.

tests/test_explorers.py moves their controls in a browser.
"""

import base64
import io
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from in_browser import ROOT
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from seglib.plotting import PALETTE
from seglib.widgets import canny_explorer, clustering_explorer, growing_explorer, metric_explorer

EXPLORERS = [canny_explorer, clustering_explorer, growing_explorer, metric_explorer]
WIDGET = "application/vnd.jupyter.widget-view+json"


def square(height=60, width=60, top=20, left=20, side=20):
    """A bright square on a dark ground, and its mask."""
    mask = np.zeros((height, width), bool)
    mask[top : top + side, left : left + side] = True
    return np.where(mask, 0.8, 0.2), mask


def move(explorer, **changes):
    explorer.settings = {**explorer.settings, **changes}
    return explorer.answer["status"]


def png(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def test_a_pushed_mask_has_the_scores_of_its_overlap():
    explorer = metric_explorer(*square())
    # At first it is 3 pixels aside, 17 of 20 columns stay: IoU 340 / 460, Dice 340 / 400
    assert explorer.answer["status"].startswith("IoU 0.74, Dice 0.85, boundary F1 0.")
    assert move(explorer, right=0) == "IoU 1.00, Dice 1.00, boundary F1 1.00"
    # 200 of 400 pixels stay: IoU 200 / 600, Dice 400 / 800
    assert move(explorer, right=10).startswith("IoU 0.33, Dice 0.50, boundary F1 0.")
    assert move(explorer, right=-10).startswith("IoU 0.33, Dice 0.50")
    # down is the first axis: row 40 is covered now, row 20 is not
    move(explorer, right=0, down=1)
    assert not np.allclose(explorer.rgb[40, 30], explorer.rgb[45, 30])
    assert np.allclose(explorer.rgb[18, 30], explorer.rgb[5, 30])
    assert move(explorer, down=1).startswith("IoU 0.90, Dice 0.95, boundary F1 1.00")  # 380 / 420; 2 px are forgiven
    assert move(explorer, down=30, right=30) == "IoU 0.00, Dice 0.00, boundary F1 0.00"


def test_a_grown_mask_has_round_corners_and_a_shrunken_one_sharp_ones():
    explorer = metric_explorer(*square())
    # growing by 2 adds four strips of 2 x 20 and at each corner the 3 pixels within a distance of 2
    move(explorer, right=0, grow=2)
    assert explorer.answer["status"].startswith(f"IoU {400 / (400 + 4 * 40 + 4 * 1):.2f}")
    assert move(explorer, grow=-2).startswith("IoU 0.64")  # 16 x 16 of 20 x 20
    assert move(explorer, grow=-10) == "IoU 0.00, Dice 0.00, boundary F1 0.00"


def test_canny_closes_the_square():
    explorer = canny_explorer(*square())
    assert explorer.answer["status"].endswith(", 1 region")
    assert float(explorer.answer["status"][4:8]) > 0.7
    edges = np.all(explorer.rgb == PALETTE[10], axis=-1)
    assert 60 <= edges.sum() <= 90  # around 20 x 20 pixels
    faint = canny_explorer(square()[0] / 2, square()[1])
    assert move(faint, low=0.5, high=0.5) == "IoU 0.00, 0 regions"


def test_clusters_of_two_colours():
    explorer = clustering_explorer(*square())
    assert explorer.controls[0]["max"] == 2  # there are no more colours
    assert explorer.answer["status"] == "best overlap 1.00, 2 clusters"
    assert move(explorer, k=1) == "best overlap 0.11, 1 cluster"  # 400 of 3600
    assert move(explorer, k=2, space="grey", position=0.1) == "best overlap 1.00, 2 clusters"
    assert move(clustering_explorer(square()[0]), k=1) == "1 cluster"


def test_growing_from_the_innermost_pixel_and_from_others():
    image, mask = square()
    mask[50:55, 50:55] = image[50:55, 50:55] = True
    explorer = growing_explorer(image, mask)
    assert mask[explorer.settings["row"], explorer.settings["column"]]
    assert explorer.answer["status"] == "IoU 1.00, 400 pixels"  # of the piece that holds the seed
    assert move(explorer, row=52, column=51) == "IoU 1.00, 25 pixels"
    assert move(explorer, row=0, column=0) == f"IoU 0.00, {3600 - 425} pixels"
    assert move(explorer, row=30, column=30, tolerance=0.6) == "IoU 0.11, 3600 pixels"
    seed = np.all(explorer.rgb[30, 28:33] == PALETTE[10], axis=-1)
    assert seed.all()


def test_connectivity_and_criterion_reach_the_method():
    image = np.zeros((40, 40))
    image[:20, :20] = image[20:, 20:] = 1
    explorer = growing_explorer(image)
    assert move(explorer, row=5, column=5, connectivity=4) == "400 pixels"
    assert move(explorer, connectivity=8) == "800 pixels"
    ramp = growing_explorer(np.tile(np.linspace(0, 1, 40), (40, 1)))
    assert move(ramp, row=0, column=0, tolerance=0.1) == "160 pixels"  # columns 0 to 3
    assert move(ramp, criterion="neighbour") == "1600 pixels"


@pytest.mark.parametrize("make", EXPLORERS)
def test_what_is_shown_follows_the_settings(make):
    image, mask = square()
    image = image + np.random.default_rng(0).uniform(-0.1, 0.1, image.shape)
    explorer = make(image, mask)
    first = explorer.answer
    assert first["settings"] == explorer.settings == {each["name"]: each["value"] for each in explorer.controls}
    for control in explorer.controls:
        other = control["choices"][-1] if "choices" in control else control["min"]
        move(explorer, **{control["name"]: other})
        now = explorer.answer
        assert now["settings"] == explorer.settings != first["settings"]
        assert f"{control['label']} {other}" in now["alt"]
        assert now["alt"].endswith(f"{now['status']}.")
    assert np.array_equal(png(now["png"]), np.rint(255 * explorer.rgb))
    assert not np.array_equal(png(now["png"]), png(first["png"]))


@pytest.mark.parametrize("make", EXPLORERS)
def test_one_output_holds_the_live_widget_and_its_still_picture(make):
    explorer = make(*square(height=40, width=30, top=10, left=5, side=10))
    data, metadata = explorer._repr_mimebundle_()
    assert set(data) == {WIDGET, "image/png", "text/plain"}
    assert data[WIDGET]["model_id"] == explorer.model_id
    alt = metadata["image/png"]["alt"]
    assert alt == data["text/plain"] == explorer.answer["alt"]
    assert explorer.title in alt
    height, width, _ = png(base64.b64decode(data["image/png"])).shape
    assert 576 < height < 800  # the picture, with its title and legend
    assert 14 * 30 < width < 640
    assert len(data["image/png"]) < 200_000


def test_an_error_is_raised_and_shown_until_the_next_answer():
    explorer = growing_explorer(*square())
    before = explorer.answer
    with pytest.raises(ValueError, match="60"):
        move(explorer, row=60)
    assert explorer.answer["failed"]
    assert "60" in explorer.answer["status"]
    assert explorer.answer["png"] == before["png"]
    assert move(explorer, row=30) == "IoU 1.00, 400 pixels"
    assert "failed" not in explorer.answer


@pytest.mark.slow
def test_an_error_in_a_callback_fails_the_notebook_tests(tmp_path):
    """Also one that a message from the browser brings about."""
    message = {"content": {"data": {"method": "update", "state": {"settings": {"row": -1}}}}, "buffers": []}
    start = "import numpy as np\nfrom seglib.widgets import growing_explorer\n"
    start += "explorer = growing_explorer(np.zeros((9, 9)))\nexplorer"
    path = tmp_path / "98_explorer.ipynb"
    cells = [new_code_cell(start), new_code_cell(f"explorer._handle_msg({message})"), new_code_cell("1 + 1")]
    nbformat.write(new_notebook(cells=cells), path)
    call = f"import pathlib, sys, notebooks; sys.exit(notebooks.test([pathlib.Path({str(path)!r})]))"
    result = subprocess.run([sys.executable, "-c", call], cwd=ROOT / "tools", capture_output=True, text=True)
    assert result.returncode == 1, result.stdout + result.stderr
    assert result.stdout.splitlines()[-1] == "2 passed, 1 failed"


@pytest.mark.parametrize("make", EXPLORERS)
def test_large_pictures_are_reduced_once(make):
    image, mask = square(900, 1200, 300, 400, 300)
    explorer = make((255 * image).astype(np.uint8), mask)
    most = 144 if make is clustering_explorer else 288
    assert explorer.rgb.shape == (most * 3 // 4, most, 3)
    if make is metric_explorer:
        assert explorer.answer["status"].startswith("IoU 0.92")  # 69 of 72 columns
        assert move(explorer, right=most // 8).startswith("IoU 0.33")  # half the square's side


@pytest.mark.parametrize("make", EXPLORERS)
def test_what_is_no_mask_of_the_picture_is_refused(make):
    image, mask = square()
    for truth in (mask.astype(int), mask[:-1], mask[None], np.where(mask, 1.0, 0.0)):
        with pytest.raises(ValueError, match="truth has shape"):
            make(image, truth)
    for bad in (np.full((9, 9), np.nan), np.zeros((9, 9, 4)), np.zeros((0, 3)), np.full((9, 9), 255.0)):
        with pytest.raises(ValueError, match="image"):
            make(bad, None)
    if make is metric_explorer:
        with pytest.raises(ValueError, match="truth is None"):
            make(image, None)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_position_of_any_slider_fails(data):
    height, width = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    image, mask = rng.uniform(size=(height, width, 3)), rng.uniform(size=(height, width)) > data.draw(st.floats(0, 1))
    explorer = data.draw(st.sampled_from(EXPLORERS))(image, mask)
    chosen = {}
    for control in explorer.controls:
        values = control.get("choices")
        if values is None:
            count = round((control["max"] - control["min"]) / control["step"]) + 1
            values = [control["min"] + i * control["step"] for i in range(count)]
        chosen[control["name"]] = data.draw(st.sampled_from(values))
    if "low" in chosen:  # the frontend keeps them in order
        chosen["low"] = min(chosen["low"], chosen["high"])
    move(explorer, **chosen)
    assert "failed" not in explorer.answer
    assert explorer.rgb.shape == (height, width, 3)
    assert explorer.rgb.min() >= 0
    assert explorer.rgb.max() <= 1
