"""Audits a latency table: networks that took no part in building it are measured and compared with its prices."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import kendalltau

from mfagan.errors import InputError
from mfagan.graph.operators import Block, join_blocks
from mfagan.graph.rounding import rewrite_for
from mfagan.latency.machine import MachineMatch, rescale_table
from mfagan.latency.measuring.runtimes import Loader, find_runtime
from mfagan.latency.measuring.sampling import (
    Clock,
    Round,
    Schedule,
    choose_clock,
    describe_noise,
    measure_in_turn,
    median_reference_ms,
    summarise,
)
from mfagan.progress import ProgressCallback, ignore_progress
from search.latency import LatencyTable, Noise

__all__ = ["APART", "Audit", "AuditedNetwork", "audit_table", "compare"]

APART = 0.02
"""Two networks differ if the slower takes more than this share longer than the faster."""


@dataclass(frozen=True)
class AuditedNetwork:
    """A network's price and its latency.

    name: The network's name.
    price_ms: The sum of the table's latencies of its blocks, rescaled if that was asked for.
    measured_ms: The median of its runs.
    spread_ms: Half of the interquartile range of the rounds' medians.
    """

    name: str
    price_ms: float
    measured_ms: float
    spread_ms: float


@dataclass(frozen=True)
class Audit:
    """What an audit found; every error is a fraction, not a percentage.

    n: Networks.
    mape: Mean absolute error of the prices over the latencies.
    bias: Mean error of the prices over the latencies, positive if the prices are too high.
    scale: The factor that would take the bias away (in the mean of the logarithms).
    mape_scaled: `mape` after all prices are multiplied by `scale`.
    pace: How long the reference took in the audit over how long it took when the table was built; None if the table
        does not tell.
    mape_at_pace: `mape` after the table's prices are multiplied by `pace`: what is left if the machine is now slower or
        faster than it was then.
    kendall_tau: Kendall's tau-b of prices and latencies over all pairs of networks.
    kendall_tau_apart: Share of right less share of wrong orders over the pairs that differ by more than `APART`; None
        if there is none.
    n_pairs_apart: How many these are.
    ceiling, ceiling_apart: The same two of the latencies of the odd rounds and those of the even ones, which is what
        repeated measurements of the networks agree on.
    clock: What runs were timed by, as in the table.
    noise: How far other work disturbed the audit.
    rescaled_by: What the prices were multiplied by, 1 if they are the table's.
    machine: Whether the table is of this machine.
    networks: What was compared.
    """

    n: int
    mape: float
    bias: float
    scale: float
    mape_scaled: float
    pace: float | None
    mape_at_pace: float | None
    kendall_tau: float
    kendall_tau_apart: float | None
    n_pairs_apart: int
    ceiling: float | None
    ceiling_apart: float | None
    clock: str
    noise: Noise
    rescaled_by: float
    machine: MachineMatch
    networks: tuple[AuditedNetwork, ...]

    def as_dict(self) -> dict[str, object]:
        """It as plain data."""
        return {**asdict(self), "noise": self.noise.model_dump()}


def audit_table(
    table: LatencyTable,
    networks: Mapping[str, Sequence[Block]],
    machine: MachineMatch,
    *,
    rounds: int,
    rescale: bool = False,
    report: ProgressCallback | None = None,
) -> Audit:
    """Measure networks end to end, in turn, as the blocks of tables are measured, and compare them with their prices.

    Args:
        table: The table, of a runtime that is here.
        networks: Name -> the blocks of a network, before any pass; at least two.
        machine: Whether the table is of this machine.
        rounds: How often each network is loaded and timed; at least two.
        rescale: Whether the prices are multiplied by how much slower fixed operators are here.
        report: Called with (done, total, name) after each step, or None.

    Raises:
        InputError: An unknown runtime, fewer than two networks or rounds, or no calibration to rescale by.
        SearchError: The table lacks a block.
    """
    if min(len(networks), rounds) < 2:
        raise InputError(f"an audit of {len(networks)} networks in {rounds} rounds: give 2 or more of each")
    table = rescale_table(table, machine) if rescale else table
    runtime, show = find_runtime(table.runtime, table.precision), report or ignore_progress
    clock = choose_clock(runtime, table.threads)
    prices_ms: dict[str, float] = {}
    rewritten = {
        name: rewrite_for(blocks, table.passes, table.precision) for name, blocks in networks.items()
    }
    for name, blocks in rewritten.items():
        prices_ms[name] = table.price(block.key for block in blocks)
    n, loaders = len(networks), dict[str, Loader]()
    for name, blocks in rewritten.items():
        loaders[name] = runtime.prepare(join_blocks(name, blocks), table.threads)
        show(len(loaders), n * (1 + rounds), name)
    found = measure_in_turn(
        loaders,
        runtime.reference(table.threads),
        clock,
        Schedule(rounds),
        lambda done, total, name: show(n + done, n + total, name),
    )
    entries = summarise(found, clock)
    audited = tuple(
        AuditedNetwork(name, round(prices_ms[name], 4), entry.latency_ms, entry.spread_ms)
        for name, entry in entries.items()
    )
    noise = describe_noise(found, clock, table.threads)
    pace = None if table.reference_ms is None else median_reference_ms(found) / table.reference_ms
    return compare(audited, _halves(found, clock), clock, noise, table.rescaled_by, machine, pace)


def compare(
    networks: Sequence[AuditedNetwork],
    halves: tuple[Sequence[float], Sequence[float]],
    clock: str,
    noise: Noise,
    rescaled_by: float,
    machine: MachineMatch,
    pace: float | None = None,
) -> Audit:
    """Compare prices with latencies.

    Args:
        networks: At least two.
        halves: Their latencies by the odd rounds alone and by the even ones.
        clock: What the runs were timed by.
        noise: How far other work disturbed them.
        rescaled_by: What the prices were multiplied by.
        machine: Whether the table is of this machine.
        pace: How long the reference took now over how long it took when the table was built, or None.
    """
    price = np.array([network.price_ms for network in networks])
    measured = np.array([network.measured_ms for network in networks])
    errors = price / measured - 1
    scale = math.exp(float(np.mean(np.log(measured / price))))
    pairs = [
        (i, j)
        for i, j in itertools.combinations(range(len(networks)), 2)
        if abs(measured[i] - measured[j]) > APART * min(measured[i], measured[j])
    ]
    first, second = (np.array(half) for half in halves)
    tau, ceiling = _tau(price, measured), _tau(first, second)
    return Audit(
        n=len(networks),
        mape=_rounded(np.abs(errors).mean()),
        bias=_rounded(errors.mean()),
        scale=_rounded(scale),
        mape_scaled=_rounded(np.abs(scale * price / measured - 1).mean()),
        pace=None if pace is None else _rounded(pace),
        mape_at_pace=None
        if pace is None
        else _rounded(np.abs(price / rescaled_by * pace / measured - 1).mean()),
        kendall_tau=tau or 0.0,
        kendall_tau_apart=_tau_of(pairs, price, measured),
        n_pairs_apart=len(pairs),
        ceiling=ceiling,
        ceiling_apart=_tau_of(pairs, first, second),
        clock=clock,
        noise=noise,
        rescaled_by=rescaled_by,
        machine=machine,
        networks=tuple(networks),
    )


def _halves(rounds: Sequence[Round], clock: Clock) -> tuple[list[float], list[float]]:
    odd, even = (summarise(half, clock) for half in (rounds[::2], rounds[1::2]))
    return [odd[name].latency_ms for name in rounds[0]], [even[name].latency_ms for name in rounds[0]]


def _tau(one: np.ndarray, other: np.ndarray) -> float | None:
    """Kendall's tau-b, None if all values of one are equal."""
    tau = float(kendalltau(one, other)[0])  # pyright: ignore[reportArgumentType]
    return None if math.isnan(tau) else _rounded(tau)


def _tau_of(pairs: Sequence[tuple[int, int]], one: np.ndarray, other: np.ndarray) -> float | None:
    if not pairs:
        return None
    i, j = np.array(pairs).T
    return _rounded(np.mean(np.sign(one[i] - one[j]) * np.sign(other[i] - other[j])))


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 5)
