import pytest
import torch

from mfagan.data.embedded import EMBEDDED
from mfagan.data.images import resize_bicubic
from mfagan.data.splits import read_pairs
from mfagan.graph.costs import Costs, sum_costs
from mfagan.graph.trace import trace_operators
from mfagan.sr.network.layers import Residual
from mfagan.sr.network.mfanet import MFANet, blocks, operators
from mfagan.sr.network.widths import Widths

MIXED = "48,24,24,24,32,48,48,24"


@pytest.mark.parametrize(
    ("widths", "expected"),
    [
        ("64", Costs(1_560_012, 23_633_966_592, 23_719_690_332, 878_973_808)),
        ("48", Costs(884_037, 13_384_349_280, 13_448_838_693, 660_852_372)),
        (MIXED, Costs(551_456, 8_376_324_320, 8_426_002_128, 515_087_872)),
        ("32", Costs(398_718, 6_028_815_744, 6_072_070_830, 442_730_936)),
        ("24", Costs(227_481, 3_436_330_320, 3_468_968_241, 333_670_212)),
    ],
)
def test_checked_figures_of_the_spec(widths: str, expected: Costs):
    assert sum_costs(operators(Widths.parse(widths), 128, 128)) == expected


@pytest.mark.parametrize("widths", ["48", MIXED, "7,3,5,2,11,4,6,9"])
@pytest.mark.parametrize("residual", ["none", "bicubic"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_list_is_what_the_real_network_runs(widths: str, residual: Residual, scale: int):
    network = MFANet(Widths.parse(widths), scale, residual)
    traced = [operator.signature for operator in trace_operators(network, 9, 12)]
    listed = [operator.signature for operator in operators(network.widths, 9, 12, scale, residual)]
    assert listed == traced


@pytest.mark.parametrize("widths", ["48", MIXED, "7,3,5,2,11,4,6,9"])
@pytest.mark.parametrize("residual", ["none", "bicubic"])
def test_listed_parameters_are_the_networks(widths: str, residual: Residual):
    network = MFANet(Widths.parse(widths), residual=residual)
    listed = sum_costs(operators(network.widths, 8, 8, residual=residual)).params
    assert listed == sum(parameter.numel() for parameter in network.parameters())


def test_every_listed_convolution_names_its_weights():
    network = MFANet(Widths.parse(MIXED), residual="bicubic")
    weights = dict(network.named_parameters()) | dict(network.named_buffers())
    for operator in operators(network.widths, 8, 8, residual="bicubic"):
        if operator.kind == "conv":
            name = f"{operator.weights}.weight" if operator.bias else operator.weights
            rows, columns = operator.output.channels, operator.inputs[0].channels // operator.groups
            assert operator.window is not None
            assert weights[name].shape == (rows, columns, *operator.window.kernel)


def test_block_keys_tell_kind_and_widths():
    keys = [block.key for block in blocks(Widths.parse(MIXED), 8, 8, residual="bicubic")]
    cfabs = [f"cfab/t48/w{w}" for w in (24, 24, 24, 32, 48, 48)]
    expected = ["head/t48"]
    for i in range(3):
        expected += [*cfabs[2 * i : 2 * i + 2], "tail/t48"]
    assert keys == [*expected, "fusion/t48/f24/x4", "bicubic/x4"]


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_output_size(scale: int):
    network = MFANet(Widths.uniform(8), scale)
    assert network(torch.rand(2, 3, 5, 7)).shape == (2, 3, 5 * scale, 7 * scale)


def test_taps_are_the_outputs_of_the_three_mfams():
    network = MFANet(Widths.uniform(8))
    seen = []
    for mfam in network.mfams:
        mfam.get_submodule("tail").register_forward_hook(lambda module, inputs, output: seen.append(output))
    x = torch.rand(1, 3, 6, 6)
    image, taps = network.forward_with_taps(x)
    assert len(taps) == 3
    assert all(torch.equal(a, b) for a, b in zip(taps, seen, strict=True))
    assert torch.equal(image, network(x))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_untrained_with_the_residual_is_bicubic(scale: int):
    network = MFANet(Widths.uniform(8), scale, residual="bicubic").double()
    x = torch.rand(1, 3, 9, 11, dtype=torch.float64)
    torch.testing.assert_close(network(x)[0], resize_bicubic(x[0], scale), atol=1e-6, rtol=0)


def test_untrained_with_the_residual_its_activations_follow_details():
    """Not brightness, which would cross the kink of the LeakyReLU almost nowhere; and all blocks keep their scale."""
    network = MFANet(Widths.uniform(32), residual="bicubic")
    lr = next(pair for pair in read_pairs(EMBEDDED) if pair.name == "chelsea").lr[None, :, 20:68, 20:68]
    with torch.no_grad():
        passed = network.begin(lr)
        inside, brighter = (network.begin(y).x[:, :, 1:-1, 1:-1] for y in (lr, 0.5 * lr + 0.5))
        torch.testing.assert_close(brighter, 0.5 * inside, rtol=0, atol=1e-5)
        positive = (inside > 0).double().mean((0, 2, 3))
        assert 0.2 < positive.min() < positive.max() < 0.8
        scales = [passed.x.std()]
        for number in range(6):
            passed = network.advance(passed, number)
            scales.append(passed.x.std())
    assert max(scales) < 1.5 * min(scales)


def test_without_the_residual_brightness_reaches_the_output():
    network = MFANet(Widths.uniform(24))
    with torch.no_grad():
        flat = network.begin(torch.full((1, 3, 8, 8), 0.5)).x[:, :, 1:-1, 1:-1]
    assert flat.abs().max() > 0.1


def test_leaky_relu_stands_only_where_the_spec_writes_it():
    kinds = [(op.kind, op.value) for op in operators(Widths.uniform(24), 8, 8) if op.kind == "leaky_relu"]
    assert kinds == [("leaky_relu", 0.05)] * 30


def test_gradient_of_the_attention_is_finite_on_a_flat_image():
    network = MFANet(Widths.uniform(8))
    network(torch.zeros(1, 3, 6, 6)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
