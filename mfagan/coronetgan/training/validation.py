"""How a training of this system validates: held-out pictures, by their pairs, or by what is left there and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mfagan.coronetgan.network import Translator
from mfagan.coronetgan.network.slices import extract, narrowest
from mfagan.coronetgan.training.objectives import TranslatorPair
from mfagan.evaluation.psnr_ssim import signed_psnr_db
from mfagan.training.loop import LoopResult, Validation

__all__ = ["HeldOut", "format_psnr", "record_figures", "score_narrowest", "translate"]

_CHUNK = 8
_SHOWN = 4


@torch.no_grad()
def translate(translator: nn.Module, pictures: Tensor) -> Tensor:
    """Translate pictures a few at a time.

    Args:
        translator: a translator or its hypernetwork form, in evaluation mode.
        pictures: (N, C, H, W) in [-1, 1].

    Returns:
        (N, C', H, W) in [-1, 1].
    """
    return torch.cat([translator(part).float() for part in pictures.split(_CHUNK)])


@dataclass(frozen=True)
class HeldOut:
    """Pictures of both domains that training does not see; with `paired`, `a[i]` belongs to `b[i]`."""

    a: Tensor
    b: Tensor
    paired: bool

    def __call__(self, network: nn.Module) -> Validation:
        """Score translators.

        Args:
            network: a translator from A to B, or CycleGAN's two; masks of hypernetwork forms have effect.

        Returns:
            With pairs the PSNR of the translations, "psnr_db" (of CycleGAN the mean of "psnr_a_db", A to B, and
            "psnr_b_db"); without them that of what comes back of pictures that were translated there and back,
            "cycle_psnr_db", which says nothing of how real the translations look. Both are figures in dB, and
            "distance", the mean absolute difference in [0, 1] of a translation from its pair.
        """
        if not isinstance(network, TranslatorPair):
            made = translate(network, self.a)
            figures = {"psnr_db": signed_psnr_db(made, self.b).item(), "distance": _distance(made, self.b)}
            return Validation(figures["psnr_db"], figures)
        made_b, made_a = translate(network.a, self.a), translate(network.b, self.b)
        back = (
            signed_psnr_db(translate(network.b, made_b), self.a).item(),
            signed_psnr_db(translate(network.a, made_a), self.b).item(),
        )
        figures = {"cycle_psnr_db": sum(back) / 2}
        if not self.paired:
            return Validation(figures["cycle_psnr_db"], figures)
        there = signed_psnr_db(made_b, self.b).item(), signed_psnr_db(made_a, self.a).item()
        figures |= {
            "psnr_db": sum(there) / 2,
            "psnr_a_db": there[0],
            "psnr_b_db": there[1],
            "distance": (_distance(made_b, self.b) + _distance(made_a, self.a)) / 2,
        }
        return Validation(figures["psnr_db"], figures)

    def picture(self, network: nn.Module) -> Tensor:
        """Rows of pictures: of A, what is made of them and, with pairs, what is wanted; of CycleGAN B likewise.

        Args:
            network: as for a call.

        Returns:
            (3, rows H, up to 4 W), RGB in [0, 1].
        """
        a, b = self.a[:_SHOWN], self.b[:_SHOWN]
        if isinstance(network, TranslatorPair):
            rows: Sequence[Tensor] = (a, translate(network.a, a), b, translate(network.b, b))
        else:
            rows = (a, translate(network, a), *((b,) if self.paired else ()))
        joined = [torch.cat(list(row.expand(-1, 3, -1, -1)), 2) for row in rows]
        return ((torch.cat(joined, 1) + 1) / 2).clamp(0, 1)


def _distance(made: Tensor, wanted: Tensor) -> float:
    return (F.l1_loss(made.clamp(-1, 1), wanted) / 2).item()


def score_narrowest(network: nn.Module, held_out: HeldOut) -> Validation:
    """Score weight-shared translators, and their narrowest slices beside them.

    Batch norm with running statistics has those of all slices mixed here.

    Args:
        network: a translator, or CycleGAN's two.
        held_out: scores it.

    Returns:
        The full networks' score; figures whose names begin with "narrowest_" are the narrowest slices'.
    """
    found = held_out(network)
    if isinstance(network, TranslatorPair):
        slim: nn.Module = TranslatorPair(_slim(network.a), _slim(network.b))
    else:
        slim = _slim(network)
    figures = {f"narrowest_{name}": value for name, value in held_out(slim).figures.items()}
    return Validation(found.score, {**found.figures, **figures})


def _slim(network: nn.Module) -> Translator:
    assert isinstance(network, Translator)
    return extract(network, narrowest(network))


def format_psnr(score: float) -> str:
    """Write a score for people.

    Args:
        score: of a validation.

    Returns:
        The figure with its unit.
    """
    return f"{score:.2f} dB"


def record_figures(result: LoopResult) -> Mapping[str, object]:
    """What a checkpoint records of a training.

    Args:
        result: of the loop.

    Returns:
        What `HeldOut` measured, `validation_curve` of steps and scores, and the minutes that it took.
    """
    return {
        **result.figures[result.kept_step],
        "validation_curve": result.curve,
        "training_minutes": result.seconds / 60,
    }
