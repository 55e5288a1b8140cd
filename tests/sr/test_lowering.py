import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.deploy.tflite import converter, litert
from mfagan.errors import InputError
from mfagan.sr.kinds import PEERS, build, load_foreign
from mfagan.sr.lowering import lower
from tests.deploy.tflite.test_converter import list_operators
from tests.published_data import find_published_data

SIZE = (21, 18)
SMALL = {"n_blocks": 1, "features": 12}


def export(network: nn.Module) -> tuple[bytes, float]:
    listed, weights = lower(network, *SIZE)
    photo = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(0))
    model = converter.convert(listed, weights)
    return model, litert.max_abs_difference(model, network, photo)


def random_network(kind: str, **config: object) -> nn.Module:
    torch.manual_seed(0)
    network = build(kind, config).eval()
    for parameter in network.parameters():
        if parameter.abs().max() == 0:  # which would hide what comes before
            nn.init.normal_(parameter, std=0.02)
    return network


@pytest.mark.parametrize(("scale", "residual"), [(3, "none"), (4, "bicubic")])
@pytest.mark.parametrize("kind", PEERS)
def test_a_small_network_of_each_kind_is_exported(kind: str, scale: int, residual: str):
    network = random_network(kind, scale=scale, residual=residual, **SMALL)
    model, difference = export(network)
    assert 0 < difference < 1e-4
    assert not set(list_operators(model)) & {"TRANSPOSE", "CUSTOM"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", PEERS)
def test_each_full_network_is_exported(kind: str):
    assert export(random_network(kind))[1] < 1e-4


@pytest.mark.parametrize("activation", ["relu", "leakyrelu"])
def test_other_activations_are_exported(activation: str):
    network = random_network("srvggnetcompact", activation=activation, **SMALL)
    assert export(network)[1] < 1e-4


@pytest.mark.parametrize("file", ["RFDN_AIM.pth", "team38_span_ch28_slim.pth"])
def test_published_weights_are_exported(file: str):
    assert export(load_foreign(find_published_data() / "weights" / file))[1] < 1e-4


class Picture(nn.Module):
    """A function of pictures as a network."""

    def __init__(self, compute):
        super().__init__()
        self.compute = compute

    def forward(self, x: Tensor) -> Tensor:
        return self.compute(x)


COLOURS = torch.tensor([0.2, 0.5, 0.7]).view(1, 3, 1, 1)


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: 1 - x,
        lambda x: COLOURS - x,
        lambda x: torch.sub(x, COLOURS, alpha=0.5),
        lambda x: torch.sub(COLOURS, x, alpha=0.5),
        lambda x: torch.rsub(x, 2, alpha=0.5),
        lambda x: torch.add(x, x.square(), alpha=0.5),
        lambda x: x / COLOURS,
        lambda x: x / (x + 1),
        lambda x: x.clamp(min=0.3),
        lambda x: x.clamp(0.3, 0.6),
        lambda x: F.hardtanh(x, 0.3, 0.6),
        lambda x: F.prelu(x - 0.5, COLOURS.flatten()),
        lambda x: F.max_pool2d(-x, 3, 2, 1),
        lambda x: F.interpolate(x, (13, 31), mode="bilinear", align_corners=False),
        lambda x: F.interpolate(x, (13, 31), mode="nearest"),
        lambda x: torch.cat([part.relu() for part in x.split([4, 14], 3)][::-1], 3),
        lambda x: F.pad(x, (1, 2, 0, 3), mode="reflect").square(),
        lambda x: F.silu((x + 1).mul_(2)),
        lambda x: F.conv_transpose2d(x, torch.ones(3, 3, 2, 2), stride=2).tanh(),
        lambda x: F.instance_norm(x) + F.instance_norm(x, weight=COLOURS.flatten(), bias=COLOURS.flatten()),
    ],
)
def test_each_kind_agrees_with_pytorch(compute):
    assert export(Picture(compute).eval())[1] < 1e-5


@pytest.mark.parametrize(
    ("compute", "reason"),
    [
        (lambda x: x.erf(), "erf"),
        (lambda x: 1 / x, "reciprocal"),
        (lambda x: x + torch.rand(1, 3, *SIZE), "varies over the picture"),
        (lambda x: F.conv2d(x, x), "computed weights"),
        (lambda x: F.batch_norm(x, torch.zeros(3), torch.ones(3)), "does not follow a convolution"),
        (lambda x: F.instance_norm(x, eps=1e-3), "epsilon 0.001"),
        (lambda x: x.flatten(1), "makes no"),
        (lambda x: x, "an output"),
    ],
)
def test_what_cannot_be_exported_is_named_in_one_line(compute, reason: str):
    with pytest.raises(InputError, match=reason) as caught:
        lower(Picture(compute), *SIZE)
    assert "\n" not in str(caught.value)
