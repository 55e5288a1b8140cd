"""Our generators in spandrel, as chaiNNer and other programs load them."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mfagan
from mfagan import spandrel as ours
from mfagan.errors import InputError
from mfagan.sr.kinds import PEERS, build
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import Widths
from mfagan.sr.shipped import MODELS
from tests.sr.network.peers.test_published_spandrel import NETWORKS, write

SPANDREL: Any = import_module("spandrel")


@pytest.fixture
def loader(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A loader of a copy of spandrel's registry, in which our generators are installed."""
    registry = SPANDREL.MAIN_REGISTRY.copy()
    monkeypatch.setattr(ours, "MAIN_REGISTRY", registry)
    ours.install()
    return SPANDREL.ModelLoader(registry=registry)


def picture(height: int = 12, width: int = 17) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", MODELS)
def test_shipped_files_are_loaded_and_compute_the_same(loader: Any, name: str):
    found, model = loader.load_from_file(MODELS[name]), mfagan.load(name)
    assert isinstance(found, SPANDREL.ImageModelDescriptor)
    assert (found.architecture.id, found.purpose, found.scale) == ("MFANet", "SR", 4)
    assert (found.input_channels, found.output_channels) == (3, 3)
    assert found.tags == [",".join(map(str, model.widths or ()))]
    assert found.tiling == SPANDREL.ModelTiling.DISCOURAGED
    for size in [(12, 17), (2, 2), (1, 5)]:
        large = found(picture(*size))
        assert large.shape == (1, 3, 4 * size[0], 4 * size[1])
        if min(size) > 1:  # spandrel extends smaller pictures in a way of its own
            torch.testing.assert_close(large, model(picture(*size)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_any_widths_and_scale(loader: Any, scale: int):
    torch.manual_seed(scale)
    network = MFANet(Widths.parse("9,8,7,6,5,4,3,2"), scale, "bicubic").eval()
    found = loader.load_from_state_dict({"params": network.state_dict()})
    assert isinstance(found, SPANDREL.ImageModelDescriptor)
    assert (found.scale, found.model.config()) == (scale, network.config())
    torch.testing.assert_close(found(picture()), network(picture()).clamp(0, 1))
    half = found.half()(picture().half())
    assert (half.float() - network(picture()).clamp(0, 1)).abs().max() < 1 / 255


def test_other_networks_are_found_as_before(loader: Any, tmp_path: Path):
    for file, make in NETWORKS.items():
        path = write(tmp_path / file, make())
        before = SPANDREL.ModelLoader().load_from_file(path)
        assert loader.load_from_file(path).architecture.id == before.architecture.id != "MFANet"
    for kind in PEERS:
        assert not ours.MFANetArchitecture().detect(build(kind, {}).state_dict()), kind
    with pytest.raises(SPANDREL.UnsupportedModelError):
        loader.load_from_state_dict(nn.Conv2d(3, 3, 1).state_dict())


def test_a_second_installation_changes_nothing(loader: Any):
    before = loader.registry.architectures("detection")
    ours.install()
    assert loader.registry.architectures("detection") == before
    assert before[-1].architecture.id == "MFANet"


def test_without_spandrel_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "spandrel", None)
    monkeypatch.delitem(sys.modules, "mfagan.spandrel")
    with pytest.raises(
        InputError, match=r"install it with: pip install --force-reinstall 'mfagan\[peers\]'$"
    ):
        import_module("mfagan.spandrel")
