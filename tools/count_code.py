"""Count lines of code, those that are neither blank, comment nor docstring: ``python tools/count_code.py``."""

import ast
import io
import tokenize
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMITS = {"seglib without exercises": 5000, "workbench": 3000}  # what comes in pushes something out
FILE_LIMIT = 300  # lines of any kind
PLACES = ("seglib", "workbench", "tools", "tests", "benchmarks", "book")


def code_lines(text):
    """The number of lines of code in a Python file's text."""
    documented = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            documented |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.string.strip() and token.type != tokenize.COMMENT:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines - documented)


def texts(places=PLACES):
    """Name -> text of every Python file of these folders."""
    paths = [path for place in places for path in sorted((ROOT / place).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def per_part(places=PLACES):
    """Part of the house -> lines of code; seglib also package by package."""
    counts = Counter(dict.fromkeys(LIMITS, 0))
    for name, text in texts(places).items():
        place, room = name.split("/")[:2]
        lines = code_lines(text)
        counts[f"  {place}/{room}" if place == "seglib" else place] += lines
        if place == "seglib" and room != "exercises":
            counts["seglib without exercises"] += lines
    return counts


def files_above_limit():
    """Name -> number of lines, for files that are too long."""
    lengths = {name: len(text.splitlines()) for name, text in texts().items()}
    return {name: length for name, length in lengths.items() if length > FILE_LIMIT}


if __name__ == "__main__":
    for part, lines in per_part().items():
        limit = f" of {LIMITS[part]:,}" if part in LIMITS else ""
        print(f"{lines:7,}{limit:9} {part}")
