"""`mfagan front`: browse the Pareto front of a study."""

import shlex
from typing import Annotated

import typer

from mfagan.cli.completion import complete_study
from mfagan.cli.options import DEFAULT_STORAGE, DEFAULT_STUDY, OutOption, StorageOption, name_study
from search.commands.result import Result

__all__ = ["front"]


def front(
    out: OutOption,
    storage: StorageOption = DEFAULT_STORAGE,
    study: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"The study's name ({DEFAULT_STUDY}); of several, the fronts are overlaid.",
            autocompletion=complete_study,
        ),
    ] = None,
) -> Result:
    """Write the Pareto front as one HTML file that works offline."""
    from mfagan.files import require_place, write_atomic
    from search.report.html_page import front_page, overlay_page
    from search.storage.address import check_other_file
    from search.study import load

    check_other_file(out, storage)
    require_place(out)
    names = study or [DEFAULT_STUDY]
    hows = [
        f"Pick a trial N: mfagan pick {name_study(storage, name)} --trial N --out picked.json"
        for name in names
    ]
    records = [load(storage, name) for name in names]
    page = front_page(records[0], notes=hows) if len(records) == 1 else overlay_page(records, notes=hows)
    write_atomic(out, page)
    then = ["mfagan", "pick", *shlex.split(name_study(storage, names[0])), "--knee", "--out", "picked.json"]
    return Result({"file": str(out), "studies": names}, [str(out)], [out], then)
