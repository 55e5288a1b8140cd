"""The weight-shared SuperGenerator (paper section 3.6): every SubGenerator is a slice of its weights.

A SubGenerator uses the front channels of each channel group of each layer; where a layer reads a
concatenation, the front channels of each concatenated part. Which groups a layer joins stands in
`generator.Conv`; nothing here knows the structure of the network.
"""

from functools import lru_cache

import torch
from torch import Tensor
from torch.func import functional_call

from mfagan.errors import InputError
from mfagan.sr.generator import Groups, MFANet, Residual, named_convs
from mfagan.sr.widths import Widths

Kept = slice | Tensor


class SuperGenerator(MFANet):
    """An MFANet at full widths whose forward pass can run at any smaller widths on the shared weights."""

    def forward(self, x: Tensor, widths: Widths | None = None) -> Tensor:
        """LR images (N, 3, H, W) -> HR images (N, 3, scale H, scale W) of the SubGenerator `widths`.

        None means full width. Gradients flow into the shared weights.
        """
        if widths is None or widths == self.widths:
            return super().forward(x)
        return functional_call(self._skeleton(widths), self.slice_weights(widths), (x,))

    def slice_weights(self, widths: Widths) -> dict[str, Tensor]:
        """The SubGenerator's weights by name, differentiable in the shared weights and sharing memory where possible."""
        if not widths.fits_in(self.widths):
            raise InputError(f"widths {widths} do not fit in a SuperGenerator of widths {self.widths}")
        weights: dict[str, Tensor] = {}
        small = dict(named_convs(self._skeleton(widths)))
        for name, conv in named_convs(self):
            rows = _front_channels(conv.writes, small[name].writes)
            columns = _front_channels(conv.reads, small[name].reads)
            assert conv.bias is not None
            weights[f"{name}.weight"] = conv.weight[rows][:, columns]
            weights[f"{name}.bias"] = conv.bias[rows]
        return weights

    def extract(self, widths: Widths) -> MFANet:
        """A plain MFANet of these widths with its own copy of the weights; its output equals the slice's."""
        network = MFANet(widths, self.scale, self.residual_kind).to(self.head.weight)
        network.load_state_dict({name: w.detach().clone() for name, w in self.slice_weights(widths).items()})
        return network.train(self.training)

    def _skeleton(self, widths: Widths) -> MFANet:
        skeleton = _skeleton(widths, self.scale, self.residual_kind)
        if self.residual is not None:
            assert skeleton.residual is not None
            skeleton.residual.filters = self.residual.filters
        return skeleton


@lru_cache(maxsize=64)
def _skeleton(widths: Widths, scale: int, residual: Residual) -> MFANet:
    """A network without memory of its own: its forward pass runs on weights that are handed in."""
    with torch.device("meta"):
        return MFANet(widths, scale, residual)


def _front_channels(full: Groups, small: Groups) -> Kept:
    """Where the front channels of each part lie among the full layer's channels."""
    if full == small:
        return slice(None)
    if len(full) == 1:
        return slice(0, small[0].size)
    start, kept = 0, []
    for whole, part in zip(full, small, strict=True):
        kept.append(torch.arange(start, start + part.size))
        start += whole.size
    return torch.cat(kept)
