"""What the commands for super-resolution say of a network that translates pictures."""

import json
from pathlib import Path

import pytest
import torch

from mfagan.coronetgan.network.hyper.translator import HyperTranslator
from tests.command import Run
from tests.coronetgan.saved import small_resnet, small_unet, write


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("translators")
    torch.manual_seed(0)
    search = HyperTranslator(small_resnet())
    search.set_masks({"stem": torch.arange(4)})
    networks = {"resnet": small_resnet(), "unet": small_unet(), "search": search}
    record: dict[str, object] = {"recipe": {"crop_px": 64}}
    return {
        name: write(folder / f"{name}.safetensors", one, "search" if one is search else "dense", record)
        for name, one in networks.items()
    }


def test_info_tells_form_widths_parameters_and_macs(run: Run, files: dict[str, Path]):
    found = json.loads(run("info", files["resnet"], "--json").out)
    assert (found["network"], found["role"], found["norm"]) == ("resnet_translator", "dense", "instance")
    assert (found["params"], found["size"], found["norm_at_inference"]) == (50_947, 64, "image")
    assert found["macs_transposed_at_input"] == 23_789_568
    assert found["macs_transposed_at_output"] == 30_867_456
    assert found["widths"]["inner2"] == 32
    unet = json.loads(run("info", files["unet"], "--json").out)
    assert (unet["network"], unet["norm"], unet["norm_at_inference"]) == (
        "unet_translator",
        "batch",
        "running",
    )
    assert unet["params"] == sum(one.numel() for one in small_unet().parameters())
    search = json.loads(run("info", files["search"], "--json").out)
    assert (search["translator"], search["params_training"]) == ("resnet_translator", 549_193)
    assert (search["widths"]["stem"], search["widths"]["down"]) == (4, 16)
    assert search["macs_transposed_at_input"] < 23_789_568
    shown = run("info", files["resnet"])
    assert shown.status == 0, shown.err
    assert "macs_transposed_at_output" in shown.out


OWN = "resnet_translator translates pictures and enlarges none; use `mfagan coronetgan "
HINT = "'mfanet' is needed here; use `mfagan coronetgan` with it"
COMMANDS = {
    "evaluate": (["evaluate", "{file}"], f"{OWN}evaluate {{file}} --data DIR`"),
    "upscale": (["upscale", "{file}", "x.png", "--model", "{file}"], f"{OWN}translate {{file}} IMAGES --out DIR`"),
    "export": (["export", "{file}", "--out", "x.tflite"], f"{OWN}export {{file}} --out resnet.tflite`"),
    "benchmark": (["benchmark", "{file}"], f"{OWN}export {{file}} --out resnet.tflite`"),
    "rank": (["rank", "{file}"], HINT),
    "train": (["train", "demo", "--stage", "teacher", "--init", "{file}", "--out", "x"], HINT),
    "search": (["search", "--supernet", "{file}", "--lut", "litert-epyc-2-threads", "--storage", "{file}.db"], HINT),
    "info --card": (["info", "{file}", "--card"], "a card is of a network that enlarges pictures, this"),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_other_commands_refuse_it_and_name_those_that_take_it(
    run: Run, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.chdir(tmp_path)
    words, message = COMMANDS[name]
    done = run(*(one.format(file=files["resnet"]) for one in words))
    assert message.format(file=files["resnet"]) in done.message
    assert list(tmp_path.glob("x*")) == []
