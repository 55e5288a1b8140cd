"""`mfagan` itself: what it prints without arguments, its help, and what a command imports."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import mfagan
from mfagan.cli import GUIDE
from tests import ROOT, tiny
from tests.command import Run

STEPS = ["train", "price", "search", "browse", "pick", "fine-tune", "export"]
COMMANDS = [line.split("mfagan ", 1)[1].split("  ")[0] for line in GUIDE.splitlines()[1:8]]
NAMES = ["ablate", "costs", "data", "demo", "evaluate", "export", "finetune", "front", "history", "info"]
NAMES += ["lut", "pick", "rank", "record", "search", "tabulate", "train", "weights"]


def test_without_arguments_it_shows_the_way_in_ten_lines(run: Run):
    done = run()
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert len(lines) == 10
    assert [line.split()[0] for line in lines[1:8]] == STEPS
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_way_is_a_command(run: Run, command: str):
    """Its options are parsed before --help ends it."""
    assert run(*shlex.split(command), "--help").status == 0
    assert run(*shlex.split(command), "--nothing", "--help").status == 2


def test_the_help_groups_all_commands(run: Run):
    text = run("--help").out
    panels = ["Start", "Train", "Price and search", "Use"]
    places = [text.index(f"\n{panel}:\n") for panel in panels]
    assert places == sorted(places)
    listed = re.findall(r"^  ([a-z]\w+) ", text, re.MULTILINE)
    assert sorted(name for name in listed if name in NAMES) == NAMES
    assert run("lut", "build", "--help").status == run("data", "check", "--help").status == 0


def test_the_version(run: Run):
    assert run("--version").out == f"mfagan {mfagan.__version__}\n"


def test_an_unknown_command_ends_in_one_line(run: Run):
    assert "trian" in run("trian").message


LIGHT = {"tensorflow", "lpips", "torchvision", "ai_edge_litert"}


@pytest.fixture(scope="module")
def study(trained: Path, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two trials."""
    path = tmp_path_factory.mktemp("study") / "study.db"
    command = ["search", "--supernet", trained / "supergenerator.safetensors", "--lut", table, "--trials", 2]
    command += ["--images", trained / "photos", "--crop", 32, "--max-images", 1, "--storage", path]
    assert loaded_by(*command).isdisjoint(LIGHT)
    return path


def loaded_by(*arguments: object) -> set[str]:
    """The packages that `mfagan ARGUMENTS` loads in an interpreter of its own."""
    code = "import sys, json\nfrom mfagan.cli import main\ntry: main()\nfinally:\n"
    code += " print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [["--help"], [], ["--version"], ["export", "--help"]], ids=" ".join)
def test_help_loads_nothing_heavy(arguments: list[str]):
    heavy = {*LIGHT, "torch", "numpy", "PIL", "optuna", "plotly"}
    assert loaded_by(*arguments).isdisjoint(heavy)


def test_commands_load_the_libraries_they_need_alone(trained: Path, study: Path, tmp_path: Path):
    photos = tiny.write_photos(tmp_path / "photos", n=1, side=48)
    student = trained / "student.safetensors"
    for arguments in (
        ["info", student],
        ["costs", "--widths", "24"],
        ["front", "--storage", study, "--out", tmp_path / "front.html"],
        ["pick", "--storage", study, "--out", tmp_path / "picked.json", "--knee"],
        ["history", "--storage", study],
        ["data", "check", photos],
        ["evaluate", student, "--images", photos, "--no-latency"],
    ):
        assert loaded_by(*arguments).isdisjoint(LIGHT), arguments
