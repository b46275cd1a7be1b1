"""Read the measured figures under results/, so that lessons show what was measured and check what they run live."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "results"


def read(name):
    """Rows of results/``name``.csv as dicts; values that are numbers become floats.

    Raises ValueError if the file is missing, and names those that are there.
    """
    path = FOLDER / f"{name}.csv"
    if not path.exists():
        there = sorted(p.relative_to(FOLDER).with_suffix("").as_posix() for p in FOLDER.rglob("*.csv"))
        raise ValueError(
            f"no results/{name}.csv; there are: {', '.join(there) or 'none'}. "
            "seglib has to be installed from a copy of the course (pip install -e .), as `make lab` does"
        )
    with path.open(newline="", encoding="utf-8") as file:
        return [{key: _number(value) for key, value in row.items()} for row in csv.DictReader(file)]


def spread(rows, metric, by="variant"):
    """Mean and standard deviation (n - 1; 0 for a single row) of a column for each value of ``by``, in file order."""
    groups = {}
    for row in rows:
        groups.setdefault(row[by], []).append(row[metric])
    return {group: (np.mean(x).item(), np.std(x, ddof=min(1, len(x) - 1)).item()) for group, x in groups.items()}


def table(rows, metrics, by="variant"):
    """A plain text table, one line for each value of ``by``: mean ± standard deviation over the seeds, if several."""
    columns = [spread(rows, metric, by) for metric in metrics]
    cells = [[by, *(metric.replace("_", " ") for metric in metrics)]]
    for group, count in Counter(row[by] for row in rows).items():
        cells.append([str(group), *(_mean_and_spread(*column[group], count) for column in columns)])
    return _aligned(cells)


def pivot(rows, down, across, metric):
    """A plain text table of a column: one line for each value of ``down``, one column for each of ``across``.

    The last column is the mean of the line. Both go in file order; a pair without a row is left empty.
    """
    lines, columns = (list(dict.fromkeys(row[key] for row in rows)) for key in (down, across))
    found = {(row[down], row[across]): row[metric] for row in rows}
    cells = [[down, *columns, "mean"]]
    for line in lines:
        known = {column: found[line, column] for column in columns if (line, column) in found}
        texts = [f"{known[column]:.2f}" if column in known else "" for column in columns]
        cells.append([line, *texts, f"{np.mean(list(known.values())):.2f}"])
    return _aligned(cells)


def in_band(value, rows, metric, variant, least=0.02):
    """True if a live figure is at most three standard deviations, or ``least``, away from the measured mean.

    Machines round differently and training amplifies that; three deviations over the seeds leave room for it.
    """
    mean, deviation = spread(rows, metric)[variant]
    return abs(value - mean) <= max(3 * deviation, least)


def _number(text):
    try:
        return float(text)
    except ValueError:
        return text


def _mean_and_spread(mean, deviation, count):
    digits = 1 if max(abs(mean), deviation) >= 10 else 3
    return f"{mean:.{digits}f}" + (f" ± {deviation:.{digits}f}" if count > 1 else "")


def _aligned(cells):
    """Lines of text: the first column to the left, the others to the right."""
    widths = [max(len(text) for text in column) for column in zip(*cells, strict=True)]
    lines = []
    for first, *others in cells:
        right = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *right]).rstrip())
    return "\n".join(lines)
