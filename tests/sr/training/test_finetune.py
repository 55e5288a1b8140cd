import dataclasses
from pathlib import Path

import pytest

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.evaluation.scores import mean_psnr_db
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import load_supernet
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.finetune import FineTuned, finetune, require_discriminator
from mfagan.sr.training.recipe import LossWeights, Stage
from mfagan.sr.training.run import SRRun, SRRunOptions, prepare_run
from mfagan.sr.training.stages import read_recipe

OUT = "small.safetensors"


def start(trained: Path) -> MFANet:
    return load_supernet(trained / "supergenerator.safetensors").extract(Widths.uniform(24))


def prepare(trained: Path, folder: Path, stage: Stage, ema_decay: float = 0.0) -> SRRun:
    recipe = read_recipe(trained / "tiny.toml")
    recipe = dataclasses.replace(recipe, stages={**recipe.stages, "finetune": stage}, ema_decay=ema_decay)
    options = SRRunOptions(folder, device="cpu", images=str(trained / "photos"))
    return prepare_run(recipe, options, ["finetune"])


def tune(run: SRRun, trained: Path) -> tuple[FineTuned, MFANet]:
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
    run = prepare(
        trained, tmp_path, Stage(steps=2, learning_rate=1e-4, weights=LossWeights(recon=1, adv=0.001))
    )
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


def test_without_the_adversarial_term_no_discriminator_is_read(trained: Path, tmp_path: Path):
    run = prepare(trained, tmp_path, Stage(steps=1, learning_rate=1e-4))
    require_discriminator(run.recipe, tmp_path / "absent.safetensors")
    out = tmp_path / OUT
    tuned = finetune(run, start(trained), tmp_path / "absent.safetensors", out, {})
    assert checkpoint.read(out).record["parents"] == {}
    # Version 0.1.0 recorded the discriminator all the same; its file is finished too.
    found = checkpoint.read(out)
    record = {**found.record, "parents": {"discriminator.safetensors": "0" * 64}}
    checkpoint.save(out, dataclasses.replace(found, record=record))
    assert finetune(run, start(trained), tmp_path / "absent.safetensors", out, {}) == tuned


@pytest.mark.parametrize("weights", [LossWeights(), LossWeights(adv=0.005)])
def test_a_fine_tuning_that_found_nothing_better_reports_it_with_the_reason(
    trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, weights: LossWeights
):
    stage = Stage(steps=3, learning_rate=0.02, validate_every=1, weights=weights)
    tuned, _ = tune(prepare(trained, tmp_path, stage), trained)
    assert tuned.best_step == 0
    (line,) = [one for one in caplog.messages if OUT in one]
    curve = checkpoint.read(tmp_path / OUT).record["validation_curve"]
    assert isinstance(curve, list)
    step, psnr_db = max(curve, key=lambda point: point[1])
    assert psnr_db < tuned.psnr_before_db
    assert f"at {tuned.psnr_before_db:.3f} dB: the best of 3 validations, at step {step}" in line
    assert f"has {psnr_db:.3f} dB" in line
    assert ("the weight of adv trades PSNR for looks" in line) == bool(weights.adv)
    assert "lower learning rate" in line
    assert "\n" not in line


def test_a_fine_tuning_that_found_something_better_reports_nothing(
    trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    tuned, _ = tune(prepare(trained, tmp_path, Stage(steps=6, learning_rate=3e-4, validate_every=2)), trained)
    assert tuned.best_step > 0
    assert OUT not in caplog.text
