"""The command `benchmark`: our networks and those that people use instead, as TFLite files."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.options import SizeOption, command_line, read_size
from mfagan.errors import InputError
from mfagan.sr.shipped import SUPERGENERATOR
from search.commands.result import Result

__all__ = ["benchmark"]

_OURS = ("48", "48,24,24,24,32,48,48,24", "32", "24")
"""Slices of the SuperGenerator of the package; the second has the paper's widths."""


def benchmark(
    checkpoints: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CKPT",
            help="Further networks, each by its path or as NAME=PATH; RFDN=PATH gives the row RFDN its weights.",
        ),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A row of the table to measure, such as RFDN or ours-32 (repeatable; default: all).",
        ),
    ] = None,
    images: Annotated[
        str,
        typer.Option(
            metavar="FOLDER", help="A folder of images for PSNR-Y, or `embedded` for the bundled photos."
        ),
    ] = "embedded",
    size: SizeOption = "128x128",
    rounds: Annotated[int, typer.Option(min=1, help="How often each file is loaded and timed.")] = 7,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Compare the files with those of this precision, such as int8, instead."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="X.json or X.md: the two files to write; a folder: deployment.json and .md."
        ),
    ] = None,
) -> Result:
    """Export our networks and those that people use instead, and measure the files in turn.

    Latency in LiteRT on 1 and 2 threads, peak memory, FLOPs and memory traffic by the paper's count, the file's size,
    and PSNR-Y where the weights are trained. On CUDA, PyTorch's latency against the least it could be.
    """
    import torch

    from mfagan.evaluation.calibration import read_calibration
    from mfagan.evaluation.candidates import load_candidates, read_image_sets, split_name
    from mfagan.evaluation.experiments.reports import format_report, write_report
    from mfagan.evaluation.fidelity import read_photos
    from mfagan.files import require_place
    from mfagan.progress import show_bar
    from mfagan.registry import load_slices
    from mfagan.shipped import find_checkpoint
    from mfagan.sr.experiments.speed.deployment import PEERS, Subject, measure_deployment, random_peer
    from mfagan.sr.experiments.speed.precisions import compare_precision
    from mfagan.sr.experiments.speed.roofline import measure_cuda

    paths = []
    for one in checkpoints or []:
        name, path = split_name(one)
        paths.append(f"{name}={find_checkpoint(path)}" if name else str(find_checkpoint(path)))
    ours = load_candidates([f"ours={SUPERGENERATOR}"], load_slices, _OURS)
    given = load_candidates(paths, partial(load_slices, command="benchmark"))
    names = [*PEERS, *(_short(one.name) for one in ours)]
    asked = network or names
    for name in asked:
        if name not in names:
            raise InputError(f"network {name!r}: choose from {', '.join(names)}")
    stem = None
    if out is not None:
        stem = out.with_suffix("") if out.suffix in (".json", ".md") else out / "deployment"
        for suffix in (".json", ".md", *(("-cuda.json", "-cuda.md") if torch.cuda.is_available() else ())):
            require_place(stem.with_name(stem.name + suffix), *(split_name(one)[1] for one in paths))
    for one in given:
        if one.scale != ours[0].scale:
            raise InputError(
                f"network {one.name} enlarges by {one.scale}: give one that enlarges by {ours[0].scale}"
            )
    (pairs,) = (one.pairs for one in read_image_sets([images], ours[0].scale, [*ours, *given], show_bar))
    trained = [Subject(one.name, one.network, trained=True) for one in given]
    trained += [
        Subject(_short(one.name), one.network, trained=True) for one in ours if _short(one.name) in asked
    ]
    taken = {one.name for one in trained}
    random = [random_peer(name) for name in PEERS if name in asked and name not in taken]
    subjects = [*random, *trained]
    if precision is None:
        tables = {"": measure_deployment(subjects, read_size(size), rounds, pairs, show_bar)}
    else:
        photos, calibration = read_photos(None, ours[0].scale), read_calibration(None, ours[0].scale)
        found = compare_precision(subjects, precision, read_size(size), rounds, photos, calibration, show_bar)
        tables = {"": found}
    if precision is None and torch.cuda.is_available():
        tables["-cuda"] = measure_cuda([(one.name, one.network) for one in subjects], read_size(size))
    texts, files = [], []
    for suffix, found in tables.items():
        if stem is None:
            texts.append(format_report(found, command_line()))
            continue
        name = stem.name + suffix
        texts.append(write_report(replace(found, name=name), stem.parent, command_line()))
        files += [stem.with_name(f"{name}.md"), stem.with_name(f"{name}.json")]
    facts = {found.name: found.as_dict(command_line()) for found in tables.values()}
    return Result({"tables": facts}, texts, files)


def _short(name: str) -> str:
    """ours-32 of ours@32."""
    return name.replace("@", "-")
