"""The command webpage."""

from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.options import OutOption
from mfagan.errors import InputError

__all__ = ["webpage"]


def webpage(
    model: Annotated[Path, typer.Argument(help="A .tflite file that `mfagan export` wrote.")],
    out: OutOption,
    runtime: Annotated[
        Path | None,
        typer.Option(
            help="The npm package @litertjs/core, a folder or .tgz (default: downloaded once, 12 MB, and kept)."
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Where to download the runtime from (default: npm's registry).")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Make a web page that enlarges pictures with an exported network: one HTML file that works offline.

    It opens from the disk as from any server, shows before and after beside each other, and what it took.
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
    print(f"{out}: {len(page):,} bytes; open it in a browser")
