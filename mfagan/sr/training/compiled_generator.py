"""A generator whose forward pass is compiled at the widths that a stage trains at every step."""

import logging
import time
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from mfagan.sr.network.supergenerator import SuperGenerator
from mfagan.sr.network.widths import Widths
from mfagan.training.compilation import CannotCompile, compile_for

__all__ = ["CompiledGenerator"]

logger = logging.getLogger(__name__)


class CompiledGenerator:
    """Calls a generator, through torch.compile where the same shapes come at every step.

    A SuperGenerator is compiled once at its full widths and once at each of `fixed`. Slices of other widths, which
    would have to be compiled each, run as they are. The generator itself stays as it is: its parameters' names, its
    copies and its validation know nothing of this. One of these is in use at a time; a new one frees what PyTorch
    has compiled before.
    """

    def __init__(
        self, generator: nn.Module, *, has_taps: bool = False, fixed: Collection[Widths] = ()
    ) -> None:
        """Wrap a generator; nothing is compiled before the first `begin_step`.

        Args:
            generator: the network.
            has_taps: whether `forward_with_taps` is compiled instead of the network's own call.
            fixed: widths of the slices of a SuperGenerator that are trained at every step.
        """
        torch.compiler.reset()  # PyTorch counts what it has compiled of the same code, and stops at eight
        self._generator = generator
        self._has_taps = has_taps
        self._fixed = fixed
        self._compiled: dict[Widths | None, Callable[..., Any]] | None = None

    def begin_step(self, lr: Tensor) -> None:
        """Compile at the first step; every step of the training calls this before its forward passes.

        Where compiling fails the generator runs as it is, which a warning reports.

        Args:
            lr: LR images of the shape that every step has, (N, 3, h, w) in [0, 1].
        """
        if lr.is_cuda:
            torch.compiler.cudagraph_mark_step_begin()
        if self._compiled is not None:
            return
        began = time.perf_counter()
        self._compiled = {}
        try:
            self._compiled = self._compile(lr)
        except CannotCompile as failure:
            logger.warning("training goes on without torch.compile, which fails here (%s)", failure)
        else:
            logger.info("compiled the generator in %.0f s", time.perf_counter() - began)

    def __call__(self, lr: Tensor, widths: Widths | None = None) -> Tensor:
        """Run the network, or a slice of a SuperGenerator.

        Args:
            lr: LR images (N, 3, h, w) in [0, 1].
            widths: the slice's; None for the whole network.

        Returns:
            HR images (N, 3, scale h, scale w), not clamped.
        """
        if isinstance(self._generator, SuperGenerator) and widths == self._generator.widths:
            widths = None
        compiled = (self._compiled or {}).get(widths)
        if widths is None:
            return (compiled or self._generator)(lr)
        if compiled is None:
            return self._generator(lr, widths)
        assert isinstance(self._generator, SuperGenerator)
        return compiled(lr, self._generator.slice_weights(widths))

    def forward_with_taps(self, lr: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run the network and keep what distillation compares.

        Args:
            lr: LR images (N, 3, h, w) in [0, 1].

        Returns:
            As `MFANet.forward_with_taps`.
        """
        compiled = (self._compiled or {}).get(None)
        return (compiled or self._generator.forward_with_taps)(lr)  # pyright: ignore[reportCallIssue]

    def _compile(self, lr: Tensor) -> dict[Widths | None, Callable[..., Any]]:
        generator, parameters = self._generator, list(self._generator.parameters())
        whole = generator.forward_with_taps if self._has_taps else generator.forward
        assert callable(whole)
        found: dict[Widths | None, Callable[..., Any]] = {None: compile_for(whole, lambda: (lr,), parameters)}
        if isinstance(generator, SuperGenerator):

            def run_slice(x: Tensor, weights: dict[str, Tensor]) -> Tensor:
                return functional_call(generator, weights, (x,))

            for widths in set(self._fixed) - {generator.widths}:
                found[widths] = compile_for(
                    run_slice, lambda widths=widths: (lr, generator.slice_weights(widths)), parameters
                )
        return found
