"""The book before Sphinx sees it: notebooks refused or staged, launch links, the ladder, pages written by hand."""

import base64
import re
import subprocess
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

pytest.importorskip("sphinx", reason='the book is not installed: pip install -e ".[book]"')

from lesson_samples import PICTURE, picture

from coursebook import ladder, launch, lessons, markup, names
from lesson_form import Lesson

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "book"
COURSE = {
    "executed": "2026-02-03",
    "seconds": 20,
    "versions": {"torch": "2.15.0", "python": "3.11.7", "numpy": "2.4.6"},
}


def write(folder, *cells, name="04_measuring.ipynb", course=COURSE):
    """A stored notebook with a title, its times and these cells; code cells are numbered as executed."""
    start = [
        new_markdown_cell(
            "# 04 · Measuring: when is a mask good?\n\n![A tiny grey square](../data/covers/04_measuring.png)"
        ),
        new_markdown_cell("**Time** 30 minutes to read, 20 seconds to run on 2 cores"),
    ]
    cells = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), start=1):
        cell.execution_count = cell.execution_count or count
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python"}, "course": course}
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=start + cells, metadata=metadata), folder / name)
    return Lesson(folder / name)


def staged(folder, *cells):
    """The cells of a notebook as they are staged."""
    lesson = write(folder / "notebooks", *cells)
    lessons.stage(lesson, folder / "source")
    return nbformat.read(folder / "source" / "lessons" / lesson.path.name, as_version=4).cells


# --- notebooks ---


@pytest.mark.parametrize(
    ("complaint", "cell"),
    [
        ("not stored as executed from top to bottom", new_code_cell("1", execution_count=3)),
        ("an error in the output", new_code_cell("1", outputs=[new_output("error", ename="E", evalue="")])),
        ("has no description", new_code_cell("1", outputs=[picture(alt="")])),
    ],
)
def test_a_notebook_that_is_not_fit_is_refused(tmp_path, complaint, cell):
    with pytest.raises(lessons.Refused, match=f"04_measuring.ipynb.*{complaint}"):
        staged(tmp_path, "Words.", cell)
    assert not (tmp_path / "source").exists()


def test_a_notebook_that_never_ran_is_refused(tmp_path):
    lesson = write(tmp_path, new_code_cell("1"), course={})
    with pytest.raises(lessons.Refused, match="does not say when"):
        lessons.stage(lesson, tmp_path / "source")


def test_a_staged_lesson_says_when_it_ran_and_how_to_run_it(tmp_path):
    cells = staged(tmp_path, "See [README](../README.md).")
    assert "](../covers/04_measuring.png)" in cells[0].source
    assert cells[2].source.splitlines() == [
        "```{container} last-run",
        "Last executed on 2026-02-03: 20 seconds, with Python 3.11.7, NumPy 2.4.6, PyTorch 2.15.0.",
        "",
        "{{ launch 04_measuring }}",
        "```",
    ]
    assert cells[3].source == "See [README](../run.md)."
    assert (tmp_path / "source" / "originals" / "04_measuring.ipynb").read_bytes() == (
        tmp_path / "notebooks" / "04_measuring.ipynb"
    ).read_bytes()


def test_figures_become_files_with_their_descriptions_and_text_stays(tmp_path):
    said = new_output("stream", name="stdout", text="7\n")
    cells = staged(tmp_path, new_code_cell("1", outputs=[said, picture("A [grey] pixel *alone*, on\nnothing.")]))
    first, second = cells[3].outputs
    assert first.text == "7\n"
    assert second.data == {"text/markdown": r"![A \[grey\] pixel \*alone\*, on nothing.](figures/04_measuring-01.png)"}
    assert (tmp_path / "source/lessons/figures/04_measuring-01.png").read_bytes() == base64.b64decode(PICTURE)


def test_the_cover_is_not_stored_twice(tmp_path):
    (tmp_path / "source" / "covers").mkdir(parents=True)
    (tmp_path / "source" / "covers" / "04_measuring.png").write_bytes(base64.b64decode(PICTURE))
    cells = staged(tmp_path, new_code_cell("1", outputs=[picture()]))
    assert cells[3].outputs[0].data["text/markdown"].endswith("](../covers/04_measuring.png)")
    assert list((tmp_path / "source/lessons/figures").iterdir()) == []


def test_an_explorer_says_how_to_move_it(tmp_path):
    cells = staged(tmp_path, new_code_cell("growing_explorer(picture, mask)"), new_code_cell("import explorers"))
    assert [cell.cell_type for cell in cells[3:]] == ["code", "markdown", "code"]
    assert "](../run.md)" in cells[4].source


# --- links ---

ON_GITHUB = "https://github.com/somebody/course"


@pytest.mark.parametrize(
    ("repository", "binder", "colab"),
    [
        (ON_GITHUB, "gh/somebody/course/dev", "github/somebody/course/blob/dev/n.ipynb"),
        (ON_GITHUB + ".git", "gh/somebody/course/dev", "github/somebody/course/blob/dev/n.ipynb"),
        ("https://gitlab.com/a/b/c", "gl/a%2Fb%2Fc/dev", None),
        ("https://git.example.org/c", "git/https%3A%2F%2Fgit.example.org%2Fc/dev", None),
    ],
)
def test_launch_links_follow_the_repository(repository, binder, colab):
    assert (
        launch.binder(repository, "dev", "n.ipynb") == f"https://mybinder.org/v2/{binder}?urlpath=lab%2Ftree%2Fn.ipynb"
    )
    wanted = colab and f"https://colab.research.google.com/{colab}"
    assert launch.colab(repository, "dev", "n.ipynb") == wanted
    assert "http" not in launch.links("", "main", "04_measuring")


def test_a_fork_changes_one_line():
    texts = {path: path.read_text(encoding="utf-8") for path in BOOK.rglob("*.*") if path.suffix in (".py", ".md")}
    assert sum(bool(re.search(r"^REPOSITORY = ", text, re.M)) for text in texts.values()) == 1
    pages = [text for path, text in texts.items() if path.suffix == ".md"]
    assert not any("github.com" in text for text in pages)
    assert sum("{{ repository }}" in text for text in pages) == 2  # at home, on a class server


# --- names and pictures of lessons ---


@pytest.mark.slow
def test_the_ladder_shows_every_lesson_that_is_there_or_planned(tmp_path):
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))
    there = {path.stem: Lesson(path) for path in paths}
    readme, covers = ROOT / "README.md", ROOT / "data" / "covers"
    assert len(ladder.planned(readme)) == 24
    home = ladder.pictures(there, readme, covers, tmp_path)
    assert home.count("<li") == 24
    assert home.count("<img") == len(paths) == home.count(" 2x")
    assert len(list(tmp_path.iterdir())) == 2 * len(paths)
    assert sum(path.stat().st_size for path in tmp_path.glob("*-1.png")) < 60_000 * len(paths)
    every = ladder.list_of_lessons(there, readme)
    for stem in ladder.planned(readme):
        assert every.count(f"({stem}.ipynb)") == (stem in there)


@pytest.mark.parametrize(
    ("name", "title"), [("object_f1", "Object F1"), ("unet_skips", "U-Net skips"), ("faster_rcnn", "Faster R-CNN")]
)
def test_names_are_spelled_as_the_course_spells_them(name, title):
    assert names.title(name) == title
    assert markup.slug("Questions learners ask") == "Questions-learners-ask"  # as Jupyter's anchors


def test_names_are_filled_in(tmp_path):
    there = {"04_measuring": write(tmp_path)}
    text = ladder.fill_names("{{ 04 }} then {{ 17 }}", there, ROOT / "README.md")
    assert (
        text
        == "[04 Measuring](lessons/04_measuring.ipynb) (30\N{NO-BREAK SPACE}min) then 17 The ladder (being written)"
    )


def test_the_teachers_plans_hold_what_they_promise():
    text = (BOOK / "pages" / "teachers.md").read_text(encoding="utf-8")
    for heading, weeks in (("## Eight weeks", 8), ("## Fourteen weeks", 14)):
        plan = text.split(heading)[1].split("\n## ")[0]
        assert re.findall(r"^\| (\d+) \|", plan, re.M) == [str(week) for week in range(1, weeks + 1)]
        named = ladder.NAMED.findall(plan)
        assert len(set(named)) == len(named)
        assert set(named) >= {path.name[:2] for path in (ROOT / "notebooks").glob("*.ipynb")}
    parts = re.findall(r"^### (\d\d) .*\n\n((?:.+\n|\n(?!#))+)", text, re.M)
    assert [number for number, _ in parts] == sorted(path.name[:2] for path in (ROOT / "notebooks").glob("*.ipynb"))
    for number, part in parts:
        assert "**Demonstrate**" in part, number
        assert len(re.findall(r'^- \*"', part, re.M)) == 3, number


def test_the_servers_files_are_well_formed():
    values = yaml.safe_load((BOOK / "server" / "jupyterhub-values.yaml").read_text(encoding="utf-8"))
    assert values["singleuser"]["memory"]["limit"] == "4G"
    assert subprocess.run(["bash", "-n", BOOK / "server" / "tljh.sh"]).returncode == 0


def test_nothing_of_the_book_is_loaded_from_elsewhere():
    for path in (BOOK / "static").rglob("*.*"):
        if path.suffix in (".css", ".js") and path.name.startswith(("course", "katex.min.css")):
            assert not re.search(r"https?:|url\(['\"]?//", path.read_text(encoding="utf-8")), path
    style = (BOOK / "static" / "katex" / "katex.min.css").read_text(encoding="utf-8")
    for font in set(re.findall(r"url\(([^)]+)\)", style)):
        assert (BOOK / "static" / "katex" / font).is_file(), font
