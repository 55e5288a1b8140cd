"""`mfagan mobilestylegan export`: a generator as files for phones and browsers."""

from pathlib import Path
from typing import Annotated

import typer

from mfagan.cli.file_format import BY_ENDING, read_format
from mfagan.cli.options import OutOption
from mfagan.errors import InputError
from search.commands.result import Result

__all__ = ["export"]

COMPARISON = "Beside the teacher"
"""The heading of the options of the measurement."""


def export(
    student: Annotated[Path, typer.Argument(help="The checkpoint of a student, or of a teacher.")],
    out: OutOption,
    mapping_out: Annotated[
        Path | None, typer.Option(help="The file to write of the mapping network, z -> w.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help=f"What is written: tflite or onnx {BY_ENDING}."),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(metavar="NAME", help="fp32, or fp16 (half the file, no overflow in half precision)."),
    ] = "fp32",
    noise: Annotated[
        str, typer.Option(metavar="NAME", help="What is added to feature maps: const (fixed maps) or zero.")
    ] = "const",
    w_plus: Annotated[
        bool, typer.Option("--w-plus", help="Its input is W+, a style for each layer, instead of one w.")
    ] = False,
    channels: Annotated[
        str | None,
        typer.Option(
            "--channels",
            "--widths",
            metavar="LIST",
            help="The slice of a weight-shared student, as 64,48,32.",
        ),
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(
            help="The checkpoint of the teacher, to measure both files in turn.", rich_help_panel=COMPARISON
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
    """Export a generator to TensorFlow Lite or ONNX.

    Before a file is written, what it computes is compared with what PyTorch computes, on styles of random latents.
    """
    from mfagan import checkpoint
    from mfagan.deploy.named.exported import require_trained
    from mfagan.files import require_place
    from mfagan.latency.beside import measure_beside
    from mfagan.mobilestylegan.export import export_generator, export_mapping
    from mfagan.mobilestylegan.exporting.target import GeneratorTarget
    from mfagan.mobilestylegan.kinds import load_generator, rebuild
    from mfagan.mobilestylegan.network.generator import require_pair
    from mfagan.progress import show_bar

    format = read_format(to, out)
    if mapping_out is not None:
        read_format(format, mapping_out)  # both files have one format
    target = GeneratorTarget(format, precision, noise, "w_plus" if w_plus else "w")  # pyright: ignore[reportArgumentType]
    if teacher is not None and format != "tflite":
        raise InputError(
            f"--teacher with format {format}: it runs LiteRT; give --format tflite or leave it out"
        )
    found = checkpoint.read(student)
    network = rebuild(found, student, channels)
    require_trained(found.record, student, "mfagan mobilestylegan train")
    master = None if teacher is None else load_generator(teacher)
    if master is not None:
        require_pair(master, network)
    require_place(out, student, teacher)
    if mapping_out is not None:
        require_place(mapping_out, student, teacher, out)
    origin = checkpoint.sha256(student)
    with show_bar("export"):
        made = {out: export_generator(network, target, origin)}
        if mapping_out is not None:
            made[mapping_out] = export_mapping(network, target, origin)
        of_teacher = None if master is None else export_generator(master, target)
    facts: dict[str, object] = {"file": str(out), **made[out].as_dict()}
    lines = [line for path, one in made.items() for line in one.lines(path, "styles of random latents")]
    if mapping_out is not None:
        facts["mapping"] = {"file": str(mapping_out), **made[mapping_out].as_dict()}
    if of_teacher is not None:
        with show_bar("latency") as report:
            beside = measure_beside(made[out], of_teacher, ("student", "teacher"), threads, rounds, report)
        facts["beside_teacher"] = beside.as_dict()
        lines += beside.lines()
    for path, one in made.items():
        one.write(path)
    return Result(facts, lines, list(made), ["mfagan", "info", out])
