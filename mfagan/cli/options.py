"""What several commands share: option types, reading sizes, finding LPIPS, opening a run."""

import logging
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from mfagan.cli.completion import complete_model, complete_study, complete_table
from mfagan.errors import InputError
from mfagan.shipped import find_checkpoint
from mfagan.sr.shipped import SUPERGENERATOR
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.pretrained import Lpips
    from mfagan.sr.training.recipe import Recipe
    from mfagan.training.recipe import BaseRecipe
    from mfagan.training.run import RunOptions, TrainingRun
    from mfagan.training.time_limit import Stopped, TimeLimit

logger = logging.getLogger(__name__)
RunT = TypeVar("RunT", bound="TrainingRun[Any]")


IMAGES, RUN = "Images", "How it runs"
"""Headings of the options of trainings."""
ImagesOption = Annotated[
    str,
    typer.Option(
        "--images", metavar="FOLDER", help="A folder of images, or `embedded` for the bundled photos."
    ),
]
ManyImagesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--images",
        metavar="FOLDER",
        help="A folder of images (repeatable), or `embedded` (default) for the bundled photos.",
        rich_help_panel=IMAGES,
    ),
]
StorageOption = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Where the study is kept: an SQLite file, journal://FILE, grpc://HOST:PORT or a database's URL, "
        "such as postgresql+psycopg://...",
    ),
]
HistoryOption = Annotated[
    str | None,
    typer.Option(
        "--storage",
        metavar="ADDRESS",
        help="Where the pick's study is kept, to record the file in its history (default: as the pick says).",
    ),
]
StudyOption = Annotated[
    str, typer.Option(metavar="NAME", help="The study's name.", autocompletion=complete_study)
]
DeviceOption = Annotated[
    str, typer.Option(metavar="NAME", help="What computes: auto, cpu, cuda, cuda:1, ...")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
SizeOption = Annotated[str, typer.Option(metavar="HxW", help="Height and width of the LR input in pixels.")]
ScaleOption = Annotated[int, typer.Option(min=2, max=4, help="Enlargement of the networks.")]
OutOption = Annotated[Path, typer.Option(help="The file to write.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
NAMED_TABLE: Any = {"metavar": "FILE|NAME", "autocompletion": complete_table}
"""Of an option or argument: a latency table, or the name of a shipped one."""
SustainedOption = Annotated[
    bool,
    typer.Option("--sustained", help="Price by the table's latencies under load (lut build --sustained)."),
]
TablePassesOption = Annotated[
    str | None,
    typer.Option(
        "--passes",
        metavar="LIST",
        help="Rewritings for speed: some of statistics, parts, shuffle, tiles16, tiles32, joined by commas, or none "
        "(default: the first three; statistics and shuffle in int8; none for onnx and torch, whose networks are not "
        "rewritten).",
    ),
]
TablePrecisionOption = Annotated[
    Literal["fp32", "fp16", "int8"],
    typer.Option("--precision", help="Of the networks; fp16 for litert and torch-cuda, int8 for litert."),
]
VggOption = Annotated[
    Path | None,
    typer.Option(
        "--vgg",
        "--vgg19",
        help="Weights of the recipe's perceptual_backbone (default: in $TORCH_HOME/hub/checkpoints).",
    ),
]
AlexnetOption = Annotated[
    Path | None,
    typer.Option(help="AlexNet's weights, to validate with LPIPS (default: in $TORCH_HOME/hub/checkpoints)."),
]
WeightsOption = Annotated[
    Path | None, typer.Option(help="AlexNet's weights for LPIPS (default: in $TORCH_HOME/hub/checkpoints).")
]
ValidationOption = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        help="A folder to validate on (default: a held-out part of --images).",
        rich_help_panel=IMAGES,
    ),
]
TermsOption = Annotated[
    str,
    typer.Option(
        help="What the images may be used for; the checkpoint records it, and so do those made from it.",
        rich_help_panel=IMAGES,
    ),
]
NAMED_CHECKPOINT: Any = {
    "parser": find_checkpoint,
    "metavar": "FILE|NAME",
    "autocompletion": complete_model,
}
"""Of an option or argument: a checkpoint, or the name of a shipped generator."""
SHIPPED_CHECKPOINT: Any = {**NAMED_CHECKPOINT, "show_default": SUPERGENERATOR.stem}
"""The same, where the default is the shipped SuperGenerator."""
RestartOption = Annotated[
    bool,
    typer.Option("--restart", help="Train again what is in the folder already.", rich_help_panel=RUN),
]
MaxStepsOption = Annotated[
    int | None, typer.Option(min=1, help="Cap on the steps of a stage.", rich_help_panel=RUN)
]
CompileOption = Annotated[
    bool | None,
    typer.Option(
        "--compile/--no-compile",
        help="Make the steps faster by torch.compile, which takes minutes first (default: as the recipe says).",
        rich_help_panel=RUN,
    ),
]
MinutesOption = Annotated[
    float | None,
    typer.Option(
        "--for",
        metavar="MINUTES",
        help="Stop after this time with a snapshot, from which the same command continues.",
        rich_help_panel=RUN,
    ),
]

RescaleOption = Annotated[
    bool,
    typer.Option(
        "--rescale", help="Multiply a table's prices by how much slower fixed operators are on this machine."
    ),
]

TRAINING_KEPT = "what was trained up to the last snapshot is kept, and the same command continues"
"""What an interrupted training leaves."""
DEFAULT_STORAGE = "runs/study.db"
DEFAULT_STUDY = "mfagan"


def command_line() -> str:
    """What the user typed, to be recorded with the result; passwords of storages are replaced by ***."""
    return shlex.join(["mfagan", *map(_hide_password, sys.argv[1:])])


def name_study(storage: str, study: str) -> str:
    """The options that name a study, to be shown in a command; a password is replaced by ***.

    Args:
        storage: where the study is kept.
        study: its name.
    """
    from search.storage.address import redact

    return shlex.join(["--storage", redact(storage), "--study", study])


def _hide_password(argument: str) -> str:
    if "://" not in argument and "@" not in argument:
        return argument
    from search.storage.address import redact

    option, equals, value = argument.partition("=") if argument.startswith("--") else ("", "", argument)
    return f"{option}{equals}{redact(value)}"


def storage_file(storage: str | None) -> Path | None:
    """The file that a study is kept in.

    Args:
        storage: a storage's address, or None.

    Returns:
        The file, or None if it is on a server or nothing is given.
    """
    from search.storage.address import read_address

    return read_address(storage).file if storage else None


def read_size(text: str) -> tuple[int, int]:
    """Read a size.

    Args:
        text: HEIGHTxWIDTH in px.

    Returns:
        (height, width) in px.

    Raises:
        InputError: anything else, or a side under 4 px.
    """
    height, _, width = text.partition("x")
    # int() refuses thousands of digits with an error of its own.
    digits = height.isdecimal() and width.isdecimal() and max(len(height), len(width)) <= 9
    if not (digits and int(height) >= 4 and int(width) >= 4):
        raise InputError(f"size {text!r:.60}: give HEIGHTxWIDTH in pixels, at least 4x4, such as 128x128")
    return int(height), int(width)


def find_lpips(weights: Path | None) -> "Lpips | None":
    """LPIPS on AlexNet's weights.

    Args:
        weights: their file, None for torch.hub's folder.

    Returns:
        The metric, or None if there are no weights, which is reported.

    Raises:
        InputError: as `mfagan.pretrained.load_lpips`.
    """
    from mfagan import pretrained

    path = pretrained.find_weights("alexnet", weights)
    if path is None:
        logger.info("LPIPS is left out: %s", pretrained.describe_missing("alexnet"))
        return None
    return pretrained.load_lpips(path)


def set_compile(recipe: "Recipe", compile_steps: bool | None) -> "Recipe":
    """Apply --compile or --no-compile to a recipe.

    Args:
        recipe: of a training.
        compile_steps: what was given, None for what the recipe has.

    Returns:
        The recipe, changed or not.
    """
    return recipe if compile_steps is None else replace(recipe, compile=compile_steps)


def start_clock(minutes: float | None) -> "TimeLimit | None":
    """Begin the time of --for.

    Args:
        minutes: what was given with it, or None.

    Returns:
        The time limit, or None for no limit.

    Raises:
        InputError: not a positive and finite number.
    """
    from mfagan.training.time_limit import TimeLimit

    if minutes is None:
        return None
    try:
        return TimeLimit(minutes)
    except InputError as error:
        raise InputError(f"--for: {error}") from None


def report_stop(run: "TrainingRun[Any]", stop: "Stopped") -> Result:
    """Say that a training has ended at its time limit and how it is continued.

    Args:
        run: the training; under torchrun its first process answers.
        stop: where it stopped.

    Returns:
        What the command answers.
    """
    options = run.options
    assert options.limit is not None
    again = "the same command without --restart" if options.restart else "the same command"
    if not run.fabric.is_global_zero:
        return Result()
    return Result(
        {"stopped": str(stop), "minutes": options.limit.minutes},
        [f"{stop} after {options.limit.minutes:g} minutes; {again} continues"],
        next=[word for word in shlex.split(command_line()) if word not in ("--restart", "--json", "--quiet")],
    )


def open_run(
    prepare: Callable[..., RunT], recipe: "BaseRecipe", options: "RunOptions", **more: object
) -> RunT:
    """Prepare a training run with progress bars, which records the command that the user typed.

    Args:
        prepare: a system's function that does so, such as `mfagan.sr.training.run.prepare_run`.
        recipe: every setting of the training.
        options: where and how it trains.
        **more: other arguments of `prepare`.

    Returns:
        The run.

    Raises:
        InputError: as `prepare`.
    """
    from mfagan.progress import show_bar

    return prepare(recipe, replace(options, command=command_line()), bars=show_bar, **more)
