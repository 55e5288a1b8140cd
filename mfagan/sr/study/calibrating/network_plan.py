"""Which SubGenerators to measure for a calibrated latency table, and the file their latencies are written into."""

import itertools
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, Strict, ValidationError

from mfagan.errors import InputError, describe_fault
from mfagan.files import read_text
from mfagan.latency.calibrating.block_prior import BlockPrior
from mfagan.latency.calibrating.design import FROM_COSTS, FROM_TABLE, choose_networks
from mfagan.latency.reports.report_file import read_report
from mfagan.latency.reports.timing import Timing
from mfagan.sr.network.layers import Residual
from mfagan.sr.network.widths import OPTIONS, Widths
from mfagan.sr.study.calibrating.network_times import Settings, Times, read_widths

__all__ = [
    "NetworkPlan",
    "PlannedNetwork",
    "distinct_choices",
    "fill_plan",
    "make_plan",
    "measured_in",
    "network_stem",
    "read_plan",
    "require_networks",
]

_SEED = 0
Milliseconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class PlannedNetwork(BaseModel):
    """One network to measure.

    Attributes:
        widths: of the SubGenerator, as `--widths` takes them.
        file: its exported file beside the plan, or None if it was not exported.
        blocks: key of each of its blocks -> how often it has it.
        milliseconds: its latency; null until it is measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    widths: str
    file: str | None = None
    blocks: dict[str, PositiveInt]
    milliseconds: Milliseconds | None = None


class NetworkPlan(BaseModel):
    """Networks to measure; somebody writes their latencies into `milliseconds`.

    Attributes:
        format: the version of the file format.
        input_size: (height, width) of the LR picture in pixels.
        scale: enlargement.
        residual: as in `MFANet`.
        passes: what rewrites the exported networks (`mfagan.graph.passes`).
        expected_error: relative standard error of a SubGenerator's price that the design promises, if the device is
            as far from the prior as was assumed.
        networks: what is to be measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["network-plan/1"] = "network-plan/1"
    input_size: Annotated[tuple[PositiveInt, PositiveInt], Strict(False)]
    scale: Literal[2, 3, 4]
    residual: Residual
    passes: Annotated[tuple[str, ...], Strict(False)]
    expected_error: float
    networks: Annotated[tuple[PlannedNetwork, ...], Strict(False), Field(min_length=1)]

    @property
    def settings(self) -> Settings:
        """What the blocks depend on."""
        return Settings(self.input_size, self.scale, self.residual, self.passes)

    def to_json(self) -> str:
        """The text of the file."""
        return self.model_dump_json(indent=2) + "\n"


def distinct_choices() -> list[Widths]:
    """One choice of each set of blocks: the order of the CFABs makes no difference to a sum of prices."""
    shuffle = random.Random(_SEED).shuffle
    found = []
    for trunk, inner, fusion in itertools.product(
        OPTIONS, itertools.combinations_with_replacement(OPTIONS, len(Widths.uniform(1).cfabs)), OPTIONS
    ):
        order = list(inner)
        shuffle(order)
        found.append(Widths.of([trunk, *order, fusion]))
    return found


def make_plan(prior: BlockPrior, settings: Settings, n: int, guessed: bool) -> NetworkPlan:
    """Choose SubGenerators to measure by optimal design.

    Args:
        prior: What is believed of the blocks' prices.
        settings: What the blocks depend on.
        n: How many to choose.
        guessed: Whether the prior was guessed from costs, so that the networks alone must tell all prices.

    Raises:
        InputError: More networks than there are different ones, or fewer than the prices depend on without a prior.
    """
    lists, choices = settings.list_blocks(), distinct_choices()
    if n > len(choices):
        raise InputError(
            f"{n} networks: only {len(choices)} differ in their blocks; give --n {len(choices)} or less"
        )
    counted = [lists.count(widths) for widths in choices]
    candidates = prior.count(counted)
    if guessed:
        _require_rank(n, candidates)
    design = choose_networks(prior, candidates, n, FROM_COSTS if guessed else FROM_TABLE)
    return NetworkPlan(
        input_size=settings.size,
        scale=settings.scale,  # pyright: ignore[reportArgumentType] - pydantic checks it
        residual=settings.residual,
        passes=settings.passes,
        expected_error=round(design.expected_error, 5),
        networks=tuple(PlannedNetwork(widths=str(choices[i]), blocks=counted[i]) for i in design.chosen),
    )


def require_networks(prior: BlockPrior, times: Times) -> None:
    """Check that measured networks alone tell the price of every SubGenerator, where no table is the prior.

    Args:
        prior: What counts blocks.
        times: What was measured.

    Raises:
        InputError: They do not.
    """
    lists = times.settings.list_blocks()
    measured = prior.count([lists.count(widths) for widths in times.widths])
    _require_rank(
        int(np.linalg.matrix_rank(measured)), prior.count([lists.count(one) for one in distinct_choices()])
    )


def read_plan(path: str | Path) -> NetworkPlan:
    """Read a plan, whether or not its networks were measured.

    Args:
        path: A JSON file in UTF-8, with or without a byte order mark.

    Raises:
        InputError: It can't be read, holds a latency that is not a positive number, or was altered elsewhere.
    """
    try:
        plan = NetworkPlan.model_validate_json(read_text(path))
    except ValidationError as error:
        raise InputError(f"plan {path}: {describe_fault(error)}; correct it, or plan again") from None
    lists = plan.settings.list_blocks()
    for number, network in enumerate(plan.networks, 1):
        if lists.count(read_widths(network.widths, f"plan {path}, network {number}")) != network.blocks:
            raise InputError(
                f"plan {path}, network {number}: its blocks are not those of widths {network.widths}; plan again"
            )
    _require_distinct([network.widths for network in plan.networks], f"plan {path}")
    return plan


def fill_plan(plan: NetworkPlan, reports: Path) -> NetworkPlan:
    """The plan with the latencies that tools reported.

    Args:
        plan: The plan.
        reports: A folder with one report of each network, of any format of `read_report`, named by its widths as its
            exported file is: `48-24-24-24-32-48-48-24.json`, `.txt`, `.pb` or `.csv`.

    Raises:
        InputError: A report is missing, cannot be read, or is of several files, or a network has two.
    """
    if not reports.is_dir():
        raise InputError(f"{reports}: no such folder; give the one with the networks' reports")
    return plan.model_copy(update={"networks": tuple(_fill(network, reports) for network in plan.networks)})


def _fill(network: PlannedNetwork, reports: Path) -> PlannedNetwork:
    stem = network_stem(network.widths)
    found = sorted(path for path in reports.iterdir() if path.stem == stem and path.suffix != ".tflite")
    if len(found) != 1:
        shown = ", ".join(path.name for path in found) or "none"
        raise InputError(f"{reports}: of {stem} there must be one report, and there is {shown}")
    timing = read_report(found[0])
    if not isinstance(timing, Timing):
        raise InputError(f"{found[0]}: it holds keys of blocks; give the report of one network")
    return network.model_copy(update={"milliseconds": timing.latency_ms})


def network_stem(widths: str) -> str:
    """The name of a network's exported file, without its suffix.

    Args:
        widths: Of the SubGenerator, with commas.
    """
    return widths.replace(",", "-")


def measured_in(plan: NetworkPlan, path: str | Path) -> Times:
    """The latencies that were written into a plan.

    Args:
        plan: The plan.
        path: Its file, for errors.

    Raises:
        InputError: A network has no latency.
    """
    open_ones = [network.widths for network in plan.networks if network.milliseconds is None]
    if open_ones:
        raise InputError(
            f"plan {path}: {len(open_ones)} of {len(plan.networks)} networks have no milliseconds, "
            f"{open_ones[0]} first; measure them, take them out, or give --measure to time them here"
        )
    return Times(
        plan.settings,
        tuple(Widths.parse(network.widths) for network in plan.networks),
        tuple(network.milliseconds for network in plan.networks if network.milliseconds is not None),
    )


def _require_distinct(widths: Sequence[str], where: str) -> None:
    for one in widths:
        if widths.count(one) > 1:
            raise InputError(f"{where}: widths {one} stand in it twice; keep one of them")


def _require_rank(told: int, candidates: np.ndarray) -> None:
    needed = int(np.linalg.matrix_rank(candidates))
    if told < needed:
        raise InputError(
            f"the networks tell {told} of the {needed} numbers that all prices depend on: measure {needed} or more, or "
            "give another device's table as the prior"
        )
