"""Slices that are raced have the figures of slices that are not, to the last bit."""

import random
from pathlib import Path

import numpy as np
import pytest

from mfagan.data.splits import read_pairs
from mfagan.latency.priced_problem import Target
from mfagan.sr.network.widths import random_choice
from mfagan.sr.study.problem import Scoring, SubGeneratorProblem
from search.errors import SearchError
from search.latency import LatencyTable
from search.problem import Evaluation, Point
from search.racing.batch import Dropped, check_raced, race_batch
from search.racing.settings import Race


@pytest.fixture(scope="module")
def problem(trained: Path, table: Path) -> SubGeneratorProblem:
    pairs = read_pairs(trained / "photos", max_images=2, crop_px=48)
    pairs = pairs * 3
    target = Target(LatencyTable.read(table), (128, 128), "mfagan lut build", {})
    return SubGeneratorProblem(trained / "supergenerator.safetensors", pairs, target)


def test_those_that_are_left_have_the_same_bits(problem: SubGeneratorProblem):
    rng = random.Random(3)
    batch = [random_choice(rng).as_choice() for _ in range(24)]
    batch = list({tuple(choice.values()): choice for choice in batch}.values())
    whole = problem.evaluate(batch)
    history = [
        Point(i, batch[i], one.values, scores={name: tuple(column) for name, column in one.scores.items()})
        for i, one in enumerate(whole[:8])
    ]
    race, order = Race(0.5, first_look=3), np.random.default_rng(0)
    results = race_batch(problem, batch, problem.foresee(batch), history, race, order)
    kept = [(one, other) for one, other in zip(results, whole, strict=True) if isinstance(one, Evaluation)]
    assert 8 <= len(kept) < len(batch)
    for one, other in kept:
        assert one == other
    for result, one in zip(results, whole, strict=True):
        if isinstance(result, Dropped):
            seen = tuple(one.scores["psnr_db"][case] for case in result.cases)
            assert result.scores["psnr_db"] == seen
            assert result.values[1] == one.values[1]


def test_bf16_cannot_be_raced(problem: SubGeneratorProblem, trained: Path, table: Path, monkeypatch):
    monkeypatch.setattr("mfagan.sr.study.problem.computes_bf16", lambda device: True)
    target = Target(LatencyTable.read(table), (128, 128), "mfagan lut build", {})
    bf16 = SubGeneratorProblem(
        trained / "supergenerator.safetensors", problem.pairs, target, Scoring(precision="bf16")
    )
    with pytest.raises(SearchError, match="cannot be raced"):
        check_raced(bf16, Race(first_look=3))
    check_raced(problem, Race(first_look=3))
