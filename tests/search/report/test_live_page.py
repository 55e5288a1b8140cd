"""A live page: newest version, tags, this machine's browsers alone."""

import http.client
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from search.errors import SearchError
from search.report.live_page import LivePage, serve


def html(n: int) -> str:
    return f'<p>ü</p>\n<script type="application/json" id="data">{{"n": {n}}}</script>'


@pytest.fixture
def page() -> LivePage:
    return LivePage(html(1))


@pytest.fixture
def port(page: LivePage) -> Iterator[int]:
    with serve(page) as url:
        assert url.startswith("http://127.0.0.1:")
        yield int(urlsplit(url).port or 0)


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        connection.request(method, path, headers=named)
        response = connection.getresponse()
        return response.status, response.read().decode(), dict(response.getheaders())
    finally:
        connection.close()


def test_page_and_data(port: int):
    status, text, headers = ask(port, "/")
    assert (status, text, headers["Content-Type"]) == (200, html(1), "text/html; charset=utf-8")
    status, text, headers = ask(port, "/data.json?t=1")
    assert (status, text, headers["Content-Type"]) == (200, '{"n": 1}', "application/json")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert ask(port, "/../etc/passwd")[0] == 404
    assert ask(port, "/favicon.ico")[0] == 404


def test_a_version_is_sent_once(page: LivePage, port: int):
    tag = ask(port, "/data.json")[2]["ETag"]
    assert ask(port, "/data.json", If_None_Match=tag)[:2] == (304, "")
    page.publish(html(2))
    status, text, headers = ask(port, "/data.json", If_None_Match=tag)
    assert (status, text) == (200, '{"n": 2}')
    assert headers["ETag"] != tag


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", ""])
def test_another_host_is_refused(port: int, host: str):
    status, text, _ = ask(port, "/data.json", Host=host.format(port=port))
    assert (status, text) == (421, "")


def test_both_names_of_this_machine_are_served(port: int):
    for name in ("127.0.0.1", "localhost", "LocalHost"):
        assert ask(port, "/data.json", Host=f"{name}:{port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_there_is_get_alone(port: int, method: str):
    assert ask(port, "/data.json", method)[0] == 501


def test_other_addresses_of_the_machine_do_not_listen(port: int):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=2)


def test_a_port_that_is_taken(page: LivePage, port: int):
    taken = pytest.raises(SearchError, match=f"port {port} on 127.0.0.1: .*; give another one, or 0")
    with taken, serve(page, port):
        pass
    with pytest.raises(SearchError, match="port 70000"), serve(page, 70000):
        pass


def test_it_ends(page: LivePage):
    with serve(page) as url:
        port = int(urlsplit(url).port or 0)
    with pytest.raises(ConnectionRefusedError):
        ask(port, "/")
