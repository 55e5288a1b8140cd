"""`mfagan mobilestylegan import`: another author's file as a checkpoint."""

from pathlib import Path
from typing import Annotated

import typer

from search.commands.result import Result

__all__ = ["import_file"]


def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            help="A StyleGAN2 of the public PyTorch code (.pt), or the published student (.ckpt)."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The checkpoint to write (.safetensors).")],
    authors_rows: Annotated[
        bool,
        typer.Option(
            "--authors-rows", help="Of a student: W+ files have its authors' rows, not the teacher's."
        ),
    ] = False,
    allow_namespace: Annotated[
        bool,
        typer.Option(
            "--allow-namespace", help="The file may hold the options of a training (argparse.Namespace)."
        ),
    ] = False,
) -> Result:
    """Convert another author's generator to a checkpoint.

    Sizes and widths are inferred from the shapes of the weights. Nothing in the file is run: NVIDIA's .pkl is refused.
    """
    from mfagan import checkpoint
    from mfagan.mobilestylegan.importing import import_file as convert
    from mfagan.mobilestylegan.kinds import rebuild

    checkpoint.require_checkpoint_place(out, file)
    found = convert(file, rows="authors" if authors_rows else "ours", allow_namespace=allow_namespace)
    network = rebuild(found, file)
    checkpoint.save(out, found)
    described = f"{network.KIND} of {network.size} px, styles of {network.style_dim} numbers"
    return Result(
        {"file": str(out), "network": network.KIND, "size": network.size, "style_dim": network.style_dim},
        [f"{out}: {described}"],
        [out],
        ["mfagan", "info", str(out)],
    )
