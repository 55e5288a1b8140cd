"""Starting a stage from a generator that is given, such as earlier weights on another machine."""

from collections.abc import Sequence
from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.errors import InputError
from mfagan.sr.kinds import describe_generator
from mfagan.sr.network.mfanet import MFANet
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.recipe import Recipe

__all__ = ["INIT", "require_start"]

INIT = "init"
"""What a stage's builder calls the checkpoint that is given to start from."""


def require_start(recipe: Recipe, stages: Sequence[str], init: Path) -> None:
    """Check that a stage can start from a checkpoint.

    Args:
        recipe: gives the generator's width, scale and residual.
        stages: names of the stages that are to be trained. `teacher`, `distill` or `supernet`, alone, can start from a
            checkpoint.
        init: the checkpoint, of an MFANet.

    Raises:
        InputError: other stages; no such file, or another network than the stage trains, or a wider one.
    """
    widths = {"teacher": recipe.teacher_width} | dict.fromkeys(("distill", "supernet"), recipe.student_width)
    if len(stages) != 1 or stages[0] not in widths:
        choices = " or ".join(f"--stage {name}" for name in widths)
        raise InputError(f"--init {init}: give {choices} alone, which start from a generator")
    (stage,) = stages
    found = describe_generator(checkpoint.read(init, network=MFANet.KIND), init).config()
    with torch.device("meta"):
        wanted = MFANet(Widths.uniform(widths[stage]), recipe.scale, recipe.residual).config()
    for name, value in wanted.items():
        if name == "widths" and Widths.of(found[name]).fits_in(Widths.of(value)):  # pyright: ignore[reportArgumentType]
            continue
        if found[name] != value:
            raise InputError(
                f"checkpoint {init} has {name} {found[name]}, but stage {stage} of recipe {recipe.name} trains "
                f"{name} {value}: give another file or change the recipe"
            )
