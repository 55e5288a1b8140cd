"""The text that TensorFlow Lite's `benchmark_model` prints, and LiteRT's `benchmark_litert_model`.

The lines are those of `BenchmarkModel::Run` and `BenchmarkLoggingListener` in
https://github.com/google-ai-edge/LiteRT/blob/main/tflite/tools/benchmark/benchmark_model.cc, of
`BenchmarkTfLiteModel::Init` in .../benchmark_tflite_model.cc, and of `BenchmarkLoggingListener` in
https://github.com/google-ai-edge/LiteRT/blob/main/litert/tools/benchmark_litert_model.h. Each may begin with a tag,
such as `INFO: ` or that of Android's log.
"""

import re

from mfagan.errors import InputError
from mfagan.latency.reports.stat_line import read_stat
from mfagan.latency.reports.timing import Delegation, Timing

__all__ = ["END", "is_text", "read_text"]

END = "Inference timings in us: "
"""What `benchmark_model` prints after the last run."""

_LITERT_END = "Inference (avg):"
_BEGINNINGS = ("STARTING!", "Log parameter values verbosely:", "Running benchmark for at least")
_RUNS = re.compile(r"^(?!.*(?:Timings \(microseconds\)|Memory \(bytes\))).*\bcount=\d.*$", re.MULTILINE)
_MODEL = re.compile(r"The input model file size \(MB\): ([\d.e+-]+)")
_DELEGATION = re.compile(r"xplicitly applied.*?model graph will (\S+ \S+)", re.DOTALL)
_DELEGATIONS: dict[str, Delegation] = {"be completely": "all", "be partially": "part", "not be": "none"}


def is_text(text: str) -> bool:
    """Whether a text is this tool's, complete or not.

    Args:
        text: any.
    """
    return any(mark in text for mark in (END, _LITERT_END, *_BEGINNINGS))


def read_text(text: str) -> Timing:
    """Read what the tool printed for one file.

    Args:
        text: all of it.

    Raises:
        InputError: it was cut off, or holds times that are not positive numbers.
    """
    runs: list[str] = _RUNS.findall(text)
    # The warm-up comes first; it is printed too if it has no runs.
    if len(runs) < 2 or not (END in text or _LITERT_END in text):
        last = (text.split("\n") if not text.strip() else text.strip().splitlines())[-1]
        raise InputError(
            f"the text of benchmark_model has no line {END.strip()!r}, so it was cut off or the tool failed; its "
            f"last line is {last.strip()[-160:]!r}"
        )
    model, delegation = _MODEL.search(text), _DELEGATION.search(text)
    return read_stat(
        runs[1],
        model_mb=float(model[1]) if model else None,
        delegation=_DELEGATIONS.get(delegation[1]) if delegation else None,
    )
