"""Runs TFLite files with the LiteRT interpreter: the only file that imports ai_edge_litert."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from time import perf_counter

import torch
from ai_edge_litert.interpreter import Interpreter
from torch import Tensor

VERSION = version("ai-edge-litert")


class Session:
    """A TFLite file (NHWC, batch 1) loaded with a number of threads."""

    def __init__(self, model: bytes, threads: int = 1) -> None:
        with _without_notices():
            self._interpreter = Interpreter(model_content=model, num_threads=threads)
            self._interpreter.allocate_tensors()

    @property
    def input_shapes(self) -> list[tuple[int, int, int]]:
        """(C, H, W) of each input."""
        sizes = (detail["shape"].tolist() for detail in self._interpreter.get_input_details())
        return [(channels, height, width) for _, height, width, channels in sizes]

    def set_inputs(self, inputs: Sequence[Tensor]) -> None:
        """`inputs`: each (C, H, W), in the file's order; ValueError where number or shapes differ."""
        for detail, tensor in zip(self._interpreter.get_input_details(), inputs, strict=True):
            pixels = tensor.detach().cpu().float().permute(1, 2, 0)[None].contiguous().numpy()
            self._interpreter.set_tensor(detail["index"], pixels)

    def run(self) -> Tensor:
        """The output (C, H, W)."""
        self._interpreter.invoke()
        pixels = self._interpreter.get_tensor(self._interpreter.get_output_details()[0]["index"])
        return torch.from_numpy(pixels)[0].permute(2, 0, 1).contiguous()

    def time_ms(self) -> float:
        """How long one run takes, without copying inputs or output; set them first."""
        start = perf_counter()
        self._interpreter.invoke()
        return (perf_counter() - start) * 1e3


def run(model: bytes, inputs: Sequence[Tensor], threads: int = 1) -> Tensor:
    """The output (C, H, W) of a TFLite file for its inputs, each (C, H, W), in order."""
    session = Session(model, threads)
    session.set_inputs(inputs)
    return session.run()


def max_abs_difference(model: bytes, reference: Callable[[Tensor], Tensor], image: Tensor) -> float:
    """The largest absolute difference of the file's output from `reference` ((1, 3, h, w) -> (1, 3, H, W)).

    `image` is (3, h, w). NaN where either output holds one.
    """
    with torch.inference_mode():
        expected = reference(image[None])[0]
    return (run(model, [image]) - expected.cpu().float()).abs().max().item()


@contextlib.contextmanager
def _without_notices() -> Iterator[None]:
    """The interpreter's native code writes "INFO: ..." to stderr, past Python; anything else is passed on."""
    if sys.__stderr__ is None:
        yield
        return
    with tempfile.TemporaryFile() as written:
        stderr = os.dup(2)
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            written.seek(0)
            rest = [line for line in written if not line.startswith(b"INFO: ")]
            if rest:
                os.write(2, b"".join(rest))
