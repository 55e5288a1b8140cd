"""How fast the published networks run: StyleGAN2 and MobileStyleGAN at 1024 px, with random weights, in LiteRT.

    python -m mfagan.mobilestylegan.experiments.published_speed --out runs/published_speed.json

Latency depends on shapes alone, so random weights measure it; nothing is said of images. Both files are made, checked
against PyTorch and measured in turn.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import nn

from mfagan.errors import InputError
from mfagan.files import require_place, write_atomic
from mfagan.latency.beside import Beside, measure_beside
from mfagan.latency.machine import describe_processor
from mfagan.mobilestylegan.export import export_generator
from mfagan.mobilestylegan.exporting.target import GeneratorTarget
from mfagan.mobilestylegan.network.generator import MobileStyleGAN, StyleGAN2
from mfagan.mobilestylegan.network.layers.geometry import standard_channels
from mfagan.mobilestylegan.network.student.widths import read_channels
from mfagan.mobilestylegan.network.teacher.mapping import Mapping
from mfagan.mobilestylegan.network.teacher.synthesis import Synthesis
from mfagan.progress import show_bar

__all__ = ["draw_pair", "main", "measure_published"]

WEIGHTS = "random weights"
_SPREAD = 0.1
_SEED = 0


def draw_pair(
    size: int, channels: tuple[int, ...] | None = None, style_dim: int = 512
) -> tuple[StyleGAN2, MobileStyleGAN]:
    """Draw a teacher and its student with random weights.

    Noise strengths and biases, which begin at 0, are drawn too: a converter leaves out a sum with zeros.

    Args:
        size: side of the images in px.
        channels: the teacher's at 4, 8, ..., size px; None for the published ones (config F).
        style_dim: numbers of a style.

    Raises:
        InputError: a size or channels that the networks do not take.
    """
    torch.manual_seed(_SEED)
    widths = standard_channels(size) if channels is None else channels
    teacher = StyleGAN2(Mapping(style_dim), Synthesis(widths, style_dim))
    if teacher.size != size:
        raise InputError(
            f"channels {', '.join(map(str, widths))}: they make images of {teacher.size} px, not {size}"
        )
    student = MobileStyleGAN.for_teacher(teacher)
    for network in (teacher.synthesis, student.synthesis):
        for name, one in network.named_parameters():
            if name.endswith(("activation.strength", "activation.bias")):
                nn.init.normal_(one, 0, _SPREAD)
    return teacher.eval(), student.eval()


def measure_published(
    size: int = 1024,
    channels: tuple[int, ...] | None = None,
    style_dim: int = 512,
    threads: int = 1,
    rounds: int = 3,
) -> Beside:
    """Export a teacher and its student with random weights, and measure the two files in turn.

    Args:
        size: as in `draw_pair`.
        channels: as in `draw_pair`.
        style_dim: as in `draw_pair`.
        threads: CPU threads of LiteRT; on one, CPU time is measured.
        rounds: how often each file is loaded and timed.

    Raises:
        InputError: as `draw_pair`, or a file computes something else than PyTorch.
    """
    teacher, student = draw_pair(size, channels, style_dim)
    with show_bar("export"):
        small, large = (export_generator(one, GeneratorTarget()) for one in (student, teacher))
    with show_bar("latency") as report:
        return measure_beside(small, large, ("student", "teacher"), threads, rounds, report)


def describe(beside: Beside, size: int) -> dict[str, Any]:
    """What the experiment found, as plain data.

    Args:
        beside: the measurement.
        size: side of the images in px.
    """
    return {
        "weights": WEIGHTS,
        "size": size,
        "processor": describe_processor().model_dump(),
        "max_abs_difference": {
            "teacher": beside.large.max_abs_difference,
            "student": beside.small.max_abs_difference,
        },
        **beside.as_dict(),
    }


def main(
    size: Annotated[int, typer.Option(help="Side of the images in px.")] = 1024,
    channels: Annotated[
        str | None, typer.Option(help="The teacher's channels at 4, 8, ... px (default: the published ones).")
    ] = None,
    style_dim: Annotated[int, typer.Option(min=1, help="Numbers of a style.")] = 512,
    threads: Annotated[int, typer.Option(min=1, help="Threads of LiteRT; on 1, CPU time counts.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, help="How often each file is loaded and timed.")] = 3,
    out: Annotated[Path | None, typer.Option(help="The JSON file to write.")] = None,
) -> None:
    """Measure the published teacher and student with random weights in turn, as TFLite files."""
    try:
        if out is not None:
            require_place(out)
        widths = None if channels is None else read_channels(channels)
        beside = measure_published(size, widths, style_dim, threads, rounds)
    except InputError as error:
        raise typer.BadParameter(str(error)) from None
    print(f"{size} px, {WEIGHTS}: latencies, not images")
    print("\n".join(beside.lines()))
    if out is not None:
        write_atomic(out, json.dumps(describe(beside, size), indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
