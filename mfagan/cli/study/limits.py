"""The options that limit what is searched and picked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mfagan.errors import InputError

__all__ = [
    "LIMITS",
    "MaxDistanceOption",
    "MaxGflopsOption",
    "MaxLatencyOption",
    "MaxMemoryOption",
    "MaxParamsOption",
    "MinPsnrOption",
    "read_limits",
    "read_weights",
]

if TYPE_CHECKING:
    from search.picking.limits import Limit

LIMITS = "Limits"
"""The heading of the options that leave choices out."""

MaxLatencyOption = Annotated[
    float | None, typer.Option(help="Ceiling on the latency.", rich_help_panel=LIMITS)
]
MaxParamsOption = Annotated[
    float | None, typer.Option(metavar="N", help="Ceiling on the parameters.", rich_help_panel=LIMITS)
]
MaxGflopsOption = Annotated[
    float | None, typer.Option(help="Ceiling on the FLOPs, in G.", rich_help_panel=LIMITS)
]
MaxMemoryOption = Annotated[
    float | None, typer.Option(help="Ceiling on the memory traffic.", rich_help_panel=LIMITS)
]
MinPsnrOption = Annotated[
    float | None, typer.Option(metavar="DB", help="Floor under the PSNR.", rich_help_panel=LIMITS)
]

MaxDistanceOption = Annotated[
    float | None,
    typer.Option(
        help="Ceiling on the distance to the teacher or the unpruned network.", rich_help_panel=LIMITS
    ),
]


def read_limits(
    *,
    max_latency_ms: float | None,
    max_params: float | None,
    max_gflops: float | None,
    max_memory_gb: float | None,
    min_psnr_db: float | None,
    max_distance: float | None,
) -> "list[Limit]":
    """Read the limits that were given.

    Args:
        max_latency_ms: ceiling on the latency in ms, or None.
        max_params: ceiling on the learned parameters, or None.
        max_gflops: ceiling on the FLOPs in G, or None.
        max_memory_gb: ceiling on the memory traffic in GB, or None.
        min_psnr_db: floor under the PSNR in dB, or None.
        max_distance: ceiling on the distance to the teacher or the unpruned network, or None.

    Returns:
        The limits on a study.
    """
    from search.picking.limits import Limit

    given = [
        (max_latency_ms, "latency_ms", "", 1.0, "--max-latency-ms"),
        (max_params, "params", "parameters", 1.0, "--max-params"),
        (max_gflops, "flops", "GFLOPs", 1e9, "--max-gflops"),
        (max_memory_gb, "memory_bytes", "GB", 1e9, "--max-memory-gb"),
        (min_psnr_db, "psnr_db", "", 1.0, "--min-psnr-db"),
        (max_distance, "distance", "", 1.0, "--max-distance"),
    ]
    return [
        Limit(name, value, unit, scale, option)
        for value, name, unit, scale, option in given
        if value is not None
    ]


def read_weights(texts: Sequence[str]) -> dict[str, float]:
    """Read --weigh.

    Args:
        texts: such as `latency_ms=0.5`.

    Returns:
        Weights by objectives' names.

    Raises:
        InputError: a text of another form, or a name that comes twice.
    """
    weights: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            weight = float(number)
        except ValueError:
            weight = None
        if weight is None or not name or name in weights:
            raise InputError(
                f"--weigh {text!r:.60}: give each objective once as NAME=WEIGHT, such as latency_ms=0.5"
            )
        weights[name] = weight
    return weights
