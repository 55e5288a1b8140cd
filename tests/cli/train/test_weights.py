"""`mfagan weights get` and `list`, with a server on this machine."""

import hashlib
import json
from pathlib import Path

import pytest

from mfagan import pretrained
from tests.command import Run
from tests.web import serve

CONTENT = b"weights" * 1000


@pytest.fixture
def alexnet(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a file that passes for the published one."""
    name = f"alexnet-owt-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"
    monkeypatch.setitem(pretrained.PUBLISHED, "alexnet", name)
    return name


def test_weights_are_downloaded_into_torch_hubs_folder_and_listed(run: Run, tmp_path: Path, alexnet: str):
    folder = tmp_path / "no-weights-here" / "hub" / "checkpoints"
    with serve(CONTENT) as served:
        done = run("weights", "get", "alexnet", "--url", served.url)
    assert (done.status, done.answer) == (0, f"{folder / alexnet}\n"), done.err
    assert (folder / alexnet).read_bytes() == CONTENT
    (folder / "vgg16-397923af.pth").write_bytes(b"something else")
    rows = json.loads(run("weights", "list", "--json").out)["weights"]
    assert {Path(row["file"]).name: row["state"] for row in rows} == {
        "vgg19-dcbb9e9d.pth": "missing",
        "vgg16-397923af.pth": "wrong hash",
        "vgg16-features-fp16.safetensors": "missing",
        alexnet: "ok",
        "alexnet-features.pth": "missing",
    }
    text = run("weights", "list").out
    assert f"{folder / alexnet}\n" in text
    assert "wrong hash" in text


def test_another_folder_and_the_part_that_is_left(run: Run, tmp_path: Path, alexnet: str):
    out = tmp_path / "mine"
    out.mkdir()
    (out / f"{alexnet}.part").write_bytes(CONTENT[:100])
    with serve(CONTENT) as served:
        done = run("weights", "get", "alexnet", "--url", served.url, "--out", out)
        assert (done.status, done.answer) == (0, f"{out / alexnet}\n"), done.err
        assert served.asked == ["bytes=100-"]


def test_errors_are_one_line(run: Run, tmp_path: Path, alexnet: str):
    with serve(CONTENT) as served:
        served.statuses = [404]
        message = run("weights", "get", "alexnet", "--url", served.url).message
        assert message.endswith(f"download {served.url}: the server answers 404 Not Found")
        message = run("weights", "get", "vgg19", "--url", served.url).message
        assert "dcbb9e9d... is expected" in message
        (tmp_path / "file").touch()
        message = run("weights", "get", "alexnet", "--url", served.url, "--out", tmp_path / "file").message
        assert f"{tmp_path / 'file'}" in message
    assert "backbone 'vgg11': choose from" in run("weights", "get", "vgg11").message
