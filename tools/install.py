"""Make `.venv` with everything the course needs: ``python tools/install.py``.

``make lab`` and ``make test`` call it when `.venv` is missing or older than the lock.
With ``--newest`` it takes the version ranges of pyproject.toml instead of requirements.lock and
keeps what `.venv` already holds, so that a PyTorch chosen by hand (CPU only, another CUDA) stays.
"""

import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
READY = VENV / ".ready"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
GIGABYTES = 8 if sys.platform.startswith("linux") else 3

# What pip writes -> what a newcomer can do about it; the first that fits is said.
ADVICE = {
    ("No space left", "Errno 28", "not enough space"): (
        f"The disk is full: the course needs about {GIGABYTES} GB here. Free some space, or move the folder."
    ),
    ("ProxyError", "SSLError", "ConnectionError", "Read timed out", "name resolution", "from versions: none"): (
        "The package index could not be reached. Check the network; behind a proxy set HTTPS_PROXY, or give "
        "your organisation's mirror to pip (`pip config set global.index-url ...`)."
    ),
    ("DO NOT MATCH THE HASHES",): (
        "A downloaded file is not the one that was locked: usually a broken download or a mirror that "
        "repacks files. Try once more, then `pip cache purge`, then another network."
    ),
    ("No matching distribution", "requires a different Python"): (
        f"A locked version has no file for Python {sys.version_info[0]}.{sys.version_info[1]} on this "
        "machine. Python 3.11, 3.12 or 3.13 is the safest choice; or take whatever versions fit: "
        "`python tools/install.py --newest`."
    ),
    ("",): (
        "What pip wrote is above. Usual causes are a full disk, a network or proxy that lets little through, and "
        "a Python too new for some library. README.md has other ways to install."
    ),
}


def stop(message):
    sys.exit(f"\nThe installation stopped. {message}\nThen call the same command again.")


def main(arguments):
    if sys.version_info < (3, 11):  # noqa: UP036 (an older Python may well run this file)
        version = ".".join(map(str, sys.version_info[:3]))
        stop(f"This is Python {version}, the course needs 3.11 or newer: install one and use that.")
    if arguments not in ([], ["--newest"]):
        stop(f"Unknown argument {arguments}: there is only --newest.")
    newest = bool(arguments)
    free = shutil.disk_usage(ROOT).free / 1e9
    print("Setting up the course in .venv: a few minutes, once. The long part is PyTorch", end="")
    print(" with its CUDA libraries, several GB." if GIGABYTES > 3 else ".", flush=True)
    if free < GIGABYTES:
        print(f"Warning: {free:.1f} GB of disk are free, about {GIGABYTES} GB are needed.", flush=True)

    READY.unlink(missing_ok=True)
    made_here = not works(PYTHON)
    try:
        if made_here:
            make_venv()
        if newest:
            pip("-e", f"{ROOT}[workbench,dev,book]")
        else:
            pip("--require-hashes", "-r", str(ROOT / "requirements.lock"))
            pip("--no-deps", "--no-build-isolation", "-e", str(ROOT))
    except BaseException as error:  # Ctrl-C too: what is half installed must not be taken for ready
        if made_here:
            shutil.rmtree(VENV, ignore_errors=True)
        if isinstance(error, KeyboardInterrupt):
            stop("It was interrupted, nothing half installed is left.")
        raise
    if subprocess.run([PYTHON, ROOT / "tools" / "carry.py"]).returncode:
        sys.exit(1)  # it has said why
    READY.touch()
    print("Ready: .venv holds the course's environment.", flush=True)


def works(python):
    """Whether `python` is there and new enough; a .venv from an older Python is made anew."""
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return python.exists() and subprocess.run([python, "-c", check], capture_output=True).returncode == 0


def make_venv():
    try:
        venv.create(VENV, clear=True, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        stop(
            f"No virtual environment could be made ({error}). On Debian and Ubuntu the module is a "
            "package of its own: `apt install python3-venv`."
        )


def pip(*arguments):
    """Run pip install, show its long parts, and explain a failure."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments]
    lines = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", cwd=ROOT
    ) as process:
        try:
            for line in process.stdout:
                lines.append(line.strip())
                report(lines[-1])
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        print("\n".join(line[:200] for line in lines[-10:]), flush=True)
        text = "\n".join(lines)
        stop(next(tip for signs, tip in ADVICE.items() if any(sign in text for sign in signs)))


def report(line):
    """Say which large files come down, and that many small ones are being unpacked."""
    download = re.match(r"Downloading (?:.*/)?([^-\s]+)\S* \((\d{2,})(?:\.\d)? MB\)", line)
    if download and int(download[2]) >= 50:
        print(f"  downloading {download[1]}, {download[2]} MB", flush=True)
    packages = re.match("Installing collected packages: (.*)", line)
    if packages and "," in packages[1]:
        print(f"  unpacking {packages[1].count(',') + 1} packages: about a minute", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
