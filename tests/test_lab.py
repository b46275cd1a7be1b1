"""`make lab` as a learner meets it: JupyterLab opens lesson 00 in a real browser and runs it to its end."""

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

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

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

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no chromium on the path: apt install chromium"),
    pytest.mark.skipif(shutil.which("make") is None, reason="no make on the path"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab that `make lab` started on a copy of the course (it saves what it runs)."""
    course = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "Makefile", course)
    for folder in ("notebooks", "data", "results"):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, course / folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    broken = [new_code_cell("1 + 1"), new_code_cell("1 / 0"), new_code_cell("2 + 2")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(new_notebook(cells=broken, metadata=kernel), course / "notebooks" / "99_broken.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = f"--no-browser --ServerApp.port={port} --ServerApp.port_retries=0 --IdentityProvider.token={TOKEN}"
    arguments += " --ServerApp.ip=127.0.0.1 --LabApp.expose_app_in_browser=True"
    # The recipe as it is, with this Python's environment in the place of .venv.
    command = [
        "make",
        "lab",
        "--old-file=.venv/.ready",
        f"BIN={Path(sys.executable).parent}",
        f"LAB_ARGS={arguments}",
    ]
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
            yield address
        finally:
            # SIGINT lets Jupyter end its kernels; make passes nothing on, so the whole group gets it.
            for sign, patience in ((signal.SIGINT, 15), (signal.SIGKILL, 5)):
                if server.poll() is None:
                    os.killpg(server.pid, sign)
                    try:
                        server.wait(patience)
                    except subprocess.TimeoutExpired:
                        continue


@pytest.fixture(scope="module")
def browser():
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


def run_all(browser, lab, name):
    """Open the notebook, run all its cells; return the code cells and the errors on the console."""
    page = browser.new_page()
    page.set_default_timeout(120_000)  # milliseconds; a busy machine takes its time over the first page
    said = []
    page.on("console", lambda it: said.append(f"{it.text} {it.location}") if it.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{lab}/lab/tree/notebooks/{name}?token={TOKEN}")
    opened = "name => window.jupyterapp?.shell?.currentWidget?.context?.path === name"
    page.wait_for_function(opened, arg=f"notebooks/{name}")
    # A run that is asked for before session and kernel are ready would never end.
    wait_for(lambda: (now := page.evaluate(STATE))["ready"] and now["status"] == "idle", 120, "an idle kernel")
    page.evaluate(RUN_ALL)
    wait_for(lambda: page.evaluate("() => window.done"), 600, f"{name} to run to its end")
    wait_for(lambda: page.evaluate(STATE)["status"] == "idle", 30, "an idle kernel after the run")
    cells = page.evaluate(STATE)["cells"]
    page.close()
    return cells, [text for text in said if not any(word in text for word in BENIGN)]


def errors(cells):
    return [out["evalue"] for cell in cells for out in cell["outputs"] if out["output_type"] == "error"]


def test_lesson_00_runs_to_its_end(browser, lab):
    cells, said = run_all(browser, lab, "00_start_here.ipynb")
    assert errors(cells) == []
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert said == []


def test_a_failing_cell_is_seen(browser, lab):
    cells, _ = run_all(browser, lab, "99_broken.ipynb")
    assert errors(cells) == ["division by zero"]
    assert [cell["execution_count"] for cell in cells] == [1, 2, None]
