"""Fine-tuning: which files it finds, and what a slice starts with."""

from pathlib import Path

import pytest
import torch

from mfagan import checkpoint
from mfagan.coronetgan.kinds import load_translator
from mfagan.coronetgan.network.slices import extract, narrowest
from mfagan.coronetgan.network.statistics import N_CALIBRATION, take_statistics
from mfagan.coronetgan.training.finetuning import find_files, finetune_translator
from mfagan.coronetgan.training.stages import train_supernet
from mfagan.coronetgan.training.validation import translate
from mfagan.errors import InputError
from mfagan.evaluation.psnr_ssim import signed_psnr_db
from tests.coronetgan.training.small import tiny_recipe, tiny_run


def test_a_slice_starts_with_running_statistics_of_its_own(tmp_path: Path):
    unet = {"generator": "unet", "norm": "batch", "base": 4, "levels": 3}
    run = tiny_run(tmp_path, tiny_recipe(**unet).with_stage("finetune", learning_rate=1e-12))
    (start,) = train_supernet(run)
    shared = load_translator(start)
    widths = narrowest(shared)
    (tuned,) = finetune_translator(run, find_files(run.recipe, start, tmp_path / "out.safetensors"), widths)
    slim = extract(shared, widths)
    held_out = run.pictures.held_out
    inherited = signed_psnr_db(translate(slim, held_out.a), held_out.b).item()
    drawn = [run.pictures.sampler.batch(number)[0] for number in range(N_CALIBRATION // run.recipe.batch)]
    take_statistics(slim, torch.cat(drawn))
    own = signed_psnr_db(translate(slim, held_out.a), held_out.b).item()
    assert tuned.score_before == pytest.approx(own, abs=1e-4)
    assert tuned.score_before != pytest.approx(inherited, abs=1e-4)


def test_cyclegans_files_stand_beside_each_other(tmp_path: Path):
    run = tiny_run(tmp_path, tiny_recipe("cyclegan", steps=2))
    first, second = train_supernet(run)
    files = find_files(run.recipe, second, tmp_path / "slim_b.safetensors")
    assert files.starts == (first, second)
    assert [one.name for one in files.outs] == ["slim_a.safetensors", "slim_b.safetensors"]
    assert files.own(tmp_path / "slim_b.safetensors") == 1
    assert [one.name for one in files.discriminators] == [
        "supernet_discriminator_a.safetensors",
        "supernet_discriminator_b.safetensors",
    ]
    files.discriminators[0].unlink()
    assert find_files(run.recipe, second, tmp_path / "slim_b.safetensors").discriminators == ()
    first.unlink()
    with pytest.raises(InputError, match="give CycleGAN's other translator with --partner"):
        find_files(run.recipe, second, tmp_path / "slim_b.safetensors")
    found = checkpoint.read(second)
    alone = checkpoint.Checkpoint(found.network, "supernet", found.config, found.state, found.record)
    checkpoint.save(first, alone)
    with pytest.raises(InputError, match="its role is 'supernet'; CycleGAN's translators end in _a or _b"):
        find_files(run.recipe, first, tmp_path / "slim_a.safetensors")
