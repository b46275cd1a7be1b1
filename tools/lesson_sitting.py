"""The rules that make a lesson one sitting: folded outputs below predictions, captions, length, honest time, names."""

import ast
import re
from itertools import pairwise

from lesson_cells import is_prose, without_code

CELLS, WORDS, SECONDS, SLACK = 100, 3400, 100, 3  # of the stated minutes
TIME = re.compile(r"\*\*Time\*\* (\d+) minutes to read, (\d+) seconds to run on 2 cores")


def times(lesson):
    """Minutes to read and seconds to run, as the lesson's second cell states them; None if it doesn't."""
    found = TIME.search(lesson.cells[1].source) if len(lesson.cells) > 1 else None
    return (int(found[1]), int(found[2])) if found else None


def questions(cells):
    """For every Predict its cell, the code that runs below it, and the cell after that, where the answer belongs."""
    for i, cell in enumerate(cells):
        if is_prose(cell) and cell.source.startswith("**Predict**"):
            end = next((k for k in range(i + 1, len(cells)) if is_prose(cells[k])), len(cells))
            yield cell, cells[i + 1 : end], cells[end] if end < len(cells) else None


def folded(lesson):
    for cell, run, answer in questions(lesson.cells):
        name = cell.source[11:50].strip()
        if not any(each.outputs for each in run):
            yield f"nothing is shown after Predict '{name}...'"
        if not all(each.metadata.get("jupyter", {}).get("outputs_hidden") for each in run if each.outputs):
            yield f"the output below Predict '{name}...' is not folded: run `make notebooks`"
        if answer is None or not answer.source.startswith("<details><summary>Answer</summary>"):
            yield f"the answer does not follow the run of Predict '{name}...' at once, folded"


def captions(lesson):
    for cell in lesson.code:
        shown = [output.get("data", {}) for output in cell.outputs]
        for data, after in pairwise([*shown, {}]):
            if "image/png" not in data or "_explorer(" in cell.source:
                continue
            caption = after.get("text/plain", "") if 'class="caption"' in after.get("text/html", "") else ""
            if not caption:
                yield f"a figure has no caption: '{data['text/plain'][:50]}'"
            elif caption == data["text/plain"]:
                yield f"a caption repeats the description: '{caption[:50]}'"


def sitting(lesson):
    words = len(re.findall(r"\S+", "\n".join(cell.source for cell in lesson.cells if is_prose(cell))))
    if len(lesson.cells) > CELLS:
        yield f"it has {len(lesson.cells)} cells, {CELLS} are one sitting"
    if words > WORDS:
        yield f"it has {words} words, {WORDS} are one sitting"
    if lesson.notebook.metadata.get("course", {}).get("seconds", 0) > SECONDS:
        yield f"it runs longer than {SECONDS} s"
    minutes, stated = reading_minutes(lesson), times(lesson)
    if stated and abs(stated[0] - minutes) > SLACK:
        yield f"Time says {stated[0]} minutes to read; by words, code and figures it takes {minutes:.0f}"


def reading_minutes(lesson):
    """150 words a minute, 10 lines of code, half a minute a figure; the exercises take their own time."""
    apart = {cell.id for cell in lesson.section("Exercises")}
    cells = [cell for cell in lesson.cells if cell.id not in apart]
    words = sum(len(without_code(cell.source).split()) for cell in cells if is_prose(cell))
    code = sum(len(cell.source.splitlines()) for cell in cells if not is_prose(cell))
    figures = sum(
        "image/png" in output.get("data", {}) for cell in cells if not is_prose(cell) for output in cell.outputs
    )
    return words / 150 + code / 10 + figures / 2


def kinds(lesson):
    """A name that is a function or an import in one cell is not given to anything else in another."""
    fixed, free = set(), set()
    for cell in lesson.code:
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:  # lesson_cells.py complains of it
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                fixed.add(node.name)
            elif isinstance(node, ast.alias):
                fixed.add((node.asname or node.name).split(".")[0])
        for node in tree.body:
            free |= {each.id for each in bound(node)}
    for name in sorted(fixed & free):
        yield f"the name {name} is a function or an import in one cell and a value in another"


def bound(statement):
    """The names that a statement outside of functions gives values to."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return []
    return [node for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


RULES = (folded, captions, sitting, kinds)
