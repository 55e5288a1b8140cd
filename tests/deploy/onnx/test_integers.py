"""ONNX files in 8-bit integers: what ONNX Runtime computes in them, and what stays as it was."""

import copy
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor

from mfagan.deploy.onnx.converter import Session
from mfagan.deploy.onnx.integers import convert_int8, inspect_integers
from mfagan.deploy.target import ExportTarget
from mfagan.evaluation.calibration import fit_calibration, read_calibration
from mfagan.sr.kinds import Generator, load_generator

ANY = ExportTarget("onnx", "int8", None)


@pytest.fixture(scope="module")
def network(trained: Path) -> Generator:
    return load_generator(trained / "student.safetensors").eval()


@pytest.fixture(scope="module")
def photos() -> list[Tensor]:
    return [pair.lr for pair in fit_calibration(read_calibration(None, 4)[:2], (24, 32), 4)]


@pytest.fixture(scope="module")
def content(network: Generator, photos: list[Tensor]) -> bytes:
    return convert_int8(network, ANY, photos)


def test_onnx_runtime_computes_in_integers_what_is_told(content: bytes, tmp_path: Path):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "run.onnx")
    onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    run = [node.op_type for node in onnx.load(tmp_path / "run.onnx").graph.node]
    told = inspect_integers(content)
    for kind, name in [
        ("Conv", "QLinearConv"),
        ("Concat", "QLinearConcat"),
        ("LeakyRelu", "QLinearLeakyRelu"),
    ]:
        assert run.count(name) == told.operators[kind] - told.in_float.get(kind, 0) > 0
    assert run.count("QLinearMul") > 0
    assert "Identity" not in run


def test_the_residual_stays_in_float(network: Generator, photos: list[Tensor]):
    rounded = without_own_part(network)
    x = torch.rand(3, 13, 30)  # between the levels of 8 bits
    with torch.inference_mode():
        expected = rounded(x[None])[0]
    found = Session(convert_int8(rounded, ANY, photos)).enlarge(x)
    assert (found - expected).abs().max() < 1e-5


def without_own_part(network: Generator) -> Generator:
    """A copy of the network that enlarges bicubically."""
    found = copy.deepcopy(network)
    *_, last = (one for one in found.modules() if isinstance(one, torch.nn.Conv2d))
    torch.nn.init.zeros_(last.weight)
    assert last.bias is not None
    torch.nn.init.zeros_(last.bias)
    return found


def test_weights_have_7_bits_and_a_scale_per_channel(content: bytes):
    tensors = {
        one.name: numpy_helper.to_array(one) for one in onnx.load_from_string(content).graph.initializer
    }
    weights = {name: one for name, one in tensors.items() if one.dtype == np.int8 and one.ndim == 4}
    assert len(weights) > 20
    for name, one in weights.items():
        assert np.abs(one).max() <= 64
        assert tensors[name.replace("_quantized", "_scale")].shape == one.shape[:1]
    rounded = {name.removesuffix("_quantized") for name in weights}
    assert not rounded & set(tensors)  # the floats are gone


def test_a_file_of_a_larger_size_is_calibrated_at_that_of_the_photographs(
    network: Generator, photos: list[Tensor], content: bytes
):
    session = Session(convert_int8(network, ExportTarget("onnx", "int8", (40, 36)), photos))
    assert list(session.inputs.values()) == [[1, 40, 36, 3]]
    x = torch.rand(3, 40, 36)
    assert (session.enlarge(x) - Session(content).enlarge(x)).abs().max() < 1e-4
