"""The demo's report: a translator pruned while it trained beside the dense one and a uniformly narrower one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from mfagan.coronetgan.experiments.landing import Landing, describe_landing, land_on_each
from mfagan.coronetgan.experiments.sheet import draw_sheet
from mfagan.coronetgan.experiments.step_times import StepTimes
from mfagan.coronetgan.experiments.trained import Trained
from mfagan.coronetgan.network.costs import WidthCosts
from mfagan.coronetgan.network.hyper.translator import HyperTranslator
from mfagan.coronetgan.training.recipe import TranslationRecipe, read_recipe
from mfagan.coronetgan.training.run import TranslationRun
from mfagan.data.images import write_image
from mfagan.files import write_atomic

__all__ = [
    "AIMED_RATIOS",
    "REPORT",
    "SHEET",
    "DemoNetworks",
    "MeasuredFiles",
    "summarize",
    "write_report",
]

REPORT = "report.json"
SHEET = "dense_pruned_uniform.png"
"""Held-out pictures, what the three translators make of them, and what is wanted."""
AIMED_RATIOS = (0.7, 0.5, 0.3)
"""Ratios that are landed on from the latents that the demo's search begins with."""
_GAMMA = 10.0
"""Latents shrink so fast that the ratio is reached within a tenth of the course: what is pruned early learns most."""
_ROUND_TO = 16
"""So many channels XNNPACK computes at a time on AVX-512; others cost as much as the next multiple."""
_LOST_DB, _BAKED, _LATENCY, _STEP = 1.0, 2e-6, 0.65, 2.0
"""The aims: dB under dense, difference of baked and masked pictures, share of dense's latency and step."""


@dataclass(frozen=True)
class DemoNetworks:
    """What the demo has trained.

    dense: at full widths.
    pruned: to the ratio, while it trained.
    uniform: to the ratio from scratch, every width the same share of the full one.
    """

    dense: Trained
    pruned: Trained
    uniform: Trained


@dataclass(frozen=True)
class MeasuredFiles:
    """What was measured of the exported files of the dense and the pruned translator, in turn.

    dense_ms: median latency of the dense one.
    pruned_ms: of the pruned one.
    max_abs_diff: largest difference of the pruned one's file from PyTorch.
    """

    dense_ms: float
    pruned_ms: float
    max_abs_diff: float


@dataclass(frozen=True)
class SliceFound:
    """A slice of the weight-shared translator, as the study found it.

    widths: channels of each choice.
    psnr_db: to the wanted pictures, with weights that are not trained any further.
    macs: multiply-accumulates of one picture.
    latency_ms: by the latency table.
    """

    widths: Mapping[str, int]
    psnr_db: float
    macs: int
    latency_ms: float


def demo_recipe(max_steps: int | None = None) -> TranslationRecipe:
    """The recipe of the demo: early pruning, widths for the processor, rescaled weights, and maybe a shorter course.

    Args:
        max_steps: the most steps of a stage; None for no limit.

    Returns:
        The shipped recipe with these settings and, if the course is shorter, with a still larger gamma, so that the
        ratio is reached in the same share of it.
    """
    recipe = replace(read_recipe("demo"), gamma=_GAMMA, round_to=_ROUND_TO, fill=True, rescale=True)
    steps = recipe.stages["search"].steps
    if max_steps is None or max_steps >= steps:
        return recipe
    return replace(recipe, gamma=recipe.gamma * steps / max_steps)


def write_report(
    folder: Path,
    run: TranslationRun,
    networks: DemoNetworks,
    times: StepTimes,
    files: MeasuredFiles,
    slices: Sequence[SliceFound],
    seconds: Mapping[str, float],
) -> dict[str, object]:
    """Compare what the demo has trained and write `REPORT` and `SHEET`.

    Args:
        folder: where they are written.
        run: gives recipe, ratio, seed and held-out pictures.
        networks: what was trained.
        times: what steps cost.
        files: what was measured of the exported files.
        slices: what the study found.
        seconds: step -> how long it took, in s.

    Returns:
        The report's content. `flops_ratio` counts transposed convolutions at their inputs' resolution, which are
        those computed, `flops_ratio_at_output` at their outputs'.
    """
    dense, pruned, uniform = networks.dense, networks.pruned, networks.uniform
    recipe, record = run.recipe, pruned.record
    costs = WidthCosts.of(dense.network, recipe.crop_px, recipe.crop_px)
    landing = describe_landing(costs, pruned.network.widths, run.ratio)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.options.seed)  # as stage search begins
        latents = HyperTranslator(recipe.translator()).prunable()
    landings = land_on_each(latents, costs, AIMED_RATIOS, at_least=recipe.min_channels)
    minutes = {"dense": dense.minutes, "search": record["search_minutes"], "uniform": uniform.minutes}
    found = spearmanr([one.psnr_db for one in slices], [one.macs for one in slices])
    facts: dict[str, object] = {
        "ratio_asked": run.ratio,
        "ratio_reached": landing.reached,
        "dense_psnr_db": dense.psnr_db,
        "pruned_psnr_db": pruned.psnr_db,
        "uniform_psnr_db": uniform.psnr_db,
        "uniform_ratio": uniform.ratio,
        "bake_max_abs_diff": record["bake_max_abs_diff"],
        "tflite_dense_ms": files.dense_ms,
        "tflite_pruned_ms": files.pruned_ms,
        "tflite_max_abs_diff": files.max_abs_diff,
        "flops_ratio": pruned.macs / dense.macs,
        "flops_ratio_at_output": pruned.macs_at_output / dense.macs_at_output,
        "params_ratio": pruned.params / dense.params,
        "latency_ratio": files.pruned_ms / files.dense_ms,
        "steps": {"dense": dense.steps, "search": record["search_steps"], "search_and_pruned": pruned.steps}
        | {"uniform": uniform.steps},
        "landed_at_step": record["landed_at"],
        "landings_on_first_latents": [one.as_dict() for one in landings],
        "dense_step_ms": times.dense_ms,
        "search_step_ms": times.search_ms,
        "training_minutes": minutes | {"search_and_pruned": pruned.minutes},
        "widths": dict(pruned.network.widths),
        "uniform_widths": dict(uniform.network.widths),
        "slices": [asdict(one) for one in slices],
        "spearman": float(np.asarray(found)[0]),
        "aims": _aims(run.ratio, networks, [landing, *landings], times, files),
        "seconds": dict(seconds),
    }
    columns = {
        f"{name}, {one.psnr_db:.1f} dB": one.network
        for name, one in (("dense", dense), ("pruned", pruned), ("uniform", uniform))
    }
    title = f"{landing.reached:.3f} of the MACs: pruned while it trained, and uniform widths"
    write_image(folder / SHEET, draw_sheet(title, columns, run.pictures.held_out))
    write_atomic(folder / REPORT, json.dumps(facts, indent=2) + "\n")
    return facts


def _aims(
    ratio: float,
    networks: DemoNetworks,
    landings: Sequence[Landing],
    times: StepTimes,
    files: MeasuredFiles,
) -> list[str]:
    """Each aim with what was found, beginning with met or missed."""
    trained, *others = landings
    lost = networks.dense.psnr_db - networks.pruned.psnr_db
    baked = float(networks.pruned.record["bake_max_abs_diff"])
    latency = files.pruned_ms / files.dense_ms
    reached = ", ".join(f"{one.reached:.4f} for {one.asked:g}" for one in others)
    beside = f"{abs(lost):.2f} dB {'below' if lost > 0 else 'above'}"
    all_met = all(one.met for one in others)
    found = {
        f"ratio {ratio:g} within one channel after training: {trained.reached:.4f}": trained.met,
        f"ratios within one channel on the latents that a search begins with: {reached}": all_met,
        f"quality at {ratio:g} at most {_LOST_DB:g} dB below dense: {beside}": lost <= _LOST_DB,
        f"baked and masked pictures differ by at most {_BAKED:g}: {baked:.1e}": baked <= _BAKED,
        f"TFLite latency at {ratio:g} at most {_LATENCY:g} of dense's: {latency:.3f}": latency <= _LATENCY,
        f"step of the search at most {_STEP:g} times a dense one: {times.ratio:.2f}": times.ratio <= _STEP,
    }
    return [f"{'met' if met else 'missed'}: {text}" for text, met in found.items()]


def summarize(facts: Mapping[str, object], folder: Path) -> list[str]:
    """Summarise a report in a few lines for the terminal.

    Args:
        facts: what `write_report` returned.
        folder: where it was written.

    Returns:
        The lines.
    """
    seconds, aims = facts["seconds"], facts["aims"]
    assert isinstance(seconds, Mapping)
    assert isinstance(aims, list)
    slices = facts["slices"]
    assert isinstance(slices, list)
    quality = [one["psnr_db"] for one in slices]
    return [
        f"pruned to {facts['ratio_reached']:.4f} of the MACs at step {facts['landed_at_step']}, of "
        f"{facts['params_ratio']:.3f} of the parameters, at {facts['latency_ratio']:.3f} of the latency "
        f"(TFLite: dense {facts['tflite_dense_ms']:.2f} ms, pruned {facts['tflite_pruned_ms']:.2f} ms)",
        f"on held-out pairs: dense {facts['dense_psnr_db']:.2f} dB, pruned {facts['pruned_psnr_db']:.2f} dB, uniform "
        f"widths from scratch {facts['uniform_psnr_db']:.2f} dB",
        f"{len(slices)} slices of the weight-shared translator: {min(quality):.2f} to {max(quality):.2f} dB, not "
        f"trained any further; Spearman of quality and MACs {facts['spearman']:.3f}",
        *map(str, aims),
        f"{sum(seconds.values()):.0f} s in all; figures in {folder / REPORT}, pictures in {folder / SHEET}",
    ]
