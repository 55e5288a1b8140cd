"""Enlarges picture files with a model: one, or all of a folder, in bounded memory."""

import glob
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mfagan.allocator import give_back_freed_memory
from mfagan.deploy.upscaling.picture_files import MAX_MEGAPIXELS, SUFFIXES, read_picture, write_picture
from mfagan.enlarging.enlarger import Upscaler
from mfagan.enlarging.model import GREY_WEIGHTS
from mfagan.enlarging.tiling import OVERLAP_PX, Effort, Tiling, enlarge_tiled
from mfagan.errors import InputError
from mfagan.files import require_place
from mfagan.progress import ProgressCallback, ignore_progress

__all__ = [
    "CLIP_SUFFIXES",
    "Job",
    "UpscaleOptions",
    "claim_target",
    "enlarge_levels",
    "fit_tiling",
    "list_jobs",
    "upscale_file",
]

CLIP_SUFFIXES = (
    ".mp4",
    ".m4v",
    ".mov",
    ".mkv",
    ".webm",
    ".avi",
    ".mpg",
    ".mpeg",
    ".ts",
    ".wmv",
    ".flv",
    ".3gp",
)
"""Endings of the files that are read as video."""
_CLIPS_KEPT = (".mp4", ".m4v", ".mov", ".mkv")
"""Those of them that are written too."""

_BASE_MB = 400
"""What Python, PyTorch and libvips take before a picture is read."""
_MARGIN = 1.75
"""How much more the process takes than the activations: the allocator cannot reuse all that other tiles freed."""
_LEAST_TILE_PX = 32


@dataclass(frozen=True)
class UpscaleOptions:
    """How pictures are enlarged."""

    memory_mb: float = 1_000
    """What the process may take, roughly; it chooses the tiles."""
    overlap_px: int = OVERLAP_PX
    """As in `Tiling`."""
    effort: Effort = "normal"
    """As in `Tiling`."""
    overwrite: bool = False
    """Whether a file that exists is replaced."""
    max_megapixels: float = MAX_MEGAPIXELS
    """As in `read_picture`."""


@dataclass(frozen=True)
class Job:
    """One picture or clip to enlarge."""

    source: Path
    """The picture or clip."""
    target: Path
    """The file to write."""

    @property
    def is_clip(self) -> bool:
        """Whether one of the two is a video by its ending."""
        return any(path.suffix.lower() in CLIP_SUFFIXES for path in (self.source, self.target))


def list_jobs(source: str, out: Path) -> list[Job]:
    """List what is to be enlarged into which files.

    Args:
        source: a picture, a clip, a folder (its pictures alone, none in folders below), or a pattern such as
            `photos/*.jpg`.
        out: for one picture or clip the file to write, or a folder that exists; otherwise a folder.

    Returns:
        The jobs in the order of names; a picture of a format that is only read becomes a PNG, such a
        clip an MP4.

    Raises:
        InputError: nothing is found, a file that stands where a folder is needed, or two pictures that would become
            one file.
    """
    path = Path(source)
    if path.is_dir():
        found = sorted(one for one in path.iterdir() if _looks_like_a_picture(one))
        nothing = f"folder {path} holds no picture ({', '.join(SUFFIXES)}, .gif)"
    elif path.exists() or not glob.has_magic(source):
        target = out if out.suffix and not out.is_dir() else out / _name(path)
        return [Job(path, target)]
    else:
        found = sorted(Path(one) for one in glob.glob(source) if not Path(one).is_dir())
        nothing = f"pattern {source} matches no file"
    if not found:
        raise InputError(f"{nothing}; check the path")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file, and {len(found)} pictures need a folder; give another one")
    jobs = [Job(one, out / _name(one)) for one in found]
    targets = [job.target for job in jobs]
    for job in jobs:
        if targets.count(job.target) > 1:
            raise InputError(
                f"{job.source} and another picture would both become {job.target}; rename one of them"
            )
    return jobs


def fit_tiling(model: Upscaler, held_bytes: int, options: UpscaleOptions) -> Tiling:
    """Choose the tiles that fit into the memory.

    Args:
        model: the network.
        held_bytes: memory that the picture takes itself.
        options: how much memory there is, and how tiles overlap.

    Returns:
        Tiles as large as fit.

    Raises:
        InputError: not even small tiles fit.
    """
    bytes_per_px = _MARGIN * model.bytes_per_px
    left = options.memory_mb * 1e6 - _BASE_MB * 1e6 - held_bytes
    side = int(max(0.0, left / bytes_per_px) ** 0.5) - 2 * options.overlap_px
    if side < _LEAST_TILE_PX:
        needed = (_LEAST_TILE_PX + 2 * options.overlap_px) ** 2 * bytes_per_px + held_bytes
        raise InputError(
            f"memory of {options.memory_mb:g} MB is too little for this picture and network; "
            f"give at least --memory-mb {_BASE_MB + needed / 1e6:.0f}"
        )
    return Tiling(side, options.overlap_px, options.effort)


def upscale_file(
    model: Upscaler, job: Job, options: UpscaleOptions, report: ProgressCallback = ignore_progress
) -> tuple[int, int]:
    """Enlarge one picture file.

    Args:
        model: the network.
        job: what is read and written.
        options: how.
        report: called after every tile.

    Returns:
        (height, width) of the written picture in px.

    Raises:
        InputError: as `read_picture`, `fit_tiling` and `write_picture`; the file exists, or is the picture itself.
    """
    target = claim_target(job, options.overwrite)
    picture = read_picture(job.source, options.max_megapixels)
    held_bytes = picture.colours.nbytes + (0 if picture.alpha is None else picture.alpha.nbytes)
    tiling = fit_tiling(model, held_bytes, options)
    with write_picture(target, picture, model.scale) as put:
        enlarge_levels(model, picture.colours, put, tiling, report)
    return tuple(side * model.scale for side in picture.size)  # pyright: ignore[reportReturnType]


def claim_target(job: Job, overwrite: bool) -> Path:
    """Check before long work that a job's file may be written.

    Args:
        job: what is read and written.
        overwrite: whether a file that exists is replaced.

    Returns:
        The file to write.

    Raises:
        InputError: it exists, or is the source itself; its folder cannot be written.
    """
    target = require_place(job.target, job.source)
    if target.exists() and not overwrite:
        raise InputError(f"{target} exists; give another name, or --overwrite")
    return target


def enlarge_levels(
    model: Upscaler,
    colours: np.ndarray,
    put: Callable[[slice, slice, np.ndarray], object],
    tiling: Tiling,
    report: ProgressCallback = ignore_progress,
) -> None:
    """Enlarge a picture of integers tile by tile.

    Args:
        model: the network.
        colours: (H, W, 3), or (H, W, 1) for grey, uint8 or uint16.
        put: takes rows and columns of the enlarged picture, and the levels there, likewise.
        tiling: how it is cut.
        report: called after every tile.
    """
    levels = float(np.iinfo(colours.dtype).max)
    is_grey = colours.shape[2] == 1

    def read(rows: slice, columns: slice) -> Tensor:
        give_back_freed_memory()  # of the tile before
        part = torch.from_numpy(colours[rows, columns].astype(np.float32)).permute(2, 0, 1)
        return (part.expand(3, -1, -1) / levels).to(model.device)

    def write(rows: slice, columns: slice, tile: Tensor) -> None:
        tile = tile.clamp(0, 1)
        if is_grey:
            tile = torch.einsum("chw,c->hw", tile, tile.new_tensor(GREY_WEIGHTS))[None]
        rounded = (tile * levels + 0.5).floor().clamp(0, levels)
        put(rows, columns, rounded.permute(1, 2, 0).cpu().numpy().astype(colours.dtype))

    height, width, _ = colours.shape
    enlarge_tiled(model.start_enlarger(), (height, width), read, write, tiling, report)


def _looks_like_a_picture(path: Path) -> bool:
    return path.suffix.lower() in (*SUFFIXES, ".gif") and not path.name.startswith(".") and not path.is_dir()


def _name(path: Path) -> str:
    if path.suffix.lower() in (*SUFFIXES, *_CLIPS_KEPT):
        return path.name
    return f"{path.stem}.mp4" if path.suffix.lower() in CLIP_SUFFIXES else f"{path.stem}.png"
