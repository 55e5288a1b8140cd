"""`mfagan lut plan`, `lut calibrate` and `lut price`: a plan that somebody fills in, a table, and what is refused."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from mfagan.sr.network.widths import Widths
from mfagan.sr.study.calibrating.network_plan import NetworkPlan, distinct_choices, read_plan
from mfagan.sr.study.calibrating.network_times import Settings
from search.latency import LatencyTable
from tests.command import Run
from tests.latency.reports import formats

SIZE = "16x16"


def true_ms(plan: NetworkPlan | Settings, widths: str) -> float:
    """The latency on an invented phone, whose blocks are 1.5 to 3 times as slow as those of the prior table."""
    settings = plan.settings if isinstance(plan, NetworkPlan) else plan
    total = 0.0
    for key, n in settings.list_blocks().count(Widths.parse(widths)).items():
        kind, *parts = key.split("/")
        factor = {"head": 1.5, "cfab": 2.0, "tail": 3.0, "fusion": 2.5, "bicubic": 2.0}[kind]
        total += n * factor * (1.2 if "w24" in parts else 1.0) * PRIOR.entries[key].latency_ms
    return total


PRIOR: LatencyTable


@pytest.fixture(autouse=True)
def _prior(table: Path):
    global PRIOR
    PRIOR = LatencyTable.read(table)


@pytest.fixture
def plan(run: Run, trained: Path, table: Path, tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    done = run("lut", "plan", "--out", path, *common(trained, table), "--size", SIZE)
    assert done.status == 0, done.err
    return path


def common(trained: Path, table: Path | str) -> list[object]:
    return ["--supernet", trained / "supergenerator.safetensors", "--prior", table]


def fill(path: Path, **changes: object) -> dict:
    """Write true latencies into a plan, and changes into its first network."""
    found, content = read_plan(path), json.loads(path.read_text())
    for network in content["networks"]:
        network["milliseconds"] = true_ms(found, network["widths"])
    content["networks"][0] |= changes
    path.write_text(json.dumps(content))
    return content


def calibrate(run: Run, trained: Path, table: Path | str, measured: Path, out: Path, *more: object):
    return run(
        *("lut", "calibrate", measured, "--out", out, *common(trained, table), "--device", "phone", *more)
    )


def test_a_filled_plan_prices_networks_that_were_not_measured(
    run: Run, trained: Path, table: Path, tmp_path: Path, plan: Path
):
    networks = fill(plan)["networks"]
    assert len(networks) == 12
    done = calibrate(run, trained, table, plan, tmp_path / "phone.json", "--json")
    assert done.status == 0, done.err
    facts = json.loads(done.out)
    assert facts["networks"] == 12
    assert facts["left_out_error"] < 0.05
    made, found = LatencyTable.read(tmp_path / "phone.json"), read_plan(plan)
    assert (made.device, made.runtime, made.passes) == ("phone", "litert", PRIOR.passes)
    lists, measured = found.settings.list_blocks(), {network["widths"] for network in networks}
    others = [one for one in distinct_choices() if str(one) not in measured]
    errors = [
        made.price(block.key for block in lists.blocks(one)) / true_ms(found, str(one)) - 1 for one in others
    ]
    assert np.abs(errors).mean() < 0.02
    widths = str(others[0])
    priced = run(
        "lut", "price", tmp_path / "phone.json", "--widths", widths, "--json", *common(trained, "")[:2]
    )
    assert priced.status == 0, priced.err
    answer = json.loads(priced.out)
    assert answer["latency_ms"] == pytest.approx(true_ms(found, widths), rel=0.05)
    assert 0 < answer["error_ms"] < 0.1 * answer["latency_ms"]


def test_a_csv_file_with_a_byte_order_mark(run: Run, trained: Path, table: Path, tmp_path: Path, plan: Path):
    settings = Settings(PRIOR.input_size, 4, "bicubic", PRIOR.passes)
    times = tmp_path / "times.CSV"
    rows = [
        f'"{one}",{true_ms(settings, str(one))}' for one in random.Random(0).sample(distinct_choices(), 12)
    ]
    times.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(["widths,milliseconds", *rows]).encode())
    done = calibrate(run, trained, table, times, tmp_path / "phone.json")
    assert done.status == 0, done.err
    assert "25 blocks priced from 12 networks" in done.out
    assert "each network priced from the others" in done.out
    beside = json.loads((tmp_path / "phone.calibration.json").read_text())
    assert len(beside["networks"]) == 12
    assert beside["table_sha256"] == LatencyTable.read(tmp_path / "phone.json").sha256


def test_without_a_prior_fifteen_networks_are_needed(run: Run, trained: Path, table: Path, tmp_path: Path):
    command = ["lut", "plan", *common(trained, "none"), "--size", SIZE]
    refused = run(*command, "--out", tmp_path / "few.json", "--n", 12)
    assert "the networks tell 12 of the 15 numbers" in refused.message
    assert not (tmp_path / "few.json").exists()
    assert run(*command, "--out", tmp_path / "plan.json", "--n", 15).status == 0
    content = json.loads((tmp_path / "plan.json").read_text())
    for i, network in enumerate(content["networks"]):
        network["milliseconds"] = 10.0 + i
    (tmp_path / "plan.json").write_text(json.dumps(content))
    assert calibrate(run, trained, "none", tmp_path / "plan.json", tmp_path / "a.json").status == 0
    content["networks"] = content["networks"][:-1]
    (tmp_path / "plan.json").write_text(json.dumps(content))
    refused = calibrate(run, trained, "none", tmp_path / "plan.json", tmp_path / "b.json")
    assert "the networks tell 14 of the 15 numbers" in refused.message
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"milliseconds": None}, "1 of 12 networks have no milliseconds"),
        ({"milliseconds": -3.0}, "networks.0.milliseconds: Input should be greater than 0 (found -3.0)"),
        ({"milliseconds": float("nan")}, "networks.0.milliseconds: "),
        ({"milliseconds": "fast"}, "networks.0.milliseconds: Input should be a valid number"),
        ({"widths": "32,32,32,32,32,32,32,48"}, "network 1: its blocks are not those of widths"),
        ({"widths": "40"}, "network 1: widths 40,40,40,40,40,40,40,40: trunk is 40"),
        ({"seconds": 1}, "networks.0.seconds: Extra inputs are not permitted"),
    ],
)
def test_plans_that_are_refused(
    run: Run, trained: Path, table: Path, tmp_path: Path, plan: Path, changes: dict, message: str
):
    fill(plan, **changes)
    refused = calibrate(run, trained, table, plan, tmp_path / "phone.json")
    assert message in refused.message
    assert not (tmp_path / "phone.json").exists()


def test_reports_of_the_networks_by_ai_hub_and_by_other_tools(
    run: Run, trained: Path, table: Path, tmp_path: Path, plan: Path
):
    content = fill(plan)
    expected = calibrate(run, trained, table, plan, tmp_path / "typed.json", "--json")
    reports = tmp_path / "reports"
    reports.mkdir()
    for number, network in enumerate(content["networks"]):
        microseconds = 1e3 * network.pop("milliseconds")
        stem = reports / network["widths"].replace(",", "-")
        if number:
            runs = [microseconds * factor for factor in (0.9, 1, 1.1)]
            summary = {"estimated_inference_time": 0.9 * microseconds, "all_inference_times": runs}
            stem.with_suffix(".json").write_text(json.dumps({"execution_summary": summary}))
        else:
            stem.with_suffix(".txt").write_text(formats.benchmark_text(round(microseconds)))
    plan.write_text(json.dumps(content))
    more = ["--reports", reports]
    found = calibrate(run, trained, table, plan, tmp_path / "reported.json", *more, "--json")
    assert found.status == 0, found.err
    left_out = [json.loads(done.out)["left_out_error"] for done in (found, expected)]
    assert left_out[0] == pytest.approx(left_out[1], abs=2e-3)  # the text has whole microseconds
    last = next(reports.glob("*.json"))
    last.with_suffix(".csv").write_text("key,milliseconds\nhead/t48,2\n")
    assert (
        "there must be one report" in calibrate(run, trained, table, plan, tmp_path / "b.json", *more).message
    )
    last.unlink()
    assert (
        "it holds keys of blocks" in calibrate(run, trained, table, plan, tmp_path / "b.json", *more).message
    )
    for words in (["--reports", tmp_path / "none"], [*more, "--measure"]):
        assert calibrate(run, trained, table, plan, tmp_path / "b.json", *words).status == 2
    assert not (tmp_path / "b.json").exists()


def test_a_network_that_stands_twice(run: Run, trained: Path, table: Path, tmp_path: Path, plan: Path):
    content = fill(plan)
    content["networks"].append(content["networks"][0])
    plan.write_text(json.dumps(content))
    assert "stand in it twice" in calibrate(run, trained, table, plan, tmp_path / "phone.json").message


WIDE = '"48,48,48,48,48,48,48,48"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "its first line is ''; write widths,milliseconds"),
        ("key,ms\n", "its first line is 'key,ms'"),
        ("widths,milliseconds\n", "it has no networks"),
        (f"widths,milliseconds\n{WIDE},nan\n", "line 2: milliseconds are 'nan'; give a positive number"),
        (f"widths,milliseconds\n{WIDE},-1\n", "line 2: milliseconds are '-1'"),
        (f"widths,milliseconds\n{WIDE},3 ms\n", "line 2: milliseconds are '3 ms'"),
        (f"widths,milliseconds\n{WIDE}\n", "line 2: give two columns"),
        ("widths,milliseconds\n48,32,24,1.0\n", "line 2: give two columns"),
        (
            f"widths,milliseconds\n{WIDE},3\n48,4\n",
            "line 3: widths 48,48,48,48,48,48,48,48 stand in an earlier",
        ),
        ("widths,milliseconds\n50,3\n", "line 2: widths 50,50,50,50,50,50,50,50: trunk is 50"),
        ("widths,milliseconds\nwide,3\n", "line 2: widths 'wide': give 8 whole numbers"),
    ],
)
def test_times_that_are_refused(
    run: Run, trained: Path, table: Path, tmp_path: Path, text: str, message: str
):
    times = tmp_path / "times.csv"
    times.write_text(text)
    assert message in calibrate(run, trained, table, times, tmp_path / "phone.json").message


def test_other_refusals(run: Run, trained: Path, table: Path, tmp_path: Path, plan: Path):
    again = run("lut", "plan", "--out", plan, *common(trained, table))
    assert "exists, and may hold latencies" in again.message
    unnamed = run("lut", "calibrate", plan, "--out", tmp_path / "a.json", *common(trained, table))
    assert "device: not given" in unnamed.message
    alone = run("lut", "price", table, "--widths", 48, *common(trained, "")[:2])
    assert "table.calibration.json" in alone.message
    many = run("lut", "plan", "--out", tmp_path / "b.json", "--n", 300, *common(trained, table))
    assert "300 networks: only 252 differ" in many.message


def test_a_record_of_another_table(run: Run, trained: Path, table: Path, tmp_path: Path, plan: Path):
    fill(plan)
    out = tmp_path / "phone.json"
    assert calibrate(run, trained, table, plan, out).status == 0
    changed = json.loads(out.read_text())
    out.write_text(json.dumps({**changed, "threads": 7}))
    assert run("lut", "price", out, "--widths", 48, *common(trained, "")[:2]).status == 2


@pytest.mark.slow
def test_networks_are_timed_here_and_exported(run: Run, trained: Path, table: Path, tmp_path: Path):
    path = tmp_path / "plan.json"
    done = run(
        *("lut", "plan", "--n", 2, "--out", path, "--size", SIZE, *common(trained, table)),
        *("--export", tmp_path / "files"),
    )
    assert done.status == 0, done.err
    files = [network.file for network in read_plan(path).networks]
    assert all(file is not None and Path(file).stat().st_size > 1e5 for file in files)
    more = ["--measure", "--rounds", 1, "--threads", 1]
    done = calibrate(run, trained, table, path, tmp_path / "here.json", *more)
    assert done.status == 0, done.err
    made = LatencyTable.read(tmp_path / "here.json")
    assert (made.threads, made.reference_ms is None) == (1, False)
    assert made.device != "phone"
