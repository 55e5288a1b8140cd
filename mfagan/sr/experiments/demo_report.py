"""The demo's report: figures measured on the files that it wrote, and a picture that compares them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mfagan import checkpoint
from mfagan.data.embedded import EMBEDDED
from mfagan.data.images import write_image
from mfagan.data.splits import read_pairs
from mfagan.deploy.tflite.litert import max_abs_difference
from mfagan.evaluation.contact_sheet import side_by_side
from mfagan.evaluation.scores import (
    PerceptualDistance,
    as_method,
    enlarge_bicubic,
    mean_scores,
    score_methods,
    super_resolve,
)
from mfagan.files import write_atomic
from mfagan.latency.measuring.networks import measure_model
from mfagan.sr.kinds import load_generator
from mfagan.sr.shipped import PERCEPTUAL
from mfagan.sr.study.findings import Finding
from mfagan.sr.study.picked import read_picked

__all__ = ["PICTURE", "REPORT", "THREADS", "DemoFiles", "summarize", "write_report"]

THREADS = 2
"""CPU threads with which the exported file is measured."""
PICTURE = "comparison.png"
REPORT = "report.json"


@dataclass(frozen=True)
class DemoFiles:
    """The files that the demo's commands wrote, and where its report goes.

    Args:
        folder: where the report and the picture are written.
        supernet: the SuperGenerator's checkpoint.
        subgenerator: the fine-tuned SubGenerator's checkpoint.
        model: the exported file, of the first held-out photo's LR size.
        picked: what `mfagan pick` wrote.
    """

    folder: Path
    supernet: Path
    subgenerator: Path
    model: Path
    picked: Path


def write_report(
    files: DemoFiles,
    trials: Sequence[Finding],
    front: Sequence[Finding],
    seconds: Mapping[str, float],
    lpips: PerceptualDistance | None = None,
) -> dict[str, object]:
    """Measure the demo's files on the photographs that training has not seen and write `REPORT` and `PICTURE`.

    Args:
        files: what is measured, and where the report goes.
        trials: the finished trials of the study.
        front: those of its Pareto front.
        seconds: step -> how long it took, in s.
        lpips: measures the perceptual distance; None leaves it out of the report.

    Returns:
        The report's content.
    """
    full, small = load_generator(files.supernet), load_generator(files.subgenerator)
    looks = load_generator(PERCEPTUAL)
    record = checkpoint.read(files.subgenerator).record
    pairs = read_pairs(EMBEDDED, small.scale, record=record)
    choice = read_picked(files.picked)
    methods = {
        "bicubic": enlarge_bicubic,
        "full": as_method(full),
        "small": as_method(small),
        "looks": as_method(looks),
    }
    if lpips is not None:
        start = load_generator(files.supernet, ",".join(map(str, choice.widths)))
        methods["start"] = as_method(start)
    scores = {name: mean_scores(rows) for name, rows in score_methods(methods, pairs, lpips).items()}
    means = {name: one.psnr_db for name, one in scores.items()}
    contents = files.model.read_bytes()
    facts: dict[str, object] = {
        "bicubic_psnr_db": means["bicubic"],
        "supernet_psnr_db": means["full"],
        "n_trials": len(trials),
        "n_unique_trials": len({tuple(trial.widths) for trial in trials}),
        "front": [asdict(finding) for finding in front],
        "picked": {
            "trial": choice.trial,
            "widths": list(choice.widths),
            "psnr_db": choice.psnr_db,
            "latency_ms": choice.latency_ms,
            "params": choice.params,
            "flops": choice.flops,
            "memory_bytes": choice.memory_bytes,
        },
        "psnr_before_finetune_db": record["psnr_before_db"],
        "psnr_after_finetune_db": means["small"],
        "perceptual_psnr_db": means["looks"],
        "tflite_max_abs_diff": max_abs_difference(contents, small, pairs[0].lr),
        "tflite_latency_ms": measure_model(contents, THREADS).latency_ms,
        "lut_latency_ms": choice.latency_ms,
        "seconds": dict(seconds),
    }
    if lpips is not None:
        facts["lpips"] = {
            "bicubic": scores["bicubic"].lpips,
            "supernet": scores["full"].lpips,
            "before_finetune": scores["start"].lpips,
            "after_finetune": scores["small"].lpips,
            "perceptual": scores["looks"].lpips,
        }
    first = pairs[0]
    columns = {
        "bicubic": enlarge_bicubic(first),
        "SubGenerator": super_resolve(small, first.lr),
        "perceptual": super_resolve(looks, first.lr),
        "original": first.hr,
    }
    write_image(files.folder / PICTURE, side_by_side(columns))
    write_atomic(files.folder / REPORT, json.dumps(facts, indent=2) + "\n")
    return facts


def summarize(facts: Mapping[str, object], folder: Path) -> str:
    """Summarise a report in a few lines for the terminal.

    Args:
        facts: what `write_report` returned.
        folder: where it was written.

    Returns:
        The lines.
    """
    picked = facts["picked"]
    seconds = facts["seconds"]
    lpips = facts.get("lpips")
    looks = ""
    if isinstance(lpips, Mapping):
        looks = (
            f"; LPIPS {lpips['before_finetune']:.4f} -> {lpips['after_finetune']:.4f} "
            f"(bicubic {lpips['bicubic']:.4f}, the package's perceptual network {lpips['perceptual']:.4f})"
        )
    assert isinstance(picked, Mapping)
    assert isinstance(seconds, Mapping)
    priced_ms, measured_ms = facts["lut_latency_ms"], facts["tflite_latency_ms"]
    assert isinstance(priced_ms, float)
    assert isinstance(measured_ms, float)
    off = priced_ms / measured_ms - 1
    return f"""
held-out photos, PSNR-Y: bicubic {facts["bicubic_psnr_db"]:.3f} dB, SuperGenerator {facts["supernet_psnr_db"]:.3f} dB
search: {facts["n_trials"]} trials of {facts["n_unique_trials"]} choices; open {folder / "front.html"}
picked trial {picked["trial"]}: widths {",".join(map(str, picked["widths"]))}, {picked["params"]:,} parameters
fine-tuned: {facts["psnr_before_finetune_db"]:.3f} dB -> {facts["psnr_after_finetune_db"]:.3f} dB{looks}
TFLite: {facts["tflite_latency_ms"]:.1f} ms measured, {facts["lut_latency_ms"]:.1f} ms by the table ({off:+.0%}), \
largest difference from PyTorch {facts["tflite_max_abs_diff"]:.1e}
{sum(seconds.values()):.0f} s in all; figures in {folder / REPORT}, picture in {folder / PICTURE}"""
