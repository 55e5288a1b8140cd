from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import pytest
import torch
from torch import nn

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.data.splits import EMBEDDED, read_pairs
from mfagan.errors import InputError
from mfagan.evaluation.scores import enlarge_bicubic
from mfagan.networks.discriminators import Discriminator, PatchGAN
from mfagan.sr.network.discriminators import ESRGANDiscriminator, load_discriminator
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import Widths
from mfagan.training.losses import discriminator_loss
from mfagan.training.run import save_network


def images(height: int, width: int, n: int = 2) -> torch.Tensor:
    return torch.rand(n, 3, height, width, generator=torch.Generator().manual_seed(0))


# ESRGAN's


def test_esrgans_parameter_count():
    """BasicSR's VGGStyleDiscriminator for 128 px, layer by layer: convolutions, normalisations, linear layers."""
    convs = [3 * 64 * 9 + 64, 64 * 64 * 16]
    for narrow, wide in ((64, 128), (128, 256), (256, 512), (512, 512)):
        convs += [narrow * wide * 9, wide * wide * 16]
    norms = [2 * channels for channels in (64, 128, 128, 256, 256, 512, 512, 512, 512)]
    linear = [512 * 4 * 4 * 100 + 100, 100 + 1]
    with torch.device("meta"):
        network = ESRGANDiscriminator(128)
    counts = [parameter.numel() for parameter in network.parameters()]
    assert sum(counts) == sum(convs) + sum(norms) + sum(linear) == 14_499_401


def test_esrgans_layers_stand_in_basicsrs_order():
    network = ESRGANDiscriminator(64, base=2)
    convs = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    assert [(conv.in_channels, conv.out_channels) for conv in convs] == [
        (3, 2), (2, 2), (2, 4), (4, 4), (4, 8), (8, 8), (8, 16), (16, 16), (16, 16), (16, 16)
    ]  # fmt: skip
    assert [(conv.kernel_size, conv.stride) for conv in convs] == [((3, 3), (1, 1)), ((4, 4), (2, 2))] * 5
    assert [conv.bias is not None for conv in convs] == [True] + [False] * 9
    kinds = [type(layer).__name__ for layer in network.features]
    assert kinds == ["Conv2d", "LeakyReLU"] + ["Conv2d", "BatchNorm2d", "LeakyReLU"] * 9
    assert [type(layer).__name__ for layer in network.classifier] == ["Linear", "LeakyReLU", "Linear"]
    slopes = {layer.negative_slope for layer in network.modules() if isinstance(layer, torch.nn.LeakyReLU)}
    assert slopes == {0.2}


@pytest.mark.parametrize("image_px", [64, 96, 128])
def test_esrgans_gives_one_logit_an_image(image_px: int):
    network = ESRGANDiscriminator(image_px, base=2)
    assert network(images(image_px, image_px, n=3)).shape == (3, 1)
    assert network(images(image_px, image_px, n=1)).isfinite().all()  # in training mode: batches of one crop


@pytest.mark.parametrize("image_px", [0, 32, 80, 127])
def test_esrgans_refuses_other_sizes(image_px: int):
    with pytest.raises(InputError, match=rf"images of {image_px} px.* give a multiple of 32, at least 64"):
        ESRGANDiscriminator(image_px)


# In checkpoints


@pytest.mark.parametrize("network", [PatchGAN(4), ESRGANDiscriminator(64, base=2)])
def test_files_hold_halves_and_give_singles(network: Discriminator, tmp_path: Path):
    network.train()(images(64, 64))  # moves the statistics of batch normalisation, where there are any
    path = tmp_path / "d.safetensors"
    save_network(path, network, "critic", {"steps": 3})
    found = checkpoint.read(path, network.KIND, "critic")
    assert {tensor.dtype for tensor in found.state.values() if tensor.is_floating_point()} == {torch.float16}
    assert found.record == {"steps": 3}
    loaded = load_discriminator(path, "critic")
    assert type(loaded) is type(network)
    assert loaded.config() == network.config()
    for name, tensor in network.state_dict().items():
        again = loaded.state_dict()[name]
        assert again.dtype == tensor.dtype
        torch.testing.assert_close(again, tensor, rtol=1e-3, atol=1e-4)
        if tensor.is_floating_point():
            assert torch.equal(again, tensor.half().float())
        else:
            assert torch.equal(again, tensor)


def test_a_generator_is_no_discriminator(tmp_path: Path):
    path = tmp_path / "g.safetensors"
    save_network(path, MFANet(Widths.uniform(4)), "student", {})
    assert {tensor.dtype for tensor in checkpoint.read(path).state.values()} == {torch.float32}
    with pytest.raises(
        InputError, match=r"g\.safetensors: its network is 'mfanet', a discriminator is needed"
    ):
        load_discriminator(path)


def test_another_role_or_another_description_is_refused(tmp_path: Path):
    path = tmp_path / "d.safetensors"
    network = PatchGAN(2)
    save_network(path, network, "critic", {})
    with pytest.raises(InputError, match="its role is 'critic', 'other' is needed"):
        load_discriminator(path, "other")
    checkpoint.save(path, Checkpoint("patchgan", "critic", {"bases": 2}, network.state_dict()))
    with pytest.raises(InputError, match=r"does not describe a discriminator \(\{'bases': 2\}\)"):
        load_discriminator(path)
    checkpoint.save(path, Checkpoint("patchgan", "critic", {"base": 3}, network.state_dict()))
    with pytest.raises(InputError, match="its weights do not fit its description"):
        load_discriminator(path)


def as_before(state: dict[str, torch.Tensor], prefix: str = "") -> dict[str, torch.Tensor]:
    """Names as version 0.1.0 wrote them."""
    return {name.replace(f"{prefix}classifier.", f"{prefix}judge."): tensor for name, tensor in state.items()}


def test_esrgans_files_of_version_0_1_0_load(tmp_path: Path):
    network, path = ESRGANDiscriminator(64, base=2), tmp_path / "d.safetensors"
    old = as_before(network.state_dict())
    assert [name for name in old if name.startswith("judge.")] == [
        "judge.0.weight", "judge.0.bias", "judge.2.weight", "judge.2.bias"
    ]  # fmt: skip
    checkpoint.save(path, Checkpoint(network.KIND, "discriminator", network.config(), old))
    loaded = load_discriminator(path).state_dict()
    assert loaded.keys() == network.state_dict().keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in network.state_dict().items())


def test_esrgans_snapshots_of_version_0_1_0_load():
    """There it is a part of the discriminator's objective."""
    first, second = (nn.ModuleDict({"discriminator": ESRGANDiscriminator(64, base=2)}) for _ in range(2))
    second.load_state_dict(as_before(first.state_dict(), "discriminator."))
    assert all(torch.equal(second.state_dict()[name], tensor) for name, tensor in first.state_dict().items())


@pytest.mark.parametrize("build", [lambda: PatchGAN(16), lambda: ESRGANDiscriminator(64, 8)])
def test_it_soon_tells_enlarged_photographs_from_the_originals(build: Callable[[], Discriminator]):
    """They differ by details alone, which first filters that follow the brightness learn nothing of in these steps."""
    torch.manual_seed(0)
    network = build()
    pair = next(pair for pair in read_pairs(EMBEDDED) if pair.name == "chelsea")
    places = torch.randint(0, 236, (100, 2), generator=torch.Generator().manual_seed(1)).tolist()
    real, fake = (
        torch.stack([image[:, y : y + 64, x : x + 64] for y, x in places])
        for image in (pair.hr, enlarge_bicubic(pair))
    )
    optimizer = torch.optim.Adam(network.parameters(), 2e-4)
    losses: list[float] = []
    for number in range(0, 100, 4):
        batch = slice(number, number + 4)
        loss = discriminator_loss(network(real[batch]), network(fake[batch]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 1.2  # that of chance is 1.386
    assert fmean(losses[-5:]) < 1.1
