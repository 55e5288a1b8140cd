"""A real HTTP server on this machine, which serves one file as well or as badly as a test asks for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """What a server does with the next requests."""

    content: bytes
    url: str = ""
    ranges: bool = True
    """Whether it answers ranges, or sends the whole."""
    shift: int = 0
    """How many bytes after the start of the range that was asked for it begins."""
    statuses: list[int] = field(default_factory=list)
    """Statuses to refuse the next requests with; 200 refuses nothing."""
    cut_after: list[int] = field(default_factory=list)
    """After how many bytes the connections of the next requests are cut."""
    silent: threading.Event | None = None
    """If given, requests are not answered before it is set."""
    asked: list[str] = field(default_factory=list)
    """The range of every request, empty for the whole."""


@contextmanager
def serve(content: bytes) -> Iterator[Served]:
    served = Served(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, served)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        served.url = f"http://127.0.0.1:{server.server_port}/file.pth"
        try:
            yield served
        finally:
            if served.silent is not None:
                served.silent.set()
            server.shutdown()
            thread.join()


def answer(handler: BaseHTTPRequestHandler, served: Served) -> None:
    asked = handler.headers["Range"] or ""
    served.asked.append(asked)
    if served.silent is not None:
        served.silent.wait()
        return
    status = served.statuses.pop(0) if served.statuses else 200
    if status != 200:
        handler.send_error(status)
        return
    start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and served.ranges else 0
    if start and start >= len(served.content):
        handler.send_error(416)
        return
    start += served.shift if start else 0
    body = served.content[start:]
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(served.content) - 1}/{len(served.content)}")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if served.cut_after:
        body = body[: served.cut_after.pop(0)]
    handler.wfile.write(body)
