"""Lowers the forward pass of any network to operators and the constants that they read, for an exported file.

`make_fx` records what runs, without changes in place; what depends on weights alone is computed here, once. Unlike a
trace for costs (mfagan/graph/trace.py), the list names the constants, and holds what only moves numbers: slices and
flips.
"""

import operator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import GraphModule, Interpreter, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.node import map_arg

from mfagan.errors import InputError
from mfagan.graph.aten import describe
from mfagan.graph.norms import EPSILON, FoldedNorms
from mfagan.graph.operators import Activation, Axis, Block, Operator
from mfagan.graph.rewriting import Rewritten, apply

__all__ = ["lower_network"]


def lower_network(network: nn.Module, height: int, width: int) -> tuple[list[Operator], dict[str, Tensor]]:
    """Lower a network that enlarges or changes pictures.

    The network runs twice on its own device for a picture of that size.

    Args:
        network: a module (1, 3, H, W) -> (1, C, H', W'), in evaluation mode.
        height: of the picture in px.
        width: likewise.

    Returns:
        The operators in the order they run, the last of which makes the output, and the constants: `NAME.weight` and
        `NAME.bias` of a convolution or a norm whose `weights` are NAME, and NAME, (channels, 1, 1), of another
        operator. Batch norms are folded into the convolutions before them.

    Raises:
        InputError: the network has an operator that cannot be lowered.
    """
    parameter = next(network.parameters(), torch.empty(0))
    x = torch.zeros(1, 3, height, width, dtype=parameter.dtype, device=parameter.device)
    with torch.no_grad():
        lowering = _Lowering(make_fx(torch.func.functionalize(network))(x))
        lowering.run(x)
    folded = apply(FoldedNorms, Rewritten([Block("", tuple(lowering.operators))]))
    if any(one.kind == "batch_norm" for one in folded.operators):
        raise _refuse("a batch norm that does not follow a convolution")
    return folded.operators, folded.make_weights(lowering.constants)


@dataclass(frozen=True)
class _Call:
    """One operator of the graph.

    name: PyTorch's.
    given: its arguments by name: activations, or numbers and tensors that do not depend on the picture.
    values: the same with the tensors of the activations.
    inputs: the activations among them.
    output: the activation that it makes.
    """

    name: str
    given: dict[str, Any]
    values: dict[str, Any]
    inputs: tuple[Activation, ...]
    output: Activation


class _Lowering(Interpreter):
    """Runs a graph; what depends on the picture becomes an operator, anything else a constant."""

    def __init__(self, graph: GraphModule) -> None:
        super().__init__(graph)
        self.extra_traceback = False  # errors of one line stay as they are
        self.operators: list[Operator] = []
        self.constants: dict[str, Tensor] = {}
        self._activations: dict[Node, Activation] = {}

    def run_node(self, n: Node) -> Any:
        """Run one node, and list it if it depends on the picture."""
        result = super().run_node(n)
        if n.op == "placeholder":
            self._activations[n] = _activation(n.name, result)
        elif n.op == "output":
            if not self.operators or self._activations.get(n.all_input_nodes[0]) != self.operators[-1].output:
                raise _refuse("an output that its last operator does not make")
        elif n.users and any(source in self._activations for source in n.all_input_nodes):
            self._activations[n] = self._lower(n, result)
        return result

    def _lower(self, n: Node, result: Any) -> Activation:
        """List one node that makes an activation; of several, as a split makes, its input stands for all."""
        x = next(self._activations[source] for source in n.all_input_nodes if source in self._activations)
        if n.target is operator.getitem:
            return self._take_part(n, x, result)
        assert isinstance(n.target, torch._ops.OpOverload)
        name = n.target.overloadpacket.__name__
        if name in _SPLITS:
            return x
        call = self._call(n, name, result[0] if name == _MAX_POOL or "batch_norm" in name else result)
        match name:
            case "alias" | "clone" | "detach" | "_to_copy":
                return x
            case "view" | "_unsafe_view" if x.shape == call.output.shape:
                return x
            case _ if "batch_norm" in name:
                return self._normalise(call)
            case (
                "leaky_relu"
                | "pixel_shuffle"
                | "relu"
                | "sigmoid"
                | "silu"
                | "sqrt"
                | "tanh"
                | "upsample_nearest2d"
            ):
                return self._write(call, **describe(name, call.values, []))
            case "add" | "sub" | "rsub":
                return self._add(call)
            case "mul" | "div":
                return self._multiply(call)
            case "neg":
                return self._with_constant("multiply", x, -1, call.output)
            case "convolution":
                return self._convolve(call)
            case "_prelu_kernel":
                return self._with_constant("prelu", x, call.given["weight"], call.output)
            case "cat":
                return self._write(call, kind="concat", axis=_axis(call.given.get("dim", 0)))
            case "flip" if len(call.given["dims"]) == 1:
                return self._write(call, kind="flip", axis=_axis(call.given["dims"][0]))
            case "slice" if call.given.get("step", 1) == 1:
                dim = call.given.get("dim", 0)
                ends = slice(call.given.get("start"), call.given.get("end"))
                first, last, _ = ends.indices(call.values["self"].shape[dim])
                if x == replace(call.output, name=x.name):
                    return x
                return self._write(call, kind="slice", axis=_axis(dim), span=(first, last))
            case "mean" if set(call.given["dim"]) in ({2, 3}, {-1, -2}) and call.given.get("keepdim"):
                return self._write(call, kind="mean")
            case "pow" if call.given["exponent"] == 2:
                return self._write(call, kind="square")
            case "hardtanh" | "clamp":
                return self._clamp(call)
            case "upsample_bilinear2d" if not call.given["align_corners"]:
                return self._write(call, **describe(name, call.values, []))
            case "max_pool2d_with_indices" if not call.given.get("ceil_mode"):
                return self._write(call, **describe(name, call.values, []))
            case "constant_pad_nd" | "reflection_pad2d" if not call.given.get("value"):
                return self._write(call, **describe(name, call.values, []))
        raise _refuse(name)

    def _call(self, n: Node, name: str, result: Any) -> _Call:
        assert isinstance(n.target, torch._ops.OpOverload)
        if not isinstance(result, Tensor) or result.dim() != 4 or len(result) != 1:
            raise _refuse(f"{name}, which makes no (1, C, H, W)")
        names = [argument.name for argument in n.target._schema.arguments]
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        values = dict(zip(names, args, strict=False)) | kwargs

        def resolve(node: Node) -> Any:
            return self._activations.get(node, self.env[node])

        given = map_arg(dict(zip(names, n.args, strict=False)) | dict(n.kwargs), resolve)
        nodes: list[Node] = []
        map_arg((n.args, n.kwargs), nodes.append)  # in order, and twice what is read twice
        inputs = tuple(self._activations[one] for one in nodes if one in self._activations)
        if name == "cat" and len(inputs) < len(nodes):
            raise _refuse("cat with a constant")
        return _Call(name, given, values, inputs, _activation(n.name, result))

    def _write(self, call: _Call, **fields: Any) -> Activation:
        fields = {"inputs": call.inputs, "output": call.output} | fields
        self.operators.append(Operator(**fields))
        return fields["output"]

    def _take_part(self, n: Node, x: Activation, result: Any) -> Activation:
        source, index = n.args
        assert isinstance(source, Node)
        assert isinstance(index, int)
        assert isinstance(source.target, torch._ops.OpOverload)
        if source.target.overloadpacket.__name__ not in _SPLITS:
            if index:
                raise _refuse("max_pool2d with its positions, or a norm with its statistics")
            return x
        dim = source.args[2] if len(source.args) > 2 else source.kwargs.get("dim", 0)
        assert isinstance(dim, int)
        sizes = [part.shape[dim] for part in self.env[source]]
        span = sum(sizes[:index]), sum(sizes[: index + 1])
        output = _activation(n.name, result)
        self.operators.append(Operator("slice", (x,), output, axis=_axis(dim), span=span))
        return output

    def _add(self, call: _Call) -> Activation:
        """left + sign alpha right, or for rsub the other way round."""
        left, right = call.given["self"], call.given["other"]
        left_factor, right_factor = 1, call.given.get("alpha", 1)
        if call.name == "sub":
            right_factor = -right_factor
        elif call.name == "rsub":
            left_factor = -right_factor
            right_factor = 1
        if not isinstance(left, Activation):
            left, right, left_factor, right_factor = right, left, right_factor, left_factor
        if not isinstance(right, Activation):
            left = self._times(left, left_factor, call.output)
            if isinstance(right, Tensor):
                return self._with_constant("add", left, right_factor * right, call.output)
            return self._write(call, kind="add_scalar", inputs=(left,), value=float(right_factor * right))
        if (left_factor, right_factor) == (1, -1):
            return self._write(call, kind="subtract", inputs=(left, right))
        left, right = (
            self._times(left, left_factor, call.output),
            self._times(right, right_factor, call.output),
        )
        return self._write(call, kind="add", inputs=(left, right))

    def _times(self, x: Activation, factor: float, output: Activation) -> Activation:
        if factor == 1:
            return x
        return self._with_constant("multiply", x, factor, replace(x, name=f"{output.name}.scaled"))

    def _multiply(self, call: _Call) -> Activation:
        left, right = call.given["self"], call.given["other"]
        if len(call.inputs) == 2:
            return self._write(call, kind="multiply" if call.name == "mul" else "divide")
        if call.name == "div":
            if not isinstance(left, Activation):
                raise _refuse("a constant divided by an activation")
            return self._with_constant("multiply", left, 1 / right, call.output)
        x, factor = (left, right) if isinstance(left, Activation) else (right, left)
        return self._with_constant("multiply", x, factor, call.output)

    def _with_constant(
        self, kind: str, x: Activation, constant: Tensor | float, output: Activation
    ) -> Activation:
        values = torch.as_tensor(constant).detach().float()
        channels = values.shape[-3] if values.dim() > 2 else 1
        if values.numel() != channels:
            raise _refuse(f"{kind} with a constant that varies over the picture")
        self.constants[output.name] = values.reshape(-1, 1, 1).expand(output.channels, 1, 1).clone()
        self.operators.append(Operator(kind, (x,), output, weights=output.name, parameters=output.channels))
        return output

    def _convolve(self, call: _Call) -> Activation:
        weight, bias = call.given["weight"], call.given["bias"]
        if len(call.inputs) > 1 or weight.dim() != 4:
            raise _refuse("a convolution over one axis or with computed weights")
        fields = describe("convolution", call.values, [call.values["input"]])
        path, learned = call.output.name, weight.numel()
        self.constants[f"{path}.weight"] = weight.detach()
        if bias is not None:
            self.constants[f"{path}.bias"] = bias.detach()
            learned += bias.numel()
        return self._write(call, **fields | {"inputs": call.inputs, "weights": path, "parameters": learned})

    def _normalise(self, call: _Call) -> Activation:
        """A batch norm, or an instance norm, which is a batch norm in training mode of a batch of 1."""
        given, path = call.given, call.output.name
        if given["eps"] != EPSILON:
            raise _refuse(f"a norm with epsilon {given['eps']:g} instead of {EPSILON:g}")
        fields = describe(call.name, call.values, [])
        scale, shift = given.get("weight"), given.get("bias")
        constants = (
            {}
            if scale is None
            else {"weight": scale, "bias": torch.zeros_like(scale) if shift is None else shift}
        )
        learned = sum(one.numel() for one in constants.values())
        if fields["kind"] == "batch_norm":
            constants |= {name: given[name] for name in ("running_mean", "running_var")}
        self.constants |= {f"{path}.{name}": one.detach() for name, one in constants.items()}
        return self._write(call, **fields, weights=path, parameters=learned)

    def _clamp(self, call: _Call) -> Activation:
        given, (x,) = call.given, call.inputs
        if call.name == "clamp":
            limits = given.get("min"), given.get("max")
        else:
            limits = given.get("min_val", -1.0), given.get("max_val", 1.0)
        for kind, limit in zip(("maximum", "minimum"), limits, strict=True):
            if limit is not None:
                output = replace(call.output, name=f"{call.output.name}.{kind}")
                x = self._write(call, kind=kind, inputs=(x,), output=output, value=float(limit))
        return x


_SPLITS = ("split", "split_with_sizes")
_MAX_POOL = "max_pool2d_with_indices"


def _activation(name: str, tensor: Tensor) -> Activation:
    channels, height, width = tensor.shape[1:]
    return Activation(name, channels, height, width)


def _axis(dim: int) -> Axis:
    axes: dict[int, Axis] = {1: "channels", 2: "height", 3: "width"}
    if dim % 4 not in axes:
        raise _refuse("an operator along the batch")
    return axes[dim % 4]


def _refuse(what: str) -> InputError:
    return InputError(f"network: it computes {what}, which cannot be exported; choose another network")
