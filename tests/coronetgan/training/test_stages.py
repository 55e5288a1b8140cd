"""Trainings through the shared run: their files, records, interruptions and refusals."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.coronetgan.network import TRANSLATORS
from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.hyper.translator import HyperTranslator
from mfagan.coronetgan.network.slices import extract, narrowest
from mfagan.coronetgan.training.recipe import Model
from mfagan.coronetgan.training.stages import (
    finetune,
    stage_files,
    train_dense,
    train_distilled,
    train_magnitude,
    train_pruned,
    train_stage,
    train_started,
    train_supernet,
    train_uniform,
)
from mfagan.coronetgan.training.validation import translate
from mfagan.errors import InputError
from mfagan.evaluation.psnr_ssim import signed_psnr_db
from mfagan.progress import ProgressCallback
from mfagan.training.time_limit import Stopped, TimeLimit
from tests.coronetgan.training.small import require_equal, tiny_recipe, tiny_run, with_every_stage
from tests.events import read_events
from tests.training.kills import Killed, bars_until

MODELS: tuple[Model, ...] = ("pix2pix", "cyclegan")
ENDS = {"pix2pix": ("",), "cyclegan": ("_a", "_b")}


def load(path: Path) -> Any:
    found = checkpoint.read(path)
    return TRANSLATORS[found.network].from_checkpoint(found, path)


def figure(found: Checkpoint, name: str) -> Any:
    return found.record[name]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("mask", ["search", "bake"])
def test_a_training_is_pruned_to_the_ratio_and_goes_on(tmp_path: Path, model: Model, mask: str):
    recipe = tiny_recipe(model, steps=14, gamma=9.0, mask=mask)
    paths = train_pruned(tiny_run(tmp_path, recipe), 0.5)
    assert [path.name for path in paths] == [f"pruned{end}.safetensors" for end in ENDS[model]]
    costs = WidthCosts.of(recipe.translator(), 16, 16)
    searched = []
    for end, path in zip(ENDS[model], paths, strict=True):
        found = checkpoint.read(path, role=f"pruned{end}")
        network = load(path)
        ratio = costs.ratio(network.widths)
        assert 0.45 < ratio <= 0.5
        assert figure(found, "ratio_asked") == 0.5
        assert figure(found, f"ratio_reached{end}") == ratio
        assert figure(found, f"widths{end}") == network.widths
        landed, curve = figure(found, f"landed_at{end}"), figure(found, f"ratio_curve{end}")
        assert curve[-1] == [landed, ratio]
        assert 1 < landed < 14
        assert figure(found, f"bake_max_abs_diff{end}") < 2e-6
        assert figure(found, "training_minutes") > figure(found, "search_minutes") > 0
        searched.append(checkpoint.read(tmp_path / f"search{end}.safetensors", role=f"search{end}"))
        assert searched[-1].network == HyperTranslator.KIND
        assert network.biases == "unnormed"
    steps = figure(searched[0], "search_steps")
    assert steps == max(
        figure(one, f"landed_at{end}") for one, end in zip(searched, ENDS[model], strict=True)
    )
    assert figure(checkpoint.read(paths[0]), "validation_curve")[-1][0] == 14 - steps


def test_the_baked_network_is_where_training_goes_on(tmp_path: Path):
    """With a learning rate of nearly nothing after the search, the pruned network is the searched one."""
    run = tiny_run(tmp_path, tiny_recipe(steps=14, gamma=9.0))
    train_stage(run.at(0.5), "search")
    found = checkpoint.read(tmp_path / "search.safetensors")
    network = HyperTranslator.from_checkpoint(found, "search")
    held_out = run.pictures.held_out
    score = signed_psnr_db(translate(network, held_out.a), held_out.b).item()
    assert score == pytest.approx(figure(found, "psnr_db"), abs=1e-3)
    assert signed_psnr_db(translate(network.bake(), held_out.a), held_out.b).item() == pytest.approx(
        score, abs=1e-3
    )
    still = tiny_run(tmp_path, tiny_recipe(steps=14, gamma=9.0).with_stage("pruned", learning_rate=1e-12))
    (path,) = train_stage(still.at(0.5), "pruned")
    assert figure(checkpoint.read(path), "psnr_db") == pytest.approx(score, abs=1e-3)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("at", [("search", 3), ("pruned", 3)], ids=["search", "pruned"])
def test_a_pruning_that_is_interrupted_goes_on_to_the_same_bits(tmp_path: Path, model: Model, at: Any):
    recipe = tiny_recipe(model, steps=14, gamma=9.0, dropout=True, ema_decay=0.5)
    whole = train_pruned(tiny_run(tmp_path / "whole", recipe), 0.5)
    parts, (stage, step) = tmp_path / "parts", at
    if stage == "pruned":
        train_stage(tiny_run(parts, recipe).at(0.5), "search")
    first = stage_files(stage, model)
    with pytest.raises(Killed):
        train_stage(tiny_run(parts, recipe, bars_until(step)).at(0.5), stage)
    assert (parts / next(iter(first.values()))).with_suffix(".state").exists()
    torch.manual_seed(step)  # what else draws numbers between does not matter
    for one, other in zip(train_pruned(tiny_run(parts, recipe), 0.5), whole, strict=True):
        require_equal(one, other)
        require_equal(*(path.with_name(path.name.replace("pruned", "search")) for path in (one, other)))
    for name in first.values():
        require_equal(parts / name, tmp_path / "whole" / name)
    assert not list(parts.glob("*.state"))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("stage", ["dense", "uniform", "supernet"])
def test_other_stages_that_are_interrupted_go_on_to_the_same_bits(tmp_path: Path, model: Model, stage: str):
    recipe = tiny_recipe(model, generator="unet", levels=3, norm="batch", dropout=True)
    whole = train_stage(tiny_run(tmp_path / "whole", recipe).at(0.5), stage)
    with pytest.raises(Killed):
        train_stage(tiny_run(tmp_path / "parts", recipe, bars_until(5)).at(0.5), stage)
    for one, other in zip(
        train_stage(tiny_run(tmp_path / "parts", recipe).at(0.5), stage), whole, strict=True
    ):
        require_equal(one, other)


def test_a_time_limit_stops_a_search_that_goes_on_to_the_same_bits(tmp_path: Path):
    recipe = tiny_recipe(steps=14, gamma=9.0)
    (whole,) = train_pruned(tiny_run(tmp_path / "whole", recipe), 0.5)
    with pytest.raises(Stopped):
        train_pruned(tiny_run(tmp_path / "parts", recipe, limit=TimeLimit(1e-9)), 0.5)
    require_equal(train_pruned(tiny_run(tmp_path / "parts", recipe), 0.5)[0], whole)


@pytest.mark.parametrize("model", MODELS)
def test_translators_learn_the_drawings(tmp_path: Path, model: Model):
    recipe = with_every_stage(tiny_recipe(model, steps=60, batch=4, pool=0), learning_rate=2e-3)
    found = checkpoint.read(train_dense(tiny_run(tmp_path, recipe))[0])
    curve = figure(found, "validation_curve")
    assert curve[-1][1] > curve[0][1] + 1
    assert figure(found, "training_minutes") > 0
    if model == "cyclegan":
        assert {"psnr_a_db", "psnr_b_db", "cycle_psnr_db"} <= set(found.record)


@pytest.mark.parametrize("model", MODELS)
def test_baselines_of_one_ratio(tmp_path: Path, model: Model):
    recipe = tiny_recipe(model, base=16)
    run = tiny_run(tmp_path, recipe)
    dense = train_dense(run)
    costs = WidthCosts.of(recipe.translator(), 16, 16)
    for paths in (train_uniform(run, 0.5), train_magnitude(run, 0.5), train_distilled(run, 0.5)):
        for end, path in zip(ENDS[model], paths, strict=True):
            record, network = checkpoint.read(path).record, load(path)
            assert record[f"ratio_reached{end}"] == costs.ratio(network.widths) <= 0.5
            assert record["ratio_asked"] == 0.5
    parents: Any = checkpoint.read(tmp_path / f"distilled{ENDS[model][0]}.safetensors").record["parents"]
    assert {path.name for path in dense} <= set(parents)
    other = run.varied("ratio-0.3")
    (path, *_) = train_magnitude(other, 0.3, dense=tmp_path)
    assert path.parent == tmp_path / "ratio-0.3"


def test_a_distilled_network_learns_what_the_dense_one_makes(tmp_path: Path):
    recipe = with_every_stage(tiny_recipe(steps=60, batch=4), learning_rate=2e-3)
    run = tiny_run(tmp_path, recipe.with_stage("dense", steps=1))
    (dense,) = train_dense(run)
    (path,) = train_distilled(run, 0.5)
    a = run.pictures.held_out.a
    wanted = translate(load(dense), a)
    assert signed_psnr_db(translate(load(path), a), wanted) > signed_psnr_db(
        translate(load(path), a), run.pictures.held_out.b
    )


@pytest.mark.parametrize("slices", ["in_turn", "all"])
def test_every_slice_of_a_weight_shared_network_learns(tmp_path: Path, slices: str):
    recipe = with_every_stage(tiny_recipe(steps=80, batch=4, base=16, slices=slices), learning_rate=5e-3)
    run = tiny_run(tmp_path, recipe)
    (dense,), (shared,) = train_dense(run), train_supernet(run)
    held_out, scores = run.pictures.held_out, []
    for path in (dense, shared):
        slim = extract(load(path), narrowest(load(path)))
        scores.append(signed_psnr_db(translate(slim, held_out.a), held_out.b).item())
    assert scores[1] > scores[0] + 0.3
    assert scores[1] == pytest.approx(figure(checkpoint.read(shared), "narrowest_psnr_db"), abs=1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_a_slice_is_trained_further_and_the_best_kept(tmp_path: Path, model: Model):
    run = tiny_run(tmp_path, tiny_recipe(model))
    starts = train_supernet(run)
    widths = narrowest(load(starts[0]))
    outs = [tmp_path / f"mine{end}.safetensors" for end in ENDS[model]]
    judges = [tmp_path / f"supernet_discriminator{end}.safetensors" for end in ENDS[model]]
    assert finetune(run, starts, outs, widths, judges, {"pick": "knee"}) == outs
    for end, path in zip(ENDS[model], outs, strict=True):
        found = checkpoint.read(path, role=f"finetuned{end}")
        assert dict(load(path).widths) == widths
        assert figure(found, "score_after") >= figure(found, "score_before")
        assert (found.record["slice"], found.record["pick"]) == (widths, "knee")
    with pytest.raises(InputError, match="stage finetune trains a given network"):
        train_stage(run, "finetune")


def test_a_weight_shared_network_starts_from_a_search_whose_channels_it_sorts(tmp_path: Path):
    run = tiny_run(tmp_path, tiny_recipe(steps=14, gamma=9.0))
    train_stage(run.at(0.5), "search")
    still = tiny_run(tmp_path, tiny_recipe(steps=14).with_stage("supernet", learning_rate=1e-12))
    (path,) = train_supernet(still, [tmp_path / "search.safetensors"])
    searched = HyperTranslator.from_checkpoint(checkpoint.read(tmp_path / "search.safetensors"), "search")
    a = run.pictures.held_out.a
    assert (translate(load(path), a) - translate(searched.bake_full(), a)).abs().max() < 1e-4


def test_a_search_from_a_trained_translator_is_labelled_an_experiment(tmp_path: Path):
    recipe = tiny_recipe(steps=14, gamma=9.0)
    run = tiny_run(tmp_path / "dense", recipe)
    (dense,) = train_dense(run)
    train_pruned(tiny_run(tmp_path / "one", recipe), 0.5, [dense])
    record = checkpoint.read(tmp_path / "one" / "search.safetensors").record
    assert record["started_from_trained"] is True
    (narrow,) = train_uniform(run, 0.5)
    with pytest.raises(InputError, match="start of a search: it is a resnet_translator"):
        train_pruned(tiny_run(tmp_path / "two", recipe), 0.5, [narrow])
    with pytest.raises(InputError, match="1 files to start from: cyclegan has 2 translators; give as many"):
        train_started(tiny_run(tmp_path / "three", tiny_recipe("cyclegan")), "supernet", [dense])


def test_another_kind_of_checkpoint_is_refused_by_its_name(tmp_path: Path):
    run = tiny_run(tmp_path)
    train_dense(run)
    with pytest.raises(InputError, match="its network is 'normed_patchgan'; a translator is needed here"):
        train_supernet(run, [tmp_path / "dense_discriminator.safetensors"])


@pytest.mark.parametrize(
    ("ratio", "message"),
    [
        (0.0, "ratio 0.0: give a share of the MACs, above 0 and at most 1"),
        (1.5, "ratio 1.5: give a share"),
        (float("nan"), "ratio nan: give a share"),
        (0.01, "ratio 0.01: 4 channels of every layer already leave 0"),
        (0.3, "ratio 0.3: a course of 6 steps at learning rate 0.01 is too short for it; give about"),
    ],
)
def test_ratios_that_cannot_be_reached_are_refused_before_training(
    tmp_path: Path, ratio: float, message: str
):
    with pytest.raises(InputError, match=message):
        train_pruned(tiny_run(tmp_path, tiny_recipe(gamma=1.0)), ratio)
    assert not list(tmp_path.glob("search*"))


def test_a_pruned_stage_that_ends_before_the_ratio_is_reached_is_refused_before_training(tmp_path: Path):
    recipe = tiny_recipe(steps=14, gamma=9.0)
    stages = {**recipe.stages, "pruned": replace(recipe.stages["dense"], steps=2)}
    with pytest.raises(
        InputError, match=r"about [0-9]+ steps, and stage pruned, .* ends at step 2: give it 14"
    ):
        train_pruned(tiny_run(tmp_path, replace(recipe, stages=stages)), 0.5)
    assert not list(tmp_path.glob("search*"))


def test_a_ratio_that_is_missed_in_spite_of_the_forecast_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from mfagan.coronetgan.training.forecast import Forecast

    monkeypatch.setattr(Forecast, "require", lambda self, ratio, stage: 1)
    with pytest.raises(
        InputError, match=r"after 5 of 6 steps the ratio is 0\.\d+, not yet what was asked for"
    ):
        train_pruned(tiny_run(tmp_path, tiny_recipe(gamma=0.5)), 0.3)


def test_another_ratio_is_another_training(tmp_path: Path):
    recipe = tiny_recipe(steps=14, gamma=9.0)
    (path,) = train_pruned(tiny_run(tmp_path, recipe), 0.5)
    content = path.read_bytes()
    assert train_pruned(tiny_run(tmp_path, recipe), 0.5) == [path]
    assert path.read_bytes() == content
    with pytest.raises(InputError, match=r"ratio_asked was 0\.5, now 0\.4"):
        train_pruned(tiny_run(tmp_path, recipe), 0.4)


def test_settings_without_effect_tell_no_trainings_apart(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO", "mfagan")
    train_dense(tiny_run(tmp_path))
    train_dense(tiny_run(tmp_path, tiny_recipe(gamma=1.0, cycle=5.0, round_to=8)))
    assert caplog.messages[-1].startswith("dense is finished already")
    with pytest.raises(InputError, match=r"recipe\.l1 was 100\.0, now 50\.0"):
        train_dense(tiny_run(tmp_path, tiny_recipe(l1=50.0)))


def test_values_that_are_not_finite_end_the_training(tmp_path: Path):
    recipe = with_every_stage(tiny_recipe(steps=20), learning_rate=1e12)
    with pytest.raises(InputError, match="training diverged at step"):
        train_dense(tiny_run(tmp_path, recipe))


def test_the_ratio_is_logged_and_shown(tmp_path: Path):
    notes = []

    @contextmanager
    def bars(label: str) -> Iterator[ProgressCallback]:
        yield lambda done, total, note: notes.append(note)

    train_stage(tiny_run(tmp_path, tiny_recipe("cyclegan", steps=14, gamma=9.0), bars).at(0.5), "search")
    assert "ratio_a 0." in notes[-1]
    tags = {
        value.tag for event in read_events(tmp_path / "logs" / "search_a") for value in event.summary.value
    }
    assert {"ratio_a", "ratio_b", "cycle", "validation_cycle_psnr_db", "samples"} <= tags


@pytest.mark.parametrize("model", MODELS)
def test_bf16_and_a_u_net_whose_bottleneck_is_one_px(tmp_path: Path, model: Model):
    """No normalisation follows the innermost convolution, so that instance norm has more than one px everywhere."""
    form = {"generator": "unet", "levels": 4, "norm": "instance", "gan": "vanilla"}
    recipe = tiny_recipe(model, steps=14, gamma=9.0, precision="bf16", upsampling="transposed", **form)
    paths = train_pruned(tiny_run(tmp_path, recipe), 0.5)
    for end, path in zip(ENDS[model], paths, strict=True):
        assert 0.4 < figure(checkpoint.read(path), f"ratio_reached{end}") <= 0.5
