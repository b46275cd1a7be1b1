"""`make lab` as a learner meets it: JupyterLab opens lesson 00 in a real browser, with a kernel that runs cells."""

import nbformat
from in_browser import errors, needs_browser, open_notebook, run_all, when_ready
from nbformat.v4 import new_output

pytestmark = needs_browser


def test_lesson_00_opens_with_its_outputs_and_a_kernel(browser, lab):
    page, said = open_notebook(browser, lab, "00_start_here.ipynb")
    cells = when_ready(page)
    page.close()
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert errors(cells) == []
    assert sum("image/png" in out.get("data", {}) for cell in cells for out in cell["outputs"]) > 3
    assert said == []


FOLDED = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === "code").map(cell => cell.outputHidden)"""


def test_an_output_below_a_prediction_is_folded_until_its_cell_runs(browser, lab):
    lab.write("98_predict.ipynb", "1 + 1", "2 + 2")
    path = lab.course / "notebooks" / "98_predict.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.outputs = [new_output("execute_result", {"text/plain": "4"}, execution_count=1)]
    notebook.cells[1].metadata["jupyter"] = {"outputs_hidden": True}
    nbformat.write(notebook, path)
    page, _ = open_notebook(browser, lab, path.name)
    when_ready(page)
    assert page.evaluate(FOLDED) == [False, True]
    run_all(page)
    assert page.evaluate(FOLDED) == [False, False]
    page.close()
