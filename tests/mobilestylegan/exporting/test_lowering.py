"""The lowered operators in PyTorch, in half precision too."""

import pytest
import torch
from torch import Tensor, nn

from mfagan.graph.module import OperatorModule
from mfagan.mobilestylegan.exporting.lowering import lower
from mfagan.mobilestylegan.exporting.target import GeneratorTarget
from mfagan.mobilestylegan.network import Generator
from tests.mobilestylegan.exporting.small import build_student, build_teacher

HALF_MAX = 65504


def run_lowered(network: Generator, w: Tensor, precision: str, dtype: torch.dtype) -> Tensor:
    operators, weights = lower(network.synthesis, GeneratorTarget(precision=precision))
    module = OperatorModule(operators, {name: one.detach().to(dtype) for name, one in weights.items()})
    return module(w.view(1, 1, 1, -1).to(dtype))


@pytest.mark.parametrize("build", [build_student, build_teacher, lambda: build_student(demodulation="fixed")])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_lowered_operators_compute_the_same(build, precision: str):
    network = build().double()
    w = network.styles(torch.randn(1, 8).double())
    found = run_lowered(network, w, precision, torch.float64)
    # The epsilon of the demodulation is not scaled by the style's square.
    tolerance = 1e-9 if precision == "fp32" else 1e-4
    torch.testing.assert_close(found, network.synthesis(w), atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("build", [build_student, build_teacher])
def test_large_styles_overflow_in_half_precision_unless_they_are_scaled(build):
    network = build()
    # As after training on large styles: demodulated layers scale inputs by thousands and bring them back.
    for name, layer in network.synthesis.named_modules():
        demodulated = ".up" not in name and not name.startswith(("heads", "to_rgb"))
        if name.endswith("affine") and demodulated:
            for one in layer.parameters():
                one.mul_(3_000.0)
    w = network.styles(torch.randn(1, 8))
    expected = network.synthesis(w)
    assert expected.abs().max() < HALF_MAX / 100

    def error(precision: str) -> float:
        """RMS difference in parts of the image's deviation; NaN where a number has overflowed."""
        found = run_lowered(network, w, precision, torch.float16).float()
        return ((found - expected).square().mean().sqrt() / expected.std()).item()

    assert not error("fp32") < 0.5  # overflow makes NaN, or a demodulation by 0
    assert error("fp16") < 0.02


def test_a_style_of_zeros_makes_no_nan():
    network = build_student()
    for name, layer in network.synthesis.named_modules():
        if name == "first.affine":
            nn.init.zeros_(layer.get_parameter("weight"))
            nn.init.zeros_(layer.get_parameter("bias"))
    w = network.styles(torch.randn(1, 8))
    found = run_lowered(network, w, "fp16", torch.float32)
    torch.testing.assert_close(found, network.synthesis(w), atol=1e-4, rtol=1e-4)
