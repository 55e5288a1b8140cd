"""A missing or broken runtime ends the commands that need it in one line, and leaves the others alone."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

import mfagan.deploy.tflite
from tests.command import Run
from tests.tiny import write_photos

PACKAGES = {"tensorflow": "tensorflow", "ai_edge_litert": "ai-edge-litert"}


def hide(monkeypatch: pytest.MonkeyPatch, package: str, fault: str) -> None:
    """Make the import of a package fail, as if nothing of it had been imported before."""
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.startswith(f"{mfagan.deploy.tflite.__name__}.")]:
        monkeypatch.delitem(sys.modules, name)
        monkeypatch.delattr(mfagan.deploy.tflite, name.rpartition(".")[2], raising=False)
    for name in ("mfagan.sr.export", "mfagan.latency.measuring.block_file"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, package, None if fault == "missing" else _Broken(package))  # type: ignore[arg-type]


class _Broken(ModuleType):
    """A package whose libraries are missing: taking anything from it fails."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ImportError("libfoo.so.1: cannot open shared object file")


@pytest.fixture(params=PACKAGES)
def missing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    hide(monkeypatch, request.param, "missing")
    return request.param


def test_export_says_what_to_install(missing: str, run: Run, trained: Path, tmp_path: Path):
    out = tmp_path / "model.tflite"
    message = run("export", trained / "student.safetensors", "--out", out, "--size", "16x16").message
    assert f"{PACKAGES[missing]}" in message
    assert "cannot be imported (ModuleNotFoundError: " in message
    assert f"pip install --force-reinstall {PACKAGES[missing]}" in message
    assert not out.exists()


def test_lut_build_says_what_to_install(missing: str, run: Run, tmp_path: Path):
    out = tmp_path / "table.json"
    message = run("lut", "build", "--out", out, "--size", "16x16", "--rounds", 1).message
    assert f"pip install --force-reinstall {PACKAGES[missing]}" in message
    assert not out.exists()


def test_a_broken_interpreter_is_named_with_its_fault(
    run: Run, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    hide(monkeypatch, "ai_edge_litert", "broken")
    message = run("export", trained / "student.safetensors", "--out", tmp_path / "x.tflite").message
    assert "ai-edge-litert cannot be imported" in message
    assert "pip install --force-reinstall ai-edge-litert" in message


def test_commands_that_need_no_runtime_work_without_it(missing: str, run: Run, trained: Path, tmp_path: Path):
    photos = write_photos(tmp_path / "photos", n=1, side=32)
    done = run(
        "evaluate", trained / "student.safetensors", "--images", photos, "--size", "8x8", "--device", "cpu"
    )
    assert done.status == 0, done.err
    assert run("info", trained / "student.safetensors").status == 0
    assert run("costs", "--widths", 24).status == 0
