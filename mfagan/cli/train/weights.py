"""Commands on other authors' pretrained weights: weights get, weights list."""

import json
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.options import JsonOption

__all__ = ["get", "show"]


def get(
    name: Annotated[str, typer.Argument(help="alexnet (LPIPS), vgg19 or vgg16 (perceptual loss).")],
    url: Annotated[
        str | None, typer.Option(help="Where to download from (default: torchvision's address).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write into (default: $TORCH_HOME/hub/checkpoints).")
    ] = None,
) -> None:
    """Download the published weights of a backbone and check their hash.

    After an interruption the same command continues from the FILE.part that is left.
    """
    from mfagan.download import download_weights, published_url
    from mfagan.pretrained import weights_folder
    from mfagan.progress import show_bar

    published_url(name)  # an unknown name is refused before a bar is drawn
    with show_bar(name) as report:
        path = download_weights(name, weights_folder() if out is None else out, report, url)
    print(path)


def show(as_json: JsonOption = False) -> None:
    """List the pretrained weights that are known, which are present, and whether their hashes are right."""
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
    if as_json:
        print(json.dumps(rows))
        return
    columns = [Column(name) for name in ("backbone", "state", "sha256", "file")]
    print(format_text(columns, [list(row.values()) for row in rows]), end="")
