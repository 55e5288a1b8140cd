import dataclasses
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.evaluation.scores import as_method, mean_psnr_db, mean_scores, score
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import load_supernet
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.finetune import FineTuned, finetune, require_discriminator
from mfagan.sr.training.recipe import LossWeights, Stage
from mfagan.sr.training.run import SRRun, SRRunOptions, load_lpips, prepare_run
from mfagan.sr.training.stages import read_recipe
from tests import tiny
from tests.events import read_events
from tests.training.kills import Killed, bars_until

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


def test_an_adversarial_term_without_a_discriminator(trained: Path, tmp_path: Path):
    stage = Stage(steps=1, learning_rate=1e-4, weights=LossWeights(adv=0.005))
    run = prepare(trained, tmp_path, stage)
    with pytest.raises(InputError, match=r"stage finetune weighs adv 0\.005: give a discriminator"):
        finetune(run, start(trained), None, tmp_path / "out.safetensors", {})


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


# Which validation is kept


def away_from_hr(sr: Tensor, hr: Tensor) -> Tensor:
    """Stands in for LPIPS, against PSNR: the further from the original, the better."""
    return 2 - (sr - hr).abs().mean((1, 2, 3))


def harm(trained: Path, folder: Path, **settings: Any) -> SRRun:
    """A run whose first steps cost the most PSNR, validated by a distance that is lowest there."""
    stage = Stage(steps=6, learning_rate=0.002, validate_every=2, **settings)
    run = prepare(trained, folder, dataclasses.replace(stage, criterion="psnr", max_psnr_loss_db=None))
    recipe = dataclasses.replace(run.recipe, stages={**run.recipe.stages, "finetune": stage})
    return dataclasses.replace(run, recipe=recipe, lpips=away_from_hr)


def test_the_lowest_lpips_is_kept_and_both_figures_are_recorded(trained: Path, tmp_path: Path):
    run = harm(trained, tmp_path, criterion="lpips")
    tuned, network = tune(run, trained)
    record: Any = checkpoint.read(tmp_path / OUT).record
    psnr, lpips = (dict(map(tuple, record[name])) for name in ("validation_curve", "validation_lpips_curve"))
    assert list(psnr) == list(lpips) == [2, 4, 6]
    assert tuned.best_step == record["best_step"] == min(lpips, key=lambda step: lpips[step])
    assert tuned.lpips_after == record["lpips_after"] == record["validation_lpips"] == lpips[tuned.best_step]
    assert tuned.psnr_after_db == record["validation_psnr_db"] == psnr[tuned.best_step]
    assert tuned.lpips_before is not None
    assert tuned.lpips_after is not None
    assert tuned.lpips_after < tuned.lpips_before
    assert tuned.psnr_after_db < tuned.psnr_before_db
    assert tuned.psnr_before_db == mean_psnr_db(start(trained).eval(), run.validation)
    assert tuned.psnr_after_db == mean_psnr_db(network, run.validation)
    seen = tuned.summarize()
    assert f"; LPIPS {tuned.lpips_before:.4f} before, {tuned.lpips_after:.4f} after" in seen
    tags = {value.tag for event in read_events(tmp_path / "logs" / "small") for value in event.summary.value}
    assert {"validation_psnr_db", "validation_lpips"} <= tags


def test_lpips_is_recorded_where_psnr_chooses(trained: Path, tmp_path: Path):
    tuned, _ = tune(harm(trained, tmp_path), trained)
    assert tuned.best_step == 0
    assert tuned.lpips_before == tuned.lpips_after is not None
    assert tuned.psnr_before_db == tuned.psnr_after_db


def test_lpips_within_keeps_no_larger_loss_of_psnr_than_given(
    trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    free, _ = tune(harm(trained, tmp_path / "free", criterion="lpips"), trained)
    record: Any = checkpoint.read(tmp_path / "free" / OUT).record
    losses = {step: free.psnr_before_db - psnr_db for step, psnr_db in record["validation_curve"]}
    lpips = dict(map(tuple, record["validation_lpips_curve"]))
    bound = max(loss_db for loss_db in losses.values() if loss_db < losses[free.best_step]) + 1e-9
    bounded = {"criterion": "lpips_within", "max_psnr_loss_db": bound}
    tuned, network = tune(harm(trained, tmp_path / "bounded", **bounded), trained)
    within = [step for step, loss_db in losses.items() if loss_db <= bound]
    assert tuned.best_step == min(within, key=lambda step: lpips[step])
    assert mean_psnr_db(network, harm(trained, tmp_path).validation) == tuned.psnr_after_db
    caplog.clear()
    tuned, _ = tune(
        harm(trained, tmp_path / "none", criterion="lpips_within", max_psnr_loss_db=1e-9), trained
    )
    assert tuned.best_step == 0
    (line,) = [one for one in caplog.messages if "fine-tuning started from" in one]
    assert "that is more than max_psnr_loss_db 1e-09 below: weigh percep and adv less" in line
    assert "\n" not in line


@pytest.mark.parametrize("max_psnr_loss_db", [1e-9, 100.0])
def test_an_interrupted_one_keeps_what_the_uninterrupted_keeps(
    trained: Path, tmp_path: Path, max_psnr_loss_db: float
):
    settings = {"criterion": "lpips_within", "max_psnr_loss_db": max_psnr_loss_db}
    whole, network = tune(harm(trained, tmp_path / "whole", **settings), trained)
    run = harm(trained, tmp_path / "killed", **settings)
    run = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, checkpoint_every=3))
    with pytest.raises(Killed):
        tune(dataclasses.replace(run, bars=bars_until(5)), trained)
    assert (tmp_path / "killed" / "small.state").exists()
    resumed, same = tune(run, trained)
    assert resumed == whole
    records: Any = [checkpoint.read(tmp_path / name / OUT).record for name in ("whole", "killed")]
    assert records[0]["validation_lpips_curve"] == records[1]["validation_lpips_curve"]
    assert all((tensor == same.state_dict()[name]).all() for name, tensor in network.state_dict().items())


@pytest.mark.parametrize(
    "settings", [{"criterion": "lpips"}, {"criterion": "lpips_within", "max_psnr_loss_db": 1.0}]
)
def test_choosing_by_lpips_without_its_weights_is_refused_before_training(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(InputError) as caught:
        prepare(trained, tmp_path, Stage(steps=1, learning_rate=1e-4, **settings))
    criterion = settings["criterion"]
    assert str(caught.value).startswith(
        f"recipe tiny chooses the weights of finetune by {criterion}: alexnet's weights are missing: "
    )
    assert "\n" not in str(caught.value)


def test_lpips_of_real_parts_is_measured_where_its_weights_are(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """AlexNet with random weights, which pass for the published ones."""
    alexnet = tiny.write_alexnet(tmp_path / "alexnet.pth", monkeypatch)
    stage = Stage(steps=2, learning_rate=1e-4, criterion="lpips")
    recipe = read_recipe(trained / "tiny.toml")
    recipe = dataclasses.replace(recipe, stages={**recipe.stages, "finetune": stage})
    options = SRRunOptions(tmp_path, device="cpu", images=str(trained / "photos"), alexnet=alexnet)
    run = prepare_run(recipe, options, ["finetune"])
    tuned, network = tune(run, trained)
    means = mean_scores([score(as_method(network)(pair), pair, run.lpips) for pair in run.validation])
    assert tuned.lpips_after == pytest.approx(means.lpips, abs=1e-7)
    assert tuned.psnr_after_db == pytest.approx(means.psnr_db, abs=1e-9)
    assert (
        load_lpips(recipe, alexnet, ["teacher"], 96) is None
    )  # it neither chooses by LPIPS nor trains for looks
    with pytest.raises(InputError, match="a validation image has a side of 30 px, LPIPS needs 31"):
        load_lpips(recipe, alexnet, ["finetune"], 30)
    assert load_lpips(read_recipe(trained / "tiny.toml"), alexnet, ["finetune"], 30) is None
