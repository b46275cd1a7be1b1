"""What an archive holds, zip and tar alike, without trusting a word of it."""

import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

DAMAGES = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError)


class Entry(NamedTuple):
    """One entry: its name as written, bytes unpacked, what it is, and a function that opens it for reading."""

    name: str
    size: int
    is_folder: bool
    is_file: bool  # neither for links, pipes and devices
    open: Callable


@contextmanager
def entries(archive):
    """Open a zip, or a tar however it is packed, and list its entries; folders end in a slash.

    Raises one of DAMAGES when the archive is cut off or none at all, and when a damaged entry is read.
    """
    if zipfile.is_zipfile(archive) or archive.suffix.lower() == ".zip":
        with zipfile.ZipFile(archive) as file:
            yield [_of_zip(file, info) for info in file.infolist()]
    else:
        with tarfile.open(archive) as file:
            yield [_of_tar(file, info) for info in file]


def _of_zip(file, info):
    kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the packer knew of no Unix
    is_file = not info.is_dir() and kind in (0, stat.S_IFREG)
    return Entry(info.filename, info.file_size, info.is_dir(), is_file, partial(file.open, info))


def _of_tar(file, info):
    name = info.name.removeprefix("./") + "/" * info.isdir()
    return Entry(name, info.size, info.isdir(), info.isreg(), partial(file.extractfile, info))
