"""The floors of the house: who may import whom, how much code it holds, what `import seglib` costs."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import count_code
import seglib

ROOT = Path(__file__).parent.parent
# A file imports only from floors below its own, or from its own package.
GROUND = {"metrics", "losses", "plotting", "classical", "transforms", "progress", "results", "targets"}
FIRST = {"models", "scenes"}
SECOND = {"datasets", "training", "scribbles"}
THIRD = {"widgets", "exercises"}
BELOW = (
    {name: set() for name in GROUND}
    | {name: GROUND - {"plotting"} for name in FIRST}  # models and scenes draw no figures
    | {name: GROUND | FIRST for name in SECOND}
    | {name: GROUND | FIRST | SECOND for name in THIRD}
)
BELOW["transforms"] = {"losses"}  # the one step inside the ground: transforms.BorderWeights
for below in BELOW.values():
    below |= {"arrays", "carried", "inputs"}  # what the ground stands on
BELOW |= {"arrays": set(), "carried": set(), "inputs": {"arrays"}}


def modules():
    """Name -> path and syntax tree of every module of seglib and the workbench, but the two packages' own __init__."""
    found = {}
    for path in sorted([*(ROOT / "seglib").rglob("*.py"), *(ROOT / "workbench").rglob("*.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = (path, ast.parse(path.read_text(encoding="utf-8")))
    del found["seglib"], found["workbench"]
    return found


def imports(name, path, tree, known):
    """Names of the seglib modules that module `name` imports, at the top or inside a function."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            up = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*up, *filter(None, [node.module])])
            # `from seglib.models import unet` may name a module or a thing inside one
            inner = [f"{base}.{alias.name}" for alias in node.names]
            targets = [each if each in known else base for each in inner]
        else:
            continue
        yield from (each for each in targets if each.split(".")[0] in ("seglib", "workbench") and each != name)


MODULES = modules()
IMPORTS = {name: sorted(set(imports(name, *MODULES[name], MODULES))) for name in MODULES}


def allowed(name, imported):
    """Whether a module may import another: the workbench stands on all of seglib, seglib never on the workbench."""
    if name.startswith("workbench."):
        return imported not in ("seglib", "workbench")
    if imported == "seglib" or imported.startswith("workbench"):
        return False
    own, other = name.split(".")[1], imported.split(".")[1]
    return own == other or other in BELOW[own]


@pytest.mark.parametrize("name", MODULES)
def test_module_imports_only_from_floors_below(name):
    assert name.startswith("workbench.") or name.split(".")[1] in BELOW, f"{name} is on no floor: add it to this test"
    assert [imported for imported in IMPORTS[name] if not allowed(name, imported)] == []


def test_there_are_no_circles():
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_house_stays_small():
    assert count_code.files_above_limit() == {}
    counts = count_code.per_part(("seglib", "workbench"))
    table = "\n".join(f"{lines:6} {part}" for part, lines in counts.items())
    for part, limit in count_code.LIMITS.items():
        assert counts[part] <= limit, f"{part}: {counts[part]} lines of code, {limit} are allowed\n{table}"


def test_explanations_are_free():
    text = '"""Doc\n\nstring."""\n\nx = (  # why\n    1\n)\n\n\ndef f():\n    """Doc."""\n    # why\n    return x\n'
    assert count_code.code_lines(text) == 5


def test_every_module_is_named_in_seglib():
    assert set(seglib.__all__) == {name.split(".")[1] for name in MODULES if name.startswith("seglib.")}
    assert set(seglib.__all__) <= set(dir(seglib))
    with pytest.raises(AttributeError, match="seglib has no module 'metrix'"):
        seglib.metrix  # noqa: B018


HEAVY = {"torch", "torchvision", "matplotlib", "IPython", "sklearn", "skimage"}


def loaded(code):
    """Names of the modules that a fresh Python holds after `code`."""
    check = f"{code}\nimport sys\nprint()\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import seglib, seglib.models; dir(seglib); dir(seglib.models); seglib.__version__", set()),
        ("import seglib; seglib.metrics", {"skimage"}),
        ("import seglib.exercises", {"matplotlib", "IPython", "skimage"}),  # plotting comes with it
    ],
)
def test_what_needs_no_torch_loads_none(code, allowed):
    assert loaded(code) & HEAVY <= allowed


@pytest.mark.slow
def test_naming_one_model_imports_one_architecture():
    names = loaded("from seglib.models import UNet")
    assert names & HEAVY == {"torch"}
    others = ("backbones", "deeplab", "faster_rcnn", "fcn", "mask_rcnn", "pspnet", "segnet")
    assert [name for name in others if f"seglib.models.{name}" in names] == []
