"""What the experiments share: how a run's networks are tuned, ranked and scored for a table of results."""

from collections.abc import Sequence
from pathlib import Path

from mfagan import checkpoint
from mfagan.data.splits import EMBEDDED
from mfagan.evaluation.candidates import HELD_OUT, Candidate, EvaluationSet
from mfagan.evaluation.report import EvaluationReport, EvaluationSettings, NetworkScores, evaluate
from mfagan.evaluation.scores import Scores
from mfagan.pretrained import Lpips
from mfagan.sr.experiments.ranking import Ranking, rank_slices
from mfagan.sr.kinds import load_generator
from mfagan.sr.network.mfanet import INPUT_SIZE, MFANet
from mfagan.sr.network.supergenerator import load_supernet
from mfagan.sr.network.widths import Widths
from mfagan.sr.training.finetune import finetune
from mfagan.sr.training.run import SRRun
from mfagan.sr.training.stages import FINETUNE, STAGES, SUPERNET

__all__ = [
    "budget",
    "mean_figures",
    "rank",
    "score",
    "tune_slice",
]


def tune_slice(run: SRRun, widths: Widths, discriminator: Path | None, name: str | None = None) -> Path:
    """Fine-tune a slice of the run's SuperGenerator.

    Args:
        run: its folder holds the SuperGenerator.
        widths: of the slice.
        discriminator: the checkpoint of the one that it is trained against; None without an adversarial term.
        name: of the file to write into the run's folder; None for the stage's own.

    Returns:
        The file.
    """
    supernet = SUPERNET.path(run.options.folder)
    out = FINETUNE.path(run.options.folder) if name is None else run.options.folder / name
    network = load_generator(supernet, widths)
    assert isinstance(network, MFANet)
    facts = {"widths": list(widths), "supernet_sha256": checkpoint.sha256(supernet)}
    finetune(run, network, discriminator, out, facts)
    return out


def rank(run: SRRun, supernet: Path, n: int = 200) -> Ranking:
    """Score uniform and drawn slices of a SuperGenerator on the run's device and validation images.

    Args:
        run: gives both.
        supernet: the SuperGenerator's checkpoint.
        n: how many slices are drawn.

    Returns:
        Their scores.
    """
    return rank_slices(load_supernet(supernet).to(run.fabric.device), run.validation, n, bars=run.bars)


def score(
    run: SRRun,
    files: dict[str, Path],
    lpips: Lpips | None = None,
    latency_size: tuple[int, int] | None = None,
    tests: Sequence[EvaluationSet] = (),
) -> EvaluationReport:
    """Evaluate networks on the run's device and validation images.

    Args:
        run: gives both.
        files: name in the report -> checkpoint.
        lpips: if given, it is measured too.
        latency_size: (height, width) in px of the input for measured latencies; None measures none.
        tests: sets that they are scored on besides.

    Returns:
        The report, of bicubic first and then of the files in their order.
    """
    networks = {name: load_generator(path) for name, path in files.items()}
    candidates = [Candidate(name, network, network.scale) for name, network in networks.items()]
    settings = EvaluationSettings(INPUT_SIZE, run.fabric.device, lpips, latency_size)
    return evaluate(candidates, [_validation_set(run), *tests], run.recipe.scale, settings, bars=run.bars)


def _validation_set(run: SRRun) -> EvaluationSet:
    given = run.options.validation or run.options.images
    sources = [given] if isinstance(given, str) else list(given)
    name = HELD_OUT if set(sources) == {EMBEDDED} else "validation images"
    return EvaluationSet(name, ", ".join(sources), run.validation)


def mean_figures(row: NetworkScores) -> Scores:
    """The mean figures of a row of `score`, over its one set of images.

    Args:
        row: of the report.

    Returns:
        The means.
    """
    (name,) = row.scores
    return row.mean(name)


def budget(run: SRRun, names: Sequence[str] = tuple(STAGES)) -> str:
    """Describe what a table's networks were trained with.

    Args:
        run: whose stages they are.
        names: of the stages that they went through.

    Returns:
        The steps of every stage and the batch, a sentence.
    """
    stages = ", ".join(f"{name} {run.settings(name).steps}" for name in names)
    return f"Steps: {stages}; batches of {run.recipe.batch} crops of {run.recipe.crop_px} LR px."
