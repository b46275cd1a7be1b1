import hashlib
import http.server
import threading
import zipfile

import pytest
import torch
from picture_files import nuclei_tree, zipped

from seglib.datasets import DSB2018, dsb2018
from seglib.datasets.fetching import unpack


@pytest.fixture
def tree(tmp_path):
    return nuclei_tree(tmp_path)


@pytest.mark.parametrize("prefix", ["", "stage1_train/"])
@pytest.mark.parametrize("place", ["stage1_train.zip", "dsb2018/stage1_train.zip"])
def test_the_archive_is_unpacked_once(tree, tmp_path, prefix, place, capsys):
    root = tmp_path / "other"
    archive = zipped(tree, root / place, prefix)
    data = DSB2018(root, split="all")
    assert [sample["name"] for sample in data] == ["aa0", "bb1", "cc2", "ddf"]
    assert torch.equal(data[0]["instances"], DSB2018(tree)[0]["instances"])
    assert data[1]["instances"].max() == 0  # its empty masks folder came along
    assert sorted(path.name for path in archive.parent.iterdir()) == ["stage1_train", "stage1_train.zip"]
    archive.write_text("not read again")
    assert unpack(archive, dsb2018.ENTRY) == archive.with_suffix("")
    assert len(DSB2018(root, split="all")) == 4


@pytest.mark.parametrize(
    "evil",
    [
        "../evil/images/evil.png",
        "ABSOLUTE/evil/images/evil.png",
        "stage1_train/../../images/evil.png",
        "a/images/../../../evil.png",
        "..\\evil/images/evil.png",
        "a/masks/evil.exe",
    ],
)
def test_nothing_is_written_outside(tmp_path, evil):
    archive = tmp_path / "deep/er/stage1_train.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("good/images/good.png", b"x")
        file.writestr(evil.replace("ABSOLUTE", str(tmp_path)), b"evil")
    before = {path for path in tmp_path.rglob("*")}
    target = unpack(archive, dsb2018.ENTRY)
    new = {path for path in tmp_path.rglob("*")} - before
    assert {path for path in new if path.is_file()} == {target / "good/images/good.png"}


def test_archives_that_are_wrong_leave_nothing_behind(tree, tmp_path):
    archive = zipped(tree, tmp_path / "z/stage1_train.zip")
    with pytest.raises(ValueError, match=r"stage1_train\.zip holds .* bytes unpacked: it seems to be another"):
        unpack(archive, dsb2018.ENTRY, limit=1000)
    with pytest.raises(ValueError, match="holds 0 of the files"):
        unpack(archive, r"(nothing)")
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"stage1_train\.zip is damaged or cut off"):
        DSB2018(tmp_path / "z")
    start = whole.index(b"IDAT") + 20  # inside a stored picture: the checksum of the entry tells
    archive.write_bytes(whole[:start] + b"????" + whole[start + 4 :])
    with pytest.raises(ValueError, match="damaged or cut off"):
        DSB2018(tmp_path / "z")
    assert [path.name for path in (tmp_path / "z").iterdir()] == ["stage1_train.zip"]


@pytest.fixture
def server(tree, tmp_path, monkeypatch):
    """A server on this machine that stands in for the publishers'; yields a list of what was asked for."""
    archive = zipped(tree, tmp_path / "served/stage1_train.zip")
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(archive.parent))

        def log_message(self, *args):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        monkeypatch.setattr(dsb2018, "URL", f"http://127.0.0.1:{running.server_port}/stage1_train.zip")
        monkeypatch.setattr(dsb2018, "SHA256", hashlib.sha256(archive.read_bytes()).hexdigest())
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield asked
        running.shutdown()


def test_download_checks_unpacks_and_happens_once(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SEGLIB_DATA", str(tmp_path / "new"))
    data = DSB2018(split="all", download=True)
    assert [sample["name"] for sample in data] == ["aa0", "bb1", "cc2", "ddf"]
    assert len(server) == 1
    assert len(DSB2018(split="all", download=True)) == 4
    assert len(DSB2018(split="all")) == 4
    assert len(server) == 1
    assert (tmp_path / "new/dsb2018/stage1_train/aa0/images/aa0.png").is_file()


def test_a_download_with_another_checksum_is_refused(server, tmp_path, monkeypatch):
    monkeypatch.setattr(dsb2018, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match=r"(?i)hash of downloaded file .*stage1_train\.zip.* does not match"):
        DSB2018(tmp_path / "new", download=True)
    assert not list((tmp_path / "new/dsb2018").iterdir())


def test_an_address_that_does_not_answer_is_named(server, tmp_path, monkeypatch):
    monkeypatch.setattr(dsb2018, "URL", dsb2018.URL.replace("stage1", "no"))
    with pytest.raises(OSError, match=r"no_train\.zip can't be fetched: 404.*by hand in .*dsb2018"):
        DSB2018(tmp_path / "new", download=True)


def test_the_published_address_and_checksum_are_the_ones_used():
    assert dsb2018.URL == "https://data.broadinstitute.org/bbbc/BBBC038/stage1_train.zip"
    assert len(bytes.fromhex(dsb2018.SHA256)) == 32
