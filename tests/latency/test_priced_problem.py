"""The common part of every system's search problem, on a toy with three choices."""

import itertools
import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pytest

from mfagan.errors import InputError
from mfagan.graph.costs import Costs, sum_block_costs, sum_costs
from mfagan.graph.operators import Block
from mfagan.graph.recorder import OperatorRecorder
from mfagan.latency.priced_problem import LATENCY, MEMORY, Measured, PricedProblem, Target
from mfagan.latency.tables import TableMachine
from search.errors import SearchError
from search.latency import BlockLatency, LatencyTable
from search.problem import Choice, Known, Objective
from search.testing import ProblemContract

WIDTHS = (4, 6, 8)
SIZE = (5, 7)
Candidate = tuple[int, ...]
EVERY: list[Candidate] = list(itertools.product(WIDTHS, repeat=3))


def list_blocks(widths: Candidate) -> list[Block]:
    recorder = OperatorRecorder()
    x = recorder.value(3, *SIZE)
    for before, width in itertools.pairwise((3, *widths)):
        x = recorder.conv(x, f"from {before}", width, 3)
        recorder.close_block(f"conv/{before}/{width}")
    return recorder.blocks


class Toy(PricedProblem[Candidate]):
    """Three convolutions in a row; their quality is the logarithm of their widths' product."""

    choices = dict.fromkeys(("first", "second", "third"), WIDTHS)
    objectives: Sequence[Objective] = (Objective("quality", "maximize"), LATENCY)
    noun = "toys"

    def __init__(self, target: Target, memory: bool = False) -> None:
        super().__init__(target)
        if memory:
            self.objectives = (*type(self).objectives, MEMORY)
        self.batches: list[int] = []
        self.check_target()

    def as_candidate(self, choice: Choice) -> Candidate:
        return tuple(int(choice[name]) for name in self.choices)

    def blocks(self, candidate: Candidate) -> list[Block]:
        return list_blocks(candidate)

    def all_blocks(self) -> Iterable[str]:
        keys = (block.key for widths in EVERY for block in list_blocks(widths))
        return sorted(set(keys))

    def measure(self, candidates: Sequence[Candidate], known: Sequence[Known]) -> list[Measured]:
        assert len(candidates) == len(known)
        self.batches.append(len(candidates))
        return [Measured({"quality": math.log(math.prod(one))}, {"widest": max(one)}) for one in candidates]


def make_table(leave_out: str = "") -> LatencyTable:
    pairs = [(before, after) for before in (3, *WIDTHS) for after in WIDTHS]
    entries = {
        f"conv/{before}/{after}": BlockLatency(latency_ms=before * after / 10, spread_ms=0, repeats=1)
        for before, after in pairs
    }
    entries.pop(leave_out, None)
    return LatencyTable(
        unit="ms",
        runtime="invented",
        runtime_version="0",
        device="none",
        threads=1,
        input_size=SIZE,
        measured_at=datetime(2026, 1, 1, tzinfo=UTC),
        command="tests",
        entries=entries,
    )


def build(ceilings: dict[str, float] | None = None, **settings: bool) -> Toy:
    return Toy(Target(make_table(), SIZE, "toy build", ceilings or {}), **settings)


class TestToy(ProblemContract):
    @pytest.fixture
    def problem(self) -> Toy:
        return build({"params": 1000, "latency_ms": 12.0}, memory=True)


CHOICE: Choice = {"first": 4, "second": 8, "third": 6}


def test_an_evaluation_is_measured_and_priced_by_the_blocks():
    problem = build()
    (found,) = problem.evaluate([CHOICE])
    assert found.values == (math.log(4 * 8 * 6), pytest.approx((3 * 4 + 4 * 8 + 8 * 6) / 10))
    by_hand = {"params": 3 * 4 * 9 + 4 + 4 * 8 * 9 + 8 + 8 * 6 * 9 + 6, "macs": 9 * 92 * 35}
    assert found.attributes == {
        **by_hand,
        "flops": by_hand["macs"] + 35 * 18,
        "memory_bytes": 4 * 35 * (3 + 18),
        "lut_sha256": problem.table.sha256,
        "lut_machine": TableMachine("none", "invented").to_text(),
        "widest": 8,
    }
    (known,) = problem.foresee([CHOICE])
    assert known.values == {LATENCY.name: found.values[1]}
    assert {**known.attributes, "widest": 8} == found.attributes


def test_a_batch_is_measured_at_once():
    problem = build()
    problem.evaluate([CHOICE, {**CHOICE, "first": 6}, {**CHOICE, "first": 8}])
    assert problem.batches == [3]


def test_memory_is_an_objective_if_the_problem_has_it():
    (found,) = build(memory=True).evaluate([CHOICE])
    assert found.values[2] == found.attributes["memory_bytes"] / 1e9  # type: ignore[operator]


def test_costs_are_those_of_all_operators():
    problem = build()
    known: dict[str, Costs] = {}
    for candidate in EVERY:
        blocks = list_blocks(candidate)
        expected = sum_costs(operator for block in blocks for operator in block.operators)
        assert problem.costs(candidate) == expected
        assert sum_block_costs(blocks, known) == sum_block_costs(blocks) == expected
    assert sorted(known) == list(problem.all_blocks())


@pytest.mark.parametrize(
    ("name", "unit"),
    [("latency_ms", "ms"), ("params", "parameters"), ("flops", "FLOPs"), ("memory_bytes", "bytes")],
)
def test_every_figure_can_have_a_ceiling_down_to_the_least(name: str, unit: str):
    free = build()
    figures = [{"latency_ms": free.price(one), **free.costs(one).as_dict()}[name] for one in EVERY]
    least, middle = min(figures), sorted(figures)[len(figures) // 2]
    problem = build({name: middle})
    every: list[Choice] = [dict(zip(Toy.choices, one, strict=True)) for one in EVERY]
    for figure, found in zip(figures, problem.evaluate(every), strict=True):
        assert found.constraints == {f"max_{name}": figure - middle}
        assert found.feasible == (figure <= middle)
    assert build({name: least}).ceilings == {name: least}
    with pytest.raises(
        InputError, match=f"max_{name} is .*, but the least of all toys is .* {unit}; raise it"
    ):
        build({name: 0.999 * least})


@pytest.mark.parametrize(
    ("ceilings", "message"),
    [
        (
            {"beauty": 1.0},
            "ceiling on 'beauty': give one of latency_ms, params, flops, memory_bytes, rejected_operators",
        ),
        ({"rejected_operators": 0}, "a ceiling on rejected operators: name the delegate that rejects them"),
        ({"flops": math.nan}, "max_flops is nan: give a number, or leave it out"),
        ({"params": -math.inf}, "max_params is -inf: give a number, or leave it out"),
    ],
)
def test_ceilings_that_are_refused(ceilings: dict[str, float], message: str):
    with pytest.raises(InputError) as caught:
        build(ceilings)
    assert str(caught.value) == message


def test_a_table_without_a_key_names_it_and_the_remedy():
    with pytest.raises(SearchError, match=r"lacks 'conv/8/6' .*; build it with: toy build"):
        Toy(Target(make_table(leave_out="conv/8/6"), SIZE, "toy build"))


def test_the_identity_is_the_table_the_size_and_the_ceilings():
    assert build().identity() == {"lut_sha256": make_table().sha256, "target_size": "5x7", "ceilings": "none"}
    exact = build({"params": 1234567.5, "flops": 2e6}).identity()
    assert exact["ceilings"] == "flops 2e+06, params 1234567.5"
    json.dumps(exact)


def list_padded(widths: Candidate) -> list[Block]:
    """A convolution, and for each width above 4 a pad that the GPU delegate rejects, cut off again."""
    recorder = OperatorRecorder()
    x = recorder.value(3, *SIZE)
    for before, width in itertools.pairwise((3, *widths)):
        x = recorder.conv(x, f"from {before}", width, 3)
        if width > 4:
            x = recorder.pad(x, (1, 1, 1, 1), "symmetric")
        recorder.close_block(f"conv/{before}/{width}")
    return recorder.blocks


class Padded(Toy):
    def blocks(self, candidate: Candidate) -> list[Block]:
        return list_padded(candidate)


def test_what_a_delegate_rejects_is_known_in_advance_and_can_have_a_ceiling():
    problem = Padded(Target(make_table(), SIZE, "toy build", {"rejected_operators": 1}, "gpu"))
    clean, one, two = problem.foresee(
        [{"first": 4, "second": second, "third": third} for second, third in [(4, 4), (4, 8), (8, 6)]]
    )
    assert [known.attributes["delegate_clean"] for known in (clean, one, two)] == [True, False, False]
    assert [known.attributes["rejected_operators"] for known in (clean, one, two)] == [0, 1, 2]
    assert [known.constraints["max_rejected_operators"] for known in (clean, one, two)] == [-1, 0, 1]
    assert problem.identity()["delegate"] == "gpu"
    assert "delegate_clean" not in build().foresee([CHOICE])[0].attributes
    with pytest.raises(InputError, match="delegate 'tpu': give one of gpu, nnapi, nnapi-int8, xnnpack"):
        Target(make_table(), SIZE, "toy build", {}, "tpu")


def test_a_ceiling_on_rejected_operators_that_none_meets():
    class Rejected(Padded):
        def blocks(self, candidate: Candidate) -> list[Block]:
            return [*list_padded((8, *candidate[1:]))]

    with pytest.raises(
        InputError, match="max_rejected_operators is 0, but the least of all toys is 1 operators; raise it"
    ):
        Rejected(Target(make_table(), SIZE, "toy build", {"rejected_operators": 0}, "gpu"))
