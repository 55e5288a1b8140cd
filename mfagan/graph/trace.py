"""Traces the forward pass of any network into a list of operators, with what each of them reads and costs.

PyTorch's dispatcher shows every operator that runs, functional ones included, which module hooks would miss. The
trace follows which tensors depend on the network's input. Operators on weights alone (scaling or slicing them) are
not listed, because they can be computed once before any image is seen; the learned numbers that went into their
results are counted at the operator that first uses them on an activation.
"""

import re
from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mfagan.errors import InputError
from mfagan.graph.aten import describe, is_whole
from mfagan.graph.operators import Activation, Operator

__all__ = ["trace_operators"]

_COPIES = ("clone", "flip", "_to_copy", "_unsafe_view")
"""Operators that only rearrange numbers, which a device's runtime does in passing; as views, they are not listed."""
_UNCOUNTED = re.compile(r"attention|^_?fft|^einsum|^_?stft|deform_conv")
"""Names of operators that hold products which would be missing in the costs."""


def trace_operators(
    network: nn.Module,
    height: int | None = None,
    width: int | None = None,
    *,
    inputs: Sequence[Tensor | Sequence[int]] | None = None,
) -> list[Operator]:
    """Every operator that a real forward pass of a network runs.

    The network runs on its own device, on which the activations of the whole pass must fit; on the meta device nothing
    is computed. A parameter is counted at the first operator that reads it, as a whole even if only a slice is read,
    and not at all if no operator reads it.

    Args:
        network: Any module whose `forward` takes tensors.
        height: Rows of an RGB image (1, 3, height, width), if that is the network's only input.
        width: Columns of that image.
        inputs: The arguments of `forward` instead: example tensors or their shapes, each with a batch of 1.

    Returns:
        The operators in the order they run. Kinds without a name of ours keep PyTorch's.

    Raises:
        InputError: Both or neither of an image's size and `inputs` are given, a batch is not 1, or the network has
            a convolution over three axes or another operator whose products are not counted.
    """
    reference = next(iter((*network.parameters(), *network.buffers())), torch.empty(0))
    tensors = [
        x.to(reference.device)
        if isinstance(x, Tensor)
        else torch.zeros(tuple(x), device=reference.device, dtype=_floating(reference))
        for x in _inputs(height, width, inputs)
    ]
    # By the plain formula of attention, whose products are operators of their own.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), _Tracer(network, tensors) as tracer:
        network(*tensors)
    return tracer.operators


def _inputs(
    height: int | None, width: int | None, inputs: Sequence[Tensor | Sequence[int]] | None
) -> Sequence[Tensor | Sequence[int]]:
    if (inputs is None) == (height is None or width is None):
        raise InputError(
            f"trace of a network: height {height}, width {width} and inputs {inputs!r:.60}; give either the height "
            "and width of an RGB image, or the inputs"
        )
    if inputs is None:
        assert height is not None
        assert width is not None
        return [(1, 3, height, width)]
    for x in inputs:
        shape = tuple(x.shape) if isinstance(x, Tensor) else tuple(x)
        if not shape or shape[0] != 1:
            raise InputError(f"trace of a network: an input has the shape {shape}; give a batch of 1")
    return inputs


def _floating(reference: Tensor) -> torch.dtype:
    return reference.dtype if reference.dtype.is_floating_point else torch.float32


class _Tracer(TorchDispatchMode):
    """Lists the operators on activations. Tensors are known by their storages, so views need no bookkeeping."""

    def __init__(self, network: nn.Module, inputs: Sequence[Tensor]) -> None:
        super().__init__()
        self.operators: list[Operator] = []
        self._kept: dict[int, object] = {}  # storages, so that no address is used twice
        self._names: dict[int, str] = {}  # storage -> name, of activations
        self._reads: dict[
            int, frozenset[str]
        ] = {}  # storage -> parameters it was computed from, of constants
        self._flipped: set[int] = set()
        self._uncounted = {name: parameter.numel() for name, parameter in network.named_parameters()}
        for name, parameter in network.named_parameters():
            key = self._key(parameter)
            self._reads[key] = self._reads.get(key, frozenset()) | {name}
        for i, x in enumerate(inputs):
            self._names[self._key(x)] = f"input{i}"

    def _key(self, tensor: Tensor) -> int:
        storage = tensor.untyped_storage()
        self._kept.setdefault(storage._cdata, storage)
        return storage._cdata

    def __torch_dispatch__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> object:
        name = func.overloadpacket.__name__.removesuffix("_")
        if not is_whole(name):
            # In inference mode operators arrive that are made of others, such as conv2d, einsum or an attention.
            with self:
                result = func.decompose(*args, **(kwargs or {}))
            if result is not NotImplemented:
                return result
        result = func(*args, **(kwargs or {}))
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        outputs = [x for x in tree_leaves(result) if isinstance(x, Tensor)]
        keys = [self._key(x) for x in tensors]
        active = [x for x, key in zip(tensors, keys, strict=True) if key in self._names]
        read = frozenset().union(*(self._reads.get(key, ()) for key in keys))
        creates = name.startswith("new_") or name.endswith("_like")
        if not outputs or creates:
            return result
        if not active:
            for x in outputs:
                self._reads[self._key(x)] = read
            return result
        if name in _COPIES or (not func._schema.is_mutable and self._key(outputs[0]) in keys):
            for x in outputs:
                self._names.setdefault(self._key(x), self._names[self._key(active[0])])
                if name == "flip":
                    self._flipped.add(self._key(x))
            return result
        if _UNCOUNTED.search(name):
            raise InputError(
                f"trace of a network: its operator {name} multiplies in ways that are not counted"
            )
        given = {argument.name: value for argument, value in zip(func._schema.arguments, args, strict=False)}
        fields = self._describe(name, given | (kwargs or {}), active)
        inputs = fields.pop("inputs", active)
        learned = sum(self._uncounted.pop(parameter, 0) for parameter in read)
        self.operators.append(
            Operator(
                inputs=tuple(self._activation(x) for x in inputs),
                output=self._name(outputs[0], f"v{len(self.operators)}"),
                parameters=learned,
                **fields,
            )
        )
        for x in outputs[1:]:
            self._names[self._key(x)] = f"v{len(self.operators) - 1}"
        return result

    def _name(self, tensor: Tensor, name: str) -> Activation:
        self._names[self._key(tensor)] = name
        return self._activation(tensor)

    def _activation(self, tensor: Tensor) -> Activation:
        shape = (1, 1, *tensor.shape) if tensor.dim() < 2 else tuple(tensor.shape)
        name = self._names.get(self._key(tensor), "constant")
        return Activation(name, prod(shape[:-2]), *shape[-2:])

    def _describe(self, name: str, given: dict[str, Any], active: list[Tensor]) -> dict[str, Any]:
        """The fields of the operator; `inputs` are tensors, `active` if absent."""
        padded = self._padded(given) if name in ("cat", "stack") else {}
        return padded or describe(name, given, active)

    def _padded(self, given: dict[str, Any]) -> dict[str, Any]:
        """A mirrored border that is joined to an image along its height or width is a symmetric padding."""
        parts, dim = given["tensors"], given.get("dim", 0)
        if len(parts) != 3 or dim % parts[0].dim() not in (2, 3):
            return {}
        first, middle, last = parts
        names = {self._names.get(self._key(part)) for part in parts}
        if len(names) > 1 or not {self._key(first), self._key(last)} <= self._flipped:
            return {}
        sizes = first.shape[dim], last.shape[dim]
        border = (*sizes, 0, 0) if dim % 4 == 2 else (0, 0, *sizes)
        return {"kind": "pad", "inputs": [middle], "mode": "symmetric", "border": border}
