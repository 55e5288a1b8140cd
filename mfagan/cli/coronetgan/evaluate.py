"""`mfagan coronetgan evaluate`: translators on pictures that no training has seen."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mfagan.cli.inception import INCEPTION_HELP, load_inception
from mfagan.cli.options import DeviceOption, WeightsOption, command_line, find_lpips
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.coronetgan.evaluating.evaluation import Figures

__all__ = ["evaluate"]

logger = logging.getLogger(__name__)


def evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A translator's checkpoint.")],
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="A folder of two domains: trainA trainB testA testB, or train test."
        ),
    ],
    beside: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Another translator to compare with, such as the unpruned one."),
    ] = None,
    direction: Annotated[
        Literal["AtoB", "BtoA"] | None,
        typer.Option(help="Which domain is translated into which (default: as the network was trained)."),
    ] = None,
    paired: Annotated[
        bool, typer.Option("--paired", help="Files of equal names in testA and testB are pairs.")
    ] = False,
    part: Annotated[
        Literal["test", "val", "train"], typer.Option(help="The part that is translated.")
    ] = "test",
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PX",
            min=1,
            help="Side of the squares that pictures are resized to (default: that of the training, or 256).",
        ),
    ] = None,
    max_images: Annotated[int | None, typer.Option(min=1, help="Translate this many pictures alone.")] = None,
    widths: Annotated[
        str | None,
        typer.Option(metavar="WIDTHS", help="The slice of a weight-shared FILE, as numbers with commas."),
    ] = None,
    weights: WeightsOption = None,
    inception: Annotated[Path | None, typer.Option(metavar="FILE", help=INCEPTION_HELP)] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the figures too, as JSON.")] = None,
    device: DeviceOption = "auto",
) -> Result:
    """Measure a translator on test pictures, alone or beside another one.

    Pairs give PSNR, and LPIPS if AlexNet's weights are found. FID and KID are measured if Inception's are: of unpaired
    data against all real pictures of the target domain, of pairs against those of the test. With --beside the distance
    of both networks' pictures is measured too. No weights are downloaded.
    """
    from mfagan.coronetgan.evaluating.evaluation import EvaluationSettings
    from mfagan.coronetgan.evaluating.evaluation import evaluate as measure
    from mfagan.coronetgan.kinds import direction_of, open_file, open_model, read_file, training_side
    from mfagan.data.translation.folders import find_translation
    from mfagan.devices import choose_device
    from mfagan.evaluation.inception import describe_missing, find_inception
    from mfagan.files import require_place, write_atomic
    from mfagan.progress import show_bar

    checkpoint = read_file(file)
    model = open_model(checkpoint, file, widths, choose_device(device))
    side = size or training_side(checkpoint, model.network)
    files, models = {"network": file}, {"network": model}
    if beside is not None:
        files, models = {"beside": beside} | files, {"beside": open_file(beside, device)} | models
    found_data = find_translation(data, paired, direction or direction_of(checkpoint))
    path = find_inception(inception)
    if path is None:
        logger.info("FID and KID are left out: %s", describe_missing())
    lpips = find_lpips(weights) if found_data.paired else None
    if out is not None:
        require_place(out, file, beside, weights, inception)
    features = None if path is None else load_inception(path, device)
    settings = EvaluationSettings(side, part, max_images, lpips, features)
    found, protocol = measure(models, found_data, settings, show_bar)
    is_fid = features is not None and features.is_published
    n = len(found_data.part(part).a[:max_images])
    facts = {
        "command": command_line(),
        "file": str(file),
        "beside": None if beside is None else str(beside),
        "data": str(data),
        "layout": found_data.layout,
        "direction": found_data.direction,
        "part": part,
        "size": side,
        "images": n,
        "networks": {name: one.as_dict(is_fid) for name, one in found.items()},
        "protocol": protocol or None,
    }
    if out is not None:
        write_atomic(out, json.dumps(facts, indent=2, allow_nan=False) + "\n")
    shown = {f"{name} {one.name}": found[name] for name, one in files.items()}
    head = f"{n} {found_data.layout} pictures of {part}, {found_data.direction}, {side} px:"
    lines = [head, *_lines(shown, lpips and lpips.name, is_fid, protocol)]
    return Result(facts, lines, [] if out is None else [out])


def _lines(found: "Mapping[str, Figures]", lpips: str | None, is_fid: bool, protocol: str) -> list[str]:
    from mfagan.coronetgan.evaluating.evaluation import PSNR_LABEL
    from mfagan.evaluation.text_table import Column, format_text
    from mfagan.graph.costs import CONVENTIONS

    names = ("FID", "KID") if is_fid else ("Frechet distance, not FID", "kernel distance, not KID")
    rows = {
        f"{PSNR_LABEL}, dB": [one.psnr_db for one in found.values()],
        str(lpips): [one.lpips for one in found.values()],
        "mean absolute difference of [0, 1] from the other network": [one.distance for one in found.values()],
        names[0]: [one.frechet for one in found.values()],
        names[1]: [one.kernel for one in found.values()],
    }
    columns = [Column("quality"), *(Column(name, form=".4f") for name in found)]
    quality = [[name, *values] for name, values in rows.items() if any(one is not None for one in values)]
    lines = [format_text(columns, quality)] if quality else []
    costs: list[list[Any]] = [["parameters", *(one.n_parameters for one in found.values())]]
    costs += [[label, *(one.costs[at].macs for one in found.values())] for at, label in CONVENTIONS.items()]
    counts = [Column("cost of a picture"), *(Column(name, form=",d") for name in found)]
    if len(found) > 1:
        counts.append(Column("ratio", form=".4f"))
        costs = [[*row, row[2] / row[1]] for row in costs]
    lines.append(format_text(counts, costs))
    if protocol:
        lines.append(f"{names[0]} and {names[1]}: {protocol}")
    return lines
