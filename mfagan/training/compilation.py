"""torch.compile for what a training calls at every step with the same shapes."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["CannotCompile", "compile_for"]

_TRIALS = 3
"""On CUDA the graphs are warmed up, recorded and replayed."""


class CannotCompile(Exception):
    """torch.compile fails on this machine, for example without a C++ compiler."""


def compile_for(
    function: Callable[..., Any],
    make_inputs: Callable[[], Sequence[object]],
    parameters: Iterable[nn.Parameter],
) -> Callable[..., Any]:
    """Compile a differentiable function for inputs of one shape and try it, forward and backward, as steps do.

    Compiled arithmetic may differ from the function's in the last bits. On CUDA the kernels are replayed as CUDA
    graphs, which saves the time of starting each one.

    Args:
        function: returns a tensor, or a sequence whose first element is one.
        make_inputs: called for each try, gives arguments of the shapes that the function will be called with: tensors,
            or dictionaries of them.
        parameters: what it is differentiated with respect to; no gradient is left in them.

    Returns:
        The compiled function.

    Raises:
        CannotCompile: it fails; the message is one line.
    """
    leaves = [one for one in parameters if one.requires_grad]
    mode = "reduce-overhead" if leaves[0].is_cuda else None
    try:
        compiled = torch.compile(function, fullgraph=True, dynamic=False, mode=mode)
        for _ in range(_TRIALS):
            found = compiled(*make_inputs())
            output = found if isinstance(found, Tensor) else found[0]
            torch.autograd.grad(output.float().sum(), leaves, allow_unused=True)
    except (RuntimeError, OSError) as error:  # what a machine lacks shows in many ways
        lines = str(error).split("\n")
        raise CannotCompile(f"{type(error).__name__}: {' '.join(lines[0].split()):.200}") from None
    return compiled
