"""The command `evaluate`: networks beside bicubic enlargement and the published figures."""

import json
import logging
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.options import (
    DeviceOption,
    SizeOption,
    WeightsOption,
    command_line,
    find_lpips,
    read_size,
)
from mfagan.errors import InputError
from search.commands.command import keeps
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.evaluation.quoted import QuotedRow
    from mfagan.evaluation.report import EvaluationReport
    from mfagan.graph.costs import Costs

__all__ = ["evaluate"]

logger = logging.getLogger(__name__)

FILES, LATENCY = "Files", "Latency"
"""Headings of the options."""


@keeps("images of --save-images stay, and no table is written")
def evaluate(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CKPT... [IMAGES]...",
            help="Generators' checkpoints, names of shipped ones, or other authors' weights (.pth, .safetensors), each "
            "by its path or as NAME=PATH. An argument that is not a file and does not end as one is another folder of "
            "images, so that `--images Set5 Set14` works.",
        ),
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder of images, NAME=FOLDER to name the set, or `embedded` for the bundled photos "
            "(repeatable; default: embedded).",
        ),
    ] = None,
    widths: Annotated[
        list[str] | None,
        typer.Option(metavar="WIDTHS", help="A slice of every SuperGenerator to evaluate (repeatable)."),
    ] = None,
    scale: Annotated[
        int | None,
        typer.Option(
            help="2, 3 or 4 (default: the checkpoints'); without checkpoints, bicubic alone is scored."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A folder to write evaluation.json and evaluation.md into; X.json or X.md: those two files.",
            rich_help_panel=FILES,
        ),
    ] = None,
    save_images: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A folder to write the enlarged images and a comparison sheet of each set into.",
            rich_help_panel=FILES,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="An HTML file: quality against memory, FLOPs as size.", rich_help_panel=FILES),
    ] = None,
    plot_quality: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="psnr or lpips, of the first set, for --plot.", rich_help_panel=FILES
        ),
    ] = "psnr",
    per_image: Annotated[bool, typer.Option("--per-image", help="Print every image's figures too.")] = False,
    weights: WeightsOption = None,
    latency: Annotated[
        bool,
        typer.Option(
            "--latency/--no-latency", help="Measure the networks in PyTorch.", rich_help_panel=LATENCY
        ),
    ] = True,
    size: SizeOption = "128x128",
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="CPU threads of the latency (default: PyTorch's).", rich_help_panel=LATENCY),
    ] = None,
    device: DeviceOption = "auto",
) -> Result:
    """Measure networks beside bicubic enlargement and the paper's figures.

    PSNR-Y, SSIM, LPIPS (if its weights are found), costs and latency. AlexNet's weights for LPIPS are never
    downloaded: give --weights or keep them in $TORCH_HOME/hub/checkpoints. Costs are counted for an LR image of
    128x128 px, as in the paper; latency is measured at --size.
    """
    from mfagan.data.layouts import find_sets
    from mfagan.devices import choose_device
    from mfagan.evaluation import report_table as tables
    from mfagan.evaluation.candidates import (
        BICUBIC,
        EvaluationSet,
        common_scale,
        load_candidates,
        read_image_sets,
        split_name,
    )
    from mfagan.evaluation.gallery import Gallery
    from mfagan.evaluation.report import EvaluationSettings
    from mfagan.evaluation.report import evaluate as run
    from mfagan.files import require_other_file, require_place, require_writable, write_atomic
    from mfagan.progress import show_bar
    from mfagan.registry import load_slices
    from mfagan.sr.experiments.paper_tables import QUOTED
    from mfagan.sr.network.mfanet import INPUT_SIZE

    given = {one: _find_network(one) for one in targets or []}
    paths = [path for one in targets or [] if (path := given[one]) is not None]
    sources = [*(images or []), *(one for one in targets or [] if given[one] is None)] or ["embedded"]
    files = _list_outputs(out)
    if plot_quality not in ("psnr", "lpips"):
        raise InputError(f"plot quality {plot_quality!r}: give psnr or lpips")
    candidates = load_candidates(paths, load_slices, widths or [])
    enlargement = common_scale(candidates, scale)
    if plot is not None and not candidates:
        raise InputError("a plot needs a network: name a checkpoint, or leave --plot out")
    sets = read_image_sets(sources, enlargement, candidates, show_bar)
    lpips = find_lpips(weights)
    if lpips is None and plot is not None and plot_quality == "lpips":
        raise InputError("plot quality lpips: it is not measured without AlexNet's weights; give --weights")
    if plot is not None and plot in files:
        raise InputError(f"--plot {plot} is a file that --out writes: choose another")
    for path in (*files, *([] if plot is None else [plot])):
        require_place(path, *(split_name(one)[1] for one in paths), weights)
    if save_images is not None:
        require_writable(save_images)
        _require_folders_apart([one.name for one in sets])
        folders = [
            folder
            for source in sources
            for one in find_sets(split_name(source)[1], enlargement)
            for folder in (one.hr_folder, one.lr_folder)
        ]
        for one in sets:
            for name in ("", BICUBIC, *(network.name for network in candidates)):
                require_other_file(_gallery_folder(save_images, one.name) / name, *folders)
    galleries: list[Gallery] = []

    def open_gallery(one: EvaluationSet):
        assert save_images is not None
        galleries.append(Gallery(_gallery_folder(save_images, one.name)))
        return galleries[-1].show

    settings = EvaluationSettings(
        INPUT_SIZE,
        choose_device(device),
        lpips,
        read_size(size) if latency else None,
        threads,
        QUOTED,
        command_line(),
    )
    shown = None if save_images is None else open_gallery
    found = run(candidates, sets, enlargement, settings, seen=shown, bars=show_bar)
    page = None if plot is None else _draw(found, plot_quality)
    written = [gallery.write_sheet() for gallery in galleries]
    facts = tables.as_json(found)
    text = json.dumps(facts, indent=2, allow_nan=False) + "\n"
    for path in files:
        write_atomic(path, text if path.suffix == ".json" else tables.as_markdown(found))
    if plot is not None and page is not None:
        write_atomic(plot, page)
    made = [*files, *written, *([] if plot is None else [plot])]
    for path in made:
        logger.info("wrote %s", path)
    return Result(facts, _lines(found, per_image), made)


def _find_network(given: str) -> str | None:
    """The path of a network, with the name before it if one is given; None for what is no network."""
    from mfagan.checkpoint import PYTORCH_SUFFIXES
    from mfagan.evaluation.candidates import split_name
    from mfagan.shipped import find_checkpoint

    name, asked = split_name(given)
    path = str(find_checkpoint(asked))
    if not path.lower().endswith((".safetensors", *PYTORCH_SUFFIXES)) and not Path(path).is_file():
        return None
    return f"{name}={path}" if name else path


def _gallery_folder(save_images: Path, set_name: str) -> Path:
    return save_images / set_name.replace(" ", "-")


def _require_folders_apart(set_names: Sequence[str]) -> None:
    names: dict[Path, str] = {}
    for name in set_names:
        other = names.setdefault(_gallery_folder(Path(), name), name)
        if other != name:
            raise InputError(
                f"sets {other!r} and {name!r} would be written into one folder of --save-images: rename one"
            )


def _list_outputs(out: Path | None) -> list[Path]:
    """The JSON file and the Markdown file."""
    if out is None:
        return []
    stem = out.with_suffix("") if out.suffix in (".json", ".md") else out / "evaluation"
    return [stem.with_name(f"{stem.name}{suffix}") for suffix in (".json", ".md")]


def _lines(found: "EvaluationReport", per_image: bool) -> list[str]:
    from mfagan.evaluation import report_table as tables
    from mfagan.evaluation.text_table import format_text

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    lines = [format_text(*tables.as_table(found), width=width)]
    if per_image:
        lines += [format_text(*tables.as_image_table(found, name), width=width) for name in found.sources]
    return [*lines, *tables.list_notes(found)]


def _draw(found: "EvaluationReport", quality: str) -> str:
    """The page of the paper's figure 5: quality of the first set against memory, FLOPs as size."""
    from mfagan.evaluation import report_table as tables
    from search.report.charts.bubble_figure import Bubble, bubble_data
    from search.report.html_page import bubble_page

    first = next(iter(found.sources))
    attribute = "psnr_db" if quality == "psnr" else "lpips"
    title = f"PSNR-Y on {first} (dB)" if quality == "psnr" else f"{found.lpips} on {first}, less is better"
    bubbles, levels = [], {}
    for row in found.rows:
        value = getattr(row.mean(first), attribute)
        if row.costs is None:
            levels[row.name] = value
            continue
        costs, details = row.costs, _details(value, row.costs)
        bubbles.append(Bubble(row.name, costs.memory_gb, value, costs.flops_g, False, details))
    for row in [] if found.quoted is None else found.quoted.rows:
        figures = row.quality_on(first)
        if figures is not None:
            value = getattr(figures, attribute)
            details = _details(value, row)
            bubbles.append(Bubble(f"{row.name} (quoted)", row.memory_gb, value, row.flops_g, True, details))
    data = bubble_data(bubbles, "memory traffic (GB)", title, "FLOPs", levels=levels)
    notes = [*tables.list_notes(found), f"Made by: {found.command}"]
    return bubble_page(data, f"Quality against memory traffic, x{found.scale}", notes)


def _details(value: float, costs: "Costs | QuotedRow") -> dict[str, str]:
    return {
        "quality": f"{value:.4g}",
        "memory": f"{costs.memory_gb:.3f} GB",
        "FLOPs": f"{costs.flops_g:.2f} G",
        "params": f"{costs.params_m:.3f} M",
    }
