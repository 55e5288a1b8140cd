"""Which widths each step of a translator depends on, and the few networks that have every layer of its slices.

No step depends on more than two choices, and these pairs make a tree. So all choices can be given one of two colours
that differ within every step, and networks in which each colour has one part of the full widths, nine of three parts,
have every layer at all its widths.
"""

from collections.abc import Mapping, Sequence
from itertools import product

from mfagan.coronetgan.network.slices import tied_latents
from mfagan.coronetgan.network.translator import Translator
from mfagan.coronetgan.study.scoring.choices import Widths, choose_from

__all__ = ["SliceForm"]


class SliceForm:
    """How the slices of one translator are built.

    Attributes:
        options: Name of a choice -> its widths, the full one first.
        of_step: For each step the indices of the choices that it depends on, in rising order.
        parents: For each choice the earlier one that some step joins it with; None for the first.
    """

    def __init__(self, translator: Translator) -> None:
        """Look at a translator.

        Args:
            translator: The weight-shared network; its weights are not read.
        """
        self.options = choose_from(translator)
        tied = tied_latents(translator)
        index = {latent: number for number, latents in enumerate(tied.values()) for latent in latents}
        self._of_latent = {latent: index[latent] for latent in translator.widths}
        links = {link.name: link for link in translator.links()}
        self.of_step: list[tuple[int, ...]] = []
        for convs in translator.steps():
            latents = [one for name in convs for one in (*links[name].inputs, links[name].output)]
            self.of_step.append(tuple(sorted({index[one] for one in latents if one in index})))
        self.parents: list[int | None] = [None] * len(self.options)
        for choices in self.of_step:
            if len(choices) == 2:
                self.parents[choices[1]] = choices[0]
        self._colours: list[int] = []
        for parent in self.parents:
            self._colours.append(0 if parent is None else 1 - self._colours[parent])

    @property
    def alternating(self) -> list[Widths]:
        """Slices that have every layer at all its widths."""
        n_parts = max(map(len, self.options.values()))
        return list(dict.fromkeys(self._alternate(parts) for parts in product(range(n_parts), repeat=2)))

    def latents(self, widths: Sequence[int]) -> dict[str, int]:
        """The channels of every latent of a slice.

        Args:
            widths: The slice's.
        """
        return {latent: widths[choice] for latent, choice in self._of_latent.items()}

    def of(self, widths: Widths, number: int) -> Widths:
        """The widths that a step of a slice depends on.

        Args:
            widths: The slice's.
            number: The step's.
        """
        return tuple(widths[choice] for choice in self.of_step[number])

    def alternate(self, widths: Widths, number: int) -> Widths:
        """That of the alternating slices which has a step at the widths that another slice has it.

        Args:
            widths: The other slice's.
            number: The step's.
        """
        parts, options = [0, 0], list(self.options.values())
        for choice in self.of_step[number]:
            parts[self._colours[choice]] = options[choice].index(widths[choice])
        return self._alternate(parts)

    def count_shared(self, one: Widths, other: Widths) -> int:
        """How many of the first steps two slices have in common.

        Args:
            one: A slice's widths.
            other: The other's.
        """
        for number in range(len(self.of_step)):
            if self.of(one, number) != self.of(other, number):
                return number
        return len(self.of_step)

    def prefix(self, widths: Widths, number: int) -> tuple[int, Widths]:
        """What the result of a step depends on.

        Args:
            widths: The slice's.
            number: The step's.

        Returns:
            The number, and the widths of the choices that this step and those before it depend on.
        """
        read = sorted({choice for choices in self.of_step[: number + 1] for choice in choices})
        return number, tuple(widths[choice] for choice in read)

    def _alternate(self, parts: Sequence[int]) -> Widths:
        options: Mapping[str, tuple[int, ...]] = self.options
        return tuple(
            one[min(parts[colour], len(one) - 1)]
            for one, colour in zip(options.values(), self._colours, strict=True)
        )
