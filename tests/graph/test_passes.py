import pytest
import torch
from torch import Tensor

from mfagan.deploy.tflite import converter, litert
from mfagan.errors import InputError
from mfagan.graph.operators import Activation, Operator
from mfagan.graph.passes import DEFAULT_PASSES, PASSES, read_passes, rewrite, rewrite_operators
from mfagan.graph.recorder import OperatorRecorder
from mfagan.graph.weights import weight_shapes
from mfagan.sr.network import mfanet
from mfagan.sr.network.layers import Residual
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import Widths

HEIGHT, WIDTH = 7, 5
WIDTHS = Widths.parse("10,4,18,6,33,8,9,6")


def count(operators: list[Operator], kind: str, inputs: int | None = None) -> int:
    return sum(op.kind == kind and inputs in (None, len(op.inputs)) for op in operators)


def list_mfanet(residual: Residual = "bicubic") -> list[Operator]:
    return mfanet.operators(WIDTHS, HEIGHT, WIDTH, residual=residual)


@pytest.mark.parametrize(
    "passes", [*PASSES, "statistics,shuffle", "statistics,parts", ",".join(PASSES), "none"]
)
@pytest.mark.parametrize("residual", ["none", "bicubic"])
def test_a_rewritten_network_computes_the_same(passes: str, residual: Residual):
    torch.manual_seed(0)
    network = MFANet(WIDTHS, residual=residual).eval()
    torch.nn.init.normal_(network.fusion.reconstruct.weight, std=0.05)
    torch.nn.init.normal_(network.get_parameter("fusion.reconstruct.bias"))
    found = rewrite_operators(list_mfanet(residual), read_passes(passes))
    weights = found.make_weights(dict(network.state_dict()) | dict(network.named_buffers()))
    model = converter.convert(found.operators, weights)
    assert litert.max_abs_difference(model, network, torch.rand(3, HEIGHT, WIDTH)) < 1e-5


def test_one_pass_reads_the_activations_for_both_statistics():
    before, after = list_mfanet(), rewrite_operators(list_mfanet(), ["statistics"]).operators
    n_gates = count(before, "sqrt")
    assert n_gates == 9
    assert count(before, "subtract") == n_gates
    pictures = [op for op in after if op.output.height > 1]
    assert not count(pictures, "subtract")
    assert count(pictures, "square") == n_gates


def test_no_concatenation_of_activations_is_left():
    after = rewrite_operators(list_mfanet(), DEFAULT_PASSES).operators
    assert not [op for op in after if op.kind == "concat" and op.output.height > 1]
    assert max(len(op.inputs) for op in after if op.kind == "concat") <= 4


def test_one_pixel_shuffle_is_left():
    assert count(list_mfanet(), "pixel_shuffle") == 2
    assert count(rewrite_operators(list_mfanet(), ["shuffle"]).operators, "pixel_shuffle") == 1


@pytest.mark.parametrize(("name", "widths"), [("tiles16", {2, 16, 1, 32}), ("tiles32", {1, 32})])
def test_convolutions_are_cut_at_whole_tiles(name: str, widths: set[int]):
    """The widest blocks have 18 and 33 channels."""
    after = rewrite_operators(list_mfanet(), [name]).operators
    assert {op.output.channels for op in after if op.weights.endswith("]")} == widths
    assert rewrite_operators(mfanet.operators(Widths.uniform(32), 8, 8), [name]).made == {}


def test_parts_of_weights_are_the_whole():
    before = list_mfanet()
    after = rewrite_operators(before, PASSES).operators
    assert sum(op.macs for op in after) == sum(op.macs for op in before)
    assert sum(op.parameters for op in after) == sum(op.parameters for op in before)


def test_the_output_of_a_pass_keeps_its_name():
    before = list_mfanet()
    for name in PASSES:
        assert rewrite_operators(before, [name]).operators[-1].output == before[-1].output


def test_no_name_is_made_twice():
    made = [op.output.name for op in rewrite_operators(list_mfanet(), PASSES).operators]
    assert len(set(made)) == len(made)


def test_blocks_keep_their_keys_but_where_they_are_joined_otherwise():
    before = mfanet.blocks(WIDTHS, HEIGHT, WIDTH, residual="bicubic")
    after = rewrite(before, PASSES).blocks
    changed = {old.key: new.key for old, new in zip(before, after, strict=True) if old.key != new.key}
    assert changed == {key: f"{key}/joined" for key in ("fusion/t10/f6/x4", "bicubic/x4")}
    assert [block.key for block in rewrite(before, ["statistics", "parts"]).blocks] == [b.key for b in before]


def read_by(*readers: str) -> list[Operator]:
    """A concatenation of two, and what reads it."""
    recorder = OperatorRecorder()
    x = recorder.value(4, HEIGHT, WIDTH)
    joined = recorder.concat(recorder.elementwise("relu", x), x)
    found: list[Activation] = []
    for i, reader in enumerate(readers):
        match reader:
            case "conv 1x1":
                found.append(recorder.conv(joined, f"c{i}", 6, 1, bias=i == 0))
            case "conv 3x3":
                found.append(recorder.conv(joined, f"c{i}", 6, 3))
            case "own gate":  # not what a convolution makes, so it cannot be cut
                gate = recorder.elementwise("sigmoid", recorder.mean(joined))
                found.append(recorder.conv(recorder.elementwise("multiply", joined, gate), f"c{i}", 6, 1))
    recorder.elementwise("add", *found) if len(found) > 1 else None
    recorder.close_block("")
    return list(recorder.blocks[0].operators)


@pytest.mark.parametrize(
    ("readers", "n_concats"),
    [
        (("conv 1x1",), 0),
        (("conv 1x1", "conv 1x1"), 0),
        (("conv 3x3",), 1),
        (("conv 1x1", "conv 3x3"), 1),
        (("own gate",), 1),
    ],
)
def test_a_concatenation_goes_where_all_that_reads_it_takes_parts(readers: tuple[str, ...], n_concats: int):
    before = read_by(*readers)
    found = rewrite_operators(before, ["parts"])
    assert count(found.operators, "concat") == n_concats
    shapes = (item for op in before for item in weight_shapes(op).items())
    weights: dict[str, Tensor] = {name: torch.randn(shape) for name, shape in shapes}
    x = torch.randn(4, HEIGHT, WIDTH)
    expected = litert.run(converter.convert(before, weights), [x])
    actual = litert.run(converter.convert(found.operators, found.make_weights(weights)), [x])
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)


def test_an_output_that_is_a_concatenation_stays():
    recorder = OperatorRecorder()
    x = recorder.value(4, HEIGHT, WIDTH)
    recorder.concat(recorder.elementwise("relu", x), x)
    recorder.close_block("")
    assert rewrite_operators(recorder.blocks[0].operators, PASSES).operators == list(
        recorder.blocks[0].operators
    )


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("none", ()),
        ("tiles16, shuffle,statistics", ("statistics", "shuffle", "tiles16")),
        ("parts", ("parts",)),
    ],
)
def test_passes_are_read_in_their_order(text: str, passes: tuple[str, ...]):
    assert read_passes(text) == passes


@pytest.mark.parametrize("text", ["", "parts,quick", "Parts"])
def test_an_unknown_pass_is_refused(text: str):
    with pytest.raises(
        InputError,
        match="give some of statistics,parts,shuffle,wavelets,borders,squares,tiles16,tiles32, or none",
    ):
        read_passes(text)
