"""Files of projected styles (W+), which name the layers' styles that make a given picture."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mfagan.errors import InputError
from mfagan.files import write_atomic
from mfagan.importing.pytorch_file import read_pytorch_file, require_weights
from mfagan.mobilestylegan.importing.pickles import refuse_pickle
from mfagan.mobilestylegan.network.layers.geometry import count_rows

__all__ = ["ProjectedStyles", "read_styles", "write_styles"]


@dataclass(frozen=True)
class ProjectedStyles:
    """The styles of one picture.

    name: of the picture, or its number in the file.
    w: W+ (rows, features), or one style (features,).
    noise: the maps that belong to it, (1, 1, side, side) each; empty if the file has none.
    """

    name: str
    w: Tensor
    noise: tuple[Tensor, ...] = ()


def read_styles(
    path: str | Path, size: int, features: int = 512, rows: int | None = None
) -> list[ProjectedStyles]:
    """Read the styles that a projector wrote.

    Args:
        path: `.pt` of rosinality/stylegan2-pytorch's projector, name of a picture -> {latent, noise, ...}; or `.npz` of
            NVIDIA's, with `w` (N, rows, features).
        size: side of the generator's images in px.
        features: numbers of a style of the generator.
        rows: rows of its W+; None for those of StyleGAN2, 2 log2(size) - 2.

    Returns:
        The pictures' styles, in the order of the file.

    Raises:
        InputError: another format, or styles of another generator.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"styles {path}: no such file")
    found = _read_npz(path) if path.suffix.lower() == ".npz" else _read_pt(path)
    for one in found:
        _require_rows(one.w, size, features, count_rows(size) if rows is None else rows, path)
    return found


def write_styles(path: str | Path, w: Tensor) -> None:
    """Write styles in the format of NVIDIA's projector, `.npz` with `w`, whole or not at all.

    Args:
        path: the file.
        w: W+ (N, rows, features).

    Raises:
        InputError: it cannot be written.
    """
    content = io.BytesIO()
    np.savez(content, w=w.detach().cpu().numpy())
    write_atomic(path, content.getvalue())


def _read_npz(path: Path) -> list[ProjectedStyles]:
    try:
        with np.load(path, allow_pickle=False) as file:
            w = torch.from_numpy(file["w"])
    except (OSError, ValueError, KeyError, EOFError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"styles {path}: no array w can be read ({reason:.100}); give a projector's .npz"
        ) from None
    w = require_weights({"w": w}, path)["w"]
    if w.dim() == 2:
        w = w[None]
    return [ProjectedStyles(str(i), one) for i, one in enumerate(w)]


def _read_pt(path: Path) -> list[ProjectedStyles]:
    refuse_pickle(path)
    found = read_pytorch_file(path)
    if not isinstance(found, Mapping) or not found:
        raise InputError(
            f"styles {path}: holds {type(found).__name__}, not pictures by name; give a projector's .pt"
        )
    projected = []
    for name, one in found.items():
        if not isinstance(one, Mapping) or not isinstance(one.get("latent"), Tensor):
            raise InputError(f"styles {path}: {name!s:.60} has no latent; give a projector's .pt")
        maps = dict(enumerate(one.get("noise") or ()))
        named = {f"{name}: noise {number}": noise for number, noise in maps.items()}
        w = require_weights({f"{name}: latent": one["latent"]}, path).popitem()[1]
        projected.append(ProjectedStyles(str(name), w, tuple(require_weights(named, path).values())))
    return projected


def _require_rows(w: Tensor, size: int, features: int, rows: int, path: Path) -> None:
    if w.shape[-1:] != (features,) or w.dim() > 2:
        raise InputError(
            f"styles {path}: the shape {tuple(w.shape)}; ({rows}, {features}) or ({features},) is needed by the "
            "generator"
        )
    if w.dim() == 2 and len(w) != rows:
        others = {count_rows(1 << power): 1 << power for power in range(4, 11)}
        of = f", as of a generator of {others[len(w)]} px" if len(w) in others else ""
        raise InputError(f"styles {path}: W+ has {len(w)} rows{of}; a generator of {size} px needs {rows}")
