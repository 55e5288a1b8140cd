"""Run TFLite files with the LiteRT interpreter: the only file that imports ai_edge_litert."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mfagan.data.images import from_uint8, to_uint8
from mfagan.packages import refuse_import

__all__ = ["VERSION", "Session", "max_abs_difference", "peak_bytes", "run"]

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
        return [_find_shape(detail) for detail in self._interpreter.get_input_details()]

    @property
    def input_types(self) -> list[str]:
        """Type of each input's numbers: float32, uint8 or int8."""
        return [detail["dtype"].__name__ for detail in self._interpreter.get_input_details()]

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

    def list_operators(self) -> list[tuple[str, bool]]:
        """Name of each operator of the file, such as CONV_2D, and whether it gives floats.

        The parts that the delegate, XNNPACK, has taken are listed after them, each as DELEGATE.
        """
        floats = {
            one["index"] for one in self._interpreter.get_tensor_details() if one["dtype"] is np.float32
        }
        # LiteRT has no public way to see them.
        listed = self._interpreter._get_ops_details()
        return [(one["op_name"], not floats.isdisjoint(one["outputs"])) for one in listed]

    def set_inputs(self, inputs: Sequence[Tensor]) -> None:
        """Copy the inputs of the next runs into the interpreter, rounded to 8 bits where the file takes those.

        Args:
            inputs: Each (C, H, W), in the file's order.

        Raises:
            ValueError: Their number or shapes differ from the file's.
        """
        for detail, tensor in zip(self._interpreter.get_input_details(), inputs, strict=True):
            if tuple(tensor.shape) != _find_shape(detail):
                raise ValueError(f"an input of {tuple(tensor.shape)}; the file takes {_find_shape(detail)}")
            pixels = tensor.detach().cpu().float().permute(1, 2, 0).reshape(detail["shape"].tolist())
            if detail["dtype"] is np.uint8:
                pixels = to_uint8(pixels)
            elif detail["dtype"] is np.int8:
                step, zero = detail["quantization"]
                pixels = (pixels / step).round().add(zero).clamp(-128, 127).to(torch.int8)
            self._interpreter.set_tensor(detail["index"], pixels.numpy())

    def run(self) -> Tensor:
        """Run the file on its inputs and return the output, (C, H, W) in floats; those of uint8 are in [0, 1]."""
        self._interpreter.invoke()
        detail = self._interpreter.get_output_details()[0]
        found = torch.from_numpy(self._interpreter.get_tensor(detail["index"]))
        output = (
            found[0].permute(2, 0, 1).contiguous() if found.dim() == 4 else found.view(_find_shape(detail))
        )
        if output.dtype == torch.int8:
            step, zero = detail["quantization"]
            return (output.float() - zero) * step
        return from_uint8(output) if output.dtype == torch.uint8 else output

    def time_ms(self) -> float:
        """Run the file on its inputs and return how long it took in ms, without copying inputs or output."""
        start = perf_counter()
        self._interpreter.invoke()
        return (perf_counter() - start) * 1e3

    @property
    def signatures(self) -> dict[str, list[str]]:
        """Name of each signature -> the names of its inputs."""
        found = self._interpreter.get_signature_list()
        return {name: list(one["inputs"]) for name, one in found.items()}

    def shape(self, signature: str, name: str) -> tuple[int, ...]:
        """The shape of a signature's input, as the file lays it out.

        Args:
            signature: The signature's name.
            name: The input's.
        """
        details = self._interpreter.get_signature_runner(signature).get_input_details()
        return tuple(details[name]["shape"].tolist())

    def call(self, signature: str, **inputs: np.ndarray) -> np.ndarray:
        """Run a signature of the file, whose inputs take the shapes that are given, and return its only output.

        Args:
            signature: Its name.
            **inputs: Its inputs by name, as the file lays them out.
        """
        with _without_notices():
            (found,) = self._interpreter.get_signature_runner(signature)(**inputs).values()
        return found

    @property
    def largest_bytes(self) -> int:
        """Bytes of the largest activation of its first signature."""
        details = self._interpreter.get_tensor_details()
        return max(int(np.prod(one["shape"])) * np.dtype(one["dtype"]).itemsize for one in details)


def _find_shape(detail: Mapping[str, Any]) -> tuple[int, int, int]:
    """(C, H, W) of an input or output; vectors are (1, 1, features), rows of them (1, rows, features)."""
    _, *sizes = detail["shape"].tolist()
    height, width, channels = sizes if len(sizes) == 3 else (1, *sizes, 1)[-3:]
    return channels, height, width


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


_RUN_ONCE = """
import re, sys
from ai_edge_litert.interpreter import Interpreter
if len(sys.argv) > 1:
    interpreter = Interpreter(model_path=sys.argv[1], num_threads=int(sys.argv[2]))
    interpreter.allocate_tensors()
    interpreter.invoke()
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""
"""A process of its own: getrusage would begin with the peak of the process that starts it."""


def peak_bytes(path: Path | None, threads: int = 1) -> int | None:
    """Measure the peak memory of a fresh process that runs a TFLite file once.

    Args:
        path: The file; None for the interpreter alone, without a file.
        threads: CPU threads of the interpreter.

    Returns:
        Bytes of the whole process, the interpreter among them; None where the system does not tell (Linux does).

    Raises:
        subprocess.CalledProcessError: The file cannot be run.
    """
    if not Path("/proc/self/status").is_file():
        return None
    arguments = [] if path is None else [str(path), str(threads)]
    command = [sys.executable, "-c", _RUN_ONCE, *arguments]
    return 1024 * int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


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
