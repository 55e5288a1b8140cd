"""A checkpoint that leaves out arguments with a default is read by every command alike."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mfagan import checkpoint
from tests.command import Run, search_command


@pytest.fixture
def bare(trained: Path, tmp_path: Path) -> Path:
    """A folder with the SuperGenerator, which does not say its scale."""
    found = checkpoint.read(trained / "supergenerator.safetensors")
    config = {name: value for name, value in found.config.items() if name != "scale"}
    path = tmp_path / "bare" / "supergenerator.safetensors"
    path.parent.mkdir()
    checkpoint.save(path, replace(found, config=config))
    assert "scale" not in checkpoint.read(path).config
    return path


Command = Callable[[Path, Path, Path, Path], list[object]]
COMMANDS: dict[str, Command] = {
    "info": lambda bare, trained, table, out: ["info", bare],
    "rank": lambda bare, trained, table, out: ["rank", bare, "--images", trained / "photos", "--slices", 3],
    "evaluate": lambda bare, trained, table, out: [
        *("evaluate", bare, "--images", trained / "photos", "--no-latency", "--device", "cpu")
    ],
    "export": lambda bare, trained, table, out: [
        "export",
        bare,
        "--out",
        out / "x.tflite",
        "--size",
        "16x16",
    ],
    "search": lambda bare, trained, table, out: [
        *search_command(bare.parent, table, out / "study.db", trials=2),
        *("--images", trained / "photos"),
    ],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_missing_scale_is_the_default(
    name: str, bare: Path, trained: Path, table: Path, run: Run, tmp_path: Path
):
    done = run(*COMMANDS[name](bare, trained, table, tmp_path))
    assert done.status == 0, done.err


def test_a_search_on_it_is_picked_and_fine_tuned(
    bare: Path, trained: Path, table: Path, run: Run, tmp_path: Path
):
    storage = tmp_path / "study.db"
    assert run(*COMMANDS["search"](bare, trained, table, tmp_path)).status == 0
    picked = tmp_path / "picked.json"
    assert run("pick", "--storage", storage, "--study", "s", "--trial", 0, "--out", picked).status == 0
    tuned = tmp_path / "tuned.safetensors"
    done = run(
        *("finetune", picked, "--out", tuned, "--discriminator", trained / "discriminator.safetensors"),
        *("--images", trained / "photos", "--device", "cpu", "--max-steps", 1),
    )
    assert done.status == 0, done.err
    assert checkpoint.read(tuned).config["scale"] == 4


def test_info_shows_the_defaults(bare: Path, run: Run):
    shown = json.loads(run("info", bare, "--json").out)
    assert shown["scale"] == 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scale": "four"}, "scale is 'four'; choose 2, 3 or 4"),
        ({"scale": 5}, "scale is 5; choose 2, 3 or 4"),
        ({"residual": "bilinear"}, "residual 'bilinear': give none or bicubic"),
        ({"colour": True}, "mfanet cannot be built from"),
    ],
)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_value_that_a_network_does_not_take_is_refused_by_every_command(
    name: str,
    change: dict[str, object],
    words: str,
    bare: Path,
    trained: Path,
    table: Path,
    run: Run,
    tmp_path: Path,
):
    found = checkpoint.read(bare)
    checkpoint.save(bare, replace(found, config={**found.config, **change}))
    message = run(*COMMANDS[name](bare, trained, table, tmp_path)).message
    assert f"checkpoint {bare}: {words}" in message
