"""Read the measured figures under results/, so that lessons show what was measured and check what they run live."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "results"


def read(name):
    """Rows of results/``name``.csv as dicts; what reads as a number becomes a float.

    Raises ValueError when the file is missing, with the files that are there.
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
    """Mean and standard deviation (n - 1) of a column over seeds for each value of ``by``, in file order."""
    groups = {}
    for row in rows:
        groups.setdefault(row[by], []).append(row[metric])
    return {
        key: (float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0)
        for key, values in groups.items()
    }


def table(rows, metrics, by="variant"):
    """A plain text table, one line for each value of ``by``: mean ± standard deviation over the seeds, if several."""
    columns = {metric: spread(rows, metric, by) for metric in metrics}
    groups = Counter(row[by] for row in rows)
    cells = [[by, *(metric.replace("_", " ") for metric in metrics)]]
    cells += [[str(group), *(_mean_and_spread(*columns[m][group], n) for m in metrics)] for group, n in groups.items()]
    return _aligned(cells)


def pivot(rows, down, across, metric):
    """A plain text table of a column: one line for each value of ``down``, one column for each of ``across``.

    The last column is the mean of the line. Both go in file order; a pair without a row is left empty.
    """
    lines, columns = (list(dict.fromkeys(row[key] for row in rows)) for key in (down, across))
    found = {(row[down], row[across]): row[metric] for row in rows}
    cells = [[down, *columns, "mean"]]
    for line in lines:
        values = [found.get((line, column), "") for column in columns]
        mean = np.mean([value for value in values if value != ""])
        cells.append([line, *(value if value == "" else f"{value:.2f}" for value in [*values, mean])])
    return _aligned(cells)


def in_band(value, rows, metric, variant, least=0.02):
    """True if a live figure lies within three standard deviations of the measured mean, at least ``least`` either way.

    Other machines round differently and training amplifies it; three deviations over the seeds leave room for that.
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
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = [
        "  ".join(
            text.ljust(w) if i == 0 else text.rjust(w) for i, (text, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    ]
    return "\n".join(line.rstrip() for line in lines)
