"""MFANets whose files have no description: widths and scale from shapes, the residual from what they compute."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

import mfagan
from mfagan.data.images import resize_bicubic
from mfagan.errors import InputError
from mfagan.registry import load_network
from mfagan.sr.kinds import PEERS, build, load_generator
from mfagan.sr.network.bare_weights import infer_mfanet, is_mfanet
from mfagan.sr.network.layers import Residual
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import NAMES, Widths
from mfagan.sr.shipped import PERCEPTUAL, SUPERGENERATOR
from tests import tiny
from tests.command import Run

ANY_WIDTHS = st.lists(st.integers(1, 40), min_size=len(NAMES), max_size=len(NAMES)).map(Widths.of)


def picture(height: int = 12, width: int = 17) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def train(residual: Residual, scale: int = 2) -> MFANet:
    """A narrow network that has begun to enlarge noise: as good as bicubic, no better."""
    torch.manual_seed(0)
    network = MFANet(Widths.uniform(8), scale, residual)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for step in range(50):
        x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(step))
        loss = (network(x) - resize_bicubic(x, scale)).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


@settings(deadline=None, max_examples=25)
@given(widths=ANY_WIDTHS, scale=st.sampled_from([2, 3, 4]))
def test_widths_and_scale_follow_from_the_shapes(widths: Widths, scale: int):
    network = MFANet(widths, scale).eval()
    state = network.state_dict()
    found = infer_mfanet(state)
    assert (found.widths, found.scale, found.training) == (widths, scale, False)
    assert all(torch.equal(weight, state[name]) for name, weight in found.state_dict().items())


@pytest.mark.parametrize("residual", ["none", "bicubic"])
def test_the_residual_follows_from_what_a_trained_network_computes(residual: Residual):
    network = train(residual)
    found = infer_mfanet(network.state_dict())
    assert found.config() == network.config()
    assert torch.equal(found(picture()), network(picture()))


@pytest.mark.parametrize("width", [None, 24])
def test_shipped_networks_are_rebuilt_without_their_description(width: int | None):
    described = load_generator(SUPERGENERATOR, None if width is None else str(width))
    assert infer_mfanet(described.state_dict()).config() == described.config()


def test_other_networks_are_not_taken_for_one():
    assert is_mfanet(SuperGenerator(Widths.uniform(8)).state_dict())
    for kind in PEERS:
        assert not is_mfanet(build(kind, {}).state_dict()), kind


@pytest.mark.parametrize("file", ["bare.safetensors", "bare.pth", "wrapped.pth"])
def test_bare_files_are_loaded(tmp_path: Path, file: str):
    described, path = load_network(PERCEPTUAL), tmp_path / file
    state = described.state_dict()
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save({"params_ema": state} if file == "wrapped.pth" else state, path)
    model = mfagan.load(path)
    assert load_network(path).config() == described.config()
    assert torch.equal(model(picture()), mfagan.load("perceptual")(picture()))
    with pytest.raises(InputError, match="have no slices; leave the widths out"):
        mfagan.load(path, widths=24)


def test_a_bare_file_is_evaluated_and_exported(run: Run, tmp_path: Path):
    path = tmp_path / "bare.pth"
    torch.save(train("bicubic").state_dict(), path)
    photos = tiny.write_photos(tmp_path / "photos", n=1, side=48)
    done = run("evaluate", path, "--images", photos, "--no-latency", "--device", "cpu")
    assert done.status == 0, done.err
    assert "bare" in done.out
    out = tmp_path / "m.tflite"
    done = run("export", path, "--out", out, "--size", "8x8", "--photo", photos / "photo_0.png")
    assert done.status == 0, done.err
    assert out.exists()


def test_weights_that_do_not_fit_are_refused_in_one_line(tmp_path: Path):
    state = MFANet(Widths.uniform(8)).state_dict()
    del state["mfams.1.tail.conv.weight"]
    torch.save(state, tmp_path / "a.pth")
    message = (
        r"^weights .*a\.pth: not the weights of an MFANet of widths 8,8,8,8,8,8,8,8 .*tail\.conv\.weight"
    )
    with pytest.raises(InputError, match=message):
        load_network(tmp_path / "a.pth")
    state = MFANet(Widths.uniform(8)).state_dict()
    state["fusion.reconstruct.weight"] = torch.zeros(20, 8, 3, 3)
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(InputError, match="its last convolution has 20 channels, which is no enlargement"):
        load_network(tmp_path / "a.pth")
