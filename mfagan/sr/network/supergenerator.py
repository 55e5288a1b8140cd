"""The weight-shared SuperGenerator (paper section 3.6): every SubGenerator is a slice of its weights.

A SubGenerator uses the front channels of each channel group of each layer; if a layer reads a
concatenation, the front channels of each concatenated part. `layers.Conv` knows which groups it joins; nothing here
knows the structure of the network.
"""

from pathlib import Path

import torch
from torch import Tensor
from torch.func import functional_call

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.sr.network.layers import Group, Groups, channel_groups, named_convs
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import Widths

__all__ = ["SuperGenerator", "front_channels", "load_supernet"]

Kept = slice | Tensor


class SuperGenerator(MFANet):
    """An MFANet at full widths whose forward pass can run at any smaller widths on the shared weights."""

    def forward(self, x: Tensor, widths: Widths | None = None) -> Tensor:
        """Run the network, or one of its slices on the shared weights, into which gradients flow.

        Args:
            x: LR images (N, 3, H, W) in [0, 1].
            widths: The SubGenerator to run; None for full width.

        Returns:
            HR images (N, 3, scale H, scale W), not clamped.
        """
        if widths is None or widths == self.widths:
            return super().forward(x)
        # No layer's forward pass looks at its width, so the full network runs on the smaller weights.
        return functional_call(self, self.slice_weights(widths), (x,))

    def slice_weights(self, widths: Widths) -> dict[str, Tensor]:
        """The weights of a SubGenerator by name, differentiable in the shared weights, sharing memory where possible.

        Args:
            widths: The SubGenerator's.

        Raises:
            InputError: They do not fit in this network's widths.
        """
        if not widths.fits_in(self.widths):
            raise InputError(f"widths {widths} do not fit in a SuperGenerator of widths {self.widths}")
        small = channel_groups(widths, self.scale)
        weights: dict[str, Tensor] = {}
        for name, conv in named_convs(self):
            rows, columns = front_channels(conv.writes, small), front_channels(conv.reads, small)
            assert conv.bias is not None
            weights[f"{name}.weight"] = conv.weight[rows][:, columns]
            weights[f"{name}.bias"] = conv.bias[rows]
        return weights

    def extract(self, widths: Widths) -> MFANet:
        """A SubGenerator as a plain MFANet with its own copy of the weights; its output equals the slice's.

        Args:
            widths: The SubGenerator's.

        Raises:
            InputError: They do not fit in this network's widths.
        """
        with torch.device("meta"):  # the weights come from here: none need be drawn at random
            network = MFANet(widths, self.scale, self.residual_kind)
        weights = {name: w.detach().clone() for name, w in self.slice_weights(widths).items()}
        network.load_state_dict(weights, assign=True)
        if self.residual is not None and network.residual is not None:
            network.residual.filters = torch.clone(self.residual.filters)
        return network.train(self.training)


def load_supernet(path: str | Path) -> SuperGenerator:
    """The SuperGenerator of a checkpoint, in evaluation mode on the CPU.

    Args:
        path: The checkpoint's file.

    Raises:
        InputError: As `checkpoint.read`; it is not a SuperGenerator, or its weights do not fit its description.
    """
    return SuperGenerator.from_checkpoint(checkpoint.read(path, "mfanet", "supergenerator"), path)


def front_channels(full: Groups, small: dict[str, Group]) -> Kept:
    """Find the front channels of each part of a layer's input or output.

    Args:
        full: the groups of the full layer.
        small: name -> the group at the slice's widths.

    Returns:
        Their indices among the full layer's channels.
    """
    if all(group == small[group.name] for group in full):
        return slice(None)
    if len(full) == 1:
        return slice(0, small[full[0].name].size)
    start, kept = 0, []
    for group in full:
        kept.append(torch.arange(start, start + small[group.name].size))
        start += group.size
    return torch.cat(kept)
