"""A server on this machine that stands in for the publishers', and misbehaves on demand."""

import http.server
import threading
import time
from contextlib import contextmanager

PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


class Loopback(http.server.ThreadingHTTPServer):
    """Serves ``files`` ({path: bytes}); ``plan`` says how each request is answered, its last entry from then on.

    Answers: "well" · "no ranges" · ("break", n): after n bytes · ("stall", n): after n bytes, until somebody
    asks again, 3 s at most · ("slow", n): n bytes at a time ·
    ("length", n): with a Content-Length that is n off · a number: an error of that status. ``asked`` records what came.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.plan, self.asked, self.again = {}, ["well"], [], threading.Event()
        self.address = f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.again.set()
        server.again.clear()
        server.asked.append((self.path, self.headers.get("Range")))
        answer = server.plan.pop(0) if len(server.plan) > 1 else server.plan[0]
        content = server.files.get(self.path)
        if content is None or isinstance(answer, int):
            self.send_error(answer if isinstance(answer, int) else 404)
            return
        start, total = 0, len(content)
        if self.headers.get("Range") and answer != "no ranges":
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if start >= total:
                self.send_error(416)
                return
        kind, number = answer if isinstance(answer, tuple) else (answer, 0)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(total - start + number * (kind == "length")))
        self.end_headers()
        sent = content[start : start + number] if kind in ("break", "stall") else content[start:]
        step = number if kind == "slow" else len(sent) or 1
        for place in range(0, len(sent), step):
            self.wfile.write(sent[place : place + step])
            self.wfile.flush()
            time.sleep(0.01 * (kind == "slow"))
        if kind == "stall" and not server.again.wait(3):
            server.asked.append(("out of patience", None))
        self.close_connection = True

    def log_message(self, *_):
        pass


@contextmanager
def loopback(monkeypatch):
    """A running `Loopback`, reached without a proxy."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Loopback() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()
