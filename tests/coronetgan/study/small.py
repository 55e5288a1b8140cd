"""A study's files in the smallest sizes: weight-shared translator, pairs of pictures, latency table, of 32 px."""

from collections.abc import Mapping
from pathlib import Path

import torch

from mfagan import checkpoint
from mfagan.checkpoint import Checkpoint
from mfagan.coronetgan.exporting.lowering import EXPORT_PASSES
from mfagan.coronetgan.network import ResnetTranslator, Translator, UnetTranslator
from mfagan.coronetgan.network.statistics import has_running_statistics
from mfagan.coronetgan.study.block_lists import BlockLists
from mfagan.coronetgan.study.problem import Scoring, SliceProblem
from mfagan.coronetgan.study.scoring.pictures import PictureSource, read_pictures
from mfagan.latency.priced_problem import Target
from search.latency import LatencyTable
from tests import tiny
from tests.pictures import draw

SIDE = 32
REMEDY = "mfagan coronetgan lut build --supernet s.safetensors"


def build_resnet(base: int = 4, n_blocks: int = 1, seed: int = 0, **options) -> ResnetTranslator:
    return _spread(ResnetTranslator.full(base, n_blocks, **options), seed)


def build_unet(base: int = 4, n_levels: int = 3, seed: int = 0, **options) -> UnetTranslator:
    return _spread(UnetTranslator.full(base, n_levels, **options), seed)


def _spread(network, seed: int):
    """Weights that make pictures which differ by more than rounding."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for one in network.parameters():
            one.copy_(0.3 * torch.randn_like(one))
    return network.eval()


def write_translator(path: Path, network: Translator, role: str = "supernet") -> Path:
    checkpoint.save(path, Checkpoint(network.KIND, role, network.config(), network.state_dict()))
    return path


def write_pairs(folder: Path, n: int = 3) -> Path:
    """Pictures with A and B side by side, of one height and width each."""
    for number, part in enumerate(("train", "val", "test")):
        for i in range(n):
            draw(folder / part / f"{i}.png", 2 * SIDE, SIDE, seed=10 * number + i)
    return folder


def write_table(path: Path, network: Translator, side: int = SIDE) -> Path:
    """A block takes as many microseconds as it has thousands of MACs, and 10 more."""
    entries = {
        key: {
            "latency_ms": 0.01 + sum(one.macs for one in block.operators) / 1e6,
            "spread_ms": 0.0,
            "repeats": 1,
        }
        for key, block in BlockLists(network, (side, side)).every_block(EXPORT_PASSES).items()
    }
    return tiny.write_table(path, (side, side), entries=entries, passes=list(EXPORT_PASSES))


def write_study(folder: Path, network: Translator | None = None, n_pictures: int = 3) -> dict[str, Path]:
    """The files of a study by the names of options."""
    network = network or build_resnet()
    return {
        "supernet": write_translator(folder / "supernet.safetensors", network),
        "data": write_pairs(folder / "pairs", n_pictures),
        "lut": write_table(folder / "lut.json", network),
    }


def build_problem(
    files: Mapping[str, Path],
    ceilings: Mapping[str, float] | None = None,
    side: int = SIDE,
    unpruned: Path | None = None,
    source: Mapping[str, object] | None = None,
    **scoring,
) -> SliceProblem:
    pictures_source = PictureSource(files["data"], **source or {})  # pyright: ignore[reportArgumentType]
    kind = {one.KIND: one for one in (ResnetTranslator, UnetTranslator)}
    found = checkpoint.read(files["supernet"])
    calibrated = has_running_statistics(kind[found.network].from_checkpoint(found, files["supernet"]))
    target = Target(LatencyTable.read(files["lut"]), (SIDE, SIDE), REMEDY, ceilings or {})
    return SliceProblem(
        files["supernet"],
        read_pictures(pictures_source, side, calibrated),
        target,
        Scoring(**scoring),
        unpruned,
        {"lut": str(files["lut"].resolve()), **pictures_source.to_texts()},
    )
