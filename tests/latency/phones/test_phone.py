import os
import shutil
from pathlib import Path

import pytest

from mfagan.errors import InputError
from mfagan.latency.phones import adb, phone
from mfagan.latency.phones.adb import Adb, PhoneGoneError
from mfagan.latency.phones.kit import Kit
from mfagan.latency.phones.kit_results import read_results
from mfagan.latency.phones.phone import measure_on_phone
from mfagan.sr.study.calibrating.table_blocks import table_blocks
from search.latency import LatencyTable
from tests.command import Run
from tests.latency.phones.conftest import KEYS, SIZE
from tests.latency.phones.stand_in_adb import SERIAL, StandInAdb

FLAGS = ["--num_threads=4"]


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInAdb:
    home = tmp_path / "adb-home"
    home.mkdir()
    monkeypatch.setenv("PATH", f"{home}:{os.environ['PATH']}")
    return StandInAdb(home)


def measure(folder: Path, device: StandInAdb, flags: list[str] = FLAGS, minutes: float | None = None) -> Kit:
    kit = Kit.read(folder)
    measure_on_phone(folder, kit, Adb(), str(device.tool.path), flags, minutes)
    return kit


def test_every_block_is_measured_in_every_round(folder: Path, device: StandInAdb):
    kit = measure(folder, device)
    assert len(device.runs) == 6
    assert all(" --num_threads=4" in line and "./benchmark_model" in line for line in device.runs)
    found = read_results(folder, kit, folder / "results")
    assert {key: len(times) for key, times in found.timings.items()} == dict.fromkeys(KEYS, 2)
    assert found.run is not None
    assert (found.run.device, found.run.system) == ("samsung SM-S911B, kalama", "Android 14")
    assert found.thermal_statuses == (0, 0)


def test_lines_that_end_as_on_terminals_are_read(folder: Path, device: StandInAdb):
    device.misbehave(crlf=1)
    kit = measure(folder, device)
    assert read_results(folder, kit, folder / "results").run is not None


def test_a_slow_phone_is_waited_for(folder: Path, device: StandInAdb):
    device.misbehave(slow=0.1)
    measure(folder, device)
    assert len(device.runs) == 6


def test_a_phone_that_leaves_half_way_is_continued(folder: Path, device: StandInAdb):
    device.misbehave(leaves_at=4)
    with pytest.raises(
        PhoneGoneError, match=r"disconnected .*; 3 of 6 measurements are kept in .*continues"
    ) as gone:
        measure(folder, device)
    assert f"device '{SERIAL}' not found" in str(gone.value)
    with pytest.raises(InputError, match="no phone is connected"):
        measure(folder, device)
    device.misbehave()
    measure(folder, device)
    assert len(device.runs) == 4 + 3


def test_a_phone_that_hangs_is_given_up_and_continued(
    folder: Path, device: StandInAdb, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(phone, "MEASURE_S", 1.0)
    device.misbehave(hangs_at=2)
    with pytest.raises(
        PhoneGoneError, match="adb shell gave no answer within 1 s; 1 of 6 measurements are kept"
    ):
        measure(folder, device)
    device.misbehave()
    measure(folder, device)
    assert len(device.runs) == 2 + 5


def test_an_adb_that_hangs_is_given_up(device: StandInAdb, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(adb, "ANSWER_S", 0.5)
    device.misbehave(slow=30)
    with pytest.raises(PhoneGoneError, match="adb devices gave no answer"):
        Adb()


def test_files_that_the_phone_has_are_not_pushed_again(
    folder: Path, device: StandInAdb, monkeypatch: pytest.MonkeyPatch
):
    pushed: list[str] = []
    push = Adb.push
    monkeypatch.setattr(
        Adb, "push", lambda self, files, target: (pushed.extend(map(str, files)), push(self, files, target))
    )
    kit = measure(folder, device)
    assert len([one for one in pushed if one.endswith(".tflite")]) == 3
    (device.phone / f"mfagan-{kit.id}" / "tail-t24.tflite").write_bytes(b"other")
    shutil.rmtree(folder / "results")
    pushed.clear()
    measure(folder, device)
    assert [one for one in pushed if one.endswith(".tflite")] == [str(folder / "tail-t24.tflite")]


def test_a_warm_phone_is_told_in_the_results(folder: Path, device: StandInAdb):
    device.warm(2)
    kit = measure(folder, device)
    assert read_results(folder, kit, folder / "results").thermal_statuses == (2, 2)


def test_the_phone_works_before_it_is_measured_under_load(folder: Path, device: StandInAdb):
    kit = measure(folder, device, minutes=0.001)
    loaded = [line for line in device.runs if "--num_runs=1 " in line]
    assert loaded
    assert all("fusion-t24-f24-x4" in line for line in loaded)
    assert read_results(folder, kit, folder / "sustained").run is not None
    measure(folder, device, minutes=0.001)
    assert [line for line in device.runs if "--num_runs=1 " in line] == loaded


def test_results_of_other_flags_are_not_continued(folder: Path, device: StandInAdb):
    measure(folder, device)
    with pytest.raises(InputError, match="keeps times of samsung SM-S911B"):
        measure(folder, device, ["--num_threads=1"])


def test_a_tool_that_fails_is_told_with_its_last_line(folder: Path, device: StandInAdb):
    device.tool.misbehave(fails_at=2)
    with pytest.raises(
        InputError, match=r"benchmark_model on .*: .*status 1: 'ERROR: Failed to initialize delegate"
    ):
        measure(folder, device)
    kit = Kit.read(folder)
    with pytest.raises(InputError, match="is neither a file of this machine nor a program of the phone"):
        measure_on_phone(folder, kit, Adb(), "/data/local/tmp/benchmark_model", FLAGS)
    device.tool.misbehave()
    device.install_tool()
    measure_on_phone(folder, kit, Adb(), "/data/local/tmp/benchmark_model", FLAGS)


def test_a_full_phone_is_told(folder: Path, device: StandInAdb):
    device.misbehave(full=1)
    with pytest.raises(InputError, match="No space left on device"):
        measure(folder, device)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"state": "unauthorized"}, "unlock the phone and allow USB debugging"),
        ({"state": "offline"}, "adb reconnect"),
        ({"state": "no permissions (user in plugdev group; are your udev rules wrong?)"}, "udev rules"),
        ({"second": "emulator-5554"}, f"choose one by --serial: {SERIAL}, emulator-5554"),
        ({"gone": 1}, "mfagan lut kit"),
    ],
)
def test_phones_that_cannot_be_used_are_told(device: StandInAdb, fault: dict[str, object], expected: str):
    device.misbehave(**fault)
    with pytest.raises(InputError) as refused:
        Adb()
    assert expected in str(refused.value)


def test_one_of_several_phones_is_chosen(device: StandInAdb):
    device.misbehave(second="emulator-5554")
    assert Adb(SERIAL).serial == SERIAL
    with pytest.raises(InputError, match="no phone absent is connected"):
        Adb("absent")


def test_the_command_builds_a_table_and_continues(
    run: Run, tmp_path: Path, device: StandInAdb, monkeypatch: pytest.MonkeyPatch
):
    few = {key: block for key, block in table_blocks(SIZE, 4, ()).items() if key in KEYS}
    monkeypatch.setattr(
        "mfagan.sr.study.calibrating.table_blocks.table_blocks", lambda size, scale, passes, precision: few
    )
    out = tmp_path / "phone.json"
    command = ["lut", "build", "--runtime", "android", "--size", "16x12", "--threads", 4, "--rounds", 2]
    command += ["--benchmark-model", device.tool.path, "--use-gpu", "--passes", "none", "--out", out]
    device.misbehave(leaves_at=5)
    assert "4 of 6 measurements are kept" in run(*command).message
    assert not out.exists()
    assert (
        "keeps measurements of other settings" in (device.misbehave(), run(*command, "--scale", 3).message)[1]
    )
    device.warm(3)
    device.tool.misbehave(gpu="part")
    done = run(*command)
    assert (done.status, done.answer) == (0, f"{out}\n"), done.err
    assert "the delegate left a part of" in done.err
    assert len(device.runs) == 5 + 2
    assert not (tmp_path / "phone.json.phone").exists()
    table = LatencyTable.read(out)
    assert (table.runtime, table.device) == ("android", "samsung SM-S911B, kalama, Android 14")
    assert (table.threads, table.delegate, table.statistic) == (4, "gpu", "median")
    assert "--runtime android --threads 4" in table.command
    assert "--use-gpu" in table.command


def test_the_thermal_status_and_the_sustained_times_are_in_the_table(
    run: Run, tmp_path: Path, device: StandInAdb, monkeypatch: pytest.MonkeyPatch
):
    few = {key: block for key, block in table_blocks(SIZE, 4, ()).items() if key in KEYS}
    monkeypatch.setattr(
        "mfagan.sr.study.calibrating.table_blocks.table_blocks", lambda size, scale, passes, precision: few
    )
    out = tmp_path / "phone.json"
    device.warm(3)
    device.install_tool()
    device.tool.misbehave(slower=0.2)
    done = run(
        *("lut", "build", "--runtime", "android", "--size", "16x12", "--rounds", 1, "--passes", "none"),
        *("--sustained", 0.001, "--out", out),
    )
    assert done.status == 0, done.err
    assert "thermal status was severe" in done.err
    table = LatencyTable.read(out)
    assert table.thermal is not None
    assert (table.thermal.status, table.thermal.throttled) == ("severe", True)
    assert all(
        entry.sustained_ms and entry.sustained_ms > entry.latency_ms for entry in table.entries.values()
    )


def test_without_adb_the_command_names_the_kit(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    refused = run("lut", "build", "--runtime", "android", "--out", tmp_path / "a.json")
    assert "no adb on the PATH" in refused.message
    assert "mfagan lut kit" in refused.message


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--use-gpu"], "--use-gpu: it goes with --runtime android, and this is litert"),
        (["--runtime", "android", "--use-gpu", "--use-nnapi"], "give one of them"),
        (["--runtime", "torch", "--passes", "parts"], "networks run in torch as they are"),
        (["--runtime", "android", "--sustained", "nan"], "give minutes, such as 15"),
        (["--runtime", "android", "--sustained", -1], "give minutes, such as 15"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    run: Run, tmp_path: Path, options: list[object], expected: str
):
    assert expected in run("lut", "build", "--out", tmp_path / "a.json", *options).message
