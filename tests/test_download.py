"""Downloads from a server on this machine, never from the network."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mfagan import download, pretrained
from mfagan.download import Patience, download_weights, fetch
from mfagan.errors import InputError
from tests.web import Served, serve

CONTENT = bytes(range(256)) * 5000
PATIENT = Patience(timeout_s=10, attempts=3, wait_s=0)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server of a file that passes for the published AlexNet."""
    name = f"alexnet-owt-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"
    monkeypatch.setitem(pretrained.PUBLISHED, "alexnet", name)
    with serve(CONTENT) as found:
        yield found


def get(served: Served, folder: Path, patience: Patience = PATIENT) -> Path:
    return download_weights("alexnet", folder, ignore, served.url, patience)


def ignore(done: int, total: int, note: str) -> None:
    pass


def refusal(served: Served, folder: Path, patience: Patience = PATIENT) -> str:
    with pytest.raises(InputError) as caught:
        get(served, folder, patience)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def part(folder: Path) -> Path:
    return folder / f"{pretrained.PUBLISHED['alexnet']}.part"


def test_a_file_arrives_whole_under_its_published_name(served: Served, tmp_path: Path):
    seen = []
    path = download_weights(
        "alexnet", tmp_path / "new", lambda *progress: seen.append(progress), served.url, PATIENT
    )
    assert path == tmp_path / "new" / pretrained.PUBLISHED["alexnet"]
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (1, 1, "MiB")
    assert list(path.parent.iterdir()) == [path]
    assert get(served, path.parent) == path
    assert served.asked == [""]  # what is there is not downloaded again


def test_a_cut_connection_is_resumed_at_once(served: Served, tmp_path: Path):
    served.cut_after = [1000, 5000]
    assert get(served, tmp_path).read_bytes() == CONTENT
    assert served.asked == ["", "bytes=1000-", "bytes=6000-"]


def test_an_interrupted_download_is_kept_and_goes_on_in_the_next_call(served: Served, tmp_path: Path):
    served.cut_after = [1000, 0, 0]
    message = refusal(served, tmp_path)
    assert message == (
        f"download {served.url}: the connection ended after 1000 of {len(CONTENT)} bytes; {part(tmp_path)} is kept, "
        "the same command continues"
    )
    assert part(tmp_path).read_bytes() == CONTENT[:1000]
    assert get(served, tmp_path).read_bytes() == CONTENT
    assert served.asked[-1] == "bytes=1000-"
    assert not part(tmp_path).exists()


def test_a_server_that_ignores_ranges_sends_the_whole_again(served: Served, tmp_path: Path):
    served.ranges = False
    served.cut_after = [1000]
    assert get(served, tmp_path).read_bytes() == CONTENT
    assert served.asked == ["", "bytes=1000-"]


def test_another_range_than_asked_for_is_not_appended(served: Served, tmp_path: Path):
    served.shift = 7
    served.cut_after = [1000]
    assert get(served, tmp_path).read_bytes() == CONTENT
    assert served.asked == ["", "bytes=1000-", ""]


def test_a_part_that_is_whole_already_is_taken(served: Served, tmp_path: Path):
    part(tmp_path).write_bytes(CONTENT)
    assert get(served, tmp_path).read_bytes() == CONTENT
    assert served.asked == [f"bytes={len(CONTENT)}-"]


def test_a_busy_server_is_asked_again(served: Served, tmp_path: Path):
    served.statuses = [503, 429, 200]
    assert get(served, tmp_path).read_bytes() == CONTENT
    served.statuses = [503, 503, 503]
    message = refusal(served, tmp_path / "other")
    assert message == f"download {served.url}: the server answers 503 Service Unavailable"


def test_a_missing_file_is_refused_at_once(served: Served, tmp_path: Path):
    served.statuses = [404]
    assert refusal(served, tmp_path) == f"download {served.url}: the server answers 404 Not Found"
    assert served.asked == [""]
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_hash_removes_what_arrived(served: Served, tmp_path: Path):
    part(tmp_path).write_bytes(b"of another file")
    message = refusal(served, tmp_path)
    assert "its SHA-256 is " in message
    assert "or 32f45cf7... is expected; the file is removed, run the command again" in message
    assert list(tmp_path.iterdir()) == []
    assert get(served, tmp_path).read_bytes() == CONTENT


def test_a_file_of_the_user_is_not_replaced(served: Served, tmp_path: Path):
    path = tmp_path / pretrained.PUBLISHED["alexnet"]
    path.write_bytes(b"mine")
    assert refusal(served, tmp_path) == (
        f"{path} is there and is not the published file: remove it, or give another --out"
    )
    assert path.read_bytes() == b"mine"
    assert served.asked == []


def test_the_second_known_file_keeps_its_own_name(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    prefix = hashlib.sha256(CONTENT).hexdigest()[:8]
    monkeypatch.setitem(pretrained.PUBLISHED, "alexnet", "alexnet-owt-00000000.pth")
    monkeypatch.setitem(pretrained.CONVOLUTIONS, "alexnet", ("alexnet-features.pth", prefix))
    assert get(served, tmp_path) == tmp_path / "alexnet-features.pth"


def test_a_silent_server_and_one_that_is_not_there_end_in_one_line(served: Served, tmp_path: Path):
    served.silent = threading.Event()
    message = refusal(served, tmp_path, Patience(timeout_s=0.1, attempts=2, wait_s=0))
    assert message == f"download {served.url}: timed out"
    assert served.asked == ["", ""]
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nobody listens
        served.url = f"http://127.0.0.1:{unused.getsockname()[1]}/file.pth"
        assert "Connection refused" in refusal(served, tmp_path)


@pytest.mark.parametrize("url", ["ftp://host/file.pth", "file:///etc/passwd", "alexnet.pth", ""])
def test_other_addresses_than_http_are_refused(url: str, tmp_path: Path):
    with pytest.raises(InputError, match="give an address that begins with https:// or http://"):
        fetch(url, tmp_path / "x.part", ignore, PATIENT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["http://", "http://[", "http://host:port/x", "http://ho st/x"])
def test_addresses_that_are_none_are_refused_in_one_line(url: str, tmp_path: Path):
    with pytest.raises(InputError) as caught:
        fetch(url, tmp_path / "x.part", ignore, PATIENT)
    assert str(caught.value).startswith(f"download {url}: ")
    assert "\n" not in str(caught.value)


def test_the_published_addresses_are_torchvisions():
    assert download.published_url("vgg16") == "https://download.pytorch.org/models/vgg16-397923af.pth"
    with pytest.raises(InputError, match="backbone 'vgg11': choose from vgg19, vgg16, alexnet"):
        download.published_url("vgg11")
