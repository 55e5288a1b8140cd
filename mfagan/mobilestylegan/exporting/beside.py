"""The file of a student beside its teacher's: size, parameters, multiply-accumulates and latency, measured in turn."""

from dataclasses import dataclass
from typing import Any

from mfagan.errors import InputError
from mfagan.evaluation.text_table import Column, format_text
from mfagan.graph.costs import CONVENTIONS
from mfagan.latency.measuring.networks import NETWORK_ROUNDS, measure_models
from mfagan.mobilestylegan.exporting.exported import Exported
from mfagan.progress import ProgressCallback

__all__ = ["Beside", "measure_beside"]

_COLUMNS = (
    Column("file of"),
    Column("size", "bytes", form=",d"),
    Column("parameters", form=",d"),
    Column("at input", "M", group="MACs, transposed convolutions", form=",.3f"),
    Column("at output", "M", group="MACs, transposed convolutions", form=",.3f"),
    Column("latency", "ms", form=".3f"),
)


@dataclass(frozen=True)
class Beside:
    """A student's file beside its teacher's.

    Args:
        teacher: its file.
        student: its file.
        teacher_ms: median latency of the teacher's file in ms.
        student_ms: of the student's.
        threads: CPU threads of LiteRT.
    """

    teacher: Exported
    student: Exported
    teacher_ms: float
    student_ms: float
    threads: int

    @property
    def speedup(self) -> float:
        """How many times as long the teacher takes."""
        return self.teacher_ms / self.student_ms

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        names = ("bytes", "params", "macs", "macs_transposed_at_output")
        of_teacher, of_student = self.teacher.as_dict(), self.student.as_dict()
        return {
            "teacher": {name: of_teacher[name] for name in names} | {"latency_ms": self.teacher_ms},
            "student": {name: of_student[name] for name in names} | {"latency_ms": self.student_ms},
            "threads": self.threads,
            "times_as_fast": round(self.speedup, 3),
            "times_fewer_macs": round(of_teacher["macs"] / of_student["macs"], 3),
            "times_fewer_params": round(of_teacher["params"] / of_student["params"], 3),
        }

    def lines(self) -> list[str]:
        """A table for people, with the conventions named below it."""
        facts = self.as_dict()
        rows = [
            (
                name,
                facts[name]["bytes"],
                facts[name]["params"],
                facts[name]["macs"] / 1e6,
                facts[name]["macs_transposed_at_output"] / 1e6,
                facts[name]["latency_ms"],
            )
            for name in ("teacher", "student")
        ]
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return [
            *format_text(_COLUMNS, rows).splitlines(),
            f"student: {facts['times_as_fast']:.1f} times as fast in LiteRT with {threads} (medians, in turn), "
            f"{facts['times_fewer_macs']:.1f} times fewer MACs, {facts['times_fewer_params']:.2f} times fewer "
            "parameters",
            *(f"at {name}: {label}" for name, label in CONVENTIONS.items()),
        ]


def measure_beside(
    student: Exported,
    teacher: Exported,
    threads: int = 1,
    rounds: int = NETWORK_ROUNDS,
    report: ProgressCallback | None = None,
) -> Beside:
    """Measure a student's file and its teacher's in turn, in LiteRT.

    Args:
        student: its file, in tflite.
        teacher: likewise.
        threads: CPU threads; on one its CPU time is measured.
        rounds: how often each file is loaded and timed.
        report: called with (done, total, text) after each file, or None.

    Raises:
        InputError: a file in another format, no threads or no rounds.
    """
    for one in (student, teacher):
        if one.target.format != "tflite":
            raise InputError(
                f"latency of a file in {one.target.format}: it is measured in LiteRT; give format tflite"
            )
    first, second = measure_models([teacher.content, student.content], threads, rounds, report)
    return Beside(teacher, student, first.latency_ms, second.latency_ms, threads)
