"""What lessons show under "In practice" runs as it stands, wherever its packages are installed."""

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def samples(path):
    """The Python samples of a lesson's part "In practice"."""
    texts = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    practice = "\n".join(text for text in texts if text.startswith("## In practice"))
    return re.findall(r"```python\n(.*?)```", practice, re.S)


def packages(code):
    """The packages that it imports."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


FOUND = [(path.stem, code) for path in sorted(NOTEBOOKS.glob("*.ipynb")) for code in samples(path)]


def test_samples_are_found():
    assert "cv2" in packages(next(code for name, code in FOUND if name == "03_region_growing"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), FOUND, ids=[f"{name}-{i}" for i, (name, _) in enumerate(FOUND)])
def test_what_is_shown_runs(name, code, tmp_path):
    missing = [package for package in packages(code) if find_spec(package) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout, "it shows nothing: print what came out"
