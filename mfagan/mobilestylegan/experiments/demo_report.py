"""The demo's report: what a student costs and is like beside its teacher, and all slices of the weight-shared one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from mfagan.data.images import write_image
from mfagan.files import write_atomic
from mfagan.mobilestylegan.kinds import load_generator
from mfagan.mobilestylegan.network.costs import count_costs
from mfagan.mobilestylegan.network.generator import StyleGAN2
from mfagan.mobilestylegan.training.validation import HeldOut

__all__ = ["REPORT", "SHEET", "MeasuredFiles", "SliceFound", "summarize", "write_report"]

REPORT = "report.json"
SHEET = "teacher_and_student.png"
"""The teacher's images above the student's of the same latents."""
N_LATENTS = 64
"""Held-out latents that the student is compared on."""
_ZOOM = 4


@dataclass(frozen=True)
class SliceFound:
    """A slice of the weight-shared student, as the study found it.

    widths: channels at 4, 8, ... px.
    distance: mean absolute difference from the teacher's images, of [0, 1].
    macs: multiply-accumulates of one image, all operators.
    latency_ms: by the latency table.
    """

    widths: tuple[int, ...]
    distance: float
    macs: int
    latency_ms: float


@dataclass(frozen=True)
class MeasuredFiles:
    """What was measured of the exported files of teacher and student, in turn.

    teacher_ms: median latency of the teacher.
    student_ms: of the student.
    max_abs_diff: largest difference of the student's file from PyTorch.
    """

    teacher_ms: float
    student_ms: float
    max_abs_diff: float


def write_report(
    folder: Path,
    teacher: Path,
    student: Path,
    slices: Sequence[SliceFound],
    exported: MeasuredFiles,
    seconds: Mapping[str, float],
) -> dict[str, object]:
    """Compare a student with its teacher on held-out latents and write `REPORT` and `SHEET`.

    Args:
        folder: where they are written.
        teacher: checkpoint of the teacher.
        student: checkpoint of the student, in training form.
        slices: what the study found.
        exported: what was measured of the files.
        seconds: step -> how long it took, in s.

    Returns:
        The report's content; parameters are those of the synthesis networks in training form, MACs those of their
        convolutions, transposed ones counted at their inputs' resolution.

    Raises:
        InputError: as `load_generator`.
    """
    large, small = load_generator(teacher), load_generator(student)
    assert isinstance(large, StyleGAN2)
    of_teacher, of_student = count_costs(large), count_costs(small)
    held_out = HeldOut.by_teacher(large, N_LATENTS)
    figures = held_out(small).figures
    found = spearmanr([-one.distance for one in slices], [one.macs for one in slices])
    facts: dict[str, object] = {
        "teacher_params": of_teacher.params_training,
        "student_params": of_student.params_training,
        "teacher_macs": of_teacher.convolution_macs["input"],
        "student_macs": of_student.convolution_macs["input"],
        "student_psnr_db": figures["psnr_db"],
        "slices": [asdict(one) for one in slices],
        "spearman": float(np.asarray(found)[0]),
        "tflite_teacher_ms": exported.teacher_ms,
        "tflite_student_ms": exported.student_ms,
        "tflite_max_abs_diff": exported.max_abs_diff,
        "seconds": dict(seconds),
    }
    sheet = held_out.picture(small)
    write_image(folder / SHEET, sheet.repeat_interleave(_ZOOM, 1).repeat_interleave(_ZOOM, 2))
    write_atomic(folder / REPORT, json.dumps(facts, indent=2) + "\n")
    return facts


def summarize(facts: Mapping[str, object], folder: Path) -> list[str]:
    """Summarise a report in a few lines for the terminal.

    Args:
        facts: what `write_report` returned.
        folder: where it was written.

    Returns:
        The lines.
    """
    seconds, slices = facts["seconds"], facts["slices"]
    assert isinstance(seconds, Mapping)
    assert isinstance(slices, Sequence)

    def ratio(of: str) -> str:
        large, small = facts[f"teacher_{of}"], facts[f"student_{of}"]
        assert isinstance(large, int)
        assert isinstance(small, int)
        return f"{small:,} of {large:,} (1/{large / small:.1f})"

    teacher_ms, student_ms = facts["tflite_teacher_ms"], facts["tflite_student_ms"]
    assert isinstance(teacher_ms, float)
    assert isinstance(student_ms, float)
    return [
        f"student: parameters {ratio('params')}, MACs {ratio('macs')}",
        f"against its teacher on {N_LATENTS} held-out latents: {facts['student_psnr_db']:.1f} dB",
        f"{len(slices)} slices of the weight-shared student: Spearman of quality and MACs {facts['spearman']:.3f}",
        f"TFLite: teacher {teacher_ms:.2f} ms, student {student_ms:.2f} ms (1/{teacher_ms / student_ms:.1f}), largest "
        f"difference from PyTorch {facts['tflite_max_abs_diff']:.1e}",
        f"{sum(seconds.values()):.0f} s in all; figures in {folder / REPORT}, pictures in {folder / SHEET}",
    ]
