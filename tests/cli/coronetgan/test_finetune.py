"""From a trained weight-shared translator to a fine-tuned slice by the commands, on drawings and on pictures."""

import json
from pathlib import Path

import pytest

from mfagan import checkpoint
from mfagan.coronetgan.kinds import load_translator
from mfagan.coronetgan.network.slices import read_widths
from mfagan.coronetgan.study.picked import picked_of, read_picked
from mfagan.coronetgan.training.recipe import Model
from mfagan.coronetgan.training.stages import train_supernet
from tests.command import Run
from tests.coronetgan.study.small import write_table
from tests.coronetgan.training.small import tiny_recipe, tiny_run

GROUP = "coronetgan"
SIDE = 16


def prepare(folder: Path, model: Model) -> list[Path]:
    """Trained supernets of drawings, and a latency table of the last one."""
    starts = train_supernet(tiny_run(folder, tiny_recipe(model, upsampling="shuffle")))
    write_table(folder / "lut.json", load_translator(starts[-1]), SIDE)
    return starts


@pytest.fixture(scope="module")
def paired(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pix2pix")
    prepare(folder, "pix2pix")
    return folder


def pick(run: Run, folder: Path, supernet: Path, storage: Path) -> Path:
    where = ("--storage", storage, "--study", "s")
    given = ("--supernet", supernet, "--lut", folder / "lut.json", "--data", "drawings", "--max-images", 4)
    done = run(GROUP, "search", *given, *where, "--trials", 3, "--device", "cpu")
    assert done.status == 0, done.err
    out = storage.parent / "picked.json"
    done = run(GROUP, "pick", *where, "--max-latency-ms", 1000, "--out", out)
    assert done.status == 0, done.err
    return out


def test_a_pick_is_fine_tuned_and_recorded(run: Run, paired: Path, tmp_path: Path):
    picked = pick(run, paired, paired / "supernet.safetensors", tmp_path / "s.db")
    out = tmp_path / "tuned.safetensors"
    command = (GROUP, "finetune", picked, "--data", "drawings", "--out", out, "--device", "cpu")
    done = run(*command, "--json")
    assert done.status == 0, done.err
    answer = json.loads(done.answer)
    assert answer["psnr_after_db"] >= answer["psnr_before_db"]
    assert answer["next"][:3] == ["mfagan", "coronetgan", "export"]
    found = checkpoint.read(out, role="finetuned")
    choice = read_picked(picked).choice
    full = load_translator(paired / "supernet.safetensors")
    assert dict(load_translator(out).widths) == read_widths(full, choice)
    assert "supernet_discriminator.safetensors" in str(found.record["parents"])
    history = run("history", "--storage", tmp_path / "s.db", "--study", "s").out
    assert "dB before" in history
    assert str(out) in history
    assert picked_of(found, out) == read_picked(picked)
    again = run(*command)  # is finished already
    assert again.status == 0, again.err
    assert run("info", out).status == 0


def test_a_slice_without_a_study_is_fine_tuned(run: Run, paired: Path, tmp_path: Path):
    full = load_translator(paired / "supernet.safetensors")
    assert list(full.widths.values()) == [8, 16, 32, 32, 16, 8]
    words = ("--data", "drawings", "--widths", "8,16,24,16,8,4", "--max-steps", 2, "--device", "cpu")
    out = tmp_path / "tuned.safetensors"
    done = run(GROUP, "finetune", paired / "supernet.safetensors", *words, "--out", out)
    assert done.status == 0, done.err
    assert list(load_translator(out).widths.values()) == [8, 16, 24, 16, 8, 4]


def test_both_translators_of_cyclegan_are_cut_and_trained(run: Run, tmp_path: Path):
    first, second = prepare(tmp_path, "cyclegan")
    picked = pick(run, tmp_path, second, tmp_path / "s.db")
    assert read_picked(picked).role == "supernet_b"
    out = tmp_path / "tuned.safetensors"
    command = (GROUP, "finetune", picked, "--data", "drawings", "--max-steps", 2, "--device", "cpu")
    done = run(*command, "--out", out)
    assert done.status == 0, done.err
    other = tmp_path / "tuned_a.safetensors"
    assert load_translator(out).widths == load_translator(other).widths
    roles = [checkpoint.read(path).role for path in (out, other)]
    assert roles == ["finetuned_b", "finetuned_a"]
    assert picked_of(checkpoint.read(out), out) == read_picked(picked)
    assert picked_of(checkpoint.read(other), other) is None
    assert (
        "cycle_psnr" not in run("history", "--storage", tmp_path / "s.db", "--study", "s").out
    )  # drawn in pairs
    moved = first.rename(tmp_path / "elsewhere.safetensors")
    refused = run(*command, "--out", tmp_path / "more.safetensors")
    assert "no such file; give CycleGAN's other translator with --partner" in refused.message
    done = run(*command, "--partner", moved, "--out", tmp_path / "more.safetensors")
    assert done.status == 0, done.err


def test_what_cannot_be_fine_tuned_is_refused_in_one_line(run: Run, paired: Path, tmp_path: Path):
    supernet, out = paired / "supernet.safetensors", tmp_path / "x.safetensors"
    picked = pick(run, paired, supernet, tmp_path / "s.db")

    def refused(source: Path, *words: object) -> str:
        return run(GROUP, "finetune", source, "--data", "drawings", "--out", out, *words).message

    assert "the pick" in refused(picked, "--widths", "8,16,24,16,8,4")
    assert "--supernet and --storage belong to a pick" in refused(supernet, "--supernet", supernet)
    assert "give 6 numbers of channels" in refused(supernet, "--widths", "8,16")
    assert "pix2pix trains one translator; leave it out" in refused(picked, "--partner", supernet)
    judge = paired / "supernet_discriminator.safetensors"
    assert "a translator of pictures is needed here" in refused(judge)
    assert not out.exists()
