"""What the commands for super-resolution say of a generator that makes pictures from random numbers."""

import json
from pathlib import Path

import pytest

from tests.command import Run
from tests.mobilestylegan.saved import write_pair
from tests.mobilestylegan.training.small import build_teacher


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_pair(tmp_path_factory.mktemp("generators"), build_teacher((16, 16, 8, 8)))


def test_info_tells_size_styles_parameters_and_macs(run: Run, files: tuple[Path, Path]):
    found = json.loads(run("info", files[0], "--json").out)
    assert (found["network"], found["role"], found["stage"]) == ("stylegan2", "teacher", "made up")
    assert (found["size"], found["style_dim"], found["w_plus_rows"]) == (32, 8, 8)
    assert (found["channels"], found["mapping_layers"]) == ([16, 16, 8, 8], 2)
    assert (found["params"], found["params_training"], found["params_mapping"]) == (11_515 + 144, 11_515, 144)
    assert found["convolution_macs_transposed_at_output"] > found["convolution_macs_transposed_at_input"] > 0
    student = json.loads(run("info", files[1], "--json").out)
    assert (student["channels"], student["demodulation"], student["heads"]) == ([16, 16, 8], "style", "all")
    assert (student["params_training"], student["params_deployed"]) == (4_929, 4_233)
    shown = run("info", files[1])
    assert shown.status == 0, shown.err
    assert "macs_transposed_at_output" in shown.out


OWN = "makes pictures from random numbers and enlarges none; use `mfagan mobilestylegan "
COMMANDS = {
    "evaluate": (["evaluate", "{file}"], f"{OWN}evaluate {{file}} --teacher TEACHER`"),
    "upscale": (["upscale", "{file}", "x.png", "--model", "{file}"], f"{OWN}sample {{file}} --out sheet.png`"),
    "export": (["export", "{file}", "--out", "x.tflite"], f"{OWN}export {{file}} --out student.tflite`"),
    "benchmark": (["benchmark", "{file}"], f"{OWN}evaluate {{file}} --teacher TEACHER`"),
    "rank": (["rank", "{file}"], "'mfanet' is needed here; use `mfagan mobilestylegan` with it"),
    "search": (
        ["search", "--supernet", "{file}", "--lut", "litert-epyc-2-threads", "--storage", "{file}.db"],
        "'mfanet' is needed here; use `mfagan mobilestylegan` with it",
    ),
    "train": (
        ["train", "demo", "--stage", "teacher", "--init", "{file}", "--out", "x"],
        "'mfanet' is needed here; use `mfagan mobilestylegan` with it",
    ),
    "finetune": (["finetune", "{file}", "--out", "x.safetensors"], "write one with `mfagan pick`"),
    "webpage": (["webpage", "{file}", "--out", "x.html"], "it is not a TFLite file"),
    "info --card": (["info", "{file}", "--card"], "a card is of a network that enlarges pictures, this"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_other_commands_refuse_it_and_name_those_that_take_it(
    run: Run, files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.chdir(tmp_path)
    words, message = COMMANDS[name]
    done = run(*(one.format(file=files[1]) for one in words))
    assert message.format(file=files[1]) in done.message
    assert list(tmp_path.glob("x*")) == []
