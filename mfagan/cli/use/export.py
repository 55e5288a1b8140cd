"""`mfagan export`: a generator as a file for phones and browsers."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.file_format import BY_ENDING, read_format
from mfagan.cli.options import (
    NAMED_CHECKPOINT,
    HistoryOption,
    OutOption,
    RescaleOption,
    read_size,
    storage_file,
)
from mfagan.cli.study.history import find_lineage
from mfagan.errors import InputError
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.deploy.tflite.delegates import DelegateCheck
    from mfagan.evaluation.exported_file import ExportedFile
    from search.problem import JSON

__all__ = ["export"]

_DYNAMIC = "dynamic"
CHECKS = "Checks"
"""The heading of the options that say what is found out about the file."""


def export(
    ckpt: Annotated[
        Path,
        typer.Argument(
            help="A generator's checkpoint, the name of a shipped one, or a file of weights alone.",
            **NAMED_CHECKPOINT,
        ),
    ],
    out: OutOption,
    to: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help=f"What is written: tflite or onnx {BY_ENDING}."),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="fp32, fp16 (half the file), int8 (integers), or in tflite dynamic (weights in 8 bits).",
        ),
    ] = "fp32",
    size: Annotated[
        str,
        typer.Option(metavar="HxW", help="Height and width of the LR input in pixels; in onnx also dynamic."),
    ] = "128x128",
    pixels: Annotated[
        str,
        typer.Option(
            "--io", metavar="KIND", help="What its pictures are made of: float in [0, 1], or uint8."
        ),
    ] = "float",
    passes: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Rewritings for speed: some of statistics, parts, shuffle, tiles16, tiles32, joined by commas, or "
            "none (default: the first three; in int8 without parts).",
        ),
    ] = None,
    tiles: Annotated[
        bool, typer.Option("--tiles", help="Let `mfagan upscale` compute the file in tiles.")
    ] = False,
    widths: Annotated[
        str | None, typer.Option(metavar="WIDTHS", help="The slice of a SuperGenerator to export.")
    ] = None,
    photo: Annotated[
        Path | None,
        typer.Option(help="The photo of the check (default: two bundled ones).", rich_help_panel=CHECKS),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder of validation pictures that int8 is calibrated on (default: six bundled ones).",
        ),
    ] = None,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure", help="Measure a tflite file's latency on this machine.", rich_help_panel=CHECKS
        ),
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="Threads of --measure.", rich_help_panel=CHECKS)] = 2,
    rescale: RescaleOption = False,
    check: Annotated[
        str | None,
        typer.Option(
            metavar="DELEGATE",
            help="Say what a delegate would reject, by static rules: gpu, nnapi, nnapi-int8 or xnnpack.",
            rich_help_panel=CHECKS,
        ),
    ] = None,
    storage: HistoryOption = None,
) -> Result:
    """Export a generator to TensorFlow Lite or ONNX.

    Before the file is written, what it computes is compared on photos with what PyTorch computes.
    """
    from mfagan import checkpoint
    from mfagan.deploy.about.model_card import card_path
    from mfagan.deploy.target import ExportTarget
    from mfagan.evaluation.calibration import read_calibration
    from mfagan.evaluation.fidelity import read_photos
    from mfagan.files import require_place
    from mfagan.graph.passes import passes_for, read_passes
    from mfagan.progress import show_bar
    from mfagan.registry import check_delegate, export_network, load_network

    size_px = None if size == _DYNAMIC else read_size(size)
    rewritings = passes_for(precision) if passes is None else read_passes(passes)
    format = read_format(to, out)
    target = ExportTarget(format, precision, size_px, pixels, rewritings, tiles)
    if calibration is not None and precision != "int8":
        raise InputError(f"--calibration with precision {precision}: it is for int8; leave it out")
    if measure and format != "tflite":
        raise InputError(
            f"--measure with format {format}: it runs LiteRT; give --format tflite or leave it out"
        )
    network = load_network(ckpt, widths)
    checked = None if check is None else check_delegate(network, target, check)
    require_place(out, ckpt, photo, storage_file(storage))
    require_place(card_path(out), ckpt, photo, storage_file(storage))
    lineage = find_lineage(ckpt, storage)
    photos = read_calibration(calibration, network.scale) if precision == "int8" else []
    origin, compared = checkpoint.sha256(ckpt), read_photos(photo, network.scale)
    with show_bar("export"):
        made = export_network(network, target, compared, photos, origin)
    card = made.write(out, network.KIND, network.config(), checkpoint.read_record(ckpt))
    facts = made.as_dict()
    if checked is not None:
        facts["check"] = checked.as_dict()
    if lineage is not None:
        lineage.record("export", out, origin, _recorded(facts))
    if measure:
        from mfagan.latency.measuring.networks import measure_model

        with show_bar("latency") as report:
            facts["latency_ms"] = measure_model(made.content, threads, report=report).latency_ms
        if lineage is not None:
            facts["price"] = lineage.describe_price(rescale)
            lineage.record_latency(out, facts["latency_ms"], threads, facts["price"])
    lines = [*_lines(out, made), f"    model card: {card}"]
    if checked is not None:
        lines += _check_lines(checked)
    if measure:
        priced = f" ({facts['price']})" if "price" in facts else ""
        lines.append(f"{facts['latency_ms']:.3f} ms in LiteRT with {threads} threads{priced}")
    drawn = format == "tflite" and pixels == "float" and not tiles
    then = ["mfagan", "webpage", out, "--out", out.with_suffix(".html")] if drawn else ["mfagan", "info", out]
    return Result({"file": str(out), "card": str(card), **facts}, lines, [out, card], then)


def _lines(out: Path, made: "ExportedFile") -> list[str]:
    fidelity, inspection = made.fidelity, made.inspection
    difference = f"{fidelity.max_abs_difference:.2e}"
    each = ", ".join(f"{name} {lost:.3f}" for name, lost in fidelity.lost_db.items())
    lines = [
        f"{out}: {len(made.content):,} bytes, largest absolute difference from PyTorch {difference}",
        f"    PSNR against PyTorch {fidelity.psnr_to_pytorch_db:.1f} dB; PSNR-Y lost in dB: {each}",
        f"    operators: {_list(inspection.operators)}",
    ]
    if inspection.partitions is not None:
        lines.append(f"    parts that XNNPACK takes: {inspection.partitions}")
    if made.calibrated_on:
        lines.append(f"    in float: {_list(inspection.in_float)}")
        lines.append(f"    calibrated on {len(made.calibrated_on)} photos: {', '.join(made.calibrated_on)}")
    return lines


def _check_lines(checked: "DelegateCheck") -> list[str]:
    from mfagan.deploy.tflite.delegates import DELEGATES, STATIC

    taken = checked.operators - sum(checked.rejected.values())
    return [
        f"    {checked.delegate} takes {taken} of {checked.operators} operators ({STATIC}):",
        f"        parts it takes: {checked.delegated_parts}; parts left to the CPU: {checked.cpu_parts}",
        *(f"        rejected: {n} {reason}" for reason, n in checked.rejected.items()),
        f"        {DELEGATES[checked.delegate].about}: {DELEGATES[checked.delegate].source}",
    ]


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items())


def _recorded(facts: "Mapping[str, JSON]") -> "dict[str, JSON]":
    names = ("format", "precision", "size", "pixels", "passes", "bytes", "max_abs_difference")
    return {name: facts[name] for name in names}
