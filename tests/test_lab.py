"""`make lab` as a learner meets it: JupyterLab opens lesson 00 in a real browser, with a kernel that runs cells."""

from in_browser import errors, needs_browser, open_notebook, when_ready

pytestmark = needs_browser


def test_lesson_00_opens_with_its_outputs_and_a_kernel(browser, lab):
    page, said = open_notebook(browser, lab, "00_start_here.ipynb")
    cells = when_ready(page)
    page.close()
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert errors(cells) == []
    assert sum("image/png" in out.get("data", {}) for cell in cells for out in cell["outputs"]) > 3
    assert said == []
