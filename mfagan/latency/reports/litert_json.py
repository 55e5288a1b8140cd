"""The file that LiteRT's `benchmark_litert_model.py --result_json=FILE` writes.

Its fields are those of `run_benchmark` in
https://github.com/google-ai-edge/LiteRT/blob/main/litert/python/tools/benchmark_litert_model.py; times are in ms, with
two decimals.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mfagan.errors import InputError, describe_fault
from mfagan.latency.reports.timing import Timing, spread_of_percentiles

__all__ = ["read_result"]

_Time = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Latency(BaseModel):
    model_config = ConfigDict(strict=True)

    median_ms: _Time
    p5_ms: _Time
    p95_ms: _Time
    num_runs: Annotated[int, Field(ge=1)]


class _Result(BaseModel):
    """What is read of the file."""

    model_config = ConfigDict(strict=True)

    accelerators: list[str]
    fully_accelerated: bool
    latency: _Latency


def read_result(text: str) -> Timing:
    """Read the result of one file.

    Args:
        text: the content of the JSON file.

    Raises:
        InputError: a field is missing or is not a positive number, or the file was cut off.
    """
    try:
        result = _Result.model_validate_json(text)
    except ValidationError as error:
        raise InputError(
            f"as a result of benchmark_litert_model.py: {describe_fault(error)}; measure the file again"
        ) from None
    found = result.latency
    asked = result.accelerators != ["CPU"]
    return Timing(
        found.median_ms,
        "median",
        spread_of_percentiles(found.p5_ms, found.p95_ms),
        found.num_runs,
        delegation=("all" if result.fully_accelerated else "part") if asked else None,
    )
