"""`mfagan coronetgan import`."""

import json
from pathlib import Path

import torch

from mfagan.coronetgan.kinds import load_translator
from tests.command import Run
from tests.coronetgan.importing.public_networks import UnetGenerator, discriminator, shake

WIDTHS = {"down1": 3, "down2": 5, "down3": 4, "down4": 6, "up1": 2, "up2": 7, "up3": 3}


def test_a_public_generator_becomes_a_checkpoint(run: Run, tmp_path: Path):
    file, out = tmp_path / "latest_net_G.pth", tmp_path / "facades.safetensors"
    torch.save(shake(UnetGenerator(WIDTHS)).state_dict(), file)
    done = run("coronetgan", "import", file, "--out", out, "--json")
    assert done.status == 0, done.err
    answer = json.loads(done.answer)
    assert (answer["network"], answer["role"], answer["widths"]) == ("unet_translator", "imported", WIDTHS)
    assert (answer["norm"], answer["norm_at_inference"], answer["size"]) == ("batch", "image", 256)
    assert load_translator(out).norm_at_inference == "image"
    shown = run("coronetgan", "import", file, "--out", out, "--norm-at-inference", "running")
    assert "unet_translator of " in shown.answer
    assert "batch norm, statistics: running" in shown.answer
    assert load_translator(out).norm_at_inference == "running"
    assert json.loads(run("info", out, "--json").out)["imported_from"]["file"] == "latest_net_G.pth"
    refused = run("coronetgan", "import", file, "--out", tmp_path / "facades.pth")
    assert "end it in .safetensors" in refused.message


def test_a_discriminator_is_refused_in_one_line(run: Run, tmp_path: Path):
    torch.save(discriminator().state_dict(), tmp_path / "latest_net_D.pth")
    done = run("coronetgan", "import", tmp_path / "latest_net_D.pth", "--out", tmp_path / "x.safetensors")
    assert "latest_net_D.pth: a discriminator (it begins with model.0.weight), no generator" in done.message
    assert not (tmp_path / "x.safetensors").exists()
