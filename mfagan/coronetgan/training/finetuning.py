"""Fine-tuning a slice of a weight-shared translator by itself, beside its way back where there is one."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.coronetgan.training.recipe import STAGES, TranslationRecipe
from mfagan.coronetgan.training.run import TranslationRun
from mfagan.coronetgan.training.stages import finetune
from mfagan.coronetgan.training.work import ends_of
from mfagan.errors import InputError
from mfagan.training.recipe import parse_recipe

__all__ = ["FineTunedTranslator", "TuningFiles", "find_files", "finetune_translator", "recipe_of"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FineTunedTranslator:
    """What validation saw at the start and at the step that is kept; step 0 is the start.

    best_step: the number of steps after which the kept weights were reached.
    score_before: PSNR of the start in dB, to the targets of held-out pairs, else of what comes back of pictures that
        are translated there and back.
    score_after: that of the kept weights.
    paired: whether it is to targets.
    """

    best_step: int
    score_before: float
    score_after: float
    paired: bool

    def facts(self) -> dict[str, int | float]:
        """The figures by the names that the history shows."""
        name = "psnr" if self.paired else "cycle_psnr"
        return {
            "best_step": self.best_step,
            f"{name}_before_db": self.score_before,
            f"{name}_after_db": self.score_after,
        }

    def summarize(self) -> str:
        """The figures before and after, in words."""
        what = "PSNR" if self.paired else "PSNR there and back"
        return f"{what} {self.score_before:.2f} dB before, {self.score_after:.2f} dB after"


@dataclass(frozen=True)
class TuningFiles:
    """The files of a fine-tuning, one of each for pix2pix, two for CycleGAN: A to B, and back.

    starts: the translators.
    outs: the files to write.
    discriminators: of the starts; none for untrained ones.
    """

    starts: tuple[Path, ...]
    outs: tuple[Path, ...]
    discriminators: tuple[Path, ...]

    def own(self, out: Path) -> int:
        """Which of them is written to a file.

        Args:
            out: one of `outs`.
        """
        return self.outs.index(out)


def recipe_of(found: Checkpoint) -> TranslationRecipe:
    """The recipe that a translator was trained with.

    Args:
        found: its checkpoint.

    Raises:
        InputError: it records none.
    """
    return parse_recipe(TranslationRecipe, found.record.get("recipe"), "in the checkpoint", STAGES)


def find_files(recipe: TranslationRecipe, start: Path, out: Path, partner: Path | None = None) -> TuningFiles:
    """Find what a fine-tuning needs beside the translator that it is about.

    CycleGAN's two translators are trained together: the other one stands beside it with the other end of its name,
    and is written beside `out` likewise.

    Args:
        recipe: says what is trained.
        start: the translator.
        out: the file to write.
        partner: CycleGAN's other translator, if it is elsewhere.

    Returns:
        The files, with discriminators if all of them stand beside `start`.

    Raises:
        InputError: a partner where there is none, or none where there is to be one.
    """
    ends = ends_of(recipe.model)
    if ends == ("",):
        if partner is not None:
            raise InputError(f"--partner {partner}: pix2pix trains one translator; leave it out")
        starts, outs, stem = (start,), (out,), start.stem
    else:
        role = checkpoint.read(start).role
        end = next((one for one in ends if role.endswith(one)), None)
        if end is None:
            raise InputError(
                f"checkpoint {start}: its role is {role!r}; CycleGAN's translators end in {' or '.join(ends)}"
            )
        stem = start.stem.removesuffix(end)
        other = ends[1 - ends.index(end)]
        found = start.with_name(f"{stem}{other}{start.suffix}") if partner is None else partner
        if not found.is_file():
            raise InputError(f"{found}: no such file; give CycleGAN's other translator with --partner")
        beside = out.with_name(f"{out.stem.removesuffix(end)}{other}{out.suffix}")
        both = [(start, out), (found, beside)]
        starts, outs = zip(*(both if end == ends[0] else both[::-1]), strict=True)
    judges = tuple(start.with_name(f"{stem}_discriminator{one}{start.suffix}") for one in ends)
    return TuningFiles(starts, outs, judges if all(one.is_file() for one in judges) else ())


def finetune_translator(
    run: TranslationRun,
    files: TuningFiles,
    widths: Mapping[str, int] | None = None,
    facts: Mapping[str, object] | None = None,
) -> Sequence[FineTunedTranslator]:
    """Train slices by themselves and write the best by validation, the start included.

    If that is the start, a line in the log says so.

    Args:
        run: gives recipe, device and pictures.
        files: what is read and written.
        widths: of the slices, latent -> channels; None for the whole networks.
        facts: plain data that the checkpoints record besides, such as the pick.

    Returns:
        The scores that the files record.

    Raises:
        InputError: as `finetune`.
        Stopped: as `TrainingRun.train`.
    """
    finetune(run, files.starts, files.outs, widths, files.discriminators, facts)
    found = []
    for out in files.outs:
        record = checkpoint.read(out).record
        figures = {name: record[name] for name in ("best_step", "score_before", "score_after")}
        tuned = FineTunedTranslator(**figures, paired="psnr_db" in record)  # pyright: ignore[reportArgumentType]
        found.append(tuned)
    if found[0].best_step == 0:
        logger.warning(
            "%s is the network that fine-tuning started from, at %.2f dB: no validation was better; train for more "
            "steps, with a lower learning rate",
            " and ".join(map(str, files.outs)),
            found[0].score_before,
        )
    return found
