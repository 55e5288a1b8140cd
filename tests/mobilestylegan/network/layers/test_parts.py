"""The published figures of StyleGAN2 and MobileStyleGAN come out of the operator lists, which traces confirm."""

import pytest
import torch
from torch import Tensor, nn

from mfagan.graph.costs import sum_costs
from mfagan.graph.operators import Block, Operator, TransposedAt
from mfagan.graph.trace import trace_operators
from mfagan.mobilestylegan.network import Mapping, Student, Synthesis, macs_by_part, standard_channels
from mfagan.mobilestylegan.network.layers.haar import InverseHaar

SIZES = (1024, 512, 256, 32)


class EveryImage(nn.Module):
    """The training form with the images of all heads."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student
        self.haar = InverseHaar()

    def forward(self, w: Tensor) -> None:
        w, maps = self.student.prepare(w)
        x = self.student.begin(w, maps)
        self.haar(self.student.bands(x, 0, w))
        for i in range(len(self.student.body)):
            x = self.student.advance(x, i, w, maps)
            self.haar(self.student.bands(x, i + 1, w))


def build(size: int, **options) -> tuple[Synthesis, Student]:
    channels = standard_channels(size)
    with torch.device("meta"):
        return Synthesis(channels), Student(channels[:-1], **options)


def every(blocks: list[Block]) -> list[Operator]:
    return [operator for block in blocks for operator in block.operators]


def signatures(operators: list[Operator]) -> list[tuple[object, ...]]:
    return [operator.signature for operator in operators if operator.kind != "reshape"]


def trace(network: nn.Module, rows: int, features: int = 512) -> list[Operator]:
    return trace_operators(network, inputs=[(1, rows, features)])


@pytest.mark.parametrize("size", SIZES)
def test_the_teachers_list_is_what_runs(size: int):
    teacher, _ = build(size)
    listed = every(teacher.blocks())
    traced = trace(teacher, teacher.n_rows)
    assert signatures(listed) == signatures(traced)
    assert (
        sum_costs(listed).params == sum_costs(traced).params == sum(p.numel() for p in teacher.parameters())
    )


@pytest.mark.parametrize(("size", "demodulation"), [*((size, "style") for size in SIZES), (32, "fixed")])
def test_the_students_lists_are_what_runs(size: int, demodulation: str):
    teacher, student = build(size, demodulation=demodulation)
    listed = every(student.blocks())
    assert signatures(listed) == signatures(trace(student, teacher.n_rows))
    listed = every(student.blocks(heads="all"))
    traced = trace(EveryImage(student), teacher.n_rows)
    assert signatures(listed) == signatures(traced)
    assert sum_costs(listed).params == sum(p.numel() for p in student.parameters())


@pytest.mark.parametrize("n_layers", [8, 2])
def test_the_mapping_networks_list_is_what_runs(n_layers: int):
    mapping = Mapping(512, n_layers)
    assert signatures(every(mapping.blocks())) == signatures(trace_operators(mapping, inputs=[(1, 512)]))


def test_without_noise_no_map_is_added_and_no_strength_is_read():
    teacher, student = build(32)
    for network in (teacher, student):
        assert len(every(network.blocks())) - len(every(network.blocks("zero"))) == len(network.noise_sides)


@pytest.mark.parametrize(
    ("size", "teacher_params", "training_params", "inference_params", "teacher_g", "student_g"),
    [
        (1024, 28_268_812, 8_852_079, 7_306_395, 74.260, 7.281),
        (512, 28_175_335, 8_696_417, 7_217_945, 59.664, 5.343),
        (256, 27_933_090, 8_372_819, 7_028_759, 45.118, 3.569),
    ],
)
def test_parameters_and_macs(
    size: int,
    teacher_params: int,
    training_params: int,
    inference_params: int,
    teacher_g: float,
    student_g: float,
):
    teacher, student = build(size)
    assert sum_costs(every(teacher.blocks())).params == teacher_params
    assert sum_costs(every(student.blocks(heads="all"))).params == training_params
    assert sum_costs(every(student.blocks())).params == inference_params
    assert round(convolutions(every(teacher.blocks())) / 1e9, 3) == teacher_g
    assert round(convolutions(every(student.blocks())) / 1e9, 3) == student_g


def convolutions(operators: list[Operator], transposed_at: TransposedAt = "input") -> int:
    others = ("FIR filters", "inverse wavelets", "style affines", "demodulation", "mapping")
    found = macs_by_part(operators, transposed_at)
    return sum(macs for part, macs in found.items() if part not in others)


def in_billions(operators: list[Operator], transposed_at: TransposedAt = "input") -> dict[str, float]:
    return {part: round(macs / 1e9, 3) for part, macs in macs_by_part(operators, transposed_at).items()}


def test_the_teachers_parts_at_1024_px_in_both_conventions():
    operators = every(build(1024)[0].blocks())
    affines_and_demodulation = {"style affines": 0.005, "demodulation": 0.003}
    assert in_billions(operators) == {
        "convolutions": 74.063,
        "convolutions to RGB": 0.197,
        "FIR filters": 1.068,
        **affines_and_demodulation,
    }
    assert in_billions(operators, "output") == {
        "convolutions": 141.671,
        "convolutions to RGB": 0.197,
        "FIR filters": 1.118,
        **affines_and_demodulation,
    }
    assert round(convolutions(operators, "output") / 1e9, 3) == 141.868
    printed = macs_by_part(operators, "output")
    assert round(printed["style affines"] / 1e6, 2) == 4.65
    # The paper prints 143.15 for this sum.
    total = convolutions(operators, "output") + printed["FIR filters"] + printed["style affines"]
    assert round(total / 1e9, 2) == 142.99


def test_the_students_parts_at_1024_px():
    _, student = build(1024)
    inference, training = every(student.blocks()), every(student.blocks(heads="all"))
    assert in_billions(inference) == {
        "dense convolution": 0.038,
        "depthwise convolutions": 0.428,
        "pointwise convolutions": 6.614,
        "heads": 0.201,
        "inverse wavelets": 0.074,
        "style affines": 0.003,
        "demodulation": 0.002,
    }
    assert inference == every(student.inference_form().blocks())
    found = macs_by_part(training)
    assert round(convolutions(training) / 1e9, 3) == 7.466
    assert round(found["style affines"] / 1e6, 2) == 4.96
    assert round(found["demodulation"] / 1e6, 2) == 1.70
    # The paper prints 15.09 for twice this sum.
    wavelets = macs_by_part(inference)["inverse wavelets"]
    total = convolutions(training) + wavelets + found["style affines"]
    assert round(2 * total / 1e9, 4) == 15.0895


def test_the_reductions_that_the_article_claims():
    """It says 71 % fewer parameters and 90 % fewer MACs."""
    teacher, student = build(1024)
    params = sum_costs(every(teacher.blocks())).params
    training = 1 - sum_costs(every(student.blocks(heads="all"))).params / params
    deployed = 1 - sum_costs(every(student.blocks())).params / params
    macs = 1 - convolutions(every(student.blocks())) / convolutions(every(teacher.blocks()))
    assert (round(training, 3), round(deployed, 3), round(macs, 3)) == (0.687, 0.742, 0.902)


def test_the_mapping_network_at_512():
    mapping = Mapping()
    costs = sum_costs(every(mapping.blocks()))
    assert costs.params == sum(p.numel() for p in mapping.parameters()) == 2_101_248
    assert macs_by_part(every(mapping.blocks())) == {"mapping": 8 * 512 * 512}


def test_the_fixed_form_has_buffers_instead_of_demodulation():
    _, student = build(1024, demodulation="fixed")
    assert sum(one.numel() for name, one in student.named_buffers() if name.endswith("fixed_style")) == 3744
    assert "demodulation" not in macs_by_part(every(student.blocks()))


def test_tiny_networks():
    student = Student((16, 16, 8), 8)
    teacher = Synthesis((16, 16, 8, 8), 8)
    params = sum_costs(every(student.blocks(heads="all"))).params
    assert params == 4_929
    assert params - sum_costs(every(student.blocks())).params == 696
    assert convolutions(every(student.blocks())) == 145_664
    assert sum_costs(every(teacher.blocks())).params == 11_515
    assert sum_costs(every(Mapping(8, 2).blocks())).params == 144
    demo_student, demo_teacher = Student((64, 64, 64), 32), Synthesis((64, 64, 64, 32), 32)
    assert sum(p.numel() for p in demo_student.parameters()) == 70_185
    assert sum(p.numel() for p in demo_teacher.parameters()) == 235_187


def test_the_keys_of_latency_tables():
    _, student = build(1024)
    assert [block.key for block in student.blocks()] == [
        "first c=512 4px",
        "block in=512 out=512 8px",
        "block in=512 out=512 16px",
        "block in=512 out=512 32px",
        "block in=512 out=512 64px",
        "block in=512 out=256 128px",
        "block in=256 out=128 256px",
        "block in=128 out=64 512px",
        "head in=64 512px",
    ]
