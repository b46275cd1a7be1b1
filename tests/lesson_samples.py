"""A lesson without faults, for tests that break one thing each."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import lesson_form

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TABLE = "| English | 中文 |\n| --- | --- |" + "\n| mask | 掩膜 |" * 5
SOURCES = "- [A paper](https://example.org/a), 2015: read section 2 for the idea behind skips."


def picture(alt="One grey pixel, drawn for this test."):
    data = {"image/png": PICTURE, "text/plain": alt}
    return new_output("display_data", data, metadata={"image/png": {"alt": alt}})


def good_lesson():
    """Cells of a lesson without faults; the tests below break one thing each."""
    question = "**Predict** What comes out?"
    answer = "<details><summary>Answer</summary>\n\nA number.\n\n</details>"
    cells = [
        "# 04 · Measuring\n\nA promise.\n\n![A picture of two masks](../data/covers/04_measuring.png)",
        "**You will be able to**\n- count\n- divide\n- compare\n\n**You need** [Start](00_start_here.ipynb), "
        "`01_edges`\n\n**Time** 30 minutes to read, 20 seconds to run on 2 cores",
        new_code_cell("from seglib import plotting", metadata={"tags": ["cover"]}, outputs=[picture()]),
        *("## Where we are\n\nWords.", "## The idea: divide\n\nSee [the recap](#Recap)."),
        *(question, new_code_cell("1 + 1"), answer, question, new_code_cell("1 + 2"), answer),
        *("## Mistakes everyone makes\n\nWords.", "## Exercises\n\nThree."),
        new_code_cell("from seglib.exercises import check, hints\nfrom seglib.exercises.measuring import q1, q2, q3"),
    ]
    for i in (1, 2, 3):
        stub = f"def answer_{i}(x):\n    raise NotImplementedError\n\n\ncheck(q{i}, answer_{i})\nhints(q{i})"
        cells += [f"### Exercise {i} · Do it", new_code_cell(stub)]
    cells += [
        "## Recap\n" + "\n- a line" * 5,
        "## Questions learners ask" + "\n\n**Why?** So." * 3,
        f"## Terms\n\n{TABLE}",
        f"## Sources\n\n{SOURCES}\n{SOURCES}",
    ]
    return [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]


def write(folder, cells, name="04_measuring.ipynb", kernel="python3", **course):
    """Write the lesson beside what it links to, as if it had been run; return the complaints."""
    (folder / "notebooks").mkdir()
    (folder / "data" / "covers").mkdir(parents=True)
    (folder / "data" / "covers" / "04_measuring.png").touch()
    nbformat.write(new_notebook(), folder / "notebooks" / "00_start_here.ipynb")
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), start=1):
        cell.execution_count = cell.execution_count or count
    metadata = {
        "kernelspec": {"name": kernel, "display_name": "Python"},
        "course": {"executed": "2026-01-01", "seconds": 20, "versions": {}} | course,
    }
    path = folder / "notebooks" / name
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
    return lesson_form.problems(path)


def replace(old, new):
    """A breakage: `old` becomes `new` in the first cell that holds it."""

    def breakage(cells):
        cell = next(cell for cell in cells if old in cell.source)
        cell.source = cell.source.replace(old, new)

    return breakage
