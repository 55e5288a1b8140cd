import itertools
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mfagan.deploy.tflite import litert
from mfagan.errors import InputError
from mfagan.graph.operators import Block
from mfagan.latency.building import build_table, measure_blocks
from mfagan.latency.measuring.fixed_operators import calibration_blocks
from mfagan.latency.measuring.journal import Journal
from mfagan.latency.tables import describe_build
from mfagan.sr.network import mfanet
from mfagan.sr.network.widths import Widths
from search.latency import BlockLatency, LatencyTable
from tests import ROOT
from tests.command import Run
from tests.latency.measuring.fake_runtime import FakeRuntime, always

SIZE = (16, 12)
SMALL = Widths.parse("10,4,5,6,7,8,9,6")


def some_blocks(n: int) -> dict[str, Block]:
    return {block.key: block for block in mfanet.blocks(SMALL, *SIZE)[:n]}


def some_entries(keys: Iterable[str]) -> dict[str, BlockLatency]:
    return {key: BlockLatency(latency_ms=1.0, spread_ms=0.0, repeats=1) for key in keys}


def test_real_blocks_are_measured_and_progress_is_reported():
    blocks = some_blocks(3)
    steps: list[tuple[int, int, str]] = []
    entries = measure_blocks(blocks, threads=1, rounds=2, report=lambda *step: steps.append(step))
    assert list(entries) == list(blocks)
    assert all(entry.latency_ms > 0 and entry.repeats == 6 for entry in entries.values())
    assert steps[-1][:2] == (6, 6)


def test_a_built_table_prices_a_network_and_survives_its_file(tmp_path: Path):
    blocks = {block.key: block for block in mfanet.blocks(SMALL, *SIZE, residual="bicubic")}
    command = describe_build(1, SIZE)
    table = build_table(blocks, threads=1, input_size=SIZE, command=command, rounds=2)
    assert (table.runtime, table.threads, table.input_size, table.command) == ("litert", 1, SIZE, command)
    assert table.runtime_version == litert.VERSION
    assert table.device.endswith(platform.machine())
    assert timedelta() <= datetime.now(UTC) - table.measured_at < timedelta(minutes=5)
    assert table.measured_at.utcoffset() == timedelta()
    assert table.price(blocks) == pytest.approx(sum(e.latency_ms for e in table.entries.values()))
    assert (table.statistic, table.clock, table.delegate) == ("median", "cpu", "XNNPACK")
    assert (table.warm_up_runs, table.runs_per_load, table.load) == (1, 3, "burst")
    assert table.processor is not None
    assert table.processor.instruction_set.startswith(platform.machine())
    assert set(table.calibration_ms) == set(calibration_blocks())
    assert table.reference_ms is not None
    assert table.noise is not None
    assert table.noise.cpu_over_wall is not None
    file = tmp_path / "table.json"
    file.write_text(table.to_json())
    assert LatencyTable.read(file) == table


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"runtime": "tensorrt"}, "runtime 'tensorrt' is unknown; choose one of: litert"),
        ({"threads": 0}, "threads is 0: give 1 or more"),
        ({"rounds": 0}, "rounds is 0: give 1 or more"),
    ],
)
def test_bad_settings_are_one_line(arguments: dict, words: str):
    with pytest.raises(InputError) as caught:
        build_table(some_blocks(1), **{"threads": 1, "input_size": SIZE, "command": "c"} | arguments)
    assert str(caught.value).startswith(words)


def test_the_command_in_a_table_builds_it_again(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    FakeRuntime(always(1.0)).install(monkeypatch)
    out = tmp_path / "my tables" / "a; phone.json"
    out.parent.mkdir()
    build = ["lut", "build", "--runtime", "fake", "--out", out, "--size", "16x16", "--rounds", 1]
    assert run(*build).status == 0
    recorded = LatencyTable.read(out)
    assert [path.name for path in out.parent.iterdir()] == [out.name]  # nothing is left of the journal
    out.unlink()
    _, *words = shlex.split(recorded.command)
    assert run(*words).status == 0
    assert LatencyTable.read(out).command == recorded.command


def test_an_interrupted_measurement_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    blocks, part = some_blocks(2), tmp_path / "t.json.part"

    def build(rounds: int = 5) -> LatencyTable:
        return build_table(
            blocks, runtime="fake", threads=1, input_size=SIZE, command="c", rounds=rounds, journal=part
        )

    def stops(key: str) -> Iterator[float]:
        yield from itertools.repeat(1.0, 5 * 3)  # three rounds of two runs that do not count and three
        raise KeyboardInterrupt

    FakeRuntime(stops).install(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        build()
    assert len(part.read_text().splitlines()) == 1 + 3
    with part.open("a") as file:
        file.write('{"head/t10": [[1.0')  # what a killed process did not finish
    second = FakeRuntime(always(2.0)).install(monkeypatch)
    table = build()
    assert len(second.loaded) == 2 * 2 + 3 * 5  # two rounds of two blocks, and the calibration's
    assert {entry.repeats for entry in table.entries.values()} == {15}
    assert {entry.latency_ms for entry in table.entries.values()} == {1.0}  # the median of 9 ones and 6 twos
    third = FakeRuntime(always(2.0)).install(monkeypatch)
    build(rounds=6)  # another measurement than that of the file begins at the beginning
    assert len(third.loaded) == 6 * 2 + 3 * 5


def test_a_journal_that_cannot_be_written(tmp_path: Path):
    with pytest.raises(InputError, match="cannot write"):
        Journal(tmp_path, {})


def test_ctrl_c_names_what_is_kept(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def stops(key: str) -> Iterator[float]:
        yield from itertools.repeat(1.0, 5)
        raise KeyboardInterrupt

    FakeRuntime(stops).install(monkeypatch)
    out = tmp_path / "t.json"
    done = run("lut", "build", "--runtime", "fake", "--out", out, "--size", "16x16", "--rounds", 3)
    assert done.status == 130
    assert f"1 rounds are kept in {out}.part, and the same command continues" in done.err
    assert not out.exists()


def test_a_noisy_table_says_so(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    FakeRuntime(always(1.0)).install(monkeypatch)  # next to no CPU time in 1 ms of wall time
    out = tmp_path / "t.json"
    done = run("lut", "build", "--runtime", "fake", "--out", out, "--size", "16x16", "--rounds", 1)
    assert "other work kept the machine busy" in done.err.replace("\n", " ")
    noise = LatencyTable.read(out).noise
    assert noise is not None
    assert noise.noisy


@pytest.mark.slow
def test_a_killed_build_is_continued_by_the_same_command(tmp_path: Path):
    """With the real interpreter, and SIGKILL in the middle of a round."""
    out, part = tmp_path / "t.json", tmp_path / "t.json.part"
    words = ["lut", "build", "--threads", "1", "--size", "8x8", "--rounds", "40", "--out", str(out)]
    command = [sys.executable, "-m", "mfagan", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while Journal.count_rounds(part) < 3:
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    assert not out.exists()
    before = part.read_bytes()
    n_before = Journal.count_rounds(part)
    assert n_before < 40
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while Journal.count_rounds(part) <= n_before:
            assert process.poll() is None
            time.sleep(0.02)
        assert part.read_bytes().startswith(before[: before.rindex(b"\n") + 1])
        assert process.wait() == 0
    assert {entry.repeats for entry in LatencyTable.read(out).entries.values()} == {120}
    assert not part.exists()
