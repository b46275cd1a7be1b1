"""`make lab` as a learner meets it: JupyterLab opens lesson 00 in a real browser and runs it to its end."""

from in_browser import errors, needs_browser, open_notebook, run_all

pytestmark = needs_browser


def test_lesson_00_runs_to_its_end(browser, lab):
    page, said = open_notebook(browser, lab, "00_start_here.ipynb")
    cells = run_all(page)
    page.close()
    assert errors(cells) == []
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert said == []


def test_a_failing_cell_is_seen(browser, lab):
    lab.write("99_broken.ipynb", "1 + 1", "1 / 0", "2 + 2")
    page, _ = open_notebook(browser, lab, "99_broken.ipynb")
    cells = run_all(page)
    page.close()
    assert errors(cells) == ["division by zero"]
    assert [cell["execution_count"] for cell in cells] == [1, 2, None]
