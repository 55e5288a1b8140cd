"""Networks of some of a translator's channels: how pruned ones and slices are made."""

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor

from mfagan.coronetgan.network.links import INPUT, OUTPUT, Biases
from mfagan.coronetgan.network.translator import Translator

__all__ = ["kept_biases", "select"]

Network = TypeVar("Network", bound=Translator)


def kept_biases(translator: Translator) -> Biases:
    """Which biases networks of some of the channels have.

    Args:
        translator: The network.
    """
    return "unnormed" if translator.norm == "instance" and translator.biases == "all" else translator.biases


@torch.no_grad()
def select(
    translator: Network, kept: Mapping[str, Tensor], weights: Mapping[str, Tensor] | None = None
) -> Network:
    """A network of some of the channels, with their weights.

    A bias right before an instance norm has no effect and is left out.

    Args:
        translator: The network; it is not changed.
        kept: Latent -> indices of the channels, in the order that they shall have; all of those it lacks.
        weights: As for `Translator.forward`.

    Returns:
        The network, in the given one's mode, on its device and in its precision.
    """
    every = {
        name: torch.arange(translator.width_of(name)) for name in (*translator.widths, INPUT, OUTPUT)
    } | dict(kept)
    widths = {name: len(every[name]) for name in translator.widths}
    chosen = translator.with_widths(widths, kept_biases(translator))
    state: dict[str, Tensor] = dict(translator.state_dict())
    state |= {f"convs.{name}.weight": one for name, one in (weights or {}).items()}
    found: dict[str, Tensor] = {}
    for link in translator.links():
        before, start = [], 0
        for one in link.inputs:
            before.append(every[one] + start)
            start += translator.width_of(one)
        inputs, channels = torch.cat(before), every[link.output]
        outputs = (channels[:, None] * link.repeat + torch.arange(link.repeat)).flatten()
        axes = (0, 1) if link.transposed else (1, 0)
        weight = state[f"convs.{link.name}.weight"]
        found[f"convs.{link.name}.weight"] = weight.index_select(
            axes[0], inputs.to(weight.device)
        ).index_select(axes[1], outputs.to(weight.device))
        for prefix, index in ((f"convs.{link.name}.bias", outputs), (f"norms.{link.name}.", channels)):
            for name in [one for one in state if one.startswith(prefix)]:
                tensor = state[name]
                found[name] = tensor[index.to(tensor.device)] if tensor.dim() else tensor
    weight = next(iter(found.values()))
    names = chosen.to(weight.device, weight.dtype).state_dict()
    chosen.load_state_dict({name: tensor for name, tensor in found.items() if name in names})
    return chosen.train(translator.training)
