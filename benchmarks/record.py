"""Write measured figures to results/, each row with the machine, versions and command that made it.

Run benchmarks from the repository's root: ``python -m benchmarks.metrics_speed``.
"""

import csv
import os
import platform
import shlex
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def write_rows(path, rows, packages=("torch", "numpy")):
    """Add rows to a CSV file; rows that the same command wrote there before are replaced.

    Parameters
    ----------
    path : str
        File inside the repository, such as "results/claims/unet_skips.csv".
    rows : list of dict
        Each with a "seed" or "seeds" entry; "machine", "versions" and "command" are added.
    packages : names of the packages whose versions matter here
    """
    for row in rows:
        if "seed" not in row and "seeds" not in row:
            raise ValueError(f'a row of {path} has no "seed" or "seeds": {row}')
    path = ROOT / path
    origin = {"machine": machine(), "versions": versions(packages), "command": command()}
    kept = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            kept = [row for row in csv.DictReader(file) if row["command"] != origin["command"]]
    rows = kept + [{**row, **origin} for row in rows]
    figures = dict.fromkeys(column for row in rows for column in row if column not in origin)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*figures, *origin], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def machine():
    """Processor and cores this process may use, and the GPU if there is one: never a host's name."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    text = f"{model}, {cores} core{'s' * (cores > 1)}"
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        text += f", {torch.cuda.get_device_name()}"
    return text


def versions(packages):
    """Python's and the packages' versions, as one text."""
    return "; ".join([f"python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)])


def command():
    """The command that runs this program again from the root; absolute paths are cut to their last name."""
    spec = sys.modules["__main__"].__spec__
    if spec:
        program = ["-m", spec.name]
    else:
        file = Path(sys.argv[0]).resolve()
        program = [file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else file.name]
    arguments = (Path(text).name if Path(text).is_absolute() else text for text in sys.argv[1:])
    return shlex.join(["python", *program, *arguments])
