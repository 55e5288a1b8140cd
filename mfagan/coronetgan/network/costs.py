"""What a translator costs at any widths, without building it: products of the numbers of channels."""

from collections.abc import Mapping
from dataclasses import dataclass

from mfagan.coronetgan.network.translator import Translator
from mfagan.graph.costs import CONVENTIONS, Costs, sum_costs
from mfagan.graph.operators import TransposedAt

__all__ = ["WidthCosts", "count_costs"]


@dataclass(frozen=True)
class WidthCosts:
    """Multiply-accumulates of a translator as a function of its widths.

    full: all its channels: latent -> width, the pictures' among them.
    products: for each convolution the latents that it reads, the one that it writes, and its multiply-accumulates for
        one pair of channels; transposed convolutions at their input's resolution.
    """

    full: Mapping[str, int]
    products: tuple[tuple[tuple[str, ...], str, int], ...]

    @classmethod
    def of(cls, translator: Translator, height: int, width: int) -> "WidthCosts":
        """The costs of a translator's convolutions.

        Args:
            translator: Its weights are not read.
            height: Of the picture in px.
            width: Likewise.

        Raises:
            InputError: The network does not take pictures of that size.
        """
        blocks = translator.blocks(height, width)
        macs = {
            operator.weights: operator.macs
            for block in blocks
            for operator in block.operators
            if operator.terms
        }
        full = {
            name: translator.width_of(name)
            for link in translator.links()
            for name in (*link.inputs, link.output)
        }
        products = []
        for link in translator.links():
            pairs = sum(full[name] for name in link.inputs) * full[link.output]
            products.append((link.inputs, link.output, macs[f"convs.{link.name}"] // pairs))
        return cls(full, tuple(products))

    def macs(self, widths: Mapping[str, int] | None = None) -> int:
        """Multiply-accumulates of one picture.

        Args:
            widths: Channels of the latents; all of those it lacks.
        """
        found = {**self.full, **(widths or {})}
        return sum(
            sum(found[name] for name in inputs) * found[output] * each
            for inputs, output, each in self.products
        )

    def ratio(self, widths: Mapping[str, int]) -> float:
        """Multiply-accumulates as a share of those of all channels.

        Args:
            widths: As for `macs`.
        """
        return self.macs(widths) / self.macs()


def count_costs(translator: Translator, height: int, width: int) -> dict[TransposedAt, Costs]:
    """Count what a translator costs, from the operators that it lists; nothing is computed.

    Args:
        translator: On any device, the meta device among them.
        height: Of the picture in px.
        width: Likewise.

    Returns:
        The resolution at which transposed convolutions are counted -> costs of one picture.

    Raises:
        InputError: The network does not take pictures of that size.
    """
    blocks = translator.blocks(height, width)
    operators = [operator for block in blocks for operator in block.operators]
    return {at: sum_costs(operators, at) for at in CONVENTIONS}
