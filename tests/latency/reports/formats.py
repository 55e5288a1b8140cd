"""Reports of measuring tools, to the letter of the sources that mfagan/latency/reports cites, with invented figures."""

import json

from google.protobuf.message import Message

from mfagan.latency.reports.benchmark_proto import message_class

HEAD = """\
INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: Min num runs: [10]
INFO: Min runs duration (seconds): [0.2]
INFO: Num threads: [2]
INFO: Graph: [{name}.tflite]
INFO: Signature to run: []
INFO: #threads used for CPU inference: [2]
INFO: Loaded model {name}.tflite
{delegate}INFO: The input model file size (MB): {megabytes:.6g}
INFO: Initialized session in 12.345ms.
"""
RUNS = """\
INFO: Running benchmark for at least 1 iterations and at least 0.1 seconds but terminate if exceeding 20 seconds.
INFO: count=3 first={warm_us} curr={warm_us} min={warm_us} max={warm_us} avg={warm_us} std=0{warm_percentiles}

INFO: Running benchmark for at least 10 iterations and at least 0.2 seconds but terminate if exceeding 20 seconds.
INFO: count={count} {statistics}

"""
TAIL = """\
INFO: Inference timings in us: Init: 12345, First inference: 9001, Warmup (avg): 8000, Inference (avg): {mean_us:g}
INFO: Note: as the benchmark tool itself affects memory footprint, the following is only APPROXIMATE to the actual \
memory footprint of the model at runtime. Take the information at your discretion.
INFO: Memory footprint delta from the start of the tool (MB): init=4.92969 overall=13.8086
"""
GPU = "INFO: Created TensorFlow Lite delegate for GPU.\n" + (
    "INFO: Explicitly applied GPU delegate, and the model graph will be {how} executed by the delegate{kernels}.\n"
)
NO_GPU = (
    "INFO: Though GPU delegate is explicitly applied, the model graph will not be executed by the delegate.\n"
)


def benchmark_text(
    median_us: int, name: str = "head-t48", size: int = 7772, percentiles: bool = True, delegate: str = ""
) -> str:
    """What benchmark_model prints; tools before 2025 print no percentiles."""
    low, high, mean = round(median_us * 0.98), round(median_us * 1.06), median_us * 1.01
    statistics = f"first={high} curr={low} min={low} max={high} avg={mean:g} std={median_us * 0.02:g}"
    if percentiles:
        statistics += f" p5={low} median={median_us} p95={high}"
    warm = 2 * median_us
    runs = RUNS.format(
        warm_us=warm,
        warm_percentiles=f" p5={warm} median={warm} p95={warm}" if percentiles else "",
        count=10,
        statistics=statistics,
    )
    return HEAD.format(name=name, delegate=delegate, megabytes=size / 1e6) + runs + TAIL.format(mean_us=mean)


PROFILE_CSV = """\
Profiling Info for Benchmark Initialization:
============================== Run Order ==============================
node type, first, avg_ms, %, cdf%, mem KB, times called, name
ModifyGraphWithDelegate, 1.224, 1.224, 95.4013%, 95.4013%, 388, 1, ModifyGraphWithDelegate/0
AllocateTensors, 0.058, 0.0295, 4.59860%, 100%, 0, 2, AllocateTensors/0

============================== Top by Computation Time ==============================
node type, first, avg_ms, %, cdf%, mem KB, times called, name
ModifyGraphWithDelegate, 1.224, 1.224, 95.4013%, 95.4013%, 388, 1, ModifyGraphWithDelegate/0
AllocateTensors, 0.058, 0.0295, 4.59860%, 100%, 0, 2, AllocateTensors/0

Number of nodes executed: 2
============================== Summary by node type ==============================
node type, count, avg_ms, avg %, cdf %, mem KB, times called
ModifyGraphWithDelegate, 1, 1.224, 95.404%, 95.404%, 388, 1
AllocateTensors, 1, 0.059, 4.59602%, 100%, 0, 2

Timings (microseconds): count=1 curr=1283
Memory (bytes): count=0
2 nodes observed


Operator-wise Profiling Info for Regular Benchmark Runs:
============================== Run Order ==============================
node type, first, avg_ms, %, cdf%, mem KB, times called, name
CONV_2D, 1.51, 1.498, 74.9%, 74.9%, 0, 1, [conv]:0
DEPTH_TO_SPACE, 0.498, 0.502, 25.1%, 100%, 0, 1, [enlarged]:1

============================== Top by Computation Time ==============================
node type, first, avg_ms, %, cdf%, mem KB, times called, name
CONV_2D, 1.51, 1.498, 74.9%, 74.9%, 0, 1, [conv]:0
DEPTH_TO_SPACE, 0.498, 0.502, 25.1%, 100%, 0, 1, [enlarged]:1

Number of nodes executed: 2
============================== Summary by node type ==============================
node type, count, avg_ms, avg %, cdf %, mem KB, times called
CONV_2D, 1, 1.498, 74.9%, 74.9%, 0, 1
DEPTH_TO_SPACE, 1, 0.502, 25.1%, 100%, 0, 1

Timings (microseconds): count=50 first=2008 curr=1999 min=1980 max=2100 avg=2000 std=20
Memory (bytes): count=0
2 nodes observed

Delegate internal:\x20
============================== Run Order ==============================
node type, first, avg_ms, %, cdf%, mem KB, times called, name
Convolution (NHWC, F32) IGEMM, 1.4, 1.39, 100%, 100%, 0, 1, Delegate/Convolution (NHWC\t F32) IGEMM:0

Timings (microseconds): count=50 first=1400 curr=1390 min=1380 max=1500 avg=1390 std=9
Memory (bytes): count=0
1 nodes observed


"""
"""Of a run of 2 ms, by a tool whose delegate has an account of its own."""


def benchmark_result(**latency: float) -> Message:
    """What --result_file_path holds, of 10 runs of a file of 7772 bytes."""
    result = message_class()()
    for name, value in (
        {"init_ms": 12.345, "first_inference_ms": 9.001, "average_warm_up_ms": 8.0}
        | {"min_ms": 1.9, "max_ms": 2.2, "stddev_ms": 0.1, "avg_ms": 2.02}
        | latency
    ).items():
        setattr(result.latency_metrics, name, value)  # pyright: ignore[reportAttributeAccessIssue]
    result.memory_metrics.init_footprint_kb = 5048  # pyright: ignore[reportAttributeAccessIssue]
    misc = result.misc_metrics  # pyright: ignore[reportAttributeAccessIssue]
    misc.model_size_mb, misc.num_runs, misc.num_warmup_runs = 0.007772, 10, 3
    misc.model_throughput_in_mb_per_sec = 97.3
    return result


def litert_result(accelerators: tuple[str, ...] = ("CPU",), full: bool = True, **latency: float) -> str:
    """What benchmark_litert_model.py --result_json holds."""
    return json.dumps(
        {
            "model": "kit/head-t48.tflite",
            "model_size_mb": 0.01,
            "accelerators": list(accelerators),
            "signature": "serving_default",
            "fully_accelerated": full,
            "num_threads": 2,
            "latency": {
                "init_ms": 12.35,
                "warmup_first_ms": 9.0,
                "warmup_avg_ms": 8.0,
                "num_warmup_runs": 5,
                "avg_ms": 2.02,
                "min_ms": 1.9,
                "max_ms": 2.2,
                "median_ms": 2.0,
                "std_ms": 0.1,
                "p5_ms": 1.92,
                "p95_ms": 2.16,
                "num_runs": 50,
            }
            | latency,
            "throughput_mb_s": 97.3,
        },
        indent=2,
    )


AI_HUB = {
    "execution_summary": {
        "estimated_inference_time": 16900,
        "estimated_inference_peak_memory": 14450688,
        "first_load_time": 311671,
        "first_load_peak_memory": 14786560,
        "warm_load_time": 198597,
        "warm_load_peak_memory": 14573568,
        "compile_time": 0,
        "compile_peak_memory": 0,
        "all_inference_times": [16900, 17100, 18250],
    },
    "execution_detail": [
        {"name": "conv", "type": "CONV_2D", "compute_unit": "NPU", "execution_time": 15800},
        {"name": "more", "type": "CONV_2D", "compute_unit": "NPU", "execution_time": 900},
        {"name": "enlarged", "type": "DEPTH_TO_SPACE", "compute_unit": "CPU", "execution_time": 200},
    ],
}


def thermal_dump(status: int) -> str:
    """What `dumpsys thermalservice` answers."""
    return f"""\
IsStatusOverride: false
ThermalEventListeners:
\tcallbacks: 1
\tkilled: false
\tbroadcasts count: -1
ThermalStatusListeners:
\tcallbacks: 1
\tkilled: false
\tbroadcasts count: -1
Thermal Status: {status}
Cached temperatures:
\tTemperature{{mValue=25.3, mType=4, mName=TYPE_SKIN, mStatus=0}}
HAL Ready: true
HAL connection:
\tThermalHAL 2.0 connected: yes
Current temperatures from HAL:
\tTemperature{{mValue=41.0, mType=1, mName=TYPE_CPU, mStatus=0}}
\tTemperature{{mValue=25.3, mType=4, mName=TYPE_SKIN, mStatus={status}}}
Current cooling devices from HAL:
\tCoolingDevice{{mValue=0, mType=2, mName=TYPE_CPU}}
"""
