"""Fine-tuning a slice of a weight-shared student by itself."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.mobilestylegan.network.generator import MobileStyleGAN, StyleGAN2
from mfagan.mobilestylegan.training.recipe import STUDENT_STAGES, StudentRecipe
from mfagan.mobilestylegan.training.run import StudentRun
from mfagan.mobilestylegan.training.stages import FINETUNE, START, distillation
from mfagan.training.recipe import parse_recipe
from mfagan.training.run import StageFiles
from mfagan.training.stage import Source, StageWork

__all__ = ["FineTunedStudent", "cut_slice", "finetune_student", "recipe_of"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FineTunedStudent:
    """What validation saw at the start and at the step that is kept; step 0 is the start.

    Args:
        best_step: The number of steps after which the kept weights were reached.
        psnr_before_db: PSNR of the start against the teacher in dB.
        psnr_after_db: PSNR of the kept weights in dB.
    """

    best_step: int
    psnr_before_db: float
    psnr_after_db: float

    def summarize(self) -> str:
        """The figures before and after, in words."""
        return (
            f"PSNR against the teacher {self.psnr_before_db:.2f} dB before, {self.psnr_after_db:.2f} dB after"
        )


def recipe_of(found: Checkpoint) -> StudentRecipe:
    """The recipe that a student was trained with.

    Args:
        found: its checkpoint.

    Returns:
        The recipe in its record.

    Raises:
        InputError: it records none.
    """
    return parse_recipe(StudentRecipe, found.record.get("recipe"), "in the checkpoint", STUDENT_STAGES)


def cut_slice(found: Checkpoint, path: Path, channels: Sequence[int] | None) -> MobileStyleGAN:
    """A slice of a student as a generator of its own.

    Args:
        found: the student's checkpoint.
        path: its file, for errors.
        channels: the slice's at 4, 8, ..., size / 2 px; None for all that there are.

    Returns:
        The generator.

    Raises:
        InputError: another network than a student, or channels that are no slice of it.
    """
    student = MobileStyleGAN.from_checkpoint(found, path)
    if channels is None:
        return student
    return student.extract(channels)


def finetune_student(
    run: StudentRun,
    teacher: Path,
    start: Path,
    channels: Sequence[int] | None,
    out: Path,
    facts: Mapping[str, object] | None = None,
) -> FineTunedStudent:
    """Train a slice by itself and write its best by PSNR against the teacher, the start included.

    If that is the start, a line in the log says so.

    Args:
        run: gives recipe and device.
        teacher: the checkpoint of its teacher.
        start: the checkpoint of a student, weight-shared or not.
        channels: as in `cut_slice`.
        out: the file to write.
        facts: plain data that the checkpoint records besides, such as the pick.

    Returns:
        The scores that the file records.

    Raises:
        InputError: as `TrainingRun.train` and `cut_slice`; a teacher of another student.
        Stopped: as `TrainingRun.train`.
    """

    def build(run: StudentRun, sources: Mapping[str, Source]) -> StageWork:
        source, origin = sources["teacher"], sources[START]
        network = StyleGAN2.from_checkpoint(source.checkpoint, source.path)
        student = cut_slice(origin.checkpoint, origin.path, channels)
        work = distillation(run, FINETUNE.name, network, student)
        return replace(
            work,
            figures=lambda result: {
                **work.figures(result),
                "best_step": result.kept_step,
                "psnr_before_db": result.score_before,
                "psnr_after_db": result.score_after,
            },
        )

    files = StageFiles(sources={"teacher": teacher, START: start}, writes={"finetuned": out})
    chosen = {} if channels is None else {"channels": list(channels)}
    run.train(replace(FINETUNE, build=build), files, {**chosen, **(facts or {})})
    record = checkpoint.read(out, role="finetuned").record
    tuned = FineTunedStudent(**{name: record[name] for name in FineTunedStudent.__dataclass_fields__})  # pyright: ignore[reportArgumentType]
    if tuned.best_step == 0:
        logger.warning(
            "%s is the network that fine-tuning started from, at %.2f dB: no validation was better; train for more "
            "steps, with a lower learning rate",
            out,
            tuned.psnr_before_db,
        )
    return tuned
