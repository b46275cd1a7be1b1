"""The page of measured figures, drawn from results/: every claim and every comparison, with where it comes from."""

import ast
import re
from collections import Counter

from coursebook.names import title, words
from seglib import results

ORIGIN = ("machine", "versions", "command")
SEEDS = ("seed", "seeds")
SPACE = "\N{NO-BREAK SPACE}"  # a line may end before the ±, not behind it
LONGEST = 24  # rows shown openly; longer tables are folded
# Long tables that read better across: file -> row, column, figure.
ACROSS = {"classical": ("method", "photo", "overlap")}
INTRODUCTION = """---
html_theme.show_toc_level: 2
---

# What was measured

Every figure that the lessons compare with, read from the files in `results/` when this page was built. Where several
seeds were run, the figure is their mean ± standard deviation. Each table names the machine, the versions and
the command that measured it, so that you can measure it again.
"""


def page(root):
    """Markdown of the whole page; ``root`` is the repository."""
    paths = results.FOLDER.rglob("*.csv")
    names = sorted(path.relative_to(results.FOLDER).with_suffix("").as_posix() for path in paths)
    claims = [name for name in names if name.startswith("claims/")]
    others = [name for name in names if name not in claims]
    parts = [INTRODUCTION, "## The claims\n\nOne idea, one change, several seeds.\n"]
    parts += [section(name, root) for name in claims]
    parts += ["## Comparisons and other measurements\n"]
    parts += [section(name, root) for name in others]
    return "\n".join(parts)


def section(name, root):
    rows = results.read(name)
    command = str(rows[0]["command"])
    text = [f"### {title(name.rpartition('/')[2])}", "", what(command, root), ""]
    body = across(rows, *ACROSS[name]) if name in ACROSS else table(rows)
    count = body.count("\n") - 1
    if count > LONGEST:
        body = f"<details><summary>All {count} rows</summary>\n\n{body}\n\n</details>"
    commands = ", ".join(dict.fromkeys(f"`{row['command']}`" for row in rows))
    origin = f"{rows[0]['machine']}; {rows[0]['versions']}; {commands}"
    return "\n".join([*text, body, "", "{.origin}", f"{origin} · {{download}}`all rows <results/{name}.csv>`", ""])


def what(command, root):
    """The first sentences of the program that measured: its docstring up to the first blank line."""
    module = re.search(r"-m ([\w.]+)", command)[1]
    tree = ast.parse((root / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
    return " ".join(ast.get_docstring(tree).split("\n\n")[0].split())


def table(rows):
    """A Markdown table: mean and spread over the seeds for each setting, or all rows as they are.

    Settings are told apart by their columns of text. Where these do not tell all rows of a seed apart, a number is a
    setting too, and nothing is averaged; nor where only some seeds have a figure. Columns that are the same in all rows
    stand in a line beneath.
    """
    columns = [key for key in rows[0] if key not in ORIGIN]
    same = {key: rows[0][key] for key in columns if len(rows) > 1 and len({row[key] for row in rows}) == 1}
    shown = [key for key in columns if key not in same]
    settings = [key for key in shown if any(isinstance(row[key], str) and row[key] for row in rows)]
    figures = [key for key in shown if key not in (*settings, *SEEDS)]
    keyed = [row | {"setting": tuple(row[key] for key in settings)} for row in rows]
    told_apart = len({(row["setting"], *(row.get(key) for key in SEEDS)) for row in keyed}) == len(rows)
    missing = Counter((row["setting"], key) for row in keyed for key in figures if row[key] == "")
    seeds = Counter(row["setting"] for row in keyed)
    if told_apart and all(count == seeds[setting] for (setting, _), count in missing.items()):
        shown, lines = settings + figures, averaged(keyed, figures)
    else:
        lines = [[number(row[key]) for key in shown] for row in rows]
    note = ", ".join(f"{words(key)} {number(value)}" for key, value in same.items() if key not in SEEDS and value != "")
    return markdown([words(key) for key in shown], lines) + (f"\n\nThe same in all rows: {note}." if note else "")


def averaged(rows, figures):
    """One line for each value of "setting" (a tuple): its parts, then each figure's mean and spread, if it has one."""
    spreads = [results.spread([row for row in rows if row[key] != ""], key, "setting") for key in figures]
    settings = Counter(row["setting"] for row in rows)
    return [
        [*it, *(with_spread(*each[it], count) if it in each else "" for each in spreads)]
        for it, count in settings.items()
    ]


def across(rows, down, over, figure):
    """A Markdown table with one line for each value of column ``down`` and one column for each of ``over``."""
    lines, columns = (list(dict.fromkeys(row[key] for row in rows)) for key in (down, over))
    found = {(row[down], row[over]): number(row[figure], 2) for row in rows}
    return markdown(
        [f"{words(down)} ({words(figure)} by {words(over)})", *columns],
        [[line, *(found.get((line, column), "") for column in columns)] for line in lines],
    )


def markdown(head, lines):
    columns = zip(*lines, strict=True)
    rows = [head, ["--:" if all(map(is_figure, column)) else "---" for column in columns], *lines]
    return "\n".join("| " + " | ".join(str(cell).replace("|", r"\|") for cell in row) + " |" for row in rows)


def is_figure(cell):
    return re.fullmatch(r"[-\d.,e+ ±\s]*", cell) is not None


def with_spread(mean, deviation, count):
    if count == 1 or (deviation == 0 and mean == int(mean)):
        return number(mean)
    digits = 0 if mean >= 1000 else 1 if mean >= 10 else 3
    return f"{mean:,.{digits}f}" + (f" ±{SPACE}{deviation:,.{digits}f}" if deviation else "")


def number(value, digits=4):
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value == int(value) else f"{value:.{digits}g}" if digits == 4 else f"{value:.{digits}f}"
