"""A server on this machine that stands in for the publishers'."""

import http.server
import threading
from contextlib import contextmanager

PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


class Loopback(http.server.ThreadingHTTPServer):
    """Serves ``files`` ({path: bytes}); with ``breaks`` = n it hangs up after n bytes. ``asked`` records the paths."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.breaks, self.asked = {}, None, []
        self.address = f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        content = server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: server.breaks])

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
