"""Run TFLite files with the LiteRT interpreter: the only file that imports ai_edge_litert."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from mfagan.data.images import from_uint8, to_uint8
from mfagan.packages import refuse_import

__all__ = ["VERSION", "Session", "max_abs_difference", "run"]

try:
    from ai_edge_litert.interpreter import Interpreter

    VERSION = version("ai-edge-litert")
    """The version of the LiteRT interpreter."""
except Exception as error:  # a broken installation fails in many ways
    raise refuse_import("ai-edge-litert", error) from None


class Session:
    """A TFLite file (NHWC, batch 1), loaded into an interpreter."""

    def __init__(self, model: bytes, threads: int = 1) -> None:
        """Load the file.

        Args:
            model: The file's content.
            threads: CPU threads of the interpreter.
        """
        with _without_notices():
            self._interpreter = Interpreter(model_content=model, num_threads=threads)
            self._interpreter.allocate_tensors()

    @property
    def input_shapes(self) -> list[tuple[int, int, int]]:
        """(C, H, W) of each input."""
        sizes = (detail["shape"].tolist() for detail in self._interpreter.get_input_details())
        return [(channels, height, width) for _, height, width, channels in sizes]

    def resize(self, height: int, width: int) -> None:
        """Make the file take pictures of another size, whatever size it names.

        Args:
            height: rows of its input in px.
            width: columns of its input in px.
        """
        detail = self._interpreter.get_input_details()[0]
        if detail["shape"].tolist()[1:3] != [height, width]:
            self._interpreter.resize_tensor_input(
                detail["index"], [1, height, width, int(detail["shape"][3])]
            )
            with _without_notices():
                self._interpreter.allocate_tensors()

    def enlarge(self, image: Tensor) -> Tensor:
        """Run the file on a picture of any size.

        Args:
            image: (3, h, w), RGB in [0, 1].

        Returns:
            (3, scale h, scale w).
        """
        self.resize(*image.shape[1:])
        self.set_inputs([image])
        return self.run()

    def list_operators(self) -> list[str]:
        """Name of each operator of the file, such as CONV_2D.

        The parts that the delegate, XNNPACK, has taken are listed after them, each as DELEGATE.
        """
        # LiteRT has no public way to see them.
        return [one["op_name"] for one in self._interpreter._get_ops_details()]

    def set_inputs(self, inputs: Sequence[Tensor]) -> None:
        """Copy the inputs of the next runs into the interpreter, rounded to 8 bits if the file takes those.

        Args:
            inputs: Each (C, H, W), in the file's order.

        Raises:
            ValueError: Their number or shapes differ from the file's.
        """
        for detail, tensor in zip(self._interpreter.get_input_details(), inputs, strict=True):
            pixels = tensor.detach().cpu().float().permute(1, 2, 0)[None].contiguous()
            if detail["dtype"] is np.uint8:
                pixels = to_uint8(pixels)
            self._interpreter.set_tensor(detail["index"], pixels.numpy())

    def run(self) -> Tensor:
        """Run the file on its inputs and return the output, (C, H, W); 8 bits become floats in [0, 1]."""
        self._interpreter.invoke()
        pixels = self._interpreter.get_tensor(self._interpreter.get_output_details()[0]["index"])
        output = torch.from_numpy(pixels)[0].permute(2, 0, 1).contiguous()
        return from_uint8(output) if output.dtype == torch.uint8 else output

    def time_ms(self) -> float:
        """Run the file on its inputs and return how long it took in ms, without copying inputs or output."""
        start = perf_counter()
        self._interpreter.invoke()
        return (perf_counter() - start) * 1e3


def run(model: bytes, inputs: Sequence[Tensor], threads: int = 1) -> Tensor:
    """Run a TFLite file once.

    Args:
        model: The file's content.
        inputs: Each (C, H, W), in the file's order.
        threads: CPU threads of the interpreter.

    Returns:
        The output, (C, H, W).
    """
    session = Session(model, threads)
    session.set_inputs(inputs)
    return session.run()


def max_abs_difference(model: bytes, reference: Callable[[Tensor], Tensor], image: Tensor) -> float:
    """The largest absolute difference of a TFLite file's output from a network's.

    Args:
        model: The file's content.
        reference: The network, (1, 3, h, w) -> (1, 3, H, W).
        image: The image to compare on, (3, h, w).

    Returns:
        The difference; NaN if either output holds one.
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
