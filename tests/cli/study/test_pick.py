"""`mfagan pick` through the command line: the criteria, the reason, limits, and what cannot be picked."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from search.study import StudyRecord, load
from tests.command import Run, search_command


@pytest.fixture(scope="module")
def folder(trained: Path, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of six trials on two pictures, study.db."""
    folder = tmp_path_factory.mktemp("searched")
    command = search_command(trained, table, folder / "study.db")
    command[command.index("--max-images") + 1] = 2
    subprocess.run([sys.executable, "-m", "mfagan", *map(str, command)], check=True)
    return folder


@pytest.fixture(scope="module")
def searched(folder: Path) -> StudyRecord:
    return load(str(folder / "study.db"), "s")


def pick(run: Run, folder: Path, *how: object) -> tuple[dict, str]:
    """What `mfagan pick` wrote, and the line that says why."""
    out = folder / "picked.json"
    done = run("pick", "--storage", folder / "study.db", "--study", "s", *how, "--out", out)
    assert done.status == 0, done.err
    path, reason = done.answer.splitlines()
    assert path == str(out)
    return json.loads(out.read_text()), reason


def test_the_reason_is_printed_and_kept(run: Run, searched: StudyRecord, folder: Path):
    picked, reason = pick(run, folder, "--max-latency-ms", 1e6)
    best = max(searched.points, key=lambda point: point.values[0])
    assert reason == f"trial {best.number}: best PSNR-Y under 1,000,000 ms, the best PSNR-Y of all"
    assert picked["reason"] == reason
    assert picked["trial"] == best.number


def test_a_pick_with_a_reason_is_still_its_trial(
    run: Run, searched: StudyRecord, trained: Path, folder: Path
):
    pick(run, folder, "--knee")
    done = run(
        *("finetune", folder / "picked.json", "--discriminator", trained / "discriminator.safetensors"),
        *("--images", trained / "photos", "--out", folder / "small.safetensors"),
    )
    assert done.status == 0, done.err
    assert "is not recorded in its history" not in done.err
    history = run("history", "--storage", folder / "study.db", "--study", "s").out
    assert "fine-tuned" in history


def test_ceilings_and_a_floor(run: Run, searched: StudyRecord, folder: Path):
    params = sorted(int(str(point.attributes["params"])) for point in searched.points)
    picked, reason = pick(run, folder, "--max-params", params[2], "--max-latency-ms", 1e6)
    assert picked["params"] <= params[2]
    assert f"under 1,000,000 ms and {params[2]:,} parameters" in reason
    floor = sorted(point.values[0] for point in searched.points)[2]
    picked, reason = pick(run, folder, "--min-psnr-db", floor)
    assert picked["psnr_db"] >= floor
    assert picked["latency_ms"] == min(p.values[1] for p in searched.points if p.values[0] >= floor)
    flops = sorted(int(str(point.attributes["flops"])) for point in searched.points)
    assert pick(run, folder, "--knee", "--max-gflops", flops[0] / 1e9)[0]["flops"] == flops[0]


def test_weights_and_one_standard_error(run: Run, searched: StudyRecord, folder: Path):
    cheapest = min(searched.points, key=lambda point: point.values[1])
    picked, reason = pick(run, folder, "--weigh", "latency_ms=2", "--weigh", "psnr_db=0")
    assert picked["trial"] == cheapest.number
    assert reason.startswith(f"trial {cheapest.number}: lowest weighted loss (Latency 2, PSNR-Y 0), ")
    assert "one standard error" in pick(run, folder, "--one-standard-error")[1]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (["--max-latency-ms", 1e-6], "raise --max-latency-ms to "),
        (["--knee", "--max-gflops", 1e-9], "raise --max-gflops to "),
        (["--min-psnr-db", 99], "lower --min-psnr-db to "),
        (["--trial", 0, "--max-params", 9], "a trial that is picked by its number is not limited"),
        (["--weigh", "latency_ms"], "--weigh 'latency_ms': give each objective once as NAME=WEIGHT"),
        (["--weigh", "a=1", "--weigh", "a=2"], "--weigh 'a=2'"),
        (["--weigh", "a=1"], "no objective 'a' to weigh: choose from ['psnr_db', 'latency_ms']"),
    ],
)
def test_what_cannot_be_picked(run: Run, folder: Path, tmp_path: Path, how: list[object], message: str):
    out = tmp_path / "picked.json"
    done = run("pick", "--storage", folder / "study.db", "--study", "s", *how, "--out", out)
    assert message in done.message
    assert not out.exists()


def test_one_image_has_no_standard_error(run: Run, trained: Path, table: Path, tmp_path: Path):
    assert run(*search_command(trained, table, tmp_path / "study.db", 2)).status == 0
    done = run(
        *("pick", "--storage", tmp_path / "study.db", "--study", "s", "--one-standard-error"),
        *("--out", tmp_path / "picked.json"),
    )
    assert "was scored on 1 independent case: search again in a new study, scored on 2 images" in done.message


def test_by_eye_leads_to_a_pick(run: Run, folder: Path):
    page = folder / "ab.html"
    study = ["--storage", folder / "study.db", "--study", "s", "--max-latency-ms", 1e6]
    done = run("pick", *study, "--by-eye", page, "--comparisons", 10)
    assert done.status == 0, done.err
    (text,) = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.DOTALL
    )
    data = json.loads(text)
    assert len(data["comparisons"]) == 10
    assert data["pictures"][0].startswith("data:image/webp;base64,")
    said = [
        {name: one[name] for name in ("left", "right", "scene")} | {"better": "neither"}
        for one in data["comparisons"]
    ]
    answers = {name: data[name] for name in ("format", "study", "points_sha256")} | {"answers": said}
    (folder / "answers.json").write_text(json.dumps(answers))
    assert f"next: {data['command']}" in done.out
    words = shlex.split(data["command"])
    assert words[:2] == ["mfagan", "pick"]
    words[words.index("--answers") + 1] = str(folder / "answers.json")
    words[words.index("--out") + 1] = str(folder / "by_eye.json")
    done = run(*words[1:])
    assert done.status == 0, done.err
    picked = json.loads((folder / "by_eye.json").read_text())
    assert picked["trial"] in {number for one in said for number in (one["left"], one["right"])}
    assert re.search(r"\(10 answers, (\d) of \1 repetitions answered alike\)$", picked["reason"])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (["--by-eye", "ab.html", "--knee"], "--by-eye writes a page and picks nothing yet"),
        (["--by-eye", "ab.html", "--out", "picked.json"], "leave --out and other criteria out"),
        (["--knee"], "give --out FILE, to write the pick, or --by-eye PAGE"),
        (["--answers", "absent.json", "--out", "picked.json"], "absent.json: no such file"),
        (
            ["--answers", "absent.json", "--knee", "--out", "picked.json"],
            "--answers is a criterion of its own",
        ),
    ],
)
def test_by_eye_stands_alone(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: list[object], message: str
):
    monkeypatch.chdir(tmp_path)
    assert message in run("pick", "--storage", folder / "study.db", "--study", "s", *how).message
    assert list(tmp_path.glob("*.html")) + list(tmp_path.glob("*.json")) == []
