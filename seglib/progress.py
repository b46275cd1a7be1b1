"""A progress bar for notebooks and terminals that leaves one plain line behind, without times, so that runs compare."""

import sys
import time


class Progress:
    """Show how far a long loop has come.

    In a notebook one output is updated in place; in a terminal one line is rewritten on stderr; elsewhere (a log
    file, CI) only the closing line is printed. It is a context manager around the loop::

        with Progress("training") as bar:
            bar.update(0.25, "step 75, loss 0.31")
            bar.close_with("300 steps, loss 0.12")
    """

    def __init__(self, title, show=True):
        self.title, self.show, self.closing, self.handle = title, show, "", None
        self.started = self.drawn = time.perf_counter()

    def __enter__(self):
        if self.show and in_notebook():
            from IPython.display import display

            self.handle = display({"text/plain": self.title}, raw=True, display_id=True)
        return self

    def update(self, fraction, text=""):
        """Redraw, at most four times a second. ``fraction`` is the share that is done, 0 to 1."""
        now = time.perf_counter()
        if not self.show or now - self.drawn < 0.25:
            return
        self.drawn = now
        left = (now - self.started) * (1 - fraction) / max(fraction, 1e-6)
        done = round(24 * fraction)
        self._draw(f"{self.title} {'█' * done}{'░' * (24 - done)} {fraction:4.0%} · {left:3.0f} s left · {text}")

    def close_with(self, text):
        """Replace the bar by one closing line."""
        self.closing = f"{self.title}: {text}"

    def __exit__(self, kind, *_):
        if not self.show:
            return
        if kind is not None and not self.closing:
            self.close_with("stopped")
        self._draw(self.closing if self.handle else "")
        if self.closing and not self.handle:
            print(self.closing)

    def _draw(self, line):
        if self.handle:
            self.handle.update({"text/plain": line}, raw=True)
        elif sys.stderr.isatty():
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


def in_notebook():
    """True inside a Jupyter kernel, False in a terminal, a script or IPython's own shell."""
    ipython = sys.modules.get("IPython")  # not imported: a terminal need not wait for it
    return ipython is not None and getattr(ipython.get_ipython(), "kernel", None) is not None
