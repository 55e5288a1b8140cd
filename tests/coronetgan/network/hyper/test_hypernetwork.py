"""The hypernetwork of a convolution, against numbers worked out by hand."""

import pytest
import torch

from mfagan.coronetgan.network.hyper.hypernetwork import Hypernetwork


def by_hand(b0: float, b1: float, b2: float) -> Hypernetwork:
    made = Hypernetwork(2, 3, 3)
    for parameter, value in zip(
        (made.b0, made.w1, made.b1, made.w2, made.b2), (b0, 1, b1, 0.5, b2), strict=True
    ):
        torch.nn.init.constant_(parameter, value)
    return made


@pytest.mark.parametrize(
    ("biases", "z_out", "weights"),
    [
        ((0, 0, 0), (1, -1, 2), [[4, 8], [-4, -8], [8, 16]]),
        ((0.25, 0.5, 0.125), (1, -1, 2), [[7.125, 11.125], [-0.875, -4.875], [11.125, 19.125]]),
        ((0.25, 0.5, 0.125), (0, 0, 0), [[3.125, 3.125]] * 3),
    ],
    ids=["no biases", "biases", "a zero latent is not a zero weight"],
)
def test_weights_of_constant_numbers(
    biases: tuple[float, float, float], z_out: tuple[float, ...], weights: list[list[float]]
):
    made = by_hand(*biases)(torch.tensor([1.0, 2.0]), torch.tensor(z_out, dtype=torch.float32))
    assert made.shape == (3, 2, 3, 3)
    torch.testing.assert_close(
        made, torch.tensor(weights, dtype=torch.float32)[..., None, None].expand(3, 2, 3, 3)
    )


def test_weights_of_a_transposed_convolution_have_its_axes():
    plain = Hypernetwork(2, 3, 4)
    transposed = Hypernetwork(2, 3, 4, transposed=True)
    transposed.load_state_dict(plain.state_dict())
    z_in, z_out = torch.randn(2), torch.randn(3)
    torch.testing.assert_close(transposed(z_in, z_out), plain(z_in, z_out).transpose(0, 1))


@pytest.mark.parametrize(("kernel", "numbers"), [(3, 98), (4, 161), (7, 458)])
def test_numbers_of_a_pair(kernel: int, numbers: int):
    assert sum(one.numel() for one in Hypernetwork(2, 3, kernel).parameters()) == 6 * numbers


def test_variance_of_initial_weights():
    generator = torch.manual_seed(0)
    made = Hypernetwork(64, 256, 3)
    weights = made(torch.randn(64, generator=generator), torch.randn(256, generator=generator))
    latents = 1.0  # the product of two latents of N(0, 1) has a variance of 1
    assert weights.var().item() * 64 * 9 == pytest.approx(1.05 * latents, rel=0.35)
