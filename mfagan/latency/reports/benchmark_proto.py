"""The binary file that `benchmark_model --result_file_path=FILE` writes: `tflite.tools.benchmark.BenchmarkResult`.

The messages are those of
https://github.com/google-ai-edge/LiteRT/blob/main/tflite/tools/benchmark/proto/benchmark_result.proto (package
`tflite.tools.benchmark`, proto2), described here at run time, because no package brings them.
"""

from functools import cache

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from mfagan.errors import InputError
from mfagan.latency.reports.timing import Timing, spread_of_deviation, spread_of_percentiles

__all__ = ["message_class", "read_proto"]

_PACKAGE = "tflite.tools.benchmark"
_MESSAGES = {
    "LatencyMetrics": (
        "float avg_ms",
        "float min_ms",
        "float max_ms",
        "float stddev_ms",
        "float median_ms",
        "float p5_ms",
        "float p95_ms",
        "float init_ms",
        "float first_inference_ms",
        "float average_warm_up_ms",
    ),
    "MemoryMetrics": ("int64 init_footprint_kb", "int64 overall_footprint_kb", "float peak_mem_mb"),
    "MiscMetrics": (
        "float model_size_mb",
        "int32 num_runs",
        "int32 num_warmup_runs",
        "float model_throughput_in_mb_per_sec",
    ),
    "BenchmarkResult": (
        "string name",
        "LatencyMetrics latency_metrics",
        "MemoryMetrics memory_metrics",
        "MiscMetrics misc_metrics",
    ),
}
"""Message -> its fields, all of them optional, numbered from 1 in this order."""


@cache
def message_class() -> type[Message]:
    """The class of `BenchmarkResult`."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="tflite/tools/benchmark/proto/benchmark_result.proto", package=_PACKAGE, syntax="proto2"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, field in enumerate(fields, start=1):
            kind, label = field.split()
            added = message.field.add(name=label, number=number, label=kinds.LABEL_OPTIONAL)
            if kind in _MESSAGES:
                added.type, added.type_name = kinds.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                added.type = kinds.Type.Value(f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.BenchmarkResult"))


def read_proto(content: bytes) -> Timing:
    """Read the result of one file.

    Args:
        content: the binary message.

    Raises:
        InputError: it is not such a message, was cut off, or holds times that are not positive numbers.
    """
    result = message_class()()
    try:
        result.ParseFromString(content)
    except DecodeError:
        raise InputError(
            "it is neither text nor a whole BenchmarkResult of benchmark_model --result_file_path: it was cut off, "
            "or is something else; measure the file again"
        ) from None
    latency, misc = result.latency_metrics, result.misc_metrics  # pyright: ignore[reportAttributeAccessIssue]
    has_median = latency.HasField("median_ms")
    if not (has_median or latency.HasField("avg_ms")) or not misc.HasField("num_runs"):
        raise InputError(
            "its BenchmarkResult has no latency_metrics with a median or mean, or no misc_metrics.num_runs: it was cut "
            "off, or is something else; measure the file again"
        )
    if latency.HasField("p5_ms") and latency.HasField("p95_ms"):
        spread_ms = spread_of_percentiles(latency.p5_ms, latency.p95_ms)
    else:
        spread_ms = spread_of_deviation(latency.stddev_ms)
    return Timing(
        latency.median_ms if has_median else latency.avg_ms,
        "median" if has_median else "mean",
        spread_ms,
        misc.num_runs,
        model_mb=misc.model_size_mb if misc.HasField("model_size_mb") else None,
    )
