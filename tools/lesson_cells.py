"""The rules for single cells of a lesson: length, links, code, stored outputs (see lesson_form.py)."""

import ast
import re

CODE_LINES, LONG_CODE_LINES, PROSE_LINES, LINE = 15, 25, 12, 110
OUTPUT_LINES, ALT_LETTERS = 60, 20
METADATA = {"tags", "jupyter"}  # what a cell may carry besides its source; storing a notebook drops the rest
INLINE_CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
PRIVATE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|Users|tmp|var|mnt|work)/\w|[A-Z]:\\\w|localhost|127\.0\.0\.1")
ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,}")


def is_prose(cell):
    return cell.cell_type == "markdown"


def without_code(markdown):
    return re.sub(r"```.*?```", "", markdown, flags=re.S)


def tidiness(lesson):
    for cell in lesson.cells:
        if not cell.source.strip():
            yield f"an empty {cell.cell_type} cell"
        elif cell.source != cell.source.strip("\n"):
            yield f"a cell begins or ends with an empty line: '{cell.source.strip()[:40]}'"
        if foreign := set(cell.metadata) - METADATA:
            yield f"an editor left {', '.join(sorted(foreign))} in the metadata of '{cell.source[:40]}'"


def code_cells(lesson):
    for cell in lesson.code:
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if not lines:
            continue
        limit = LONG_CODE_LINES if "long" in cell.metadata.get("tags", []) else CODE_LINES
        if len(lines) > limit:
            yield f"a code cell has {len(lines)} lines, {limit} are allowed: '{lines[0]}'"
        if re.search(r"^\s*(?:[!%]|get_ipython\()", cell.source, re.M):
            yield f"a shell or magic command, which needs this system or Jupyter: '{lines[0]}'"
            continue
        try:
            tree = ast.parse(cell.source)
        except SyntaxError as error:
            yield f"a code cell is not Python ({error.msg}): '{lines[0]}'"
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("seglib"):
                private = [name.name for name in node.names if name.name.startswith("_")]
                if private or "._" in node.module:
                    yield f"imports the private {', '.join(private) or node.module} of seglib"
    first = lesson.code[0].source if lesson.code else ""
    lines = [line for line in first.splitlines() if line.strip()]
    if len(lines) > 8 or len(re.findall(r"^\s*(?:from|import) ", first, re.M)) > 4 or "fit(" in first:
        yield "the first code cell is not light: 8 lines, 4 imports and no training are allowed"


def prose_cells(lesson):
    for text in lesson.prose:
        if text.startswith("## Sources"):
            continue
        lines = [
            line
            for line in text.splitlines()
            if line.strip() and not re.match(r"\s*(?:#|\||!\[|</?(?:details|summary)>\s*$)", line)
        ]
        length = sum(-(-len(LINK.sub(r"\2", line)) // LINE) for line in lines)
        if length > PROSE_LINES:
            yield f"a prose cell has {length} lines, {PROSE_LINES} are allowed: '{lines[0][:60]}'"


def links(lesson):
    for text in lesson.prose:
        for image, words, target in LINK.findall(INLINE_CODE.sub("", text)):
            if image and len(words) < ALT_LETTERS:
                yield f"the picture {target} has no description of {ALT_LETTERS} letters or more"
            if re.match(r"https?:", target):
                if image:
                    yield f"the picture {target} is loaded from the web"
                continue
            file, _, anchor = target.partition("#")
            if file and not (lesson.path.parent / file).is_file():
                yield f"the link {target} leads nowhere"
            elif not file and anchor not in [title.replace(" ", "-") for _, title in lesson.headings]:
                yield f"the link {target} names no heading"
        if "<img" in text:
            yield "write pictures as ![description](file), not as <img>"


def outputs(lesson):
    for cell in lesson.code:
        where = f"in the output of '{cell.source[:40]}'"
        for output in cell.outputs:
            data = output.get("data", {})
            text = output.get("text", "") + data.get("text/plain", "") + data.get("text/html", "")
            if output.output_type == "error":
                yield f"an error {where}; show an expected one with try and print"
            if output.get("name") == "stderr":
                yield f"standard error {where}: {text[:60]}"
            if re.search(r"\b\w*Warning:", text):
                yield f"a warning {where}"
            if "\r" in text or len(text.splitlines()) > OUTPUT_LINES:
                yield f"noise {where}: a progress bar, or more than {OUTPUT_LINES} lines"
            if ADDRESS.search(text):
                yield f"a memory address {where}: it differs on every run"
            if any("widget" in kind for kind in data):
                yield f"a widget {where}: store its static figure only"
            for kind in ("image/png", "image/jpeg", "image/svg+xml"):
                if kind in data and len(output.metadata.get(kind, {}).get("alt", "")) < ALT_LETTERS:
                    yield f"a picture {where} has no description: use seglib.plotting"
    if "widgets" in lesson.notebook.metadata:
        yield "widget state is stored: run `make notebooks`"


def private_paths(lesson):
    for cell in lesson.cells:
        shown = [
            each.get("text", "") + str(each.get("data", {}).get("text/plain", "")) for each in cell.get("outputs", [])
        ]
        found = PRIVATE_PATH.search("\n".join([cell.source, *shown]))
        if found:
            yield f"'{found[0]}' belongs to one machine only, in '{cell.source[:40]}'"


RULES = (tidiness, code_cells, prose_cells, links, outputs, private_paths)
