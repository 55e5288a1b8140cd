import codecs
import json
from pathlib import Path

import pytest

from mfagan.errors import InputError
from mfagan.latency.phones.thermal import read_status
from mfagan.latency.reports.ai_hub import read_network_profile
from mfagan.latency.reports.report_file import read_report
from mfagan.latency.reports.timing import Timing
from tests.latency.reports import formats


def report(folder: Path, content: str | bytes, name: str = "head-t48.txt") -> Timing:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = read_report(path)
    assert isinstance(found, Timing)
    return found


def refusal(folder: Path, content: str | bytes) -> str:
    path = folder / "bad.report"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as refused:
        read_report(path)
    assert str(refused.value).startswith(f"{path}: ")
    return str(refused.value)


def test_the_text_with_percentiles_gives_the_median_of_the_regular_runs(tmp_path: Path):
    found = report(tmp_path, formats.benchmark_text(2000))
    assert found.latency_ms == 2.0
    assert (found.statistic, found.repeats, found.model_mb) == ("median", 10, 0.007772)
    # p5 1.96, p95 2.12: a normal distribution's quartiles are 0.41 as far apart.
    assert found.spread_ms == pytest.approx(0.08 * 0.6745 / 1.6449)


def test_the_text_of_older_tools_gives_the_mean(tmp_path: Path):
    found = report(tmp_path, formats.benchmark_text(2000, percentiles=False))
    assert (found.latency_ms, found.statistic) == (2.02, "mean")
    assert found.spread_ms == pytest.approx(0.6745 * 0.04)


@pytest.mark.parametrize("tag", ["", "I tflite  : ", "INFO: ", "12-01 10:00:00.123  4242  4242 I tflite  : "])
def test_lines_may_have_a_tag(tmp_path: Path, tag: str):
    text = formats.benchmark_text(2000).replace("INFO: ", tag)
    assert report(tmp_path, text).latency_ms == 2.0


def test_equal_runs_and_numbers_with_exponents_are_read(tmp_path: Path):
    text = formats.benchmark_text(2000, percentiles=False)
    line = next(line for line in text.splitlines() if "count=10" in line)
    same = text.replace(line, "INFO: count=10 curr=2913402(all same)")
    assert report(tmp_path, same).latency_ms == 2913.402
    large = line.replace("avg=2020", "avg=2.95034e+06")
    assert report(tmp_path, text.replace(line, large)).latency_ms == 2950.34


def test_a_profile_that_follows_on_standard_output_does_not_count(tmp_path: Path):
    both = formats.benchmark_text(2500) + formats.PROFILE_CSV
    assert report(tmp_path, both).latency_ms == 2.5


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_windows_makes_of_a_text_is_read(tmp_path: Path, newline: str, encoding: str):
    text = formats.benchmark_text(2000).replace("\n", newline)
    assert report(tmp_path, text.encode(encoding)).latency_ms == 2.0
    keyed = newline.join(["key,milliseconds", "head/t48,2.5", ""])
    path = tmp_path / "times.csv"
    path.write_bytes(keyed.encode(encoding))
    assert read_report(path) == {"head/t48": Timing(2.5, "median", 0.0, 1)}


@pytest.mark.parametrize(
    ("delegate", "expected"),
    [
        ("", None),
        (formats.GPU.format(how="completely", kernels=""), "all"),
        (formats.GPU.format(how="partially", kernels=" w/ 3 delegate kernels"), "part"),
        (formats.NO_GPU, "none"),
    ],
)
def test_what_the_text_says_of_the_delegate(tmp_path: Path, delegate: str, expected: str | None):
    assert report(tmp_path, formats.benchmark_text(2000, delegate=delegate)).delegation == expected


def test_the_profile_gives_the_time_of_all_operators_once(tmp_path: Path):
    found = report(tmp_path, formats.PROFILE_CSV, "head-t48.csv")
    assert (found.latency_ms, found.statistic, found.repeats) == (2.0, "mean", 50)
    assert found.spread_ms == pytest.approx(0.6745 * 0.02)


def test_the_proto_gives_the_median_or_of_older_tools_the_mean(tmp_path: Path):
    result = formats.benchmark_result(median_ms=2.0, p5_ms=1.92, p95_ms=2.16)
    found = report(tmp_path, result.SerializeToString(), "head-t48.pb")
    assert (found.latency_ms, found.statistic, found.repeats) == (2.0, "median", 10)
    assert found.model_mb == pytest.approx(0.007772)
    assert found.spread_ms == pytest.approx(0.12 * 0.6745 / 1.6449, rel=1e-5)
    older = report(tmp_path, formats.benchmark_result().SerializeToString())
    assert (older.latency_ms, older.statistic) == (pytest.approx(2.02), "mean")


def test_the_proto_is_the_published_message():
    """Field numbers and types of benchmark_result.proto: avg_ms = 1 and num_runs = 2, in the wire format."""
    result = formats.benchmark_result(median_ms=2.0)
    wire = result.SerializeToString()
    latency = bytes.fromhex("0d" + "ae470140")  # field 1, fixed32, 2.02
    assert wire[:1] == b"\x12"  # field 2 of BenchmarkResult, a message
    assert wire[2:7] == latency
    assert bytes.fromhex("2d00000040") in wire  # field 5, median_ms, 2.0
    assert bytes.fromhex("100a1803") in wire  # num_runs = 2: 10, num_warmup_runs = 3: 3
    assert result.DESCRIPTOR.full_name == "tflite.tools.benchmark.BenchmarkResult"


def test_the_json_of_litert_gives_its_median(tmp_path: Path):
    found = report(tmp_path, formats.litert_result(), "head-t48.json")
    assert (found.latency_ms, found.statistic, found.repeats) == (2.0, "median", 50)
    assert found.spread_ms == pytest.approx(0.12 * 0.6745 / 1.6449)
    assert report(tmp_path, formats.litert_result(("GPU", "CPU"))).delegation == "all"
    assert report(tmp_path, formats.litert_result(("NPU", "CPU"), full=False)).delegation == "part"


def test_reports_that_were_cut_off_are_refused(tmp_path: Path):
    text = formats.benchmark_text(2000)
    for end in range(len("INFO: STARTING!"), text.index("INFO: Inference timings"), 97):
        assert "cut off" in refusal(tmp_path, text[:end])
    profile = formats.PROFILE_CSV
    for end in range(
        profile.index("node type"), profile.rindex("Timings", 0, profile.index("Delegate internal")), 211
    ):
        assert "cut off" in refusal(tmp_path, profile[:end])
    wire = formats.benchmark_result(median_ms=2.0).SerializeToString()
    for end in range(3, len(wire) - 12, 5):
        assert "cut off" in refusal(tmp_path, wire[:end])
    result = formats.litert_result()
    for end in range(2, len(result) - 30, 61):
        assert "benchmark_litert_model.py" in refusal(tmp_path, result[:end])
    assert "empty" in refusal(tmp_path, b"\n")
    assert "empty" in refusal(tmp_path, b"")


def test_a_tool_that_failed_is_told_with_its_last_line(tmp_path: Path):
    text = formats.benchmark_text(2000)
    failed = text[: text.index("INFO: The input model")] + "ERROR: Failed to apply GPU delegate.\n"
    assert "'ERROR: Failed to apply GPU delegate.'" in refusal(tmp_path, failed)


@pytest.mark.parametrize("wrong", ["nan", "-2000", "0", "inf", "-nan"])
def test_times_that_are_none_are_refused(tmp_path: Path, wrong: str):
    text = formats.benchmark_text(2000).replace(" median=2000", f" median={wrong}")
    assert "a latency is a positive number" in refusal(tmp_path, text)
    ms = float(wrong) / 1e3
    proto = formats.benchmark_result(median_ms=ms, p5_ms=1.0, p95_ms=1.0)
    assert "a latency is a positive number" in refusal(tmp_path, proto.SerializeToString())
    assert "latency.median_ms" in refusal(tmp_path, formats.litert_result(median_ms=ms))
    assert "line 2, 'head/t48'" in refusal(tmp_path, f"key,milliseconds\nhead/t48,{wrong}\n")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("key,seconds\nhead/t48,0.002\n", "convert the times to milliseconds and write key,milliseconds"),
        ("key,ms\nhead/t48,2\n", "'key,ms': write key,milliseconds"),
        ("key,milliseconds\n", "cut off"),
        ("key,milliseconds\nhead/t48\n", "line 2 has 1 fields"),
        ("key,milliseconds\nhead/t48,2\nhead/t48,3\n", "line 3: the key 'head/t48' comes twice"),
        ("key,milliseconds\nhead/t48,two\n", "'two' is not a number"),
        ("hello\n", "no known format"),
        (b"\xff\xfe\x00", "BenchmarkResult"),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "BenchmarkResult"),
        (codecs.BOM_UTF8, "empty"),
    ],
)
def test_other_content_is_refused(tmp_path: Path, content: str | bytes, expected: str):
    assert expected in refusal(tmp_path, content)


def test_a_profile_of_ai_hub_is_read(tmp_path: Path):
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(formats.AI_HUB), encoding="utf-8-sig")
    found = read_network_profile(path)
    assert found.latency_ms == 16.9
    assert found.runs_ms == (16.9, 17.1, 18.25)
    assert found.compute_units == {"NPU": 2, "CPU": 1}
    assert found.peak_memory_bytes == 14450688


def test_a_profile_among_other_reports_is_the_median_of_its_runs(tmp_path: Path):
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(formats.AI_HUB))
    found = read_report(path)
    assert isinstance(found, Timing)
    assert (found.latency_ms, found.statistic, found.repeats) == (17.1, "median", 3)
    assert found.spread_ms == pytest.approx(0.3375)
    summary = {"execution_summary": {"estimated_inference_time": 16900}}
    path.write_text(json.dumps(summary))
    assert read_report(path) == Timing(16.9, "mean", 0.0, 1)


@pytest.mark.parametrize("time", [-1, 0, "16900", None, float("nan")])
def test_an_ai_hub_profile_without_a_latency_is_refused(tmp_path: Path, time: object):
    path = tmp_path / "profile.json"
    summary = {**formats.AI_HUB["execution_summary"], "estimated_inference_time": time}  # pyright: ignore
    path.write_text(json.dumps({"execution_summary": summary}))
    with pytest.raises(InputError, match="download it again"):
        read_network_profile(path)


def test_the_thermal_status_is_read():
    assert read_status(formats.thermal_dump(0)) == 0
    assert read_status(formats.thermal_dump(3).replace("\n", "\r\n")) == 3
    assert read_status("Can't find service: thermalservice\n") is None
