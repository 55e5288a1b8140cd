"""`mfagan.load` of translators, and what is refused."""

from pathlib import Path

import pytest
import torch

import mfagan
from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.coronetgan.kinds import direction_of, load_translator, training_side
from mfagan.coronetgan.network.hyper.translator import HyperTranslator
from mfagan.coronetgan.network.slices import extract, read_widths
from mfagan.errors import InputError
from tests.coronetgan.saved import small_resnet, small_unet, write

CHOICES = {"a": 8, "b": 12, "res": 16, "inner1": 32, "inner2": 24, "u1": 8, "u2": 6}


def x(side: int = 32) -> torch.Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("network", [small_resnet(), small_unet()], ids=lambda one: one.KIND)
def test_a_translator_is_what_was_saved(network, tmp_path: Path):
    model = mfagan.load(write(tmp_path / "x.safetensors", network), device="cpu")
    assert isinstance(model, mfagan.ImageTranslator)
    assert (model.kind, model.widths) == (network.KIND, dict(network.widths))
    assert torch.allclose(model.translate(x()), network(x()), atol=1e-4)
    assert f"ImageTranslator({network.KIND}, n_parameters=" in repr(model)


@pytest.mark.parametrize("role", ["supernet", "supernet_b"])
def test_a_slice_of_a_weight_shared_one_is_its_first_channels(role: str, tmp_path: Path):
    network = small_resnet()
    path = write(tmp_path / "shared.safetensors", network, role)
    model = mfagan.load(path, widths=list(CHOICES.values()), device="cpu")
    widths = read_widths(network, CHOICES)
    assert model.widths == widths
    assert torch.allclose(model.translate(x()), extract(network, widths)(x()), atol=1e-4)
    with pytest.raises(
        InputError, match="give 7 numbers of channels joined by commas, for a, b, res, inner1"
    ):
        mfagan.load(path, widths="8,16")
    with pytest.raises(InputError, match="stem is 9; give 1 to 8 channels"):
        mfagan.load(path, widths="9,12,16,32,24,8,6")


def test_what_was_not_trained_in_slices_has_none(tmp_path: Path):
    path = write(tmp_path / "pruned.safetensors", small_resnet(), "pruned")
    with pytest.raises(InputError, match=r"pruned\.safetensors: a pruned has no trained slices"):
        mfagan.load(path, widths="8,12,16,32,24,8,6")


def test_a_search_is_the_network_that_its_masks_leave(tmp_path: Path):
    torch.manual_seed(0)
    network = HyperTranslator(small_resnet()).eval()
    network.set_masks({"stem": torch.tensor([1, 2, 5, 6]), "inner2": torch.arange(10)})
    found = load_translator(write(tmp_path / "search.safetensors", network, "search"))
    assert (found.widths["stem"], found.widths["inner2"], found.widths["res"]) == (4, 10, 32)
    with torch.no_grad():
        assert torch.allclose(found(x()), network(x()), atol=1e-4)


def test_side_and_direction_are_those_of_the_training():
    def named(role: str, **recipe: object) -> Checkpoint:
        return Checkpoint("resnet_translator", role, {}, {}, {"recipe": recipe} if recipe else {})

    directions = [
        direction_of(named(role, **recipe))
        for recipe in ({}, {"direction": "BtoA"})
        for role in ("pruned", "pruned_a", "pruned_b")
    ]
    assert directions == ["AtoB", "AtoB", "BtoA", "BtoA", "BtoA", "AtoB"]
    assert training_side(named("dense", crop_px=64), small_resnet()) == 64
    assert training_side(named("dense", crop_px=50), small_unet()) == 64
    assert training_side(named("dense"), small_resnet()) == 256


def test_networks_of_others_are_refused_by_kind(trained: Path, tmp_path: Path):
    with pytest.raises(
        InputError, match=r"its network is 'mfanet', a translator of pictures is needed here \(resnet_"
    ):
        load_translator(trained / "supergenerator.safetensors")
    torch.save({}, tmp_path / "latest_net_G.pth")
    with pytest.raises(
        InputError, match=r"`mfagan coronetgan import .*G\.pth --out latest_net_G\.safetensors`"
    ):
        load_translator(tmp_path / "latest_net_G.pth")


def test_weights_that_do_not_fit_and_those_that_are_not_finite(tmp_path: Path):
    network = small_resnet()
    path = write(tmp_path / "x.safetensors", network)
    found = checkpoint.read(path)
    state = {name: one for name, one in found.state.items() if name != "convs.down.weight"}
    checkpoint.save(path, Checkpoint(found.network, "dense", found.config, state))
    with pytest.raises(InputError, match=r"do not fit its description .*convs\.down\.weight"):
        mfagan.load(path)
    checkpoint.save(path, Checkpoint(found.network, "dense", {"widths": {"stem": 8}}, found.state))
    with pytest.raises(InputError, match=r"x\.safetensors: resnet_translator: widths of stem; give those of"):
        mfagan.load(path)
    broken = {**found.state, "convs.down.bias": torch.full((16,), torch.nan)}
    checkpoint.save(path, Checkpoint(found.network, "dense", found.config, broken))
    with pytest.raises(InputError, match=r"convs\.down\.bias hold values that are not finite"):
        mfagan.load(path)


@pytest.mark.parametrize(
    ("command", "call"),
    [
        ("translate {path} IMAGES --out DIR", lambda model: mfagan.upscale("x.png", model)),
        ("evaluate {path} --data DIR", mfagan.costs),
        ("export {path} --out x.tflite", lambda model: mfagan.export(model, "y.tflite")),
    ],
)
def test_functions_that_enlarge_name_what_takes_it(command: str, call, tmp_path: Path):
    path = write(tmp_path / "x.safetensors", small_resnet())
    wanted = f"resnet_translator translates pictures and enlarges none; use `mfagan coronetgan {command}`"
    for model in (path, mfagan.load(path, device="cpu")):
        with pytest.raises(InputError) as caught:
            call(model)
        assert wanted.format(path=path) in str(caught.value)
