"""The published figures of CycleGAN, pix2pix, StyleGAN2 and MobileStyleGAN come out of a trace exactly."""

import pytest
import torch
from torch import nn

from mfagan.graph.costs import sum_costs, trace_costs
from mfagan.graph.operators import Operator
from mfagan.graph.trace import trace_operators
from tests.graph.image_translation import patchgan, resnet, unet
from tests.graph.stylegan2 import Mapping, Student, Synthesis

GENERATORS = {
    "CycleGAN's ResNet-9": (lambda: resnet(9), 256, 11_378_179, 49.552, 56.799),
    "CycleGAN's ResNet-6": (lambda: resnet(6), 256, 7_837_699, 35.056, 42.304),
    "pix2pix's U-Net-256, batch norm": (lambda: unet(8, "batch"), 256, 54_413_955, 6.048, 18.140),
    "pix2pix's U-Net-256, instance norm": (lambda: unet(8, "instance"), 256, 54_409_603, 6.048, 18.140),
    "pix2pix's U-Net-128": (lambda: unet(7, "batch"), 128, 41_828_995, 1.506, 4.513),
}


@pytest.mark.parametrize("name", GENERATORS)
def test_image_translation_generators(name: str):
    build, side, params, input_g, output_g = GENERATORS[name]
    with torch.device("meta"):
        network = build().eval()
    real = trace_costs(network, side, side)
    printed = trace_costs(network, side, side, transposed_at="output")
    assert real.params == params == printed.params
    assert (round(real.macs_g, 3), round(printed.macs_g, 3)) == (input_g, output_g)


@pytest.mark.parametrize(
    ("channels", "norm", "params"), [(3, "instance", 2_764_737), (6, "batch", 2_768_705)]
)
def test_patchgan_of_70_px(channels: int, norm: str, params: int):
    with torch.device("meta"):
        network = patchgan(channels, norm).eval()
    operators = trace_operators(network, inputs=[(1, channels, 256, 256)])
    assert sum_costs(operators).params == params
    assert operators[-1].output.shape == (1, 30, 30)


def macs(operators: list[Operator], select: str, transposed_at: str = "input") -> int:
    """MACs of one part: blurs are fixed filters on each channel; affines have a bias, demodulations have none."""
    parts = {
        "convolutions": lambda one: one.kind.startswith("conv") and one.groups == 1,
        "blurs": lambda one: one.kind == "conv" and one.groups > 1,
        "depthwise": lambda one: one.kind == "conv" and one.groups > 1,
        "affines": lambda one: one.kind == "linear" and one.bias,
        "demodulations": lambda one: one.kind == "linear" and not one.bias,
    }
    assert transposed_at in ("input", "output")
    return sum(one.macs_at(transposed_at) for one in operators if parts[select](one))


@pytest.mark.parametrize("form", ["activations", "weights"])
@pytest.mark.parametrize(
    ("side", "rows", "params", "convolutions_g"),
    [(1024, 18, 28_268_812, 74.260), (512, 16, 28_175_335, 59.664), (256, 14, 27_933_090, 45.118)],
)
def test_stylegan2_synthesis(side: int, rows: int, params: int, convolutions_g: float, form: str):
    with torch.device("meta"):
        network = Synthesis(side, form=form)
    operators = trace_operators(network, inputs=[(1, rows, 512)])
    assert sum_costs(operators).params == params
    assert round(macs(operators, "convolutions") / 1e9, 3) == convolutions_g


def test_stylegan2_synthesis_in_parts():
    with torch.device("meta"):
        network = Synthesis(1024)
    operators = trace_operators(network, inputs=[(1, 18, 512)])
    assert round(macs(operators, "convolutions", "output") / 1e9, 3) == 141.868
    assert round(macs(operators, "blurs") / 1e9, 3) == 1.118
    assert round(macs(operators, "affines") / 1e6, 2) == 4.65
    # The paper of MobileStyleGAN prints 143.15 G for this sum.
    parts = ("convolutions", "blurs", "affines")
    assert round(sum(macs(operators, part, "output") for part in parts) / 1e9, 2) == 142.99


def test_stylegan2_mapping():
    with torch.device("meta"):
        found = trace_costs(Mapping(), inputs=[(1, 512)])
    assert found.params == 2_101_248
    assert found.macs == 8 * 512 * 512


class _AllHeads(nn.Module):
    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student

    def forward(self, w: torch.Tensor) -> list[torch.Tensor]:
        return self.student(w, all_heads=True)


@pytest.mark.parametrize(
    ("side", "params", "convolutions_g"),
    [(1024, 8_852_079, 7.281), (512, 8_696_417, 5.343), (256, 8_372_819, 3.569)],
)
def test_mobilestylegan_student(side: int, params: int, convolutions_g: float):
    with torch.device("meta"):
        student = Student(side)
    rows = [(1, 18, 512)]
    training = sum_costs(trace_operators(_AllHeads(student), inputs=rows))
    assert training.params == params
    operators = trace_operators(student, inputs=rows)
    convolutions = macs(operators, "convolutions") + macs(operators, "depthwise")
    assert round(convolutions / 1e9, 3) == convolutions_g


def test_mobilestylegan_student_in_parts():
    with torch.device("meta"):
        student = Student(1024)
    rows = [(1, 18, 512)]
    operators, training = (trace_operators(one, inputs=rows) for one in (student, _AllHeads(student)))
    # Heads that only training uses are not read, so they are not counted.
    assert sum_costs(operators).params == 7_306_395
    assert round(macs(operators, "depthwise") / 1e9, 3) == 0.428
    assert round(macs(operators, "demodulations") / 1e6, 2) == 1.70
    assert round((macs(training, "convolutions") + macs(training, "depthwise")) / 1e9, 3) == 7.466
    assert round(macs(training, "affines") / 1e6, 2) == 4.96
