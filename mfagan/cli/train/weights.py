"""Commands on other authors' pretrained weights: weights get, weights list."""

from pathlib import Path
from typing import Annotated

import typer

from search.commands.command import keeps
from search.commands.result import Result

__all__ = ["get", "show"]


@keeps("what was downloaded is kept in a FILE.part, and the same command continues")
def get(
    name: Annotated[str, typer.Argument(help="alexnet (LPIPS), vgg19 or vgg16 (perceptual loss).")],
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where to download from (default: torchvision's address)."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="The folder to write into (default: $TORCH_HOME/hub/checkpoints)."
        ),
    ] = None,
) -> Result:
    """Download the published weights of a backbone and check their hash.

    After an interruption the same command continues from the FILE.part that is left.
    """
    from mfagan.download import download_weights, published_url
    from mfagan.pretrained import weights_folder
    from mfagan.progress import show_bar

    published_url(name)  # an unknown name is refused before a bar is drawn
    with show_bar(name) as report:
        path = download_weights(name, weights_folder() if out is None else out, report, url)
    return Result({"file": str(path), "backbone": name}, [str(path)], [path], ["mfagan", "weights", "list"])


def show() -> Result:
    """List the pretrained weights that are known and the state of each.

    The state is ok, missing, or wrong hash.
    """
    from mfagan.checkpoint import sha256
    from mfagan.evaluation.text_table import Column, format_text
    from mfagan.pretrained import PUBLISHED, known_files, weights_folder

    folder = weights_folder()
    rows = []
    for name in PUBLISHED:
        for file, prefix in known_files(name).items():
            path = folder / file
            state = "missing"
            if path.is_file():
                state = "ok" if sha256(path).startswith(prefix) else "wrong hash"
            rows.append({"backbone": name, "state": state, "sha256": f"{prefix}...", "file": str(path)})
    columns = [Column(name) for name in ("backbone", "state", "sha256", "file")]
    text = format_text(columns, [list(row.values()) for row in rows]).rstrip("\n")
    missing = [row["backbone"] for row in rows if row["state"] == "missing"]
    then = ["mfagan", "weights", "get", missing[0]] if missing else []
    return Result({"weights": rows}, [text], next=then)
