from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.data.images import resize_bicubic
from mfagan.errors import InputError
from mfagan.graph.costs import sum_costs
from mfagan.graph.trace import trace_operators
from mfagan.shipped import SYSTEMS
from mfagan.sr.kinds import KINDS, PEERS, Generator, build, load_generator
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths

CONFIGS: dict[str, dict[str, object]] = {
    "mfanet": {"widths": [6, 4, 5, 4, 3, 4, 4, 5]},
    "rrdbnet": {"n_blocks": 1, "features": 8, "growth": 4},
    "srresnet": {"n_blocks": 1, "features": 8},
    "imdn": {"n_blocks": 2, "features": 16},
    "rfdn": {"n_blocks": 2, "features": 16},
    "span": {"n_blocks": 2, "features": 8},
    "edsr": {"n_blocks": 1, "features": 8},
    "srvggnetcompact": {"n_blocks": 2, "features": 8, "activation": "leakyrelu"},
    "quicksrnet": {"n_blocks": 2, "features": 8},
    "spanv2": {"n_blocks": 2, "features": 8},
}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def image(side: int = 18) -> Tensor:
    return torch.rand(1, 3, side, side + 2, generator=torch.Generator().manual_seed(0))


def make(kind: str, **changes: object) -> Generator:
    torch.manual_seed(1)
    return build(kind, CONFIGS[kind] | changes)


def write(path: Path, network: Generator, role: str = "x") -> Path:
    checkpoint.save(path, Checkpoint(network.KIND, role, network.config(), network.state_dict()))
    return path


@EVERY_KIND
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("residual", ["none", "bicubic"])
def test_a_checkpoint_gives_the_same_network(kind: str, scale: int, residual: str, tmp_path: Path):
    network = make(kind, scale=scale, residual=residual)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    loaded = load_generator(write(tmp_path / "a", network))
    assert kind == loaded.KIND
    assert (loaded.scale, loaded.residual_kind) == (scale, residual)
    assert loaded.config() == network.config()
    assert not loaded.training
    with torch.inference_mode():
        assert torch.equal(loaded(image()), network.eval()(image()))
        assert loaded(image()).shape == (1, 3, 18 * scale, 20 * scale)


@pytest.mark.parametrize("kind", sorted(PEERS))
def test_an_untrained_peer_that_adds_details_starts_with_filters_that_see_them(kind: str):
    """As our own network does, so that a comparison after equal steps is one of the networks."""
    network, plain = make(kind, residual="bicubic"), make(kind)
    first = PEERS[kind].FIRST
    assert (first is None) == (kind == "quicksrnet")
    if first is None:
        return
    flat = torch.full((1, 3, 6, 6), 0.7)
    with torch.no_grad():
        assert network.get_submodule(first)(flat)[:, :, 1:-1, 1:-1].abs().max() < 1e-5
        assert plain.get_submodule(first)(flat).abs().max() > 0.01


@EVERY_KIND
@pytest.mark.parametrize("scale", [2, 4])
def test_an_untrained_network_with_the_bicubic_residual_is_bicubic_enlargement(kind: str, scale: int):
    network = make(kind, scale=scale, residual="bicubic")
    with torch.inference_mode():
        torch.testing.assert_close(network(image()), resize_bicubic(image(), scale), rtol=0, atol=1e-5)
    plain = make(kind, scale=scale)
    assert list(plain.state_dict()) == list(network.state_dict())
    assert not torch.equal(plain(image()), network(image()))


@EVERY_KIND
def test_costs_are_traced_without_computing(kind: str):
    for residual in ("none", "bicubic"):
        network = make(kind, residual=residual)
        real = sum_costs(trace_operators(network, 16, 20))
        assert real == sum_costs(trace_operators(network.to("meta"), 16, 20))
        assert real.params == sum(parameter.numel() for parameter in network.parameters())


def test_a_slice_of_a_supergenerator(tmp_path: Path):
    network = SuperGenerator(Widths.uniform(32), 2)
    path = write(tmp_path / "a", network)
    widths = Widths.parse("32,24,24,32,24,32,24,24")
    for asked in (widths, str(widths)):
        small = load_generator(path, asked)
        assert small.config() == {"widths": list(widths), "scale": 2, "residual": "none"}
        torch.testing.assert_close(small(image()), network(image(), widths), rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match="do not fit"):
        load_generator(path, "48")


def test_a_subgenerator_has_no_slices(tmp_path: Path):
    """It was fine-tuned at its own widths alone, so a narrower part of it is no network that anybody trained."""
    path = write(tmp_path / "a", MFANet(Widths.uniform(32), 2), "subgenerator")
    for own in (None, "32"):
        assert load_generator(path, own).config()["widths"] == [32] * 8
    with pytest.raises(InputError, match="a subgenerator has no slices; leave the widths out"):
        load_generator(path, "24")


def test_refusals(tmp_path: Path):
    path = write(tmp_path / "imdn", make("imdn"))
    with pytest.raises(InputError, match="imdn has no slices"):
        load_generator(path, "24")
    with pytest.raises(InputError, match="network 'carn' is unknown; choose one of: mfanet, rrdbnet, "):
        build("carn", {})
    with pytest.raises(InputError, match=r"mfanet cannot be built from \{\}"):
        build("mfanet", {})
    with pytest.raises(InputError, match=r"span cannot be built from .*colour"):
        build("span", {"colour": "red"})
    with pytest.raises(InputError, match="residual 'linear': give none or bicubic"):
        build("span", {"residual": "linear"})
    with pytest.raises(InputError, match="activation 'tanh': give prelu, relu or leakyrelu"):
        build("srvggnetcompact", {"activation": "tanh"})
    checkpoint.save(path, Checkpoint("patchgan", "discriminator", {}, {"a": torch.ones(1)}))
    with pytest.raises(InputError, match="network is 'patchgan', a generator is needed"):
        load_generator(path)
    checkpoint.save(path, Checkpoint("imdn", "x", {"depth": 3}, {"a": torch.ones(1)}))
    with pytest.raises(InputError, match=r"checkpoint .*: imdn cannot be built from \{'depth': 3\}"):
        load_generator(path)
    checkpoint.save(path, Checkpoint("imdn", "x", CONFIGS["imdn"], {"a": torch.ones(1)}))
    with pytest.raises(InputError, match="do not fit its description"):
        load_generator(path)


def test_rfdn_names_the_image_that_is_too_small():
    with pytest.raises(InputError, match="20x14 px: RFDN needs 15 px a side"):
        make("rfdn")(torch.zeros(1, 3, 14, 20))


def test_the_list_of_systems_has_every_kind():
    assert SYSTEMS["mfagan.sr"] == KINDS
