"""Calibration by invented devices whose block prices are known: errors, error bars, the design of the experiment."""

from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from scipy.stats import kendalltau

from mfagan.latency.calibrating.block_prior import BlockPrior, Deviation
from mfagan.latency.calibrating.calibration import Calibration, calibrate, leave_one_out
from mfagan.latency.calibrating.design import choose_networks

SIZES = (8, 6, 4)
REPEATS = 5
N_DEVICES = 6

Floats = np.ndarray


def list_networks() -> list[dict[str, int]]:
    """Networks of a stem and a tail, which depend on their width, five cells and the same offset for all."""
    found = []
    for stem, cells, tail in product(SIZES, combinations_with_replacement(SIZES, REPEATS), SIZES):
        network = {f"stem/t{stem}": 1, f"tail/t{stem}/f{tail}": 1, "offset": 1}
        for cell in cells:
            key = f"cell/t{stem}/w{cell}"
            network[key] = network.get(key, 0) + 1
        found.append(network)
    return found


NETWORKS = list_networks()


def make_prior() -> BlockPrior:
    """Prices that grow with the widths in a key."""
    keys = tuple(sorted({key for network in NETWORKS for key in network}))
    widths = [[int(part[1:]) for part in key.split("/")[1:]] for key in keys]
    scale = {"stem": 0.3, "cell": 1.0, "tail": 0.5, "offset": 1.0}
    prices = [scale[key.split("/")[0]] * np.prod(one or [3]) for key, one in zip(keys, widths, strict=True)]
    return BlockPrior(keys, np.array(prices, float))


PRIOR = make_prior()
COUNTS = PRIOR.count(NETWORKS)
CHOSEN = list(choose_networks(PRIOR, COUNTS, 12).chosen)
DEVICE = Deviation(kind=0.3, part=0.15, own=0.05, noise=0)


def invent_device(rng: np.random.Generator, deviation: Deviation = DEVICE) -> Floats:
    """True prices of a device some times as fast as the prior's."""
    factors = rng.multivariate_normal(np.zeros(len(PRIOR.keys)), PRIOR.covariance(deviation) - 9)
    return 0.4 * PRIOR.latency_ms * np.exp(factors)


def price_all(found: Calibration) -> tuple[Floats, Floats]:
    """Price and standard error of every network."""
    priced = [
        found.price_with_error(key for key, n in network.items() for _ in range(n)) for network in NETWORKS
    ]
    prices_ms, errors_ms = np.array(priced).T
    return prices_ms, errors_ms


def test_without_noise_the_measured_networks_have_their_price():
    truth = invent_device(np.random.default_rng(0))
    latency_ms = COUNTS[CHOSEN] @ truth
    found = calibrate(PRIOR, COUNTS[CHOSEN], latency_ms)
    assert COUNTS[CHOSEN] @ found.latency_ms == pytest.approx(latency_ms, rel=0.01)
    assert (found.latency_ms > 0).all()


@pytest.mark.parametrize(("noise", "largest_error", "least_tau"), [(0.01, 0.015, 0.97), (0.03, 0.035, 0.93)])
def test_twelve_networks_price_all_and_the_error_bars_hold(
    noise: float, largest_error: float, least_tau: float
):
    rng = np.random.default_rng(1)
    errors, bars, taus, held, blocks_held = [], [], [], [], []
    for _ in range(N_DEVICES):
        truth = invent_device(rng)
        latency_ms = COUNTS[CHOSEN] @ truth * (1 + noise * rng.normal(size=len(CHOSEN)))
        found = calibrate(PRIOR, COUNTS[CHOSEN], latency_ms)
        prices_ms, errors_ms = price_all(found)
        real_ms = COUNTS @ truth
        errors.append(np.abs(prices_ms / real_ms - 1).mean())
        bars.append(np.median(errors_ms / prices_ms))
        taus.append(kendalltau(prices_ms, real_ms)[0])
        held.append((np.abs(prices_ms - real_ms) < 2 * errors_ms).mean())
        blocks_held.append((np.abs(found.latency_ms - truth) < 2 * found.error_ms).mean())
    assert np.mean(errors) < largest_error
    assert np.mean(taus) > least_tau
    assert np.mean(held) > 0.85
    assert np.mean(blocks_held) > 0.85
    assert np.mean(bars) < 2 * largest_error, "bars that hold everything are of no use"


def test_calibration_beats_a_scaled_prior():
    rng = np.random.default_rng(2)
    truth = invent_device(rng)
    latency_ms, real_ms = COUNTS[CHOSEN] @ truth, COUNTS @ truth
    found = COUNTS @ calibrate(PRIOR, COUNTS[CHOSEN], latency_ms).latency_ms
    scaled = np.median(latency_ms / (COUNTS[CHOSEN] @ PRIOR.latency_ms)) * COUNTS @ PRIOR.latency_ms
    assert np.abs(found / real_ms - 1).mean() < np.abs(scaled / real_ms - 1).mean() / 3


def test_one_network_scales_the_prior():
    found = calibrate(PRIOR, COUNTS[:1], COUNTS[:1] @ (1.7 * PRIOR.latency_ms))
    assert found.latency_ms == pytest.approx(1.7 * PRIOR.latency_ms, rel=0.01)


def test_blocks_that_occur_together_are_sure_in_sum_alone():
    truth = invent_device(np.random.default_rng(3))
    found = calibrate(PRIOR, COUNTS[CHOSEN], COUNTS[CHOSEN] @ truth)
    place = PRIOR.keys.index("stem/t8")
    assert found.error_ms[place] > 0.05 * found.latency_ms[place]
    _, errors_ms = price_all(found)
    assert errors_ms.max() < found.error_ms.max()


def test_leaving_out_tells_the_error_on_others():
    rng = np.random.default_rng(4)
    truth = invent_device(rng)
    latency_ms = COUNTS[CHOSEN] @ truth * (1 + 0.01 * rng.normal(size=12))
    left_out = leave_one_out(PRIOR, COUNTS[CHOSEN], latency_ms)
    assert left_out.shape == (12,)
    others = COUNTS @ calibrate(PRIOR, COUNTS[CHOSEN], latency_ms).latency_ms / (COUNTS @ truth) - 1
    assert np.abs(others).mean() < np.abs(left_out).mean() < 0.1


def test_a_design_tells_more_than_chance_and_more_networks_tell_more():
    rng = np.random.default_rng(5)
    chosen = choose_networks(PRIOR, COUNTS, 12)
    assert len(set(chosen.chosen)) == 12
    truth = [invent_device(rng) for _ in range(3)]

    def measure(places: list[int]) -> float:
        found = [COUNTS @ calibrate(PRIOR, COUNTS[places], COUNTS[places] @ one).latency_ms for one in truth]
        return float(
            np.mean([np.abs(p / (COUNTS @ one) - 1).mean() for p, one in zip(found, truth, strict=True)])
        )

    by_chance = [measure(rng.choice(len(NETWORKS), 12, replace=False).tolist()) for _ in range(3)]
    assert measure(CHOSEN) < np.mean(by_chance)
    expected = [choose_networks(PRIOR, COUNTS, n).expected_error for n in (1, 4, 12)]
    assert expected == sorted(expected, reverse=True)


def test_all_candidates_can_be_chosen():
    few = COUNTS[:5]
    assert sorted(choose_networks(PRIOR, few, 5).chosen) == [0, 1, 2, 3, 4]


def test_an_unknown_block_has_no_price():
    found = calibrate(PRIOR, COUNTS[:1], COUNTS[:1] @ PRIOR.latency_ms)
    with pytest.raises(KeyError):
        found.price_with_error(["stem/t99"])
