"""What several commands of this system share: option types."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["TeacherOption", "Vgg16Option"]

TeacherOption = Annotated[
    Path,
    typer.Option(
        metavar="FILE",
        help="The StyleGAN2 to learn from, of `mobilestylegan teacher` or `mobilestylegan import`.",
    ),
]
Vgg16Option = Annotated[
    Path | None,
    typer.Option(
        "--vgg",
        "--vgg16",
        help="VGG16's weights, where the recipe weighs percep (default: in $TORCH_HOME/hub/checkpoints).",
    ),
]
