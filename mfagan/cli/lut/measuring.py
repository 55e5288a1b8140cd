"""What the commands that measure latency tables on this machine share."""

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.lut.phone import describe_table
from mfagan.errors import InputError
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.graph.operators import Block

__all__ = [
    "RoundsOption",
    "SustainedMinutesOption",
    "TableOption",
    "ThreadsOption",
    "choose_passes",
    "measure_table",
    "require_minutes",
]

logger = logging.getLogger(__name__)

TableOption = Annotated[Path, typer.Option(help="The JSON file to write, such as luts/NAME.json.")]
ThreadsOption = Annotated[int, typer.Option(min=1, help="Threads of the interpreter.")]
RoundsOption = Annotated[
    int | None, typer.Option(min=1, help="Rounds (default: until the medians are stable).")
]
SustainedMinutesOption = Annotated[
    float | None,
    typer.Option(
        metavar="MINUTES",
        help="Measure once more after this time under load, as phones throttle.",
    ),
]


def require_minutes(sustained: float | None) -> None:
    """Refuse a time under load that is no time.

    Args:
        sustained: minutes, or None.

    Raises:
        InputError: not a positive and finite number.
    """
    if sustained is not None and not (math.isfinite(sustained) and sustained > 0):
        raise InputError(f"--sustained is {sustained}: give minutes, such as 15")


def choose_passes(
    passes: str | None, runtime: str, default: Sequence[str], rewrites: bool
) -> tuple[str, ...]:
    """The passes that rewrite what is measured.

    Args:
        passes: as --passes gives them, or None.
        runtime: what is measured, for errors.
        default: the passes where the runtime's files are rewritten and none are given.
        rewrites: whether they are rewritten.

    Raises:
        InputError: an unknown pass, or passes for a runtime whose networks are not rewritten.
    """
    from mfagan.graph.passes import read_passes

    if passes is None:
        return tuple(default) if rewrites else ()
    names = read_passes(passes)
    if names and not rewrites:
        raise InputError(
            f"--passes {passes}: networks run in {runtime} as they are; give none, or leave it out"
        )
    return names


def measure_table(
    blocks: "Mapping[str, Block]",
    out: Path,
    *,
    runtime: str,
    precision: str,
    threads: int,
    size: tuple[int, int],
    command: str,
    passes: Sequence[str],
    rounds: int | None,
    minutes: float | None,
) -> Result:
    """Measure blocks on this machine and write the table; what was measured is kept if it is stopped.

    Args:
        blocks: by their keys, after the passes.
        out: the file to write.
        runtime: one that is measured here.
        precision: what it computes in.
        threads: CPU threads of the runtime.
        size: (height, width) in px, recorded in the table.
        command: the command line, recorded in it.
        passes: what rewrote the blocks.
        rounds: how often all blocks are timed, None for as often as makes the medians stable.
        minutes: of load before all is measured once more, None for none.
    """
    from mfagan.files import write_atomic
    from mfagan.latency.building import build_table
    from mfagan.latency.measuring.journal import Journal
    from mfagan.latency.tables import warn_noise
    from mfagan.progress import show_bar

    journal = out.with_name(f"{out.name}.part")
    try:
        with show_bar("latency table") as report:
            table = build_table(
                blocks,
                runtime=runtime,
                precision=precision,
                threads=threads,
                input_size=size,
                command=command,
                passes=passes,
                rounds=rounds,
                report=report,
                journal=journal,
                load_minutes=minutes,
            )
    except KeyboardInterrupt:
        kept = Journal.count_rounds(journal)
        raise KeyboardInterrupt(
            f"{kept} rounds are kept in {journal}, and the same command continues"
        ) from None
    write_atomic(out, table.to_json())
    journal.unlink()
    noise = warn_noise(table)
    if noise:
        logger.warning(noise)
    return describe_table(out, table)
