"""Which operators a delegate of TensorFlow Lite rejects, by the conditions in its source; nothing is run.

The rules are those of LiteRT in August 2026 for float32 (nnapi-int8: 8-bit) tensors of four axes with batch 1, as far
as exported networks come near them. A driver can take less than its delegate: only a measurement on the device tells.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from mfagan.deploy.tflite.lite_operators import LiteOperator, list_lite_operators
from mfagan.errors import InputError
from mfagan.graph.operators import Block, Operator

__all__ = [
    "DELEGATES",
    "STATIC",
    "Delegate",
    "DelegateCheck",
    "Limit",
    "check",
    "count_rejected",
    "find_delegate",
]

STATIC = "static rules, nothing was measured"
_LITERT = "https://github.com/google-ai-edge/LiteRT/blob/f67457790c9c2ab67347d6fe53270e8d3df20868/tflite"


@dataclass(frozen=True)
class Limit:
    """A condition on an operator that a delegate takes.

    accepts: whether one is taken.
    text: what the condition is.
    """

    accepts: Callable[[LiteOperator], bool]
    text: str


@dataclass(frozen=True)
class Delegate:
    """What a delegate takes.

    about: its name, and the version that the rules are of.
    source: where the rules are written.
    taken: names of TFLite operators.
    limits: names among them -> the condition on them.
    missing: names of others -> why they are not taken, if that is not simply that it does not know them.
    """

    about: str
    source: str
    taken: frozenset[str]
    limits: Mapping[str, Limit] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    def reject(self, operator: LiteOperator) -> str | None:
        """Why an operator is rejected, or None if it is taken."""
        if operator.name not in self.taken:
            return (
                f"{operator.name}: {self.missing.get(operator.name, 'it is not among the known operators')}"
            )
        limit = self.limits.get(operator.name)
        if limit is None or limit.accepts(operator):
            return None
        return f"{operator.name}: {limit.text}"


@dataclass(frozen=True)
class DelegateCheck:
    """What a delegate's rules say of a network.

    delegate: its name, one of `DELEGATES`.
    operators: how many the file has.
    rejected: reason -> how many operators.
    delegated_parts: connected parts of the graph that the delegate takes.
    cpu_parts: parts between them that stay on the CPU.
    """

    delegate: str
    operators: int
    rejected: Mapping[str, int]
    delegated_parts: int
    cpu_parts: int

    @property
    def clean(self) -> bool:
        """Whether the delegate takes the whole graph."""
        return not self.rejected

    def as_dict(self) -> dict[str, object]:
        """Plain data."""
        about = DELEGATES[self.delegate]
        return {
            "delegate": self.delegate,
            "delegate_clean": self.clean,
            "operators": self.operators,
            "rejected": dict(self.rejected),
            "delegated_parts": self.delegated_parts,
            "cpu_parts": self.cpu_parts,
            "source": about.source,
            "note": STATIC,
        }


_COMMON = frozenset(
    (
        *("ADD", "CONCATENATION", "CONV_2D", "DEPTH_TO_SPACE", "DEPTHWISE_CONV_2D", "LEAKY_RELU", "LOGISTIC"),
        *("MAX_POOL_2D", "MAXIMUM", "MEAN", "MINIMUM", "MUL", "PAD", "PRELU", "RELU", "RESIZE_BILINEAR"),
        *("SLICE", "SUB", "TANH", "TRANSPOSE_CONV"),
    )
)
"""What all of them take."""
_FLOAT_ONLY = "it is taken in float alone"
_LEVEL_7 = "it needs NNAPI feature level 7, which came after Android 12"
_NNAPI_MISSING = {
    "SQUARE": "NNAPI has no such operation; without the pass `statistics` there is none",
    "MIRROR_PAD": _LEVEL_7,
    "REVERSE_V2": _LEVEL_7,
}
_NNAPI = _COMMON | {"GATHER", "PADV2", "RESIZE_NEAREST_NEIGHBOR", "SQUARED_DIFFERENCE"}

DELEGATES: Mapping[str, Delegate] = MappingProxyType(
    {
        "gpu": Delegate(
            "GPU delegate of TFLite (OpenCL, OpenGL, Metal)",
            f"{_LITERT}/tools/versioning/gpu_compatibility.cc",
            _COMMON
            | {"DIV", "GATHER", "MIRROR_PAD", "PADV2", "RESIZE_NEAREST_NEIGHBOR"}
            | {"RSQRT", "SQRT", "SQUARE", "SQUARED_DIFFERENCE"},
            {"MIRROR_PAD": Limit(lambda one: one.mode == "reflect", "only mode reflect is taken")},
        ),
        "nnapi": Delegate(
            "NNAPI delegate, float, Android 11 (NNAPI 1.3); Android 15 deprecates NNAPI",
            f"{_LITERT}/delegates/nnapi/nnapi_delegate.cc",
            _NNAPI | {"DIV", "RSQRT", "SQRT"},
            missing=_NNAPI_MISSING,
        ),
        "nnapi-int8": Delegate(
            "NNAPI delegate, 8-bit, Android 11 (NNAPI 1.3): what an NPU driver can be given",
            f"{_LITERT}/delegates/nnapi/nnapi_delegate.cc",
            _NNAPI,
            missing={**_NNAPI_MISSING, "RSQRT": _FLOAT_ONLY, "SQRT": _FLOAT_ONLY, "DIV": _FLOAT_ONLY},
        ),
        "xnnpack": Delegate(
            "XNNPACK, LiteRT's CPU library",
            f"{_LITERT}/delegates/xnnpack/xnnpack_delegate.cc",
            _COMMON | {"DIV", "RSQRT", "SQRT", "SQUARE", "SQUARED_DIFFERENCE"},
            {"CONCATENATION": Limit(lambda one: len(one.inputs) <= 5, "only two to five inputs are taken")},
        ),
    }
)
"""Name -> what the delegate takes."""


def find_delegate(name: str) -> Delegate:
    """The rules of a delegate.

    Args:
        name: one of `DELEGATES`.

    Raises:
        InputError: another name.
    """
    if name not in DELEGATES:
        raise InputError(f"delegate {name!r:.40}: give one of {', '.join(DELEGATES)}")
    return DELEGATES[name]


def check(operators: Sequence[Operator], delegate: str) -> DelegateCheck:
    """Find what a delegate would reject of a network, and into how many parts the graph would fall.

    Args:
        operators: the network's, after its passes, in the order they run.
        delegate: one of `DELEGATES`.

    Raises:
        InputError: an unknown delegate.
    """
    rules = find_delegate(delegate)
    listed = list_lite_operators(operators)
    reasons = [rules.reject(operator) for operator in listed]
    rejected = Counter(reason for reason in reasons if reason is not None)
    delegated, cpu = _count_parts(listed, [reason is None for reason in reasons])
    return DelegateCheck(delegate, len(listed), dict(rejected.most_common()), delegated, cpu)


def count_rejected(blocks: Sequence[Block], delegate: str) -> list[int]:
    """How many operators of each block a delegate rejects.

    Args:
        blocks: all of the network's, after its passes, in the order they run.
        delegate: one of `DELEGATES`.

    Raises:
        InputError: an unknown delegate.
    """
    rules = find_delegate(delegate)
    listed = list_lite_operators([operator for block in blocks for operator in block.operators])
    rejected = Counter(operator.result for operator in listed if rules.reject(operator) is not None)
    return [sum(rejected[name] for name in block.made) for block in blocks]


def _count_parts(operators: Iterable[LiteOperator], taken: Iterable[bool]) -> tuple[int, int]:
    """Parts for the delegate and for the CPU, as TFLite cuts a graph (`tflite/graph_info.cc`).

    Each part takes, in order, all operators of one side whose inputs are there; the first one that is ready tells the
    side.
    """
    waiting = list(zip(operators, taken, strict=True))
    missing = {operator.output for operator, _ in waiting}
    parts = {True: 0, False: 0}
    while waiting:
        side: bool | None = None
        left: list[tuple[LiteOperator, bool]] = []
        for operator, is_taken in waiting:
            if missing.isdisjoint(operator.inputs) and side in (None, is_taken):
                side = is_taken
                missing.discard(operator.output)
            else:
                left.append((operator, is_taken))
        assert side is not None, "the operators are in no order in which they can run"
        parts[side] += 1
        waiting = left
    return parts[True], parts[False]
