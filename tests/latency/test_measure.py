import platform
import shlex
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch
from torch import nn

import mfagan
from mfagan.deploy.tflite import converter, litert
from mfagan.devices import describe_device
from mfagan.errors import InputError
from mfagan.graph.operators import Block
from mfagan.latency import measure
from mfagan.latency.measure import (
    Loader,
    Runtime,
    build_table,
    measure_blocks,
    measure_model,
    measure_models,
    measure_networks,
)
from mfagan.latency.tables import describe_build, find_table, warn_noise, warn_size
from mfagan.sr.network import mfanet
from mfagan.sr.network.widths import Widths
from search.latency import BlockLatency, LatencyTable
from tests.command import Run

SIZE = (16, 12)
SMALL = Widths.parse("10,4,5,6,7,8,9,6")


def some_blocks(n: int) -> dict[str, Block]:
    return {block.key: block for block in mfanet.blocks(SMALL, *SIZE)[:n]}


def make_table(
    entries: dict[str, BlockLatency] | None = None, input_size: tuple[int, int] = SIZE
) -> LatencyTable:
    return LatencyTable(
        format="latency-table/1",
        unit="ms",
        runtime="litert",
        runtime_version="2.3.0",
        device="a phone",
        threads=4,
        input_size=input_size,
        measured_at=datetime(2025, 1, 1, tzinfo=UTC),
        command="mfagan lut build --out phone.json",
        entries=entries or {"head": BlockLatency(latency_ms=2.0, spread_ms=0.1, repeats=30)},
    )


def some_entries(keys: Iterable[str]) -> dict[str, BlockLatency]:
    return {key: BlockLatency(latency_ms=1.0, spread_ms=0.0, repeats=1) for key in keys}


class FakeRuntime:
    """A runtime whose runs take the times that a script says, and which writes down what is asked of it."""

    def __init__(self, times_ms: Callable[[str], Iterator[float]]) -> None:
        self.times_ms = times_ms
        self.prepared: list[tuple[str, int]] = []
        self.loaded: list[str] = []

    def prepare(self, block: Block, threads: int) -> Loader:
        self.prepared.append((block.key, threads))
        times = self.times_ms(block.key)

        def load() -> Callable[[], float]:
            self.loaded.append(block.key)
            return lambda: next(times)

        return load


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeRuntime], FakeRuntime]:
    def put(runtime: FakeRuntime) -> FakeRuntime:
        fake = Runtime(runtime.prepare, lambda: "7", lambda: "a fake")
        monkeypatch.setitem(measure.RUNTIMES, "fake", fake)
        return runtime

    return put


def test_an_entry_holds_the_fastest_run_after_the_warm_up_and_the_rounds_spread(install):
    # Each round: a warm-up of 1 ms, which does not count, then runs until 20 ms have passed.
    script = [1.0, 15.0, 16.0, 1.0, 12.0, 9.0, 1.0, 30.0, 1.0, 21.0]
    install(FakeRuntime(lambda key: iter(script)))
    entries = measure_blocks(some_blocks(1), threads=3, rounds=4, runtime="fake")
    # The rounds' fastest runs are 15, 9, 30 and 21; their quartiles are 13.5 and 23.25.
    assert entries == {"head/t10": BlockLatency(latency_ms=9.0, spread_ms=4.875, repeats=6)}


def test_every_round_loads_every_block_once_in_changing_order(install):
    def times(key: str) -> Iterator[float]:
        while True:
            yield 25.0

    runtime = install(FakeRuntime(times))
    blocks = some_blocks(4)
    measure_blocks(blocks, threads=3, rounds=5, runtime="fake")
    assert runtime.prepared == [(key, 3) for key in blocks]
    rounds = [runtime.loaded[i : i + 4] for i in range(0, 20, 4)]
    assert all(sorted(loaded) == sorted(blocks) for loaded in rounds)
    assert len({tuple(loaded) for loaded in rounds}) > 1


def test_real_blocks_are_measured_and_progress_is_reported():
    blocks = some_blocks(3)
    steps: list[tuple[int, int, str]] = []
    entries = measure_blocks(blocks, threads=1, rounds=2, report=lambda *step: steps.append(step))
    assert list(entries) == list(blocks)
    assert all(entry.latency_ms > 0 and entry.repeats >= 2 for entry in entries.values())
    assert [(done, total) for done, total, _ in steps] == [(i + 1, 9) for i in range(9)]
    assert [key for _, _, key in steps[:3]] == list(blocks)


def test_a_built_table_prices_a_network_and_survives_its_file(tmp_path: Path):
    blocks = {block.key: block for block in mfanet.blocks(SMALL, *SIZE, residual="bicubic")}
    command = describe_build(2, SIZE)
    table = build_table(blocks, threads=2, input_size=SIZE, command=command, rounds=1)
    assert (table.runtime, table.threads, table.input_size, table.command) == ("litert", 2, SIZE, command)
    assert table.runtime_version == litert.VERSION
    assert table.device.endswith(platform.machine())
    assert timedelta() <= datetime.now(UTC) - table.measured_at < timedelta(minutes=5)
    assert table.measured_at.utcoffset() == timedelta()
    assert table.price(blocks) == pytest.approx(sum(e.latency_ms for e in table.entries.values()))
    file = tmp_path / "table.json"
    file.write_text(table.to_json())
    assert LatencyTable.read(file) == table


def test_a_whole_file_is_measured():
    torch.manual_seed(0)
    network = mfanet.MFANet(SMALL)
    model = converter.convert(mfanet.operators(SMALL, *SIZE), network.state_dict())
    entry = measure_model(model, threads=1, rounds=2)
    assert entry.latency_ms > 0
    assert entry.repeats >= 2
    wide = converter.convert(mfanet.operators(SMALL, 64, 64), network.state_dict())
    steps = []
    small, large = measure_models([model, wide], 1, rounds=3, report=lambda *step: steps.append(step))
    assert 0 < small.latency_ms < large.latency_ms
    assert (small.repeats, steps[-1]) == (3, (3, 3, "latency"))


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
    assert str(caught.value) == words


def test_another_input_size_is_warned_of():
    table = make_table(input_size=(128, 96))
    assert warn_size(table, 128, 96) is None
    warning = warn_size(table, 96, 128)
    assert warning is not None
    assert "measured at 128x96 px, the target is 96x128 px" in warning
    assert describe_build(4, (96, 128)) in warning
    assert "\n" not in warning
    assert f"{describe_build(4, (96, 128))} --scale 3" in str(warn_size(table, 96, 128, 3))


def test_a_disturbed_measurement_is_warned_of():
    quiet, disturbed = (BlockLatency(latency_ms=2.0, spread_ms=s, repeats=30) for s in (0.01, 0.5))
    assert warn_noise(make_table({"a": quiet, "b": quiet})) is None
    warning = warn_noise(make_table({"a": quiet, "b": disturbed}))
    assert warning is not None
    assert "varied by 13%" in warning
    assert "mfagan lut build --out phone.json" in warning


def test_the_build_command():
    assert describe_build(2, (128, 96), "litert", "luts/phone.json") == (
        "mfagan lut build --runtime litert --threads 2 --size 128x96 --out luts/phone.json"
    )
    assert describe_build(path="phone.json", scale=2).endswith(" --out phone.json --scale 2")


def test_the_build_command_can_be_pasted_into_a_shell():
    path = "my tables/it's a phone.json"
    words = shlex.split(describe_build(4, (96, 128), path=path, scale=3))
    assert words[:3] == ["mfagan", "lut", "build"]
    assert words[words.index("--out") + 1] == path
    assert words[words.index("--size") + 1] == "96x128"
    assert words[words.index("--threads") + 1] == "4"
    assert words[words.index("--scale") + 1] == "3"


def test_the_command_in_a_table_builds_it_again(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measure, "measure_blocks", lambda blocks, *rest: some_entries(blocks))
    out = tmp_path / "my tables" / "a; phone.json"
    out.parent.mkdir()
    assert run("lut", "build", "--out", out, "--size", "16x16", "--rounds", 1).status == 0
    recorded = LatencyTable.read(out)
    out.unlink()
    _, *words = shlex.split(recorded.command)
    assert run(*words).status == 0
    assert LatencyTable.read(out).command == recorded.command


@pytest.fixture(params=["checkout", "installed"])
def shipped(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped tables, beside the package or inside it."""
    package = tmp_path / "somewhere" / "mfagan"
    folder = (package.parent if request.param == "checkout" else package) / "luts"
    package.mkdir(parents=True)
    folder.mkdir()
    for name in ("laptop.json", "arm-v8.2.json", "notes.txt"):
        (folder / name).write_text("{}")
    monkeypatch.setattr(mfagan, "__file__", str(package / "__init__.py"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


@pytest.mark.parametrize("name", ["laptop", "laptop.json", "arm-v8.2", "arm-v8.2.json"])
def test_a_shipped_table_is_found_by_name(shipped: Path, name: str):
    assert find_table(name) == shipped / f"{name.removesuffix('.json')}.json"


def test_an_existing_path_comes_before_a_shipped_name(shipped: Path):
    Path("laptop.json").write_text("{}")
    assert find_table("laptop.json") == Path("laptop.json")
    assert find_table(shipped / "laptop.json") == shipped / "laptop.json"


def test_an_unknown_table_lists_the_shipped_ones(shipped: Path):
    with pytest.raises(InputError) as caught:
        find_table("mine.json")
    assert str(caught.value) == (
        "latency table mine.json: no such file, and the shipped tables are arm-v8.2.json, laptop.json; "
        f"build it with: {describe_build(path='mine.json')}"
    )


def test_no_shipped_table_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mfagan, "__file__", str(tmp_path / "mfagan" / "__init__.py"))
    with pytest.raises(InputError, match="the shipped tables are none"):
        find_table("mine")


class Sleeper(nn.Module):
    """A network whose runs take the times of a script on a clock of the test's."""

    def __init__(self, clock: list[float], times_ms: list[float], log: list[str], name: str) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.ones(1))
        self.clock, self.times_ms, self.log, self.name = clock, iter(times_ms), log, name

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.shape == (1, 3, 5, 7)
        assert torch.is_inference_mode_enabled()
        self.log.append(f"{self.name}{torch.get_num_threads()}")
        self.clock[0] += next(self.times_ms) / 1e3
        return self.one * x


def test_networks_are_timed_in_turn_and_their_median_counts(monkeypatch: pytest.MonkeyPatch):
    clock, log = [0.0], []
    monkeypatch.setattr(measure, "perf_counter", lambda: clock[0])
    slow = Sleeper(clock, [900, 30, 20, 10, 40, 50], log, "a")
    fast = Sleeper(clock, [800, 1, 2, 300, 3, 4], log, "b")
    before = torch.get_num_threads()
    done: list[tuple[int, int, str]] = []
    entries = measure_networks([slow, fast], (5, 7), before + 1, 5, lambda *progress: done.append(progress))
    assert entries == [
        BlockLatency(latency_ms=30.0, spread_ms=10.0, repeats=5),  # without the warm-up of 900 ms
        BlockLatency(latency_ms=3.0, spread_ms=1.0, repeats=5),
    ]
    assert torch.get_num_threads() == before
    rounds = [set(log[i : i + 2]) for i in range(0, 12, 2)]
    assert rounds == [{f"a{before + 1}", f"b{before + 1}"}] * 6
    assert len({tuple(log[i : i + 2]) for i in range(0, 12, 2)}) == 2  # the order is shuffled
    assert done[-1] == (6, 6, "latency")


def test_networks_keep_pytorchs_threads_by_default_and_after_a_failure():
    before = torch.get_num_threads()
    log: list[str] = []
    with pytest.raises(StopIteration):
        measure_networks([Sleeper([0.0], [], log, "a")], (5, 7), before + 1)
    assert torch.get_num_threads() == before
    measure_networks([Sleeper([0.0], [1, 1], log, "a")], (5, 7), rounds=1)
    assert log[-1] == f"a{before}"
    with pytest.raises(InputError, match="threads is 0: give 1 or more"):
        measure_networks([], (5, 7), threads=0)
    with pytest.raises(InputError, match="rounds is 0: give 1 or more"):
        measure_networks([], (5, 7), rounds=0)


def test_the_cpu_is_named():
    assert platform.machine() in describe_device(torch.device("cpu"))
