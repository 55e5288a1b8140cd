import random
from pathlib import Path

import pytest
import torch

from mfagan.data.pairs import Pair
from mfagan.data.splits import read_pairs
from mfagan.errors import InputError
from mfagan.evaluation.scores import mean_psnr_db
from mfagan.graph.costs import trace_costs
from mfagan.sr.experiments.ranking import Ranking, rank_slices
from mfagan.sr.network.layers import Residual
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import NAMES, OPTIONS, Widths, random_choice
from mfagan.sr.study.scoring.scorer import SliceScorer
from tests import tiny


def build(residual: Residual = "none", scale: int = 4) -> SuperGenerator:
    torch.manual_seed(0)
    network = SuperGenerator(Widths.uniform(48), scale, residual)
    torch.nn.init.normal_(network.fusion.reconstruct.weight, std=0.1)
    return network.eval()


def grey(level: int) -> list[Pair]:
    """One pair of a single grey."""
    lr, hr = (torch.full((3, side, side), level, dtype=torch.uint8).numpy() for side in (4, 16))
    return [Pair("grey", lr, hr)]


def build_adder() -> SuperGenerator:
    """Its slices give an even grey of trunk / 48, whatever their other widths and their input."""
    network = SuperGenerator(Widths.uniform(48))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        assert network.head.bias is not None
        network.head.bias.fill_(1)  # the global skip carries it to the reconstruction
        network.fusion.reconstruct.weight[:, :, 1, 1] = 1 / 48
    return network.eval()


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    """Two pairs of different sizes."""
    folder = tiny.write_photos(tmp_path_factory.mktemp("photos"), n=2, side=48)
    return [read_pairs(folder, 4, crop_px=32)[0], read_pairs(folder, 4)[1]]


@pytest.mark.parametrize("residual", ["none", "bicubic"])
def test_scores_are_those_of_the_extracted_networks(residual: Residual, pairs: list[Pair]):
    """One by one, 300 random choices and the uniform ones."""
    network = build(residual)
    rng = random.Random(1)
    choices = [random_choice(rng) for _ in range(300)] + [Widths.uniform(width) for width in OPTIONS]
    found = SliceScorer(network, pairs).psnr_db(choices)
    expected = [mean_psnr_db(network.extract(widths), pairs) for widths in choices]
    assert found == pytest.approx(expected, rel=0, abs=1e-4)
    assert max(found) - min(found) > 0.01


@pytest.mark.parametrize("scale", [2, 3])
def test_scores_at_other_scales(scale: int, tmp_path: Path):
    pairs = read_pairs(tiny.write_photos(tmp_path, n=1, side=48), scale)
    network = build("bicubic", scale)
    (found,) = SliceScorer(network, pairs).psnr_db([Widths.uniform(32)])
    assert found == pytest.approx(mean_psnr_db(network.extract(Widths.uniform(32)), pairs), abs=1e-4)


def test_the_uniform_widths_come_first_in_their_order(pairs: list[Pair]):
    network = build()
    ranking = rank_slices(network, pairs[:1], n=2)
    assert [one.widths for one in ranking.uniform] == [Widths.uniform(width) for width in OPTIONS]
    for one in (*ranking.uniform, *ranking.drawn):
        costs = trace_costs(network.extract(one.widths), 128, 128)
        assert one.flops == costs.flops
        assert one.psnr_db == pytest.approx(mean_psnr_db(network.extract(one.widths), pairs[:1]), abs=1e-4)


def test_drawn_choices_differ_and_follow_the_seed(pairs: list[Pair]):
    network = build()
    first, again, other = (
        [one.widths for one in rank_slices(network, pairs[:1], n=12, seed=seed).drawn] for seed in (3, 3, 4)
    )
    assert len(set(first)) == 12
    assert first == again
    assert set(first) != set(other)


def rank_where_trunks_decide(level: int) -> Ranking:
    """Three slices, one of each trunk, whose FLOPs rise with it."""
    for seed in range(200):
        ranking = rank_slices(build_adder(), grey(level), n=3, seed=seed)
        trunks = [one.widths.trunk for one in sorted(ranking.drawn, key=lambda one: one.flops)]
        if trunks == sorted(OPTIONS):
            return ranking
    raise AssertionError("no seed draws such slices")


def test_where_psnr_rises_with_the_cost_the_correlation_is_1_and_where_it_falls_minus_1():
    assert rank_where_trunks_decide(255).spearman == pytest.approx(1)
    assert rank_where_trunks_decide(0).spearman == pytest.approx(-1)


def test_ties_get_the_mean_of_their_ranks():
    """Slices of one trunk score alike: Pearson's correlation of mean ranks, computed here by hand."""
    ranking = rank_slices(build_adder(), grey(255), n=30)
    assert len({one.psnr_db for one in ranking.drawn}) == 3
    columns = []
    for figures in ([one.flops for one in ranking.drawn], [one.psnr_db for one in ranking.drawn]):
        below = [sum(other < one for other in figures) for one in figures]
        alike = [sum(other == one for other in figures) for one in figures]
        columns.append([b + (a + 1) / 2 for b, a in zip(below, alike, strict=True)])
    expected = torch.corrcoef(torch.tensor(columns, dtype=torch.float64))[0, 1].item()
    assert 0.5 < expected < 1
    assert ranking.spearman == pytest.approx(expected)


@pytest.mark.filterwarnings("error")
def test_slices_that_score_alike_have_no_correlation(pairs: list[Pair]):
    """An untrained SuperGenerator with the residual is bicubic enlargement at any width."""
    untrained = SuperGenerator(Widths.uniform(48), residual="bicubic").eval()
    assert rank_slices(untrained, pairs[:1], n=4).spearman is None
    assert rank_slices(build(), pairs[:1], n=1).spearman is None


@pytest.mark.parametrize("n", [0, 3 ** len(NAMES) + 1])
def test_more_slices_than_there_are(n: int, pairs: list[Pair]):
    with pytest.raises(InputError, match=rf"{n} slices to rank: give 1 to 6561"):
        rank_slices(build(), pairs, n)
