"""The command upscale."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.options import NAMED_CHECKPOINT, DeviceOption
from mfagan.errors import InputError
from mfagan.sr.shipped import SUPERGENERATOR

if TYPE_CHECKING:
    from mfagan.enlarging.enlarger import Upscaler

__all__ = ["upscale"]

logger = logging.getLogger(__name__)

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
            **NAMED_CHECKPOINT,
        ),
    ] = SUPERGENERATOR,
    widths: Annotated[
        str | None, typer.Option(help="The slice of a SuperGenerator: eight widths, or one.")
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
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    max_megapixels: Annotated[float, typer.Option(min=0, help="Refuse pictures with more pixels.")] = 200,
) -> None:
    """Enlarge pictures (PNG, JPEG, WebP and TIFF, with their colour profile, transparency and 16 bits) and video.

    Large pictures are computed in tiles, without seams. In a folder, files that exist already are left, and a picture
    that cannot be enlarged does not stop the others: it is listed at the end, and the exit status is 1.
    Of a clip every frame is enlarged, sound and subtitles are copied, and Ctrl-C keeps what is done as a clip.
    """
    from mfagan.deploy.upscaling.clips import upscale_clip
    from mfagan.deploy.upscaling.pictures import UpscaleOptions, list_jobs, upscale_file
    from mfagan.progress import show_bar

    if fast and exact:
        raise InputError("give --fast or --exact, not both")
    effort = "fast" if fast else "exact" if exact else "normal"
    options = UpscaleOptions(memory_mb, effort=effort, overwrite=overwrite, max_megapixels=max_megapixels)
    jobs = list_jobs(source, out)
    network = _load(model, widths, device)
    alone = len(jobs) == 1 and jobs[0].source == Path(source)
    failed: list[str] = []
    left = 0
    for job in jobs:
        if not alone and job.target.exists() and not overwrite:
            left += 1
            continue
        try:
            with show_bar(job.source.name) as report:
                if job.is_clip:
                    done = upscale_clip(network, job, options, report)
                else:
                    height, width = upscale_file(network, job, options, report)
                    done = f"{width}x{height} px"
        except InputError as error:
            if alone:
                raise
            failed.append(str(error))
        else:
            print(f"{job.target}: {done}")
    if left:
        logger.warning(
            "%d of %d files exist already and are left; --overwrite replaces them", left, len(jobs)
        )
    for line in failed:
        logger.warning("%s", line)
    if failed:
        logger.warning("%d of %d files could not be enlarged", len(failed), len(jobs))
        raise typer.Exit(1)


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
