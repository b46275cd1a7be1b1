"""The explorer to draw on, in JupyterLab: mouse, finger and keys."""

import pytest
from in_browser import errors, needs_browser, open_notebook, run_all, wait_for
from test_explorers import START, Shown

pytestmark = needs_browser


@pytest.fixture(scope="module")
def shown(browser, lab):
    """The explorer on a page with nothing drawn, and the errors on its console."""
    lab.write("96_scribbles.ipynb", START, "explorer = widgets.scribble_explorer(picture)\nexplorer")
    page, said = open_notebook(browser, lab, "96_scribbles.ipynb")
    assert errors(run_all(page)) == []
    yield Shown(page, "scribble_explorer(picture)"), said
    page.close()


def at(shown, row, column):
    """Where a pixel of the picture lies on the page."""
    shown.image.scroll_into_view_if_needed()
    box = shown.image.bounding_box()
    return box["x"] + box["width"] * (column + 0.5) / 120, box["y"] + box["height"] * (row + 0.5) / 90


def drag(shown, *places):
    mouse = shown.page.mouse
    mouse.move(*at(shown, *places[0]))
    mouse.down()
    for place in places[1:]:
        mouse.move(*at(shown, *place), steps=4)
    assert shown.root.locator("polyline").count() == 1  # the line is there before Python has answered
    mouse.up()


def touch(shown, *places):
    session = shown.page.context.new_cdp_session(shown.page)
    for kind, place in zip(("touchStart", *["touchMove"] * (len(places) - 1)), places, strict=True):
        x, y = at(shown, *place)
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_mouse_finger_and_keys_draw(shown):
    shown, said = shown
    assert shown.answer()[1] == "0 strokes: strokes of a second class are wanted"
    undo = shown.root.get_by_role("button", name="Undo the last stroke")
    assert undo.is_disabled()
    before, now = shown.after(drag, shown, (40, 30), (50, 40), (45, 50))
    assert now[1] == "1 stroke: strokes of a second class are wanted"
    assert "cursor row 45, cursor column 50" in now[0]
    assert now[2] != before[2]
    shown.control("combobox", "class").select_option("2")
    _, now = shown.after(touch, shown, (5, 10), (5, 60), (6, 110))
    assert now[1].startswith("2 strokes: class 1 ")
    assert shown.root.locator("polyline").count() == 0  # Python's picture has taken its place
    picture = shown.root.get_by_role("application")
    picture.focus()
    for _ in range(5):
        picture.press("Shift+ArrowDown")
    picture.press("3")
    _, now = shown.after(picture.press, "Space")
    assert "cursor row 56" in now[0]
    assert "class 3" in now[0]
    assert now[1].startswith("3 strokes: class 1 ")
    assert now[1].endswith("cursor on class 3")
    _, now = shown.after(picture.press, "u")
    assert now[1].startswith("2 strokes")
    _, now = shown.after(undo.click)
    assert now[1].startswith("1 stroke:")
    _, now = shown.after(picture.press, "Backspace")
    assert now[1].startswith("0 strokes")
    wait_for(undo.is_disabled, 5, "nothing to undo")
    picture.press("u")
    assert shown.answer()[1].startswith("0 strokes")
    assert said == []
