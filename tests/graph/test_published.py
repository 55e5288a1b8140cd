"""The published figures of CycleGAN and pix2pix come out of a trace exactly."""

import pytest
import torch

from mfagan.graph.costs import sum_costs, trace_costs
from mfagan.graph.trace import trace_operators
from tests.graph.image_translation import patchgan, resnet, unet

GENERATORS = {
    "CycleGAN's ResNet-9": (lambda: resnet(9), 256, 11_378_179, 49.552, 56.799),
    "CycleGAN's ResNet-6": (lambda: resnet(6), 256, 7_837_699, 35.056, 42.304),
    "pix2pix's U-Net-256, batch norm": (lambda: unet(8, "batch"), 256, 54_413_955, 6.048, 18.140),
    "pix2pix's U-Net-256, instance norm": (lambda: unet(8, "instance"), 256, 54_409_603, 6.048, 18.140),
    "pix2pix's U-Net-128": (lambda: unet(7, "batch"), 128, 41_828_995, 1.506, 4.513),
}


@pytest.mark.parametrize("name", GENERATORS)
def test_image_translation_generators(name: str):
    build, side, params, input_g, output_g = GENERATORS[name]
    with torch.device("meta"):
        network = build().eval()
    real = trace_costs(network, side, side)
    printed = trace_costs(network, side, side, transposed_at="output")
    assert real.params == params == printed.params
    assert (round(real.macs_g, 3), round(printed.macs_g, 3)) == (input_g, output_g)


@pytest.mark.parametrize(
    ("channels", "norm", "params"), [(3, "instance", 2_764_737), (6, "batch", 2_768_705)]
)
def test_patchgan_of_70_px(channels: int, norm: str, params: int):
    with torch.device("meta"):
        network = patchgan(channels, norm).eval()
    operators = trace_operators(network, inputs=[(1, channels, 256, 256)])
    assert sum_costs(operators).params == params
    assert operators[-1].output.shape == (1, 30, 30)
