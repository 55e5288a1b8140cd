"""A study's files in the smallest sizes: teacher, weight-shared student and latency table, for images of 32 px."""

from collections.abc import Mapping
from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.latency.priced_problem import Target
from mfagan.mobilestylegan.network import MobileStyleGAN
from mfagan.mobilestylegan.study.block_lists import BlockLists
from mfagan.mobilestylegan.study.problem import Scoring, StudentProblem
from mfagan.mobilestylegan.study.scoring.scorer import Latents
from mfagan.mobilestylegan.study.table import DEFAULT_PASSES
from search.latency import LatencyTable
from tests import tiny
from tests.mobilestylegan.training.small import build_teacher, write_teacher

CHANNELS = (16, 16, 8, 8)
REMEDY = "mfagan mobilestylegan lut build --student s.safetensors"


def build_student(seed: int = 1, channels: tuple[int, ...] = CHANNELS, **options) -> MobileStyleGAN:
    teacher = build_teacher(channels)
    torch.manual_seed(seed)
    student = MobileStyleGAN.for_teacher(teacher, **options).eval()
    with torch.no_grad():
        for name, one in student.named_parameters():
            if name.endswith("strength"):
                one.fill_(0.1)
    return student


def write_table(
    path: Path, student: MobileStyleGAN, size: int | None = None, passes: tuple[str, ...] = DEFAULT_PASSES
) -> Path:
    """A block takes as many microseconds as it has thousands of MACs, and 10 more."""
    entries = {
        key: {
            "latency_ms": 0.01 + sum(one.macs for one in block.operators) / 1e6,
            "spread_ms": 0.0,
            "repeats": 1,
        }
        for key, block in BlockLists(student).every_block(passes).items()
    }
    side = size or student.size
    return tiny.write_table(path, (side, side), entries=entries, passes=list(passes))


def write_study(folder: Path) -> dict[str, Path]:
    """The files of a study by the names of options."""
    student = build_student()
    checkpoint.save(folder / "supernet.safetensors", student.to_checkpoint("supernet"))
    return {
        "student": folder / "supernet.safetensors",
        "teacher": write_teacher(folder / "teacher.safetensors", build_teacher(CHANNELS)),
        "lut": write_table(folder / "lut.json", student),
    }


def build_problem(
    files: Mapping[str, Path],
    ceilings: Mapping[str, float] | None = None,
    latents: Latents = Latents(3),  # noqa: B008 - frozen
    **scoring,
) -> StudentProblem:
    target = Target(LatencyTable.read(files["lut"]), (32, 32), REMEDY, ceilings or {})
    return StudentProblem(
        files["student"],
        files["teacher"],
        target,
        Scoring(latents, **scoring),
        {"lut": str(files["lut"].resolve())},
    )
