"""`lut build --runtime android`: the latency table of a phone that adb reaches."""

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mfagan.errors import InputError
from search.commands.result import Result

if TYPE_CHECKING:
    from search.latency import LatencyTable

__all__ = ["PhoneOptions", "build_on_phone", "describe_table"]

logger = logging.getLogger(__name__)

DEFAULT_TOOL = "/data/local/tmp/benchmark_model"


@dataclass(frozen=True)
class PhoneOptions:
    """What the command's options say of the phone; each is None or False if it was not given.

    tool: `benchmark_model`: a file of this machine or a path on the phone.
    use_gpu: Whether it uses the GPU delegate.
    use_nnapi: Whether it uses NNAPI.
    serial: The phone's serial number.
    """

    tool: str | None = None
    use_gpu: bool = False
    use_nnapi: bool = False
    serial: str | None = None

    def words(self) -> list[str]:
        """The options of the command line."""
        found = [] if self.tool is None else ["--benchmark-model", self.tool]
        found += ["--use-gpu"] if self.use_gpu else []
        found += ["--use-nnapi"] if self.use_nnapi else []
        return found + ([] if self.serial is None else ["--serial", self.serial])


def build_on_phone(
    out: Path,
    options: PhoneOptions,
    *,
    command: str,
    threads: int,
    size: tuple[int, int],
    scale: int,
    passes: tuple[str, ...],
    precision: Literal["fp32", "fp16", "int8"],
    rounds: int | None,
    minutes: float | None,
) -> "LatencyTable":
    """Measure every block on a phone and write the table; what was measured is kept until the table is written.

    Args:
        out: The table's file.
        options: Of the phone.
        command: The command line, recorded in the table.
        threads: CPU threads.
        size: (height, width) of the LR image in px.
        scale: Enlargement of the networks.
        passes: What rewrites the blocks.
        precision: Of their files.
        rounds: How often each block is measured; None for the default.
        minutes: For how long the phone works before all is measured once more; None to leave that out.

    Returns:
        The table.

    Raises:
        InputError: As `measure_on_phone`, or the kept measurements are of other settings.
    """
    from mfagan.files import write_atomic
    from mfagan.latency.phones.adb import Adb
    from mfagan.latency.phones.kit import DEFAULT_ROUNDS, MANIFEST, RESULTS, Kit, write_kit
    from mfagan.latency.phones.kit_results import read_results
    from mfagan.latency.phones.kit_table import make_table, warn_thermal
    from mfagan.latency.phones.phone import SUSTAINED, measure_on_phone
    from mfagan.latency.tables import warn_noise
    from mfagan.progress import show_bar
    from mfagan.sr.study.calibrating.table_blocks import count_most, table_blocks

    if options.use_gpu and options.use_nnapi:
        raise InputError("--use-gpu and --use-nnapi: give one of them")
    adb = Adb(options.serial)
    folder = out.with_name(f"{out.name}.phone")
    settings = {
        "input_size": size,
        "scale": scale,
        "passes": passes,
        "precision": precision,
        "rounds": rounds or DEFAULT_ROUNDS,
    }
    if (folder / MANIFEST).is_file():
        kit = Kit.read(folder)
        if settings != {name: getattr(kit, name) for name in settings}:
            raise InputError(
                f"{folder} keeps measurements of other settings: give the earlier command to continue them, or remove "
                "that folder"
            )
    else:
        with show_bar("files") as report:
            kit = write_kit(
                folder,
                table_blocks(size, scale, passes, precision),
                **settings,
                most=count_most(size, scale, passes),
                report=report,
            )
    flags = [f"--num_threads={threads}"]
    flags += ["--use_gpu=true"] if options.use_gpu else []
    flags += ["--use_nnapi=true"] if options.use_nnapi else []
    with show_bar("phone") as report:
        measure_on_phone(folder, kit, adb, options.tool or DEFAULT_TOOL, flags, minutes, report)
    found = read_results(folder, kit, folder / RESULTS)
    loaded = read_results(folder, kit, folder / SUSTAINED) if minutes else None
    table = make_table(kit, found, sustained=loaded, runtime="android", command=command)
    write_atomic(out, table.to_json())
    shutil.rmtree(folder)
    for warning in (found.warn_delegate(), warn_thermal(table), warn_noise(table)):
        if warning:
            logger.warning(warning)
    return table


def describe_table(out: Path, table: "LatencyTable") -> Result:
    """What a command answers that wrote a latency table.

    Args:
        out: The table's file.
        table: The table.
    """
    facts = {
        "file": str(out),
        "sha256": table.sha256,
        "device": table.device,
        "runtime": table.runtime,
        "runtime_version": table.runtime_version,
        "threads": table.threads,
        "blocks": len(table.entries),
    }
    return Result(facts, [str(out)], [out], ["mfagan", "search", "--lut", out])
