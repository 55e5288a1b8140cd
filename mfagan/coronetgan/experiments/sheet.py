"""One picture that shows what translators make of held-out pictures."""

from collections.abc import Mapping

from torch import Tensor

from mfagan.coronetgan.network import Translator
from mfagan.coronetgan.training.validation import HeldOut, translate
from mfagan.evaluation.contact_sheet import captioned_sheet

__all__ = ["SHOWN", "draw_sheet"]

SHOWN = 4
"""Pictures of a sheet."""


def draw_sheet(
    title: str, translators: Mapping[str, Translator], held_out: HeldOut, backwards: bool = False
) -> Tensor:
    """Draw a column for what is translated, for each translator and, with pairs, for what is wanted.

    Args:
        title: one line.
        translators: caption -> translator, all of one direction.
        held_out: the pictures.
        backwards: whether they translate B to A.

    Returns:
        The sheet (3, H, W), RGB in [0, 1].
    """
    given, wanted = (held_out.b, held_out.a) if backwards else (held_out.a, held_out.b)
    columns = {"input": given[:SHOWN]}
    columns |= {caption: translate(one, given[:SHOWN]) for caption, one in translators.items()}
    if held_out.paired:
        columns["target"] = wanted[:SHOWN]
    return captioned_sheet(
        title, [(caption, _shown(pictures)) for caption, pictures in columns.items()], len(columns)
    )


def _shown(pictures: Tensor) -> list[Tensor]:
    return list(((pictures + 1) / 2).clamp(0, 1).expand(-1, 3, -1, -1))
