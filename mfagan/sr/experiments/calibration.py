"""Calibrate a slice: shift its biases so that its channels have the means that they have in the full network.

A slice lacks the inputs of the channels that were cut, which moves the means of what is left. Compare the bias
correction of Nagel et al. 2019 (*Data-Free Quantization*, section 4.2) and the statistics that Yu et al. 2019
(*Slimmable Neural Networks*) keep for every width.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from mfagan.sr.network.layers import Conv, named_convs
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.supergenerator import SuperGenerator, front_channels
from mfagan.sr.network.widths import Widths

__all__ = ["BiasCalibration"]


class BiasCalibration:
    """Calibrates the slices of one network."""

    def __init__(self, network: SuperGenerator, lr: Tensor) -> None:
        """Measure the full network.

        Args:
            network: the SuperGenerator; it is not changed.
            lr: images (N, 3, H, W), RGB in [0, 1], on the network's device, on which means are taken.
        """
        self._network = network.eval()
        self._lr = lr
        self._means: dict[str, Tensor] = {}
        with torch.inference_mode():
            self._watch(network, self._means.__setitem__)

    def extract(self, widths: Widths) -> MFANet:
        """Extract a slice and shift its biases, layer by layer.

        Args:
            widths: of the slice.

        Returns:
            The calibrated slice, in evaluation mode.
        """
        small = self._network.extract(widths).eval()
        groups = {group.name: group for _, conv in named_convs(small) for group in conv.writes}
        full = dict(named_convs(self._network))

        def shift(name: str, mean: Tensor) -> Tensor:
            wanted = self._means[name][front_channels(full[name].writes, groups)]
            return wanted - mean

        with torch.inference_mode():
            shifts: dict[str, Tensor] = {}
            self._watch(small, lambda name, mean: shifts.setdefault(name, shift(name, mean)))
        with torch.no_grad():
            for name, conv in named_convs(small):
                assert conv.bias is not None
                conv.bias += shifts[name].clone()
        return small

    def _watch(self, network: MFANet, see: Callable[[str, Tensor], Tensor | None]) -> None:
        """Run the network; `see` gets each layer's name and mean, and may return what is added to its output."""

        def hook(name: str):
            def run(conv: Conv, inputs: tuple[Tensor], output: Tensor) -> Tensor | None:
                added = see(name, output.mean((0, 2, 3)))
                return None if added is None else output + added[:, None, None]

            return run

        handles = [conv.register_forward_hook(hook(name)) for name, conv in named_convs(network)]
        network(self._lr)
        for handle in handles:
            handle.remove()
