"""Exported files against PyTorch, through the interpreters that users run."""

import copy

import numpy as np
import onnxruntime
import pytest
import torch
from ai_edge_litert.interpreter import Interpreter
from torch import Tensor

from mfagan.deploy.named.exported import require_trained
from mfagan.errors import InputError
from mfagan.mobilestylegan import export as door
from mfagan.mobilestylegan.export import export_generator, export_mapping
from mfagan.mobilestylegan.exporting.target import FrozenNoise, GeneratorTarget, StyleInput
from mfagan.mobilestylegan.network import Generator, Student, forward_slice
from tests.mobilestylegan.exporting.small import build_student, build_teacher

EXPECTED = {
    *(
        "FULLY_CONNECTED",
        "MUL",
        "ADD",
        "SUB",
        "SQUARE",
        "RSQRT",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "LEAKY_RELU",
    ),
    *("SPLIT", "CONCATENATION", "DEPTH_TO_SPACE", "STRIDED_SLICE"),
}
"""The operators of a student's file in the style form."""


def styles_of(network: Generator, rows: int = 1) -> Tensor:
    """(1, features), or W+ with another style in each row."""
    z = torch.randn(rows, network.style_dim, generator=torch.Generator().manual_seed(5))
    w = network.styles(z)
    return w if rows == 1 else w[None]


def run_tflite(content: bytes, **inputs: Tensor) -> Tensor:
    runner = Interpreter(model_content=content).get_signature_runner()
    (found,) = runner(**{name: x.numpy() for name, x in inputs.items()}).values()
    return torch.from_numpy(found)


def run_onnx(content: bytes, **inputs: Tensor) -> Tensor:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {name: x.numpy() for name, x in inputs.items()})
    return torch.from_numpy(np.asarray(found))


def as_file(image: Tensor) -> Tensor:
    return image.permute(0, 2, 3, 1)


@pytest.mark.parametrize("noise", ["const", "zero"])
@pytest.mark.parametrize("demodulation", ["style", "fixed"])
def test_a_students_file_makes_pytorchs_image(demodulation: str, noise: FrozenNoise):
    student = build_student(demodulation=demodulation)
    made = export_generator(student, GeneratorTarget(noise=noise))
    w = styles_of(student)
    expected = student.synthesis(w, noise)
    torch.testing.assert_close(run_tflite(made.content, w=w), as_file(expected), atol=1e-4, rtol=1e-4)
    assert made.max_abs_difference < 1e-4
    other = student.synthesis(w, "zero" if noise == "const" else "const")
    assert (other - expected).abs().max() > 0.01  # the noise is in the file


@pytest.mark.parametrize("rows", ["ours", "authors"])
def test_w_plus_gives_each_layer_its_row(rows: str):
    student = build_student(rows=rows)
    made = export_generator(student, GeneratorTarget(styles="w_plus"))
    count = student.synthesis.allowed_rows[0]
    w = styles_of(student, count)
    expected = as_file(student.synthesis(w))
    torch.testing.assert_close(run_tflite(made.content, w_plus=w), expected, atol=1e-4, rtol=1e-4)


def test_a_students_file_has_no_transpose_and_one_last_depth_to_space():
    student = build_student()
    for styles in ("w", "w_plus"):
        target = GeneratorTarget(styles=styles, noise="zero")
        counts = export_generator(student, target).inspection.operators
        assert set(counts) <= EXPECTED
        # Two blocks enlarge, each by a transform of four quarters; the head's matrix is in its weights.
        assert (counts["SPLIT"], counts["SUB"], counts["CONCATENATION"]) == (2, 8, 2)
        assert counts["DEPTH_TO_SPACE"] == 3
        assert counts["CONV_2D"] == 1 + 4 + 1
        assert counts["DEPTHWISE_CONV_2D"] == 4


def test_in_the_fixed_form_convolutions_take_demodulation_and_bias_in():
    student = build_student(demodulation="fixed")
    target = GeneratorTarget()
    counts = export_generator(student, target).inspection.operators
    assert set(counts) <= EXPECTED - {"RSQRT", "SQUARE"}
    assert counts["FULLY_CONNECTED"] == 1 + 2 * 3 + 1
    assert counts["ADD"] == 2 * 4  # of the two transforms
    assert counts["SUB"] == 2 * 4 + 5  # and a map of noise for each styled convolution


def test_noise_takes_one_map_a_layer_and_no_constant_of_all_channels():
    student = build_student()
    sizes = [len(export_generator(student, GeneratorTarget(noise=one)).content) for one in ("const", "zero")]
    maps = 4 * sum(side**2 for side in student.synthesis.noise_sides)
    operators = 5 * 400
    assert maps < sizes[0] - sizes[1] < maps + operators


def test_the_teacher_and_the_mapping_network():
    teacher = build_teacher()
    made = export_generator(teacher, GeneratorTarget())
    w = styles_of(teacher)
    torch.testing.assert_close(
        run_tflite(made.content, w=w), as_file(teacher.synthesis(w)), atol=1e-4, rtol=1e-4
    )
    assert "TRANSPOSE" not in made.inspection.operators
    assert made.params == sum(p.numel() for p in teacher.synthesis.parameters())
    assert made.costs["output"].macs > made.costs["input"].macs
    z = torch.randn(1, 8)
    mapping = export_mapping(teacher, GeneratorTarget())
    torch.testing.assert_close(run_tflite(mapping.content, z=z), teacher.mapping(z), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("styles", ["w", "w_plus"])
def test_onnx(styles: StyleInput, precision: str):
    for network in (build_student(), build_teacher()):
        made = export_generator(network, GeneratorTarget("onnx", precision, styles=styles))
        w = styles_of(network, 1 if styles == "w" else 8)
        expected = as_file(network.synthesis(w))
        tolerance = 1e-4 if precision == "fp32" else 0.05
        found = run_onnx(made.content, **{styles: w})
        torch.testing.assert_close(found, expected, atol=tolerance, rtol=tolerance)
    z = torch.randn(1, 8)
    mapping = export_mapping(network, GeneratorTarget("onnx", precision))
    torch.testing.assert_close(run_onnx(mapping.content, z=z), network.mapping(z), atol=1e-2, rtol=1e-2)


def test_half_precision_takes_half_the_file():
    student = build_student()
    full, half = (export_generator(student, GeneratorTarget("onnx", one)) for one in ("fp32", "fp16"))
    assert len(half.content) < 0.8 * len(full.content)  # the names and the noise maps stay
    assert half.psnr_to_pytorch_db > 50


def test_a_slice_is_exported_as_a_network_of_its_own():
    student = build_student()
    channels = (8, 16, 4)
    small = student.extract(channels)
    made = export_generator(small, GeneratorTarget())
    w = styles_of(student)
    expected = as_file(forward_slice(student.synthesis, channels, w))
    torch.testing.assert_close(run_tflite(made.content, w=w), expected, atol=1e-4, rtol=1e-4)
    assert len(made.content) < len(export_generator(student, GeneratorTarget()).content)
    with pytest.raises(InputError, match="no slice"):
        student.extract((8, 16, 64))


def test_a_student_whose_image_is_one_colour_is_refused():
    student = build_student()
    head = student.synthesis.heads["16"]
    head.get_parameter("weight").zero_()
    head.get_parameter("bias").zero_()
    with pytest.raises(InputError, match=r"all their numbers equal.*train"):
        export_generator(student, GeneratorTarget())


def test_a_student_that_does_not_read_its_styles_is_refused():
    student = build_student()
    for name, one in student.synthesis.named_parameters():
        if name.endswith("affine.weight"):
            one.zero_()
    with pytest.raises(InputError, match="no difference between two latents"):
        export_generator(student, GeneratorTarget())


def test_numbers_that_are_not_finite_are_refused():
    student = build_student()
    student.synthesis.constant[0, 0, 0, 0] = torch.nan
    with pytest.raises(InputError, match="not finite"):
        export_generator(student, GeneratorTarget())


def test_a_file_that_computes_something_else_is_refused(monkeypatch: pytest.MonkeyPatch):
    def damage(network, target):
        operators, weights = lower(network, target)
        return operators, weights | {"first.affine.bias": weights["first.affine.bias"] * 1.1}

    lower = door.lower
    monkeypatch.setattr(door, "lower", damage)
    with pytest.raises(InputError, match=r"differs from PyTorch's by up to .* nothing is exported"):
        export_generator(build_student(), GeneratorTarget())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"format": "coreml"}, "format 'coreml'.*tflite or onnx"),
        ({"precision": "int8"}, "precision 'int8'.*fp32 or fp16"),
        ({"noise": "random"}, "noise 'random'.*const or zero"),
        ({"styles": "z"}, "input 'z'.*w or w_plus"),
    ],
)
def test_unknown_targets(values: dict, words: str):
    with pytest.raises(InputError, match=words):
        GeneratorTarget(**values)


def test_the_network_that_is_exported_is_not_changed():
    student = build_student()
    before = copy.deepcopy(student.state_dict())
    export_generator(student, GeneratorTarget(precision="fp16"))
    after = student.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(one, after[name]) for name, one in before.items())
    assert isinstance(student.synthesis, Student)
    assert len(student.synthesis.heads) == 3


def test_a_record_must_tell_of_a_training(tmp_path):
    train = "mfagan mobilestylegan train"
    require_trained({"stage": "student"}, tmp_path, train)
    require_trained({"imported_from": {"file": "x.ckpt"}}, tmp_path, train)
    for record in ({}, {"stage": ""}, {"seed": 0}):
        with pytest.raises(InputError, match="names no training"):
            require_trained(record, tmp_path, train)
