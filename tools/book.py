"""Build the course's website: ``python tools/book.py`` writes build/book/html from the stored notebooks.

First the pages are staged in build/book/source (lessons, glossary, measured figures, API), then Sphinx builds them
with warnings as errors. A notebook that was not executed in order or holds an error stops the build. Arguments go on
to Sphinx: ``python tools/book.py -D course_repository=https://github.com/NAME/COURSE``.
"""

import shutil
import sys
import time
from pathlib import Path

import lesson_form

ROOT = Path(__file__).resolve().parent.parent
BOOK, BUILD = ROOT / "book", ROOT / "build" / "book"
NOTEBOOKS, COVERS, RESULTS = ROOT / "notebooks", ROOT / "data" / "covers", ROOT / "results"
sys.path[:0] = [str(BOOK), str(ROOT)]

from coursebook import glossary, ladder, lessons, measured, reference  # noqa: E402 (they lie in book/)


def stage(source, extra, paths):
    """Write what Sphinx reads into the folder ``source``, what it only copies into ``extra``.

    Raises `coursebook.lessons.Refused` for a notebook that is not fit to be shown.
    """
    there = {path.stem: lesson_form.Lesson(path) for path in paths}
    readme = ROOT / "README.md"
    shutil.copytree(COVERS, source / "covers")
    for lesson in there.values():
        lessons.stage(lesson, source)
    shutil.copytree(RESULTS, source / "results")
    shutil.copytree(BOOK / "server", source / "server")
    (extra / "pictures").mkdir(parents=True)
    written = {path.name: path.read_text(encoding="utf-8") for path in (BOOK / "pages").glob("*.md")}
    written = {name: ladder.fill_names(text, there, readme) for name, text in written.items()}
    rungs = ladder.pictures(there, readme, COVERS, extra / "pictures")
    written["index.md"] = written["index.md"].replace("{{ ladder }}", rungs)
    written["lessons/index.md"] = ladder.list_of_lessons(there, readme)
    written["glossary.md"] = glossary.page(there.values())
    written["measured.md"] = measured.page(ROOT)
    written |= {f"reference/{name}": text for name, text in reference.pages().items()}
    for name, text in written.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text, encoding="utf-8")


def build(paths, folder=BUILD, arguments=()):
    """Make ``folder`` anew, stage, and build into ``folder``/html; return Sphinx's exit code."""
    from sphinx.cmd.build import main as sphinx

    shutil.rmtree(folder, ignore_errors=True)
    stage(folder / "source", folder / "extra", paths)
    options = ["-b", "html", "-c", str(BOOK), "-d", str(folder / "doctrees"), "-W", "--keep-going", "-q"]
    options += ["-D", f"html_extra_path={folder / 'extra'}", *arguments]
    return sphinx([*options, str(folder / "source"), str(folder / "html")])


def main(arguments):
    start = time.monotonic()
    try:
        status = build(sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")), arguments=arguments)
    except lessons.Refused as error:
        sys.exit(f"{error}\nThe book was not built.")
    if status == 0:
        print(f"Built in {time.monotonic() - start:.0f} seconds: open {BUILD.relative_to(ROOT) / 'html/index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
