import pytest
import torch

from mfagan.errors import InputError
from mfagan.mobilestylegan.network import ResidualDiscriminator, standard_channels
from mfagan.mobilestylegan.network.discriminator import append_deviation


def test_parameters():
    with torch.device("meta"):
        published = ResidualDiscriminator(standard_channels(1024))
    assert sum(p.numel() for p in published.parameters()) == 29_012_513
    tiny = ResidualDiscriminator((64, 64, 64, 32))
    assert sum(p.numel() for p in tiny.parameters()) == 288_993
    assert ResidualDiscriminator(**tiny.config()).channels == tiny.channels  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 5, 6, 8])
def test_any_batch_has_groups(batch: int):
    torch.manual_seed(0)
    network = ResidualDiscriminator((8, 8, 8, 4))
    logits = network(torch.randn(batch, 3, 32, 32))
    assert logits.shape == (batch, 1)
    assert torch.isfinite(logits).all()


def test_the_deviation_is_that_of_a_group():
    x = torch.zeros(4, 1, 2, 2)
    x[0] = 2.0
    found = append_deviation(x)
    assert found.shape == (4, 2, 2, 2)
    assert torch.allclose(found[:, 1], torch.tensor(0.75).sqrt())
    # Six images make two groups of three: numbers 0, 2, 4 and 1, 3, 5.
    six = torch.zeros(6, 1, 1, 1)
    six[0] = 3.0
    deviation = append_deviation(six)[:, 1].flatten()
    assert torch.allclose(deviation[::2], torch.tensor(2.0).sqrt(), atol=1e-4)
    assert torch.allclose(deviation[1::2], torch.tensor(0.0), atol=1e-3)
    assert torch.allclose(append_deviation(six[:1])[:, 1], torch.tensor(0.0), atol=1e-3)


def test_the_size_is_halved_as_by_a_filtered_convolution():
    """Against the blur of the whole map, then a convolution of stride 2."""
    torch.manual_seed(0)
    block = ResidualDiscriminator((4, 4, 4)).body[0]
    x = torch.randn(1, 4, 8, 8)
    row = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    kernel = torch.outer(row, row).repeat(4, 1, 1, 1)
    conv = torch.nn.functional.conv2d
    hidden = conv(x, block.get_parameter("first.weight") / 6, padding=1)
    hidden = torch.nn.functional.leaky_relu(hidden, 0.2) * 2**0.5
    blurred = conv(hidden, kernel, padding=2, groups=4)
    long = conv(blurred, block.get_parameter("second.weight") / 6, stride=2)
    long = torch.nn.functional.leaky_relu(long, 0.2) * 2**0.5
    short = conv(conv(x, kernel, padding=1, groups=4), block.get_parameter("skip.weight") / 2, stride=2)
    assert torch.allclose(block(x), (long + short) / 2**0.5, atol=1e-5)


def test_images_of_another_size():
    with pytest.raises(InputError, match=r"give \(N, 3, 16, 16\)"):
        ResidualDiscriminator((4, 4, 4))(torch.zeros(1, 3, 32, 32))
