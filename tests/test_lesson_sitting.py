"""The rules that make a lesson one sitting see what is planted, and storing a lesson folds what it must."""

import pytest
from lesson_samples import good_lesson, picture, replace, write
from nbformat.v4 import new_markdown_cell, new_notebook, new_output

import lesson_form
import notebooks


def one_sitting():
    """The good lesson, with what the second edition asks for as well."""
    cells = good_lesson()
    cells[1].source = cells[1].source.replace("30 minutes", "1 minutes")
    recap = next(i for i, cell in enumerate(cells) if cell.source.startswith("## Recap"))
    cells.insert(recap, new_markdown_cell("## In practice\n\nWords."))
    said = '<div class="caption">One pixel is no picture.</div>'
    caption = new_output("display_data", {"text/html": said, "text/plain": "One pixel is no picture."})
    cells[2].outputs = [picture(), caption]
    for cell in cells[6], cells[9]:
        cell.outputs = [new_output("stream", name="stdout", text="2")]
        cell.metadata["jupyter"] = {"outputs_hidden": True}
    return cells


SITTING = {
    "is not folded: run `make notebooks`": lambda cells: cells[6].metadata.pop("jupyter"),
    "nothing is shown after Predict": lambda cells: cells[6].outputs.clear(),
    "the answer does not follow the run of Predict": replace(
        "<details><summary>Answer", "So.\n\n<details><summary>Answer"
    ),
    "a figure has no caption": lambda cells: cells[2].outputs.pop(),
    "a caption repeats the description": lambda cells: (
        cells[2].outputs[1].data.update({"text/plain": "One grey pixel, drawn for this test."})
    ),
    "101 cells, 100 are one sitting": lambda cells: cells.extend(
        new_markdown_cell("Word.") for _ in range(101 - len(cells))
    ),
    "words, 3400 are one sitting": lambda cells: cells.extend(new_markdown_cell("word " * 200) for _ in range(17)),
    "Time says 20 minutes to read; by words": replace("1 minutes", "20 minutes"),
    "the name plotting is a function or an import": replace("1 + 1", "plotting = 1"),
    "the name answer_1 is a function": replace("1 + 1", "for answer_1 in range(2):\n    pass"),
}


@pytest.fixture
def second_edition(monkeypatch):
    """Lesson 04 as one of the second edition."""
    monkeypatch.setattr(lesson_form, "planned_lessons", lambda: {"01_edges"})
    monkeypatch.setattr(lesson_form, "SECOND_EDITION", {4})
    monkeypatch.setitem(lesson_form.PARTS, "In practice", {4})


@pytest.mark.usefixtures("second_edition")
@pytest.mark.parametrize("complaint", SITTING)
def test_what_is_more_than_one_sitting_is_seen(complaint, tmp_path):
    cells = one_sitting()
    SITTING[complaint](cells)
    assert complaint in "\n".join(write(tmp_path, cells))


@pytest.mark.usefixtures("second_edition")
def test_one_sitting_has_no_complaints(tmp_path):
    assert write(tmp_path, one_sitting()) == []


def test_storing_folds_what_a_prediction_asks_for():
    notebook = new_notebook(cells=good_lesson())
    notebook.cells[2].metadata["jupyter"] = {"outputs_hidden": True}  # an author folded it by hand
    notebooks.normalise(notebook, 1)
    hidden = [i for i, cell in enumerate(notebook.cells) if cell.metadata.get("jupyter", {}).get("outputs_hidden")]
    assert hidden == [6, 9]


def test_storing_folds_an_aside_with_its_code():
    notebook = new_notebook(cells=good_lesson())
    notebook.cells[2].metadata["tags"] = ["hide-cell"]
    notebooks.normalise(notebook, 1)
    assert notebook.cells[2].metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
