"""The files that make an environment agree with each other, and the README with what is there."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lesson_form
import seglib

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONDA_NAMES = {"pytorch": "torch"}  # what conda-forge calls it -> what PyPI calls it
OWN_TEXTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def specifiers(lines):
    return {canonicalize_name(each.name): each.specifier for each in map(Requirement, lines)}


def locked():
    """Name -> the versions that the lock holds for it (one a platform), with their hashes."""
    found = {}
    for block in re.split(r"\n(?=\S)", LOCK.strip()):
        head, *rest = block.split(" \\\n")
        if not head.startswith("#"):
            requirement = Requirement(head)
            version = next(iter(requirement.specifier)).version
            found.setdefault(canonicalize_name(requirement.name), []).append((version, rest))
    return found


def test_the_lock_satisfies_pyproject():
    extras = [line for extra in ("workbench", "dev", "book") for line in EXTRAS[extra]]
    wanted = specifiers([*PROJECT["dependencies"], *extras])
    versions = locked()
    for name, allowed in wanted.items():
        assert name in versions, f"{name} is in pyproject.toml and not in the lock: run `make lock`"
        for version, _ in versions[name]:
            assert version in allowed, f"{name} {version} is locked, pyproject.toml wants {allowed}: run `make lock`"


def test_the_lock_has_hashes_and_no_addresses():
    assert "://" not in LOCK
    assert not re.search(r"^-", LOCK, re.M), "the lock holds an option, such as an index"
    for name, entries in locked().items():
        for _, hashes in entries:
            assert hashes, f"{name} has no hash"
            assert all(re.fullmatch(r"\s+--hash=sha256:[0-9a-f]{64}", each) for each in hashes)


def test_nothing_has_a_needless_ceiling():
    extras = EXTRAS.values()
    lines = [Requirement(line) for group in (PROJECT["dependencies"], *extras) for line in group]
    capped = {str(line) for line in lines if any(each.operator != ">=" for each in line.specifier)}
    assert capped == {"nbval==0.11.0"}


def test_environment_yml_is_in_step_with_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    *conda, last = environment["dependencies"]
    assert last == {"pip": ["-e ."]}
    conda = specifiers(conda)
    assert conda.pop("python") == Requirement("python" + PROJECT["requires-python"]).specifier
    conda.pop("pip")
    assert {CONDA_NAMES.get(name, name): spec for name, spec in conda.items()} == specifiers(
        [*PROJECT["dependencies"], *EXTRAS["workbench"]]
    )


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(\d[^\]]*)\]", changes, re.M)[1]
    assert {seglib.__version__, str(citation["version"]), newest} == {PROJECT["version"]}
    assert citation["cff-version"] == "1.2.0"
    assert {"title", "message", "authors"} <= set(citation)


@pytest.mark.parametrize("file", OWN_TEXTS)
def test_links_resolve(file):
    text = lesson_form.without_code((ROOT / file).read_text(encoding="utf-8"))
    headings = [re.sub(r"[^\w\- ]", "", h).lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.M)]
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
        if not re.match(r"https?:", target):
            name, _, anchor = target.partition("#")
            assert not name or (ROOT / name).exists(), f"{file}: {target} leads nowhere"
            assert name or anchor in headings, f"{file}: {target} names no heading"


def test_the_newcomers_map_names_files_that_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Everyday commands")[0]
    named = set(re.findall(r"`([\w./]+/(?:\w+\.(?:py|ipynb))?)`", text))
    assert len(named) > 15
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def lesson_rows():
    """Stem -> (whether it is a link, question, minutes, seconds) from the README's table of lessons."""
    rows = {}
    for line in README.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        stem = re.search(r"\d\d_\w+", cells[0]) if line.startswith("|") else None
        if stem:
            rows[stem[0]] = ("](notebooks/" in cells[0], *cells[1:])
    return rows


def test_the_readme_lists_the_lessons_that_are_there():
    rows = lesson_rows()
    there = {path.stem: path for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert list(rows) == sorted(rows)
    assert len(rows) == 24
    for stem, (linked, *_, reading, running) in rows.items():
        if stem in there:
            minutes, seconds = lesson_form.times(lesson_form.Lesson(there[stem]))
            assert (linked, reading, running) == (True, f"{minutes} min", f"{seconds} s"), stem
        else:
            assert (linked, reading, running) == (False, "planned", ""), stem
    assert set(there) <= set(rows)


def test_files_hold_nothing_of_one_machine():
    """No home folders and no package registry's address: people bring their own."""
    hidden = re.compile(r"/(?:home|root|Users)/\w|pypi\.org|pythonhosted|files\.python|conda\.anaconda")
    names = ["Makefile", ".ci/run", "environment.yml", "pyproject.toml", *OWN_TEXTS, ".pre-commit-config.yaml"]
    paths = [ROOT / name for name in names]
    paths += [
        p for folder in ("seglib", "tools", "benchmarks", "book", ".github") for p in (ROOT / folder).rglob("*.[py]*")
    ]
    assert len(paths) > len(names)
    for path in paths:
        if path.is_file() and path.suffix in ("", ".py", ".yml", ".yaml", ".md", ".toml"):
            assert not hidden.search(path.read_text(encoding="utf-8")), path
