"""The stored notebooks as the website shows them: checked, figures as files, a note on their last run."""

import base64
import re
import shutil
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell, new_output

import lesson_form
from lesson_cells import outputs as rule_for_outputs

EXPLORER = re.compile(r"\b\w+_explorer\(")
TITLE = re.compile(r"# (\d\d) · ([^:\n]+)")
NAMES = {"python": "Python", "numpy": "NumPy", "torch": "PyTorch"}
STILL = "The picture above stands still. [Run the lesson](../run.md) to move its controls."


class Refused(ValueError):
    """A notebook is not stored as it must be to be shown."""


def check(lesson):
    """Raise `Refused` unless the notebook ran from top to bottom without errors and its figures are described."""
    complaints = [*lesson_form.executed(lesson), *rule_for_outputs(lesson)]
    if complaints:
        raise Refused(f"{lesson.path.name} can't be shown: " + "; ".join(complaints))


def title(lesson):
    """Number and short title: ``# 07 · U-Net: with few pictures`` gives "07", "U-Net"."""
    found = TITLE.match(lesson.cells[0].source)
    if not found:
        raise Refused(f"{lesson.path.name} can't be shown: its first cell does not begin with '# NN · Title'")
    return found[1], found[2].strip()


def last_run(lesson):
    """One sentence: when the notebook was executed, how long it ran, with which versions."""
    course = lesson.notebook.metadata["course"]
    versions = course["versions"]
    order = sorted(versions, key=lambda name: (name != "python", name))
    listed = ", ".join(f"{NAMES.get(name, name)} {versions[name]}" for name in order)
    return f"Last executed on {course['executed']}: {course['seconds']} seconds, with {listed}."


def stage(lesson, source):
    """Write the notebook below the folder ``source`` as Sphinx reads it, its figures beside it."""
    check(lesson)
    name = lesson.path.stem
    folder = Path(source, "lessons")
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    (Path(source) / "originals").mkdir(exist_ok=True)
    shutil.copy(lesson.path, Path(source) / "originals")
    cells, figures = [], 0
    for cell in lesson.cells:
        cell = nbformat.from_dict(cell)
        cells.append(cell)
        if cell.cell_type == "markdown":
            cell.source = relink(cell.source)
            continue
        for index, output in enumerate(cell.outputs):
            if "image/png" in output.get("data", {}):
                figures += 1
                path = folder / "figures" / f"{name}-{figures:02d}.png"
                cell.outputs[index] = save_figure(output, path, Path(source, "covers", f"{name}.png"))
        if cell.metadata.get("jupyter", {}).get("outputs_hidden"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-output"]
        if EXPLORER.search(cell.source):
            cells.append(box("still", STILL))
    cells.insert(2, box("last-run", f"{last_run(lesson)}\n\n{{{{ launch {name} }}}}"))
    notebook = nbformat.from_dict(dict(lesson.notebook, cells=cells))
    nbformat.write(notebook, folder / lesson.path.name)


def relink(markdown):
    """Point links that leave the notebooks' folder to where the website has the same thing."""
    return markdown.replace("](../data/covers/", "](../covers/").replace("](../README.md)", "](../run.md)")


def save_figure(output, path, cover):
    """Write the output's PNG to ``path``; return an output that shows it with its description.

    The lesson's cover is one of its figures: it is not written a second time, so that a reader loads it once.
    """
    png = base64.b64decode(output["data"]["image/png"])
    if cover.exists() and cover.read_bytes() == png:
        shown = f"../covers/{cover.name}"
    else:
        path.write_bytes(png)
        shown = f"figures/{path.name}"
    description = re.sub(r"([\[\]\\<>*_`])", r"\\\1", output["metadata"]["image/png"]["alt"])
    return new_output("display_data", {"text/markdown": f"![{' '.join(description.split())}]({shown})"})


def box(kind, text):
    return new_markdown_cell(f"```{{container}} {kind}\n{text}\n```")
