"""The form of a lesson: ``python tools/lesson_form.py [NOTEBOOK...]`` lists what departs from it.

CONTRIBUTING.md describes the form for people; here each rule is one function that yields complaints.
"""

import re
import sys
from pathlib import Path

import nbformat

from lesson_cells import LINK, is_prose, without_code
from lesson_cells import RULES as CELL_RULES
from lesson_sitting import RULES as SITTING_RULES
from lesson_sitting import questions, times

ROOT = Path(__file__).resolve().parent.parent
SECOND_EDITION = {0, 1, 2, 3, 4, 5, 6, 8, 13}  # these also keep to lesson_sitting.py; the others are to be renewed
NETWORKS = {5, *range(7, 13), 14, 15}  # lessons that train: they also have "Train it", "The claim", "On real pictures"
PARTS = {  # heading -> the lessons that must have it; all that are there stand in this order
    "Where we are": range(1, 100),
    "The idea": range(0, 100),
    "Build it": {*range(7, 13), 14, 15},
    "Train it": NETWORKS,
    "The claim": NETWORKS,
    "On real pictures": NETWORKS,
    "Mistakes everyone makes": range(1, 100),
    "Exercises": range(0, 100),
    "In practice": SECOND_EDITION,
    "Recap": range(0, 100),
    "Questions learners ask": range(0, 100),
    "Terms": range(0, 100),
    "Sources": range(0, 100),
}
MEGABYTES, SECONDS = 1.5, 150


class Lesson:
    """A notebook taken apart: cells, prose without its code samples, level-2 sections."""

    def __init__(self, path):
        self.path = Path(path)
        self.notebook = nbformat.read(self.path, as_version=4)
        self.cells = self.notebook.cells
        self.number = int(self.path.name[:2]) if self.path.name[:2].isdigit() else -1
        self.code = [cell for cell in self.cells if cell.cell_type == "code"]
        self.prose = [without_code(cell.source) for cell in self.cells if is_prose(cell)]
        self.headings = [
            (len(marks), title) for text in self.prose for marks, title in re.findall(r"^(#+) +(.+)$", text, re.M)
        ]

    def section(self, name):
        """The cells of the level-2 section whose heading begins with `name`."""
        inside, found = False, []
        for cell in self.cells:
            heading = re.search(r"^## +(.+)$", cell.source, re.M) if is_prose(cell) else None
            if heading:
                inside = heading[1].startswith(name)
            if inside:
                found.append(cell)
        return found

    def text(self, name):
        return "\n".join(cell.source for cell in self.section(name) if is_prose(cell))


def planned_lessons(readme=ROOT / "README.md"):
    """Stems of the lessons that the README's map names without a link."""
    return set(re.findall(r"`(\d\d_\w+)`", readme.read_text(encoding="utf-8")))


# --- the parts and their order -------------------------------------------------------------------


def name_and_kernel(lesson):
    if not re.fullmatch(r"\d\d(_[a-z0-9]+)+\.ipynb", lesson.path.name):
        yield "the file name is not NN_topic.ipynb in lower case"
    if lesson.notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"


def title(lesson):
    first = lesson.cells[0].source
    if not re.match(rf"# {lesson.number:02d} · \S", first):
        yield f"the first cell does not begin with '# {lesson.number:02d} · ' and the title"
    if sum(level == 1 for level, _ in lesson.headings) != 1:
        yield "there must be exactly one level-1 heading"
    if f"](../data/covers/{lesson.path.stem}.png)" not in first:
        yield f"the first cell does not show ../data/covers/{lesson.path.stem}.png, where the lesson ends"
    if sum("cover" in cell.metadata.get("tags", []) for cell in lesson.code) != 1:
        yield "exactly one code cell needs the tag 'cover': the one that draws the title's picture"


def header(lesson):
    second = lesson.cells[1].source
    places = [second.find(words) for words in ("**You will be able to**", "**You need**", "**Time**")]
    if -1 in places or places != sorted(places):
        yield "the second cell lacks, in this order, You will be able to, You need, Time (bold)"
        return
    if len(re.findall(r"^[-*] ", second[: places[1]], re.M)) not in (3, 4):
        yield "You will be able to: three or four bullets are wanted"
    needs = second[places[1] : places[2]]
    for stem in re.findall(r"\d\d_\w+", re.sub(r"\[[^\]]*\]", "", needs)):
        exists = (lesson.path.parent / f"{stem}.ipynb").exists()
        if exists != (f"({stem}.ipynb)" in needs):
            yield f"You need: {stem} must be a link if the lesson exists, and else its name in backticks"
        elif not exists and stem not in planned_lessons():
            yield f"You need: {stem} neither exists nor is it in the README's map"
        if int(stem[:2]) >= lesson.number:
            yield f"You need: {stem} does not come before this lesson"
    if times(lesson) is None:
        yield "Time: 'N minutes to read, M seconds to run on 2 cores' is wanted"


def parts(lesson):
    level2 = [text for level, text in lesson.headings if level == 2]
    found = [next((i for i, text in enumerate(level2) if text.startswith(part)), None) for part in PARTS]
    for part, place in zip(PARTS, found, strict=True):
        if place is None and lesson.number in PARTS[part]:
            yield f"the part '## {part}' is missing"
    order = [place for place in found if place is not None]
    if order != sorted(order):
        yield f"the parts are not in the order {', '.join(PARTS)}"
    if any(len(re.findall(r"^## ", cell.source, re.M)) > 1 for cell in lesson.cells if is_prose(cell)):
        yield "a cell has two level-2 headings: begin a new cell"
    before = 0
    for level, text in lesson.headings:
        if level > before + 1:
            yield f"heading level jumps from {before} to {level} at '{text}'"
        before = level


def predictions(lesson):
    asked = list(questions(lesson.cells))
    wanted = 3 if lesson.number in NETWORKS else 2
    if len(asked) < wanted:
        yield f"{len(asked)} Predict questions, at least {wanted} are wanted"
    for cell, run, answer in asked:
        name = cell.source[11:50].strip()
        if "?" not in cell.source:
            yield f"Predict '{name}...' asks no question"
        if not run or answer is None or answer.source.startswith("**Predict**"):
            yield f"Predict '{name}...' is not followed by a run and then an answer"
        elif "<details>" not in answer.source or "<summary>" not in answer.source:
            yield f"the first prose after the run of Predict '{name}...' has no folded answer (<details>)"


def exercises(lesson):
    cells = lesson.section("Exercises")
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    count = len(re.findall(r"^### Exercise \d", lesson.text("Exercises"), re.M))
    if not 3 <= count <= 5:
        yield f"{count} exercises (### Exercise 1 ...), three to five are wanted"
    wanted = [f"q{i + 1}" for i in range(count)]
    for call in ("check", "hints"):
        if re.findall(rf"\b{call}\((q\d+)", code) != wanted:
            yield f"the exercises do not call {call}() once each for {', '.join(wanted)} in order"
    if code.count("raise NotImplementedError") < count:
        yield "an exercise has no stub that raises NotImplementedError"
    if count and f"seglib.exercises.{lesson.path.stem[3:]} import" not in "\n".join(c.source for c in lesson.code):
        yield f"the exercises are not imported from seglib.exercises.{lesson.path.stem[3:]}"


def end_matter(lesson):
    recap = len(re.findall(r"^(?:[-*]|\d\.) ", lesson.text("Recap"), re.M))
    if recap != 5:
        yield f"Recap: a list of five is wanted, it has {recap}"
    if len(re.findall(r"\*\*[^*]+\?\*\*", lesson.text("Questions learners ask"))) < 3:
        yield "Questions learners ask: three or more '**Question?** answer' are wanted"
    rows = re.findall(r"^\|.*\|\s*$", lesson.text("Terms"), re.M)
    if not rows or "English" not in rows[0] or "中文" not in rows[0]:
        yield "Terms: a table with the columns English and 中文 is wanted"
    elif sum(bool(re.search(r"[\u4e00-\u9fff]", row)) for row in rows[1:]) < 5:
        yield "Terms: five rows or more are wanted"
    sources = [line for line in lesson.text("Sources").splitlines() if re.match(r"(?:[-*]|\d+\.) ", line)]
    if len(sources) < 2:
        yield "Sources: a list of two or more is wanted"
    for line in sources:
        if len(LINK.sub("", line)) < 30:
            yield f"Sources: say what to read it for: '{line[:60]}'"


# --- how it was stored ---


def executed(lesson):
    counts = [cell.execution_count for cell in lesson.code]
    if counts != list(range(1, len(counts) + 1)):
        yield "not stored as executed from top to bottom: run `make notebooks`"
    course = lesson.notebook.metadata.get("course", {})
    if not {"executed", "seconds", "versions"} <= set(course):
        yield "it does not say when and with what it was executed: run `make notebooks`"
        return
    if course["seconds"] >= SECONDS:
        yield f"it ran {course['seconds']} s, less than {SECONDS} s are allowed"
    stated = times(lesson)
    if stated and not course["seconds"] / 2 - 5 <= stated[1] <= course["seconds"] * 2 + 5:
        yield f"Time says {stated[1]} s, it ran {course['seconds']} s"


def size(lesson):
    megabytes = lesson.path.stat().st_size / 1e6
    if megabytes >= MEGABYTES:
        yield f"the file has {megabytes:.1f} MB, less than {MEGABYTES} are allowed"


RULES = (
    *(name_and_kernel, title, header, parts, predictions, exercises, end_matter, executed, size),
    *CELL_RULES,
)


def problems(path):
    """Everything that departs from the form in the notebook at `path`, as a list of sentences."""
    lesson = Lesson(path)
    if len(lesson.cells) < 2:
        return ["it has less than two cells"]
    rules = RULES + SITTING_RULES if lesson.number in SECOND_EDITION else RULES
    return [complaint for rule in rules for complaint in rule(lesson)]


if __name__ == "__main__":
    chosen = sys.argv[1:] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    complaints = [f"{Path(path).name}: {each}" for path in chosen for each in problems(path)]
    print("\n".join(complaints) or f"{len(chosen)} notebooks, all in form.")
    sys.exit(bool(complaints))
