"""`mfagan coronetgan translate`: pictures and folders through a network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.options import DeviceOption, OverwriteOption
from mfagan.cli.use.picture_jobs import describe_jobs, run_jobs
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.deploy.upscaling.pictures import Job
    from mfagan.progress import ProgressCallback

__all__ = ["translate"]


def translate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A translator's checkpoint.")],
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGES...", help="Pictures, or folders of pictures.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write into.")],
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PX",
            min=1,
            help="Resize to a square of this side before (bicubic), as the public test does; 256 there.",
        ),
    ] = None,
    widths: Annotated[
        str | None,
        typer.Option(metavar="WIDTHS", help="The slice of a weight-shared network, as numbers with commas."),
    ] = None,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
    max_megapixels: Annotated[float, typer.Option(min=0, help="Refuse pictures with more pixels.")] = 4,
) -> Result:
    """Translate pictures into the other domain.

    Each becomes a PNG of its name and size. A picture whose sides the network does not take is extended by reflection,
    and the result is cut. Files that exist already are left, and a picture that cannot be translated does not stop the
    others: it is listed at the end, and the exit status is 1.
    """
    from mfagan.coronetgan.kinds import open_file
    from mfagan.coronetgan.translating.picture_files import TranslateOptions, list_jobs, translate_file
    from mfagan.files import require_writable

    jobs = list_jobs(images, out)
    model = open_file(file, device, widths)
    options = TranslateOptions(size, overwrite, max_megapixels)
    require_writable(out)

    def work(job: "Job", _report: "ProgressCallback | None" = None) -> str:
        height, width = translate_file(model, job, options)
        return f"{width}x{height} px"

    if len(jobs) == 1 and jobs[0].source == images[0]:
        return describe_jobs([(jobs[0], work(jobs[0]))], "translated")
    return run_jobs(file.name, jobs, overwrite, work, "translated")
