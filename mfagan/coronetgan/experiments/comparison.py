"""Ways to a smaller translator side by side: the same pictures, the same ratio, as many steps each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean

from torch import Tensor

from mfagan.coronetgan.experiments.sheet import draw_sheet
from mfagan.coronetgan.experiments.step_times import StepTimes, time_steps
from mfagan.coronetgan.experiments.trained import Trained, read_trained
from mfagan.coronetgan.experiments.ways import DENSE, WAYS, Way
from mfagan.coronetgan.training.building import require_course, require_ratios
from mfagan.coronetgan.training.run import TranslationRun
from mfagan.evaluation.experiments.reports import ExperimentReport
from mfagan.evaluation.text_table import Cell, Column
from mfagan.graph.costs import CONVENTIONS

__all__ = ["Compared", "compare_ways", "draw_ways", "tabulate_ways"]

_REPEATS = 7


@dataclass(frozen=True)
class Compared:
    """What one seed's trainings left.

    seed: of everything random.
    ways: name of a way -> its translators: one, or CycleGAN's two.
    step_times: name of a way that searches -> what its steps cost beside dense ones.
    """

    seed: int
    ways: Mapping[str, Sequence[Trained]]
    step_times: Mapping[str, StepTimes]

    def as_dict(self) -> dict[str, object]:
        """Plain data."""
        return {
            "seed": self.seed,
            "ways": {name: [one.as_dict() for one in each] for name, each in self.ways.items()},
            "step_times_ms": {name: asdict(one) for name, one in self.step_times.items()},
        }


def compare_ways(run: TranslationRun, ways: Sequence[Way]) -> Compared:
    """Train translators in several ways, unless they are finished, and time what a search costs.

    Args:
        run: its recipe, ratio, pictures, device and folder.
        ways: as `choose_ways` gives them.

    Returns:
        What they left.

    Raises:
        InputError, Diverged, Stopped: as the stages.
    """
    require_ratios(run)
    if any(way.search is not None for way in ways):
        require_course(run)
    found = {way.name: read_trained(way.train(run), run.recipe.model, run.recipe.crop_px) for way in ways}
    times = {
        way.name: time_steps(replace(run, recipe=replace(run.recipe, **way.search)), _REPEATS)
        for way in ways
        if way.search is not None
    }
    return Compared(run.options.seed, found, times)


def tabulate_ways(compared: Sequence[Compared], run: TranslationRun) -> ExperimentReport:
    """Tabulate ways, the means over seeds.

    Args:
        compared: what each seed's trainings left, of the same ways.
        run: one of the runs, for what they have in common.

    Returns:
        The table.
    """
    seeds, first = len(compared), compared[0]
    returned = "psnr_db" not in first.ways[DENSE.name][0].record
    quality = "PSNR there and back" if returned else "PSNR"
    spread = [Column("by seed", "dB")] if seeds > 1 else []
    directions = [Column("translator")] if len(first.ways[DENSE.name]) > 1 else []
    columns = [
        Column("way"),
        *directions,
        Column(quality, "dB", ".2f"),
        *spread,
        Column("ratio", "", ".4f"),
        Column("at input", "M", ".2f", "MACs, transposed"),
        Column("at output", "M", ".2f", "MACs, transposed"),
        Column("parameters", "", ",d"),
        Column("own", "", ".2f", "minutes of training"),
        Column("with dense", "", ".2f", "minutes of training"),
        Column("search step / dense step", "x", ".2f"),
    ]
    rows: list[list[Cell]] = []
    for name, translators in first.ways.items():
        costs = [one.step_times[name].ratio for one in compared if name in one.step_times]
        for place, shown in enumerate(translators):
            own = [one.ways[name][place] for one in compared]
            scores = [one.psnr_db for one in own]
            rows.append(
                [
                    WAYS[name].title,
                    *([shown.direction] if directions else []),
                    fmean(scores),
                    *([", ".join(f"{score:.2f}" for score in scores)] if spread else []),
                    fmean(one.ratio for one in own),
                    fmean(one.macs for one in own) / 1e6,
                    fmean(one.macs_at_output for one in own) / 1e6,
                    round(fmean(one.params for one in own)),
                    fmean(one.minutes for one in own),
                    fmean(one.minutes_in_all for one in own),
                    fmean(costs) if costs else None,
                ]
            )
    return ExperimentReport(
        "compare",
        f"Ways to {run.ratio:g} of the MACs",
        columns,
        rows,
        _notes(compared, run, returned),
        {"seeds": [one.as_dict() for one in compared]},
    )


def draw_ways(found: Compared, run: TranslationRun) -> Tensor:
    """Draw what the translators from A to B make of held-out pictures.

    Args:
        found: what one seed's trainings left.
        run: its pictures are shown.

    Returns:
        The sheet (3, H, W), RGB in [0, 1].
    """
    title = f"{run.recipe.name}: ways to {run.ratio:g} of the MACs, seed {found.seed}"
    networks = {name: each[0].network for name, each in found.ways.items()}
    return draw_sheet(title, networks, run.pictures.held_out)


def _notes(compared: Sequence[Compared], run: TranslationRun, returned: bool) -> list[str]:
    recipe, seeds = run.recipe, ", ".join(str(one.seed) for one in compared)
    measured = (
        "PSNR is of pictures that were translated there and back, which says nothing of how real they look"
        if returned
        else f"PSNR (peak 2, pictures in [-1, 1]) on {len(run.pictures.held_out.a)} held-out pairs"
    )
    stages = {way: found[0].steps for way, found in compared[0].ways.items()}
    return [
        f"{measured}; {'means of seeds' if len(compared) > 1 else 'seed'} {seeds}.",
        f"Recipe {recipe.name}, batches of {recipe.batch}, {recipe.crop_px} px; steps: "
        + ", ".join(f"{way} {steps}" for way, steps in stages.items())
        + ". Those that start or learn from the dense translator need its steps too.",
        *(f"At {name}: {label}." for name, label in CONVENTIONS.items()),
        "A step of the search over the step of dense training beside it, in turn on one batch: median of the ratios.",
    ]
