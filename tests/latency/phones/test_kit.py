import json
import shutil
import subprocess
from pathlib import Path

import pytest

from mfagan.deploy.tflite import litert
from mfagan.errors import InputError
from mfagan.latency.phones import kit as kits
from mfagan.latency.phones.kit import Kit, write_kit
from mfagan.latency.phones.kit_results import Results, read_results
from mfagan.latency.phones.kit_table import make_table, warn_thermal
from mfagan.latency.tables import warn_size
from mfagan.sr.study.calibrating.table_blocks import count_most, table_blocks
from search.latency import LatencyTable
from tests.command import Run
from tests.latency.phones.benchmark_tool import BenchmarkTool
from tests.latency.phones.conftest import KEYS, SIZE, write_some
from tests.latency.reports import formats


@pytest.fixture
def tool(tmp_path: Path) -> BenchmarkTool:
    home = tmp_path / "tool"
    home.mkdir()
    return BenchmarkTool(home)


def measure(folder: Path, tool: BenchmarkTool, *flags: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", folder / "measure.sh", tool.path, *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def read(folder: Path, results: Path | None = None) -> Results:
    return read_results(folder, Kit.read(folder), results or folder / "results")


def refusal(folder: Path, results: Path | None = None) -> str:
    with pytest.raises(InputError) as refused:
        read(folder, results)
    return str(refused.value)


def test_a_kit_holds_files_that_run_and_says_what_they_are(folder: Path):
    kit = Kit.read(folder)
    assert [block.key for block in kit.blocks] == ["head/t48", "tail/t24", "fusion/t24/f24/x4"]
    assert [block.most for block in kit.blocks] == [0, 3, 0]
    assert (kit.input_size, kit.scale, kit.passes, kit.rounds) == (SIZE, 4, (), 2)
    head = kit.blocks[0]
    assert head.macs == 16 * 12 * 48 * 3 * 9
    content = (folder / f"{head.name}.tflite").read_bytes()
    assert len(content) == head.bytes
    assert litert.Session(content).input_shapes == [(3, 16, 12)]
    lines = (folder / "order.txt").read_text().splitlines()
    assert len(lines) == 6
    names = sorted(block.name for block in kit.blocks)
    assert all(sorted(line.split()[1] for line in part) == names for part in (lines[:3], lines[3:]))


def test_a_kit_takes_no_place_of_others(folder: Path):
    with pytest.raises(InputError, match="not an empty folder"):
        write_some(folder)
    assert not list(folder.parent.glob(".mfagan*"))


def test_a_kit_that_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(done: int, total: int, note: str) -> None:
        raise KeyboardInterrupt

    blocks = dict([*table_blocks(SIZE, 4, ()).items()][:1])
    with pytest.raises(KeyboardInterrupt):
        write_kit(
            tmp_path / "kit", blocks, input_size=SIZE, scale=4, passes=(), most={}, rounds=1, report=fail
        )
    assert list(tmp_path.iterdir()) == []


def test_how_many_of_each_block_a_network_has():
    most = count_most(SIZE, 4, ("statistics", "parts", "shuffle"))
    assert set(most) == set(table_blocks(SIZE, 4, ("statistics", "parts", "shuffle")))
    assert (most["cfab/t48/w24"], most["tail/t32"], most["head/t24"]) == (6, 3, 1)


def test_the_script_measures_each_round_and_import_makes_the_table(folder: Path, tool: BenchmarkTool):
    done = measure(folder, tool, "--num_threads=4")
    assert done.returncode == 0, done.stderr
    assert len(tool.calls) == 6
    assert all("--num_threads=4" in call for call in tool.calls)
    assert tool.calls[0].split()[0] == (folder / "order.txt").read_text().split()[1] + ".tflite"
    kit, found = Kit.read(folder), read(folder)
    assert {key: len(times) for key, times in found.timings.items()} == dict.fromkeys(KEYS, 2)
    table = make_table(kit, found, runtime="benchmark_model", command="mfagan lut import kit --out a.json")
    assert table.entries["head/t48"].latency_ms == pytest.approx(kit.blocks[0].bytes / 1e4, abs=1e-3)
    assert table.entries["head/t48"].repeats == 20
    assert (table.threads, table.input_size, table.statistic, table.delegate) == (4, SIZE, "median", None)
    assert table.thermal is not None
    assert not table.thermal.throttled
    assert warn_thermal(table) is None


def test_the_script_continues_and_keeps_to_one_kit_and_its_flags(folder: Path, tool: BenchmarkTool):
    tool.misbehave(fails_at=4)
    stopped = measure(folder, tool, "--num_threads=1")
    assert stopped.returncode == 1
    assert "Failed to initialize delegate." in stopped.stderr
    assert "no time of" not in stopped.stderr
    assert len(tool.calls) == 4
    tool.misbehave()
    other = measure(folder, tool, "--num_threads=2")
    assert other.returncode == 2
    assert "other flags" in other.stderr
    assert measure(folder, tool, "--num_threads=1").returncode == 0
    assert len(tool.calls) == 7
    assert read(folder).run is not None


def test_the_script_says_what_it_needs(folder: Path, tmp_path: Path):
    usage = subprocess.run(["sh", folder / "measure.sh"], capture_output=True, text=True, check=False)
    assert (usage.returncode, usage.stderr) == (2, "usage: sh measure.sh BENCHMARK_MODEL [--FLAG=VALUE]...\n")
    absent = ["sh", folder / "measure.sh", tmp_path / "absent"]
    assert "cannot be run" in subprocess.run(absent, capture_output=True, text=True, check=False).stderr


def test_a_device_that_slows_down_is_told(folder: Path, tool: BenchmarkTool):
    tool.misbehave(slower=0.1)
    measure(folder, tool, "--num_threads=1")
    table = make_table(Kit.read(folder), read(folder), runtime="benchmark_model", command="again")
    assert table.thermal is not None
    assert table.thermal.status is None
    assert table.thermal.drift > 0.1
    assert "slower than the first" in (warn_thermal(table) or "")
    (folder / "results" / "2" / "thermalservice.dump").write_text(formats.thermal_dump(3))
    table = make_table(Kit.read(folder), read(folder), runtime="benchmark_model", command="again")
    assert table.thermal is not None
    assert table.thermal.status == "severe"
    assert "thermal status was severe; let it cool and measure again: again" in (warn_thermal(table) or "")


def reports(folder: Path, suffix: str, contents: dict[str, str | bytes]) -> Path:
    """A folder with a report for each block, as other tools write them."""
    results = folder / "results"
    results.mkdir()
    for name, content in contents.items():
        path = results / f"{name}{suffix}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return results


def names(folder: Path) -> list[str]:
    return [block.name for block in Kit.read(folder).blocks]


def proto(block: kits.KitBlock, median_ms: float = 2.0) -> bytes:
    result = formats.benchmark_result(median_ms=median_ms)
    result.misc_metrics.model_size_mb = block.bytes / 1e6  # pyright: ignore[reportAttributeAccessIssue]
    return result.SerializeToString()


def test_every_form_of_report_becomes_the_same_table(folder: Path):
    kit = Kit.read(folder)
    forms = {
        ".pb": {block.name: proto(block) for block in kit.blocks},
        ".json": dict.fromkeys(names(folder), formats.litert_result()),
        ".txt": {b.name: formats.benchmark_text(2000, b.name, b.bytes) for b in kit.blocks},
        ".csv": dict.fromkeys(names(folder), formats.PROFILE_CSV),
    }
    for suffix, contents in forms.items():
        shutil.rmtree(folder / "results", ignore_errors=True)
        reports(folder, suffix, contents)
        table = make_table(kit, read(folder), runtime="x", command="x", device="a phone", threads=2)
        assert {entry.latency_ms for entry in table.entries.values()} == {2.0}, suffix
        assert table.statistic == ("mean" if suffix == ".csv" else "median")
        assert (table.device, table.thermal, table.noise) == ("a phone", None, None)
    keyed = folder.parent / "times.csv"
    keyed.write_text("key,milliseconds\n" + "".join(f"{key},2.0\n" for key in KEYS))
    table = make_table(kit, read(folder, keyed), runtime="x", command="x", device="a phone", threads=2)
    assert {entry.latency_ms for entry in table.entries.values()} == {2.0}


def test_a_device_or_threads_that_nothing_tells_are_asked_for(folder: Path):
    reports(folder, ".json", dict.fromkeys(names(folder), formats.litert_result()))
    kit, found = Kit.read(folder), read(folder)
    with pytest.raises(InputError, match="--device NAME"):
        make_table(kit, found, runtime="x", command="x")
    with pytest.raises(InputError, match="--threads N"):
        make_table(kit, found, runtime="x", command="x", device="a phone")


def test_missing_blocks_are_named(folder: Path):
    assert "no such folder" in refusal(folder)
    reports(folder, ".json", {names(folder)[0]: formats.litert_result()})
    assert "no time of tail/t24, fusion/t24/f24/x4 (2 of 3 blocks)" in refusal(folder)


def test_times_of_another_kit_are_refused(folder: Path, tool: BenchmarkTool):
    measure(folder, tool, "--num_threads=1")
    run = folder / "results" / "run.txt"
    good = run.read_text()
    run.write_text(good.replace("kit=", "kit=0"))
    assert "times of the kit" in refusal(folder)
    run.write_text(good[:20])
    assert "cut off" in refusal(folder)
    run.write_text(good)
    hashes = folder / "results" / "sha256.txt"
    hashes.write_text(hashes.read_text().replace(Kit.read(folder).blocks[1].sha256, "0" * 64))
    assert "the device measured another tail-t24.tflite" in refusal(folder)


def test_a_report_of_a_file_of_another_size_is_refused(folder: Path):
    texts = {name: formats.benchmark_text(2000, name, 16900000) for name in names(folder)}
    reports(folder, ".txt", {**texts})
    assert "it is of a file of 16.9 MB" in refusal(folder)


def test_a_kit_whose_files_were_changed_is_refused(folder: Path, tool: BenchmarkTool):
    measure(folder, tool, "--num_threads=1")
    (folder / "tail-t24.tflite").write_bytes(b"other")
    assert "its sha256 is not that of the manifest" in refusal(folder)


def test_a_delegate_that_took_nothing_is_refused_and_a_part_is_told(folder: Path, tool: BenchmarkTool):
    tool.misbehave(gpu="part")
    measure(folder, tool, "--num_threads=1", "--use_gpu=true")
    found = read(folder)
    assert found.partly_delegated == list(KEYS)
    assert found.run is not None
    assert found.run.delegate == "gpu"
    shutil.rmtree(folder / "results")
    tool.misbehave(gpu="none")
    measure(folder, tool, "--num_threads=1", "--use_gpu=true")
    assert "the delegate took nothing of" in refusal(folder)


def test_reports_that_name_no_block_or_one_twice_are_refused(folder: Path):
    results = reports(folder, ".json", dict.fromkeys(names(folder), formats.litert_result()))
    shutil.copy(results / "head-t48.json", results / "head-t48.2.json")
    assert "are reports of one measurement" in refusal(folder)
    (results / "head-t48.2.json").rename(results / "heads.json")
    assert "no block of the kit is called 'heads'" in refusal(folder)
    (results / "heads.json").rename(results / "head-t48.json")
    (results / "times.csv").write_text("key,milliseconds\nhead/t49,2\n")
    assert "the kit has no block 'head/t49'" in refusal(folder)


def test_means_and_medians_are_not_mixed(folder: Path):
    results = reports(folder, ".json", dict.fromkeys(names(folder), formats.litert_result()))
    (results / "head-t48.json").unlink()
    (results / "head-t48.csv").write_text(formats.PROFILE_CSV)
    assert "some reports have a median and some only a mean" in refusal(folder)


@pytest.mark.parametrize(("factor", "unit"), [(1e-5, "seconds"), (1e3, "microseconds")])
def test_times_in_another_unit_are_refused(folder: Path, tmp_path: Path, factor: float, unit: str):
    keyed = tmp_path / "times.csv"
    keyed.write_text("key,milliseconds\n" + "".join(f"{key},{0.5 * factor}\n" for key in KEYS))
    assert f"as if they were {unit}; give milliseconds" in refusal(folder, keyed)


def test_a_manifest_that_is_none_is_refused(folder: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"no manifest\.json in it"):
        Kit.read(tmp_path)
    manifest = folder / "manifest.json"
    good = manifest.read_text()
    for content in (good[:100], good.replace("latency-kit/1", "latency-kit/9")):
        manifest.write_text(content)
        with pytest.raises(InputError, match="write the kit again"):
            Kit.read(folder)
    manifest.write_text("\ufeff" + good, encoding="utf-8")
    assert Kit.read(folder).rounds == 2


def test_a_table_of_a_kit_for_another_size_names_the_kit(folder: Path):
    reports(folder, ".json", dict.fromkeys(names(folder), formats.litert_result()))
    table = make_table(
        Kit.read(folder), read(folder), runtime="benchmark_model", command="x", device="a phone", threads=2
    )
    assert "mfagan lut kit --size 64x48 --out KIT --passes none" in (warn_size(table, 64, 48) or "")


def test_the_commands_write_a_kit_and_import_its_times(
    run: Run, tmp_path: Path, tool: BenchmarkTool, monkeypatch: pytest.MonkeyPatch
):
    few = {key: block for key, block in table_blocks(SIZE, 4, ()).items() if key in KEYS}
    monkeypatch.setattr(
        "mfagan.sr.study.calibrating.table_blocks.table_blocks", lambda size, scale, passes, precision: few
    )
    kit, out = tmp_path / "kit", tmp_path / "luts" / "phone.json"
    wrote = run("lut", "kit", "--out", kit, "--size", "16x12", "--rounds", 1, "--passes", "none")
    assert wrote.status == 0, wrote.err
    assert "sh measure.sh BENCHMARK_MODEL" in wrote.out
    early = run("lut", "import", kit, "--out", out)
    assert "no such folder" in early.message
    measure(kit, tool, "--num_threads=2")
    done = run("lut", "import", kit, "--out", out, "--device", "Phone 9", "--runtime-version", "2.20")
    assert (done.status, done.answer) == (0, f"{out}\n"), done.err
    table = LatencyTable.read(out)
    assert (table.device, table.runtime, table.runtime_version) == ("Phone 9", "benchmark_model", "2.20")
    assert json.loads(out.read_text())["format"] == "latency-table/2"
    again = run("lut", "kit", "--out", kit, "--size", "16x12")
    assert "not an empty folder" in again.message
