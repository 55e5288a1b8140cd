"""Files in the formats that spandrel knows, with random weights, against spandrel's own forward pass."""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import mfagan
from mfagan.errors import InputError
from mfagan.graph.costs import trace_costs
from mfagan.pretrained import import_torchvision
from mfagan.registry import load_network
from mfagan.sr.network.peers.plain import SRVGGNetCompact
from mfagan.sr.network.peers.published_spandrel import SpandrelNetwork
from mfagan.sr.network.peers.span import SPAN
from tests import tiny
from tests.command import Run


def architecture(name: str) -> Callable[..., nn.Module]:
    """The class of an architecture in spandrel."""
    import_torchvision()
    return getattr(import_module(f"spandrel.architectures.{name}"), name)


def by_spandrel(path: Path) -> Any:
    """The network of a file as spandrel alone loads it."""
    import_torchvision()
    return import_module("spandrel").ModelLoader().load_from_file(path)


def compact(**arguments: int) -> nn.Module:
    return architecture("Compact")(**({"num_feat": 8, "num_conv": 4, "upscale": 4} | arguments))


def esrgan(scale: int) -> nn.Module:
    return architecture("ESRGAN")(num_filters=8, num_blocks=1, scale=scale)


def span(**arguments: bool) -> nn.Module:
    return architecture("SPAN")(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2, **arguments)


def swinir() -> nn.Module:
    return architecture("SwinIR")(
        upscale=2,
        img_size=16,
        window_size=8,
        embed_dim=12,
        depths=[2],
        num_heads=[2],
        upsampler="pixelshuffle",
    )


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "compact.pth": compact,
    "esrgan.safetensors": lambda: esrgan(2),
    "swinir.pth": swinir,
}


def image(height: int = 21, width: int = 18) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def write(path: Path, network: nn.Module, std: float = 0.1) -> Path:
    """Write random weights in the author's format: those that constructors draw leave some outputs almost blank."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=std)
    state = network.state_dict()
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save({"params": state}, path)
    return path


@pytest.mark.parametrize("file", NETWORKS)
def test_networks_compute_what_spandrel_does(file: str, tmp_path: Path):
    """An odd size, which SwinIR's windows do not divide."""
    path = write(tmp_path / file, NETWORKS[file]())
    network, expected = load_network(path), by_spandrel(path)
    assert isinstance(network, SpandrelNetwork)
    assert (network.scale, network.KIND) == (expected.scale, f"spandrel:{expected.architecture.id}")
    assert not network.training
    network.to(memory_format=torch.channels_last)
    found = network(image())
    assert found.shape == (1, 3, 21 * network.scale, 18 * network.scale)
    torch.testing.assert_close(found, expected(image()))
    assert found.std() > 0.01
    assert not found.is_inference()


def test_loading_does_not_touch_the_global_generator(tmp_path: Path):
    path = write(tmp_path / "a.pth", compact())
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_network(path)
    assert torch.equal(torch.rand(3), expected)


def test_span_with_its_training_branches_needs_no_spandrel(tmp_path: Path):
    path = write(tmp_path / "span.pth", span(), 0.05)
    network, expected = load_network(path), by_spandrel(path)
    assert isinstance(network, SPAN)
    large = network(image()).clamp(0, 1)
    torch.testing.assert_close(large, expected(image()), rtol=1e-4, atol=1e-4)
    assert large.std() > 0.01
    untouched = span(norm=False)
    assert isinstance(load_network(write(tmp_path / "bare.pth", untouched)), SpandrelNetwork)


def test_what_the_authors_code_cannot_run_is_refused_in_one_line(tmp_path: Path):
    network = load_network(write(tmp_path / "compact.pth", compact()))
    with pytest.raises(
        InputError, match=r"spandrel:Compact cannot be run on 1x4x8x8 on cpu \(RuntimeError: .*\)$"
    ):
        network(torch.rand(1, 4, 8, 8))


def test_costs_are_those_of_our_own_network_of_the_kind(tmp_path: Path):
    path = write(tmp_path / "a.pth", compact())
    assert trace_costs(load_network(path), 32, 40) == trace_costs(SRVGGNetCompact(4, 4, 8), 32, 40)


def test_evaluate_and_load_take_the_file(run: Run, tmp_path: Path):
    path = write(tmp_path / "a.pth", compact())
    photos = tiny.write_photos(tmp_path / "photos", n=1, side=64)
    done = run("evaluate", f"a friend's={path}", "--images", f"mine={photos}", "--size", "16x16", "--json")
    assert done.status == 0, done.err
    facts = json.loads(done.out)
    row = facts["rows"][1]
    assert (row["name"], row["network"], row["tags"]) == ("a friend's", "spandrel:Compact", ["8nf", "4nc"])
    assert row["params"] == 6104
    assert row["latency_ms"] > 0
    assert [one["name"] for one in facts["sets"]] == ["mine"]
    model = mfagan.load(path)
    pixels = np.random.default_rng(0).random((9, 10, 3), dtype=np.float32)
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    expected = by_spandrel(path)(x)[0].permute(1, 2, 0)
    np.testing.assert_allclose(model(pixels), expected.numpy(), atol=1e-5)
    assert mfagan.export(model, tmp_path / "a.tflite", size=(16, 16)).max_abs_difference < 1e-4


def test_what_is_not_for_our_task_is_refused(tmp_path: Path):
    def refusal(network: nn.Module) -> str:
        path = write(tmp_path / "a.pth", network)
        with pytest.raises(InputError) as raised:
            load_network(path)
        assert str(raised.value).startswith(f"weights {path}: ")
        return str(raised.value)

    assert "Compact is made for Restoration" in refusal(compact(upscale=1))
    assert "is made for Restoration" in refusal(architecture("DnCNN")(in_nc=3, out_nc=3, nc=8, nb=4))
    assert "has 1 colours in and 1 out" in refusal(compact(num_in_ch=1, num_out_ch=1))
    assert "ESRGAN enlarges by 8; give one" in refusal(esrgan(8))
    assert "knows no network with such weights (2, the first is weight)" in refusal(nn.Conv2d(3, 3, 1))
    broken = compact().state_dict()
    del broken["body.2.weight"]
    torch.save(broken, tmp_path / "a.pth")
    with pytest.raises(
        InputError, match=r"spandrel cannot rebuild the network \(RuntimeError: .*body\.2\.weight"
    ):
        load_network(tmp_path / "a.pth")


def test_without_spandrel_one_line_says_how_to_get_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = write(tmp_path / "a.pth", compact())
    monkeypatch.setitem(sys.modules, "spandrel", None)
    message = run("evaluate", path, "--images", tmp_path).message
    assert "install it with: pip install 'mfagan[peers]';" in message
    assert f"weights {path}: not of a network known here" in message
