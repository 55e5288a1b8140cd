"""`mfagan ablate`, called as a user calls it; the fixture `run` is a `Run`."""

import json
import re
from pathlib import Path

import pytest

from mfagan import checkpoint
from mfagan.cli.train.ablate import TABLES, pick_front
from mfagan.data.splits import read_pairs
from mfagan.evaluation.scores import mean_psnr_db
from mfagan.sr.experiments import comparison
from mfagan.sr.experiments.ranking import Slice
from mfagan.sr.kinds import load_generator
from mfagan.sr.network.widths import Widths
from tests import tiny
from tests.command import Run


def prepare(folder: Path) -> list[object]:
    """A recipe of two steps a stage whose stage 1b is validated, and small photos."""
    recipe = tiny.write_recipe(folder, steps=2)
    text = recipe.read_text()
    recipe.write_text(text.replace("[stages.teacher_gan]\n", "[stages.teacher_gan]\nvalidate_every = 1\n"))
    photos = tiny.write_photos(folder / "photos", n=3, side=64)
    return ["ablate", recipe, "--images", photos, "--device", "cpu", "--out", folder / "out"]


def read(folder: Path, table: str) -> tuple[dict, list[str], list[list[str]], list[str]]:
    """The JSON; of the Markdown its heads, its rows and the other lines."""
    facts = json.loads((folder / f"{table}.json").read_text(), parse_constant=pytest.fail)
    lines = (folder / f"{table}.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    heads, _, *rows = cells
    return facts, heads, rows, [line for line in lines if line and not line.startswith("|")]


def require_agreement(folder: Path, table: str) -> dict:
    """Both files tell the same: heads, texts, figures to the decimals that are printed, notes."""
    facts, heads, rows, rest = read(folder, table)
    assert rest == [f"## {facts['title']}", *facts["notes"]]
    assert len(rows) == len(facts["rows"]) > 0
    for row, found in zip(rows, facts["rows"], strict=True):
        assert all(head.startswith(name) for head, name in zip(heads, found, strict=True))
        for cell, value in zip(row, found.values(), strict=True):
            if isinstance(value, str):
                assert cell == value
            else:
                decimals = len(cell.partition(".")[2])
                assert float(cell) == pytest.approx(value, abs=0.5 * 10**-decimals + 1e-9)
    return facts


def test_a_table_is_printed_and_written(run: Run, tmp_path: Path):
    command = [*prepare(tmp_path), "--table", "discriminator"]
    done = run(*command)
    assert done.status == 0, done.err
    facts = require_agreement(tmp_path / "out", "discriminator")
    assert [row["discriminator"] for row in facts["rows"]] == ["PatchGAN", "ESRGAN's"]
    assert [name for name in facts["rows"][0] if "step" in name] == [
        "PSNR-Y during stage 1b step 1",
        "PSNR-Y during stage 1b step 2",
    ]
    assert facts["notes"][-1].startswith(f"`mfagan ablate {tmp_path / 'tiny.toml'} --images ")
    assert facts["notes"][-1].endswith(" --table discriminator`")
    assert done.out.startswith(facts["title"])
    assert all(note in done.out for note in facts["notes"])
    assert sorted(path.name for path in (tmp_path / "out").glob("*.*")) == [
        "discriminator.json",
        "discriminator.md",
        "teacher.safetensors",
        "teacher_discriminator.safetensors",
        "teacher_gan.safetensors",
    ]


@pytest.mark.parametrize("table", ["discriminator", pytest.param("compression", marks=pytest.mark.slow)])
def test_test_sets_stand_beside_the_validation_images(run: Run, tmp_path: Path, table: str):
    sets = [tiny.write_photos(tmp_path / name, n=2, side=40) for name in ("Set5", "Set14")]
    options = [word for one in sets for word in ("--test", one)]
    done = run(*prepare(tmp_path), "--table", table, "--max-steps", 2, *options)
    assert done.status == 0, done.err
    facts = require_agreement(tmp_path / "out", table)
    teacher = load_generator(tmp_path / "out" / "teacher_gan.safetensors")
    for name, folder in zip(("Set5", "Set14"), sets, strict=True):
        expected = mean_psnr_db(teacher, read_pairs(str(folder)))
        assert facts["rows"][0][f"{name} PSNR-Y"] == pytest.approx(expected, abs=1e-4)
    (bicubic,) = [note for note in facts["notes"] if note.startswith("Bicubic: ")]
    assert re.fullmatch(
        r"Bicubic: [\d.]+ dB on validation images, [\d.]+ dB on Set5, [\d.]+ dB on Set14\.", bicubic
    )


def test_lpips_where_its_weights_are(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Random weights: the figures mean nothing, only that they are shown."""
    command = [*prepare(tmp_path), "--table", "discriminator", "--max-steps", 1]
    message = run(*command, "--weights", tmp_path / "absent.pth").message
    assert "absent.pth: no such file" in message
    weights = tiny.write_alexnet(tmp_path / "alexnet.pth", monkeypatch)
    done = run(*command, "--weights", weights)
    assert done.status == 0, done.err
    facts = require_agreement(tmp_path / "out", "discriminator")
    assert all(row["validation images LPIPS alex v0.1"] > 0 for row in facts["rows"])
    assert "LPIPS is left out" not in done.err


@pytest.mark.slow
def test_every_table_and_the_same_command_again(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """One table first, as of an interrupted run; then all, which share its stages; then nothing is trained."""
    monkeypatch.setattr(comparison, "INPUT_SIZE", (16, 16))
    command, out = prepare(tmp_path), tmp_path / "out"

    def contents() -> dict[Path, tuple[int, str]]:
        files = out.rglob("*.safetensors")
        return {path: (path.stat().st_mtime_ns, checkpoint.sha256(path)) for path in files}

    assert run(*command, "--table", "slices").status == 0
    (out / "slices.md").unlink()
    first = contents()
    done = run(*command)
    assert done.status == 0, done.err
    assert (
        done.err.count("scoring slices") == 10 + 1
    )  # the ways to draw widths, then slices and peers together
    every = contents()
    assert {path: every[path] for path in first} == first
    tables = {table: require_agreement(out, table) for table in TABLES}
    assert [len(tables[table]["rows"]) for table in ("compression", "sampling", "discriminator")] == [
        5,
        10,
        2,
    ]
    assert 1 <= len(tables["slices"]["rows"]) <= 5
    for row in tables["slices"]["rows"]:
        assert row["gain"] == pytest.approx(row["slice fine-tuned"] - row["from scratch"], abs=1e-9)
    ours = [f"ours, {row['widths']}" for row in tables["slices"]["rows"]]
    compared = [row["network"] for row in tables["peers"]["rows"]]
    assert sorted(compared) == sorted([*ours, *comparison.COMPARED_PEERS])
    assert [done.out.index(tables[table]["title"]) for table in TABLES] == sorted(
        done.out.index(tables[table]["title"]) for table in TABLES
    )
    again = run(*command)
    assert again.status == 0, again.err
    assert contents() == every
    for table in set(TABLES) - {"peers"}:  # whose latencies are measured again
        assert require_agreement(out, table) == tables[table]
    assert not list(out.rglob("*.state"))


def test_ablations_on_nonsense(run: Run, tmp_path: Path):
    command = prepare(tmp_path)
    message = run(*command, "--table", "table1").message
    assert "table 'table1': choose from compression, sampling, discriminator, slices, peers" in message
    assert not (tmp_path / "out").exists()
    assert "shipped recipes" in run("ablate", "slow", "--out", tmp_path / "w").message
    assert run(*command, "--table", "discriminator").status == 0
    other = run(*command, "--table", "discriminator", "--seed", 1).message
    assert "teacher.safetensors was made with other settings (seed was 0, now 1)" in other


# The slices that are compared


def slices(*figures: tuple[float, int]) -> list[Slice]:
    return [Slice(Widths.uniform(i + 1), psnr_db, flops) for i, (psnr_db, flops) in enumerate(figures)]


def picked(n: int, *figures: tuple[float, int]) -> list[int]:
    return [widths.trunk for widths in pick_front(slices(*figures), n)]


def test_the_dominated_are_left_out_and_the_ends_kept():
    assert picked(5, (30.0, 30), (29.0, 40), (28.0, 10), (29.5, 20), (27.0, 15)) == [3, 4, 1]


def test_a_long_front_is_thinned_evenly():
    line = [(20.0 + i, 10 + i) for i in range(9)]
    assert picked(5, *line) == [1, 3, 5, 7, 9]
    assert picked(2, *line) == [1, 9]
    assert picked(1, *line) == [1]
    assert len(picked(5, *line[:4])) == 4
