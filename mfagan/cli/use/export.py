"""`mfagan export`: a generator as a file for phones and browsers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.options import (
    NAMED_CHECKPOINT,
    HistoryOption,
    JsonOption,
    OutOption,
    RescaleOption,
    read_size,
    storage_file,
)
from mfagan.cli.study.history import find_lineage
from mfagan.errors import InputError

if TYPE_CHECKING:
    from mfagan.deploy.tflite.delegates import DelegateCheck
    from mfagan.evaluation.exported_file import ExportedFile
    from search.problem import JSON

__all__ = ["export"]

_DYNAMIC = "dynamic"


def export(
    ckpt: Annotated[
        Path,
        typer.Argument(
            help="A generator's checkpoint, the name of a shipped one, or a file of weights alone.",
            **NAMED_CHECKPOINT,
        ),
    ],
    out: OutOption,
    to: Annotated[str, typer.Option("--format", help="tflite or onnx.")] = "tflite",
    precision: Annotated[
        str,
        typer.Option(
            help="fp32, fp16 (half the file), int8 (integers), or in tflite dynamic (weights in 8 bits)."
        ),
    ] = "fp32",
    size: Annotated[
        str, typer.Option(help="LR input size, HEIGHTxWIDTH in pixels; in onnx also dynamic.")
    ] = "128x128",
    pixels: Annotated[
        str, typer.Option("--io", help="What its pictures are made of: float in [0, 1], or uint8.")
    ] = "float",
    passes: Annotated[
        str | None,
        typer.Option(
            help="Rewritings for speed: some of statistics,parts,shuffle,tiles16,tiles32, or none "
            "(default: the first three; in int8 without parts)."
        ),
    ] = None,
    tiles: Annotated[
        bool, typer.Option("--tiles", help="Let `mfagan upscale` compute the file in tiles.")
    ] = False,
    widths: Annotated[str | None, typer.Option(help="The slice of a SuperGenerator to export.")] = None,
    photo: Annotated[
        Path | None, typer.Option(help="The photo of the check (default: two bundled ones).")
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="A folder of validation pictures that int8 is calibrated on (default: six bundled ones)."
        ),
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure a tflite file's latency on this machine.")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="Threads of --measure.")] = 2,
    rescale: RescaleOption = False,
    check: Annotated[
        str | None,
        typer.Option(
            help="Say what a delegate would reject, by static rules: gpu, nnapi, nnapi-int8 or xnnpack."
        ),
    ] = None,
    storage: HistoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export a generator to TensorFlow Lite or ONNX, after comparing on photos what the file and PyTorch compute."""
    from mfagan import checkpoint
    from mfagan.deploy.about.model_card import card_path
    from mfagan.deploy.target import ExportTarget
    from mfagan.evaluation.calibration import read_calibration
    from mfagan.evaluation.fidelity import read_photos
    from mfagan.files import require_place
    from mfagan.graph.passes import passes_for, read_passes
    from mfagan.registry import check_delegate, export_network, load_network

    size_px = None if size == _DYNAMIC else read_size(size)
    rewritings = passes_for(precision) if passes is None else read_passes(passes)
    target = ExportTarget(to, precision, size_px, pixels, rewritings, tiles)
    if calibration is not None and precision != "int8":
        raise InputError(f"--calibration with precision {precision}: it is for int8; leave it out")
    if measure and to != "tflite":
        raise InputError(f"--measure with format {to}: it runs LiteRT; give --format tflite or leave it out")
    network = load_network(ckpt, widths)
    checked = None if check is None else check_delegate(network, target, check)
    require_place(out, ckpt, photo, storage_file(storage))
    require_place(card_path(out), ckpt, photo, storage_file(storage))
    lineage = find_lineage(ckpt, storage)
    photos = read_calibration(calibration, network.scale) if precision == "int8" else []
    made = export_network(network, target, read_photos(photo, network.scale), photos, checkpoint.sha256(ckpt))
    card = made.write(out, network.KIND, network.config(), checkpoint.read_record(ckpt))
    facts = made.as_dict()
    if checked is not None:
        facts["check"] = checked.as_dict()
    if lineage is not None:
        lineage.record("export", out, checkpoint.sha256(ckpt), _recorded(facts))
    if measure:
        from mfagan.latency.measuring.networks import measure_model

        facts["latency_ms"] = measure_model(made.content, threads).latency_ms
        if lineage is not None:
            facts["price"] = lineage.describe_price(rescale)
            lineage.record_latency(out, facts["latency_ms"], threads, facts["price"])
    if as_json:
        print(json.dumps({"file": str(out), "card": str(card), **facts}))
        return
    _print(out, made)
    print(f"    model card: {card}")
    if checked is not None:
        _print_check(checked)
    if measure:
        priced = f" ({facts['price']})" if "price" in facts else ""
        print(f"{facts['latency_ms']:.3f} ms in LiteRT with {threads} threads{priced}")


def _print(out: Path, made: "ExportedFile") -> None:
    fidelity, inspection = made.fidelity, made.inspection
    difference = f"{fidelity.max_abs_difference:.2e}"
    print(f"{out}: {len(made.content):,} bytes, largest absolute difference from PyTorch {difference}")
    each = ", ".join(f"{name} {lost:.3f}" for name, lost in fidelity.lost_db.items())
    print(f"    PSNR against PyTorch {fidelity.psnr_to_pytorch_db:.1f} dB; PSNR-Y lost in dB: {each}")
    print(f"    operators: {_list(inspection.operators)}")
    if inspection.partitions is not None:
        print(f"    parts that XNNPACK takes: {inspection.partitions}")
    if made.calibrated_on:
        print(f"    in float: {_list(inspection.in_float)}")
        print(f"    calibrated on {len(made.calibrated_on)} photos: {', '.join(made.calibrated_on)}")


def _print_check(checked: "DelegateCheck") -> None:
    from mfagan.deploy.tflite.delegates import DELEGATES, STATIC

    taken = checked.operators - sum(checked.rejected.values())
    print(f"    {checked.delegate} takes {taken} of {checked.operators} operators ({STATIC}):")
    print(f"        parts it takes: {checked.delegated_parts}; parts left to the CPU: {checked.cpu_parts}")
    for reason, n in checked.rejected.items():
        print(f"        rejected: {n} {reason}")
    print(f"        {DELEGATES[checked.delegate].about}: {DELEGATES[checked.delegate].source}")


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items())


def _recorded(facts: "Mapping[str, JSON]") -> "dict[str, JSON]":
    names = ("format", "precision", "size", "pixels", "passes", "bytes", "max_abs_difference")
    return {name: facts[name] for name in names}
