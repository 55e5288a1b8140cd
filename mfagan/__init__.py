"""Search, train and export small super-resolution GANs for phones.

    import mfagan

    model = mfagan.load()                 # the shipped SuperGenerator; or load("net.safetensors", widths=24)
    large = model(image)                  # NumPy array, PIL image or PyTorch tensor -> the same type, enlarged
    large = model.upscale(image)          # the same in tiles, for pictures too large for the memory
    large = mfagan.upscale("photo.png")   # a PIL image
    mfagan.costs(model, size=(128, 128))  # parameters, multiply-accumulates, FLOPs, memory traffic
    mfagan.export(model, "net.tflite")    # TensorFlow Lite, checked against PyTorch

Nothing is imported before a name is used, so `import mfagan` is instant.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mfagan.api import Exported, Model, Tiling, costs, export, load, upscale
    from mfagan.errors import InputError

__all__ = ["Exported", "InputError", "Model", "Tiling", "__version__", "costs", "export", "load", "upscale"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'mfagan' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module("mfagan.errors" if name == "InputError" else "mfagan.api"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
