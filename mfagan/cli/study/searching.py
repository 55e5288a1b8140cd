"""What the searches of all systems share: their options, and how a problem becomes a study."""

import logging
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mfagan.cli.inception import load_inception
from mfagan.cli.options import DEFAULT_STORAGE, find_lpips, name_study
from mfagan.cli.study.limits import LIMITS
from mfagan.errors import InputError
from search.commands.result import Result

__all__ = [
    "DelegateOption",
    "LeaseOption",
    "MaxRejectedOption",
    "PopulationOption",
    "RaceOption",
    "SamplerOption",
    "TrialsOption",
    "load_extra_scoring",
    "make_settings",
    "name_ceilings",
    "search_study",
]

if TYPE_CHECKING:
    from search.problem import Problem
    from search.running.settings import SearchSettings

logger = logging.getLogger(__name__)

TrialsOption = Annotated[
    int | None,
    typer.Option(min=1, help="Finished trials the study shall have in all (200; exhaustive: every choice)."),
]
SamplerOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="nsga2, front (fewest evaluations), tpe, random, or exhaustive: every choice.",
    ),
]
DelegateOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Count what it rejects: gpu, nnapi, nnapi-int8 or xnnpack.",
        rich_help_panel=LIMITS,
    ),
]
MaxRejectedOption = Annotated[
    int | None,
    typer.Option(help="Ceiling on the operators that --delegate rejects.", rich_help_panel=LIMITS),
]
PopulationOption = Annotated[int, typer.Option(min=2, help="Trials of one generation of NSGA-II.")]
LeaseOption = Annotated[
    float, typer.Option(min=1, help="Seconds after which a silent worker's choices go to others.")
]
RaceOption = Annotated[
    float | None,
    typer.Option(
        metavar="ERROR",
        help="Drop a slice before it is scored on everything once a cheaper one is evidently better: "
        "the probability to be wrong, such as 0.05.",
    ),
]


def name_ceilings(
    *,
    max_latency_ms: float | None,
    max_params: float | None,
    max_gflops: float | None,
    max_memory_gb: float | None,
    max_rejected: int | None,
) -> dict[str, float]:
    """The ceilings of a search by the names that its target has for them.

    Args:
        max_latency_ms: on the latency in ms, or None, as the others.
        max_params: on the parameters.
        max_gflops: on the FLOPs in G.
        max_memory_gb: on the memory traffic in GB.
        max_rejected: on the operators that a delegate rejects.
    """
    ceilings = {
        "latency_ms": max_latency_ms,
        "params": max_params,
        "flops": None if max_gflops is None else 1e9 * max_gflops,
        "memory_bytes": None if max_memory_gb is None else 1e9 * max_memory_gb,
        "rejected_operators": max_rejected,
    }
    return {name: ceiling for name, ceiling in ceilings.items() if ceiling is not None}


def load_extra_scoring(
    extra_objective: str | None, weights: Path | None, inception: Path | None, device: str
) -> dict[str, Any]:
    """The fields of a `PictureScoring` from the options of a search.

    Args:
        extra_objective: as --objective gives it, or None.
        weights: AlexNet's, or None for those in the cache.
        inception: Inception's weights, or None for those in the cache.
        device: where the networks run.

    Returns:
        Names and values, with the networks that the objective needs.

    Raises:
        InputError: a device that cannot be used, or weights that are missing or another network's.
    """
    from mfagan.devices import choose_device
    from mfagan.evaluation.inception import describe_missing, find_inception

    found = find_inception(inception) if extra_objective == "kid" else None
    if extra_objective == "kid" and found is None:
        raise InputError(f"--objective kid: {describe_missing()}")
    return {
        "device": choose_device(device),
        "extra_objective": extra_objective,
        "lpips": find_lpips(weights) if extra_objective == "lpips" else None,
        "inception": None if found is None else load_inception(found, device),
    }


def make_settings(
    *,
    trials: int | None,
    sampler: str,
    population: int,
    seed: int,
    lease: float,
    race: float | None,
) -> "SearchSettings":
    """The settings of a search from its options.

    Args:
        trials: finished trials that the study shall have, None for the sampler's default.
        sampler: how choices are drawn.
        population: trials of one generation.
        seed: of the sampler.
        lease: seconds after which a silent worker's choices go to others.
        race: the probability to drop a choice in error, None for no race.
    """
    from search.racing.settings import Race
    from search.running.settings import SearchSettings
    from search.samplers import default_trials

    return SearchSettings(
        n_trials=default_trials(sampler) if trials is None else trials,
        sampler=sampler,
        population=population,
        batch=None,  # a whole generation at once: its choices share the work of their common prefixes
        seed=seed,
        lease_s=lease,
        race=None if race is None else Race(race),
    )


def search_study(problem: "Problem", storage: str, study: str, settings: "SearchSettings") -> Result:
    """Search a problem with a progress bar, and say what the study holds then.

    Args:
        problem: what is searched.
        storage: where the study is kept.
        study: its name.
        settings: how it is searched.
    """
    from search import pareto
    from search.problem import count_choices
    from search.report.dashboard import show_figures
    from search.report.text.summary import count_front
    from search.study import load

    _run_study(problem, storage, study, settings)
    record = load(storage, study)
    show_figures(storage, record)
    if record.n_unique_trials == count_choices(problem):
        logger.info("all %d choices are evaluated: the study is complete", record.n_unique_trials)
    dropped = f", {len(record.pruned)} of them dropped early" if record.race is not None else ""
    return Result(
        {
            "study": study,
            "n_trials": record.n_trials,
            "n_pruned": len(record.pruned),
            "n_unique_trials": record.n_unique_trials,
            "n_front": len(pareto.front(record.points, record.objectives)),
        },
        [f"study {study}: {record.n_trials} trials{dropped}, {count_front(record)}"],
        next=["mfagan", "front", *shlex.split(name_study(storage, study)), "--out", "front.html"],
    )


def _run_study(problem: "Problem", storage: str, study: str, settings: "SearchSettings") -> None:
    """Search with a progress bar of the best first objective."""
    from mfagan.files import require_writable
    from mfagan.progress import show_bar
    from search.study import Progress, run_search

    if storage == DEFAULT_STORAGE:
        require_writable(Path(storage).parent)
    first = problem.objectives[0]

    def tell(value: float) -> str:
        return f"{value:.3f} {first.unit}" if first.unit else f"{first.name} {value:.4f}"

    with show_bar("search") as report:

        def show(progress: Progress) -> None:
            best = "" if progress.best is None else f"best {tell(progress.best)}"
            if progress.n_dropped:
                best += f", {progress.n_dropped} dropped, {100 * progress.saved:.0f} % of the work saved"
            report(progress.n_finished, progress.n_trials, best)

        run_search(problem, storage, study, settings, show)
