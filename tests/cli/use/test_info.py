"""`mfagan info` of exported files and of model cards; that of checkpoints is in test_networks.py."""

import json
from pathlib import Path

import pytest

from mfagan import __version__, checkpoint
from mfagan.deploy.tflite import converter
from mfagan.sr.lowering import lower
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import Widths
from tests.command import Run


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_an_exported_file_tells_how_it_was_made(run: Run, trained: Path, tmp_path: Path, format: str):
    source, out = trained / "student.safetensors", tmp_path / f"m.{format}"
    more = ["--passes", "statistics"] if format == "tflite" else ["--precision", "fp16"]
    photo = trained / "photos" / "photo_0.png"
    done = run("export", source, "--out", out, "--format", format, "--size", "8x12", "--photo", photo, *more)
    assert done.status == 0, done.err
    found = json.loads(run("info", out, "--json").out)
    assert found["checkpoint_sha256"] == checkpoint.sha256(source)
    assert (found["mfagan"], found["network"], found["scale"]) == (__version__, "mfanet", 4)
    assert found["widths"] == checkpoint.read(source).config["widths"]
    assert (found["format"], found["size"]) == (format, "8x12")
    expected = ("fp32", ["statistics"]) if format == "tflite" else ("fp16", [])
    assert (found["precision"], found["passes"]) == expected
    assert (found["sha256"], found["bytes"]) == (checkpoint.sha256(out), out.stat().st_size)
    shown = run("info", out).out
    assert checkpoint.sha256(source) in shown
    assert "passes" in shown


def test_files_of_other_programs_are_refused(run: Run, tmp_path: Path):
    path = tmp_path / "m.tflite"
    path.write_bytes(converter.convert_network(*lower(MFANet(Widths.uniform(4)), 4, 4), "fp32", "float"))
    message = run("info", path).message
    assert f"model {path}: it holds no facts by mfagan" in message
    path.write_text("no model at all")
    assert f"model {path}: no TFLite file; give a TFLite or ONNX file" in run("info", path).message


def test_a_card_is_printed(run: Run, trained: Path, tmp_path: Path):
    path = trained / "supergenerator.safetensors"
    card = json.loads(run("info", path, "--card").out)
    assert card["resources"][0]["sha256"] == checkpoint.sha256(path)
    shipped = json.loads(run("info", "free", "--card").out)
    assert (shipped["scale"], shipped["size"]) == (4, ["48,48,48,48,48,48,48,48"])
    (tmp_path / "m.tflite").touch()
    assert "its card stands beside it" in run("info", tmp_path / "m.tflite", "--card").message
