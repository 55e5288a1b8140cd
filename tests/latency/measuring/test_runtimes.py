from pathlib import Path

import pytest
import torch

from mfagan.deploy.onnx import operators
from mfagan.deploy.tflite import converter, litert
from mfagan.errors import InputError
from mfagan.graph.module import OperatorModule
from mfagan.graph.operators import Activation, Block, Operator, Window
from mfagan.graph.passes import DEFAULT_PASSES, rewrite
from mfagan.graph.recorder import OperatorRecorder
from mfagan.graph.rounding import rewrite_for
from mfagan.graph.weights import random_weights
from mfagan.latency.building import build_table
from mfagan.latency.measuring.block_file import convert_block
from mfagan.latency.measuring.runtimes import find_runtime
from mfagan.sr.network.mfanet import blocks
from mfagan.sr.network.widths import Widths
from search.latency import LatencyTable
from tests.command import Run

SIZE = (12, 16)
NETWORK = blocks(Widths.parse("10,4,5,6,7,8,9,6"), *SIZE)
NETWORK_WITH_RESIDUAL = blocks(Widths.parse("10,4,5,6,7,8,9,6"), *SIZE, residual="bicubic")


def inputs_of(block: Block) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.rand(x.shape, generator=generator) for x in block.inputs]


@pytest.mark.parametrize(
    "block", [NETWORK[0], NETWORK[1], NETWORK[3], *NETWORK[-2:]], ids=lambda block: block.key
)
def test_a_block_computes_the_same_in_every_runtime(block: Block):
    inputs, weights = inputs_of(block), random_weights(block.operators)
    expected = litert.run(convert_block(block), inputs)
    batch = [image[None] for image in inputs]
    torch.testing.assert_close(
        OperatorModule(block.operators, weights)(*batch)[0], expected, atol=1e-4, rtol=1e-4
    )
    session = operators.open_session(operators.convert_operators(block.operators, weights), 1)
    feed = {x.name: image.numpy() for x, image in zip(block.inputs, batch, strict=True)}
    (found,) = session.run(None, feed)
    torch.testing.assert_close(torch.from_numpy(found)[0], expected, atol=1e-4, rtol=1e-4)


def test_a_shuffle_of_what_another_block_makes_is_timed_without_its_reordering():
    """In a network the other block's convolutions give the order that DEPTH_TO_SPACE reads."""
    *_, block = rewrite(NETWORK_WITH_RESIDUAL, DEFAULT_PASSES).blocks
    (shuffle,) = [operator for operator in block.operators if operator.kind == "pixel_shuffle"]
    sums, factor = shuffle.inputs[0], int(shuffle.value)
    (made,) = [x for x in block.inputs if x.channels == sums.channels]
    inputs, model = inputs_of(block), convert_block(block)
    assert "GATHER" not in dict(litert.Session(model).list_operators())
    order = torch.arange(sums.channels).reshape(-1, factor**2).T.flatten()
    reordered = [x[order] if one == made else x for one, x in zip(block.inputs, inputs, strict=True)]
    expected = litert.run(converter.convert(block.operators, random_weights(block.operators)), inputs)
    torch.testing.assert_close(litert.run(model, reordered), expected)


def list_translator_blocks() -> list[Block]:
    """A down-sampling, a residual block, an up-sampling and the tail of a translator of pictures."""
    recorder = OperatorRecorder()
    x = recorder.conv(recorder.value(4, 8, 12), "down", 6, Window.square(3, 2, 1))
    x = recorder.elementwise("relu", recorder.norm("batch_norm", x, "down_norm"))
    recorder.close_block("down")
    y = recorder.conv(recorder.pad(x, (1, 1, 1, 1), "reflect"), "block", 6, Window.square(3))
    x = recorder.elementwise("add", recorder.norm("instance_norm", y, affine=False), x)
    recorder.close_block("block")
    x = recorder.conv_transpose(x, "up", 4, Window.square(3, 2, 1, output_padding=1))
    x = recorder.elementwise("relu", recorder.norm("instance_norm", x, "up_norm"))
    recorder.close_block("up")
    x = recorder.conv(recorder.pad(x, (3, 3, 3, 3), "reflect"), "tail", 3, Window.square(7))
    recorder.elementwise("tanh", x)
    recorder.close_block("tail")
    return recorder.blocks


@pytest.mark.parametrize("passes", [(), ("borders",)], ids=["plain", "borders"])
def test_a_translators_blocks_compute_the_same_in_every_runtime(passes: tuple[str, ...]):
    for block in rewrite_for(list_translator_blocks(), passes, "fp32"):
        test_a_block_computes_the_same_in_every_runtime(block)


@pytest.mark.parametrize(
    ("runtime", "precision"),
    [("litert", "fp32"), ("litert", "fp16"), ("litert", "int8"), ("onnx", "fp32"), ("torch", "fp32")],
)
def test_a_table_of_a_translator(runtime: str, precision: str):
    blocks = rewrite_for(list_translator_blocks(), ("borders",), precision)
    table = build_table(
        {block.key: block for block in blocks},
        runtime=runtime,
        precision=precision,
        threads=1,
        input_size=(8, 12),
        command="x",
        rounds=1,
    )
    assert list(table.entries) == ["down", "block", "up", "tail"]
    assert all(entry.latency_ms > 0 for entry in table.entries.values())


def test_operators_that_a_runtime_does_not_know_are_named():
    x = Activation("x", 3, 4, 4)
    unknown = Operator("fold", (x,), Activation("y", 3, 4, 4))
    with pytest.raises(ValueError, match="operator fold"):
        OperatorModule([unknown], {})(torch.rand(1, 3, 4, 4))
    with pytest.raises(ValueError, match="operator fold"):
        operators.convert_operators([unknown], {})


@pytest.mark.parametrize("name", ["onnx", "torch"])
def test_a_table_is_built_on_the_runtime(name: str):
    some = {block.key: block for block in NETWORK[:2]}
    before = torch.get_num_threads()
    try:
        table = build_table(
            some, runtime=name, threads=1, input_size=SIZE, command="x", rounds=2, load_minutes=0.001
        )
    finally:
        torch.set_num_threads(before)
    assert (table.runtime, table.precision, table.clock, table.statistic) == (name, "fp32", "cpu", "median")
    assert table.runtime_version == find_runtime(name).version()
    assert all(entry.latency_ms > 0 and entry.sustained_ms for entry in table.entries.values())
    assert len(table.calibration_ms) == 3


def test_a_table_that_was_not_measured_under_load_says_nothing_of_it():
    some = {block.key: block for block in NETWORK[:1]}
    table = build_table(some, runtime="torch", threads=1, input_size=SIZE, command="x", rounds=1)
    assert [entry.sustained_ms for entry in table.entries.values()] == [None]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_without_a_device_is_refused():
    with pytest.raises(InputError, match="device 'cuda' cannot be used here"):
        find_runtime("torch-cuda").prepare(NETWORK[0], 1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_captured_graph_is_timed(precision: str):
    timer = find_runtime("torch-cuda", precision).prepare(NETWORK[1], 1)()
    assert timer() > 0


def test_the_command_builds_a_table_of_integers_that_is_audited_as_such(run: Run, tmp_path: Path):
    out = tmp_path / "int8.json"
    build = ["lut", "build", "--precision", "int8", "--threads", 1, "--size", "8x8"]
    done = run(*build, "--rounds", 1, "--out", out)
    assert done.status == 0, done.err
    table = LatencyTable.read(out)
    assert (table.precision, table.passes) == ("int8", ("statistics", "shuffle"))
    assert "--precision int8" in table.command
    audited = run("lut", "audit", out, "--n", 2, "--rounds", 2)
    assert audited.status == 0, audited.err


def test_a_precision_that_a_runtime_lacks_is_refused(run: Run, tmp_path: Path):
    done = run("lut", "build", "--runtime", "onnx", "--precision", "int8", "--out", tmp_path / "x.json")
    assert "precision 'int8': onnx is measured in fp32; choose one of them" in done.message


def test_the_command_builds_a_table_without_passes(run: Run, tmp_path: Path):
    out = tmp_path / "onnx.json"
    done = run(
        "lut", "build", "--runtime", "onnx", "--threads", 1, "--size", "8x8", "--rounds", 1, "--out", out
    )
    assert done.status == 0, done.err
    table = LatencyTable.read(out)
    assert (table.runtime, table.passes, len(table.entries)) == ("onnx", (), 25)
    assert "--passes none" in table.command
