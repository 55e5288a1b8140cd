"""What all commands print alike: `--json`, `--quiet`, the next command, Ctrl-C."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from search.study import load
from tests import ROOT, tiny
from tests.command import Run, search_command
from tests.pictures import draw


def test_the_steps_of_a_search_lead_to_one_another(run: Run, trained: Path, table: Path, tmp_path: Path):
    """Each next command is a command that can be run; a path stays the first line, and stands alone with --quiet."""
    os.chdir(tmp_path)
    search = search_command(trained, table, tmp_path / "study.db")
    told = json.loads(run(*search, "--json").out)
    assert told["n_trials"] == load(str(tmp_path / "study.db"), "s").n_trials == 6
    front = told["next"][1:]
    told = json.loads(run(*front, "--json").out)
    assert (told["file"], told["files"]) == ("front.html", ["front.html"])
    assert run(*front, "--quiet").out == "front.html\n"
    pick = told["next"][1:]
    lines = run(*pick).out.splitlines()
    assert lines[0] == "picked.json"
    assert lines[-1].startswith("next: mfagan finetune picked.json ")
    assert run(*shlex.split(lines[-1])[2:], "--help").status == 0
    picked = json.loads(run(*pick, "--json").out)
    assert picked["trial"] == json.loads(Path("picked.json").read_text())["trial"]
    quiet = run(*search, "--quiet")
    assert (quiet.out, quiet.err) == ("study s: 6 trials, " + quiet.out.partition("trials, ")[2], "")


@pytest.fixture(autouse=True)
def folder_of_the_test():
    before = Path.cwd()
    yield
    os.chdir(before)


@pytest.mark.parametrize(
    "words",
    [
        ["costs", "--widths", "24"],
        ["info", "supergenerator"],
        ["info", "supergenerator", "--card"],
        ["data", "check", "embedded"],
        ["weights", "list"],
        ["evaluate", "--scale", "4", "--images", "{photos}"],
        ["upscale", "{photos}", "{out}", "--widths", "24", "--device", "cpu"],
        ["data", "shrink", "{photos}", "--out", "{out}"],
        ["rank", "--images", "{photos}", "--slices", "3"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_json_is_one_document(run: Run, tmp_path: Path, words: list[str]):
    photos = tiny.write_photos(tmp_path / "photos", n=2, side=48)
    given = [word.format(photos=photos, out=tmp_path / "out") for word in words]
    done = run(*given, "--json", "--quiet")
    assert (done.status, done.err) == (0, "")
    document = json.loads(done.out, parse_constant=lambda name: pytest.fail(name))
    assert isinstance(document, dict)
    assert all(Path(file).exists() for file in document.get("files", []))


def test_an_error_is_the_same_line_with_json(run: Run):
    assert run("costs", "--widths", "0", "--json").message == run("costs", "--widths", "0").message
    assert run("costs", "--widths", "0", "--json").out == ""


def test_a_warning_is_shown_with_quiet(run: Run, tmp_path: Path):
    draw(tmp_path / "photos" / "a.png", 12, 10)
    (tmp_path / "photos" / "b.png").write_bytes(b"no picture")
    command = [
        "upscale",
        tmp_path / "photos",
        tmp_path / "out",
        "--widths",
        "24",
        "--device",
        "cpu",
        "--quiet",
    ]
    done = run(*command)
    assert (done.status, done.out) == (1, f"{tmp_path / 'out' / 'a.png'}\n")
    assert all(line.startswith("mfagan: warning: ") for line in done.err.splitlines())
    assert "b.png" in done.err


def interrupt(command: list[object], ready: Path) -> tuple[int, str, str]:
    """Press Ctrl-C once a file exists or something is in a folder."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mfagan", *map(str, command)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while process.poll() is None and not (any(ready.iterdir()) if ready.is_dir() else ready.exists()):
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


@pytest.mark.slow
def test_ctrl_c_in_a_folder_of_pictures(tmp_path: Path):
    for number in range(200):
        draw(tmp_path / "photos" / f"{number}.png", 64, 64)
    out = tmp_path / "out"
    out.mkdir()
    command = ["upscale", tmp_path / "photos", out, "--widths", "24", "--device", "cpu"]
    status, printed, said = interrupt(command, out)
    assert (status, printed) == (130, "")
    written = sorted(out.iterdir())
    assert all(file.suffix == ".png" for file in written)
    last = said.splitlines()[-1]
    assert last == (
        f"mfagan: interrupted; {len(written)} of 200 files are written, and the same command continues"
    )


@pytest.mark.slow
def test_ctrl_c_in_a_search(trained: Path, table: Path, tmp_path: Path):
    storage = tmp_path / "study.db"
    command = search_command(trained, table, storage, 6000)
    process_sees = tmp_path / "study.db"
    status, printed, said = interrupt(command, process_sees)
    assert (status, printed) == (130, "")
    assert said.splitlines()[-1] == (
        "mfagan: interrupted; finished trials are kept, and the same command continues"
    )
