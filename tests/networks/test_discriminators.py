import pytest
import torch
from torch.nn import functional as F

from mfagan.data.splits import EMBEDDED, read_pairs
from mfagan.errors import InputError
from mfagan.networks.discriminators import RECEPTIVE_FIELD_PX, SLOPE, TAPS, PatchGAN


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
    torch.nn.init.constant_(last.get_parameter("bias"), -50.0)  # raw logits are negative here
    logits, taps = network.taps(images(32, 40))
    for number, tap in zip((2, 4, 6), taps, strict=True):
        torch.testing.assert_close(tap, expected[number - 1])
    torch.testing.assert_close(logits, last(expected[5]))
    assert (logits < 0).all()
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


def test_untrained_its_first_filters_see_details_and_every_layer_keeps_their_scale():
    torch.manual_seed(0)
    network = PatchGAN(16)
    (chelsea,) = (pair.hr for pair in read_pairs(EMBEDDED) if pair.name == "chelsea")
    with torch.no_grad():
        flat = network.convs[0](torch.full((1, 3, 16, 16), 0.7))
        assert flat[:, :, 1:-1, 1:-1].abs().max() < 1e-6
        logits, taps = network.taps(chelsea[None, :, 40:200, 40:200])
    scales = [float(x.square().mean().sqrt()) for x in (*taps, logits)]
    assert max(scales) < 3 * min(scales)
