import dataclasses
import json
import math
import random
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from mfagan import checkpoint
from mfagan.data.splits import Pair, read_pairs
from mfagan.errors import InputError
from mfagan.evaluation.scores import mean_psnr_db
from mfagan.graph.costs import sum_costs
from mfagan.latency.priced_problem import Target
from mfagan.sr.network.mfanet import blocks, operators
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import NAMES, Widths, every_choice, random_choice
from mfagan.sr.study import problem as problem_module
from mfagan.sr.study.block_lists import every_block
from mfagan.sr.study.findings import as_finding, as_picked
from mfagan.sr.study.picked import read_picked
from mfagan.sr.study.problem import Scoring, SubGeneratorProblem
from search import pareto
from search.checking.problems import check_problem
from search.errors import SearchError
from search.latency import LatencyTable
from search.problem import Evaluation, Point
from search.testing import ProblemContract
from tests import tiny

GOALS = SubGeneratorProblem.objectives
MIXED = Widths.parse("48,24,24,24,32,48,48,24")


@pytest.fixture(scope="module")
def pairs(trained: Path) -> list[Pair]:
    return read_pairs(trained / "photos", max_images=2, crop_px=48)


def build(
    trained: Path,
    table: Path,
    pairs: list[Pair],
    ceilings: Mapping[str, float] | None = None,
    checkpoint: str = "supergenerator",
    **scoring,
) -> SubGeneratorProblem:
    target = Target(LatencyTable.read(table), (128, 128), "mfagan lut build", ceilings or {})
    return SubGeneratorProblem(trained / f"{checkpoint}.safetensors", pairs, target, Scoring(**scoring))


class TestSubGenerators(ProblemContract):
    @pytest.fixture
    def problem(self, trained, table, pairs) -> SubGeneratorProblem:
        return build(trained, table, pairs)


def test_there_are_24_blocks_and_the_residual():
    kinds = [key.partition("/")[0] for key in every_block((16, 16))]
    counts = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    assert counts == {"bicubic": 1, "cfab": 9, "fusion": 9, "head": 3, "tail": 3}
    assert len(every_block((16, 16), residual="none")) == 24


def test_a_table_of_rewritten_blocks_prices_them(trained, pairs, tmp_path):
    size, passes = (128, 128), ["statistics", "parts", "shuffle"]
    blocks = every_block(size, passes=passes)
    joined = {key for key in blocks if key.endswith("/joined")}
    assert {key.partition("/")[0] for key in joined} == {"fusion", "bicubic"}
    entries = {key: {"latency_ms": 2.0 + (key in joined), "spread_ms": 0.0, "repeats": 1} for key in blocks}
    path = tiny.write_table(tmp_path / "rewritten.json", size, entries=entries, passes=passes)
    plain = build(trained, tiny.write_table(tmp_path / "plain.json", size), pairs)
    problem = build(trained, path, pairs)
    n_blocks = len(problem.blocks(MIXED))
    assert problem.price(MIXED) == 2.0 * n_blocks + 2
    assert problem.costs(MIXED) == plain.costs(MIXED)  # what the papers count
    assert problem.identity()["lut_sha256"] != plain.identity()["lut_sha256"]
    unknown = tiny.write_table(tmp_path / "later.json", size, passes=["later"])
    with pytest.raises(InputError, match="pass 'later': give some of statistics,parts,shuffle"):
        build(trained, unknown, pairs)


def test_it_is_a_problem_of_eight_choices(trained, table, pairs):
    problem = build(trained, table, pairs)
    check_problem(problem)
    assert list(problem.choices) == list(NAMES)
    assert [(o.name, o.direction, o.unit) for o in problem.objectives] == [
        ("psnr_db", "maximize", "dB"),
        ("latency_ms", "minimize", "ms"),
    ]


def test_values_are_the_slices_psnr_and_the_tables_sum(trained, table, pairs):
    problem = build(trained, table, pairs)
    small, large = problem.evaluate([MIXED.as_choice(), Widths.uniform(48).as_choice()])
    path = trained / "supergenerator.safetensors"
    network = SuperGenerator.from_checkpoint(checkpoint.read(path), path)
    assert small.values[0] == pytest.approx(mean_psnr_db(network.extract(MIXED), pairs), abs=1e-6)
    assert large.values[0] == pytest.approx(mean_psnr_db(network, pairs), abs=1e-6)
    entries = json.loads(table.read_text())["entries"]
    keys = ["head/t48", "tail/t48", "tail/t48", "tail/t48", "fusion/t48/f24/x4", "bicubic/x4"]
    keys += [f"cfab/t48/w{w}" for w in MIXED.cfabs]
    assert small.values[1] == pytest.approx(sum(entries[key]["latency_ms"] for key in keys))


def test_every_evaluation_carries_costs_and_hashes(trained, table, pairs):
    (result,) = build(trained, table, pairs).evaluate([MIXED.as_choice()])
    costs = sum_costs(operators(MIXED, 128, 128, residual="bicubic"))
    attributes = dict(result.attributes)
    assert {name: attributes[name] for name in ("params", "flops", "memory_bytes", "macs")} == costs.as_dict()
    assert attributes["lut_sha256"] == LatencyTable.read(table).sha256
    assert attributes["supernet_sha256"] == checkpoint.sha256(trained / "supergenerator.safetensors")


def test_a_ceiling_is_a_constraint_and_an_impossible_one_is_refused(trained, table, pairs):
    free = build(trained, table, pairs)
    cheap, expensive = free.price(Widths.uniform(24)), free.price(Widths.uniform(48))
    problem = build(trained, table, pairs, ceilings={"latency_ms": (cheap + expensive) / 2})
    feasible = [e.feasible for e in problem.evaluate([Widths.uniform(w).as_choice() for w in (24, 48)])]
    assert feasible == [True, False]
    with pytest.raises(InputError, match=f"least of all SubGenerators is {cheap:.6g} ms"):
        build(trained, table, pairs, ceilings={"latency_ms": cheap / 2})


@pytest.mark.parametrize("ceiling", [math.nan, math.inf])
def test_a_ceiling_that_is_no_number_is_refused(trained, table, pairs, ceiling):
    with pytest.raises(InputError, match=f"max_flops is {ceiling}: give a number"):
        build(trained, table, pairs, ceilings={"flops": ceiling})


def test_what_studies_record_keeps_its_names(trained, table, pairs):
    """A study of an earlier version continues only if identity and attributes are the same."""
    problem = build(trained, table, pairs, ceilings={"params": 1e6})
    assert problem.identity().keys() == {
        *("supernet_sha256", "lut_sha256", "images_sha256", "target_size", "ceilings", "precision")
    }
    assert problem.identity()["target_size"] == "128x128"
    assert problem.identity()["ceilings"] == "params 1e+06"
    (found,) = problem.evaluate([MIXED.as_choice()])
    assert list(found.attributes) == [
        *(
            "params",
            "macs",
            "flops",
            "memory_bytes",
            "lut_sha256",
            "lut_machine",
            "supernet",
            "supernet_sha256",
            "precision",
        )
    ]
    assert list(found.constraints) == ["max_params"]


def test_ceilings_that_differ_in_late_digits_are_different_problems(trained, table, pairs):
    texts = [
        build(trained, table, pairs, ceilings={"flops": flops}).identity()["ceilings"]
        for flops in (5e9, 7068092000.0, 7068092300.0)
    ]
    assert texts == ["flops 5e+09", "flops 7068092000.0", "flops 7068092300.0"]


def test_a_table_without_a_key_is_refused_before_any_trial(trained, table, pairs, tmp_path):
    content = json.loads(table.read_text())
    del content["entries"]["cfab/t32/w24"]
    (tmp_path / "lacking.json").write_text(json.dumps(content))
    with pytest.raises(SearchError, match=r"lacks 'cfab/t32/w24'.*mfagan lut build"):
        build(trained, tmp_path / "lacking.json", pairs)


def test_checkpoints_that_are_no_supergenerator_are_refused(trained, table, pairs):
    for name, message in (
        ("student", "its role is 'student'"),
        ("discriminator", "its network is 'patchgan'"),
    ):
        with pytest.raises(InputError, match=message):
            build(trained, table, pairs, checkpoint=name)


def test_widths_outside_the_set_are_refused(trained, table, pairs):
    with pytest.raises(InputError, match="fusion is 40"):
        build(trained, table, pairs).evaluate([Widths.uniform(48).as_choice() | {"fusion": 40}])


def test_identity_tells_images_weights_table_and_precision(trained, table, pairs, monkeypatch):
    one = build(trained, table, pairs).identity()
    brighter = [Pair.from_tensors(pair.name, pair.lr, pair.hr + 0.1) for pair in pairs]
    other = build(trained, table, brighter).identity()
    assert {name for name in one if one[name] != other[name]} == {"images_sha256"}
    assert build(trained, table, pairs).identity() == one
    monkeypatch.setattr(problem_module, "computes_bf16", lambda device: True)
    mixed = build(trained, table, pairs, precision="bf16").identity()
    assert {name for name in one if one[name] != mixed[name]} == {"precision"}


def evaluate_both(trained, table, pairs, monkeypatch, choices: list[Widths], **settings):
    """The evaluations in fp32 and those with bf16, which this machine computes however slowly."""
    monkeypatch.setattr(problem_module, "computes_bf16", lambda device: True)
    batch = [widths.as_choice() for widths in choices]
    exact = build(trained, table, pairs, **settings).evaluate(batch)
    return exact, build(trained, table, pairs, precision="bf16", **settings).evaluate(batch)


def test_bf16_leaves_the_front_of_a_batch_as_fp32_has_it(trained, table, pairs, monkeypatch):
    choices = random.Random(0).sample(list(every_choice()), 300)
    exact, mixed = evaluate_both(trained, table, pairs, monkeypatch, choices)
    assert {str(one.attributes["precision"]) for one in exact} == {"fp32"}
    assert {str(one.attributes["precision"]) for one in mixed} == {"fp32", "bf16"}
    for one, other in zip(exact, mixed, strict=True):
        assert other.values[1] == one.values[1]
        assert other.values[0] == one.values[0] or other.attributes["precision"] == "bf16"
        assert other.values[0] == pytest.approx(one.values[0], abs=0.05)
    fronts = [
        pareto.front(
            [as_point(one, w, i) for i, (one, w) in enumerate(zip(found, choices, strict=True))], GOALS
        )
        for found in (exact, mixed)
    ]
    assert [(p.number, p.values) for p in fronts[0]] == [(p.number, p.values) for p in fronts[1]]
    assert len(fronts[0]) > 1


def test_bf16_scores_nothing_again_that_is_over_the_ceiling(trained, table, pairs, monkeypatch):
    free = build(trained, table, pairs)
    ceiling = (free.price(Widths.uniform(24)) + free.price(Widths.uniform(48))) / 2
    choices = random.Random(1).sample(list(every_choice()), 40)
    _, mixed = evaluate_both(trained, table, pairs, monkeypatch, choices, ceilings={"latency_ms": ceiling})
    assert {str(one.attributes["precision"]) for one in mixed if not one.feasible} == {"bf16"}
    assert "fp32" in {str(one.attributes["precision"]) for one in mixed if one.feasible}


def test_bf16_needs_a_device_that_has_it(trained, table, pairs, monkeypatch):
    monkeypatch.setattr(problem_module, "computes_bf16", lambda device: False)
    with pytest.raises(InputError, match="cpu does not multiply bfloat16 natively; use fp32"):
        build(trained, table, pairs, precision="bf16")
    with pytest.raises(InputError, match="precision 'fp16': give one of fp32, bf16"):
        build(trained, table, pairs, precision="fp16")


def test_prices_and_costs_are_those_of_the_choices_own_blocks(trained, table, pairs):
    problem = build(trained, table, pairs)
    rng = random.Random(2)
    for widths in [random_choice(rng) for _ in range(20)]:
        listed = blocks(widths, 128, 128, residual="bicubic")
        assert problem.price(widths) == LatencyTable.read(table).price(block.key for block in listed)
        assert problem.costs(widths) == sum_costs(operator for b in listed for operator in b.operators)


def as_point(evaluation: Evaluation, widths: Widths, number: int = 7) -> Point:
    return Point(number, widths.as_choice(), evaluation.values, evaluation.attributes, evaluation.feasible)


def test_a_pick_is_written_and_read_back(trained, table, pairs, tmp_path):
    (result,) = build(trained, table, pairs).evaluate([MIXED.as_choice()])
    point = as_point(result, MIXED)
    picked = as_picked("a study", point)
    picked.save(tmp_path / "picked.json")
    assert read_picked(tmp_path / "picked.json") == picked
    assert picked.as_widths() == MIXED
    assert as_finding(point).widths == list(MIXED)
    network, found = picked.load_supernet()
    assert found.role == "supergenerator"
    assert torch.equal(network.head.weight, build(trained, table, pairs).network.head.weight)


def test_a_changed_supernet_is_noticed(trained, table, pairs, tmp_path):
    (result,) = build(trained, table, pairs).evaluate([MIXED.as_choice()])
    picked = as_picked("a study", as_point(result, MIXED))
    path = trained / "supergenerator.safetensors"
    found = checkpoint.read(path)
    checkpoint.save(
        tmp_path / "other.safetensors", dataclasses.replace(found, record={"note": "not the same file"})
    )
    with pytest.raises(InputError, match="give the original with --supernet"):
        picked.load_supernet(tmp_path / "other.safetensors")


def test_points_of_another_search_cannot_be_picked():
    with pytest.raises(InputError, match="not SubGenerators"):
        as_picked("toy", Point(0, {"a": 1}, (1.0, 2.0)))


@pytest.mark.parametrize("content", ["", "[]", '{"study": "x"}'])
def test_files_that_are_no_pick(tmp_path, content: str):
    (tmp_path / "picked.json").write_text(content)
    with pytest.raises(InputError, match="write one with `mfagan pick`"):
        read_picked(tmp_path / "picked.json")
