"""Static rules of delegates: against what LiteRT's XNNPACK really takes, and on graphs drawn by hand."""

import pytest
import torch

from mfagan.deploy.inspection import Inspection, inspect_operators
from mfagan.deploy.tflite import converter, litert
from mfagan.deploy.tflite.delegates import DELEGATES, check, count_rejected
from mfagan.deploy.tflite.lite_operators import list_lite_operators
from mfagan.errors import InputError
from mfagan.graph.operators import Operator
from mfagan.graph.passes import DEFAULT_PASSES, rewrite, rewrite_operators
from mfagan.graph.recorder import OperatorRecorder
from mfagan.sr.lowering import lower
from mfagan.sr.network.mfanet import MFANet, blocks
from mfagan.sr.network.peers.distillation import IMDN
from mfagan.sr.network.widths import Widths

SIZE = 12, 10
WIDTHS = Widths.parse("48,24,24,24,32,48,48,24")


def export(network: torch.nn.Module, passes: tuple[str, ...]) -> tuple[list[Operator], Inspection]:
    """The operators of a network after passes, and what LiteRT says of its file."""
    operators, weights = lower(network.eval(), *SIZE)
    rewritten = rewrite_operators(operators, passes)
    content = converter.convert_network(rewritten.operators, rewritten.make_weights(weights), "fp32", "float")
    return rewritten.operators, inspect_operators(litert.Session(content).list_operators())


@pytest.mark.parametrize(
    ("scale", "residual", "passes"),
    [(4, "bicubic", DEFAULT_PASSES), (4, "bicubic", ()), (2, "none", ("statistics",))],
)
def test_our_networks_fall_into_the_parts_that_xnnpack_really_takes(scale, residual, passes):
    operators, found = export(MFANet(WIDTHS, scale, residual), passes)
    listed = [one.name for one in list_lite_operators(operators)]
    assert {name: listed.count(name) for name in listed} == found.operators
    checked = check(operators, "xnnpack")
    assert checked.delegated_parts == found.partitions
    assert checked.operators == sum(found.operators.values())
    assert checked.clean == (found.partitions == 1)


def test_slices_are_taken_too():
    operators, found = export(IMDN(4, 2, 16), ())
    assert "SLICE" in found.operators
    assert check(operators, "xnnpack").delegated_parts == found.partitions == 1


def test_blocks_reject_what_the_whole_network_does():
    for delegate in DELEGATES:
        for passes in ((), DEFAULT_PASSES):
            rewritten = rewrite(blocks(WIDTHS, *SIZE, 4, "bicubic"), passes)
            whole = check(rewritten.operators, delegate)
            assert sum(count_rejected(rewritten.blocks, delegate)) == sum(whole.rejected.values()), delegate


def test_what_the_delegates_reject_of_our_network():
    operators, _ = lower(MFANet(WIDTHS, 4, "bicubic").eval(), *SIZE)
    plain = {name: check(operators, name) for name in DELEGATES}
    assert plain["gpu"].rejected == {"MIRROR_PAD: only mode reflect is taken": 2}
    assert (plain["gpu"].delegated_parts, plain["gpu"].cpu_parts) == (2, 1)
    assert sum(plain["nnapi"].rejected.values()) == 2
    assert any(reason.startswith("SQRT") for reason in plain["nnapi-int8"].rejected)
    rewritten = check(rewrite_operators(operators, ("statistics",)).operators, "nnapi")
    assert any(reason.startswith("SQUARE:") for reason in rewritten.rejected)
    free, _ = lower(MFANet(WIDTHS, 4, "none").eval(), *SIZE)
    assert check(free, "gpu").clean


def chain(*kinds: str) -> list[Operator]:
    """Operators one after the other."""
    recorder = OperatorRecorder()
    x = recorder.value(4, *SIZE)
    for kind in kinds:
        x = recorder.conv(x, kind, 4, 3) if kind == "conv" else recorder.pad(x, (1, 1, 1, 1), kind)
    recorder.close_block("all")
    return list(recorder.blocks[0].operators)


@pytest.mark.parametrize(
    ("kinds", "parts"),
    [
        (("conv",), (1, 0)),
        (("symmetric",), (0, 1)),
        (("symmetric", "conv"), (1, 1)),
        (("conv", "symmetric", "conv", "conv", "symmetric", "conv"), (3, 2)),
        (("conv", "reflect", "zero", "conv"), (1, 0)),
    ],
)
def test_a_rejected_operator_cuts_the_graph(kinds: tuple[str, ...], parts: tuple[int, int]):
    found = check(chain(*kinds), "gpu")
    assert (found.delegated_parts, found.cpu_parts) == parts
    assert found.clean == (parts[1] == 0)
    assert sum(found.rejected.values()) == kinds.count("symmetric")


def test_an_unknown_delegate():
    with pytest.raises(InputError, match="delegate 'hexagon': give one of gpu, nnapi, nnapi-int8, xnnpack"):
        check(chain("conv"), "hexagon")


def test_every_rule_names_its_source():
    for delegate in DELEGATES.values():
        assert delegate.source.startswith("https://github.com/google-ai-edge/LiteRT/blob/")
        assert set(delegate.limits) <= delegate.taken
        assert not set(delegate.missing) & delegate.taken
