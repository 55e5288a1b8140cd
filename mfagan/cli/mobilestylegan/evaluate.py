"""`mfagan mobilestylegan evaluate`: a student beside its teacher."""

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.inception import INCEPTION_HELP, load_inception
from mfagan.cli.options import DeviceOption, WeightsOption, command_line, find_lpips
from mfagan.errors import InputError
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.mobilestylegan.experiments.comparison import Comparison

__all__ = ["evaluate"]

logger = logging.getLogger(__name__)

DISTRIBUTIONS = "FID and KID"
"""The heading of their options."""


def evaluate(
    student: Annotated[Path, typer.Argument(help="A MobileStyleGAN's checkpoint.")],
    teacher: Annotated[Path, typer.Option(metavar="FILE", help="The StyleGAN2 that it was distilled from.")],
    latents: Annotated[
        int, typer.Option(min=1, help="Shared latents, those of the seeds 0, 1, and so on.")
    ] = 64,
    psi: Annotated[float, typer.Option(metavar="FLOAT", help="Truncation of the styles; 1 is none.")] = 1.0,
    weights: WeightsOption = None,
    inception: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=INCEPTION_HELP,
            rich_help_panel=DISTRIBUTIONS,
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Real pictures to compare with (default: the teacher's samples).",
            rich_help_panel=DISTRIBUTIONS,
        ),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(
            min=2, help="Pictures that each network makes; fid50k takes 50000.", rich_help_panel=DISTRIBUTIONS
        ),
    ] = 1000,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the figures too, as JSON.")] = None,
    device: DeviceOption = "auto",
) -> Result:
    """Measure a student against its teacher: images of shared latents, and costs of both.

    Mean absolute difference, PSNR, and LPIPS if AlexNet's weights are found; FID and KID if Inception's are. No weights
    are downloaded. Costs name what they count: articles differ in how they count transposed convolutions.
    """
    from mfagan.evaluation.inception import describe_missing, find_inception
    from mfagan.files import require_place, write_atomic
    from mfagan.mobilestylegan.experiments.comparison import ComparisonSettings, compare, list_pictures
    from mfagan.mobilestylegan.kinds import open_file
    from mfagan.progress import show_bar

    small, large = open_file(student, device), open_file(teacher, device)
    lpips = find_lpips(weights)
    path = find_inception(inception)
    pictures = [] if images is None else list_pictures(images)
    if path is None:
        if images is not None:
            raise InputError(f"--images {images}: FID and KID need Inception. {describe_missing()}")
        logger.info("FID and KID are left out: %s", describe_missing())
    if out is not None:
        require_place(out, student, teacher, weights, inception)
    features = None if path is None else load_inception(path, device)
    settings = ComparisonSettings(latents, psi, lpips, features, pictures, samples)
    found = compare(large, small, settings, show_bar)
    facts = {
        "command": command_line(),
        "student_file": str(student),
        "teacher_file": str(teacher),
        "latents": latents,
        "psi": psi,
        **found.as_dict(),
    }
    if out is not None:
        write_atomic(out, json.dumps(facts, indent=2, allow_nan=False) + "\n")
    lines = _lines(found, f"{latents} shared latents, psi {psi:g}, constant noise", lpips and lpips.name)
    then = ["mfagan", "mobilestylegan", "sample", student, "--beside-teacher", teacher, "--out", "sheet.png"]
    return Result(facts, lines, [] if out is None else [out], then)


def _lines(found: "Comparison", shared: str, lpips: str | None) -> list[str]:
    from mfagan.evaluation.text_table import Column, format_fields, format_text
    from mfagan.pretrained import LPIPS_MIN_SIDE_PX

    quality = {
        "mean absolute difference of [0, 1]": f"{found.distance:.4f}",
        "PSNR, images in [-1, 1], peak 2": f"{found.psnr_db:.2f} dB",
    }
    if found.lpips is not None:
        quality[str(lpips)] = f"{found.lpips:.4f}"
    teacher, student = found.teacher.as_rows(), found.student.as_rows()
    costs = [
        [name, n, student[name], n / student[name] if student[name] else None] for name, n in teacher.items()
    ]
    columns = [Column("cost of an image"), *(Column(name, form=",d") for name in ("teacher", "student"))]
    lines = [
        f"student against teacher, {shared}:",
        format_fields(quality),
        format_text([*columns, Column("ratio", form=".2f")], costs),
    ]
    if lpips is not None and found.lpips is None:
        lines.append(f"{lpips} is left out: it needs pictures of {LPIPS_MIN_SIDE_PX} px")
    if found.distributions:
        names = ("FID", "KID") if found.is_fid else ("Frechet distance, not FID", "kernel distance, not KID")
        heads = [Column("network"), Column(names[0], form=".3f"), Column(names[1], form=".5f")]
        rows = [[one.network, one.frechet, one.kernel] for one in found.distributions]
        lines += [format_text(heads, rows), f"{names[0]} and {names[1]}: {found.protocol}"]
    return lines
