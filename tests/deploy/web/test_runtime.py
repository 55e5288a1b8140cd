"""LiteRT.js from a folder, an archive and a server on this machine, never from the network."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mfagan.deploy.web import runtime
from mfagan.deploy.web.runtime import WebRuntime, download_runtime, read_runtime
from mfagan.download import Patience
from mfagan.errors import InputError
from mfagan.progress import ignore_progress
from tests.deploy.web.runtimes import PARTS, pack_archive, write_folder
from tests.web import Served, serve

ARCHIVE = pack_archive()
PATIENT = Patience(timeout_s=10, attempts=2, wait_s=0)
EXPECTED = WebRuntime("0.1", *list(PARTS.values())[1:])


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server of an archive that passes for the published one."""
    monkeypatch.setattr(runtime, "SHA256", hashlib.sha256(ARCHIVE).hexdigest())
    with serve(ARCHIVE) as found:
        yield found


def get(served: Served, folder: Path) -> Path:
    return download_runtime(folder, ignore_progress, served.url, PATIENT)


def test_a_runtime_is_downloaded_once(served: Served, tmp_path: Path):
    path = get(served, tmp_path / "cache")
    assert read_runtime(path) == EXPECTED
    assert get(served, tmp_path / "cache") == path
    assert served.asked == [""]
    assert list(path.parent.iterdir()) == [path]


def test_an_interrupted_download_goes_on_in_the_next_call(served: Served, tmp_path: Path):
    served.cut_after = [100, 0]
    with pytest.raises(InputError, match=r"the connection ended after 100 of .* the same command continues"):
        get(served, tmp_path)
    assert read_runtime(get(served, tmp_path)) == EXPECTED
    assert served.asked[-1] == "bytes=100-"


def test_another_archive_is_refused_and_removed(served: Served, tmp_path: Path):
    served.content = ARCHIVE[:-1] + b"x"
    with pytest.raises(
        InputError, match=r"its SHA-256 is \w{64}, \w{64}\.\.\. is expected; the file is removed"
    ):
        get(served, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_archive_in_the_cache_is_replaced(served: Served, tmp_path: Path):
    path = get(served, tmp_path)
    path.write_bytes(ARCHIVE[:50])
    assert get(served, tmp_path).read_bytes() == ARCHIVE


def test_a_folder_is_read(tmp_path: Path):
    assert read_runtime(write_folder(tmp_path)) == EXPECTED


@pytest.mark.parametrize("name", PARTS)
def test_a_missing_part_is_named(name: str, tmp_path: Path):
    rest = {part: content for part, content in PARTS.items() if part != name}
    (tmp_path / "core.tgz").write_bytes(pack_archive(rest))
    (write_folder(tmp_path / "core") / name).unlink()
    for place in ("core", "core.tgz"):
        with pytest.raises(InputError, match=r"it is not the npm package @litertjs/core") as caught:
            read_runtime(tmp_path / place)
        assert name in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"no archive", ARCHIVE[:200]])
def test_something_else_is_refused_in_one_line(content: bytes | None, tmp_path: Path):
    path = tmp_path / "core.tgz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"runtime .*core\.tgz: .*; give its folder or its \.tgz") as caught:
        read_runtime(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[]", "{}", "not JSON", "\x00"])
def test_a_package_without_a_version_is_refused(text: str, tmp_path: Path):
    (write_folder(tmp_path) / "package.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="it is not the npm package @litertjs/core"):
        read_runtime(tmp_path)
