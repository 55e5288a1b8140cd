"""`mfagan coronetgan export`."""

import json
from pathlib import Path

import pytest
import torch
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.coronetgan.kinds import load_translator
from mfagan.coronetgan.network.selection import select
from mfagan.deploy.about.file_metadata import read_metadata
from tests.command import Run
from tests.coronetgan.saved import small_resnet, small_unet, write


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    return write(tmp_path / "dense.safetensors", small_resnet())


@pytest.fixture
def pruned(tmp_path: Path) -> Path:
    kept = {name: torch.arange(width // 2) for name, width in small_resnet().widths.items()}
    record = {"stage": "finetune", "recipe": {"crop_px": 30}}
    return write(tmp_path / "pruned.safetensors", select(small_resnet(), kept), "pruned", record)


def test_a_pruned_network_stands_beside_its_dense_one(run: Run, dense: Path, pruned: Path, tmp_path: Path):
    out = tmp_path / "net.tflite"
    command = ["coronetgan", "export", pruned, "--out", out, "--beside", dense, "--rounds", 1]
    done = run(*command, "--json")
    assert done.status == 0, done.err
    answer = json.loads(done.answer)
    assert (answer["bytes"], answer["size"]) == (
        out.stat().st_size,
        "32x32",
    )  # the crop, as the network takes it
    beside = answer["beside"]
    assert beside["macs_ratio"] == pytest.approx(0.351240, abs=1e-4)
    ratio = beside["exported"]["latency_ms"] / beside["dense"]["latency_ms"]
    assert beside["latency_ratio"] == pytest.approx(ratio, abs=1e-3)
    image = 2 * torch.rand(1, 32, 32, 3) - 1
    found = Interpreter(str(out)).get_signature_runner()(image=image.numpy())["translated"]
    with torch.inference_mode():
        expected = load_translator(pruned)(image.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    torch.testing.assert_close(torch.from_numpy(found), expected, atol=1e-4, rtol=1e-4)
    facts = read_metadata(out)
    assert facts is not None
    assert [facts[name] for name in ("network", "precision", "range")] == [
        "resnet_translator",
        "fp32",
        [-1, 1],
    ]
    assert facts["checkpoint_sha256"] == checkpoint.sha256(pruned)
    assert run("info", out).status == 0
    text = run(*command)
    assert "0.351 of its MACs" in text.out
    assert "transposed convolutions at their output's resolution" in text.out


def test_a_picture_of_ones_own_and_integers_calibrated_on_a_folder(run: Run, dense: Path, tmp_path: Path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(2):
        pixels = (torch.rand(24, 20, 3) * 255).byte().numpy()
        Image.fromarray(pixels).save(folder / f"{number}.png")
    command = ["coronetgan", "export", dense, "--size", "32x16", "--image", folder / "0.png"]
    done = run(*command, "--precision", "int8", "--calibration", folder, "--out", tmp_path / "n.tflite")
    assert done.status == 0, done.err
    assert "on 1 real picture\n" in done.out
    assert "in float: " in done.out
    done = run(*command, "--precision", "fp16", "--out", tmp_path / "n.onnx", "--json")
    assert done.status == 0, done.err
    facts = read_metadata(tmp_path / "n.onnx")
    assert facts is not None
    assert [facts[name] for name in ("format", "precision", "size")] == ["onnx", "fp16", "32x16"]


def test_the_public_codes_format(run: Run, dense: Path, tmp_path: Path):
    out = tmp_path / "latest_net_G.pth"
    done = run("coronetgan", "export", dense, "--out", out)
    assert done.status == 0, done.err
    assert "model.1.weight" in torch.load(out, weights_only=True)
    again = tmp_path / "again.safetensors"
    assert run("coronetgan", "import", out, "--out", again).status == 0
    before, after = load_translator(dense).state_dict(), load_translator(again).state_dict()
    assert all(torch.equal(one, after[name]) for name, one in before.items())
    refused = run("coronetgan", "export", dense, "--format", "pth", "--size", "32x32", "--out", out)
    assert "--size with format pth" in refused.message
    enlarging = run("export", out, "--out", tmp_path / "g.tflite")
    assert "knows no network with such weights" in enlarging.message
    assert "convert it: `mfagan mobilestylegan import` or `mfagan coronetgan import`" in enlarging.message


def test_a_slice_of_a_weight_shared_network(run: Run, tmp_path: Path):
    shared = write(tmp_path / "shared.safetensors", small_unet(), "supernet")
    out = tmp_path / "slice.tflite"
    command = ["coronetgan", "export", shared, "--size", "32x32", "--out", out, "--json"]
    whole = json.loads(run(*command).answer)
    done = run(*command, "--widths", "2,4,8,16")
    assert done.status == 0, done.err
    assert json.loads(done.answer)["params"] < whole["params"] / 3


def save_untrained(folder: Path) -> Path:
    network = small_resnet()
    about = Checkpoint(network.KIND, "dense", network.config(), network.state_dict(), {"seed": 0})
    checkpoint.save(folder / "untrained.safetensors", about)
    return folder / "untrained.safetensors"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "coreml"], "format 'coreml' of an exported translator: give tflite or onnx"),
        (["--format", "onnx", "--precision", "int8"], "onnx files are written in fp32, fp16"),
        (["--size", "30x32"], "takes multiples of 4 px"),
        (["--size", "x"], "give HEIGHTxWIDTH"),
        (["--calibration", "."], "--calibration with precision fp32"),
        (["--format", "onnx", "--beside", "{dense}"], "--beside with format onnx"),
        (["--beside", "{grey}"], "makes 1 channels of 3"),
        (["--image", "{dense}"], "dense.safetensors"),
        (["--widths", "8,16"], "no trained slices"),
    ],
)
def test_refusals(run: Run, dense: Path, tmp_path: Path, options: list[str], words: str):
    grey = write(tmp_path / "grey.safetensors", small_resnet(out_channels=1))
    out = tmp_path / "net.file"
    given = [one.format(dense=dense, grey=grey) for one in options]
    size = [] if "--size" in options else ["--size", "32x32"]
    done = run("coronetgan", "export", dense, "--out", out, *size, *given)
    assert done.status == 2
    assert words in done.message
    assert not out.exists()


def test_an_untrained_checkpoint_and_an_input_are_not_written_over(run: Run, dense: Path, tmp_path: Path):
    done = run("coronetgan", "export", save_untrained(tmp_path), "--out", tmp_path / "n.tflite")
    assert "names no training" in done.message
    assert "mfagan coronetgan train" in done.message
    before = dense.read_bytes()
    assert run("coronetgan", "export", dense, "--size", "32x32", "--out", dense).status == 2
    assert dense.read_bytes() == before
