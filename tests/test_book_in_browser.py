"""The book as readers meet it: every page in a real browser with all other hosts refused, and axe-core on each of them.

The book is built once, as `make book` does, and served from loopback.
"""

import functools
import http.server
import itertools
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest
from in_browser import needs_browser, wait_for
from page_probes import BROKEN_PICTURES, EXAMINE, HEADINGS, LANDMARKS, RULES, SIDEWAYS, UNRENDERED

axe = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed")
bs4 = pytest.importorskip("bs4", reason='the book is not installed: pip install -e ".[book]"')

pytestmark = needs_browser
ROOT = Path(__file__).parent.parent
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
SITE = ROOT / "build" / "book" / "html"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    """The address of the book, built now."""
    command = [sys.executable, ROOT / "tools" / "book.py", "-D", "course_repository=https://github.com/example/course"]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    handler = functools.partial(Quiet, directory=SITE)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Reader:
    """A page with every other host refused; what goes wrong is written down in `said`."""

    def __init__(self, browser, site, width=1280):
        self.page, self.site, self.said = browser.new_page(viewport={"width": width, "height": 900}), site, []
        self.page.route("**/*", self._ask)
        self.page.on("console", lambda it: self.said.append(it.text) if it.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("response", lambda it: self.said.append(f"{it.status} {it.url}") if it.status >= 400 else None)

    def _ask(self, route):
        if route.request.url.startswith((self.site, "data:")):
            return route.continue_()
        self.said.append(f"asked for {route.request.url}")
        return route.abort()

    def open(self, name):
        self.page.goto(f"{self.site}/{name}", wait_until="load")
        self.page.add_style_tag(content="* { transition: none !important; }")  # no colours on their way to others
        return self.page

    def examine(self, theme):
        """Let axe-core begin, without waiting for it: pages of their own work side by side."""
        self.page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        self.page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
        self.page.evaluate(EXAMINE, RULES)

    def findings(self, theme):
        """What axe-core found, short enough to read."""
        self.page.wait_for_function("() => window.found", timeout=120_000)
        found = self.page.evaluate("() => window.found")
        return [(theme, it["id"], [node["target"] for node in it["nodes"]][:5]) for it in found]

    def violations(self, theme):
        self.examine(theme)
        return self.findings(theme)


@pytest.fixture
def reader(browser, site):
    made = Reader(browser, site)
    yield made
    made.page.close()


@pytest.fixture
def phone(browser, site):
    made = Reader(browser, site, width=360)
    yield made
    made.page.close()


def pages():
    return sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_static" not in path.parts)


@functools.cache
def soups():
    return {name: bs4.BeautifulSoup((SITE / name).read_text(encoding="utf-8"), "html.parser") for name in pages()}


# --- what is there ---


def test_every_lesson_has_its_page_its_run_and_its_neighbours(site):
    found = soups()
    for i, stem in enumerate(LESSONS):
        page = found[f"lessons/{stem}.html"]
        said = page.select_one(".last-run").get_text()
        assert re.search(r"Last executed on \d{4}-\d\d-\d\d: \d+ seconds, with Python 3", said), stem
        links = [link["href"] for link in page.select(".last-run a")]
        assert sum("mybinder.org/v2/gh/example/course" in link for link in links) == 1, stem
        assert sum("colab.research.google.com/github/example/course" in link for link in links) == 1, stem
        following = page.select_one(".prev-next-area .right-next")
        if i + 1 < len(LESSONS):
            assert following["href"] == f"{LESSONS[i + 1]}.html"
    every = {link["href"] for link in found["index.html"].select(".rung a")}
    assert every == {f"lessons/{stem}.html" for stem in LESSONS}


def test_no_link_and_no_anchor_is_broken(site):
    found = soups()
    anchors = {name: {it.get("id") or it.get("name") for it in soup.find_all(True)} for name, soup in found.items()}
    broken = []
    for name, soup in found.items():
        for tag, attribute in (("a", "href"), ("img", "src"), ("link", "href"), ("script", "src")):
            for it in soup.find_all(tag, **{attribute: True}):
                target, anchor = urldefrag(urljoin(f"http://here/{name}", it[attribute]))
                if not target.startswith("http://here/"):
                    continue
                file = unquote(target.removeprefix("http://here/").partition("?")[0])
                file = file + "index.html" if file == "" or file.endswith("/") else file
                lost = not (SITE / file).is_file() or (
                    anchor and file in anchors and unquote(anchor) not in anchors[file]
                )
                broken += [f"{name}: {it[attribute]}"] if lost else []
    assert broken == []


def test_lessons_are_light(site):
    for stem in LESSONS:
        html = SITE / "lessons" / f"{stem}.html"
        images = {SITE / "lessons" / it["src"] for it in soups()[f"lessons/{stem}.html"].find_all("img")}
        size = html.stat().st_size + sum(path.resolve().stat().st_size for path in images)
        assert size < 1_500_000, f"{stem}: {size:,} bytes"


# --- in the browser ---


def test_every_page_loads_from_here_alone_and_is_usable_by_everyone(browser, site):
    wrong, names, readers = {}, pages(), [Reader(browser, site) for _ in range(os.cpu_count() or 1)]
    for first in range(0, len(names), len(readers)):
        open_now = list(zip(readers, names[first : first + len(readers)], strict=False))
        for reader, name in open_now:
            reader.said.clear()
            reader.open(name)
            reader.examine("light")
        for reader, name in open_now:
            found = [*reader.findings("light"), *other_faults(reader, name)]
            if found or reader.said:
                wrong[name] = [*found, *reader.said]
    for reader in readers:
        reader.page.close()
    assert wrong == {}


def other_faults(reader, name):
    """Violations in the dark, and what axe-core does not ask: formulas, pictures, landmarks, the steps of headings."""
    page, found = reader.page, []
    if name not in [f"lessons/{stem}.html" for stem in LESSONS[1:]]:  # lessons share their colours: one is enough
        found += reader.violations("dark")
    found += [f"not rendered: {formula}" for formula in page.evaluate(UNRENDERED)]
    found += [f"picture: {source}" for source in page.evaluate(BROKEN_PICTURES)]
    found += [f"no landmark {it}" for it in page.evaluate(LANDMARKS)]
    levels = page.evaluate(HEADINGS)
    if levels and (levels.count(1) != 1 or any(b > a + 1 for a, b in itertools.pairwise(levels))):
        found.append(f"headings {levels}")
    return found


def test_no_text_scrolls_sideways(browser, site):
    reader, wrong = Reader(browser, site, width=320), {}  # 1280 px at 400 %, and narrower than any phone
    for name in pages():
        page = reader.open(name)
        page.evaluate("() => { for (const it of document.querySelectorAll('details')) it.open = true; }")
        if wide := page.evaluate(SIDEWAYS):
            wrong[name] = wide
    reader.page.close()
    assert wrong == {}


def test_a_phone_shows_lesson_and_menu_without_violations(phone):
    page = phone.open(f"lessons/{LESSONS[-1]}.html")
    assert phone.violations("light") == []
    page.locator(".primary-toggle").first.click()
    page.locator("#pst-primary-sidebar-modal[open]").wait_for()
    assert phone.violations("light") == []
    assert phone.said == []


def test_the_keyboard_alone_reaches_text_search_and_answers(reader):
    page = reader.open(f"lessons/{LESSONS[0]}.html")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent.trim()") == "Skip to main content"
    page.keyboard.press("Enter")
    assert page.evaluate("() => location.hash") == "#main-content"
    summary = page.locator("main summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert summary.evaluate("it => it.parentElement.open")
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog[open]").wait_for()
    page.keyboard.type("watershed")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=watershed*")
    wait_for(lambda: page.locator("#search-results li a").count() > 2, 20, "search results")
    assert reader.said == []


def test_solutions_are_folded_and_copied_code_has_no_prompts(reader, browser):
    page = reader.open(f"lessons/{LESSONS[0]}.html")
    assert page.locator("main details").count() > 2
    assert page.locator("main details[open]").count() == 0
    page = reader.open("reference/metrics.html")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    block = page.locator("div.highlight", has_text=">>> confusion_matrix(").first
    block.hover()
    block.locator("button.copybtn").click()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith("confusion_matrix([[0, 0, 1]]")
    assert ">>>" not in copied


def test_printed_lessons_have_all_figures_whole(reader, tmp_path):
    for stem in LESSONS:
        page = reader.open(f"lessons/{stem}.html")
        page.set_viewport_size({"width": 718, "height": 1047})  # A4 less 1 cm each side, at 96 px an inch
        page.emulate_media(media="print")
        page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate(BROKEN_PICTURES) == [], stem
        boxes = page.evaluate("() => [...document.images].map(it => it.getBoundingClientRect().toJSON())")
        assert all(box["height"] < 1047 and box["right"] <= 718 and box["left"] >= 0 for box in boxes), stem
    page.pdf(
        path=tmp_path / "lesson.pdf", format="A4", margin={side: "1cm" for side in ("top", "bottom", "left", "right")}
    )
    assert (tmp_path / "lesson.pdf").stat().st_size > 100_000
