"""A generator that is called on seeds, latents or styles and returns pictures."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mfagan.data.images import to_uint8
from mfagan.devices import to_device
from mfagan.errors import InputError
from mfagan.mobilestylegan.network.costs import GeneratorCosts, count_costs
from mfagan.mobilestylegan.network.generator import Generator
from mfagan.mobilestylegan.network.layers.noise import Noise
from mfagan.mobilestylegan.network.layers.styles import draw_latents, mix_styles, spread_rows, truncate

__all__ = ["ImageGenerator", "Numbers", "Output", "Seeds"]

Seeds = int | Sequence[int]
Numbers = np.ndarray | Tensor | Sequence[Sequence[float]]
"""Latents or styles."""
Output = Literal["numpy", "pil", "tensor"]
_PIXELS_AT_ONCE = 2**21
_MOST_AT_ONCE = 32
_MAX_SEED = 2**63


class ImageGenerator:
    """A StyleGAN2, or a MobileStyleGAN distilled from one, that is called on seeds and returns pictures.

        model = mfagan.load("student.safetensors")
        pictures = model(seeds=[0, 1, 2], psi=0.7)           # uint8 (3, size, size, 3)
        first, *others = model(seeds=range(8), output="pil")  # PIL images
        w = model.styles(seeds=[0, 1])                       # W+ (2, n_rows, style_dim), as projectors write it
        pictures = model(w=w)

    `mfagan.load` makes one.

    Args:
        network: latents -> images (N, 3, size, size) in [-1, 1].
        device: where it computes, always in float32.
        path: the checkpoint's file, or None.
    """

    def __init__(self, network: Generator, *, device: torch.device, path: Path | None = None) -> None:
        self.network = to_device(network.float().eval().requires_grad_(False), device)
        self.device = device
        self.kind = network.KIND
        self.path = path

    @property
    def size(self) -> int:
        """Side of the pictures in px."""
        return self.network.size

    @property
    def style_dim(self) -> int:
        """Numbers of a latent z and of a style w."""
        return self.network.style_dim

    @property
    def n_rows(self) -> int:
        """Rows of W+, one for each layer: 18 at 1024 px, 14 at 256 px."""
        return self.network.n_rows

    @property
    def n_parameters(self) -> int:
        """Learned numbers, those of the mapping network included."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    @property
    def batch(self) -> int:
        """How many pictures are made at once; more are made in turn."""
        return max(1, min(_MOST_AT_ONCE, _PIXELS_AT_ONCE // self.size**2))

    def costs(self) -> GeneratorCosts:
        """Count parameters and multiply-accumulates of one picture."""
        return count_costs(self.network)

    def __repr__(self) -> str:
        file = "" if self.path is None else f", path={str(self.path)!r}"
        return (
            f"ImageGenerator({self.kind}, size={self.size}, style_dim={self.style_dim}, n_rows={self.n_rows}, "
            f"n_parameters={self.n_parameters:,}, device={self.device}{file})"
        )

    @overload
    def __call__(
        self,
        seeds: Seeds | None = None,
        *,
        z: Numbers | None = None,
        w: Numbers | None = None,
        psi: float = 1.0,
        noise: Noise = "const",
        output: Literal["numpy"] = "numpy",
    ) -> np.ndarray: ...
    @overload
    def __call__(
        self,
        seeds: Seeds | None = None,
        *,
        z: Numbers | None = None,
        w: Numbers | None = None,
        psi: float = 1.0,
        noise: Noise = "const",
        output: Literal["pil"],
    ) -> list[Image.Image]: ...
    @overload
    def __call__(
        self,
        seeds: Seeds | None = None,
        *,
        z: Numbers | None = None,
        w: Numbers | None = None,
        psi: float = 1.0,
        noise: Noise = "const",
        output: Literal["tensor"],
    ) -> Tensor: ...
    def __call__(
        self,
        seeds: Seeds | None = None,
        *,
        z: Numbers | None = None,
        w: Numbers | None = None,
        psi: float = 1.0,
        noise: Noise = "const",
        output: Output = "numpy",
    ) -> np.ndarray | list[Image.Image] | Tensor:
        """Make pictures.

        Args:
            seeds: whole numbers from 0, one a picture; a picture does not depend on the other seeds.
            z: latents of N(0, 1) instead, (N, style_dim) or (style_dim,).
            w: styles instead, (N, style_dim) or (style_dim,), or W+, (N, n_rows, style_dim).
            psi: truncation: 1 leaves the styles, smaller values draw them towards their mean, 0 makes all of them the
                mean; styles that are given are drawn too.
            noise: "const", the same noise always; "zero", none; "random", other noise in each picture and each call, by
                PyTorch's global generator; or the maps, (N or 1, 1, side, side) each.
            output: "numpy" for uint8 (N, size, size, 3); "pil" for a list of PIL images; "tensor" for float32
                (N, 3, size, size) in [-1, 1] on the model's device, not clamped, as StyleGAN's networks return it.

        Returns:
            The pictures.

        Raises:
            InputError: none or several of seeds, z and w; another shape, or values that are not finite; psi that is not
                finite; an unknown noise or output.
        """
        if output not in ("numpy", "pil", "tensor"):
            raise InputError(f"output {output!r}: give numpy, pil or tensor")
        styles = self._styles(seeds, z, w, psi)
        if output == "tensor":
            return torch.cat(list(self._make(styles, noise)))
        levels = [
            to_uint8((images + 1) / 2).permute(0, 2, 3, 1).cpu() for images in self._make(styles, noise)
        ]
        pictures = torch.cat(levels).contiguous().numpy()
        return [Image.fromarray(one) for one in pictures] if output == "pil" else pictures

    def styles(
        self,
        seeds: Seeds | None = None,
        *,
        z: Numbers | None = None,
        w: Numbers | None = None,
        psi: float = 1.0,
    ) -> np.ndarray:
        """Compute the styles of pictures, one for each layer.

        Args:
            seeds: as in a call.
            z: as in a call.
            w: as in a call.
            psi: as in a call; the styles that are returned are truncated, so make their pictures with psi 1.

        Returns:
            W+, float32 (N, n_rows, style_dim).

        Raises:
            InputError: as in a call.
        """
        return self._spread(self._styles(seeds, z, w, psi)).cpu().numpy()

    def mix(self, styles: Sequence[Numbers], crossovers: Sequence[int]) -> np.ndarray:
        """Mix styles: pictures have the coarse features of the first and finer ones of the next.

        Args:
            styles: each as `w` of a call, all of the same N.
            crossovers: the row of W+ at which each style after the first begins, rising, from 1 to n_rows - 1.

        Returns:
            W+, float32 (N, n_rows, style_dim), for `w` of a call.

        Raises:
            InputError: more styles than rows, crossovers that do not fit, or styles of other shapes.
        """
        spread = [self._spread(self._read(one, "w", (2, 3))) for one in styles]
        if len({len(one) for one in spread}) > 1:
            counts = ", ".join(str(len(one)) for one in spread)
            raise InputError(
                f"styles of {counts} pictures: give the same number of each, to be mixed one by one"
            )
        return mix_styles(spread, crossovers, self.n_rows).cpu().numpy()

    def _spread(self, w: Tensor) -> Tensor:
        return spread_rows(w, self.style_dim, [self.n_rows], f"{self.kind} of {self.size} px")

    @torch.no_grad()
    def _styles(self, seeds: Seeds | None, z: Numbers | None, w: Numbers | None, psi: float) -> Tensor:
        """Truncated styles, (N, style_dim) or W+."""
        given = {name: one for name, one in (("seeds", seeds), ("z", z), ("w", w)) if one is not None}
        if len(given) != 1:
            raise InputError(f"{' and '.join(given) or 'nothing'} given: give one of seeds, z and w")
        if w is not None:
            return truncate(self._read(w, "w", (2, 3)), self.network.w_mean, psi)
        if z is None:
            assert seeds is not None
            z = draw_latents(_read_seeds(seeds), self.style_dim)
        return self.network.styles(self._read(z, "z", (2,)), psi)

    @torch.no_grad()
    def _make(self, styles: Tensor, noise: Noise) -> Iterator[Tensor]:
        """Images (n, 3, size, size) of all styles, a few at a time."""
        for start in range(0, len(styles), self.batch):
            part = slice(start, start + self.batch)
            own = noise if isinstance(noise, str) else [one if len(one) == 1 else one[part] for one in noise]
            maps = own if isinstance(own, str) else [one.to(styles) for one in own]
            yield self.network.synthesis(styles[part], maps)

    def _read(self, numbers: Numbers, name: str, dims: tuple[int, ...]) -> Tensor:
        try:
            array = (
                numbers if isinstance(numbers, Tensor) else torch.from_numpy(np.array(numbers, np.float32))
            )
            found = array.detach().to(self.device, torch.float32)
        except (TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"{name}: no array of numbers ({error}); give (N, {self.style_dim})") from None
        if found.dim() == 1:
            found = found[None]
        if found.dim() not in dims or found.shape[-1] != self.style_dim:
            plus = f" or (N, {self.n_rows}, {self.style_dim})" if 3 in dims else ""
            raise InputError(f"{name} of the shape {tuple(found.shape)}: give (N, {self.style_dim}){plus}")
        if not len(found):
            raise InputError(f"{name} is empty: give at least one")
        if not found.isfinite().all():
            raise InputError(f"{name} holds values that are not finite: give others")
        return found


def _read_seeds(seeds: Seeds) -> list[int]:
    found = [seeds] if isinstance(seeds, int) or not isinstance(seeds, Iterable) else list(seeds)
    if not found:
        raise InputError("seeds are empty: give at least one")
    for one in found:
        whole = isinstance(one, int | np.integer) and not isinstance(one, bool)
        if not whole or not 0 <= one < _MAX_SEED:
            raise InputError(f"seed {one!r:.60}: give whole numbers from 0, such as seeds=[0, 1, 2]")
    return [int(one) for one in found]
