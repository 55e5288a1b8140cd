"""Pictures to be made: their styles, from seeds or from files, mixed or not, and how they are made and drawn."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from mfagan.errors import InputError
from mfagan.mobilestylegan.importing import read_styles
from mfagan.mobilestylegan.network.generator import require_pair
from mfagan.mobilestylegan.network.layers.noise import Noise
from mfagan.mobilestylegan.network.layers.styles import draw_latents, truncate
from mfagan.mobilestylegan.sampling.image_generator import ImageGenerator

__all__ = [
    "Sample",
    "from_file",
    "from_seeds",
    "make_pictures",
    "mix_samples",
    "require_beside",
    "stack_styles",
]

_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Sample:
    """One picture to be made.

    caption: what it is called on a sheet.
    name: what its file is called, without the ending.
    w: its style (features,), or W+ (rows, features), truncated.
    noise: the maps that belong to it, if its file has some.
    """

    caption: str
    name: str
    w: Tensor
    noise: tuple[Tensor, ...] = ()


def from_seeds(model: ImageGenerator, seeds: Sequence[int], psi: float) -> list[Sample]:
    """The pictures of seeds.

    Args:
        model: the generator.
        seeds: whole numbers from 0.
        psi: truncation.

    Returns:
        One sample a seed.

    Raises:
        InputError: as a call of the generator.
    """
    styles = torch.from_numpy(model.styles(seeds, psi=psi))[:, 0]
    return [Sample(f"seed {seed}", f"seed{seed:04d}", w) for seed, w in zip(seeds, styles, strict=True)]


def from_file(model: ImageGenerator, path: Path, psi: float) -> list[Sample]:
    """The pictures whose styles a projector wrote.

    Args:
        model: the generator.
        path: as for `read_styles`.
        psi: truncation.

    Returns:
        One sample a picture of the file, in its order.

    Raises:
        InputError: as `read_styles`, or psi is not finite.
    """
    mean = model.network.w_mean.cpu()
    return [
        Sample(
            one.name,
            f"{i:04d}-{_UNSAFE.sub('-', Path(one.name).stem):.60}",
            truncate(one.w, mean, psi),
            one.noise,
        )
        for i, one in enumerate(read_styles(path, model.size, model.style_dim, model.n_rows))
    ]


def mix_samples(
    model: ImageGenerator,
    samples: Sequence[Sample],
    others: Sequence[Sample],
    crossovers: Sequence[int] | None,
) -> list[Sample]:
    """Give the finer layers of each picture the styles of others.

    Args:
        model: the generator.
        samples: their styles stay in the coarse layers.
        others: whose styles follow, from coarse to fine.
        crossovers: the row of W+ at which each of the others begins; None divides the rows evenly.

    Returns:
        The mixed samples, named by what is mixed.

    Raises:
        InputError: more styles than rows, or crossovers that do not fit.
    """
    rows, count = model.n_rows, len(others) + 1
    starts = [i * rows // count for i in range(1, count)] if crossovers is None else list(crossovers)
    mixed = []
    for sample in samples:
        parts = [stack_styles([one], rows) for one in (sample, *others)]
        w = torch.from_numpy(model.mix(parts, starts))[0]
        names = [f"{one.caption} from {start}" for one, start in zip(others, starts, strict=True)]
        mixed.append(replace(sample, caption=", ".join([sample.caption, *names]), w=w))
    return mixed


def require_beside(teacher: ImageGenerator, student: ImageGenerator, samples: Sequence[Sample]) -> bool:
    """Check that a teacher can make the pictures that a student makes.

    Args:
        teacher: a StyleGAN2.
        student: a MobileStyleGAN.
        samples: whose styles both read.

    Returns:
        Whether both have one mapping network, as a student has its teacher's.

    Raises:
        InputError: they are of other kinds, sizes or lengths of styles, or W+ has other rows in each.
    """
    large, small = require_pair(teacher.network, student.network)
    if teacher.n_rows != student.n_rows and any(one.w.dim() == 2 for one in samples):
        raise InputError(
            f"W+ has {student.n_rows} rows in {student.path}, which are its authors', and {teacher.n_rows} in its "
            "teacher: import the student without --authors-rows"
        )
    z = draw_latents([0], student.style_dim)
    with torch.no_grad():
        ours, theirs = (one.mapping(z.to(one.w_mean)).cpu() for one in (small, large))
    return torch.allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def stack_styles(samples: Sequence[Sample], rows: int) -> Tensor:
    """The styles of samples as W+.

    Args:
        samples: at least one.
        rows: of the W+ that single styles become.

    Returns:
        (N, rows, features).
    """
    return torch.stack([one.w if one.w.dim() == 2 else one.w.expand(rows, -1) for one in samples])


def make_pictures(model: ImageGenerator, samples: Sequence[Sample], noise: str = "const") -> Iterator[Tensor]:
    """Make pictures, a few at a time.

    Args:
        model: the generator.
        samples: the pictures.
        noise: a mode of noise, or "file" for the maps that each sample has.

    Returns:
        The pictures in the order of the samples, (3, size, size) each, RGB in [0, 1], on the CPU.

    Raises:
        InputError: another noise, or a sample without maps.
    """
    for start in range(0, len(samples), model.batch):
        part = samples[start : start + model.batch]
        maps = _stack_noise(part) if noise == "file" else noise
        images = model(w=stack_styles(part, model.n_rows), noise=maps, output="tensor")  # pyright: ignore[reportArgumentType]
        yield from ((images + 1) / 2).clamp(0, 1).cpu()


def _stack_noise(samples: Sequence[Sample]) -> Noise:
    for one in samples:
        if not one.noise:
            raise InputError(
                f"noise file: there are no noise maps of {one.caption}; give const, zero or random"
            )
    return [torch.cat(maps) for maps in zip(*(one.noise for one in samples), strict=False)]
