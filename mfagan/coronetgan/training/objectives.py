"""The losses of one training step as modules, one forward pass each: what several processes can share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.coronetgan.network import Translator
from mfagan.coronetgan.network.hyper.translator import HyperTranslator
from mfagan.coronetgan.network.links import Gates
from mfagan.coronetgan.training.recipe import Gan

__all__ = [
    "CycleObjective",
    "DiscriminatorObjective",
    "GeneratorObjective",
    "PairObjective",
    "TranslatorPair",
    "adversarial_loss",
]

Terms = dict[str, Tensor]
"""Loss terms by name, unweighted scalars."""
Shown = dict[str, tuple[Tensor, Tensor]]
"""Name of a discriminator -> real pictures that it is shown, and translated ones."""
Draw = Callable[[int], Sequence[Gates]]
"""The number of a step -> the gates of the slices that it trains."""
Way = Callable[[Tensor], Tensor]


class TranslatorPair(nn.Module):
    """CycleGAN's two translators: `a` from A to B (G_A in the public code), `b` back."""

    def __init__(self, a: nn.Module, b: nn.Module) -> None:
        """Join them.

        Args:
            a: from A to B.
            b: from B to A.
        """
        super().__init__()
        self.a = a
        self.b = b


def adversarial_loss(logits: Tensor, real: bool, gan: Gan) -> Tensor:
    """How far the logits of a discriminator are from real, or from translated, the mean over patches.

    Args:
        logits: any shape.
        real: what is wanted.
        gan: as in `Gan`.

    Returns:
        A scalar, in float32 at least.
    """
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    if gan == "lsgan":
        return (wide - float(real)).square().mean()
    return F.softplus(-wide if real else wide).mean()


class GeneratorObjective(nn.Module, ABC):
    """The loss of translators against their discriminators, the mean over the slices that a step trains."""

    def __init__(
        self,
        translators: nn.Module,
        discriminators: nn.ModuleDict,
        gan: Gan,
        masked: bool,
        draw: Draw | None,
        teachers: Sequence[Translator],
    ) -> None:
        """Make the objective.

        Args:
            translators: what is trained: a translator or hypernetwork form, or a pair of them.
            discriminators: by name; they take part but do not belong to it.
            gan: as in `Gan`.
            masked: whether masks of hypernetwork forms have effect.
            draw: the slices that a step trains; None for the whole translators.
            teachers: whose pictures are wanted instead of the data's, in the order of the translators; none for the
                data's.
        """
        super().__init__()
        self.translators = translators
        self._others = (discriminators, tuple(teachers))
        self._gan: Gan = gan
        self._masked = masked
        self._draw = draw

    def forward(self, a: Tensor, b: Tensor, number: int) -> tuple[Terms, Shown]:
        """Compute the terms.

        Args:
            a: pictures of domain A, (N, C, H, W) in [-1, 1].
            b: of domain B, likewise.
            number: the step's.

        Returns:
            The terms by name, and what the discriminators are shown of the last slice, without gradient.
        """
        drawn: Sequence[Gates] = ({},) if self._draw is None else self._draw(number)
        looks = [self._look(a, b, gates) for gates in drawn]
        terms = {name: torch.stack([one[name] for one, _ in looks]).mean() for name in looks[0][0]}
        shown = {name: (real.detach(), fake.detach().float()) for name, (real, fake) in looks[-1][1].items()}
        return terms, shown

    @abstractmethod
    def _look(self, a: Tensor, b: Tensor, gates: Gates) -> tuple[Terms, Shown]:
        """The terms of one slice, and what the discriminators are shown of it."""

    def _way(self, translator: nn.Module, gates: Gates) -> Way:
        """A translator to be called several times in a step, whose weights are made once."""
        if isinstance(translator, HyperTranslator):
            form, weights = translator.translator, translator.weights()
            masks = {name: translator.mask(name) for name in form.widths} if self._masked else None
            return lambda x: form(x, masks, weights)
        return lambda x: translator(x, gates or None)

    def _judge(self, name: str, pictures: Tensor) -> Tensor:
        return adversarial_loss(self._others[0][name](pictures), True, self._gan)

    @torch.no_grad()
    def _teach(self, number: int, pictures: Tensor) -> Tensor:
        return self._others[1][number](pictures)

    @property
    def _taught(self) -> bool:
        return bool(self._others[1])


class PairObjective(GeneratorObjective):
    """pix2pix's loss: the discriminator's of the picture beside what it was made of, and L1 from the wanted one."""

    def _look(self, a: Tensor, b: Tensor, gates: Gates) -> tuple[Terms, Shown]:
        made = self._way(self.translators, gates)(a)
        wanted = self._teach(0, a) if self._taught else b
        fake = torch.cat((a, made.to(a.dtype)), 1)
        terms = {
            "gan": self._judge("discriminator", fake),
            "l1": F.l1_loss(made.float(), wanted.float()),
        }
        return terms, {"discriminator": (torch.cat((a, b), 1), fake)}


class CycleObjective(GeneratorObjective):
    """CycleGAN's loss: the discriminators', what is left there and back, and what is changed in the target's pictures.

    With teachers, theirs are the wanted pictures, as if there were pairs (GAN Compression's way): L1 from those takes
    the place of the last two.
    """

    def __init__(self, *arguments: object, identity: bool) -> None:
        """Make the objective.

        Args:
            *arguments: as for `GeneratorObjective`.
            identity: whether what is changed in pictures of the target is computed.
        """
        super().__init__(*arguments)  # pyright: ignore[reportArgumentType]
        self._identity = identity

    def _look(self, a: Tensor, b: Tensor, gates: Gates) -> tuple[Terms, Shown]:
        assert isinstance(self.translators, TranslatorPair)
        there, back = self._way(self.translators.a, gates), self._way(self.translators.b, gates)
        made_b, made_a = there(a), back(b)
        terms = {
            "gan_a": self._judge("discriminator_a", made_b),
            "gan_b": self._judge("discriminator_b", made_a),
        }
        if self._taught:
            wanted_b, wanted_a = self._teach(0, a), self._teach(1, b)
            terms["l1"] = F.l1_loss(made_b.float(), wanted_b.float()) + F.l1_loss(
                made_a.float(), wanted_a.float()
            )
        else:
            terms["cycle"] = F.l1_loss(back(made_b).float(), a) + F.l1_loss(there(made_a).float(), b)
            if self._identity:
                terms["identity"] = F.l1_loss(there(b).float(), b) + F.l1_loss(back(a).float(), a)
        return terms, {"discriminator_a": (b, made_b), "discriminator_b": (a, made_a)}


class DiscriminatorObjective(nn.Module):
    """The loss of discriminators: real pictures against translated ones."""

    def __init__(self, discriminators: nn.ModuleDict, gan: Gan) -> None:
        """Make the objective.

        Args:
            discriminators: what is trained, by name.
            gan: as in `Gan`.
        """
        super().__init__()
        self.discriminators = discriminators
        self._gan: Gan = gan

    def forward(self, shown: Mapping[str, tuple[Tensor, Tensor]]) -> Terms:
        """Compute the terms.

        Args:
            shown: name of a discriminator -> real and translated pictures, (N, C, H, W) in [-1, 1].

        Returns:
            "real" and "fake" of each, with the ends of their names, such as "real_a".
        """
        terms: Terms = {}
        for name, (real, fake) in shown.items():
            end = name.removeprefix("discriminator")
            judge = self.discriminators[name]
            terms[f"real{end}"] = adversarial_loss(judge(real), True, self._gan)
            terms[f"fake{end}"] = adversarial_loss(judge(fake), False, self._gan)
        return terms
