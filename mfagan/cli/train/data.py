"""Commands on folders of images: data check, data shrink."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.options import ScaleOption
from mfagan.errors import InputError
from search.commands.command import keeps
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.data.check import Survey
    from mfagan.data.many import Size
    from mfagan.data.translation.check import TranslationSurvey

__all__ = ["check", "shrink"]


def check(
    folder: Annotated[str, typer.Argument(help="A folder of images, or `embedded`.")],
    scale: ScaleOption = 4,
    crop: Annotated[int, typer.Option(min=1, help="Side of a training crop, in LR pixels.")] = 32,
    decode: Annotated[
        bool, typer.Option("--decode", help="Decode every image, not its header alone.")
    ] = False,
    paired: Annotated[
        bool,
        typer.Option("--paired", help="Equal names in trainA and trainB are pairs, and all must have one."),
    ] = False,
    translation: Annotated[
        bool | None,
        typer.Option(
            help="Whether the pictures are to be translated (trainA trainB testA testB, or train val test with two "
            "side by side in each) rather than enlarged.",
            show_default="recognised",
        ),
    ] = None,
) -> Result:
    """Say what a folder of images holds and whether it can be used.

    The exit status is 2 if it cannot.
    """
    from mfagan.data.check import survey
    from mfagan.data.translation.check import holds_translation, survey_translation
    from mfagan.progress import show_bar

    if translation or (translation is None and holds_translation(folder)):
        two = survey_translation(folder, paired, decode, show_bar)
        usable = not two.problems
        facts = asdict(two) | {"usable": usable}
        then = _then_translate(folder, two) if usable else []
        return Result(facts, _translation_lines(two), next=then, status=0 if usable else 2)
    if paired:
        raise InputError(
            f"--paired is for folders trainA and trainB, and {folder} is none of these: leave it out"
        )
    found = survey(folder, scale, crop, decode, show_bar)
    then = ["mfagan", "train", "demo", "--images", folder, "--out", "runs/weights"]
    usable = not found.problems
    facts = asdict(found) | {"usable": usable}
    return Result(facts, _lines(found), next=then if usable else (), status=0 if usable else 2)


def _lines(found: "Survey") -> list[str]:
    lines = []
    for one in found.sets:
        lines.append(f"{one.name}: {one.layout}, in {one.hr_folder}")
        lines.append(
            f"    {one.n_hr} HR, {one.n_lr} LR, {one.n_pairs} pairs, {one.hr_pixels / 1e6:,.1f} million HR pixels"
        )
        lines += _size_lines(one.smallest, one.largest)
    lines.append(
        f"trained on would be {_describe(found.training)}; validated on, {_describe(found.validation)}"
    )
    return lines + _verdict(found)


def _translation_lines(found: "TranslationSurvey") -> list[str]:
    layouts = {
        "unpaired": "unpaired pictures of A and B",
        "paired": "pairs of equal names in A and B",
        "aligned": "pairs side by side, A in the left half",
    }
    lines = [f"{found.source}: {layouts[found.layout]}"]
    for one in found.parts:
        lines.append(f"{one.name}: {' and '.join(one.folders)}")
        if found.layout == "aligned":
            lines.append(f"    {one.n_a} pictures; pairs {one.n_pairs}, odd widths {one.n_odd}")
        else:
            lines.append(
                f"    {one.n_a} A, {one.n_b} B; names in both {one.n_pairs}, in one alone {one.n_alone}"
            )
        lines += _size_lines(one.smallest, one.largest)
    return lines + _verdict(found)


def _then_translate(folder: str, found: "TranslationSurvey") -> list[str]:
    if all(one.name != "train" for one in found.parts):
        return []
    recipe = "cyclegan" if found.layout == "unpaired" else "pix2pix"
    then = ["mfagan", "coronetgan", "train", recipe, "--data", folder, "--ratio", "0.5"]
    return [*then, *(["--paired"] if found.layout == "paired" else []), "--out", "runs/translation"]


def _size_lines(smallest: "Size | None", largest: "Size | None") -> list[str]:
    if smallest is None or largest is None:
        return []
    small, large = (f"{width}x{height}" for height, width in (smallest, largest))
    return [f"    smallest {small} px, largest {large} px"]


def _verdict(found: "Survey | TranslationSurvey") -> list[str]:
    count = len(found.problems)
    return [
        *(f"problem: {one}" for one in found.problems),
        *(f"note: {one}" for one in found.notes),
        f"not usable: {count} problem{'s' if count > 1 else ''}" if count else "usable",
    ]


@keeps("the copies that are written stay, and the same command writes all again")
def shrink(
    folder: Annotated[str, typer.Argument(help="A folder of images.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder to write PNG files into.")],
    factor: Annotated[float, typer.Option(help="Between 0 and 1; 0.5 halves height and width.")] = 0.5,
) -> Result:
    """Write shrunken copies of images, by MATLAB's bicubic.

    For pictures that are soft or noisy at their full size.
    """
    from mfagan.data.images import read_image, resize_bicubic, write_image
    from mfagan.data.layouts import find_training
    from mfagan.data.pairs import require_factors
    from mfagan.files import require_other_file, require_writable
    from mfagan.progress import show_bar

    require_factors([factor])
    files, _ = find_training(folder)
    require_other_file(out, *(one.hr.parent for one in files))
    require_writable(out)
    with show_bar("shrinking images") as report:
        for done, one in enumerate(files, 1):
            write_image(out / f"{one.name}.png", resize_bicubic(read_image(one.hr), factor).clamp(0, 1))
            report(done, len(files), one.name)
    facts = {"folder": str(out), "images": len(files), "factor": factor}
    return Result(facts, [str(out)], [out], ["mfagan", "data", "check", out])


def _describe(names: Sequence[str]) -> str:
    if not names:
        return "no images"
    return f"{len(names)} images, {names[0]} to {names[-1]}" if len(names) > 1 else f"1 image, {names[0]}"
