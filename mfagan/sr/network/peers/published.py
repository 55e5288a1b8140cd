"""Weights that other authors published, in the formats of their files: networks of ours with the same function.

RFDN, SPAN (in the form it is trained in or deployed in) and SPANV2 are converted to our own modules here; other files
are read by spandrel (mfagan/sr/network/peers/published_spandrel.py). Sizes follow from the shapes of the weights.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mfagan.errors import InputError
from mfagan.sr.network.layers import find_scale
from mfagan.sr.network.peers.distillation import RFDN
from mfagan.sr.network.peers.peer import LEVELS, Peer
from mfagan.sr.network.peers.span import SPAN, SPANV2

__all__ = ["convert_weights"]

State = dict[str, Tensor]


def convert_weights(state: Mapping[str, Tensor], path: str | Path) -> Peer | None:
    """Convert the weights of a network that is known here.

    Args:
        state: Name -> weight, as the author's file has them.
        path: The file, for errors.

    Returns:
        The network in evaluation mode, or None if the names are of another network.

    Raises:
        InputError: The names are those of a known network, but shapes differ or weights are missing or left over.
    """
    for known in _FORMATS:
        if all(name in state for name in known.marks) and not any(name in state for name in known.others):
            try:
                network = known.build(state)
                network.load_state_dict(known.convert(state))
            except (RuntimeError, KeyError, InputError) as error:
                reason = " ".join(str(error).split())
                raise InputError(
                    f"weights {path}: the names are those of {known.name}, the weights do not fit ({reason:.200})"
                ) from None
            return network.eval()
    return None


@dataclass(frozen=True)
class _Format:
    """How one network's weights are named in its authors' files."""

    name: str
    marks: tuple[str, ...]
    """Names that all of its files have."""
    build: Callable[[Mapping[str, Tensor]], Peer]
    """Makes the network of the sizes that the weights have."""
    convert: Callable[[Mapping[str, Tensor]], State]
    """Gives the weights our names and our range of values."""
    others: tuple[str, ...] = ()
    """Names that none of its files has."""


def _rename(name: str, rules: Iterable[tuple[str, str]]) -> str:
    """Apply every rule in turn; `{n}` in what is put in is the first group, a number from 1, counted from 0."""
    for pattern, ours in rules:
        name = re.sub(
            pattern, lambda found, ours=ours: ours.format(n=int(found[1]) - 1 if found.re.groups else 0), name
        )
    return name


def _count(state: Mapping[str, Tensor], pattern: str) -> int:
    return sum(re.fullmatch(pattern, name) is not None for name in state)


_RFDN_RULES = (
    (r"^fea_conv\.", "head."),
    (r"^c\.0\.", "fuse."),
    (r"^LR_conv\.", "smooth."),
    (r"^upsampler\.0\.", "enlarge.0."),
    (r"^B(\d+)\.", "blocks.{n}."),
    (r"\.c(\d)_d\.", ".keep.{n}."),
    (r"\.c(\d)_r\.", ".refine.{n}."),
    (r"\.c4\.", ".last."),
    (r"\.c5\.", ".fuse."),
    (r"\.esa\.conv1\.", ".attention.squeeze."),
    (r"\.esa\.conv_f\.", ".attention.bypass."),
    (r"\.esa\.conv2\.", ".attention.stride."),
    (r"\.esa\.conv_max\.", ".attention.pooled.0."),
    (r"\.esa\.conv3\.", ".attention.pooled.2."),
    (r"\.esa\.conv3_\.", ".attention.pooled.4."),
    (r"\.esa\.conv4\.", ".attention.excite."),
)


def _build_rfdn(state: Mapping[str, Tensor]) -> RFDN:
    n_blocks, features = _count(state, r"B\d+\.c5\.weight"), len(state["fea_conv.weight"])
    return RFDN(find_scale(len(state["upsampler.0.weight"])), n_blocks, features)


def _convert_rfdn(state: Mapping[str, Tensor]) -> State:
    """The authors compute on 0..255: the first weights take the factor in, and the last ones take it out again."""
    found = {_rename(name, _RFDN_RULES): weight for name, weight in state.items()}
    found["head.weight"] = found["head.weight"] * LEVELS
    for name in ("enlarge.0.weight", "enlarge.0.bias"):
        found[name] = found[name] / LEVELS
    return found


_SPAN_RULES = (
    (r"\.eval_conv\.", "."),
    (r"^conv_1\.", "head."),
    (r"^conv_2\.", "body_end."),
    (r"^conv_cat\.", "fuse."),
    (r"^upsampler\.0\.", "enlarge.0."),
    (r"^block_(\d+)\.", "blocks.{n}."),
    (r"\.c(\d)_r\.", ".convs.{n}."),
)


def _build_span(state: Mapping[str, Tensor]) -> SPAN:
    n_blocks = _count(state, r"block_\d+\.c3_r\.eval_conv\.weight")
    return SPAN(find_scale(len(state["upsampler.0.weight"])), n_blocks, len(state["conv_1.eval_conv.weight"]))


def _convert_span(state: Mapping[str, Tensor]) -> State:
    return {_rename(name, _SPAN_RULES): weight for name, weight in state.items()}


def _fold_span(state: Mapping[str, Tensor]) -> State:
    """Fold the branches that SPAN is trained with: a 1x1 convolution beside a chain of 1x1, 3x3 and 1x1.

    What the file holds of the folded weights is left: they are as old as the authors' last validation.
    """
    branch = re.compile(r"(.*)\.(sk|conv\.[012]|eval_conv)\.(weight|bias)")
    paths = {found[1] for name in state if (found := branch.fullmatch(name))}
    folded = {name: weight for name, weight in state.items() if branch.fullmatch(name) is None}
    for path in paths:
        beside, first, middle, last = (state[f"{path}.{one}.weight"] for one in ("sk", *_CHAIN))
        weight = torch.einsum("omhw,mi->oihw", torch.einsum("on,nmhw->omhw", _1x1(last), middle), _1x1(first))
        weight[:, :, 1, 1] += _1x1(beside)
        bias_beside, *biases = (state[f"{path}.{one}.bias"] for one in ("sk", *_CHAIN))
        inner = middle.sum((2, 3)) @ biases[0] + biases[1]
        folded[f"{path}.eval_conv.weight"] = weight
        folded[f"{path}.eval_conv.bias"] = _1x1(last) @ inner + biases[2] + bias_beside
    return _convert_span(folded)


_CHAIN = ("conv.0", "conv.1", "conv.2")


def _1x1(weight: Tensor) -> Tensor:
    return weight[:, :, 0, 0]


_SPANV2_RULES = (
    (r"^block_1\.c(\d)\.conv\.", "first.{n}."),
    (r"^block_(\d+)\.guidance_map_conv\.", "blocks.{n}.gate."),
    (r"^block_(\d+)\.c", "blocks.{n}.convs."),
    (r"\.convs\.(\d)\.conv\.", ".convs.{n}."),
    (r"^conv_near\.", "near."),
    (r"^depthwise_conv\.", "gather."),
    (r"^pointwise_conv\.", "enlarge.0."),
)


def _build_spanv2(state: Mapping[str, Tensor]) -> SPANV2:
    n_blocks, features = _count(state, r"block_\d+\.c3\.conv\.weight"), len(state["block_1.c1.conv.weight"])
    return SPANV2(find_scale(len(state["pointwise_conv.weight"])), n_blocks, features)


def _convert_spanv2(state: Mapping[str, Tensor]) -> State:
    """Our blocks are without the first one, and between two convolutions of ours stands an activation."""
    found: State = {}
    for name, weight in state.items():
        parts = _rename(name, _SPANV2_RULES).split(".")
        if parts[0] == "first":
            parts[1] = str(2 * int(parts[1]))
        elif parts[0] == "blocks":
            parts[1] = str(int(parts[1]) - 1)
            if parts[2] == "convs":
                parts[3] = str(2 * int(parts[3]))
        found[".".join(parts)] = weight
    return found


_SPAN_MARKS = (
    "conv_1.eval_conv.weight",
    "block_1.c1_r.eval_conv.weight",
    "conv_cat.weight",
    "upsampler.0.weight",
)
_FORMATS = (
    _Format(
        "RFDN",
        (
            "fea_conv.weight",
            "B1.c1_d.weight",
            "B1.esa.conv_max.weight",
            "LR_conv.weight",
            "upsampler.0.weight",
        ),
        _build_rfdn,
        _convert_rfdn,
    ),
    _Format("SPAN as deployed", _SPAN_MARKS, _build_span, _convert_span, ("conv_1.sk.weight", "no_norm")),
    _Format(
        "SPAN as it is trained", (*_SPAN_MARKS, "conv_1.sk.weight"), _build_span, _fold_span, ("no_norm",)
    ),
    _Format(
        "SPANV2",
        ("block_1.c1.conv.weight", "conv_near.weight", "depthwise_conv.weight", "pointwise_conv.weight"),
        _build_spanv2,
        _convert_spanv2,
    ),
)
