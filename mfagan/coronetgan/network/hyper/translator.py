"""A translator whose weights come from hypernetworks, one for each convolution, fed by shared latent vectors."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from mfagan.coronetgan.network import TRANSLATORS
from mfagan.coronetgan.network.hyper.hypernetwork import Hypernetwork
from mfagan.coronetgan.network.links import INPUT, OUTPUT, Link
from mfagan.coronetgan.network.selection import select
from mfagan.coronetgan.network.translator import Translator
from mfagan.errors import InputError
from mfagan.networks.saved_module import SavedModule

__all__ = ["HyperTranslator", "count_trainable"]


class HyperTranslator(SavedModule):
    """The form of a translator that is searched: latents -> hypernetworks -> the weights of its convolutions.

    A latent of each of the translator's, and of its pictures. A concatenation reads the latents one after the other, a
    pixel shuffle repeats each entry. Biases and norms are the translator's own. A zero latent is not a zero weight, as
    the hypernetworks have biases: what is pruned is what the masks say.

    Args:
        translator: At full widths. Its form and, but for the convolutions' weights, its numbers are taken over.
    """

    KIND: ClassVar[str] = "hyper_translator"
    """Its name in checkpoints."""

    def __init__(self, translator: Translator) -> None:
        super().__init__()
        self.latents = nn.ParameterDict()
        self.hypernetworks = nn.ModuleDict()
        for name in (INPUT, *translator.widths, OUTPUT):
            width = translator.width_of(name)
            self.latents[name] = nn.Parameter(torch.randn(width))
            self.register_buffer(f"mask_{name}", torch.ones(width))
        for link in translator.links():
            conv = translator.convs[link.name]
            assert isinstance(conv, nn.Conv2d | nn.ConvTranspose2d)
            self.hypernetworks[link.name] = Hypernetwork(
                sum(translator.width_of(name) for name in link.inputs),
                translator.width_of(link.output) * link.repeat,
                conv.kernel_size[0],
                link.transposed,
            )
            conv.register_parameter("weight", None)
        self.translator = translator

    def forward(self, x: Tensor, masked: bool = True) -> Tensor:
        """Translate pictures.

        Args:
            x: As for `Translator.forward`.
            masked: Whether gated activations are multiplied by the masks, so that what is seen is what `bake` gives.

        Returns:
            As `Translator.forward`.
        """
        gates = {name: self.mask(name) for name in self.translator.widths} if masked else None
        return self.translator(x, gates, self.weights())

    def weights(self) -> dict[str, Tensor]:
        """The weights of all convolutions by their names, as the latents make them."""
        return {link.name: self._make(link) for link in self.translator.links()}

    def _make(self, link: Link) -> Tensor:
        z_in = torch.cat([self.latents[name] for name in link.inputs])
        z_out = self.latents[link.output].repeat_interleave(link.repeat)
        return self.hypernetworks[link.name](z_in, z_out)

    def prunable(self) -> dict[str, nn.Parameter]:
        """The latents that may be pruned: all but those of the pictures."""
        return {name: self.latents[name] for name in self.translator.widths}

    def mask(self, name: str) -> Tensor:
        """The mask of a latent.

        Args:
            name: The latent's.

        Returns:
            1 for a channel that is left, 0 for a pruned one, (C,).
        """
        return self.get_buffer(f"mask_{name}")

    @torch.no_grad()
    def set_masks(self, kept: Mapping[str, Tensor]) -> None:
        """Set masks.

        Args:
            kept: Latent -> indices of the channels that are left, or booleans.
        """
        for name, index in kept.items():
            mask = self.mask(name)
            mask.zero_()
            mask[index.to(mask.device)] = 1

    @torch.no_grad()
    def bake(self) -> Translator:
        """The network of the channels that the masks leave, an ordinary one from now on.

        Returns:
            It, in this one's mode and on its device; it makes what `forward` makes, to rounding.
        """
        kept = {name: self.mask(name).nonzero().flatten().cpu() for name in self.translator.widths}
        return select(self.translator, kept, self.weights())

    @torch.no_grad()
    def bake_full(self) -> Translator:
        """The network of all channels, those of the largest latents first: its slices are its first channels."""
        order = {name: z.abs().argsort(descending=True).cpu() for name, z in self.prunable().items()}
        return select(self.translator, order, self.weights())

    @torch.no_grad()
    def match(self, translator: Translator) -> Self:
        """Start from a trained network: the last biases of the hypernetworks become what its weights lack.

        The magnitudes of the latents then say nothing about the channels at first; that is no part of CoroNetGAN.

        Args:
            translator: Of the same form and widths.

        Raises:
            InputError: It is of another form.
        """
        if translator.KIND != self.translator.KIND or translator.config() != self.translator.config():
            raise InputError(
                f"start of a search: it is a {translator.KIND} with {translator.config()!r:.160}, the search's network "
                f"has {self.translator.config()!r:.160}; give a network of the same form"
            )
        for link in translator.links():
            lacking = translator.get_parameter(f"convs.{link.name}.weight") - self._make(link)
            by_pair = lacking if link.transposed else lacking.transpose(0, 1)
            hypernetwork = self.hypernetworks[link.name]
            assert isinstance(hypernetwork, Hypernetwork)
            hypernetwork.b2.add_(by_pair.flatten(2))
        own = translator.state_dict()
        self.translator.load_state_dict({name: own[name] for name in self.translator.state_dict()})
        return self

    def config(self) -> dict[str, object]:
        """The arguments that rebuild it, as plain data."""
        return {"kind": self.translator.KIND, "translator": self.translator.config()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """An untrained network from the arguments that `config()` gives.

        Args:
            config: Them.

        Raises:
            InputError: No kind of translator, or as `Translator.from_config`.
        """
        kind = config.get("kind")
        if kind not in TRANSLATORS or set(config) != {"kind", "translator"}:
            raise InputError(
                f"{cls.KIND} cannot be built from {dict(config)!r:.120}: give translator, and kind "
                f"({', '.join(TRANSLATORS)})"
            )
        return cls(TRANSLATORS[str(kind)].from_config(config["translator"]))


def count_trainable(translator: Translator) -> int:
    """Count the trainable numbers of the form with hypernetworks; nothing is allocated.

    Args:
        translator: At full widths, on any device.
    """
    with torch.device("meta"):
        network = HyperTranslator(type(translator).from_config(translator.config()))
    return sum(parameter.numel() for parameter in network.parameters())
