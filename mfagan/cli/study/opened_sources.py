"""A study's SuperGenerator, images and latency table, opened again where they still are what it searched with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mfagan import checkpoint
from mfagan.cli.options import read_size
from mfagan.data.pairs import Pair
from mfagan.data.splits import read_pairs
from mfagan.errors import InputError
from mfagan.latency.priced_problem import Target
from mfagan.latency.tables import read_table
from mfagan.sr.network.supergenerator import SuperGenerator, load_supernet
from mfagan.sr.network.widths import Widths
from mfagan.sr.study.problem import SubGeneratorProblem
from mfagan.sr.study.sources import Sources, hash_images, read_sources
from search.errors import SearchError
from search.latency import LatencyTable
from search.study import StudyRecord

__all__ = ["OpenedSources", "open_sources", "where_sources_are"]


@dataclass(frozen=True)
class OpenedSources:
    """What could be opened.

    network: The SuperGenerator, or None.
    pairs: The images that the study scored on; empty without them or the SuperGenerator.
    price_parts: Tells what the latency of widths is the sum of, in ms; None without the table or the SuperGenerator.
    notes: A line for each thing that is left out: what, why, and what to give.
    """

    network: SuperGenerator | None = None
    pairs: Sequence[Pair] = ()
    price_parts: Callable[[Widths], Sequence[tuple[str, float]]] | None = None
    notes: Sequence[str] = ()


def where_sources_are(record: StudyRecord, given: Sources) -> Sources:
    """Tell where a study's sources are.

    Args:
        record: The study; a trial of an earlier version knows its SuperGenerator.
        given: Where the SuperGenerator, the table and the images are by the user's word, which goes before the study's.

    Returns:
        The sources, None for what nobody says.
    """
    carried = record.points[0].attributes if record.points else {}
    named = {"supernet": str(carried["supernet"])} if "supernet" in carried else {}
    known = read_sources(named | dict(record.sources))
    return replace(
        known,
        supernet=given.supernet or known.supernet,
        lut=given.lut or known.lut,
        images=given.images or known.images,
    )


def open_sources(sources: Sources, identity: Mapping[str, str]) -> OpenedSources:
    """Open the sources of a study.

    Args:
        sources: Where they are.
        identity: What the study's values depend on; a source with another hash is not used.

    Returns:
        What is there and is what the study says.
    """
    try:
        network = _open_supernet(sources, identity)
    except (InputError, OSError) as error:
        return OpenedSources(notes=[f"Pictures and parts of the latency are left out: {error}"])
    notes: list[str] = []
    pairs: Sequence[Pair] = ()
    price_parts = None
    try:
        pairs = _open_images(sources, identity, network.scale)
    except (InputError, OSError) as error:
        notes.append(f"Pictures are left out: {error}")
    try:
        price_parts = _open_prices(sources, identity)
    except (InputError, SearchError, OSError) as error:
        notes.append(f"Parts of the latency are left out: {error}")
    return OpenedSources(network, pairs, price_parts, notes)


def _open_supernet(sources: Sources, identity: Mapping[str, str]) -> SuperGenerator:

    path = sources.supernet
    if path is None:
        raise InputError("the study does not know its SuperGenerator; give it with --supernet")
    if not path.is_file():
        raise InputError(f"SuperGenerator {path}: no such file; give it with --supernet")
    _require_same(f"SuperGenerator {path}", checkpoint.sha256(path), identity, "supernet")
    return load_supernet(path)


def _open_images(sources: Sources, identity: Mapping[str, str], scale: int) -> list[Pair]:

    if sources.images is None or sources.supernet is None:
        raise InputError("the study does not know its images; give them with --images")
    record = checkpoint.read(sources.supernet).record
    pairs = read_pairs(
        sources.images,
        scale,
        sources.max_images,
        sources.crop_px,
        record=record,
        crops_per_image=sources.crops_per_image,
    )
    _require_same(f"images {sources.images}", hash_images(pairs), identity, "images")
    return pairs


def _open_prices(
    sources: Sources, identity: Mapping[str, str]
) -> Callable[[Widths], Sequence[tuple[str, float]]]:

    table = _open_table(sources, identity)
    assert sources.supernet is not None
    target = Target(table, read_size(identity.get("target_size", "")), table.command)
    return SubGeneratorProblem(sources.supernet, [], target).price_parts


def _open_table(sources: Sources, identity: Mapping[str, str]) -> LatencyTable:
    """The table, with its latencies under load if it is these that the study knows."""
    if sources.lut is None:
        raise InputError("the study does not know its latency table; give it with --lut")
    table = read_table(sources.lut)
    if table.sha256 != identity.get("lut_sha256") and all(
        one.sustained_ms is not None for one in table.entries.values()
    ):
        table = table.under_load()
    _require_same(f"latency table {sources.lut}", table.sha256, identity, "lut")
    return table


def _require_same(what: str, found: str, identity: Mapping[str, str], name: str) -> None:
    wanted = identity.get(f"{name}_sha256", "none")
    if found != wanted:
        raise InputError(
            f"{what}: its sha256 is {found[:12]}..., the study searched with {wanted[:12]}...; give the original"
            f" with --{name}"
        )
