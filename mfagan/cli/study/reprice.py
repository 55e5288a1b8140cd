"""`mfagan reprice`: another device's front from a finished study, without evaluating anything."""

import logging
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.cli.options import (
    DEFAULT_STORAGE,
    DEFAULT_STUDY,
    NAMED_CHECKPOINT,
    NAMED_TABLE,
    StorageOption,
    StudyOption,
    SustainedOption,
    command_line,
    name_study,
)
from mfagan.errors import InputError
from search.commands.result import Result

if TYPE_CHECKING:
    from mfagan.sr.study.repricing import RepricedProblem
    from search.latency import LatencyTable
    from search.problem import Choice, Evaluation
    from search.study import StudyRecord

__all__ = ["reprice"]

logger = logging.getLogger(__name__)


def reprice(
    lut: Annotated[
        str,
        typer.Option(help="The other device's latency table: a file or a shipped name.", **NAMED_TABLE),
    ],
    study: StudyOption = DEFAULT_STUDY,
    storage: StorageOption = DEFAULT_STORAGE,
    to: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The new study's name (default: the study's and the table's)."),
    ] = None,
    exact: Annotated[
        Path | None, typer.Option(help="Price the table of `mfagan tabulate` again, instead of a study.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="With --exact: the table to write.")] = None,
    max_latency_ms: Annotated[float | None, typer.Option(help="Ceiling on the new latency.")] = None,
    sustained: SustainedOption = False,
    supernet: Annotated[
        Path | None,
        typer.Option(
            help="The SuperGenerator's checkpoint (default: as the study says).", **NAMED_CHECKPOINT
        ),
    ] = None,
) -> Result:
    """Price a study's trials by another device's latency table.

    Nothing is evaluated again, for no PSNR depends on the device. The new study can be browsed, picked from, and
    searched on with the other table.
    """
    from mfagan.latency.tables import find_table
    from mfagan.sr.shipped import SUPERGENERATOR
    from search.latency import LatencyTable

    path = find_table(lut)
    table = LatencyTable.read(path)
    table = table.under_load() if sustained else table
    if (exact is None) != (out is None):
        raise InputError("--exact and --out go together: the table to read, and the one to write")
    if exact is not None and out is not None:
        return _reprice_table(exact, out, table, path, supernet or SUPERGENERATOR)
    return _reprice_study(
        table,
        path,
        (storage, study),
        to or f"{study}-{path.stem}{'-sustained' * sustained}",
        max_latency_ms,
        supernet,
    )


def _reprice_study(
    table: "LatencyTable",
    path: Path,
    where: tuple[str, str],
    to: str,
    max_latency_ms: float | None,
    supernet: Path | None,
) -> Result:
    from mfagan.cli.study.systems import find_system
    from mfagan.progress import show_bar
    from search import pareto
    from search.storage.address import read_address
    from search.storage.derivation import derive_study
    from search.study import load

    storage, study = where
    record = load(storage, study)
    if not record.points:
        raise InputError(f"study {study!r}: it has no finished trial to price again; search first")
    system = find_system(record)
    if system is not None and system.group:
        raise InputError(
            f"study {study!r}: only studies of SubGenerators are priced again; search with the other table: "
            f"{' '.join(system.command('search', '--lut', path))}"
        )
    if record.pruned:
        logger.warning(
            "%d slices that the race dropped are left out, as the other device's prices decided it: "
            "search on with this table to score them",
            len(record.pruned),
        )
    if to == study:
        raise InputError(f"--to {to}: it is the study that is priced again; give another name")
    network = Path(str(record.points[0].attributes.get("supernet", ""))) if supernet is None else supernet
    ceilings = _ceilings(record.identity.get("ceilings", "none"), max_latency_ms)
    problem = _problem(table, path, network, record, ceilings)
    evaluations = _evaluate(problem, [point.choice for point in record.points])
    origin = {
        "repriced_from": study,
        "storage": read_address(storage).label,
        "lut_sha256": record.identity.get("lut_sha256", ""),
        "command": command_line(),
    }
    with show_bar("reprice") as report:
        derive_study(
            problem, evaluations, origin, storage, to, lambda done: report(done, len(evaluations), "")
        )
    new = load(storage, to)
    best = pareto.front(new.points, new.objectives)
    quick = sum(point.attributes.get("precision") == "bf16" for point in best)
    if quick:
        logger.warning(
            "%d of the %d trials on the new front were scored in bf16 alone: search on with this table, or score "
            "them in fp32",
            quick,
            len(best),
        )
    return Result(
        {"study": to, "n_trials": new.n_trials, "n_front": len(best), "device": table.device},
        [f"study {to}: {new.n_trials} trials of {study}, {len(best)} on the front of {table.device}"],
        next=["mfagan", "front", *shlex.split(name_study(storage, to)), "--out", f"{to}.html"],
    )


def _reprice_table(exact: Path, out: Path, table: "LatencyTable", path: Path, supernet: Path) -> Result:
    from mfagan.files import require_place, write_atomic
    from mfagan.latency.priced_problem import LATENCY
    from search import pareto
    from search.benchmarks.tabular import TabularProblem
    from search.study import StudyRecord

    require_place(out, path)
    before = TabularProblem.read(exact)
    identity = before.identity()
    unsearched = StudyRecord("", tuple(before.objectives), {}, identity, ())
    problem = _problem(table, path, supernet, unsearched, {})
    choices = map(before.space.choice, before.space.grid())
    columns = dict(zip((one.name for one in before.objectives), before.values.T.tolist(), strict=True))
    columns[LATENCY.name] = [problem.price(problem.as_candidate(choice)) for choice in choices]
    after = TabularProblem(
        before.choices,
        before.objectives,
        columns,
        f"{before.command}, then {command_line()}",
        foreseen=before.names_foreseen,
        identity=problem.identity(),
        known_choices=before.known_choices,
    )
    write_atomic(out, after.to_json())
    n_best = int(pareto.front_mask(after.values, [one.direction for one in after.objectives]).sum())
    return Result(
        {"file": str(out), "n_choices": len(after.values), "n_front": n_best, "device": table.device},
        [f"{out}: {len(after.values)} choices, {n_best} on the front of {table.device}"],
        [out],
        ["python", "-m", "search", "benchmark", out, "--out", out.with_name(f"{out.stem}-samplers.json")],
    )


def _problem(
    table: "LatencyTable",
    path: Path,
    supernet: Path,
    record: "StudyRecord",
    ceilings: Mapping[str, float],
) -> "RepricedProblem":
    from mfagan.cli.options import read_size
    from mfagan.latency.priced_problem import Target
    from mfagan.latency.tables import describe_rebuild, warn_size
    from mfagan.sr.study.repricing import RepricedProblem

    if not supernet.is_file():
        raise InputError(
            f"SuperGenerator {supernet}: no such file; give the one that was scored with --supernet"
        )
    size = read_size(record.identity.get("target_size", "128x128"))
    warning = warn_size(table, *size)
    if warning:
        logger.warning(warning)
    remedy = describe_rebuild(table, size, path=path)
    target = Target(table, size, remedy, ceilings)
    sources = {**record.sources, "lut": str(path.resolve())}
    return RepricedProblem(
        supernet, target, record.objectives, record.identity, record.points, record.cases, sources
    )


def _evaluate(problem: "RepricedProblem", choices: "Sequence[Choice]") -> "list[tuple[Choice, Evaluation]]":
    """The distinct choices, in their order, and what each evaluates to now."""
    distinct = {tuple(choice.items()): choice for choice in choices}
    return list(zip(distinct.values(), problem.evaluate(list(distinct.values())), strict=True))


def _ceilings(text: str, max_latency_ms: float | None) -> dict[str, float]:
    """A study's ceilings, but that on the latency of its own device."""
    pairs = (one.split(" ") for one in text.split(", ") if text != "none")
    ceilings = {name: float(value) for name, value in pairs if name != "latency_ms"}
    return ceilings if max_latency_ms is None else ceilings | {"latency_ms": max_latency_ms}
