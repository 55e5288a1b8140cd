"""ONNX export by PyTorch's exporter, and ONNX Runtime."""

import contextlib
import io
import logging
import math
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from mfagan.data.images import from_uint8, to_uint8
from mfagan.deploy.inspection import Inspection
from mfagan.deploy.onnx.tiles import MOMENTS, TiledPictures
from mfagan.deploy.target import INPUT, MIN_SIDE_PX, OUTPUT, ExportTarget
from mfagan.packages import refuse_import

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except Exception as error:  # a broken installation fails in many ways
    raise refuse_import("'mfagan[onnx]'", error) from None

__all__ = [
    "Session",
    "convert",
    "halve_weights",
    "infer_shapes",
    "inspect",
    "largest_bytes",
    "read_entry",
    "write_entry",
]

_MAX_SIDE_PX = 2**15
_TRACED_SIZE = (33, 46)


class Session:
    """An ONNX file of `convert`, loaded into ONNX Runtime on the CPU."""

    def __init__(self, model: bytes, threads: int = 1) -> None:
        """Load the file.

        Args:
            model: the file's content.
            threads: CPU threads.

        Raises:
            ValueError: ONNX Runtime cannot load it.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors alone
        # Both keep memory for each size of picture that was seen.
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        try:
            self._session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's have no class in common
            raise ValueError(str(error)) from None
        self._takes_levels = self._session.get_inputs()[0].type == "tensor(uint8)"

    @property
    def inputs(self) -> dict[str, list[int | str]]:
        """Name of each input that must be given -> its shape, with names for sides of any length."""
        return {one.name: one.shape for one in self._session.get_inputs()}

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs."""
        return [one.name for one in self._session.get_outputs()]

    def enlarge(self, image: Tensor, **inputs: np.ndarray) -> Tensor:
        """Run the file on a picture.

        Args:
            image: (3, h, w), RGB in [0, 1]; of the file's size, if that is fixed.
            **inputs: those that have defaults, by name.

        Returns:
            (3, scale h, scale w).

        Raises:
            RuntimeError: ONNX Runtime fails.
        """
        (found,) = self.call([OUTPUT], image, **inputs)
        output = torch.from_numpy(found)[0].permute(2, 0, 1).contiguous()
        return from_uint8(output) if output.dtype == torch.uint8 else output

    def call(self, outputs: Sequence[str], image: Tensor, **inputs: np.ndarray) -> list[np.ndarray]:
        """Run the file for some of its outputs, as it lays them out.

        Args:
            outputs: the names.
            image: as in `enlarge`.
            **inputs: likewise.

        Raises:
            RuntimeError: ONNX Runtime fails.
        """
        pixels = image.detach().cpu().float().permute(1, 2, 0)[None].contiguous()
        fed = to_uint8(pixels) if self._takes_levels else pixels
        try:
            found = self._session.run(outputs, {INPUT: fed.numpy(), **inputs})
        except Exception as error:  # ONNX Runtime's have no class in common
            raise RuntimeError(str(error)) from None
        return [np.asarray(one) for one in found]


class _Pictures(nn.Module):
    """A network on pictures as the TFLite files have them: (1, h, w, 3)."""

    def __init__(self, network: nn.Module, pixels: str) -> None:
        super().__init__()
        self.network = network
        self.pixels = pixels

    def forward(self, image: Tensor) -> Tensor:
        """(1, h, w, 3) -> (1, scale h, scale w, 3)."""
        x = image if self.pixels == "float" else image.float() / 255
        y = self.network(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return y if self.pixels == "float" else (y.clamp(0, 1) * 255).round().to(torch.uint8)


def convert(network: nn.Module, target: ExportTarget) -> bytes:
    """Convert a network to an ONNX file.

    Args:
        network: (1, 3, h, w) -> (1, 3, H, W) in float32, in evaluation mode on the CPU.
        target: what the file is made for.

    Returns:
        The file's content.
    """
    height, width = _TRACED_SIZE if target.size is None else target.size
    pictures = TiledPictures(network) if target.tiles else _Pictures(network, target.pixels)
    image = torch.zeros(1, height, width, 3, dtype=torch.float32 if target.pixels == "float" else torch.uint8)
    defaults = pictures.defaults() if isinstance(pictures, TiledPictures) else {}
    sides = [torch.export.Dim(name, min=MIN_SIDE_PX, max=_MAX_SIDE_PX) for name in ("height", "width")]
    shapes = {INPUT: {1: sides[0], 2: sides[1]}, **dict.fromkeys(defaults)} if target.size is None else None
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            pictures.eval(),
            (image, *defaults.values()),
            dynamo=True,
            verbose=False,
            input_names=[INPUT, *defaults],
            output_names=[OUTPUT, MOMENTS] if defaults else [OUTPUT],
            dynamic_shapes=shapes,
        )
    assert program is not None
    model = program.model_proto
    for one in (*model.graph.node, *model.graph.value_info):
        one.ClearField("metadata_props")  # the lines of Python that made it, with their folders
    for name, value in defaults.items():
        model.graph.initializer.append(numpy_helper.from_array(value.numpy(), name))
    if target.precision == "fp16":
        _halve(model)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def inspect(model: bytes) -> Inspection:
    """Count the operators of an ONNX file.

    Args:
        model: the file's content.
    """
    kinds = Counter(node.op_type for node in onnx.load_from_string(model).graph.node)
    return Inspection(dict(kinds.most_common()), None)


def write_entry(model: bytes, name: str, text: str) -> bytes:
    """As `mfagan.deploy.tflite.metadata.write_entry`, of an ONNX file.

    Args:
        model: the file's content.
        name: of the entry.
        text: what it says.
    """
    found = onnx.load_from_string(model)
    found.metadata_props.add(key=name, value=text)
    return found.SerializeToString()


def read_entry(model: bytes, name: str) -> str | None:
    """As `mfagan.deploy.tflite.metadata.read_entry`, of an ONNX file.

    Args:
        model: the file's content.
        name: of the entry.

    Raises:
        ValueError: the content is no ONNX file, or it is damaged.
    """
    try:
        found = onnx.load_from_string(model)
    except Exception as error:  # protobuf's DecodeError, whose module differs between versions
        raise ValueError(f"no ONNX file ({error})") from None
    return {entry.key: entry.value for entry in found.metadata_props}.get(name)


def largest_bytes(model: bytes, height: int, width: int) -> int:
    """Bytes of the largest activation of an ONNX file.

    Args:
        model: the file's content.
        height: of the picture in px.
        width: likewise.
    """
    sizes = []
    graph = infer_shapes(onnx.load_from_string(model), height, width)
    for one in [*graph.value_info, *graph.output]:
        tensor = one.type.tensor_type
        item_bytes = helper.tensor_dtype_to_np_dtype(tensor.elem_type).itemsize
        sizes.append(item_bytes * math.prod(dim.dim_value for dim in tensor.shape.dim))
    return max(sizes)


def infer_shapes(model: onnx.ModelProto, height: int, width: int) -> onnx.GraphProto:
    """Find the shapes of a graph's activations for a picture.

    Args:
        model: it is changed to take pictures of this size alone.
        height: of the picture in px.
        width: likewise.

    Returns:
        A copy of its graph, with the shapes in it.
    """
    graph = model.graph
    for dim, side in zip(graph.input[0].type.tensor_type.shape.dim[1:3], (height, width), strict=True):
        dim.dim_value = side
    del graph.value_info[:]
    for one in graph.output:
        one.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(model, data_prop=True).graph


def halve_weights(model: bytes) -> bytes:
    """Keep an ONNX file's weights in half precision; it computes in float32.

    Args:
        model: the file's content.
    """
    found = onnx.load_from_string(model)
    _halve(found)
    onnx.checker.check_model(found)
    return found.SerializeToString()


def _halve(model: onnx.ModelProto) -> None:
    """Keep float32 weights in float16, each behind a Cast, which ONNX Runtime computes once as it loads the file."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and len(tensor.dims) > 1:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16)))
            tensor.name = f"{name}.fp16"
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter from telling of its progress."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
