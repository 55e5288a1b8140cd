"""`mfagan webpage`, as a user calls it, with a stand-in for the runtime."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mfagan.deploy.tflite import converter
from mfagan.deploy.web import runtime as web_runtime
from mfagan.graph.operators import Activation, Operator
from tests.command import Run
from tests.deploy.web.runtimes import pack_archive, write_folder
from tests.web import Served, serve


@pytest.fixture
def model(run: Run, trained: Path, tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    done = run("export", trained / "student.safetensors", "--size", "16x16", "--out", path)
    assert done.status == 0, done.err
    return path


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "node_modules" / "@litertjs" / "core")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Served]:
    """A server of an archive that passes for the published one, and an empty cache."""
    archive = pack_archive()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(web_runtime, "SHA256", hashlib.sha256(archive).hexdigest())
    with serve(archive) as found:
        yield found


def test_a_page_is_written_with_a_runtime_at_hand(run: Run, model: Path, runtime: Path, tmp_path: Path):
    out = tmp_path / "new" / "page.html"
    done = run("webpage", model, "--out", out, "--runtime", runtime)
    assert done.status == 0, done.err
    assert done.out == f"{out}: {out.stat().st_size:,} bytes; open it in a browser\n"
    page = out.read_text(encoding="utf-8")
    assert "<b>small.tflite</b>" in page
    assert hashlib.sha256(model.read_bytes()).hexdigest()[:16] in page
    assert "LiteRT.js 0.1 " in page


def test_the_runtime_is_downloaded_once(run: Run, model: Path, served: Served, tmp_path: Path):
    for name in ("a.html", "b.html"):
        done = run("webpage", model, "--out", tmp_path / name, "--url", served.url)
        assert done.status == 0, done.err
    assert served.asked == [""]
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert [path.name for path in web_runtime.cache_folder().iterdir()] == ["litertjs-core-2.5.3.tgz"]


def test_a_wrong_download_leaves_nothing(run: Run, model: Path, served: Served, tmp_path: Path):
    served.content = b"another file"
    message = run("webpage", model, "--out", tmp_path / "page.html", "--url", served.url).message
    assert "its SHA-256 is" in message
    assert not (tmp_path / "page.html").exists()
    assert list(web_runtime.cache_folder().iterdir()) == []


def test_a_missing_runtime_is_named(run: Run, model: Path, tmp_path: Path):
    command = ("webpage", model, "--out", tmp_path / "page.html", "--runtime")
    assert (
        f"runtime {tmp_path / 'none'}: it is not the npm package" in run(*command, tmp_path / "none").message
    )
    assert "package.json is missing" in run(*command, tmp_path).message
    assert not (tmp_path / "page.html").exists()


def test_a_page_that_exists_is_kept_unless_told(run: Run, model: Path, runtime: Path, tmp_path: Path):
    out = tmp_path / "page.html"
    out.write_text("mine", encoding="utf-8")
    command = ("webpage", model, "--out", out, "--runtime", runtime)
    assert f"{out} exists; give another name, or --overwrite" in run(*command).message
    assert out.read_text(encoding="utf-8") == "mine"
    assert run(*command, "--overwrite").status == 0
    assert out.stat().st_size > 10_000


def test_the_model_is_not_replaced_by_its_page(run: Run, model: Path, runtime: Path):
    before = model.read_bytes()
    message = run("webpage", model, "--out", model, "--runtime", runtime, "--overwrite").message
    assert "which would be replaced" in message
    assert model.read_bytes() == before


def test_runtime_and_url_exclude_each_other(run: Run, model: Path, runtime: Path, tmp_path: Path):
    options = ("--runtime", runtime, "--url", "https://localhost/x.tgz")
    message = run("webpage", model, "--out", tmp_path / "page.html", *options).message
    assert "give --runtime or --url, not both" in message


def refusal(run: Run, model: Path, runtime: Path) -> str:
    out = model.with_suffix(".html")
    message = run("webpage", model, "--out", out, "--runtime", runtime).message
    assert not out.exists()
    return message


def test_what_is_no_tflite_file_is_refused(run: Run, trained: Path, runtime: Path, tmp_path: Path):
    missing, empty, onnx = (tmp_path / name for name in ("missing.tflite", "empty.tflite", "x.onnx"))
    empty.touch()
    onnx.write_bytes(b"\x08\x0a\x12\x07pytorch")
    assert f"{missing}: No such file or directory; give a readable .tflite file" in refusal(
        run, missing, runtime
    )
    assert "Is a directory" in refusal(run, tmp_path, runtime)
    for path in (empty, onnx, trained / "student.safetensors"):
        assert f"{path}: it is not a TFLite file; make one with `mfagan export" in refusal(run, path, runtime)


def test_a_truncated_model_is_refused(run: Run, model: Path, runtime: Path):
    content = model.read_bytes()
    model.write_bytes(content[: len(content) // 3])
    assert f"{model}: LiteRT cannot run it on float pictures" in refusal(run, model, runtime)


@pytest.mark.parametrize("kind", ["two inputs", "four channels"])
def test_a_network_that_enlarges_no_picture_is_refused(run: Run, kind: str, runtime: Path, tmp_path: Path):
    if kind == "two inputs":
        x, y, z = (Activation(name, 3, 4, 5) for name in "xyz")
        operators = [Operator("add", (x, y), z)]
    else:
        x, y = (Activation(name, 4, 4, 5) for name in "xy")
        operators = [Operator("relu", (x,), y)]
    path = tmp_path / "other.tflite"
    path.write_bytes(converter.convert(operators, {}))
    assert "are not those of a network that enlarges one RGB picture" in refusal(run, path, runtime)
