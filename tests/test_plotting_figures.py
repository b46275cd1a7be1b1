"""Figures: shown once, small and reproducible, with their description in the stored output."""

import base64
import io

import matplotlib
import nbformat
import numpy as np
import pytest
import torch
from matplotlib import pyplot
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from skimage import data

from seglib import plotting
from seglib.plotting import PALETTE, figures

PHOTO = data.chelsea()
SQUARES = np.indices((4, 6)).sum(0) % 3
NAMES = ("sky", "road", "car")
FIGURES = {
    "grid": lambda d: plotting.grid([PHOTO, plotting.colorize(SQUARES)], ["a", "b"], description=d),
    "curves": lambda d: plotting.curves({"a": ([1, 2], [3, 4]), "b": ([1, 2], [1, 2])}, "step", "loss", d),
    "confusion": lambda d: plotting.confusion(np.eye(3, dtype=int), NAMES, d),
    "legend": lambda d: plotting.legend(NAMES, d, void=True),
    "show": lambda d: plotting.show(pyplot.figure(), d),
}


@pytest.fixture
def outputs(monkeypatch):
    """What would be stored in a notebook: a list of (data, metadata)."""
    shown = []
    monkeypatch.setattr(figures, "get_ipython", lambda: "a notebook")
    monkeypatch.setattr(figures, "display", lambda data, metadata, raw: shown.append((data, metadata)))
    return shown


@pytest.fixture
def drawn(monkeypatch):
    """The matplotlib figures themselves."""
    kept = []
    monkeypatch.setattr(figures, "_display", lambda figure, description, caption=None, **options: kept.append(figure))
    return kept


def png(output):
    return base64.b64decode(output[0]["image/png"])


def pixels(output):
    return np.asarray(Image.open(io.BytesIO(png(output))).convert("RGB"))


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_carries_its_description(name, outputs):
    FIGURES[name]("What one sees.")
    ((bundle, metadata),) = outputs
    assert metadata == {"image/png": {"alt": "What one sees."}}
    assert bundle["text/plain"] == "What one sees."
    assert pixels(outputs[0]).std() > 0 or name == "show"
    assert pyplot.get_fignums() == []  # nothing is left for the inline backend to show again


@pytest.mark.parametrize("name", FIGURES)
def test_no_figure_without_a_description(name, outputs):
    for description in ("", "  ", None):
        with pytest.raises(ValueError, match="description is empty"):
            FIGURES[name](description)
    assert outputs == []
    pyplot.close("all")


def test_outside_a_notebook_nothing_is_shown(capsys):
    for draw in FIGURES.values():
        draw("What one sees.")
    assert capsys.readouterr() == ("", "")
    assert pyplot.get_fignums() == []


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_same_figure_same_bytes_without_dates_or_versions(name, outputs):
    FIGURES[name]("One.")
    with matplotlib.rc_context({"image.cmap": "jet", "font.size": 30, "lines.linewidth": 9}):
        FIGURES[name]("Two.")
    assert png(outputs[0]) == png(outputs[1])
    assert Image.open(io.BytesIO(png(outputs[0]))).info == {}


@pytest.mark.slow
def test_small_pictures_are_enlarged_pixel_by_pixel(outputs):
    small = np.random.default_rng(0).random((7, 9, 3))
    plotting.grid([small, PHOTO], description="Noise beside a cat.")
    scale = 330 // 9
    want = np.rint(np.kron(small, np.ones((scale, scale, 1))) * 255)
    picture = pixels(outputs[0]).astype(int)
    left = 12 + (330 - 9 * scale) // 2
    assert np.abs(picture[12 : 12 + 7 * scale, left : left + 9 * scale] - want).max() <= 5
    assert (picture[:12] == 255).all()


def test_pictures_without_photos_keep_their_colours_exactly(outputs):
    plotting.grid([plotting.colorize(SQUARES)], description="Squares.")
    picture = pixels(outputs[0])[12:-12, 12:-12]
    assert picture.shape == (4 * 55, 6 * 55, 3)
    assert (picture == np.kron(np.rint(PALETTE[SQUARES] * 255), np.ones((55, 55, 1)))).all()


@pytest.mark.slow
def test_photos_stay_close_and_files_small(outputs):
    cat, coins = PHOTO[:300, :330], data.coins()[:300, :330]
    marked = plotting.overlay(cat, (cat[..., 0] > 128).astype(int))
    plotting.grid([cat, marked, coins], ["one", "two", "three"], description="A cat, twice, and coins.")
    assert len(png(outputs[0])) < 256_000
    picture = pixels(outputs[0]).astype(int)
    assert np.abs(picture[-312:-12, 12:342] - cat).max() <= 4
    assert (picture[:, :12] == 255).all()  # white stays white


def test_grid_arranges_rows_and_wraps_titles(drawn):
    images = [np.zeros((96, 96)), np.zeros((48, 96)), np.zeros((96, 48)), torch.zeros(3, 96, 96), np.zeros((300, 300))]
    plotting.grid(images, ["a title that goes on and on and on and on", *"bcde"], columns=2, description="Five.")
    axes = drawn[0].axes
    assert len(axes) == 5
    width, height = np.rint(drawn[0].get_size_inches() * 110)
    boxes = np.array([ax.get_position().bounds for ax in axes]) * [width, height, width, height]
    np.testing.assert_allclose(boxes, np.rint(boxes), atol=1e-6)  # whole pixels
    np.testing.assert_allclose(boxes[:4, 2:], [[288, 288], [288, 144], [240, 480], [288, 288]])
    assert boxes[0, 1] > boxes[2, 1] + boxes[2, 3]
    assert boxes[2, 1] > boxes[4, 1] + boxes[4, 3]
    assert "\n" in axes[0].get_title()
    drawn[0].draw_without_rendering()
    for ax in axes:
        title = ax.title.get_window_extent()
        assert title.y1 <= height
        others = [b for b, other in zip(boxes, axes, strict=True) if other is not ax]
        assert not any(title.overlaps(matplotlib.transforms.Bbox.from_bounds(*b)) for b in others)


@pytest.mark.parametrize("count", [1, 4, 8])
def test_figures_are_readable_at_half_width(count, drawn):
    plotting.grid([np.zeros((96, 96))] * count, ["Title"] * count, description="Dark.", columns=count)
    inches, points = drawn[0].get_size_inches()[0], drawn[0].axes[0].title.get_fontsize()
    assert inches < 12
    shown = min(inches * 110, 900) / 2  # px: half of a page
    assert points / 72 * shown / inches > 8


def test_grid_refuses_titles_that_do_not_fit():
    with pytest.raises(ValueError, match="2 images, 1 titles"):
        plotting.grid([PHOTO, PHOTO], ["one"], description="Cats.")
    with pytest.raises(ValueError, match="0 images"):
        plotting.grid([], description="None.")


def test_curves_differ_by_more_than_colour(drawn):
    names = [f"run {i}" for i in range(7)]
    plotting.curves({n: (torch.arange(20), torch.rand(20)) for n in names}, "step", "loss", "Seven runs.")
    axes = drawn[0].axes[0]
    lines = axes.get_lines()
    assert len({matplotlib.colors.to_hex(line.get_color()) for line in lines}) == 7
    assert len({line.get_marker() for line in lines}) == 7
    assert len({(line.get_linestyle(), line._dash_pattern[1] and tuple(line._dash_pattern[1])) for line in lines}) >= 5
    assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == names
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "loss")
    np.testing.assert_array_equal(axes.get_xticks() % 1, 0)  # no step 2.5
    assert not axes.spines["top"].get_visible()


def test_confusion_shows_shares_of_rows(drawn):
    matrix = torch.tensor([[997, 3, 0], [0, 0, 0], [50, 25, 25]])
    plotting.confusion(matrix, NAMES, "Roads are absent.")
    axes = drawn[0].axes[0]
    shares = axes.images[0].get_array()
    np.testing.assert_allclose(shares[[0, 2]], [[0.997, 0.003, 0], [0.5, 0.25, 0.25]])
    assert shares[1].mask.all() or np.isnan(shares[1]).all()
    assert [text.get_text() for text in axes.texts] == ["100", "<1", "50", "25", "25"]
    assert [text.get_text() for text in axes.get_yticklabels()] == list(NAMES)
    with pytest.raises(ValueError, match=r"\(3, 3\) for 2 class names"):
        plotting.confusion(matrix, NAMES[:2], "Too few names.")


def test_legend_names_every_class(drawn):
    plotting.legend([f"class number {i}" for i in range(14)], "Fourteen.", void=True)
    axes = drawn[0].axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert texts[::2] == [*map(str, range(14)), ""]
    assert texts[1::2] == [*(f"class number {i}" for i in range(14)), "void"]
    drawn[0].draw_without_rendering()
    frame = drawn[0].bbox
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
    assert all(frame.x0 <= b.x0 and b.x1 <= frame.x1 and frame.y0 <= b.y0 and b.y1 <= frame.y1 for b in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "agg"])
def test_in_a_notebook_each_figure_is_stored_once(backend, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", backend)
    cells = [
        "import numpy as np\nfrom matplotlib import pyplot\nfrom seglib import plotting\n"
        "plotting.grid([np.eye(8)], description='A diagonal.')",
        "figure, axes = pyplot.subplots()\naxes.plot([1, 2])\nplotting.show(figure, 'A line.')",
        "plotting.legend(['sky', 'road'], 'Two classes.')",
    ]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    nbformat.validate(notebook)
    for cell, description in zip(notebook.cells, ["A diagonal.", "A line.", "Two classes."], strict=True):
        (output,) = cell.outputs
        assert output.output_type == "display_data"
        assert output.metadata["image/png"]["alt"] == description
        assert output.data["text/plain"] == description
        assert Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).width > 100
