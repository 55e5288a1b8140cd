"""`mfagan mobilestylegan export`."""

import json
from pathlib import Path

import pytest
import torch
from ai_edge_litert.interpreter import Interpreter

from mfagan import checkpoint
from mfagan.deploy.about.file_metadata import read_metadata
from tests.command import Run
from tests.mobilestylegan.exporting.small import build_student, build_teacher

TRAINED = {"stage": "student", "steps": 1}


@pytest.fixture
def student(tmp_path: Path) -> Path:
    checkpoint.save(tmp_path / "student.safetensors", build_student().to_checkpoint("supernet", TRAINED))
    return tmp_path / "student.safetensors"


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    checkpoint.save(tmp_path / "teacher.safetensors", build_teacher().to_checkpoint("teacher", TRAINED))
    return tmp_path / "teacher.safetensors"


def test_latents_become_images_by_the_two_files(run: Run, student: Path, tmp_path: Path):
    out, mapping = tmp_path / "net.tflite", tmp_path / "mapping.tflite"
    done = run("mobilestylegan", "export", student, "--out", out, "--mapping-out", mapping, "--json")
    assert done.status == 0, done.err
    answer = json.loads(done.answer)
    assert answer["files"] == [str(out), str(mapping)]
    assert answer["bytes"] == out.stat().st_size
    assert answer["mapping"]["bytes"] == mapping.stat().st_size
    assert answer["params"] == sum(
        one.numel() for one in build_student().inference_form().synthesis.parameters()
    )
    z = torch.randn(1, 8)
    w = Interpreter(str(mapping)).get_signature_runner()(z=z.numpy())["w"]
    image = Interpreter(str(out)).get_signature_runner()(w=w)["image"]
    expected = build_student()(z).permute(0, 2, 3, 1)
    torch.testing.assert_close(torch.from_numpy(image), expected, atol=1e-4, rtol=1e-4)
    facts = read_metadata(out)
    assert facts is not None
    assert (facts["network"], facts["input"], facts["range"]) == ("mobilestylegan", "w", [-1, 1])
    assert facts["checkpoint_sha256"] == checkpoint.sha256(student)
    described = read_metadata(mapping)
    assert described is not None
    assert torch.allclose(torch.tensor(described["w_mean"]), build_student().w_mean)
    assert run("info", out).status == 0


def test_teacher_and_student_stand_beside_each_other(run: Run, student: Path, teacher: Path, tmp_path: Path):
    out = tmp_path / "net.tflite"
    command = ["mobilestylegan", "export", student, "--out", out, "--teacher", teacher, "--rounds", 1]
    done = run(*command, "--channels", "8,8,4", "--json")
    assert done.status == 0, done.err
    beside = json.loads(done.answer)["beside_teacher"]
    assert beside["teacher"]["params"] > beside["student"]["params"]
    assert beside["student"]["bytes"] == out.stat().st_size
    assert beside["teacher"]["macs_transposed_at_output"] > beside["teacher"]["macs"]
    ratio = beside["teacher"]["latency_ms"] / beside["student"]["latency_ms"]
    assert beside["times_as_fast"] == pytest.approx(ratio, abs=1e-3)
    text = run(*command)
    assert "times as fast in LiteRT with 1 thread" in text.out
    assert "transposed convolutions at their output's resolution" in text.out


def test_onnx_in_half_precision_with_w_plus(run: Run, student: Path, tmp_path: Path):
    out = tmp_path / "net.onnx"
    command = ["mobilestylegan", "export", student, "--out", out, "--w-plus"]
    done = run(*command, "--precision", "fp16", "--noise", "zero", "--json")
    assert done.status == 0, done.err
    facts = read_metadata(out)
    assert facts is not None
    assert [facts[name] for name in ("input", "precision", "noise")] == ["w_plus", "fp16", "zero"]


def save_untrained(folder: Path) -> Path:
    path = folder / "untrained.safetensors"
    checkpoint.save(path, build_student().to_checkpoint("student"))
    return path


def save_other_teacher(folder: Path) -> Path:
    path = folder / "other.safetensors"
    checkpoint.save(path, build_teacher((16, 16, 8)).to_checkpoint("teacher", TRAINED))
    return path


def test_an_untrained_student_is_refused(run: Run, tmp_path: Path):
    out = tmp_path / "net.tflite"
    done = run("mobilestylegan", "export", save_untrained(tmp_path), "--out", out)
    assert "names no training" in done.message
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--noise", "random"], "noise 'random'"),
        (["--precision", "int8"], "precision 'int8'"),
        (["--channels", "16,64,8"], "no slice"),
        (["--channels", "16;16;8"], "give one number for each resolution"),
        (["--format", "onnx"], "net.tflite with format onnx: .tflite is the ending of tflite files"),
    ],
)
def test_bad_options(run: Run, student: Path, tmp_path: Path, options: list[str], words: str):
    out = tmp_path / "net.tflite"
    done = run("mobilestylegan", "export", student, "--out", out, *options)
    assert words in done.message
    assert not out.exists()


def test_both_files_have_one_format(run: Run, student: Path, tmp_path: Path):
    files = ["--out", tmp_path / "net.onnx", "--mapping-out", tmp_path / "net-mapping.tflite"]
    done = run("mobilestylegan", "export", student, *files)
    assert "net-mapping.tflite with format onnx: .tflite is the ending of tflite files" in done.message
    assert list(tmp_path.glob("net*")) == []


def test_a_file_for_onnx_runtime_is_not_measured_in_litert(run: Run, student: Path, tmp_path: Path):
    done = run("mobilestylegan", "export", student, "--out", tmp_path / "net.onnx", "--teacher", student)
    assert "--teacher with format onnx" in done.message
    assert list(tmp_path.glob("net*")) == []


def test_slices_that_were_not_trained_are_refused(run: Run, tmp_path: Path):
    path = tmp_path / "distilled.safetensors"
    checkpoint.save(path, build_student().to_checkpoint("student", TRAINED))
    done = run("mobilestylegan", "export", path, "--out", tmp_path / "net.tflite", "--channels", "8,8,4")
    assert "a student has no trained slices; leave the widths out" in done.message


def test_a_teacher_of_another_size_is_refused(run: Run, student: Path, tmp_path: Path):
    out = tmp_path / "net.tflite"
    other = save_other_teacher(tmp_path)
    done = run("mobilestylegan", "export", student, "--out", out, "--teacher", other)
    assert "its size is 16, the student's is 32" in done.message
    done = run("mobilestylegan", "export", student, "--out", out, "--teacher", student)
    assert "give a stylegan2 and a mobilestylegan" in done.message
    done = run("mobilestylegan", "export", student, "--out", student)
    assert done.status == 2
    assert not out.exists()


def test_a_teacher_is_exported_too(run: Run, teacher: Path, tmp_path: Path):
    done = run("mobilestylegan", "export", teacher, "--out", tmp_path / "teacher.tflite", "--quiet")
    assert done.out.strip() == str(tmp_path / "teacher.tflite")
    facts = read_metadata(tmp_path / "teacher.tflite")
    assert facts is not None
    assert facts["network"] == "stylegan2"
