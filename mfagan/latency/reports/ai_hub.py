"""The profile of a whole network that Qualcomm AI Hub gives: `ProfileJob.download_profile()`, saved as JSON.

Its fields are those of `_profile_pb_to_python_dict` in the package qai-hub (qai_hub/client.py; the API is described at
https://workbench.aihub.qualcomm.com/docs/hub/api.html). Times are in microseconds, memory in bytes.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mfagan.errors import InputError, describe_fault
from mfagan.files import read_text
from mfagan.latency.reports.timing import Timing

__all__ = ["NetworkProfile", "is_profile", "read_network_profile", "read_profile"]

_Time = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class NetworkProfile:
    """The latency of a whole network on a device of AI Hub.

    latency_ms: the estimated inference time of AI Hub.
    runs_ms: each run, in order; empty if the profile does not list them.
    compute_units: CPU, GPU or NPU -> how many of the layers ran there.
    peak_memory_bytes: of an inference; None if it was not measured.
    """

    latency_ms: float
    runs_ms: tuple[float, ...] = ()
    compute_units: dict[str, int] = field(default_factory=dict)
    peak_memory_bytes: int | None = None


class _Layer(BaseModel):
    compute_unit: str = "unspecified"


class _Summary(BaseModel):
    model_config = ConfigDict(strict=True)

    estimated_inference_time: _Time
    estimated_inference_peak_memory: Annotated[int, Field(ge=0)] | None = None
    all_inference_times: list[_Time] = []


class _Profile(BaseModel):
    execution_summary: _Summary
    execution_detail: list[_Layer] = []


def read_network_profile(path: str | Path) -> NetworkProfile:
    """Read a profile of Qualcomm AI Hub.

    Args:
        path: the JSON file that `job.download_profile("FOLDER")` wrote, or that holds what it returned.

    Raises:
        InputError: it cannot be read, was cut off, or holds times that are not positive numbers.
    """
    try:
        return _parse(read_text(path))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def is_profile(text: str) -> bool:
    """Whether a text looks like a profile.

    Args:
        text: JSON.
    """
    return '"execution_summary"' in text


def read_profile(text: str) -> Timing:
    """Read the latency of a profile: the median of its runs, or AI Hub's estimate if it does not list them.

    Args:
        text: the content of the JSON file.

    Raises:
        InputError: as `read_network_profile`.
    """
    profile = _parse(text)
    if not profile.runs_ms:
        return Timing(profile.latency_ms, "mean", 0.0, 1)
    low, middle, high = np.percentile(profile.runs_ms, (25, 50, 75)).tolist()
    return Timing(middle, "median", (high - low) / 2, len(profile.runs_ms))


def _parse(text: str) -> NetworkProfile:
    try:
        profile = _Profile.model_validate_json(text)
    except ValidationError as error:
        raise InputError(
            f"as a profile of Qualcomm AI Hub: {describe_fault(error)}; download it again"
        ) from None
    summary = profile.execution_summary
    return NetworkProfile(
        summary.estimated_inference_time / 1e3,
        tuple(time / 1e3 for time in summary.all_inference_times),
        dict(Counter(layer.compute_unit for layer in profile.execution_detail)),
        summary.estimated_inference_peak_memory,
    )
