"""The explorers in JupyterLab as a learner meets them: each control moved, seeds clicked, keys pressed, errors seen."""

import pytest
from in_browser import errors, needs_browser, open_notebook, run_all, wait_for

pytestmark = needs_browser
OF_MASKS = ["canny_explorer", "clustering_explorer", "growing_explorer", "metric_explorer"]
EXPLORERS = {name: f"{name}(picture, mask)" for name in OF_MASKS}
EXPLORERS |= {
    "anchor_explorer": "anchor_explorer(picture, boxes)",
    "nms_explorer": "nms_explorer(picture, found, boxes)",
    "scribble_explorer": "scribble_explorer(picture, strokes)",
}
START = """
import numpy as np
from seglib import widgets
rows, columns = np.indices((90, 120))
mask = np.hypot(rows - 45, columns - 40) < 25
picture = np.where(mask, 0.7, 0.3) + np.random.default_rng(0).uniform(-0.15, 0.15, mask.shape)
boxes = np.array([[15, 20, 65, 70], [70, 30, 100, 50]])
found = {"boxes": np.repeat(boxes, 4, axis=0) + np.arange(8)[:, None], "scores": np.arange(1, 9) / 9}
strokes = [(1, [(40, 30), (50, 45)]), (2, [(5, 5), (5, 110), (80, 110)])]
found["labels"] = np.array([1, 1, 2, 2, 1, 2, 1, 2])
"""
BREAK = """
def solve(**settings):
    raise RuntimeError("planted")
explorer.solve = solve
"""
SHOW_CELL = """async words => {
    const content = window.jupyterapp.shell.currentWidget.content;
    const index = content.widgets.findIndex(cell => cell.model.sharedModel.source.includes(words));
    content.activeCellIndex = index;
    await content.scrollToItem(index, "start");
}"""
PIXELS = """image => {
    const canvas = Object.assign(document.createElement("canvas"),
                                 { width: image.naturalWidth, height: image.naturalHeight });
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL();
}"""
DRAG = """slider => {  // sixty steps without a pause
    window.answers = 0;
    const image = slider.closest(".seglib-explorer").querySelector("img");
    new MutationObserver(() => { window.answers += 1; }).observe(image, { attributeFilter: ["alt"] });
    for (let i = 0; i < 60; i++) {
        slider.value = i;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
    }
}"""
NOTEBOOK = """() => {
    const content = window.jupyterapp.shell.currentWidget.content;
    return [content.activeCellIndex, content.mode, content.widgets.length];
}"""


class Shown:
    """An explorer on a page."""

    def __init__(self, page, words):
        page.evaluate(SHOW_CELL, words)
        cell = page.locator(".jp-Notebook-cell", has=page.locator(".cm-content", has_text=words))
        self.page, self.cell, self.root = page, cell.last, cell.last.locator(".seglib-explorer")
        self.root.wait_for()
        self.image, self.status = self.root.locator("img"), self.root.get_by_role("status")

    def control(self, kind, name):
        return self.root.get_by_role(kind, name=name, exact=True)

    def answer(self):
        """Description, status and pixels, once the picture shows the settings."""
        settled = "root => root.getAttribute('aria-busy') === 'false' && root.querySelector('img').complete"
        wait_for(lambda: self.root.evaluate(settled), 20, "an answer")
        return self.image.get_attribute("alt"), self.status.inner_text(), self.image.evaluate(PIXELS)

    def after(self, action, *arguments):
        before = self.answer()
        action(*arguments)
        wait_for(lambda: self.image.get_attribute("alt") != before[0], 20, "another answer")
        return before, self.answer()


def move_each_control(shown):
    """Move every slider, number and choice by its role and name; all show in the description, most in the picture."""
    controls = shown.root.evaluate("root => [...root.querySelectorAll('label span')].map(span => span.textContent)")
    changed = []
    for name in controls:
        if shown.control("combobox", name).count():
            choice = shown.control("combobox", name).locator("option").last.inner_text()
            steps = [(shown.control("combobox", name).select_option, choice, choice)]
        else:
            slider, number = shown.control("slider", name), shown.control("spinbutton", name)
            low, high = (float(slider.get_attribute(end)) for end in ("min", "max"))
            step = float(slider.get_attribute("step"))
            one, other = (f"{low + step * round((high - low) / step * part):.4g}" for part in (0.4, 0.7))
            steps = [
                (slider.fill, one, one),
                (lambda text, it=number: (it.fill(text), it.press("Enter")), other, other),
            ]
        for action, argument, value in steps:
            before, now = shown.after(action, argument)
            assert f"{name} {value}" in now[0], now[0]
            changed.append((now[1] != before[1], now[2] != before[2]))
    for words, pixels in changed:
        assert pixels or not words
    statuses, pictures = zip(*changed, strict=True)
    assert any(statuses)
    assert sum(pictures) >= len(controls) - 1


@pytest.fixture(scope="module")
def opened(browser, lab):
    """A notebook with all explorers, run in the browser: (page, errors on its console)."""
    calls = [f"explorer = widgets.{call}\nexplorer" for call in EXPLORERS.values()]
    broken = "explorer = widgets.growing_explorer(picture[:50])\nexplorer"
    lab.write("98_explorers.ipynb", START, *calls, broken, BREAK)
    page, said = open_notebook(browser, lab, "98_explorers.ipynb")
    cells = run_all(page)
    assert errors(cells) == []
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    yield page, said
    page.close()


@pytest.mark.parametrize("name", EXPLORERS)
def test_each_control_moves_the_figure_and_the_score(opened, name):
    page, said = opened
    shown = Shown(page, EXPLORERS[name])
    assert shown.cell.locator(".jp-OutputArea-child").count() == 1
    assert shown.cell.locator("img").count() == 1  # live, the still picture is not shown as well
    assert shown.root.bounding_box()["height"] < 700
    assert shown.root.evaluate("root => root.scrollWidth <= root.clientWidth")
    move_each_control(shown)
    assert said == []


def test_a_click_sets_the_seed(opened):
    page, said = opened
    shown = Shown(page, "growing_explorer(picture, mask)")
    shown.control("slider", "tolerance").fill("0.3")
    shown.control("combobox", "compared with").select_option("seed")
    box = shown.image.bounding_box()
    place = {"x": box["width"] * 100.5 / 120, "y": box["height"] * 20.5 / 90}
    before, now = shown.after(lambda: shown.image.click(position=place))
    assert "seed row 20, seed column 100" in now[0]
    assert now[1] != before[1]
    assert now[2] != before[2]
    assert shown.control("slider", "seed row").input_value() == "20"
    assert shown.control("spinbutton", "seed column").input_value() == "100"
    assert said == []


def test_the_arrow_keys_move_the_seed_and_no_cell(opened):
    page, said = opened
    shown = Shown(page, "growing_explorer(picture, mask)")
    for name, text in (("seed row", "45"), ("seed column", "40")):
        shown.control("spinbutton", name).fill(text)
        shown.control("spinbutton", name).press("Enter")
    assert "seed row 45, seed column 40" in shown.answer()[0]
    notebook = page.evaluate(NOTEBOOK)
    picture = shown.root.get_by_role("application")
    picture.focus()
    _, now = shown.after(picture.press, "ArrowDown")
    assert "seed row 46, seed column 40" in now[0]
    _, now = shown.after(picture.press, "Shift+ArrowLeft")
    assert "seed row 46, seed column 30" in now[0]
    assert picture.evaluate("it => it.matches(':focus-visible') && getComputedStyle(it).outlineStyle") == "solid"
    for _ in range(9):  # as far as the frame
        picture.press("Shift+ArrowUp")
    wait_for(lambda: "seed row 0," in shown.answer()[0], 20, "the seed on the frame")
    page.keyboard.press("Tab")
    slider = shown.control("slider", "seed row")
    assert slider.evaluate("it => it === document.activeElement")
    _, now = shown.after(slider.press, "ArrowRight")
    assert "seed row 1," in now[0]
    for key in ("d", "d", "ArrowUp", "b"):  # Jupyter's shortcuts: delete the cell, go up, insert one
        slider.press(key)
    assert page.evaluate(NOTEBOOK) == notebook
    assert said == []


def test_typed_numbers_stay_in_range_and_thresholds_in_order(opened):
    page, said = opened
    shown = Shown(page, "growing_explorer(picture, mask)")
    number = shown.control("spinbutton", "seed row")
    for typed, kept in (("999", "89"), ("-4", "0"), ("33", "33"), ("", "33")):
        number.fill(typed)
        number.press("Tab")
        wait_for(lambda kept=kept: f"seed row {kept}," in shown.answer()[0], 20, f"{typed!r} to become {kept}")
        assert number.input_value() == kept
    shown = Shown(page, "canny_explorer(picture, mask)")
    _, now = shown.after(shown.control("slider", "low threshold").fill, "0.4")
    assert "low threshold 0.4, high threshold 0.4" in now[0]
    _, now = shown.after(shown.control("slider", "high threshold").fill, "0.3")
    assert "low threshold 0.3, high threshold 0.3" in now[0]
    assert said == []


def test_a_dragged_slider_leaves_no_queue(opened):
    page, said = opened
    shown = Shown(page, "growing_explorer(picture, mask)")
    shown.control("slider", "seed row").evaluate(DRAG)
    wait_for(lambda: "seed row 59," in shown.answer()[0], 20, "the last step's answer")
    assert 1 <= page.evaluate("() => window.answers") <= 3
    assert said == []


def test_an_error_is_shown(opened):
    page, said = opened
    shown = Shown(page, "picture[:50]")
    before = shown.answer()
    shown.control("slider", "tolerance").fill("0.4")
    wait_for(lambda: shown.status.inner_text() == "planted", 20, "the error")
    assert shown.status.evaluate("it => it.className") == "failed"
    assert shown.answer()[2] == before[2]
    assert said == []


def test_without_a_kernel_the_still_picture_is_shown(browser, lab):
    import notebooks  # imports nbformat, which is slow

    lab.write("97_stored.ipynb", START, "widgets.growing_explorer(picture, mask)")
    notebooks.run(lab.course / "notebooks" / "97_stored.ipynb", store=True)
    page, said = open_notebook(browser, lab, "97_stored.ipynb")
    page.evaluate(SHOW_CELL, "growing_explorer")
    still = page.locator(".jp-OutputArea-output img")
    still.wait_for()
    assert still.count() == 1
    assert still.evaluate("it => it.naturalHeight") > 400
    assert "idget" not in page.locator(".jp-OutputArea").last.inner_text()
    page.close()
    assert said == []
