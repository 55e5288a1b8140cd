"""Measured SubGenerators: their widths and latencies, read from a CSV file."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from mfagan.errors import InputError
from mfagan.files import read_text
from mfagan.graph.operators import Block, join_blocks
from mfagan.graph.passes import rewrite
from mfagan.sr.network.layers import Residual
from mfagan.sr.network.mfanet import blocks
from mfagan.sr.network.widths import Widths, require_choice
from mfagan.sr.study.block_lists import BlockLists

__all__ = ["Settings", "Times", "as_block", "read_times", "read_widths"]

_COLUMNS = ("widths", "milliseconds")


@dataclass(frozen=True)
class Settings:
    """What the blocks of SubGenerators depend on besides widths; the arguments of `BlockLists`."""

    size: tuple[int, int]
    scale: int
    residual: Residual
    passes: tuple[str, ...]

    def list_blocks(self) -> BlockLists:
        """What lists the blocks of SubGenerators with these settings."""
        return BlockLists(self.size, self.scale, self.residual, self.passes)


@dataclass(frozen=True)
class Times:
    """Measured SubGenerators.

    settings: what their blocks depend on.
    widths: of each, all different.
    milliseconds: of each, positive.
    """

    settings: Settings
    widths: tuple[Widths, ...]
    milliseconds: tuple[float, ...]


def as_block(widths: Widths, settings: Settings) -> Block:
    """A whole SubGenerator as one block, to be measured as blocks are.

    Args:
        widths: Of the SubGenerator.
        settings: What its blocks depend on.
    """
    listed = blocks(widths, *settings.size, settings.scale, settings.residual)
    return join_blocks(str(widths), rewrite(listed, settings.passes).blocks)


def read_times(path: str | Path, settings: Settings) -> Times:
    """Read a CSV file with the columns widths (in quotes: "48,24,24,24,32,48,48,24") and milliseconds.

    Args:
        path: The file, in UTF-8 with or without a byte order mark.
        settings: What the networks' blocks depend on.

    Raises:
        InputError: It can't be read, lacks a column or has no rows, or a row has unknown widths, widths that an
            earlier one had, or a latency that is not a positive number.
    """
    rows = csv.DictReader(io.StringIO(read_text(path)), skipinitialspace=True)
    names = [name.strip() for name in rows.fieldnames or ()]
    if tuple(names) != _COLUMNS:
        raise InputError(
            f"{path}: its first line is {','.join(names)!r:.60}; write {','.join(_COLUMNS)}, and widths in quotes"
        )
    rows.fieldnames = names
    found: dict[Widths, float] = {}
    for row in rows:
        where = f"{path}, line {rows.line_num}"
        if None in row or None in row.values():
            raise InputError(f'{where}: give two columns, such as "48,24,24,24,32,48,48,24",31.5')
        widths = read_widths(row["widths"], where)
        if widths in found:
            raise InputError(f"{where}: widths {widths} stand in an earlier line too; keep one of them")
        found[widths] = _read_milliseconds(row["milliseconds"], where)
    if not found:
        raise InputError(f"{path}: it has no networks; write a line for each")
    return Times(settings, tuple(found), tuple(found.values()))


def read_widths(text: str, where: str) -> Widths:
    """Read a searched choice.

    Args:
        text: As `Widths.parse` takes it.
        where: File and line, for errors.

    Raises:
        InputError: Anything else.
    """
    try:
        return require_choice(Widths.parse(text))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _read_milliseconds(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise InputError(f"{where}: milliseconds are {text!r:.40}; give a positive number")
    return value
