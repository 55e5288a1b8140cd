"""`mfagan coronetgan export`: a translator as a file for phones and browsers, or for the public code."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.file_format import BY_ENDING, read_format
from mfagan.cli.options import OutOption, read_size
from mfagan.errors import InputError
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.coronetgan.network.translator import Translator

__all__ = ["export"]

CHECKS, COMPARISON = "Pictures", "Beside the dense network"
"""The headings of the options of the check and of the measurement."""
_PUBLIC = "pth"
"""The format of the public code of CycleGAN and pix2pix."""


def export(
    file: Annotated[Path, typer.Argument(help="The checkpoint of a translator.")],
    out: OutOption,
    to: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help=f"What is written: tflite, onnx, or pth, which is latest_net_G.pth of the public code {BY_ENDING}.",
        ),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="fp32, fp16 (half the file), or in tflite int8 (convolutions in integers).",
        ),
    ] = "fp32",
    size: Annotated[
        str | None,
        typer.Option(
            metavar="HxW", help="Height and width of the pictures in pixels (default: those of the training)."
        ),
    ] = None,
    widths: Annotated[
        str | None,
        typer.Option("--widths", metavar="LIST", help="The slice of a weight-shared translator, as 64,128."),
    ] = None,
    image: Annotated[
        Path | None,
        typer.Option(help="The picture of the check (default: two bundled ones).", rich_help_panel=CHECKS),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Pictures of the domain it reads, that int8 is calibrated on (default: six bundled photos).",
            rich_help_panel=CHECKS,
        ),
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The checkpoint of the dense network, to measure both files in turn.",
            rich_help_panel=COMPARISON,
        ),
    ] = None,
    threads: Annotated[
        int,
        typer.Option(
            min=1, help="CPU threads of the measurement; on 1, CPU time counts.", rich_help_panel=COMPARISON
        ),
    ] = 1,
    rounds: Annotated[
        int,
        typer.Option(min=1, help="How often each file is loaded and timed.", rich_help_panel=COMPARISON),
    ] = 7,
) -> Result:
    """Export a translator to TensorFlow Lite or ONNX, or to the public code's format.

    Before a tflite or onnx file is written, what it makes of real pictures is compared with what PyTorch makes. Its
    input and output are pictures (1, height, width, 3) in [-1, 1].
    """
    from mfagan import checkpoint
    from mfagan.coronetgan.export import export_translator, require_alike
    from mfagan.coronetgan.exporting.pictures import read_calibration, read_compared
    from mfagan.coronetgan.exporting.target import TranslatorTarget
    from mfagan.coronetgan.kinds import load_translator, read_file, rebuild, training_side
    from mfagan.deploy.named.exported import require_trained
    from mfagan.files import require_place
    from mfagan.latency.beside import measure_beside
    from mfagan.progress import show_bar

    format = read_format(to, out)
    found = read_file(file)
    require_trained(found.record, file, "mfagan coronetgan train")
    network = rebuild(found, file, widths)
    if format == _PUBLIC:
        given = {"--size": size, "--image": image, "--calibration": calibration, "--beside": beside}
        given["--precision"] = None if precision == "fp32" else precision
        _refuse_given(given)
        return _publish(network, file, out)
    side = training_side(found, network)
    target = TranslatorTarget((side, side) if size is None else read_size(size), format, precision)
    network.require_size(*target.size)
    if calibration is not None and precision != "int8":
        raise InputError(f"--calibration with precision {precision}: it is for int8; leave it out")
    if beside is not None and format != "tflite":
        raise InputError(
            f"--beside with format {format}: it runs LiteRT; give --format tflite or leave it out"
        )
    dense = None if beside is None else load_translator(beside)
    if dense is not None:
        require_alike(network, dense, target)
    require_place(out, file, image, beside)
    compared = read_compared(image, network, target.size)
    photos = read_calibration(calibration, network, target.size) if precision == "int8" else []
    with show_bar("export"):
        made = export_translator(network, target, compared, photos, checkpoint.sha256(file))
        of_dense = None if dense is None else export_translator(dense, target, compared, photos)
    facts: dict[str, object] = {"file": str(out), **made.as_dict()}
    lines = made.lines(out, f"{len(compared)} real picture{'s' if len(compared) > 1 else ''}")
    if of_dense is not None:
        with show_bar("latency") as report:
            measured = measure_beside(made, of_dense, ("exported", "dense"), threads, rounds, report)
        facts["beside"] = measured.as_dict()
        lines += measured.lines()
    made.write(out)
    return Result(facts, lines, [out], ["mfagan", "info", out])


def _refuse_given(options: Mapping[str, object]) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise InputError(f"{given[0]} with format {_PUBLIC}: it is for tflite and onnx; leave it out")


def _publish(network: "Translator", file: Path, out: Path) -> Result:
    """Write the public code's file."""
    from mfagan.coronetgan.importing import write_public
    from mfagan.files import require_place

    lines = write_public(network, require_place(out, file))
    facts = {"file": str(out), "format": _PUBLIC, "network": network.KIND, "widths": dict(network.widths)}
    return Result(facts, lines, [out], ["mfagan", "coronetgan", "import", out, "--out", "FILE.safetensors"])
