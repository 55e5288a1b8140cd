"""One HTML file with a network and a runtime in it, which enlarges pictures in a browser without any server."""

import base64
import gzip
import hashlib
import html
import json
import re
from importlib.resources import files
from pathlib import Path

import torch

from mfagan.deploy.tflite.litert import Session
from mfagan.deploy.web.runtime import WebRuntime
from mfagan.errors import InputError

__all__ = ["build_page", "read_model"]

_SOURCES = files("mfagan.deploy") / "web"


def read_model(path: Path) -> bytes:
    """Read a TFLite file, and prove that it enlarges a picture.

    Args:
        path: the file: one input (1, h, w, 3) and one output (1, s h, s w, 3), both floats.

    Returns:
        Its content.

    Raises:
        InputError: it cannot be read, is not a TFLite file, does not run, or has other inputs or outputs.
    """
    try:
        model = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; give a readable .tflite file") from None
    if model[4:8] != b"TFL3":
        raise InputError(
            f"{path}: it is not a TFLite file; make one with `mfagan export CKPT --format tflite --out FILE.tflite`"
        )
    try:
        session = Session(model)
        shapes = session.input_shapes
        session.set_inputs([torch.zeros(shape) for shape in shapes])
        output = tuple(session.run().shape)
    except (ValueError, RuntimeError) as error:
        raise InputError(
            f"{path}: LiteRT cannot run it on float pictures ({error}); give a file that `mfagan export` wrote"
        ) from None
    _require_enlarging(path, shapes, output)
    return model


def _require_enlarging(path: Path, inputs: list[tuple[int, int, int]], output: tuple[int, ...]) -> None:
    (channels, height, width), *others = inputs
    scale = output[1] // height
    if others or channels != 3 or scale < 1 or output != (3, scale * height, scale * width):
        raise InputError(
            f"{path}: its inputs {inputs} and output {output} (channels, height, width) are not those of a network "
            "that enlarges one RGB picture; give another file"
        )


def build_page(model: bytes, name: str, runtime: WebRuntime) -> bytes:
    """Build the page.

    It makes no request: scripts, network and runtime are in it, and its content security policy forbids others. So it
    works from a disk, by mail and on any server, also in a browser without a network.

    Args:
        model: what `read_model` gave.
        name: what the page calls the network.
        runtime: LiteRT.js.

    Returns:
        The HTML file, in UTF-8.
    """
    modules = {
        name.removesuffix(".js"): source.read_bytes()
        for name, source in sorted((source.name, source) for source in _SOURCES.iterdir())
        if name.endswith(".js")
    }
    modules["@litertjs/wasm-utils"] = modules.pop("loader")
    modules["@litertjs/core"] = runtime.module
    parts = {
        "name": html.escape(name),
        "style": (_SOURCES / "page.css").read_text(encoding="utf-8"),
        "kilobytes": f"{len(model) / 1000:,.0f}",
        "sha256": hashlib.sha256(model).hexdigest()[:16],
        "version": html.escape(runtime.version),
        "wasm": _pack(runtime.wasm),
        "model": _pack(model),
        "factory": _as_url(runtime.factory),
        "modules": json.dumps({"imports": {name: _as_url(code) for name, code in modules.items()}}),
    }
    template = (_SOURCES / "page.html").read_text(encoding="utf-8")
    return re.sub(r"{{(\w+)}}", lambda field: parts[field[1]], template).encode()


def _pack(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


def _as_url(script: bytes) -> str:
    return f"data:text/javascript;base64,{base64.b64encode(script).decode()}"
