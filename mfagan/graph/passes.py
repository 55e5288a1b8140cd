"""Passes that rewrite a network's operators into ones that a runtime computes faster, with the same result.

    statistics  the variance of a channel is its mean square less its squared mean, in one pass over the activations
    parts       a concatenation is not made: what reads it reads its parts, and 1x1 convolutions of them are summed
    shuffle     two pixel shuffles that are added become one, of the sum
    wavelets    inverse Haar transforms by sums of quarters of the channels, or in the convolution before them
    borders     a reflected border is cut from the picture and joined to it, which runtimes do faster than MIRROR_PAD
    squares     a large convolution of up to 4 channels makes squares of 2x2 px, which a pixel shuffle puts in place
    tiles16     a 3x3 convolution of 24 channels is one of 16 and one of 8: XNNPACK computes 16 at a time (AVX2)
    tiles32     likewise, 48 are 32 and 16 (AVX-512)

The first three are the default. Whether tiles pay depends on the processor: measure.

Costs are those of the operators before any pass, which the papers count; exported files and latency tables are made of
the rewritten ones.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from mfagan.errors import InputError
from mfagan.graph.borders import Borders, Squares
from mfagan.graph.operators import Activation, Block, Operator
from mfagan.graph.rewriting import Pass, Rewritten, apply
from mfagan.graph.wavelets import Wavelets

__all__ = ["DEFAULT_PASSES", "PASSES", "passes_for", "read_passes", "rewrite", "rewrite_operators"]

_MAX_CONCATENATED = 4
"""XNNPACK, TFLite's CPU library, takes no concatenation of more activations (it takes five since 2024)."""

_INTEGER_PASSES = ("statistics", "shuffle")
"""Sums of parts would be rounded one by one, and in integers a concatenation costs little."""


def read_passes(text: str) -> tuple[str, ...]:
    """The passes that a text names.

    Args:
        text: names with commas between them, or `none`.

    Returns:
        The names, in the order in which they are applied.

    Raises:
        InputError: an unknown name.
    """
    return () if text == "none" else _in_order(name.strip() for name in text.split(","))


def passes_for(precision: str) -> tuple[str, ...]:
    """The passes that pay in a precision.

    Args:
        precision: as in `mfagan.deploy.target.ExportTarget`.
    """
    return _INTEGER_PASSES if precision == "int8" else DEFAULT_PASSES


def rewrite(blocks: Sequence[Block], passes: Iterable[str]) -> Rewritten:
    """Apply passes to a network's blocks.

    Args:
        blocks: all of the network's, in order.
        passes: names of passes; they are applied in the order of `PASSES`.

    Returns:
        The blocks that compute the same output.

    Raises:
        InputError: an unknown name.
    """
    found = Rewritten(list(blocks))
    for name in _in_order(passes):
        found = apply(PASSES[name], found)
    joined = [
        block if (block.inputs, block.output) == (before.inputs, before.output) else _join_key(block)
        for before, block in zip(blocks, found.blocks, strict=True)
    ]
    return Rewritten(joined, found.made)


def rewrite_operators(operators: Sequence[Operator], passes: Iterable[str]) -> Rewritten:
    """Apply passes to a network's operators, as one block.

    Args:
        operators: all of the network's, in order.
        passes: as in `rewrite`.
    """
    return rewrite([Block("", tuple(operators))], passes)


class _OnePassStatistics(Pass):
    """mean((x - mean(x))^2) -> max(0, mean(x^2) - mean(x)^2)."""

    def rewrite(self, operator: Operator) -> list[Operator]:
        """As `Pass.rewrite`."""
        if operator.kind != "mean":
            return [operator]
        squared = self.maker(operator.inputs[0], "square")
        apart = None if squared is None else self.maker(squared.inputs[0], "subtract")
        if squared is None or apart is None:
            return [operator]
        x, mean = apart.inputs
        centred = self.maker(mean, "mean")
        if centred is None or centred.inputs != (x,):
            return [operator]
        variance = operator.output
        squares, mean_square = _named(x, variance, "squares"), _named(variance, variance, "mean_square")
        squared_mean, difference = (
            _named(variance, variance, "squared_mean"),
            _named(variance, variance, "less"),
        )
        return [
            Operator("square", (x,), squares),
            Operator("mean", (squares,), mean_square),
            Operator("square", (mean,), squared_mean),
            Operator("subtract", (mean_square, squared_mean), difference),
            Operator("relu", (difference,), variance),
        ]


class _Parts(Pass):
    """What reads a concatenation reads its parts."""

    def __init__(self, operators: Sequence[Operator]) -> None:
        super().__init__(operators)
        self.parts: dict[Activation, tuple[Activation, ...]] = {}
        """Activations that exist in parts alone -> these."""

    def rewrite(self, operator: Operator) -> list[Operator]:
        """As `Pass.rewrite`."""
        if operator.kind == "concat" and len(operator.inputs) > 1 and self._is_taken(operator.output):
            self.parts[operator.output] = operator.inputs
            return []
        parts = self.parts.get(operator.inputs[0]) if operator.inputs else None
        if parts is None:
            return [operator]
        match operator.kind:
            case "mean":
                return self._mean(parts, operator.output)
            case "square":
                squares = [
                    Operator("square", (x,), _named(x, operator.output, str(i))) for i, x in enumerate(parts)
                ]
                self.parts[operator.output] = tuple(one.output for one in squares)
                return squares
            case "multiply":
                return self._multiply(parts, operator)
            case _:
                return self._convolve(parts, operator)

    def _is_taken(self, x: Activation) -> bool:
        """Whether everything that reads an activation can read its parts."""
        return all(self._takes(reader, x) for reader in self.readers.get(x, [])) and x in self.readers

    def _takes(self, reader: Operator, x: Activation) -> bool:
        match reader.kind:
            case "mean":
                return True
            case "square":
                return self._is_taken(reader.output)
            case "multiply":
                return (
                    reader.inputs[0] == x
                    and self._can_split(reader.inputs[1])
                    and self._is_taken(reader.output)
                )
            case _:
                return _is_pointwise(reader)

    def _can_split(self, gate: Activation) -> bool:
        """Whether a vector is what a 1x1 convolution and a sigmoid make."""
        sigmoid = self.maker(gate, "sigmoid")
        source = None if sigmoid is None else self.maker(sigmoid.inputs[0], "conv")
        return source is not None and _is_pointwise(source)

    def _mean(self, parts: tuple[Activation, ...], output: Activation) -> list[Operator]:
        means = [
            Operator("mean", (x,), Activation(f"{output.name}.{i}", x.channels, 1, 1))
            for i, x in enumerate(parts)
        ]
        return means + _concatenate([one.output for one in means], output)

    def _multiply(self, parts: tuple[Activation, ...], operator: Operator) -> list[Operator]:
        sigmoid = self.made[operator.inputs[1]]
        source = self.made[sigmoid.inputs[0]]
        found: list[Operator] = []
        first = 0
        for i, x in enumerate(parts):
            rows = first, first + x.channels
            vector = Activation(f"{sigmoid.output.name}.{i}", x.channels, 1, 1)
            excited = replace(
                source,
                output=_named(vector, vector, "before"),
                weights=self.cut(source, rows, (0, source.inputs[0].channels), source.bias),
                parameters=x.channels * (source.terms + source.bias),
            )
            scaled = _named(x, operator.output, str(i))
            found += [
                excited,
                Operator("sigmoid", (excited.output,), vector),
                Operator("multiply", (x, vector), scaled),
            ]
            first = rows[1]
        self.parts[operator.output] = tuple(one.output for one in found if one.kind == "multiply")
        return found

    def _convolve(self, parts: tuple[Activation, ...], operator: Operator) -> list[Operator]:
        found: list[Operator] = []
        channels = operator.output.channels
        first = 0
        for i, x in enumerate(parts):
            columns = first, first + x.channels
            bias = operator.bias and i == 0
            product = replace(
                operator,
                inputs=(x,),
                output=_named(operator.output, operator.output, str(i)),
                weights=self.cut(operator, (0, channels), columns, bias),
                terms=x.channels,
                bias=bias,
                parameters=channels * (x.channels + bias),
            )
            if found:
                total = (
                    operator.output
                    if i == len(parts) - 1
                    else _named(operator.output, operator.output, f"sum{i}")
                )
                found += [product, Operator("add", (found[-1].output, product.output), total)]
            else:
                found.append(product)
            first = columns[1]
        return found


class _OneShuffle(Pass):
    """shuffle(a) + shuffle(b) -> shuffle(a + b)."""

    def rewrite(self, operator: Operator) -> list[Operator]:
        """As `Pass.rewrite`."""
        shuffles = [self.maker(x, "pixel_shuffle") for x in operator.inputs]
        if operator.kind != "add" or len({None if one is None else one.value for one in shuffles}) != 1:
            return [operator]
        sources = [one.inputs[0] for one in shuffles if one is not None]
        if len(sources) != 2 or sources[0].shape != sources[1].shape:
            return [operator]
        total = _named(sources[0], operator.output, "pixels")
        scale = self.made[operator.inputs[0]].value
        return [
            Operator("add", tuple(sources), total),
            Operator("pixel_shuffle", (total,), operator.output, value=scale),
        ]


class _Tiles(Pass):
    """conv -> activation becomes two of them, the first of a whole number of tiles of channels."""

    def __init__(self, operators: Sequence[Operator], tile: int) -> None:
        super().__init__(operators)
        self.tile = tile

    def rewrite(self, operator: Operator) -> list[Operator]:
        """As `Pass.rewrite`."""
        if operator.kind not in ("leaky_relu", "relu"):
            return [operator]
        source = self.maker(operator.inputs[0], "conv")
        if source is None or not self._can_split(source):
            return [operator]
        channels = operator.output.channels
        whole = channels - channels % self.tile
        found: list[Operator] = []
        for rows in ((0, whole), (whole, channels)):
            shape = replace(source.output, channels=rows[1] - rows[0])
            part = replace(
                source,
                output=_named(shape, source.output, str(rows[0])),
                weights=self.cut(source, rows, (0, source.inputs[0].channels), source.bias),
                parameters=shape.channels * (source.terms + source.bias),
            )
            activated = _named(shape, operator.output, str(rows[0]))
            found += [part, replace(operator, inputs=(part.output,), output=activated)]
        return [*found, Operator("concat", (found[1].output, found[3].output), operator.output)]

    def _can_split(self, source: Operator) -> bool:
        return (
            source.parameters > 0
            and source.groups == 1
            and source.terms > source.inputs[0].channels  # a 1x1 convolution gains nothing
            and source.output.channels > self.tile
            and source.output.channels % self.tile > 0
            and len(self.readers[source.output]) == 1
        )


PASSES: Mapping[str, Callable[[Sequence[Operator]], Pass]] = {
    "statistics": _OnePassStatistics,
    "parts": _Parts,
    "shuffle": _OneShuffle,
    "wavelets": Wavelets,
    "borders": Borders,
    "squares": Squares,
    "tiles16": partial(_Tiles, tile=16),
    "tiles32": partial(_Tiles, tile=32),
}
"""Name -> pass, in the order in which they are applied."""
DEFAULT_PASSES = ("statistics", "parts", "shuffle")
"""What pays on every processor that was measured."""


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    asked = set(names)
    for name in asked.difference(PASSES):
        raise InputError(f"pass {name!r}: give some of {','.join(PASSES)}, or none")
    return tuple(name for name in PASSES if name in asked)


def _concatenate(vectors: Sequence[Activation], output: Activation) -> list[Operator]:
    """Concatenations of no more activations than XNNPACK takes."""
    found: list[Operator] = []
    while len(vectors) > _MAX_CONCATENATED:
        first, rest = vectors[:_MAX_CONCATENATED], vectors[_MAX_CONCATENATED:]
        joined = Activation(f"{output.name}.first{len(first)}", sum(x.channels for x in first), 1, 1)
        found.append(Operator("concat", tuple(first), joined))
        vectors = [joined, *rest]
    return [*found, Operator("concat", tuple(vectors), output)]


def _is_pointwise(operator: Operator) -> bool:
    """Whether an operator is a learned 1x1 convolution."""
    return (
        operator.kind == "conv"
        and operator.window is not None
        and operator.window.kernel == (1, 1)
        and operator.window.keeps_size
        and operator.groups == 1
        and operator.parameters > 0
    )


def _named(like: Activation, after: Activation, role: str) -> Activation:
    """An activation of the same shape with a name of its own."""
    return replace(like, name=f"{after.name}.{role}")


def _join_key(block: Block) -> Block:
    return replace(block, key=f"{block.key}/joined")
