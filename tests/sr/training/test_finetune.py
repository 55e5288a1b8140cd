import dataclasses
from pathlib import Path

import pytest

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.evaluation.scores import mean_psnr_db
from mfagan.progress import no_progress
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import load_supernet
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.finetune import FineTuned, finetune
from mfagan.training.recipe import Stage, read_recipe
from mfagan.training.run import RunOptions, TrainingRun, prepare_run

OUT = "small.safetensors"


def start(trained: Path) -> MFANet:
    return load_supernet(trained / "supergenerator.safetensors").extract(Widths.uniform(24))


def prepare(trained: Path, folder: Path, stage: Stage, ema_decay: float = 0.0) -> TrainingRun:
    recipe = read_recipe(trained / "tiny.toml")
    stages = dataclasses.replace(recipe.stages, finetune=stage)
    recipe = dataclasses.replace(recipe, stages=stages, ema_decay=ema_decay)
    return prepare_run(recipe, RunOptions(folder, str(trained / "photos"), device="cpu"), no_progress)


def tune(run: TrainingRun, trained: Path) -> tuple[FineTuned, MFANet]:
    out = run.options.folder / OUT
    facts = {"picked": {"trial": 3, "widths": (24,) * 8}}
    tuned = finetune(run, start(trained), trained / "discriminator.safetensors", out, facts)
    return tuned, MFANet.from_checkpoint(checkpoint.read(out, "mfanet", "subgenerator"), out)


def test_the_best_validation_is_kept(trained: Path, tmp_path: Path):
    run = prepare(trained, tmp_path, Stage(steps=6, learning_rate=3e-4, validate_every=2))
    tuned, network = tune(run, trained)
    assert tuned.best_step in (2, 4, 6)
    assert tuned.psnr_after_db > tuned.psnr_before_db
    assert mean_psnr_db(network, run.validation) == tuned.psnr_after_db


def test_a_harmful_run_gives_the_start_back(trained: Path, tmp_path: Path):
    run = prepare(trained, tmp_path, Stage(steps=3, learning_rate=0.02, validate_every=1))
    tuned, network = tune(run, trained)
    assert tuned.best_step == 0
    assert tuned.psnr_after_db == tuned.psnr_before_db
    before = start(trained).state_dict()
    assert all((tensor == before[name]).all() for name, tensor in network.state_dict().items())


def test_the_checkpoint_records_pick_and_figures(trained: Path, tmp_path: Path):
    run = prepare(trained, tmp_path, Stage(steps=2, learning_rate=1e-4))
    tuned, network = tune(run, trained)
    record = checkpoint.read(tmp_path / OUT).record
    assert network.config()["widths"] == [24] * 8
    assert record["picked"] == {"trial": 3, "widths": [24] * 8}
    assert record["psnr_after_db"] == tuned.psnr_after_db == mean_psnr_db(network, run.validation)
    parents = {"discriminator.safetensors": checkpoint.sha256(trained / "discriminator.safetensors")}
    assert record["parents"] == parents


def test_a_finished_one_is_left_and_another_refused(trained: Path, tmp_path: Path):
    run = prepare(trained, tmp_path, Stage(steps=2, learning_rate=1e-4))
    first, _ = tune(run, trained)
    content = (tmp_path / OUT).read_bytes()
    assert tune(run, trained)[0] == first
    assert (tmp_path / OUT).read_bytes() == content
    with pytest.raises(
        InputError, match=r"small\.safetensors was made with other settings \(steps was 2, now 3\)"
    ):
        tune(prepare(trained, tmp_path, Stage(steps=3, learning_rate=1e-4)), trained)
    assert (tmp_path / OUT).read_bytes() == content
