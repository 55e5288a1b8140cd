import platform
import shlex
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from torch import nn

import mfagan
from mfagan.deploy.tflite import converter
from mfagan.devices import describe_device
from mfagan.errors import InputError
from mfagan.graph.operators import Block
from mfagan.latency.measuring import networks
from mfagan.latency.measuring.networks import (
    measure_model,
    measure_models,
    measure_networks,
)
from mfagan.latency.tables import describe_build, find_table, warn_noise, warn_size
from mfagan.sr.network import mfanet
from mfagan.sr.network.widths import Widths
from search.latency import BlockLatency, LatencyTable, Noise

SIZE = (16, 12)
SMALL = Widths.parse("10,4,5,6,7,8,9,6")


def some_blocks(n: int) -> dict[str, Block]:
    return {block.key: block for block in mfanet.blocks(SMALL, *SIZE)[:n]}


def make_table(
    entries: dict[str, BlockLatency] | None = None, input_size: tuple[int, int] = SIZE
) -> LatencyTable:
    return LatencyTable(
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


def test_a_whole_file_is_measured():
    torch.manual_seed(0)
    network = mfanet.MFANet(SMALL)
    model = converter.convert(mfanet.operators(SMALL, *SIZE), network.state_dict())
    entry = measure_model(model, threads=1, rounds=2)
    assert entry.latency_ms > 0
    assert entry.repeats == 6
    wide = converter.convert(mfanet.operators(SMALL, 64, 64), network.state_dict())
    steps = []
    small, large = measure_models([model, wide], 1, rounds=3, report=lambda *step: steps.append(step))
    assert 0 < small.latency_ms < large.latency_ms
    assert (small.repeats, steps[-1][:2]) == (9, (6, 6))


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
    quiet = Noise(cpu_over_wall=0.99, spread=0.01, uncertainty=0.004, noisy=False)
    assert warn_noise(make_table()) is None
    assert warn_noise(make_table().model_copy(update={"noise": quiet})) is None
    noisy = Noise(cpu_over_wall=0.35, spread=0.13, uncertainty=0.021, noisy=True)
    warning = warn_noise(make_table().model_copy(update={"noise": noisy}))
    assert warning is not None
    assert "varied by 13% and are known within 2.1%, each thread had 35% of a core" in warning
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
    monkeypatch.setattr(networks, "perf_counter", lambda: clock[0])
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
