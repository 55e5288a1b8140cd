"""`mfagan export`: formats, precisions, the model card, and what is refused."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mfagan.deploy.onnx import converter
from mfagan.sr.kinds import load_generator
from tests import ROOT
from tests.clips import film, watch
from tests.command import Run
from tests.pictures import draw


def command(trained: Path, out: Path, *more: object) -> list[object]:
    photo = trained / "photos" / "photo_0.png"
    return ["export", trained / "student.safetensors", "--out", out, "--photo", photo, *more]


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_an_onnx_file_takes_pictures_of_any_size(run: Run, trained: Path, tmp_path: Path, precision: str):
    out = tmp_path / "m.onnx"
    done = run(*command(trained, out, "--format", "onnx", "--size", "dynamic", "--precision", precision))
    assert done.status == 0, done.err
    assert "PSNR-Y lost in dB: photo_0 " in done.out
    assert " Conv" in done.out
    session = converter.Session(out.read_bytes())
    network = load_generator(trained / "student.safetensors")
    for size in [(8, 8), (13, 30)]:
        x = torch.rand(3, *size)
        with torch.inference_mode():
            difference = (session.enlarge(x) - network(x[None])[0]).abs().max()
        assert difference < {"fp32": 1e-5, "fp16": 5e-3}[precision]


def test_pictures_in_8_bits(run: Run, trained: Path, tmp_path: Path):
    out = tmp_path / "m.onnx"
    done = run(*command(trained, out, "--format", "onnx", "--size", "8x12", "--io", "uint8"))
    assert done.status == 0, done.err
    x = torch.rand(3, 8, 12)
    found = converter.Session(out.read_bytes()).enlarge(x) * 255
    assert torch.equal(found, found.round())


def test_what_was_found_is_printed_for_programs(run: Run, trained: Path, tmp_path: Path):
    sizes = {}
    for precision in ("fp32", "fp16", "dynamic"):
        out = tmp_path / f"{precision}.tflite"
        done = run(*command(trained, out, "--size", "8x8", "--precision", precision, "--json"))
        assert done.status == 0, done.err
        facts = json.loads(done.out)
        assert facts["bytes"] == out.stat().st_size
        assert facts["precision"] == precision
        assert facts["partitions"] >= 1
        assert facts["operators"]["CONV_2D"] > 20
        sizes[precision] = facts["bytes"]
    assert sizes["fp16"] < sizes["fp32"]
    assert sizes["dynamic"] < sizes["fp32"]


def test_passes_are_chosen_and_told(run: Run, trained: Path, tmp_path: Path):
    found = {}
    for passes in ("none", "statistics,parts,shuffle"):
        done = run(*command(trained, tmp_path / "m.tflite", "--size", "8x8", "--passes", passes, "--json"))
        assert done.status == 0, done.err
        found[passes] = json.loads(done.out)
    plain, rewritten = found.values()
    assert (plain["passes"], rewritten["passes"]) == ([], ["statistics", "parts", "shuffle"])
    assert rewritten["partitions"] <= 2 < plain["partitions"]
    assert rewritten["operators"]["DEPTH_TO_SPACE"] == 1
    refused = run(*command(trained, tmp_path / "m.tflite", "--passes", "quick"))
    assert refused.status == 2
    assert "pass 'quick': give some of" in refused.message


@pytest.mark.parametrize(
    ("name", "more"),
    [("m.tflite", ["--size", "40x40"]), ("m.onnx", ["--format", "onnx", "--size", "dynamic"])],
)
def test_a_file_for_tiles_enlarges_what_the_checkpoint_does(
    run: Run, trained: Path, tmp_path: Path, name: str, more: list[str]
):
    draw(tmp_path / "a.png", 90, 70)
    draw(tmp_path / "tiny.png", 1, 2)
    film(tmp_path / "a.mkv", (0, 100))
    done = run(*command(trained, tmp_path / name, *more, "--tiles"))
    assert done.status == 0, done.err
    for source in ("a.png", "tiny.png", "a.mkv"):
        for model, out in ((tmp_path / name, "file"), (trained / "student.safetensors", "checkpoint")):
            done = run("upscale", tmp_path / source, tmp_path / out / source, "--model", model)
            assert done.status == 0, done.err
    for source in ("a.png", "tiny.png"):
        one, other = (np.asarray(Image.open(tmp_path / out / source), int) for out in ("file", "checkpoint"))
        assert abs(one - other).max() <= 1
    clips = [watch(tmp_path / out / "a.mkv") for out in ("file", "checkpoint")]
    assert clips[0].sizes == clips[1].sizes == {(128, 96)}
    assert abs(clips[0].pixels[0].astype(int) - clips[1].pixels[0]).max() <= 2


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_a_size_beyond_memory_is_refused_before_anything_is_made(
    run: Run, trained: Path, tmp_path: Path, format: str
):
    out = tmp_path / f"m.{format}"
    message = run(*command(trained, out, "--format", format, "--size", "100000x100000")).message
    assert re.search(
        r"size 100000x100000: checking the file would take [\d,.]+ GB, .* has [\d,.]+ GB", message
    )
    assert list(tmp_path.glob("m.*")) == []


@pytest.mark.slow
def test_a_full_disk_leaves_nothing_half_written(trained: Path, tmp_path: Path):
    """The largest size of a file stands in for the room on the disk."""
    out = tmp_path / "out" / "m.tflite"
    out.parent.mkdir()
    out.write_bytes(b"old")
    script = """
import resource, sys
from mfagan import files
from mfagan.cli import main
written = files.write_atomic
def write(path, data):
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))
    written(path, data)
files.write_atomic = write
sys.exit(main())
"""
    arguments = [*map(str, command(trained, out, "--size", "8x8"))]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr
    assert "m.tflite: File too large; choose a place that can be written and has room" in done.stderr
    assert "Traceback" not in done.stderr
    assert [one.name for one in out.parent.iterdir()] == ["m.tflite"]
    assert out.read_bytes() == b"old"


@pytest.mark.parametrize("pixels", ["float", "uint8"])
def test_int8_is_calibrated_and_told(run: Run, trained: Path, tmp_path: Path, pixels: str):
    out = tmp_path / "m.tflite"
    options = ("--size", "16x16", "--precision", "int8", "--io", pixels)
    done = run(*command(trained, out, *options, "--calibration", trained / "photos", "--json"))
    assert done.status == 0, done.err
    facts = json.loads(done.out)
    assert (facts["precision"], facts["passes"]) == ("int8", ["statistics", "shuffle"])
    assert "photo_0" in facts["calibrated_on"]
    assert abs(facts["lost_db"]["photo_0"]) < 0.5
    # The bicubic residual and the statistics' vectors.
    assert 0 < facts["in_float"]["CONV_2D"] < facts["operators"]["CONV_2D"] / 2
    assert facts["in_float"]["MIRROR_PAD"] == facts["operators"]["MIRROR_PAD"]
    card = json.loads((tmp_path / "m.tflite.card.json").read_text())
    assert (card["precision"], card["calibrated_on"]) == ("int8", facts["calibrated_on"])
    draw(tmp_path / "a.png", 20, 30)
    done = run("upscale", tmp_path / "a.png", tmp_path / "b.png", "--model", out)
    assert done.status == 0, done.err
    assert Image.open(tmp_path / "b.png").size == tuple(
        4 * side for side in Image.open(tmp_path / "a.png").size
    )


@pytest.mark.parametrize(("size", "pixels"), [("dynamic", "float"), ("16x16", "uint8")])
def test_an_onnx_file_in_int8_is_calibrated_and_told(
    run: Run, trained: Path, tmp_path: Path, size: str, pixels: str
):
    out = tmp_path / "m.onnx"
    options = ("--size", size, "--precision", "int8", "--io", pixels)
    done = run(*command(trained, out, *options, "--calibration", trained / "photos", "--json"))
    assert done.status == 0, done.err
    facts = json.loads(done.out)
    assert (facts["precision"], facts["size"], facts["passes"]) == ("int8", size, [])
    assert "photo_0" in facts["calibrated_on"]
    assert 0 < abs(facts["lost_db"]["photo_0"]) < 0.5
    # The bicubic residual, the sum with it and the statistics' vectors.
    assert 0 < facts["in_float"]["Conv"] < facts["operators"]["Conv"] / 2
    for kind in ("Slice", "DepthToSpace", "Sqrt", "Sigmoid"):
        assert facts["in_float"][kind] == facts["operators"][kind]
    card = json.loads((tmp_path / "m.onnx.card.json").read_text())
    assert (card["precision"], card["calibrated_on"]) == ("int8", facts["calibrated_on"])
    told = run("info", out)
    assert re.search(r"precision +int8\n", told.out)
    draw(tmp_path / "a.png", 16, 16)
    done = run("upscale", tmp_path / "a.png", tmp_path / "b.png", "--model", out)
    assert done.status == 0, done.err
    assert Image.open(tmp_path / "b.png").size == (64, 64)


def test_int8_prints_what_stays_in_float(run: Run, trained: Path, tmp_path: Path):
    options = ("--size", "16x16", "--precision", "int8")
    done = run(*command(trained, tmp_path / "m.onnx", *options))
    assert done.status == 0, done.err
    assert re.search(r"in float: .* ReduceMean", done.out)
    assert "calibrated on 6 photos: coffee, " in done.out


@pytest.mark.parametrize("format", ["tflite", "onnx"])
def test_int8_is_not_calibrated_on_a_test_set(run: Run, trained: Path, tmp_path: Path, format: str):
    (tmp_path / "Set5").mkdir()
    draw(tmp_path / "Set5" / "baby.png", 64, 64)
    options = ("--format", format, "--precision", "int8", "--calibration", tmp_path / "Set5")
    done = run(*command(trained, tmp_path / "m", *options))
    assert done.status == 2
    assert "Set5 is a set that networks are tested on" in done.message
    assert list(tmp_path.glob("m*")) == []


def test_a_card_stands_beside_the_file(run: Run, trained: Path, tmp_path: Path):
    out = tmp_path / "m.tflite"
    assert run(*command(trained, out, "--size", "8x8")).status == 0
    card = json.loads((tmp_path / "m.tflite.card.json").read_text())
    (resource,) = card["resources"]
    assert resource["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert (resource["platform"], resource["size"]) == ("tflite", out.stat().st_size)
    assert (card["architecture"], card["inputChannels"]) == ("mfanet", 3)
    assert card["license"] is None  # nobody gave one
    assert card["trainedIterations"] > 0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--size", "dynamic"], "runs at others when the program resizes its input"),
        (["--precision", "int4"], "precision 'int4': tflite files are written in fp32, fp16, dynamic, int8"),
        (["--precision", "int4", "--format", "onnx"], "onnx files are written in fp32, fp16, int8; give one"),
        (
            ["--precision", "int8", "--format", "onnx", "--size", "dynamic", "--tiles"],
            "tiles in int8, float: give",
        ),
        (["--precision", "int8", "--tiles"], "tiles in int8, float: give fp32 and float"),
        (["--calibration", "photos"], "--calibration with precision fp32: it is for int8"),
        (["--precision", "dynamic", "--format", "onnx"], "or format tflite"),
        (["--io", "uint16"], "pictures of 'uint16': give float or uint8"),
        (["--format", "coreml"], "format 'coreml': give tflite or onnx"),
        (["--format", "pth"], "format 'pth': give tflite or onnx"),
        (["--format", "onnx", "--measure"], "it runs LiteRT"),
        (["--format", "onnx", "--tiles"], "tiles in onnx of size 128x128: give --size dynamic"),
    ],
    ids=str,
)
def test_what_does_not_go_together(run: Run, trained: Path, tmp_path: Path, more: list[str], message: str):
    assert message in run(*command(trained, tmp_path / "m", *more)).message
    assert list(tmp_path.glob("m*")) == []


def test_a_name_of_another_format_is_refused(run: Run, trained: Path, tmp_path: Path):
    done = run(*command(trained, tmp_path / "m.tflite", "--format", "onnx"))
    assert "m.tflite with format onnx: .tflite is the ending of tflite files; give" in done.message
    assert list(tmp_path.glob("m*")) == []


def test_what_a_delegate_would_reject_is_told(run: Run, trained: Path, tmp_path: Path):
    out = tmp_path / "m.tflite"
    done = run(*command(trained, out, "--size", "8x8", "--check", "gpu", "--json"))
    assert done.status == 0, done.err
    facts = json.loads(done.out)["check"]
    assert facts["delegate_clean"] is False
    assert facts["rejected"] == {"MIRROR_PAD: only mode reflect is taken": 2}
    assert facts["note"] == "static rules, nothing was measured"
    assert facts["source"].endswith("gpu_compatibility.cc")
    done = run(*command(trained, out, "--size", "8x8", "--check", "xnnpack"))
    assert "parts it takes: 2; parts left to the CPU: 1" in done.out
    assert "(static rules, nothing was measured)" in done.out
    out.unlink()
    for more, message in [
        (["--check", "tpu"], "delegate 'tpu': give one of gpu"),
        (["--check", "gpu", "--io", "uint8"], "check gpu of tflite, fp32, uint8: the rules are for"),
        (["--check", "gpu", "--format", "onnx"], "check gpu of onnx, fp32, float: the rules are for"),
    ]:
        assert message in run(*command(trained, tmp_path / "m", "--size", "8x8", *more)).message
        assert list(tmp_path.glob("m*")) == [tmp_path / "m.tflite.card.json"]
