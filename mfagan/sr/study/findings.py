"""A study's points in the terms of SubGenerators: as reports show them, and as picks."""

from dataclasses import dataclass

from mfagan.errors import InputError
from mfagan.sr.network.widths import Widths
from mfagan.sr.study.picked import Picked
from search.problem import Point

__all__ = ["Finding", "as_finding", "as_picked"]


@dataclass(frozen=True)
class Finding:
    """A trial as reports show it."""

    trial: int
    widths: list[int]
    psnr_db: float
    latency_ms: float


def as_finding(point: Point) -> Finding:
    """The figures of a study's point.

    Args:
        point: A point of a study of `SubGeneratorProblem`.
    """
    psnr_db, latency_ms = point.values[:2]
    return Finding(point.number, list(Widths.from_choice(point.choice)), psnr_db, latency_ms)


def as_picked(study: str, point: Point) -> Picked:
    """A study's point as a pick.

    Args:
        study: The study's name.
        point: One of its points.

    Raises:
        InputError: The study is not one of SubGenerators.
    """
    try:
        finding = as_finding(point)
        carried = {
            name: point.attributes[name]
            for name in ("params", "flops", "memory_bytes", "lut_sha256", "supernet", "supernet_sha256")
        }
    except (KeyError, ValueError):
        raise InputError(
            f"study {study!r}: its trials are not SubGenerators; pick from a study of `mfagan search`"
        ) from None
    return Picked(
        study=study,
        trial=finding.trial,
        widths=tuple(finding.widths),
        psnr_db=finding.psnr_db,
        latency_ms=finding.latency_ms,
        lut_machine=str(point.attributes.get("lut_machine", "")),
        **carried,  # pyright: ignore[reportArgumentType] - checked by Picked
    )
