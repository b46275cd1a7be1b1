"""JupyterLab as `make lab` starts it, and a real browser that opens it: what the browser tests share."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
TOKEN = "for-this-test-only"
# What a browser says on JupyterLab's pages that is no fault of the course.
BENIGN = ()
STATE = """() => {
    const panel = window.jupyterapp.shell.currentWidget, session = panel?.context?.sessionContext;
    return {
        ready: Boolean(panel?.context?.isReady && session?.isReady && session?.session?.kernel),
        status: session?.session?.kernel?.status,
        cells: panel?.context?.model?.toJSON?.().cells.filter(cell => cell.cell_type === "code"),
    };
}"""
RUN_ALL = """() => {
    window.done = false;
    window.jupyterapp.commands.execute("notebook:run-all-cells").finally(() => { window.done = true; });
}"""

needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no chromium on the path: apt install chromium"),
    pytest.mark.skipif(shutil.which("make") is None, reason="no make on the path"),
]


class Lab(NamedTuple):
    address: str
    course: Path

    def write(self, name, *sources):
        """Write a notebook of code cells beside the lessons."""
        import nbformat  # slow to import, and conftest.py imports this file for every test
        from nbformat.v4 import new_code_cell, new_notebook

        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        notebook = new_notebook(cells=[new_code_cell(source) for source in sources], metadata=kernel)
        nbformat.write(notebook, self.course / "notebooks" / name)


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A JupyterLab that `make lab` started on a copy of the course (it saves what it runs)."""
    course = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "Makefile", course)
    for folder in ("notebooks", "data", "results"):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, course / folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = f"--no-browser --ServerApp.port={port} --ServerApp.port_retries=0 --IdentityProvider.token={TOKEN}"
    arguments += " --ServerApp.ip=127.0.0.1 --LabApp.expose_app_in_browser=True"
    # The recipe as it is, with this Python's environment in the place of .venv.
    command = ["make", "lab", "--old-file=.venv/.ready", f"BIN={Path(sys.executable).parent}", f"LAB_ARGS={arguments}"]
    private = {f"JUPYTERLAB_{name}_DIR": str(course / name) for name in ("SETTINGS", "WORKSPACES")}
    private |= {"JUPYTER_CONFIG_DIR": str(course / "config"), "JUPYTER_RUNTIME_DIR": str(course / "runtime")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | private
    with open(course / "lab.log", "w+") as log:
        server = subprocess.Popen(
            command,
            cwd=course,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(lambda: answers(address) or server.poll() is not None, 120, "JupyterLab to answer")
            assert server.poll() is None, (course / "lab.log").read_text()
            yield Lab(address, course)
        finally:
            # SIGINT lets Jupyter end its kernels; make passes nothing on, so the whole group gets it.
            for sign, patience in ((signal.SIGINT, 15), (signal.SIGKILL, 5)):
                if server.poll() is None:
                    os.killpg(server.pid, sign)
                    try:
                        server.wait(patience)
                    except subprocess.TimeoutExpired:
                        continue


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield browser
        browser.close()


def answers(address):
    try:
        with urllib.request.urlopen(f"{address}/api/status?token={TOKEN}", timeout=2) as reply:
            return "kernels" in json.load(reply)
    except OSError:
        return False


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.25)
    return result


def open_notebook(browser, lab, name):
    """Open a notebook of the course; return the page, and the list to which its console's errors go."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(120_000)  # milliseconds; a busy machine takes its time over the first page
    said = []

    def hear(text):
        if not any(word in text for word in BENIGN):
            said.append(text)

    page.on("console", lambda it: hear(f"{it.text} {it.location}") if it.type == "error" else None)
    page.on("pageerror", lambda error: hear(str(error)))
    page.goto(f"{lab.address}/lab/tree/notebooks/{name}?token={TOKEN}&reset")  # else the notebooks before it come back
    opened = "name => window.jupyterapp?.shell?.currentWidget?.context?.path === name"
    page.wait_for_function(opened, arg=f"notebooks/{name}")
    return page, said


def when_ready(page):
    """The code cells of the notebook on the page, once its kernel is idle."""
    wait_for(lambda: (now := page.evaluate(STATE))["ready"] and now["status"] == "idle", 120, "an idle kernel")
    return page.evaluate(STATE)["cells"]


def run_all(page):
    """Run all cells of the notebook on the page; return its code cells."""
    when_ready(page)  # a run that is asked for before session and kernel are ready would never end
    page.evaluate(RUN_ALL)
    wait_for(lambda: page.evaluate("() => window.done"), 120, "the notebook to run to its end")
    return when_ready(page)


def errors(cells):
    return [out["evalue"] for cell in cells for out in cell["outputs"] if out["output_type"] == "error"]
