"""`mfagan mobilestylegan sample`: pictures of a generator, as a sheet or as files."""

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mfagan.cli.options import DeviceOption
from mfagan.errors import InputError
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.mobilestylegan.sampling.samples import Sample

__all__ = ["sample"]

logger = logging.getLogger(__name__)

STYLES, FILES = "Styles", "Files"
"""Headings of the options."""
_MAX_PICTURES = 100_000


def sample(
    file: Annotated[
        Path, typer.Argument(help="A generator: a StyleGAN2's or a MobileStyleGAN's checkpoint.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="PATH",
            help="X.png for one sheet of all pictures; a folder for a file a picture.",
            rich_help_panel=FILES,
        ),
    ],
    seeds: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Such as 0-31 or 1,5,8-12, one a picture (default: 0-31)."),
    ] = None,
    psi: Annotated[
        float, typer.Option(metavar="FLOAT", help="Truncation: 1 is none, 0 makes all the mean picture.")
    ] = 1.0,
    w: Annotated[
        Path | None,
        typer.Option(
            "--w",
            metavar="FILE",
            help="Styles of a projector instead of seeds: .npz with `w`, or .pt.",
            rich_help_panel=STYLES,
        ),
    ] = None,
    mix: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Seeds whose styles take the place of each picture's own in its finer layers.",
            rich_help_panel=STYLES,
        ),
    ] = None,
    from_row: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="The row of W+ at which each style of --mix begins (default: evenly spaced).",
            rich_help_panel=STYLES,
        ),
    ] = None,
    noise: Annotated[
        Literal["const", "zero", "random", "file"],
        typer.Option(help="The same noise always, none, other noise each time, or that of the file of --w."),
    ] = "const",
    beside_teacher: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The student's StyleGAN2: its pictures of the same styles stand above."
        ),
    ] = None,
    save_w: Annotated[
        Path | None,
        typer.Option(
            "--save-w",
            metavar="FILE",
            help="Write the styles too, truncated and mixed (.npz with `w`).",
            rich_help_panel=FILES,
        ),
    ] = None,
    device: DeviceOption = "auto",
) -> Result:
    """Make pictures from random numbers or from projected styles.

    A sheet shows small pictures enlarged and large ones reduced to 256 px; files in a folder have the full size.
    """
    from mfagan.files import require_place, require_writable
    from mfagan.mobilestylegan.importing import write_styles
    from mfagan.mobilestylegan.kinds import open_file
    from mfagan.mobilestylegan.sampling import samples as sampling
    from mfagan.progress import show_bar

    if w is not None and seeds is not None:
        raise InputError("give --seeds or --w, not both")
    if from_row is not None and mix is None:
        raise InputError(f"--from-row {from_row}: it is of --mix; leave it out")
    is_sheet = out.suffix.lower() == ".png"
    if out.suffix and not is_sheet and not out.is_dir():
        raise InputError(f"--out {out}: give X.png for a sheet, or a folder")
    if save_w is not None and save_w.suffix.lower() != ".npz":
        raise InputError(f"--save-w {save_w}: give a name that ends in .npz")
    wanted = _read_list("--seeds", "0-31" if seeds is None else seeds)
    mixed = None if mix is None else _read_list("--mix", mix)
    rows = None if from_row is None else _read_list("--from-row", from_row)
    model = open_file(file, device)
    chosen = sampling.from_seeds(model, wanted, psi) if w is None else sampling.from_file(model, w, psi)
    if mixed is not None:
        chosen = sampling.mix_samples(model, chosen, sampling.from_seeds(model, mixed, psi), rows)
    models = [model]
    if beside_teacher is not None:
        models.insert(0, open_file(beside_teacher, device))
        if not sampling.require_beside(models[0], model, chosen):
            logger.warning(
                "%s has another mapping network than %s, so it is not its teacher; both get the styles of the latter",
                beside_teacher,
                file,
            )
    inputs = (file, w, beside_teacher)
    if save_w is not None:
        require_place(save_w, *inputs)
    if is_sheet:
        require_place(out, *inputs)
    else:
        require_writable(out)
    beside = "" if beside_teacher is None else "; teacher above, student below"
    title = f"{file.name}, psi {psi:g}, noise {noise}{beside}"
    with show_bar("pictures") as report:
        made = []
        streams = [sampling.make_pictures(one, chosen, noise) for one in models]
        for number, (one, *pictures) in enumerate(zip(chosen, *streams, strict=True), 1):
            if is_sheet:
                made.append((one.caption, pictures))
            else:
                _write(out, one, pictures)
            report(number, len(chosen), "")
    if is_sheet:
        from mfagan.data.images import write_image
        from mfagan.evaluation.contact_sheet import captioned_sheet

        write_image(out, captioned_sheet(title, made))
    if save_w is not None:
        write_styles(save_w, sampling.stack_styles(chosen, model.n_rows))
    facts = {
        "network": model.kind,
        "size": model.size,
        "psi": psi,
        "noise": noise,
        "pictures": [one.caption for one in chosen],
        "teacher": beside_teacher,
    }
    files = [out, *([] if save_w is None else [save_w])]
    number = f"{len(chosen)} pictures" if len(chosen) > 1 else "1 picture"
    lines = [f"{out}: {number} of {title}", *([] if save_w is None else [f"{save_w}: their styles"])]
    then = ["mfagan", "mobilestylegan", "evaluate", file, "--teacher", beside_teacher or "TEACHER"]
    return Result(facts, lines, files, then if model.kind == "mobilestylegan" else [])


def _write(folder: Path, one: "Sample", pictures: list) -> None:
    from mfagan.data.images import write_image

    *teachers, own = pictures
    write_image(folder / f"{one.name}.png", own)
    for picture in teachers:
        write_image(folder / f"{one.name}-teacher.png", picture)


def _read_list(option: str, text: str) -> list[int]:
    """The numbers of such as 1,5,8-12."""
    found: list[int] = []
    for part in text.split(","):
        bounds = re.fullmatch(r"\s*(\d{1,18})(?:-(\d{1,18}))?\s*", part, re.ASCII)
        if bounds is None or int(bounds[2] or bounds[1]) < int(bounds[1]):
            raise InputError(
                f"{option} {text!r:.60}: give whole numbers and rising ranges, such as 0-31 or 1,5,8-12"
            )
        first, last = int(bounds[1]), int(bounds[2] or bounds[1])
        if len(found) + last - first >= _MAX_PICTURES:
            raise InputError(f"{option} {text!r:.60}: give at most {_MAX_PICTURES:,} numbers")
        found += range(first, last + 1)
    return found
