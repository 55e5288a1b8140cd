"""`mfagan coronetgan import`: a generator of the public CycleGAN or pix2pix code as a checkpoint."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from search.commands.result import Result

__all__ = ["import_file"]


def import_file(
    file: Annotated[
        Path,
        typer.Argument(help="latest_net_G.pth, _G_A.pth or _G_B.pth of the public CycleGAN or pix2pix code."),
    ],
    out: Annotated[Path, typer.Option(help="The checkpoint to write (.safetensors).")],
    norm_at_inference: Annotated[
        Literal["running", "image"] | None,
        typer.Option(
            "--norm-at-inference",
            help="Statistics of batch norms: image, as the public test (default), or running, as with its --eval.",
        ),
    ] = None,
) -> Result:
    """Convert a generator of the public CycleGAN and pix2pix code to a checkpoint.

    Kind, widths, blocks or levels and norm are inferred from the names and shapes of the weights, pruned files
    included. Nothing in the file is run. `mfagan coronetgan export --format pth` writes such a file again.
    """
    from mfagan import checkpoint
    from mfagan.coronetgan.importing import import_public
    from mfagan.coronetgan.kinds import describe

    checkpoint.require_checkpoint_place(out, file)
    found = import_public(file, norm_at_inference)
    about = describe(found, file)
    checkpoint.save(out, found)
    shared = ("params", "widths", "norm", "norm_at_inference", "macs_transposed_at_input", "size")
    side, macs = about["size"], about["macs_transposed_at_input"]
    norms = f"{about['norm']} norm, statistics: {about['norm_at_inference']}"
    return Result(
        {
            "file": str(out),
            "network": found.network,
            "role": found.role,
            **{one: about[one] for one in shared},
        },
        [f"{out}: {found.network} of {about['params']:,} parameters, {macs:,} MACs at {side} px, {norms}"],
        [out],
        ["mfagan", "coronetgan", "translate", str(out), "IMAGES", "--out", "translated"],
    )
