"""The website: how long it takes to build, how heavy its pages are, and how soon the home page shows something.

    python -m benchmarks.book         two minutes on 2 cores

Wants the extras dev and book, and a Chromium on the path. Served from loopback, texts compressed as web hosts do; every
load begins with an empty cache. Bytes are those of everything that a page loads when all its pictures have been seen.
"""

import contextlib
import functools
import gzip
import http.server
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.record import ROOT, write_rows

SITE, LOADS, SEED = ROOT / "build" / "book" / "html", 5, 0
BROWSERS = "chromium", "chromium-browser", "google-chrome"
SEEN = """async () => {
    for (const image of document.images) image.loading = "eager";
    await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
    const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const painted = performance.getEntriesByName("first-contentful-paint")[0];
    return [entries.reduce((sum, entry) => sum + entry.transferSize, 0), painted.startTime / 1000];
}"""


class Host(http.server.SimpleHTTPRequestHandler):
    """Sends texts compressed, everything else as it is, and says nothing."""

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if path.suffix not in (".html", ".css", ".js", ".svg"):
            return super().do_GET()
        body = gzip.compress(path.read_bytes())
        self.send_response(200)
        headers = {"Content-Type": self.guess_type(path), "Content-Encoding": "gzip", "Content-Length": len(body)}
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):  # a browser may leave a page early
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def load(browser, address):
    """(bytes, seconds to the first content) of a page, loaded with an empty cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address, wait_until="load")
    loaded = page.evaluate(SEEN)
    context.close()
    return loaded


def main():
    started = time.perf_counter()
    subprocess.run([sys.executable, "tools/book.py"], cwd=ROOT, check=True)
    seconds = time.perf_counter() - started
    pages = [SITE / "index.html", *sorted(SITE.glob("lessons/[0-9][0-9]_*.html")), SITE / "reference" / "models.html"]
    handler = functools.partial(Host, directory=SITE)
    found = next(filter(None, map(shutil.which, BROWSERS)))
    rows = [{"page": "the whole site", "build_seconds": round(seconds)}]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as driver:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for page in pages:
            name = page.relative_to(SITE).as_posix()
            loads = [load(browser, f"http://127.0.0.1:{server.server_port}/{name}") for _ in range(LOADS)]
            size, first = (statistics.median(figures) for figures in zip(*loads, strict=True))
            rows.append({"page": name, "kilobytes": round(size / 1000), "first_content_seconds": round(first, 2)})
        browser.close()
        server.shutdown()
    write_rows("results/book.csv", [row | {"seed": SEED} for row in rows], packages=("sphinx", "myst-nb"))


if __name__ == "__main__":
    main()
