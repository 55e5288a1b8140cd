"""The problem of a search from names and paths, and the same problem for another device."""

from collections.abc import Sequence
from pathlib import Path

from mfagan import checkpoint
from mfagan.data.splits import read_pairs
from mfagan.latency.priced_problem import Target
from mfagan.latency.tables import describe_rebuild, find_table
from mfagan.sr.kinds import describe_generator
from mfagan.sr.shipped import LATENCY_TABLE, SUPERGENERATOR
from mfagan.sr.study.problem import SubGeneratorProblem
from mfagan.sr.study.repricing import RepricedProblem
from mfagan.sr.study.sources import name_sources
from search.latency import LatencyTable
from search.problem import Point

__all__ = ["reprice", "search_problem"]


def search_problem(
    lut: str | Path = LATENCY_TABLE,
    supernet: str | Path = SUPERGENERATOR,
    images: str | Path = "embedded",
    *,
    size: tuple[int, int] = (128, 128),
    max_images: int | None = None,
    crop_px: int | None = None,
) -> SubGeneratorProblem:
    """Make the problem that `mfagan search` solves: PSNR-Y of slices of a SuperGenerator against their latency.

    Args:
        lut: A latency table's file, or the name of a shipped one.
        supernet: The SuperGenerator's checkpoint; by default the shipped one.
        images: A folder of images to score on, or `embedded`: the held-out photographs of the package.
        size: (height, width) in px of the LR image that latencies are of.
        max_images: Score on the first images alone; None for all.
        crop_px: Score on the centre of each image, this many HR px a side; None for whole images.

    Returns:
        The problem, for `search.run`.

    Raises:
        InputError: No such checkpoint, table or images, or the checkpoint is not one of a SuperGenerator.
        SearchError: The table lacks keys.
    """
    path = Path(supernet)
    found = checkpoint.read(path, "mfanet")
    scale = describe_generator(found, path).scale
    pairs = read_pairs(str(images), scale, max_images, crop_px, record=found.record)
    table = find_table(lut, scale)
    sources = name_sources(table, str(images), max_images, crop_px)
    return SubGeneratorProblem(path, pairs, _aim(table, size, scale), sources=sources)


def reprice(problem: SubGeneratorProblem, points: Sequence[Point], lut: str | Path) -> RepricedProblem:
    """Make the problem of another device from finished trials, for no PSNR depends on the device.

    Args:
        problem: The problem that was searched.
        points: The study's finished trials.
        lut: The other device's latency table: a file, or the name of a shipped one.

    Returns:
        The problem that knows these trials' choices alone, for `search.derive`.

    Raises:
        InputError: No such table.
        SearchError: The table lacks keys.
    """
    scale = problem.network.scale
    table = find_table(lut, scale)
    return RepricedProblem(
        problem.supernet,
        _aim(table, problem.target_size, scale),
        problem.objectives,
        problem.identity(),
        points,
        problem.cases,
        {**problem.sources(), "lut": str(table.resolve())},
    )


def _aim(table: Path, size: tuple[int, int], scale: int) -> Target:
    found = LatencyTable.read(table)
    return Target(found, size, describe_rebuild(found, size, scale, table))
