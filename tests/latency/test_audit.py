import random
from collections.abc import Iterator

import pytest

from mfagan.errors import InputError
from mfagan.graph.passes import rewrite
from mfagan.latency.audit import AuditedNetwork, audit_table, compare
from mfagan.latency.machine import MachineMatch
from mfagan.sr.study.block_lists import every_block
from mfagan.sr.study.calibrating.drawn_networks import draw_networks
from search.errors import SearchError
from search.latency import BlockLatency, LatencyTable, Noise
from tests.latency.measuring.fake_runtime import FakeRuntime
from tests.latency.measuring.test_networks import make_table

SIZE = (8, 8)
HERE = MachineMatch(True, 1.0, "the same")
QUIET = Noise(cpu_over_wall=1.0, spread=0.0, uncertainty=0.0, noisy=False)


def networks_of(prices: list[float], measured: list[float]) -> list[AuditedNetwork]:
    return [AuditedNetwork(str(i), p, m, 0.0) for i, (p, m) in enumerate(zip(prices, measured, strict=True))]


def compared(prices: list[float], measured: list[float], halves=None):
    return compare(networks_of(prices, measured), halves or (measured, measured), "wall", QUIET, 1.0, HERE)


def test_errors_and_bias_of_known_figures():
    found = compared([11, 18, 30], [10, 20, 30])
    assert found.mape == pytest.approx(0.2 / 3, abs=1e-5)
    assert found.bias == 0
    assert compared([20, 40], [10, 20]).bias == 1.0
    assert compared([20, 40], [10, 20]).scale == 0.5
    assert compared([20, 40], [10, 20]).mape_scaled == 0


def test_an_error_that_the_machine_s_pace_explains_is_told_apart():
    networks = networks_of([10, 20], [11, 22])
    found = compare(networks, ([1, 2], [1, 2]), "wall", QUIET, 1.0, HERE, pace=1.1)
    assert (found.pace, found.mape_at_pace) == (1.1, 0)
    assert found.mape == pytest.approx(1 - 1 / 1.1, abs=1e-5)
    assert compared([10, 20], [11, 22]).mape_at_pace is None


def test_tau_over_all_pairs_and_over_those_apart():
    # 10.0 and 10.1 are less than 2 % apart, and the prices have them the wrong way round.
    found = compared([2, 1, 3], [10.0, 10.1, 20.0])
    assert found.kendall_tau == pytest.approx(1 / 3, abs=1e-5)
    assert (found.kendall_tau_apart, found.n_pairs_apart) == (1.0, 2)
    assert compared([1, 2], [10.0, 10.1]).kendall_tau_apart is None


def test_the_ceiling_is_what_the_halves_agree_on():
    found = compared([1, 2, 3], [10, 20, 30], halves=([1, 2, 3], [1, 3, 2]))
    assert found.ceiling == pytest.approx(1 / 3, abs=1e-5)
    assert found.ceiling_apart == pytest.approx(1 / 3, abs=1e-5)


@pytest.fixture
def table() -> LatencyTable:
    draw = random.Random(0)
    entries = {
        key: BlockLatency(latency_ms=draw.uniform(1, 5), spread_ms=0.0, repeats=1)
        for key in every_block(SIZE, passes=("parts",))
    }
    table = make_table(entries, SIZE)
    return table.model_copy(update={"runtime": "fake", "threads": 1, "passes": ("parts",)})


def test_a_runtime_that_is_the_sum_of_its_blocks_has_no_error(
    table: LatencyTable, monkeypatch: pytest.MonkeyPatch
):
    networks = draw_networks(6, 0, SIZE)

    prices = {
        name: table.price(b.key for b in rewrite(blocks, table.passes).blocks)
        for name, blocks in networks.items()
    }

    def times(key: str) -> Iterator[float]:
        while True:
            yield 2 * prices[key]

    FakeRuntime(times).install(monkeypatch)
    steps: list[tuple[int, int, str]] = []
    slower = MachineMatch(False, 2.0, "twice as slow")
    found = audit_table(table, networks, slower, rounds=2, report=lambda *step: steps.append(step))
    assert found.bias == pytest.approx(-0.5, abs=1e-4)
    assert (found.n, found.kendall_tau, found.rescaled_by) == (6, 1.0, 1.0)
    assert found.scale == pytest.approx(2, abs=1e-3)
    assert steps[-1][:2] == (18, 18)
    rescaled = audit_table(table, networks, slower, rounds=2, rescale=True)
    assert rescaled.mape == pytest.approx(0, abs=1e-4)
    assert rescaled.rescaled_by == 2.0


def test_what_is_refused(table: LatencyTable, monkeypatch: pytest.MonkeyPatch):
    networks = draw_networks(2, 0, SIZE)
    with pytest.raises(InputError, match="2 or more of each"):
        audit_table(table, networks, HERE, rounds=1)
    with pytest.raises(InputError, match="runtime 'android' is unknown"):
        audit_table(table.model_copy(update={"runtime": "android"}), networks, HERE, rounds=2)
    FakeRuntime(lambda key: iter(())).install(monkeypatch)
    with pytest.raises(InputError, match="cannot be rescaled"):
        audit_table(table, networks, MachineMatch(None, None, "no calibration"), rounds=2, rescale=True)
    with pytest.raises(SearchError, match="lacks"):
        audit_table(make_table(input_size=SIZE), networks, HERE, rounds=2)


def test_the_same_seed_draws_the_same_networks_and_leaves_out_what_it_is_told():
    drawn = draw_networks(5, 3, SIZE)
    assert list(drawn) == list(draw_networks(5, 3, SIZE))
    assert len(drawn) == 5
    others = draw_networks(5, 3, SIZE, leave_out=list(drawn))
    assert not set(others) & set(drawn)
    with pytest.raises(InputError, match="9000 networks: there are 6561 to draw from"):
        draw_networks(9000, 0, SIZE)
