"""Downloads over connections that break, stall, lie and end, and archives that mean harm."""

import errno
import hashlib
import io
import random
import subprocess
import sys
import tarfile
import time
import zipfile
from types import SimpleNamespace

import pooch
import pytest
from loopback import loopback

from seglib.datasets import fetching
from seglib.datasets.fetching import download, unpack

PIECE = 65_536  # bytes that are written at once; what arrives of a further piece is lost when a connection breaks
CONTENT = random.Random(0).randbytes(3 * PIECE)
HASH = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture
def server(monkeypatch):
    with loopback(monkeypatch) as running:
        running.files["/set.zip"] = CONTENT
        yield running


@pytest.fixture
def waits(monkeypatch):
    """Seconds that would have been waited before further attempts."""
    waited = []
    monkeypatch.setattr(fetching, "time", SimpleNamespace(sleep=waited.append))
    return waited


def left(folder):
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def ranges(server):
    return [asked for _, asked in server.asked]


def test_a_broken_download_goes_on_where_it_broke_off(server, waits, tmp_path):
    server.plan = [("break", PIECE + 999), ("break", PIECE), ("break", 10), "well"]
    path = download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip")
    assert path.read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=65536-", "bytes=131072-", "bytes=131072-"]
    assert waits == [1, 1, 2]  # longer only while nothing more arrives
    assert left(tmp_path) == {"set.zip": 3 * PIECE}
    server.asked.clear()
    assert download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip") == path
    assert server.asked == []


def test_a_server_without_ranges_sends_it_again_from_the_start(server, waits, tmp_path):
    server.plan = [("break", PIECE), "no ranges"]
    assert download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip").read_bytes() == CONTENT
    assert left(tmp_path) == {"set.zip": 3 * PIECE}


def test_what_came_waits_for_the_next_call_under_another_name(server, waits, tmp_path):
    server.plan = [("break", PIECE), ("break", 0)]
    with pytest.raises(OSError, match=r"set\.zip can't be fetched: .*goes on where it stopped"):
        download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip")
    assert left(tmp_path) == {"set.zip.part": PIECE}
    assert waits == [1, 2, 4]
    server.plan, server.asked = ["well"], []
    assert download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip").read_bytes() == CONTENT
    assert ranges(server) == ["bytes=65536-"]
    assert left(tmp_path) == {"set.zip": 3 * PIECE}


def test_a_stalled_connection_is_given_up_and_taken_up_again(server, waits, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT", 0.2)
    server.plan = [("stall", PIECE), "well"]
    assert download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip").read_bytes() == CONTENT
    assert server.asked == [("/set.zip", None), ("/set.zip", "bytes=65536-")]


def test_a_slow_connection_is_waited_for(server, waits, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT", 5)
    server.plan = [("slow", 9_999)]
    assert download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip").read_bytes() == CONTENT
    assert len(server.asked) == 1


def test_a_length_that_is_too_great_costs_one_more_question(server, waits, tmp_path):
    server.plan = [("length", 10), "well"]
    assert download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip").read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=196608-"]  # answered with 416: there is no more


def test_a_length_that_is_too_small_is_found_out(server, waits, tmp_path):
    server.plan = [("length", -10)]
    with pytest.raises(ValueError, match=r"(?i)hash of downloaded file .*set\.zip.* does not match"):
        download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip")
    assert left(tmp_path) == {}


def test_a_file_that_changed_between_the_pieces_is_fetched_anew(server, waits, tmp_path):
    (tmp_path / "set.zip.part").write_bytes(b"older" * 10_000)
    assert download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip").read_bytes() == CONTENT
    assert ranges(server) == ["bytes=50000-", None]
    assert left(tmp_path) == {"set.zip": 3 * PIECE}


def test_a_file_that_changed_for_good_is_refused(server, waits, tmp_path):
    server.files["/set.zip"] = CONTENT[::-1]
    server.plan = [("break", PIECE), "well"]
    with pytest.raises(ValueError, match="does not match"):
        download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip")
    assert left(tmp_path) == {}
    assert ranges(server) == [None, "bytes=65536-", None]


@pytest.mark.parametrize(("status", "attempts"), [(404, 1), (403, 1), (500, 4), (503, 4)])
def test_errors_are_tried_again_only_where_that_may_help(server, waits, tmp_path, status, attempts):
    server.plan = [status]
    with pytest.raises(OSError, match=rf"set\.zip can't be fetched: {status}.*by hand in"):
        download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip")
    assert len(server.asked) == attempts
    assert waits == [1, 2, 4][: attempts - 1]


def test_a_busy_server_is_waited_for(server, waits, tmp_path):
    server.plan = [503, 429, "well"]
    assert download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip").read_bytes() == CONTENT
    assert waits == [1, 2]


def test_a_half_file_of_the_right_name_is_replaced(server, tmp_path):
    (tmp_path / "set.zip").write_bytes(CONTENT[:1000])
    assert download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip").read_bytes() == CONTENT


def test_md5_is_checked_too(server, tmp_path):
    right = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
    assert download(f"{server.address}/set.zip", right, tmp_path / "a.zip").read_bytes() == CONTENT
    with pytest.raises(ValueError, match="does not match"):
        download(f"{server.address}/set.zip", "md5:" + "0" * 32, tmp_path / "b/set.zip")


def test_a_proxy_is_taken_from_the_environment(server, tmp_path, monkeypatch):
    server.files["http://publisher.invalid/set.zip"] = CONTENT
    monkeypatch.setenv("http_proxy", server.address)
    assert download("http://publisher.invalid/set.zip", HASH, tmp_path / "set.zip").read_bytes() == CONTENT
    assert server.asked == [("http://publisher.invalid/set.zip", None)]


def test_a_full_disk_is_told_at_once(server, waits, tmp_path, monkeypatch):
    def full(self, url, output_file, _):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", full)
    with pytest.raises(OSError, match="No space left on device"):
        download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip")
    assert waits == []


def test_a_killed_download_leaves_no_file_that_looks_whole(server, tmp_path):
    server.plan = [("stall", 2 * PIECE)]
    call = f"download({server.address + '/set.zip'!r}, {HASH!r}, {str(tmp_path / 'set.zip')!r})"
    code = f"from seglib.datasets.fetching import download; {call}"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    while not (tmp_path / "set.zip.part").exists() or (tmp_path / "set.zip.part").stat().st_size < PIECE:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (tmp_path / "set.zip").exists()
    server.plan = ["well"]
    assert download(f"{server.address}/set.zip", HASH, tmp_path / "set.zip").read_bytes() == CONTENT


def packed(path, files, extra=()):
    """Write an archive of {name: bytes} and, in a tar, of further TarInfo."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in files.items():
                file.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as file:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
        for info in extra:
            file.addfile(info)
    return path


ENTRY = r"set/(images|lists)/([\w.]+)"


@pytest.mark.parametrize("kind", ["set.zip", "set.tar", "set.tar.gz"])
def test_an_archive_gives_what_is_looked_for_and_nothing_else(tmp_path, kind):
    files = {"set/images/a.png": b"A" * 5000, "set/lists/all.txt": b"a", "set/readme": b"no"}
    evil = {
        "../evil.png": b"",
        "set/images/../../evil.png": b"",
        f"{tmp_path}/evil.png": b"",
        "set/images/..\\e.png": b"",
    }
    archive = packed(tmp_path / kind, files | evil)
    target = unpack(archive, ENTRY, tmp_path / "deep/set")
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {kind, "deep/set/images/a.png", "deep/set/lists/all.txt"}
    assert (target / "images/a.png").read_bytes() == b"A" * 5000
    archive.unlink()
    assert unpack(archive, ENTRY, target) == target  # once


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    link = tarfile.TarInfo("set/images/a.png")
    link.type, link.linkname = kind, "/etc/passwd"
    archive = packed(tmp_path / "set.tar.gz", {"set/images/b.png": b"b"}, [link])
    with pytest.raises(ValueError, match=r"set\.tar\.gz: set/images/a\.png is a link or a device"):
        unpack(archive, ENTRY, tmp_path / "set")
    assert list(left(tmp_path)) == ["set.tar.gz"]


def test_links_in_a_zip_are_refused(tmp_path):
    link = zipfile.ZipInfo("set/images/a.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match=r"a\.png is a link"):
        unpack(tmp_path / "set.zip", ENTRY)


@pytest.mark.parametrize("kind", ["set.zip", "set.tar", "set.tar.gz"])
def test_bombs_and_torn_archives_leave_nothing_behind(tmp_path, kind):
    archive = packed(tmp_path / kind, {f"set/images/{n}.png": bytes(10**6) for n in range(5)})
    with pytest.raises(ValueError, match=r"holds 5 of the files that are looked for, 5,000,000 bytes unpacked"):
        unpack(archive, ENTRY, tmp_path / "out", limit=4_999_999)
    whole = archive.read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) * 9 // 10):
        archive.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=rf"{kind} is damaged or cut off"):
            unpack(archive, ENTRY, tmp_path / "out")
    archive.write_text("<html>404 not found</html>")
    with pytest.raises(ValueError, match=rf"{kind} is damaged or cut off"):
        unpack(archive, ENTRY, tmp_path / "out")
    assert list(left(tmp_path)) == [kind]
