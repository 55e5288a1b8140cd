"""`mfagan export`: formats, precisions, the model card, and what is refused."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from mfagan.deploy import onnx
from mfagan.sr.kinds import load_generator
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
    session = onnx.Session(out.read_bytes())
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
    found = onnx.Session(out.read_bytes()).enlarge(x) * 255
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


def test_a_file_for_tiles_enlarges_a_picture_that_does_not_fit(run: Run, trained: Path, tmp_path: Path):
    model, picture = tmp_path / "m.tflite", draw(tmp_path / "a.png", 90, 70)
    done = run(*command(trained, model, "--size", "40x40", "--tiles"))
    assert done.status == 0, done.err
    done = run("upscale", tmp_path / "a.png", tmp_path / "b.png", "--model", model)
    assert done.status == 0, done.err
    assert Image.open(tmp_path / "b.png").size == (4 * picture.shape[1], 4 * picture.shape[0])


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


def test_int8_is_not_calibrated_on_a_test_set(run: Run, trained: Path, tmp_path: Path):
    (tmp_path / "Set5").mkdir()
    draw(tmp_path / "Set5" / "baby.png", 64, 64)
    options = ("--precision", "int8", "--calibration", tmp_path / "Set5")
    done = run(*command(trained, tmp_path / "m.tflite", *options))
    assert done.status == 2
    assert "Set5 is a set that networks are tested on" in done.message
    assert list(tmp_path.glob("m.*")) == []


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
        (["--precision", "int8", "--format", "onnx"], "give one of them, or format tflite"),
        (["--precision", "int8", "--tiles"], "tiles in tflite, int8, float: give tflite, fp32 and float"),
        (["--calibration", "photos"], "--calibration with precision fp32: it is for int8"),
        (["--precision", "dynamic", "--format", "onnx"], "or format tflite"),
        (["--io", "uint16"], "pictures of 'uint16': give float or uint8"),
        (["--format", "coreml"], "format 'coreml': give tflite or onnx"),
        (["--format", "onnx", "--measure"], "it runs LiteRT"),
    ],
    ids=str,
)
def test_what_does_not_go_together(run: Run, trained: Path, tmp_path: Path, more: list[str], message: str):
    assert message in run(*command(trained, tmp_path / "m.tflite", *more)).message
    assert list(tmp_path.glob("m.*")) == []
