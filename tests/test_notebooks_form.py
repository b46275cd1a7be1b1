"""Every lesson keeps to the form of CONTRIBUTING.md, and the checker sees what is planted in a broken one."""

from pathlib import Path

import nbformat
import pytest
from lesson_samples import SOURCES, good_lesson, picture, replace, write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import lesson_form
import notebooks

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


@pytest.fixture
def first_edition(monkeypatch):
    """Without what only lessons of the second edition must have."""
    monkeypatch.setattr(lesson_form, "SECOND_EDITION", set())
    monkeypatch.setitem(lesson_form.PARTS, "In practice", set())


@pytest.mark.parametrize("name", [path.name for path in sorted(NOTEBOOKS.glob("*.ipynb"))])
def test_lesson_keeps_to_the_form(name):
    assert lesson_form.problems(NOTEBOOKS / name) == []


@pytest.mark.usefixtures("first_edition")
def test_a_good_lesson_has_no_complaints(tmp_path, monkeypatch):
    monkeypatch.setattr(lesson_form, "planned_lessons", lambda: {"01_edges"})
    cells = good_lesson()
    cells[6].source, cells[6].metadata = "\n".join(["1 + 1"] * 25), {"tags": ["long"]}  # longer than others may be
    assert write(tmp_path, cells) == []


def show(*outputs):
    return lambda cells: cells[2].outputs.extend(outputs)


def say(text):
    return show(new_output("stream", name="stdout", text=text))


def drop(words):
    return lambda cells: cells.remove(next(cell for cell in cells if words in cell.source))


def swap_exercises_and_mistakes(cells):
    i = next(i for i, cell in enumerate(cells) if cell.source.startswith("## Mistakes"))
    cells[i], cells[i + 1] = cells[i + 1], cells[i]


def not_run(cells):
    cells[6].execution_count = 7


BREAKAGES = {
    "does not begin with '# 04 · '": replace("# 04 · ", "# "),
    "exactly one level-1 heading": replace("Words.", "# Another title"),
    "does not show ../data/covers": replace("covers/04_measuring.png", "covers/08_unet.png"),
    "exactly one code cell needs the tag 'cover'": lambda cells: cells[2].metadata.clear(),
    "the second cell lacks": replace("**You need**", "You need"),
    "three or four bullets": replace("- count\n", ""),
    "must be a link if the lesson exists": replace("[Start](00_start_here.ipynb)", "`00_start_here`"),
    "neither exists nor": replace("`01_edges`", "`02_hedges`"),
    "does not come before": replace("`01_edges`", "`05_learning_pixels`"),
    "minutes to read, M seconds": replace("20 seconds to run", "some time to run"),
    "Time says 90 s": replace("20 seconds to run", "90 seconds to run"),
    "'## Recap' is missing": drop("## Recap"),
    "'## The idea' is missing": replace("## The idea: divide", "## An idea"),
    "not in the order": swap_exercises_and_mistakes,
    "two level-2 headings": replace("A number.", "## One\n\n## Two"),
    "level jumps from 2 to 4": replace("A number.", "#### Deep"),
    "1 Predict questions": replace("**Predict**", "Predict"),
    "asks no question": replace("**Predict** What comes out?", "**Predict** the outcome."),
    "not followed by a run": drop("1 + 1"),
    "has no folded answer": replace("<details><summary>Answer</summary>", "Answer:"),
    "2 exercises": drop("### Exercise 3"),
    "do not call check() once": replace("check(q2, answer_2)", ""),
    "do not call hints() once": replace("hints(q2)", "hints(q1)"),
    "no stub that raises": replace("raise NotImplementedError", "return x"),
    "not imported from seglib.exercises.measuring": replace("exercises.measuring", "exercises.unet"),
    "Recap: a list of five": replace("- a line", "- a line\n- a line"),
    "Questions learners ask: three": replace("**Why?** So.", ""),
    "columns English and 中文": replace("| English | 中文 |", "| English | Chinese |"),
    "five rows or more": replace("掩膜", "mask"),
    "Sources: a list of two": replace(SOURCES, ""),
    "say what to read it for": replace(SOURCES, "- [A paper](https://example.org/a)\n"),
    "a code cell has 16 lines, 15 are allowed": replace("1 + 1", "1 + 1\n" * 16),
    "an empty code cell": replace("1 + 1", ""),
    "an empty markdown cell": lambda cells: cells.insert(5, new_markdown_cell("\n")),
    "ends with an empty line": lambda cells: cells[-1].update(source=cells[-1].source + "\n"),
    "an editor left lines_to_next_cell": lambda cells: cells[6].metadata.update(lines_to_next_cell=1),
    "a code cell is not Python": replace("1 + 1", "1 +"),
    "a shell or magic command": replace("1 + 1", "!ls"),
    "private _overlap": replace("1 + 1", "from seglib.metrics import _overlap"),
    "first code cell is not light": replace("from seglib import plotting", "import os\n" * 5),
    "a prose cell has 13 lines": replace("A number.", "A line.\n" * 12),
    "a prose cell has 14 lines": replace("Words.", "word " * 300),
    "has no description": replace("![A picture of two masks]", "![masks]"),
    "is loaded from the web": replace("Words.", "![Two cells that touch](https://example.org/a.png)"),
    "names no heading": replace("(#Recap)", "(#Summary)"),
    "leads nowhere": replace("(#Recap)", "(../data/none.png)"),
    "not as <img>": replace("Words.", '<img src="a.png">'),
    "not stored as executed": not_run,
    "an error in the output": show(new_output("error", ename="ValueError", evalue="no", traceback=[])),
    "standard error in": show(new_output("stream", name="stderr", text="hm")),
    "a warning in": say("UserWarning: look out"),
    "progress bar, or": say("10 %\r20 %"),
    "more than 60 lines": say("line\n" * 61),
    "a memory address": say("<object at 0x7f3a5c1b2d30>"),
    "a widget in": show(new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}})),
    "a picture in the output": show(picture(alt="Masks.")),
    "'/home/a' belongs to one machine": say("/home/anna/course/cells.png"),
    "'C:\\U' belongs to one machine": replace("1 + 1", r"open(r'C:\Users\anna')"),
    "the file has 1.6 MB": say("x" * 1_600_000),
}


@pytest.mark.usefixtures("first_edition")
@pytest.mark.parametrize("complaint", BREAKAGES)
def test_a_broken_lesson_is_seen(complaint, tmp_path, monkeypatch):
    monkeypatch.setattr(lesson_form, "planned_lessons", lambda: {"01_edges", "05_learning_pixels"})
    cells = good_lesson()
    BREAKAGES[complaint](cells)
    assert complaint in "\n".join(write(tmp_path, cells))


@pytest.mark.parametrize(
    ("complaint", "said"),
    [
        ("NN_topic.ipynb", {"name": "04_Measuring.ipynb"}),
        ("the kernel is not python3", {"kernel": "conda-env"}),
        ("it ran 151 s, less than 150 s", {"seconds": 151}),
        ("at least 3 are wanted", {"name": "08_unet.ipynb"}),
        ("'## The claim' is missing", {"name": "08_unet.ipynb"}),
    ],
)
def test_a_wrongly_kept_lesson_is_seen(complaint, said, tmp_path):
    assert complaint in "\n".join(write(tmp_path, good_lesson(), **said))


def code_notebook(*sources):
    return new_notebook(cells=[new_code_cell(source) for source in sources])


@pytest.mark.slow
def test_storing_twice_changes_no_text(tmp_path, monkeypatch):
    path = tmp_path / "99_twice.ipynb"
    nbformat.write(code_notebook("{'b', 'a', 'c'}", "import random\nrandom.seed(0)\nrandom.random()"), path)
    monkeypatch.setenv("SEGLIB_DATA", "somewhere")
    notebooks.fresh_environment(threads=2)
    notebooks.run(path, store=True)
    first = nbformat.read(path, as_version=4)
    assert notebooks.run(path, store=False) == []
    notebooks.run(path, store=True)
    second = nbformat.read(path, as_version=4)
    assert notebooks.changed_cells(first, second) == []
    assert [cell.execution_count for cell in second.cells] == [1, 2]
    assert [cell.id for cell in first.cells] == [cell.id for cell in second.cells]
    assert set(second.metadata) == {"course", "kernelspec", "language_info"}


@pytest.mark.slow
def test_a_changed_text_output_is_seen(tmp_path):
    path = tmp_path / "99_changes.ipynb"
    nbformat.write(code_notebook("1 + 1", "import os\nprint(os.getpid())"), path)
    complaints = notebooks.run(path, store=False)
    assert complaints == ["code cells whose text output is not the stored one: [1, 2]"]


@pytest.mark.slow
def test_a_failing_lesson_is_not_stored(tmp_path):
    path = tmp_path / "99_fails.ipynb"
    nbformat.write(code_notebook("1 / 0"), path)
    before = path.read_bytes()
    assert "ZeroDivisionError" in notebooks.run(path, store=True)[0]
    assert path.read_bytes() == before


@pytest.mark.slow
def test_lessons_side_by_side_are_reported_and_counted(tmp_path, capfd):
    paths = [tmp_path / name for name in ("98_fails.ipynb", "99_runs.ipynb")]
    for path, sources in zip(paths, [("1 / 0", "2"), ("print('hello')", "1 + 1")], strict=True):
        nbformat.write(code_notebook(*sources), path)
    assert notebooks.test(paths) == 1
    said = capfd.readouterr().out
    assert "98_fails.ipynb: FAILED" in said
    assert "99_runs.ipynb: passed" in said
    assert "ZeroDivisionError" in said
    assert said.splitlines()[-1] == "3 passed, 1 failed"


def test_a_widget_leaves_its_still_picture():
    kind, still = "application/vnd.jupyter.widget-view+json", picture()
    both = new_output("display_data", still.data | {kind: {"model_id": "a"}}, metadata=still.metadata | {kind: {}})
    alone = new_output("display_data", {kind: {"model_id": "b"}, "text/plain": "IntSlider()"})
    cell = new_code_cell("explorer", outputs=[both, alone, picture()])
    notebook = new_notebook(cells=[cell])
    renewed = new_notebook(cells=[new_code_cell("explorer", outputs=[still, still])])
    assert notebooks.changed_cells(notebook, renewed) == []
    assert kind in cell.outputs[0].data  # comparing changes nothing
    notebooks.normalise(notebook, 1)
    assert notebook.cells[0].outputs == [still, still]


def test_the_cover_is_the_tagged_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "COVERS", tmp_path / "covers")
    notebook = new_notebook(cells=good_lesson())
    notebooks.save_cover(notebook, Path("04_measuring.ipynb"))
    assert (tmp_path / "covers" / "04_measuring.png").read_bytes().startswith(b"\x89PNG")


def test_the_readme_gets_the_lessons_times(tmp_path):
    readme = tmp_path / "README.md"
    others = "| `03_x` | Why? | photos | planned | |\n| `05_y` | How? | Cells | planned | |\n"
    readme.write_text(others.replace("\n", "\n| `04_measuring` | When? | photos | planned | |\n", 1))
    write(tmp_path, good_lesson())
    for _ in range(2):
        notebooks.list_in_readme(tmp_path / "notebooks" / "04_measuring.ipynb", readme)
        row = "| [04_measuring](notebooks/04_measuring.ipynb) | When? | photos | 30 min | 20 s |\n"
        assert readme.read_text() == others.replace("\n", "\n" + row, 1)


def test_an_unknown_lesson_is_named():
    with pytest.raises(SystemExit, match="No lesson 99"):
        notebooks.lessons(["99"])
