"""Where public data sets lie, and how they get there: found, downloaded with a checksum, unpacked once."""

import os
import re
import shutil
import tempfile
import time
from pathlib import Path

import pooch
import requests

from seglib.datasets.archives import DAMAGES, entries
from seglib.progress import Progress

WAITS = (1, 2, 4)  # seconds before the next attempts, as long as nothing more arrives
TIMEOUT = 30  # seconds without a byte
PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers of servers that are busy or restarting


def data_root(root=None):
    """The folder of all public sets: ``root``, else what SEGLIB_DATA names, else the user's cache."""
    return Path(root or os.environ.get("SEGLIB_DATA") or pooch.os_cache("seglib")).expanduser()


def provide(url, known_hash, archive, pattern, target, may_download, limit=2**30):
    """Return the folder ``target``; if need be, unpack it from ``archive``, and that, if need be, is downloaded.

    See `download` and `unpack`. Raises FileNotFoundError where there is no archive and none may be downloaded. An
    archive that was just downloaded and is no good is deleted.
    """
    if target.is_dir():
        return target
    loaded = not archive.is_file()
    if loaded and not may_download:
        raise FileNotFoundError(
            f"there is no {target}: download=True fetches it, or save {url} as {archive} by hand, or let root or the "
            "environment variable SEGLIB_DATA name the folder that has it"
        )
    if loaded:
        download(url, known_hash, archive)
    try:
        return unpack(archive, pattern, target, limit)
    except ValueError:
        if loaded:
            archive.unlink()
        raise


def download(url, known_hash, path):
    """Fetch a file and check it, unless it is there; return its path.

    Only the whole, checked file gets its name. A broken connection is taken up where it broke off, at once and, after
    a kill, by the next call: until then the bytes lie in PATH.part. Proxies come from the environment (http_proxy,
    https_proxy, no_proxy).

    Parameters
    ----------
    url : str
    known_hash : str or None
        "sha256:..." or "md5:..."; None where the publisher gives none.
    path : path of the file to be

    Raises
    ------
    ValueError
        The checksum is another.
    OSError
        The address can't be reached, or the file can't be written.
    """
    path = Path(path)
    with Progress(f"downloading {path.name}") as bar:
        fetch = _Resuming(path.with_name(f"{path.name}.part"), bar)

        def retrieve():
            return Path(pooch.retrieve(url, known_hash, path.name, path.parent, downloader=fetch))

        try:
            try:
                return retrieve()
            except ValueError:
                if not fetch.pieced:
                    raise
                return retrieve()  # pieces of two versions don't fit together; they are gone, so this begins anew
        except OSError as error:
            raise OSError(
                f"{url} can't be fetched: {error}. Try again (it goes on where it stopped), or save the file by hand "
                f"in {path.parent}"
            ) from error


def unpack(archive, pattern, target=None, limit=2**30):
    """Unpack a zip or tar, once, into the folder ``target``, by default beside itself; return that folder.

    Only entries that match ``pattern`` as a whole are written, at the path which its groups make up; so nothing
    can land outside. Links among them are refused. They may hold ``limit`` bytes in all. An interrupted run leaves
    nothing behind. Raises ValueError naming the archive.
    """
    archive = Path(archive)
    target = archive.with_suffix("") if target is None else Path(target)
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with entries(archive) as found, tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            wanted = [(entry, re.fullmatch(pattern, entry.name)) for entry in found]
            wanted = [(entry, match.groups()) for entry, match in wanted if match]
            _check(archive, [entry for entry, _ in wanted], limit)
            whole = Path(scratch, target.name)
            with Progress(f"unpacking {archive.name}") as bar:
                for done, (entry, parts) in enumerate(wanted):
                    _write(entry, whole.joinpath(*filter(None, parts)))
                    bar.update(done / len(wanted))
            os.replace(whole, target)
    except DAMAGES as error:
        raise ValueError(f"{archive} is damaged or cut off ({error}): delete it and fetch it again") from error
    return target


def _check(archive, wanted, limit):
    size = sum(entry.size for entry in wanted)
    if not wanted or size > limit:
        raise ValueError(
            f"{archive} holds {len(wanted)} of the files that are looked for, {size:,} bytes unpacked: "
            "it seems to be another archive"
        )
    for entry in wanted:
        if not (entry.is_folder or entry.is_file):
            raise ValueError(
                f"{archive}: {entry.name} is a link or a device; wanted are files. Don't trust this archive"
            )


def _write(entry, place):
    (place if entry.is_folder else place.parent).mkdir(parents=True, exist_ok=True)
    if entry.is_file:
        with entry.open() as source, open(place, "wb") as sink:
            shutil.copyfileobj(source, sink)


class _Resuming:
    """A downloader for pooch that goes on where a connection broke off."""

    def __init__(self, part, bar):
        self.part, self.bar, self.pieced = part, bar, False

    def __call__(self, url, output_file, _):
        most, waits = self._size(), iter(WAITS)
        while True:
            try:
                self._go_on(url)
                break
            except requests.RequestException as error:
                if self._size() > most:
                    most, waits = self._size(), iter(WAITS)
                wait = next(waits, None)
                if wait is None or not _may_pass(error):
                    raise
                time.sleep(wait)
        os.replace(self.part, output_file)

    def _size(self):
        return self.part.stat().st_size if self.part.exists() else 0

    def _go_on(self, url):
        with open(self.part, "ab") as file:
            start = file.tell()

            def place(response, *_, **__):
                if response.status_code == 200:  # the whole file, wanted or not
                    file.truncate(0)
                    bar.start = 0
                self.pieced |= response.status_code in (206, 416)

            bar = _PoochBar(self.bar, start)
            headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
            fetch = pooch.HTTPDownloader(bar, 2**16, timeout=TIMEOUT, headers=headers, hooks={"response": place})
            try:
                fetch(url, file, None)
            except requests.HTTPError as error:
                # "Range not satisfiable": nothing comes behind what is there. The checksum tells whether that is all.
                if not start or error.response.status_code != 416:
                    raise


def _may_pass(error):
    """Whether trying again may help."""
    if isinstance(error, requests.HTTPError):
        return error.response.status_code in PASSING
    passing = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, passing) and not isinstance(error, requests.exceptions.SSLError)


class _PoochBar:
    """What pooch asks of a progress bar, shown by ours."""

    def __init__(self, bar, start):
        self.bar, self.start, self.total, self.done = bar, start, 0, 0

    def update(self, size):
        self.done += size
        done, total = self.start + self.done, self.start + self.total
        self.bar.update(min(done / max(total, 1), 1), f"{done / 1e6:.0f} MB")

    def reset(self):
        self.done = 0

    def close(self):
        pass
