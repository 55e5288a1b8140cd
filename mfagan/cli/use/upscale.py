"""The command upscale."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.options import SHIPPED_CHECKPOINT, DeviceOption, OverwriteOption
from mfagan.cli.use.picture_jobs import describe_jobs, run_jobs
from mfagan.errors import InputError
from mfagan.sr.shipped import SUPERGENERATOR
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.deploy.upscaling.pictures import Job, UpscaleOptions
    from mfagan.enlarging.enlarger import Upscaler
    from mfagan.progress import ProgressCallback

__all__ = ["upscale"]

_FILES = {".tflite": "a TFLite file", ".onnx": "an ONNX file"}
"""Endings of exported files -> what they are called."""


def upscale(
    source: Annotated[
        str,
        typer.Argument(metavar="IN", help="A picture, a clip, a folder of pictures, or a quoted pattern."),
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="The file to write, or the folder to write files into.")
    ],
    model: Annotated[
        Path,
        typer.Option(
            help="A checkpoint, a TFLite or ONNX file, other authors' weights, or the name of a shipped one.",
            **SHIPPED_CHECKPOINT,
        ),
    ] = SUPERGENERATOR,
    widths: Annotated[
        str | None,
        typer.Option(metavar="WIDTHS", help="The slice of a SuperGenerator: eight widths, or one."),
    ] = None,
    device: DeviceOption = "auto",
    memory_mb: Annotated[
        float,
        typer.Option(min=1, help="What the process may take, roughly; less memory makes smaller tiles."),
    ] = 1_000,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="See a part of the picture before, instead of all of it: half the time."),
    ] = False,
    exact: Annotated[
        bool, typer.Option("--exact", help="Repeat until tiles give what the whole picture would.")
    ] = False,
    overwrite: OverwriteOption = False,
    max_megapixels: Annotated[float, typer.Option(min=0, help="Refuse pictures with more pixels.")] = 200,
) -> Result:
    """Enlarge pictures and video.

    Pictures are PNG, JPEG, WebP and TIFF, with their colour profile, transparency and 16 bits. Large pictures are
    computed in tiles, without seams. In a folder, files that exist already are left, and a picture that cannot be
    enlarged does not stop the others: it is listed at the end, and the exit status is 1. Of a clip every frame is
    enlarged, sound and subtitles are copied, and Ctrl-C keeps what is done as a clip.
    """
    from mfagan.deploy.upscaling.pictures import UpscaleOptions, list_jobs
    from mfagan.progress import show_bar

    if fast and exact:
        raise InputError("give --fast or --exact, not both")
    effort = "fast" if fast else "exact" if exact else "normal"
    options = UpscaleOptions(memory_mb, effort=effort, overwrite=overwrite, max_megapixels=max_megapixels)
    jobs = list_jobs(source, out)
    network = _load(model, widths, device)
    if len(jobs) == 1 and jobs[0].source == Path(source):
        with show_bar(jobs[0].source.name) as report:
            return describe_jobs([(jobs[0], _enlarge(network, jobs[0], options, report))], "enlarged")
    return run_jobs(
        source, jobs, overwrite, lambda job, report: _enlarge(network, job, options, report), "enlarged"
    )


def _enlarge(network: "Upscaler", job: "Job", options: "UpscaleOptions", report: "ProgressCallback") -> str:
    from mfagan.deploy.upscaling.clips import upscale_clip
    from mfagan.deploy.upscaling.pictures import upscale_file

    if job.is_clip:
        return upscale_clip(network, job, options, report)
    height, width = upscale_file(network, job, options, report)
    return f"{width}x{height} px"


def _load(model: Path, widths: str | None, device: str) -> "Upscaler":
    suffix = model.suffix.lower()
    if suffix not in _FILES:
        from mfagan.registry import load_model

        return load_model(model, widths, device)
    if widths is not None:
        raise InputError(f"model {model}: {_FILES[suffix]} has no slices; leave --widths out")
    if device not in ("auto", "cpu"):
        raise InputError(f"model {model}: {_FILES[suffix]} runs on the CPU; leave --device {device} out")
    threads = os.cpu_count() or 1
    if suffix == ".onnx":
        from mfagan.deploy.onnx.model import ONNXModel

        return ONNXModel(model, threads)
    from mfagan.deploy.tflite.model import TFLiteModel

    return TFLiteModel(model, threads)
