"""Execute the lessons: ``python tools/notebooks.py run|check|test [LESSON...]``, LESSON a number such as 07.

run    execute from top to bottom in a fresh kernel and store the outputs, reproducibly
check  execute, store nothing, and fail where a text output differs from the stored one
test   execute under nbval, as the tests do (this is the one place that knows nbval)

Lessons are stored one after the other with two threads, as a learner runs them, so that the seconds they state are
true. Tests run them side by side, one a processor and each with one thread, which takes less time in all; the bands
that lessons assert hold both ways.
"""

import base64
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date
from importlib.metadata import version
from pathlib import Path

import nbformat

import lesson_form
from lesson_cells import METADATA
from lesson_sitting import questions

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
COVERS = ROOT / "data" / "covers"
CELL_TIMEOUT = 300  # seconds
AT_ONCE = min(os.cpu_count() or 1, 8)  # a lesson takes up to 1.5 GB of memory
RECORDED_VERSIONS = ("numpy", "scikit-image", "torch", "torchvision")
WIDGET = "application/vnd.jupyter.widget-view+json"
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}


def lessons(numbers, folder=NOTEBOOKS):
    """Paths of the lessons whose numbers are given, of all without numbers."""
    paths = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    missing = [number for number in numbers if not any(path.name.startswith(f"{number}_") for path in paths)]
    if missing:
        have = ", ".join(path.name[:2] for path in paths) or "none"
        sys.exit(f"No lesson {', '.join(missing)} in {folder.name}/ (two digits are wanted; there are: {have})")
    return [path for path in paths if not numbers or path.name[:2] in numbers]


def fresh_environment(threads):
    """What a kernel sees: this environment, so many threads, no real data; the same on every machine."""
    for name in ("SEGLIB_DATA", "MPLBACKEND", "PYTHONWARNINGS"):
        os.environ.pop(name, None)
    os.environ.update(JUPYTER_PREFER_ENV_PATH="1", PYTHONHASHSEED="0")
    os.environ.update(OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="PASSIVE", GOMP_SPINCOUNT="10000")


def execute(path):
    """Run the notebook at `path` in a fresh kernel; return it and the seconds it took."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_TIMEOUT,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    start = time.perf_counter()
    client.execute()
    return notebook, time.perf_counter() - start


def without_widgets(outputs):
    """Copies of the outputs that keep a widget's still picture; a widget with nothing but its name goes."""
    kept = []
    for output in outputs:
        data = output.get("data", {})
        if WIDGET in data:
            output = nbformat.from_dict(dict(output, data={kind: it for kind, it in data.items() if kind != WIDGET}))
            output.metadata.pop(WIDGET, None)
        if WIDGET not in data or set(output.data) > {"text/plain"}:
            kept.append(output)
    return kept


def normalise(notebook, seconds):
    """Keep only what is the same on every run, and what the course says about the run."""
    for cell in notebook.cells:
        for noise in set(cell.metadata) - METADATA:
            del cell.metadata[noise]
        if cell.cell_type == "code":
            cell.outputs = without_widgets(cell.outputs)
            cell.metadata.pop("jupyter", None)
            if "hide-cell" in cell.metadata.get("tags", []):  # an aside; by this tag the website folds it too
                cell.metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": True}
    for _, run, _ in questions(notebook.cells):  # JupyterLab shows them when the cell is run
        for cell in run:
            cell.metadata["jupyter"] = {"outputs_hidden": True}
    notebook.metadata = nbformat.from_dict(
        {
            "course": {
                "executed": date.today().isoformat(),
                "seconds": round(seconds),
                "versions": {"python": platform.python_version()}
                | {name: version(name).split("+")[0] for name in RECORDED_VERSIONS},
            },
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": LANGUAGE,
        }
    )


def text_outputs(notebook):
    """Per code cell everything that it shows but pictures."""
    shown = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        data = [
            dict(each.get("data", {}), text=each.get("text", ""), error=each.get("evalue", ""))
            for each in without_widgets(cell.outputs)
        ]
        shown.append([{k: v for k, v in each.items() if not k.startswith("image/")} for each in data])
    return shown


def changed_cells(before, after):
    """Numbers (from 1) of the code cells whose text outputs differ."""
    before, after = text_outputs(before), text_outputs(after)
    length = max(len(before), len(after))
    before, after = (each + [None] * (length - len(each)) for each in (before, after))
    return [i + 1 for i in range(length) if before[i] != after[i]]


def save_cover(notebook, path):
    """Copy the first picture of the cell tagged `cover` to where the lesson's title shows it."""
    for cell in notebook.cells:
        if "cover" in cell.metadata.get("tags", []):
            for output in cell.get("outputs", []):
                if "image/png" in output.get("data", {}):
                    COVERS.mkdir(parents=True, exist_ok=True)
                    picture = base64.b64decode(output.data["image/png"])
                    (COVERS / f"{path.stem}.png").write_bytes(picture)
                    return


def run(path, store):
    """Execute one lesson, store it if wished, and return what is wrong with it."""
    stored = nbformat.read(path, as_version=4)
    try:
        notebook, seconds = execute(path)
    except Exception as error:  # a failing cell, a dead kernel, a timeout: say so, go on with the next
        return [f"not stored: {error}"]
    changed = changed_cells(stored, notebook)
    print(f"{path.name}: {seconds:.0f} s; text outputs changed in code cells: {changed or 'none'}", flush=True)
    if not store:
        return [f"code cells whose text output is not the stored one: {changed}"] if changed else []
    normalise(notebook, seconds)
    nbformat.write(notebook, path)
    save_cover(notebook, path)
    list_in_readme(path)
    return lesson_form.problems(path)


def list_in_readme(path, readme=ROOT / "README.md"):
    """Link the lesson in the README's table and put its times there, as its second cell states them."""
    times = lesson_form.times(lesson_form.Lesson(path))
    if times is None:  # a complaint says so
        return
    row = re.compile(rf"^\| [`\[]{path.stem}\b[^|]*(\|.*\|.*)\|[^|]*\|[^|]*\|$", re.M)
    link = f"| [{path.stem}](notebooks/{path.name}) "
    text = readme.read_text(encoding="utf-8")
    readme.write_text(row.sub(rf"{link}\1| {times[0]} min | {times[1]} s |", text), encoding="utf-8")


def side_by_side(work, paths):
    """Yield (path, work(path)) as they end: as many lessons at once as there are processors, the longest first."""
    paths = sorted(paths, key=stored_seconds, reverse=True)
    with ProcessPoolExecutor(AT_ONCE) as pool:
        futures = {pool.submit(work, path): path for path in paths}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:  # Ctrl-C too: what has not begun is not begun any more
            pool.shutdown(cancel_futures=True)
            raise


def stored_seconds(path):
    """How long the lesson took when it was stored; a new one counts as long."""
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    return metadata.get("course", {}).get("seconds", lesson_form.SECONDS)


def under_nbval(path):
    """Run one lesson in a pytest of its own; return its exit code, its seconds and what it said."""
    options = ["-c", "pyproject.toml", "-q", "-p", "no:cacheprovider"]
    options += ["-p", "nbval.plugin"]  # by this name, since pyproject.toml blocks "nbval"
    options += ["--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={CELL_TIMEOUT}"]
    start = time.perf_counter()
    command = [sys.executable, "-m", "pytest", *options, str(path)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, time.perf_counter() - start, done.stdout.decode(errors="replace")


def test(paths):
    """Run the lessons under nbval; say how they fared, and last, as pytest does, how many cells passed and failed."""
    start, counts, results = time.perf_counter(), Counter(), {}
    for path, (status, seconds, said) in side_by_side(under_nbval, paths):
        results[path] = (status, seconds, said)
        print(f"{path.name}: {'FAILED' if status else 'passed'} after {seconds:.0f} s", flush=True)
    for path in paths:
        status, _, said = results[path]
        closing = re.findall(r"^(?:=+ )?(\d+ .*) in [\d.]+s", said, re.M)  # the kernel may speak after pytest
        found = Counter({kind: int(n) for n, kind in re.findall(r"(\d+) (passed|failed)", " ".join(closing[-1:]))})
        counts += found
        if status:
            print(f"\n{'=' * 30} {path.name} {'=' * 30}\n{said}")
            counts["failed"] += not found["failed"]  # it ended before a cell could fail
    print(f"\nSeconds a notebook, {AT_ONCE} at once:")
    for path in sorted(paths, key=lambda path: results[path][1], reverse=True):
        print(f"{results[path][1]:7.1f} s  {path.name}")
    print(f"{time.perf_counter() - start:7.1f} s  in all; cells:")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return int(counts["failed"] > 0)


def main(arguments):
    if not arguments or arguments[0] not in ("run", "check", "test"):
        sys.exit(__doc__)
    command, paths = arguments[0], lessons(arguments[1:])
    if not paths:
        print("There are no lessons in notebooks/ yet: nothing to do.")
        return 0
    if command == "test":
        fresh_environment(threads=1)
        return test(paths)
    fresh_environment(threads=2)
    wrong = {path: run(path, store=command == "run") for path in paths}
    for path, problems in wrong.items():
        for problem in problems:
            print(f"{path.name}: {problem}")
    return int(any(wrong.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
