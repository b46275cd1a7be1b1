"""Where public data sets lie, and how they get there: found, downloaded with a checksum, unpacked once."""

import os
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

import pooch

from seglib.progress import Progress


def data_root(root=None):
    """The folder of all public sets: ``root``, else what SEGLIB_DATA names, else the user's cache."""
    return Path(root or os.environ.get("SEGLIB_DATA") or pooch.os_cache("seglib")).expanduser()


def download(url, sha256, folder):
    """Fetch a file into ``folder`` unless it is there, check it, and return its path.

    Raises ValueError if the checksum is another, OSError if the address can't be reached.
    """
    with Progress(f"downloading {Path(url).name}") as bar:
        fetch = pooch.HTTPDownloader(progressbar=_PoochBar(bar), chunk_size=2**16)
        try:
            return Path(pooch.retrieve(url, f"sha256:{sha256}", Path(url).name, folder, downloader=fetch))
        except OSError as error:
            raise OSError(
                f"{url} can't be fetched: {error}. Try again, or save the file by hand in {folder}"
            ) from error


def unpack(archive, pattern, limit=2**30):
    """Unpack a zip beside itself, once, into the folder of its name; return that folder.

    Only entries that match ``pattern`` as a whole are written, at the path which its groups make up; so nothing
    can land outside. They may hold ``limit`` bytes in all. An interrupted run leaves nothing behind.
    """
    archive = Path(archive)
    target = archive.with_suffix("")
    if target.is_dir():
        return target
    try:
        with zipfile.ZipFile(archive) as file, tempfile.TemporaryDirectory(dir=archive.parent) as scratch:
            entries = [(info, re.fullmatch(pattern, info.filename)) for info in file.infolist()]
            entries = [(info, match.groups()) for info, match in entries if match]
            size = sum(info.file_size for info, _ in entries)
            if not entries or size > limit:
                raise ValueError(
                    f"{archive} holds {len(entries)} of the files that are looked for, {size:,} bytes unpacked: "
                    "it seems to be another archive"
                )
            whole = Path(scratch, target.name)
            with Progress(f"unpacking {archive.name}") as bar:
                for done, (info, parts) in enumerate(entries):
                    place = whole.joinpath(*filter(None, parts))
                    (place if info.is_dir() else place.parent).mkdir(parents=True, exist_ok=True)
                    if not info.is_dir():
                        with file.open(info) as source, open(place, "wb") as sink:
                            shutil.copyfileobj(source, sink)
                    bar.update(done / len(entries))
            os.replace(whole, target)
    except (zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{archive} is damaged or cut off ({error}): delete it and fetch it again") from error
    return target


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
