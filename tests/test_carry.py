"""The course's real pictures come out of packages whole and checked, or with a word on what to do."""

import hashlib
import json
import subprocess
import zipfile

import pytest

import carry
from seglib import carried

CONTENT = b"what the course shows"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course that wants one file of a package; the package lies in a folder, and pip looks nowhere else."""
    wheel = tmp_path / "index" / "some_pictures-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("some_pictures/cat.png", CONTENT)
        archive.writestr(
            "some_pictures-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: some-pictures\nVersion: 1.0\n"
        )
        archive.writestr("some_pictures-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("some_pictures-1.0.dist-info/RECORD", "")
    file = {"name": "cat.png", "inside": "some_pictures/cat.png", "sha256": sha256(CONTENT)}
    entry = {"package": "some-pictures", "version": "1.0", "sha256": sha256(wheel.read_bytes()), "files": [file]}
    (tmp_path / "carried.json").write_text(json.dumps([entry]), encoding="utf-8")
    monkeypatch.setattr(carry, "LIST", tmp_path / "carried.json")
    monkeypatch.setattr(carry, "FOLDER", tmp_path / "carried")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    return entry, tmp_path / "carried" / "cat.png"


def no_pip(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("pip was called"))


def change(**what):
    """Write other values into the list of what is carried."""
    [entry] = json.loads(carry.LIST.read_text("utf-8"))
    carry.LIST.write_text(json.dumps([entry | what]), encoding="utf-8")


@pytest.mark.slow
def test_a_file_is_fetched_and_a_broken_one_fetched_again(course, capsys, monkeypatch):
    _, path = course
    carry.main()
    assert path.read_bytes() == CONTENT
    assert "Fetching" in capsys.readouterr().out
    path.write_bytes(b"half a pic")
    carry.main()
    assert path.read_bytes() == CONTENT
    assert [each.name for each in path.parent.iterdir()] == ["cat.png"]
    capsys.readouterr()
    no_pip(monkeypatch)
    carry.main()
    assert capsys.readouterr().out == "", "all is there: nothing is fetched and nothing said"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "told"),
    [({"sha256": "0" * 64}, "DO NOT MATCH THE HASHES"), ({"version": "2.0"}, "No matching distribution")],
)
def test_a_failing_pip_is_shown_with_what_to_do(course, changed, told):
    change(**changed)
    with pytest.raises(SystemExit) as stopped:
        carry.main()
    assert told in stopped.value.code
    assert stopped.value.code.endswith("Then call this again: python tools/carry.py")
    assert not course[1].exists()


def test_a_file_that_is_not_the_listed_one_is_not_written(course):
    entry, path = course
    path.parent.mkdir()
    with zipfile.ZipFile(path.parent.parent / "index" / "some_pictures-1.0-py3-none-any.whl") as archive:
        with pytest.raises(
            SystemExit, match=r"some_pictures/cat\.png is not the file that data/carried\.json describes"
        ):
            carry.unpack(archive, entry["files"][0] | {"sha256": "0" * 64})
        assert list(path.parent.iterdir()) == []


def test_the_courses_own_files_are_all_there(monkeypatch, capsys):
    no_pip(monkeypatch)
    carry.main()
    assert capsys.readouterr().out == ""
    entries = json.loads(carry.LIST.read_text("utf-8"))
    names = [file["name"] for entry in entries for file in entry["files"]]
    assert len(set(names)) == len(names) == 10
    assert [carried.carried(name).name for name in names] == names


def test_a_missing_file_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(carried, "FOLDER", tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"nuclei\.tif is missing.*`python tools/carry\.py` .* fetches it: 34 MB"
    ):
        carried.carried("nuclei.tif")


def test_the_datasheet_tells_of_every_file():
    sheet = (carry.ROOT / "data" / "README.md").read_text("utf-8")
    for entry in json.loads(carry.LIST.read_text("utf-8")):
        for file in entry["files"]:
            [row] = [line for line in sheet.splitlines() if line.startswith(f"| `{file['name']}`")]
            assert f"{entry['package']} {entry['version']}" in row
            assert file["sha256"][:12] in row
