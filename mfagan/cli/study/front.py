"""`mfagan front`: browse the Pareto front of a study."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.completion import complete_study
from mfagan.cli.options import (
    DEFAULT_STORAGE,
    DEFAULT_STUDY,
    NAMED_CHECKPOINT,
    NAMED_TABLE,
    StorageOption,
    WeightsOption,
    find_lpips,
    name_study,
)
from mfagan.errors import InputError
from search.commands.result import Result

__all__ = ["front"]


def front(
    out: Annotated[Path | None, typer.Option(help="The HTML file to write.")] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    study: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"The study's name ({DEFAULT_STUDY}), or STORAGE::NAME; of several, the fronts are overlaid, "
            "and of several systems as shares of their unpruned networks.",
            autocompletion=complete_study,
        ),
    ] = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Serve the page on this machine and refresh it while a study runs."),
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of --watch; 0 for any free one.")] = 0,
    scenes: Annotated[
        int,
        typer.Option(
            min=0, help="Crops of the images, or latents, to show; 0: none, and no SSIM or PSNR either."
        ),
    ] = 3,
    exact: Annotated[
        Path | None, typer.Option(help="A table of `mfagan tabulate`, to compare with its exact front.")
    ] = None,
    lut: Annotated[
        str | None,
        typer.Option(
            help="The study's latency table, if it has moved: a file or a shipped name.", **NAMED_TABLE
        ),
    ] = None,
    supernet: Annotated[
        Path | None,
        typer.Option(
            "--supernet",
            "--student",
            help="The study's weight-shared network, if it has moved.",
            **NAMED_CHECKPOINT,
        ),
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(
            "--teacher",
            "--unpruned",
            metavar="FILE",
            help="The study's teacher or unpruned network, if it has moved.",
        ),
    ] = None,
    images: Annotated[
        str | None, typer.Option(help="The study's images, if they have moved: a folder or `embedded`.")
    ] = None,
    weights: WeightsOption = None,
) -> Result:
    """Write the Pareto front as one HTML file that works offline, or serve it while a study runs.

    Each point of the front has pictures, the parts of its latency, and the commands that make a network of it.
    """
    from mfagan.cli.study.front_page_maker import FrontPageMaker, locate_study
    from mfagan.cli.study.watched_front import watch_front
    from mfagan.files import require_place, write_atomic
    from mfagan.progress import show_bar
    from mfagan.study.opened import Given
    from search.storage.address import check_other_file

    if (out is None) != watch:
        raise InputError("give either --out FILE, to write the page, or --watch, to serve it on this machine")
    places = [locate_study(storage, one) for one in study or [DEFAULT_STUDY]]
    if out is not None:
        for where, _ in places:
            check_other_file(out, where)
        require_place(out)
    maker = FrontPageMaker(places, Given(supernet, lut, images, teacher), scenes, exact)
    if out is None:
        watch_front(maker, port)
        return Result()
    write_atomic(out, maker.make(lambda: find_lpips(weights), show_bar))
    then = ["mfagan", "pick", *shlex.split(name_study(*places[0])), "--knee", "--out", "picked.json"]
    return Result({"file": str(out), "studies": [name for _, name in places]}, [str(out)], [out], then)
