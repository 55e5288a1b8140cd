"""Translators: arguments, sizes, gates and norms at inference."""

import pytest
import torch

from mfagan.coronetgan.network import ResnetTranslator, Translator, UnetTranslator
from mfagan.errors import InputError


@pytest.mark.parametrize(
    ("height", "width"), [(10, 16), (16, 10), (4, 16)], ids=["height", "width", "too small"]
)
def test_sizes_of_resnets(height: int, width: int):
    with pytest.raises(InputError, match="multiples of 4 px from 8 px on"):
        ResnetTranslator.full(4, 1)(torch.zeros(1, 3, height, width))


def test_sizes_of_unets():
    with pytest.raises(InputError, match="multiples of 8 px from 8 px on"):
        UnetTranslator.full(4, 3)(torch.zeros(1, 3, 8, 12))
    with pytest.raises(InputError, match="multiples of 256 px from 256 px on"), torch.device("meta"):
        UnetTranslator.full()(torch.zeros(1, 3, 128, 128))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"norm": "layer"}, "norm is 'layer'"),
        ({"norm_at_inference": "running"}, "norm_at_inference is 'running' with norm 'instance'"),
        ({"biases": "some"}, "biases is 'some'"),
        ({"upsampling": "nearest"}, "upsampling is 'nearest'"),
        ({"in_channels": 0}, "in_channels is 0"),
    ],
    ids=str,
)
def test_arguments_that_are_none(arguments: dict[str, object], message: str):
    with pytest.raises(InputError, match=message):
        ResnetTranslator.full(4, 1, **arguments)


def test_widths_of_another_form_are_refused():
    with pytest.raises(InputError, match="give those of stem, down, res"):
        ResnetTranslator({"stem": 4})
    with pytest.raises(InputError, match="stem is 0"):
        ResnetTranslator({**ResnetTranslator.full(4, 1).widths, "stem": 0})
    with pytest.raises(InputError, match="1 level"):
        UnetTranslator({"down1": 4})
    with pytest.raises(InputError, match="cannot be built from"):
        ResnetTranslator.from_config({"widths": 4})


@pytest.mark.parametrize(
    "network", [ResnetTranslator.full(4, 1), UnetTranslator.full(4, 3)], ids=["ResNet", "U-Net"]
)
def test_gates_of_ones_change_nothing_and_of_zeros_something(network: Translator):
    network = network.eval()
    x = torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        expected = network(x)
        for name, width in network.widths.items():
            torch.testing.assert_close(network(x, {name: torch.ones(width)}), expected)
            assert (network(x, {name: torch.zeros(width)}) - expected).abs().max() > 0, name


def test_batch_norm_of_the_image_is_batch_norm_in_training_mode():
    network = UnetTranslator.full(4, 3, norm_at_inference="image", dropout=False)
    x = torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(x), network.train()(x))


def test_instance_norm_blows_tiny_activations_up():
    """The constants of the specification: why a pruned channel is masked and not merely small."""
    noise = torch.randn(1, 16, 256, 256, generator=torch.Generator().manual_seed(0))
    norm = torch.nn.InstanceNorm2d(16)
    spreads = [norm(noise * scale).std().item() for scale in (1, 1e-2, 3e-3, 1e-3, 1e-4)]
    assert spreads == pytest.approx([1.00, 0.954, 0.689, 0.302, 0.032], abs=2e-3)


@pytest.mark.parametrize(
    "network", [ResnetTranslator.full(4, 2), UnetTranslator.full(4, 3)], ids=["ResNet", "U-Net"]
)
def test_its_steps_are_its_blocks_and_together_the_whole(network: Translator):
    assert len(network.steps()) == len(network.blocks(16, 16))
    assert [name for names in network.steps() for name in names] == [link.name for link in network.links()]
    x = torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        whole, state = network.eval()(x), (x,)
        for number in range(len(network.steps())):
            state = network.advance(state, number)
    assert torch.equal(state[0], whole)
