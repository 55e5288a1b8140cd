import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mfagan.graph.costs import CONVENTIONS, Costs, sum_block_costs, sum_costs, trace_costs
from mfagan.graph.operators import TransposedAt, Window
from mfagan.graph.recorder import OperatorRecorder
from mfagan.mobilestylegan.network import Synthesis, standard_channels
from tests.graph.image_translation import patchgan, resnet, unet


def test_units():
    costs = Costs(params=1_500_000, macs=2_000_000_000, flops=2_500_000_000, memory_bytes=500_000_000)
    assert (costs.params_m, costs.macs_g, costs.flops_g, costs.memory_gb) == (1.5, 2.0, 2.5, 0.5)
    assert Costs(**costs.as_dict()) == costs


def test_the_counting_rules_by_hand():
    recorder = OperatorRecorder()
    x = recorder.value(3, 4, 5)
    y = recorder.elementwise("relu", recorder.conv(x, "a", 2, 3))  # the relu works in place
    recorder.close_block("first")
    gate = recorder.elementwise("sigmoid", recorder.conv(recorder.mean(y), "b", 2, 1, bias=False))
    y = recorder.elementwise("multiply", y, gate)
    y = recorder.conv_transpose(y, "c", 1, Window.square(2, 2))
    recorder.resample(y, (4, 5), "bilinear")
    recorder.close_block("second")
    blocks = recorder.blocks
    costs = sum_costs(operator for block in blocks for operator in block.operators)
    assert costs.params == (3 * 2 * 9 + 2) + 2 * 2 + (2 * 4 + 1)
    assert costs.macs == 20 * 54 + 4 + 20 * 8
    # One for each biased element (first and last convolution) and for each product of the gate.
    assert costs.flops == costs.macs + 2 * 20 + 80 + 2 * 20
    # Input; convolution; mean; convolution and sigmoid of the gate; product; transposed convolution; resampling.
    assert costs.memory_bytes == 4 * (60 + 40 + 2 + 2 + 2 + 40 + 80 + 20)
    assert sum_block_costs(blocks) == costs


@pytest.mark.parametrize(("transposed_at", "factor"), [("input", 1), ("output", 4)])
def test_both_conventions_of_a_transposed_convolution(transposed_at: TransposedAt, factor: int):
    network = nn.ConvTranspose2d(3, 4, 4, 2, 1, bias=False)
    costs = trace_costs(network, 6, 8, transposed_at=transposed_at)
    assert costs.macs == costs.flops == factor * 6 * 8 * 3 * 4 * 16
    assert transposed_at in CONVENTIONS[transposed_at]


NETWORKS = {
    "ResNet-9": (lambda: resnet(9), (1, 3, 256, 256)),
    "U-Net-256": (lambda: unet(8, "batch"), (1, 3, 256, 256)),
    "PatchGAN": (lambda: patchgan(6, "batch"), (1, 6, 256, 256)),
    "StyleGAN2": (lambda: Synthesis(standard_channels(256)), (1, 14, 512)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_whole_networks_by_pytorchs_counter(name: str):
    build, shape = NETWORKS[name]
    with torch.device("meta"):
        network = build().eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.zeros(shape))
    assert 2 * trace_costs(network, inputs=[shape]).macs == counter.get_total_flops()


def test_the_network_stays_as_it_is():
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    trace_costs(network, 4, 4)
    assert network.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])
        assert tensor.device.type == "cpu"
