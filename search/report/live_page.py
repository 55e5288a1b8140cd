"""Serves a page and its data to browsers of this machine, and takes newer ones while it does."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from search.errors import SearchError

__all__ = ["HOST", "LivePage", "serve"]

HOST = "127.0.0.1"
_DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


class LivePage:
    """A page at `/` and the data in it at `/data.json`, of which the newest version is served.

    The page asks for its data again and again with the tag of the version that it has (`If-None-Match`), and is told
    304 until there is another one.
    """

    def __init__(self, page: str) -> None:
        """Take over the first version.

        Args:
            page: HTML, as `search.report.html_page.front_page` returns it.
        """
        self.publish(page)

    def publish(self, page: str) -> None:
        """Serve another version from now on.

        Args:
            page: HTML.
        """
        found = _DATA.search(page)
        self._files = {
            path: (media_type, text.encode(), f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"')
            for path, media_type, text in (
                ("/", "text/html; charset=utf-8", page),
                ("/data.json", "application/json", found[1] if found else "{}"),
            )
        }

    def find(self, path: str) -> tuple[str, bytes, str] | None:
        """Find what is served at a path.

        Args:
            path: the path of a URL, without a query.

        Returns:
            Media type, content and tag, or None if there is nothing.
        """
        return self._files.get(path)


@contextmanager
def serve(page: LivePage, port: int = 0) -> Iterator[str]:
    """Serve a page to browsers of this machine alone, in a thread of its own.

    Requests that name another host are refused, so that no web site can reach the page through a name of its own that
    it points at this machine (DNS rebinding).

    Args:
        page: the page.
        port: where to listen, from 0 to 65535; 0 for any free port.

    Returns:
        A context that gives the page's URL; the server ends with it.

    Raises:
        SearchError: the port is taken or may not be used.
    """
    try:
        server = _Server(page, port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SearchError(f"port {port} on {HOST}: {reason}; give another one, or 0 for any") from None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, page: LivePage, port: int) -> None:
        self.page = page
        super().__init__((HOST, port), _Handler)
        self.hosts = {f"{name}:{self.server_port}" for name in (HOST, "localhost")}


class _Handler(BaseHTTPRequestHandler):
    """GET alone; http.server itself refuses other methods with 501."""

    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"
    server_version = "search"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        """Answer a request."""
        found = self.server.page.find(self.path.partition("?")[0])
        if self.headers.get("Host", "").lower() not in self.server.hosts:
            self._answer(HTTPStatus.MISDIRECTED_REQUEST)
        elif found is None:
            self._answer(HTTPStatus.NOT_FOUND)
        elif self.headers.get("If-None-Match") == found[2]:
            self._answer(HTTPStatus.NOT_MODIFIED, tag=found[2])
        else:
            media_type, content, tag = found
            self._answer(HTTPStatus.OK, content, media_type, tag)

    def _answer(
        self, status: HTTPStatus, content: bytes = b"", media_type: str = "text/plain", tag: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-cache")  # keep it, but ask each time
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal clean: requests are not logged."""
