"""What the shell completes, asked by bash as it asks when Tab is pressed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mfagan.cli.completion import complete_study
from mfagan.sr.shipped import MODELS
from tests import ROOT
from tests.cli.commands import COMMANDS
from tests.command import Run, search_command

HEAVY = ("torch", "optuna", "numpy", "plotly", "PIL")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program `mfagan`, which tells what it loaded."""
    folder = tmp_path_factory.mktemp("bin")
    code = "import sys; from mfagan.cli import main\\ntry: main()\\nfinally:\\n"
    code += f" print(*[one for one in {HEAVY} if one in sys.modules], file=open('{folder}/loaded', 'w'))"
    script = folder / "mfagan"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -c "$(printf "{code}")" "$@"\n'
    )
    script.chmod(0o755)
    return folder


def bash(program: Path, text: str, cwd: Path) -> str:
    environment = os.environ | {"PATH": f"{program}:{os.environ['PATH']}", "SHELL": "/bin/bash"}
    environment["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    done = subprocess.run(
        ["bash", "--norc", "-c", text], env=environment, cwd=cwd, capture_output=True, text=True, check=True
    )
    assert (program / "loaded").read_text() == "\n"
    return done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["mfagan", "lut", "b"], ["build"]),
        (["mfagan", "lut", "build", "--precision", "f"], ["fp32", "fp16"]),
        (["mfagan", "info", ""], list(MODELS)),
        (["mfagan", "upscale", "--model", "fr"], ["free"]),
        (["mfagan", "search", "--supernet", "free", "--lut", "onnx"], ["onnx-epyc-1-thread"]),
        (["mfagan", "costs", "--j"], ["--json"]),
    ],
)
def test_bash_completes(program: Path, tmp_path: Path, typed: list[str], offered: list[str]):
    quoted = " ".join(f"'{word}'" for word in typed)
    text = 'eval "$(mfagan --show-completion bash)"; complete -p mfagan >/dev/null; '
    text += f"COMP_WORDS=({quoted}); COMP_CWORD={len(typed) - 1}; _mfagan_completion mfagan; "
    text += 'printf "%s\\n" "${COMPREPLY[@]}"'
    assert bash(program, text, tmp_path).split() == offered


@pytest.mark.parametrize(
    ("shell", "function"), [("zsh", "#compdef mfagan"), ("fish", "complete --command mfagan")]
)
def test_other_shells_have_a_script(program: Path, tmp_path: Path, shell: str, function: str):
    assert function in bash(program, f"mfagan --show-completion {shell}", tmp_path)


def test_studies_are_completed(run: Run, trained: Path, table: Path, tmp_path: Path):
    storage = tmp_path / "study.db"
    assert run(*search_command(trained, table, storage, 1)).status == 0
    pick = COMMANDS["mfagan pick"]
    for given, names in (([str(storage)], ["s"]), (["sqlite:///" + str(storage)], ["s"]), (["no.db"], [])):
        context = pick.make_context("pick", ["--storage", *given], resilient_parsing=True)
        assert complete_study(context, "") == names
        assert complete_study(context, "other") == []
    (tmp_path / "text.db").write_text("no database")
    context = pick.make_context("pick", ["--storage", str(tmp_path / "text.db")], resilient_parsing=True)
    assert complete_study(context, "") == []
