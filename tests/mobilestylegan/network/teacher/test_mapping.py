import math

import pytest
import torch

from mfagan.errors import InputError
from mfagan.mobilestylegan.network.layers.linear import EqualisedLinear
from mfagan.mobilestylegan.network.teacher.mapping import Mapping, normalise
from tests.mobilestylegan.stylegan2_by_weights import map_latents


def test_latents_are_normalised():
    assert normalise(torch.tensor([[3.0, 4.0]]))[0].tolist() == pytest.approx([0.848528, 1.131371], abs=1e-6)


def test_an_equalised_layer_keeps_the_variance_whatever_its_rate():
    torch.manual_seed(0)
    for lr_mul in (1.0, 0.01):
        layer = EqualisedLinear(512, 512, lr_mul)
        assert layer(torch.randn(64, 512)).std().item() == pytest.approx(1, abs=0.05)
    layer = EqualisedLinear(4, 2, 0.5, bias=3.0)
    assert layer.used()[1].tolist() == [1.5, 1.5]
    assert layer.used(2.0)[1].tolist() == [3.0, 3.0]


@pytest.mark.parametrize("n_layers", [2, 8])
def test_the_mapping_network_by_another_computation(n_layers: int):
    torch.manual_seed(0)
    mapping = Mapping(16, n_layers).double()
    state = {}
    for i, layer in enumerate(mapping.layers, 1):
        torch.nn.init.normal_(layer.get_parameter("bias"), std=10)
        state |= {f"style.{i}.{name}": one for name, one in layer.named_parameters()}
    z = torch.randn(3, 16, dtype=torch.float64)
    assert torch.allclose(mapping(z), map_latents(state, z), atol=1e-12)


def test_the_mean_style_is_repeatable():
    torch.manual_seed(0)
    mapping = Mapping(8, 2, lr_mul=1.0)
    assert torch.equal(mapping.mean_style(), mapping.mean_style())
    assert not torch.equal(mapping.mean_style(64, seed=1), mapping.mean_style(64))
    z = torch.randn(20_000, 8)
    assert torch.allclose(mapping(z).mean(0), mapping.mean_style(), atol=0.05)


@pytest.mark.parametrize(
    "arguments",
    [{"features": 0}, {"n_layers": 0}, {"lr_mul": 0.0}, {"lr_mul": math.nan}, {"lr_mul": math.inf}],
)
def test_mapping_networks_that_cannot_be(arguments: dict[str, float]):
    with pytest.raises(InputError, match="give positive numbers"):
        Mapping(**arguments)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("shape", [(8,), (1, 7), (1, 2, 8)])
def test_latents_of_another_shape(shape: tuple[int, ...]):
    with pytest.raises(InputError, match=r"give \(N, 8\)"):
        Mapping(8, 2)(torch.zeros(shape))
