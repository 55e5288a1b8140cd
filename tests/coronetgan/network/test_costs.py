"""What translators cost, against the figures of the literature and those that the specification gives."""

import pytest
import torch

from mfagan.coronetgan.network import ResnetTranslator, Translator, UnetTranslator
from mfagan.coronetgan.network.costs import WidthCosts, count_costs
from mfagan.coronetgan.network.hyper.translator import count_trainable
from mfagan.graph.trace import trace_operators
from tests.graph.image_translation import resnet, unet

FULL = {
    "ResNet-9": (lambda: ResnetTranslator.full(), 256, 11_378_179, 49_551_507_456, 56_799_264_768),
    "ResNet-6": (lambda: ResnetTranslator.full(n_blocks=6), 256, 7_837_699, 35_055_992_832, 42_303_750_144),
    "U-Net-256": (lambda: UnetTranslator.full(), 256, 54_413_955, 6_048_186_368, 18_140_364_800),
    "U-Net-256, instance norm": (
        lambda: UnetTranslator.full(norm="instance"),
        256,
        54_409_603,
        6_048_186_368,
        18_140_364_800,
    ),
    "U-Net-128": (lambda: UnetTranslator.full(n_levels=7), 128, 41_828_995, 1_505_755_136, 4_513_071_104),
    "ResNet, ngf 8": (lambda: ResnetTranslator.full(8, 2), 64, 50_947, 23_789_568, 30_867_456),
    "ResNet, ngf 16": (lambda: ResnetTranslator.full(16, 3), 64, 272_515, 94_765_056, 123_076_608),
    "U-Net, ngf 8": (lambda: UnetTranslator.full(8, 5), 32, 261_715, 1_605_632, 4_751_360),
    "U-Net, ngf 8, instance norm": (
        lambda: UnetTranslator.full(8, 5, norm="instance"),
        32,
        261_555,
        1_605_632,
        4_751_360,
    ),
}
"""Name -> network, size in px, parameters, and MACs with transposed convolutions at their input and output."""


@pytest.mark.parametrize("name", FULL)
def test_parameters_and_macs_are_the_published_ones(name: str):
    make, size, params, macs, macs_at_output = FULL[name]
    with torch.device("meta"):
        network = make()
    costs = count_costs(network, size, size)
    assert sum(one.numel() for one in network.parameters()) == params
    assert {at: (one.params, one.macs) for at, one in costs.items()} == {
        "input": (params, macs),
        "output": (params, macs_at_output),
    }
    assert WidthCosts.of(network, size, size).macs() == macs


@pytest.mark.parametrize(
    ("network", "size", "macs", "ratio"),
    [
        (ResnetTranslator.full(8, 2), 64, 8_355_840, 0.351240),
        (ResnetTranslator.full(16, 3), 64, 28_508_160, 0.300830),
        (ResnetTranslator.full(), 256, None, 0.256221),
        (UnetTranslator.full(), 256, None, 0.256241),
    ],
    ids=["ngf 8", "ngf 16", "ResNet-9", "U-Net-256"],
)
def test_halved_widths_leave_the_share_that_was_worked_out(
    network: Translator, size: int, macs: int | None, ratio: float
):
    halved = {name: width // 2 for name, width in network.widths.items()}
    costs = WidthCosts.of(network, size, size)
    assert costs.ratio(halved) == pytest.approx(ratio, abs=1e-6)
    assert macs in (None, costs.macs(halved))
    assert count_costs(network.with_widths(halved), size, size)["input"].macs == costs.macs(halved)


def test_halved_resnet_has_as_many_parameters_as_was_worked_out():
    network = ResnetTranslator.full()
    halved = network.with_widths({name: width // 2 for name, width in network.widths.items()})
    assert sum(one.numel() for one in halved.parameters()) == 2_850_563


@pytest.mark.parametrize(
    ("network", "numbers"),
    [
        (ResnetTranslator.full(8, 2), 549_193),
        (ResnetTranslator.full(16, 3), 2_955_081),
        (UnetTranslator.full(8, 5), 2_629_585),
    ],
    ids=["ngf 8", "ngf 16", "U-Net"],
)
def test_trainable_numbers_with_hypernetworks(network: Translator, numbers: int):
    assert count_trainable(network) == numbers


def test_trainable_numbers_of_the_published_networks_without_latents_biases_and_norms():
    with torch.device("meta"):
        networks = ResnetTranslator.full(), UnetTranslator.full()
    for network, numbers in zip(networks, (123_809_536, 547_441_216), strict=True):
        own = sum(
            one.numel() for name, one in network.named_parameters() if ".weight" not in name or "norm" in name
        )
        latents = sum(network.widths.values()) + 6
        assert count_trainable(network) - own - latents == numbers


@pytest.mark.parametrize("upsampling", ["transposed", "shuffle"])
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_listed_operators_are_those_that_run(norm: str, upsampling: str):
    network = ResnetTranslator.full(4, 2, norm=norm, upsampling=upsampling, dropout=True).eval()
    _require_same_lists(network, 16, 24)


@pytest.mark.parametrize("at_inference", ["running", "image"])
def test_listed_operators_of_unet_are_those_that_run(at_inference: str):
    _require_same_lists(UnetTranslator.full(4, 3, norm_at_inference=at_inference).eval(), 16, 24)
    if at_inference == "image":
        _require_same_lists(UnetTranslator.full(4, 3, norm="instance", biases="unnormed").eval(), 16, 24)


def _require_same_lists(network: Translator, height: int, width: int) -> None:
    listed = [operator for block in network.blocks(height, width) for operator in block.operators]
    traced = trace_operators(network, height, width)
    assert [one.signature for one in listed] == [one.signature for one in traced]


def test_networks_compute_what_the_public_code_computes():
    """The same weights in reference networks of the same layers."""
    for ours, theirs in (
        (ResnetTranslator.full(4, 2), resnet(2, 4)),
        (UnetTranslator.full(4, 5), unet(5, "batch", 4)),
        (UnetTranslator.full(4, 5, norm="instance"), unet(5, "instance", 4)),
    ):
        own = [one for one in ours.modules() if type(one).__name__.startswith("Conv")]
        public = [one for one in theirs.modules() if type(one).__name__.startswith("Conv")]
        if isinstance(
            ours, UnetTranslator
        ):  # nested there: each level's two, the outer before the inner ones
            names = [link.name for link in ours.links()]
            own = [ours.convs[name] for name in names]
            public = _in_running_order(theirs)
        for mine, other in zip(own, public, strict=True):
            other.load_state_dict(mine.state_dict())
        x = torch.rand(2, 3, 32, 32) * 2 - 1
        ours.train()
        theirs.train()
        for one in (*ours.modules(), *theirs.modules()):
            if isinstance(one, torch.nn.BatchNorm2d):
                torch.nn.init.ones_(one.weight)
        ours.dropout = False
        torch.testing.assert_close(ours(x), theirs(x))


def _in_running_order(network: torch.nn.Module) -> list[torch.nn.Module]:
    ran: list[torch.nn.Module] = []
    hooks = [
        one.register_forward_hook(lambda module, *_: ran.append(module))
        for one in network.modules()
        if type(one).__name__.startswith("Conv")
    ]
    network(torch.zeros(2, 3, 32, 32))
    for hook in hooks:
        hook.remove()
    return ran
