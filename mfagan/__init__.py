"""Search, train and export small super-resolution GANs for phones.

    import mfagan

    model = mfagan.load()                 # the shipped SuperGenerator; or load("net.safetensors", widths=24)
    large = model(image)                  # NumPy array, PIL image or PyTorch tensor -> the same type, enlarged
    large = model.upscale(image)          # the same in tiles, for pictures too large for the memory
    large = mfagan.upscale("photo.png")   # a PIL image
    mfagan.costs(model, size=(128, 128))  # parameters, multiply-accumulates, FLOPs, memory traffic
    mfagan.export(model, "net.tflite")    # TensorFlow Lite, checked against PyTorch

    faces = mfagan.load("student.safetensors")    # a StyleGAN2 or a MobileStyleGAN makes pictures
    pictures = faces(seeds=[0, 1, 2], psi=0.7)    # uint8 (3, size, size, 3)

    zebras = mfagan.load("horse2zebra.safetensors")  # a translator of CoroNetGAN, CycleGAN or pix2pix
    picture = zebras("horse.jpg")                    # a PIL image of the same size

    problem = mfagan.search_problem()     # for `search.run`: SubGenerators, priced by a latency table
    mfagan.reprice(problem, points, lut)  # the same trials on another device
    mfagan.finetune(point, "net.safetensors")

Nothing is imported before a name is used, so `import mfagan` is instant.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mfagan.api import (
        Exported,
        ImageGenerator,
        ImageTranslator,
        Model,
        Tiling,
        costs,
        export,
        load,
        upscale,
    )
    from mfagan.api.studies import FineTuned, finetune, reprice, search_problem
    from mfagan.errors import InputError

__all__ = [
    "Exported",
    "FineTuned",
    "ImageGenerator",
    "ImageTranslator",
    "InputError",
    "Model",
    "Tiling",
    "__version__",
    "costs",
    "export",
    "finetune",
    "load",
    "reprice",
    "search_problem",
    "upscale",
]

_ELSEWHERE = {
    "FineTuned": "api.studies",
    "InputError": "errors",
    "finetune": "api.studies",
    "reprice": "api.studies",
    "search_problem": "api.studies",
}
"""Public name -> the module that defines it, if that is not `mfagan.api`."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'mfagan' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"mfagan.{_ELSEWHERE.get(name, 'api')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
