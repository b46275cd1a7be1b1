"""Where public data sets lie, and how they get there: found, downloaded with a checksum, unpacked once."""

import os
import re
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path

import pooch

from seglib.progress import Progress

LIMIT = 2**30  # bytes unpacked


def data_root(root=None):
    """The folder of all public sets: ``root``, else what SEGLIB_DATA names, else the user's cache."""
    return Path(root or os.environ.get("SEGLIB_DATA") or pooch.os_cache("seglib")).expanduser()


def download(url, known_hash, path):
    """Fetch a file with pooch and check it; return its path.

    Only the whole, checked file gets its name. A download that breaks off begins anew when it is called again. Proxies
    come from the environment (http_proxy, https_proxy, no_proxy).

    Parameters
    ----------
    url : str
    known_hash : str or None
        "sha256:..."; None where the publisher gives none.
    path : path of the file to be

    Raises
    ------
    ValueError
        The checksum is another.
    OSError
        The address can't be reached, or the file can't be written.
    """
    path = Path(path)
    try:
        with Progress(f"downloading {path.name}") as bar:
            pooch.retrieve(url, known_hash, path.name, path.parent, progressbar=_PoochBar(bar))
    except OSError as error:
        raise OSError(
            f"{url} can't be fetched: {error}. Try again, or save the file by hand in {path.parent}"
        ) from error
    return path


def unpack(archive, pattern, target):
    """Unpack a zip, once, into the folder ``target``; return that folder.

    Only entries that match ``pattern`` as a whole are written, at the path that is its first group: it must admit
    plain names only, so that nothing can land outside. An interrupted run leaves nothing behind, and several processes
    may unpack at once. Raises ValueError naming the archive if it is damaged, holds none of the entries, or links
    among them, or more than a gigabyte.
    """
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as file, tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            wanted = [(info, re.fullmatch(pattern, info.filename)) for info in file.infolist()]
            wanted = [(info, match[1]) for info, match in wanted if match]
            _check(archive, [info for info, _ in wanted])
            with Progress(f"unpacking {archive.name}") as bar:
                for done, (info, name) in enumerate(wanted):
                    _write(file, info, Path(scratch, target.name, name))
                    bar.update(done / len(wanted))
            try:
                os.rename(Path(scratch, target.name), target)
            except OSError:
                if not target.is_dir():  # else another process was faster
                    raise
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{archive} is damaged or cut off ({error}): delete it and fetch it again") from error
    return target


def _check(archive, wanted):
    size = sum(info.file_size for info in wanted)
    if not wanted or size > LIMIT:
        raise ValueError(
            f"{archive} holds {len(wanted)} of the files that are looked for, {size:,} bytes unpacked: "
            "it seems to be another archive"
        )
    for info in wanted:
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ValueError(f"{archive}: {info.filename} is a link; wanted are files. Don't trust this archive")


def _write(file, info, place):
    """Write one entry of a zip; names of folders end in a slash."""
    if info.is_dir():
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(file.read(info))


class _PoochBar:
    """What pooch asks of a progress bar, shown by ours."""

    def __init__(self, bar):
        self.bar, self.total, self.done = bar, 0, 0

    def update(self, size):
        self.done += size
        self.bar.update(min(self.done / max(self.total, 1), 1), f"{self.done / 1e6:.0f} MB")

    def reset(self):
        self.done = 0

    def close(self):
        pass
