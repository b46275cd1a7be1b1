"""Downloads that break, lie and end, and archives that are torn, mean harm, or are unpacked by several at once."""

import hashlib
import random
import subprocess
import sys
import zipfile

import pytest
import torch
from loopback import loopback
from picture_files import nuclei_tree, zip_of

from seglib.datasets import DSB2018, dsb2018, fetching
from seglib.datasets.fetching import download, unpack

CONTENT = random.Random(0).randbytes(200_000)
HASH = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
ENTRY = r"set/((?:images|lists)/[\w.]+)"


@pytest.fixture
def server(monkeypatch):
    with loopback(monkeypatch) as running:
        running.files["/set.zip"] = CONTENT
        yield running


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_download_gets_its_name_when_it_is_whole_and_checked(server, tmp_path):
    address = f"{server.address}/set.zip"
    assert download(address, HASH, tmp_path / "deep/set.zip").read_bytes() == CONTENT
    server.breaks = 70_000
    with pytest.raises(OSError, match=r"set\.zip can't be fetched: .*by hand in"):
        download(address, HASH, tmp_path / "set.zip")
    server.breaks = None
    with pytest.raises(ValueError, match=r"(?i)hash of downloaded file .*set\.zip.* does not match"):
        download(address, "sha256:" + "0" * 64, tmp_path / "set.zip")
    with pytest.raises(OSError, match=r"other\.zip can't be fetched: 404"):
        download(f"{server.address}/other.zip", HASH, tmp_path / "set.zip")
    assert left(tmp_path) == ["deep"]
    (tmp_path / "set.zip").write_bytes(CONTENT[:1000])  # a half file of the right name is replaced
    assert download(address, HASH, tmp_path / "set.zip").read_bytes() == CONTENT


def test_a_proxy_is_taken_from_the_environment(server, tmp_path, monkeypatch):
    server.files["http://publisher.invalid/set.zip"] = CONTENT
    monkeypatch.setenv("http_proxy", server.address)
    assert download("http://publisher.invalid/set.zip", HASH, tmp_path / "set.zip").read_bytes() == CONTENT
    assert server.asked == ["http://publisher.invalid/set.zip"]


def packed(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def test_an_archive_gives_what_is_looked_for_and_nothing_else(tmp_path):
    files = {"set/images/a.png": b"A" * 5000, "set/lists/all.txt": b"a", "set/readme": b"no"}
    evil = ["../evil.png", "set/images/../../evil.png", f"{tmp_path}/evil.png", "set/images/..\\e.png"]
    archive = packed(tmp_path / "set.zip", files | dict.fromkeys(evil, b"evil"))
    target = unpack(archive, ENTRY, tmp_path / "deep/set")
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"set.zip", "deep/set/images/a.png", "deep/set/lists/all.txt"}
    assert (target / "images/a.png").read_bytes() == b"A" * 5000
    archive.unlink()
    assert unpack(archive, ENTRY, target) == target  # once


@pytest.mark.parametrize(
    "evil",
    ["../evil/images/evil.png", "ABSOLUTE/e/images/evil.png", "a/images/../../../evil.png", "..\\evil/images/evil.png"],
)
def test_the_sets_own_pattern_writes_nothing_outside(tmp_path, evil):
    archive = tmp_path / "deep/er/stage1_train.zip"
    archive.parent.mkdir(parents=True)
    packed(archive, {"good/images/good.png": b"x", evil.replace("ABSOLUTE", str(tmp_path)): b"evil"})
    target = unpack(archive, dsb2018.ENTRY, archive.with_suffix(""))
    files = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {archive, target / "good/images/good.png"}


def test_links_are_refused(tmp_path):
    link = zipfile.ZipInfo("set/images/a.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match=r"a\.png is a link"):
        unpack(tmp_path / "set.zip", ENTRY, tmp_path / "set")
    assert left(tmp_path) == ["set.zip"]


def test_bombs_and_torn_archives_leave_nothing_behind(tmp_path, monkeypatch):
    archive = packed(tmp_path / "set.zip", {f"set/images/{n}.png": bytes(10**6) for n in range(5)})
    monkeypatch.setattr(fetching, "LIMIT", 4_999_999)
    with pytest.raises(ValueError, match=r"holds 5 of the files that are looked for, 5,000,000 bytes unpacked"):
        unpack(archive, ENTRY, tmp_path / "out")
    with pytest.raises(ValueError, match="holds 0 of the files"):
        unpack(archive, r"(nothing)", tmp_path / "out")
    whole = archive.read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) * 9 // 10):
        archive.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"set\.zip is damaged or cut off"):
            unpack(archive, ENTRY, tmp_path / "out")
    with zipfile.ZipFile(archive, "w") as file:  # not packed: a changed byte only shows in its checksum
        file.writestr("set/images/a.png", b"0123456789")
    for content in (archive.read_bytes().replace(b"0123456789", b"0123456780"), b"<html>404 not found</html>"):
        archive.write_bytes(content)
        with pytest.raises(ValueError, match=r"set\.zip is damaged or cut off"):
            unpack(archive, ENTRY, tmp_path / "out")
    assert left(tmp_path) == ["set.zip"]


@pytest.mark.slow
def test_four_processes_may_unpack_at_once(tmp_path):
    """As `accelerate launch` starts them: each finds no folder and unpacks; the first to end gives it its name."""
    archive = packed(tmp_path / "set.zip", {f"set/images/{n}.png": bytes(100) for n in range(1000)})
    code = f"""
import pathlib, runpy, sys
unpack = runpy.run_path({fetching.__file__!r})["unpack"]  # alone: without torch
print("ready", flush=True)
sys.stdin.readline()
target = unpack(pathlib.Path({str(archive)!r}), {ENTRY!r}, pathlib.Path({str(tmp_path / "out")!r}))
print(len(list(target.rglob("*.png"))))
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(4)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 4
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[0].split()[-1] for process in processes] == ["1000"] * 4
    assert left(tmp_path) == ["out", "set.zip"]


@pytest.mark.parametrize("prefix", ["", "stage1_train/"])
@pytest.mark.parametrize("place", ["stage1_train.zip", "dsb2018/stage1_train.zip"])
def test_nuclei_are_unpacked_once(tmp_path, prefix, place):
    tree, root = nuclei_tree(tmp_path), tmp_path / "other"
    archive = zip_of(tree / "dsb2018/stage1_train", root / place, prefix)
    data = DSB2018(root, split="all")
    assert [sample["name"] for sample in data] == ["aa0", "bb1", "cc2", "ddf"]
    assert torch.equal(data[0]["instances"], DSB2018(tree)[0]["instances"])
    assert data[1]["instances"].max() == 0  # its empty masks folder came along
    assert left(archive.parent) == ["stage1_train", "stage1_train.zip"]
    archive.write_text("not read again")
    assert len(DSB2018(root, split="all")) == 4


def test_nuclei_are_downloaded_once(server, tmp_path, monkeypatch):
    content = zip_of(nuclei_tree(tmp_path) / "dsb2018/stage1_train", tmp_path / "served.zip").read_bytes()
    server.files["/stage1_train.zip"] = content
    monkeypatch.setattr(dsb2018, "URL", f"{server.address}/stage1_train.zip")
    monkeypatch.setenv("SEGLIB_DATA", str(tmp_path / "new"))
    with pytest.raises(ValueError, match="does not match"):
        DSB2018(download=True)
    assert left(tmp_path / "new/dsb2018") == []
    monkeypatch.setattr(dsb2018, "SHA256", hashlib.sha256(content).hexdigest())
    assert len(DSB2018(split="all", download=True)) == len(DSB2018(split="all", download=True)) == 4
    assert len(server.asked) == 2
    assert (tmp_path / "new/dsb2018/stage1_train/aa0/images/aa0.png").is_file()
