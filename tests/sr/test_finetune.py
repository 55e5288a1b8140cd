import dataclasses
from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.crops import CropSampler
from mfagan.data import Pair, read_split
from mfagan.evaluate import mean_psnr_db
from mfagan.progress import no_bar
from mfagan.sr.elastic import SuperGenerator
from mfagan.sr.finetune import finetune
from mfagan.sr.generator import MFANet
from mfagan.sr.recipe import Stage, read_recipe
from mfagan.sr.stage import StageTrainer
from mfagan.sr.train import TrainingRun, load_discriminator
from mfagan.sr.widths import Widths

CPU = torch.device("cpu")


def start(trained: Path) -> tuple[MFANet, list[Pair], list[Pair]]:
    path = trained / "supergenerator.safetensors"
    network = SuperGenerator.from_checkpoint(checkpoint.read(path), path).extract(Widths.uniform(24))
    return network, *read_split(trained / "photos")


def run(network: MFANet, trained: Path, pairs: list[Pair], held_out: list[Pair], stage: Stage):
    recipe = read_recipe(trained / "tiny.toml")
    recipe = dataclasses.replace(recipe, stages=dataclasses.replace(recipe.stages, finetune=stage))
    discriminator = load_discriminator(trained / "discriminator.safetensors")
    trainer = StageTrainer(recipe, stage, network, CPU, discriminator)
    with no_bar("") as report:
        return finetune(trainer, CropSampler(pairs, recipe.crop_px, recipe.batch), held_out, report)


def test_the_best_validation_is_kept(trained: Path):
    network, pairs, held_out = start(trained)
    tuned = run(network, trained, pairs, held_out, Stage(steps=6, learning_rate=3e-4, validate_every=2))
    assert tuned.best_step in (2, 4, 6)
    assert tuned.psnr_after_db > tuned.psnr_before_db
    assert mean_psnr_db(network, held_out) == tuned.psnr_after_db


def test_a_harmful_run_gives_the_start_back(trained: Path):
    network, pairs, held_out = start(trained)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    tuned = run(network, trained, pairs, held_out, Stage(steps=3, learning_rate=0.5, validate_every=1))
    assert tuned.best_step == 0
    assert tuned.psnr_after_db == tuned.psnr_before_db
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_the_checkpoint_records_pick_and_figures(trained: Path, tmp_path: Path):
    network, pairs, held_out = start(trained)
    recipe = read_recipe(trained / "tiny.toml")
    out = tmp_path / "small.safetensors"
    whole = TrainingRun(recipe, tmp_path, pairs, held_out, "photos", CPU, 0, None, no_bar)
    tuned = whole.finetune(
        network, load_discriminator(trained / "discriminator.safetensors"), out, {"picked": {"trial": 3}}
    )
    found = checkpoint.read(out, "mfanet", "subgenerator")
    assert found.config["widths"] == [24] * 8
    assert found.record["picked"] == {"trial": 3}
    assert found.record["psnr_after_db"] == tuned.psnr_after_db
    assert mean_psnr_db(MFANet.from_checkpoint(found, out), held_out) == tuned.psnr_after_db
