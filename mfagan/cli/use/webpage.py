"""The command webpage."""

from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.options import OutOption, OverwriteOption
from mfagan.errors import InputError
from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["webpage"]


@keeps("no page is written; what was downloaded is kept, and the same command continues")
def webpage(
    model: Annotated[Path, typer.Argument(help="A .tflite file that `mfagan export` wrote.")],
    out: OutOption,
    runtime: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="The npm package @litertjs/core, a folder or .tgz (default: downloaded once, 12 MB, and kept).",
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where to download the runtime from (default: npm's registry)."),
    ] = None,
    overwrite: OverwriteOption = False,
) -> Result:
    """Make a web page that enlarges pictures with an exported network.

    One HTML file that works offline. It opens from the disk as from any server, shows before and after beside each
    other, and what it took.
    """
    from mfagan.deploy.web.page import build_page, read_model
    from mfagan.deploy.web.runtime import cache_folder, download_runtime, read_runtime
    from mfagan.files import require_place, write_atomic
    from mfagan.progress import show_bar

    require_place(out, model, runtime)
    if out.exists() and not overwrite:
        raise InputError(f"{out} exists; give another name, or --overwrite")
    if runtime is not None and url is not None:
        raise InputError("give --runtime or --url, not both")
    network = read_model(model)
    if runtime is None:
        with show_bar("LiteRT.js") as report:
            runtime = download_runtime(cache_folder(), report, url)
    page = build_page(network, model.name, read_runtime(runtime))
    write_atomic(out, page)
    return Result(
        {"file": str(out), "bytes": len(page)}, [f"{out}: {len(page):,} bytes; open it in a browser"], [out]
    )
