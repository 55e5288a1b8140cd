from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.errors import InputError
from mfagan.networks.discriminators import (
    RECEPTIVE_FIELD_PX,
    SLOPE,
    TAPS,
    Discriminator,
    ESRGANDiscriminator,
    PatchGAN,
    load_discriminator,
)
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import Widths
from mfagan.training.run import save_network


def images(height: int, width: int, n: int = 2, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.rand(n, 3, height, width, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize(("base", "params"), [(48, 3_693_649), (32, 1_643_233)])
def test_parameter_counts(base: int, params: int):
    with torch.device("meta"):
        network = PatchGAN(base)
    assert sum(parameter.numel() for parameter in network.parameters()) == params


def test_seven_convolutions_and_nothing_else_learns():
    network = PatchGAN(4)
    assert [type(module).__name__ for module in network.modules() if not list(module.children())] == [
        "Conv2d"
    ] * 7


@pytest.mark.parametrize(("height", "width"), [(8, 8), (64, 64), (96, 128), (100, 67)])
def test_shapes_of_logits_and_taps(height: int, width: int):
    network = PatchGAN(4)
    logits, taps = network.taps(images(height, width))
    assert logits.shape == (2, 1, height // 8, width // 8)
    assert [tuple(tap.shape) for tap in taps] == [
        (2, 8, height // 4, width // 4),
        (2, 32, height // 8, width // 8),
        (2, 32, height // 8, width // 8),
    ]
    assert tuple(tap.shape[1] for tap in taps) == network.tap_channels


def test_agrees_with_convolutions_written_out():
    network = PatchGAN(4)
    x = images(32, 40)
    expected = []
    for i, stride in enumerate((2, 2, 2, 1, 1, 1)):
        weight, bias = (network.state_dict()[f"convs.{i}.{name}"] for name in ("weight", "bias"))
        x = F.conv2d(x, weight, bias, stride, 1)
        x = torch.where(x > 0, x, 0.2 * x)
        expected.append(x)
    last = network.convs[6]
    torch.nn.init.constant_(last.get_parameter("bias"), -1.0)  # raw logits are negative here
    logits, taps = network.taps(images(32, 40))
    for number, tap in zip((2, 4, 6), taps, strict=True):
        torch.testing.assert_close(tap, expected[number - 1])
    torch.testing.assert_close(logits, last(expected[5]))
    assert (logits < -0.5).all()
    assert torch.equal(network(images(32, 40)), logits)
    assert (TAPS, SLOPE) == ((2, 4, 6), 0.2)


def test_receptive_field_by_gradient():
    torch.manual_seed(0)
    network = PatchGAN(2).double()
    x = images(200, 192, n=1, dtype=torch.float64).requires_grad_()
    network(x)[0, 0, 12, 11].backward()
    assert x.grad is not None
    seen = x.grad[0].abs().sum(0) > 0
    rows, columns = seen.any(1).nonzero().flatten(), seen.any(0).nonzero().flatten()
    assert len(rows) == rows[-1] - rows[0] + 1 == RECEPTIVE_FIELD_PX
    assert len(columns) == columns[-1] - columns[0] + 1 == RECEPTIVE_FIELD_PX
    assert abs((rows[0] + rows[-1]) / 2 - (8 * 12 + 3.5)) <= 1


def test_gradient_reaches_the_image_and_every_weight():
    network = PatchGAN(4)
    x = images(64, 64).requires_grad_()
    network(x).sum().backward()
    for tensor in (x, *network.parameters()):
        assert tensor.grad is not None
        assert tensor.grad.abs().sum() > 0


def test_images_of_a_batch_do_not_mix():
    network, batch = PatchGAN(4), images(64, 64)
    torch.testing.assert_close(network(batch)[1:], network(batch[1:]))


def test_config_rebuilds_the_network():
    network = PatchGAN(6)
    assert network.config() == {"base": 6}
    rebuilt = PatchGAN(6)
    rebuilt.load_state_dict(network.state_dict())
    assert torch.equal(rebuilt(images(64, 64)), network(images(64, 64)))


def test_base_must_be_positive():
    with pytest.raises(InputError, match=r"base width is 0; give at least 1"):
        PatchGAN(0)


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
    assert [type(layer).__name__ for layer in network.judge] == ["Linear", "LeakyReLU", "Linear"]
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
    save_network(path, network, "judge", {"steps": 3})
    found = checkpoint.read(path, network.KIND, "judge")
    assert {tensor.dtype for tensor in found.state.values() if tensor.is_floating_point()} == {torch.float16}
    assert found.record == {"steps": 3}
    loaded = load_discriminator(path, "judge")
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
    save_network(path, network, "judge", {})
    with pytest.raises(InputError, match="its role is 'judge', 'other' is needed"):
        load_discriminator(path, "other")
    checkpoint.save(path, Checkpoint("patchgan", "judge", {"bases": 2}, network.state_dict()))
    with pytest.raises(InputError, match=r"does not describe a discriminator \(\{'bases': 2\}\)"):
        load_discriminator(path)
    checkpoint.save(path, Checkpoint("patchgan", "judge", {"base": 3}, network.state_dict()))
    with pytest.raises(InputError, match="its weights do not fit its description"):
        load_discriminator(path)
