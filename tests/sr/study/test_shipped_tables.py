"""The latency tables of the package: each prices every SubGenerator as it says it was measured."""

from pathlib import Path

import pytest

from mfagan.sr.shipped import LATENCY_TABLE
from mfagan.sr.study.calibrating.table_blocks import table_blocks
from search.latency import LatencyTable
from tests import ROOT

TABLES = sorted((ROOT / "luts").glob("*.json"))


def test_the_default_is_among_them():
    assert LATENCY_TABLE in {path.stem for path in TABLES}


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_has_what_its_command_builds(path: Path):
    table = LatencyTable.read(path)
    assert set(table.entries) == set(table_blocks(table.input_size, 4, table.passes, table.precision))
    assert (table.statistic, table.clock) == ("median", "cpu" if table.threads == 1 else "wall")
    assert table.noise is not None
    assert table.reference_ms is not None
    assert set(table.calibration_ms) == {"gemm", "convolution 3x3", "convolution 5x5"}
    for part in (f"--runtime {table.runtime}", f"--threads {table.threads}", f"--out luts/{path.name}"):
        assert part in table.command
    assert ("int8" in path.stem) == (table.precision == "int8") == ("--precision int8" in table.command)
